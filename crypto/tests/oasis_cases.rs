//! The literals of the published OASIS cases: what Encrypt, Decrypt, Sign, Signature Verify, MAC, Hash and Derive Key give
//! there is what this crate computes. The cases are not part of this repository; `KMIP_CONFORMANCE_DIR` names a folder.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crypto::CryptoError;
use crypto::cipher::CipherSpec;
use crypto::derive::{DerivationParameters, derive};
use crypto::hash::hash;
use crypto::key::{PrivateKey, PublicKey};
use crypto::mac::MacSpec;
use crypto::pkcs12::read_pkcs12;
use crypto::rsa_encryption::RsaEncryption;
use crypto::signature::{Message, SignatureScheme, verify};
use crypto::x509::{parse_certificate, parse_request};
use kmip::ProtocolVersion;
use kmip::attribute::CryptographicParameters;
use kmip::registry::{CertificateRequestType, CryptographicAlgorithm, DerivationMethod, KeyFormatType};
use kmip::ttlv::{Reader, Wire};
use kmip::xml::Element;
use secret::Secret;

/// Files whose literals no server computes, and why.
const NOT_COMPUTABLE: [(&str, &str); 1] =
    [("CS-BC-M-6-12.xml", "its ciphertext is not that of ECB; the same case of 1.4 has the right one")];

/// Every case, or none where nobody says where they are.
fn cases() -> Vec<(PathBuf, Element)> {
    let Some(folder) = std::env::var_os("KMIP_CONFORMANCE_DIR").filter(|folder| !folder.is_empty()) else {
        println!("did not run: KMIP_CONFORMANCE_DIR names no folder of OASIS test cases");
        return Vec::new();
    };
    let mut files = Vec::new();
    xml_files(Path::new(&folder), &mut files);
    assert!(!files.is_empty(), "no case below {}", Path::new(&folder).display());
    // Some files are no well-formed XML as published.
    let read = |path: PathBuf| {
        let root = Element::parse(&std::fs::read_to_string(&path).unwrap()).ok()?;
        Some((path, root))
    };
    files.into_iter().filter_map(read).collect()
}

#[test]
fn published_certificates_and_requests_are_read() {
    let (mut certificates, mut requests) = (0, 0);
    for (path, root) in cases() {
        let mut values = Vec::new();
        every(&root, "CertificateValue", &mut values);
        for value in values.iter().filter_map(|value| hex::decode(value).ok()) {
            let facts = parse_certificate(&value).unwrap();
            assert!(facts.key.is_some() && facts.signature_algorithm.is_some(), "{}", path.display());
            certificates += 1;
        }
        let mut values = Vec::new();
        every(&root, "CertificateRequest", &mut values);
        for value in values.iter().filter_map(|value| hex::decode(value).ok()) {
            let request = parse_request(CertificateRequestType::Pkcs10, &value).unwrap();
            assert_eq!(request.subject.text, "CN=Client,OU=KMIP,O=ACME,C=US", "{}", path.display());
            requests += 1;
        }
    }
    println!("{certificates} certificates and {requests} requests read");
}

#[test]
fn the_published_pkcs12_file_holds_the_published_key() {
    for (path, root) in cases().into_iter().filter(|(path, _)| path.ends_with("TC-PKCS12-2-14.xml")) {
        let (mut files, mut keys, mut certificates) = (Vec::new(), Vec::new(), Vec::new());
        every(&root, "KeyValue", &mut files);
        every(&root, "KeyMaterial", &mut keys);
        every(&root, "CertificateValue", &mut certificates);
        let file = Secret::new(hex::decode(files.iter().find(|value| value.starts_with("3082")).unwrap()).unwrap());
        let contents = read_pkcs12(&file, &Secret::copy_from(b"password")).unwrap();
        let pkcs8 = contents.key.to_encoded(KeyFormatType::Pkcs8).unwrap();
        assert!(keys.iter().any(|key| hex::decode(key).is_ok_and(|key| key == pkcs8.expose())), "{}", path.display());
        assert_eq!(hex::encode(contents.certificate.unwrap()), certificates[0].to_lowercase());
        assert_eq!(contents.friendly_name.as_deref(), Some("alias"));
    }
}

#[test]
fn published_literals_are_what_is_computed() {
    let (mut compared, mut faults) = (0, Vec::new());
    let cases = cases();
    if cases.is_empty() {
        return;
    }
    for (path, root) in cases {
        if NOT_COMPUTABLE.iter().any(|(name, _)| path.ends_with(name)) {
            continue;
        }
        let mut case = Case::default();
        for pair in root.children.chunks(2) {
            let [request, response] = pair else { continue };
            for (asked, answered) in items(request).zip(items(response)) {
                case.play(asked, answered);
            }
        }
        compared += case.compared;
        faults.extend(case.faults.iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    println!("{compared} results compared");
    assert!(compared > 0, "no case has a literal to compare with");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What a case has registered, and what it gave names to.
#[derive(Default)]
struct Case {
    objects: HashMap<String, Object>,
    bound: HashMap<String, Vec<u8>>,
    compared: usize,
    faults: Vec<String>,
}

/// Fields of an answer, or why there is none.
type Computed = Result<Vec<(&'static str, Vec<u8>)>, CryptoError>;

struct Object {
    format: Option<KeyFormatType>,
    algorithm: Option<CryptographicAlgorithm>,
    is_private: bool,
    bytes: Vec<u8>,
    parameters: Option<CryptographicParameters>,
}

impl Case {
    fn play(&mut self, asked: &Element, answered: &Element) {
        let (Some(operation), Some(payload)) = (text(asked, "Operation"), asked.child("RequestPayload")) else {
            return;
        };
        let is_success = text(answered, "ResultStatus") == Some("Success");
        let answer = answered.child("ResponsePayload");
        match operation {
            "Register" if is_success => self.register(payload, answer),
            "Encrypt" | "Decrypt" | "Sign" | "SignatureVerify" | "MAC" | "MACVerify" | "Hash" => {
                let Some(computed) = self.compute(operation, payload) else { return };
                match (computed, answer.filter(|_| is_success)) {
                    (Ok(results), Some(answer)) => results.into_iter().for_each(|(name, value)| {
                        self.compare(operation, answer, name, value);
                    }),
                    (Err(error), None) => self.compare_failure(operation, answered, error),
                    (Err(error), Some(_)) => self.faults.push(format!("{operation} failed: {error}")),
                    (Ok(_), None) => {
                        // States, dates and usage limits are the server's.
                        let reason = text(answered, "ResultReason").unwrap_or_default();
                        if matches!(reason, "CryptographicFailure" | "GeneralFailure" | "InvalidMessage") {
                            self.faults.push(format!("{operation} succeeded in place of {reason}"));
                        }
                    }
                }
            }
            "DeriveKey" if is_success => self.derive(payload, answer),
            "Get" if is_success => {
                let Some(answer) = answer else { return };
                let known = text(answer, "UniqueIdentifier").and_then(|id| self.objects.get(id));
                let material =
                    find(answer, "KeyMaterial").and_then(|material| hex::decode(material.value.as_ref()?).ok());
                let is_derived = known.is_some_and(|known| known.format.is_none());
                if let (Some(known), Some(material), true) = (known, material, is_derived) {
                    self.compared += 1;
                    if known.bytes != material {
                        self.faults.push(format!("Get of {:?}", text(answer, "UniqueIdentifier")));
                    }
                }
            }
            _ => {}
        }
    }

    fn register(&mut self, payload: &Element, answer: Option<&Element>) {
        let id = answer.and_then(|answer| text(answer, "UniqueIdentifier"));
        let material = find(payload, "KeyMaterial").and_then(|material| hex::decode(material.value.as_ref()?).ok());
        let (Some(id), Some(bytes)) = (id, material) else { return };
        if find(payload, "KeyWrappingData").is_some() {
            return;
        }
        let object = Object {
            format: find(payload, "KeyFormatType").and_then(format_of),
            algorithm: find(payload, "KeyBlock").and_then(|block| enumeration(block, "CryptographicAlgorithm")),
            is_private: text(payload, "ObjectType") == Some("PrivateKey"),
            bytes,
            parameters: attribute_parameters(payload),
        };
        self.objects.insert(id.to_owned(), object);
    }

    /// The fields of the answer that this crate computes; `None` where the key is the server's or the data is unknown.
    fn compute(&self, operation: &str, payload: &Element) -> Option<Computed> {
        let is_stream = ["CorrelationValue", "InitIndicator"].iter().any(|name| payload.child(name).is_some());
        if is_stream {
            return None;
        }
        let asked = payload.child("CryptographicParameters").map(parameters_of);
        let bytes = |name| payload.child(name).map(|element| self.bytes_of(element));
        let field = |name| match bytes(name) {
            None => Some(None),
            Some(Some(bytes)) => Some(Some(bytes)),
            Some(None) => None,
        };
        let data = field("Data")?.unwrap_or_default();
        if operation == "Hash" {
            let value = hash(asked?.hashing_algorithm?, &data);
            return Some(value.map(|value| vec![("Data", value)]));
        }
        let object = self.objects.get(text(payload, "UniqueIdentifier")?)?;
        let parameters = asked.or_else(|| object.parameters.clone()).unwrap_or_default();
        let (iv, aad, tag) = (
            field("IVCounterNonce")?,
            field("AuthenticatedEncryptionAdditionalData")?.unwrap_or_default(),
            field("AuthenticatedEncryptionTag")?,
        );
        let key = Secret::copy_from(&object.bytes);
        let algorithm = object.algorithm?;
        let digest = field("DigestedData")?;
        let message = digest.as_deref().map_or(Message::Data(&data), Message::Digest);
        if parameters.random_iv == Some(true) && iv.is_none() {
            return None;
        }
        Some(match (operation, algorithm) {
            ("Encrypt", CryptographicAlgorithm::Rsa) => public(object).and_then(|key| {
                let sealed = RsaEncryption::resolve(&parameters)?.encrypt(&key, &data)?;
                Ok(vec![("Data", sealed)])
            }),
            ("Decrypt", CryptographicAlgorithm::Rsa) => private(object).and_then(|key| {
                let opened = RsaEncryption::resolve(&parameters)?.decrypt(&key, &data)?;
                Ok(vec![("Data", opened.expose().to_vec())])
            }),
            ("Encrypt", _) => CipherSpec::resolve(algorithm, &parameters).and_then(|spec| {
                let sealed = spec.encrypt(&key, iv.as_deref(), &aad, &data, &[])?;
                let tag = sealed.tag.map(|tag| ("AuthenticatedEncryptionTag", tag));
                Ok(std::iter::once(("Data", sealed.data)).chain(tag).collect())
            }),
            ("Decrypt", _) => CipherSpec::resolve(algorithm, &parameters).and_then(|spec| {
                let opened = spec.decrypt(&key, iv.as_deref(), &aad, tag.as_deref(), &data)?;
                Ok(vec![("Data", opened.expose().to_vec())])
            }),
            ("Sign", _) => private(object).and_then(|key| {
                let scheme = SignatureScheme::resolve(key.kind(), &parameters)?;
                Ok(vec![("SignatureData", scheme.sign(&key, message)?)])
            }),
            ("SignatureVerify", _) => {
                let signature = field("SignatureData")??;
                public(object).and_then(|key| {
                    let valid = verify(&key, &parameters, message, &signature)?;
                    Ok(vec![("ValidityIndicator", validity(valid))])
                })
            }
            ("MAC", _) => MacSpec::resolve(algorithm, &parameters)
                .and_then(|spec| Ok(vec![("MACData", spec.generate(&key, &data)?)])),
            _ => {
                let code = field("MACData")??;
                MacSpec::resolve(algorithm, &parameters)
                    .and_then(|spec| Ok(vec![("ValidityIndicator", validity(spec.verify(&key, &data, &code)?))]))
            }
        })
    }

    fn derive(&mut self, payload: &Element, answer: Option<&Element>) {
        let id = answer.and_then(|answer| text(answer, "UniqueIdentifier"));
        let base = text(payload, "UniqueIdentifier").and_then(|id| self.objects.get(id));
        let method = enumeration::<DerivationMethod>(payload, "DerivationMethod");
        let (Some(id), Some(base), Some(method)) = (id, base, method) else { return };
        if method == DerivationMethod::AsymmetricKey {
            return;
        }
        let given = payload.child("DerivationParameters").unwrap();
        let bytes = |name| given.child(name).map(|element| self.bytes_of(element).unwrap());
        let cryptographic = given.child("CryptographicParameters").map(parameters_of);
        let (data, salt, iv) = (bytes("DerivationData"), bytes("Salt"), bytes("InitializationVector"));
        let data: Vec<&[u8]> = data.as_deref().into_iter().collect();
        let parameters = DerivationParameters {
            cryptographic: &cryptographic.or_else(|| base.parameters.clone()).unwrap_or_default(),
            initialization_vector: iv.as_deref(),
            data: &data,
            salt: salt.as_deref(),
            iterations: text(given, "IterationCount").map(|count| count.parse().unwrap()),
        };
        let length: usize = attribute_text(payload, "Cryptographic Length").unwrap().parse().unwrap();
        let key = Secret::copy_from(&base.bytes);
        match derive(method, base.algorithm, &key, &parameters, length / 8) {
            Ok(derived) => {
                let object = Object {
                    format: None,
                    algorithm: None,
                    is_private: false,
                    bytes: derived.expose().to_vec(),
                    parameters: None,
                };
                self.objects.insert(id.to_owned(), object);
            }
            Err(error) => self.faults.push(format!("DeriveKey failed: {error}")),
        }
    }

    fn compare(&mut self, operation: &str, answer: &Element, name: &'static str, computed: Vec<u8>) {
        let Some(expected) = answer.child(name).and_then(|element| element.value.as_deref()) else { return };
        if name == "ValidityIndicator" {
            self.compared += 1;
            if expected.as_bytes() != computed {
                self.faults.push(format!("{operation}: {expected} expected"));
            }
        } else if expected.starts_with('$') {
            self.bound.insert(expected.to_owned(), computed);
        } else if !(operation == "Encrypt" && name == "Data" && computed.len() >= 128) && operation != "Sign" {
            // Signatures and RSA ciphertexts are random.
            self.compared += 1;
            if !hex::encode(&computed).eq_ignore_ascii_case(expected) {
                self.faults.push(format!("{operation}: {name} is {}, not {expected}", hex::encode(computed)));
            }
        }
    }

    fn compare_failure(&mut self, operation: &str, answered: &Element, error: CryptoError) {
        let fits = match text(answered, "ResultReason").unwrap_or_default() {
            "CryptographicFailure" => error == CryptoError::Authentication,
            "GeneralFailure" => error == CryptoError::TagLength,
            "InvalidMessage" => matches!(error, CryptoError::Missing(_)),
            _ => return,
        };
        self.compared += 1;
        if !fits {
            self.faults.push(format!("{operation}: failed with {error:?}"));
        }
    }

    fn bytes_of(&self, element: &Element) -> Option<Vec<u8>> {
        let value = element.value.as_deref().unwrap_or_default();
        if value.starts_with('$') { self.bound.get(value).cloned() } else { hex::decode(value).ok() }
    }
}

fn validity(valid: bool) -> Vec<u8> {
    if valid { b"Valid".to_vec() } else { b"Invalid".to_vec() }
}

fn private(object: &Object) -> Result<PrivateKey, CryptoError> {
    PrivateKey::from_encoded(object.format.unwrap(), &Secret::copy_from(&object.bytes))
}

fn public(object: &Object) -> Result<PublicKey, CryptoError> {
    if object.is_private {
        return private(object)?.public_key();
    }
    PublicKey::from_encoded(object.format.unwrap(), &object.bytes)
}

fn items(message: &Element) -> impl Iterator<Item = &Element> {
    message.children.iter().filter(|child| child.name == "BatchItem")
}

fn text<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.child(name)?.value.as_deref()
}

/// The values of all elements of that name at any depth.
fn every<'a>(element: &'a Element, name: &str, values: &mut Vec<&'a str>) {
    for child in &element.children {
        if child.name == name {
            values.extend(child.value.as_deref());
        }
        every(child, name, values);
    }
}

/// The first element of that name at any depth.
fn find<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children.iter().find_map(|child| if child.name == name { Some(child) } else { find(child, name) })
}

fn attribute<'a>(payload: &'a Element, name: &str) -> Option<&'a Element> {
    let tag = name.replace(' ', "");
    payload.children.iter().find_map(|child| match child.name.as_str() {
        "Attribute" if text(child, "AttributeName") == Some(name) => child.child("AttributeValue"),
        _ if child.name == tag => Some(child),
        "KeyBlock" => None,
        _ => attribute(child, name),
    })
}

fn attribute_text<'a>(payload: &'a Element, name: &str) -> Option<&'a str> {
    attribute(payload, name)?.value.as_deref()
}

fn attribute_parameters(payload: &Element) -> Option<CryptographicParameters> {
    attribute(payload, "Cryptographic Parameters").map(parameters_of)
}

fn parameters_of(element: &Element) -> CryptographicParameters {
    let named = Element { name: "CryptographicParameters".to_owned(), ..element.clone() };
    let bytes = named.to_ttlv().unwrap();
    let item = Reader::new(&bytes, ProtocolVersion::EVERY).next_item().unwrap().unwrap();
    CryptographicParameters::decode(&item).unwrap()
}

trait Named: Sized {
    fn from_name(name: &str) -> Option<Self>;
}

impl Named for CryptographicAlgorithm {
    fn from_name(name: &str) -> Option<Self> {
        Self::from_xml_name(name)
    }
}

impl Named for DerivationMethod {
    fn from_name(name: &str) -> Option<Self> {
        Self::from_xml_name(name)
    }
}

fn enumeration<T: Named>(element: &Element, name: &str) -> Option<T> {
    T::from_name(text(element, name)?)
}

fn format_of(element: &Element) -> Option<KeyFormatType> {
    KeyFormatType::from_xml_name(element.value.as_deref()?)
}

fn xml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            xml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
}
