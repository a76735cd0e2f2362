//! PKCS#12: a private key and its certificates under a password. KMIP 1.4 §9.1.3.2.3, RFC 7292.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::stack::Stack;
use openssl::x509::X509;
use secret::Secret;

use crate::CryptoError;
use crate::der::{Element, Elements, tag};
use crate::key::PrivateKey;
use crate::library::{Checked, with_legacy};
use crate::limits::{MAX_CHAIN_LEN, MAX_ENCODED_LEN, MAX_PKCS12_ITERATIONS};

/// What a PKCS#12 file holds. Certificates are DER.
#[derive(Debug)]
pub struct Pkcs12Contents {
    /// The private key.
    pub key: PrivateKey,
    /// Its certificate.
    pub certificate: Option<Vec<u8>>,
    /// Further certificates, in the order of the file.
    pub chain: Vec<Vec<u8>>,
    /// The friendly name of key and certificate.
    pub friendly_name: Option<String>,
}

/// Rounds for the password of a file made here: what OpenSSL and others read without complaint, and slow enough to
/// matter for a weak password.
const ITERATIONS: u32 = 100_000;
/// Elements of a file that are looked at in the search for its rounds, and how deep.
const MAX_ELEMENTS: usize = 4_096;
const MAX_DEPTH: usize = 24;

/// Makes a file: AES-256-CBC under PBKDF2 with HMAC-SHA-256, and an HMAC-SHA-256 over all. Its salts come from the
/// library.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for a password or name with a zero byte or not in UTF-8, or certificates that are none;
/// [`CryptoError::InvalidKey`] for a certificate of another key; [`CryptoError::TooLong`].
pub fn write_pkcs12(contents: &Pkcs12Contents, password: &Secret) -> Result<Secret, CryptoError> {
    let password = text(password)?;
    let read = |der: &Vec<u8>| {
        if der.len() > MAX_ENCODED_LEN {
            return Err(CryptoError::TooLong("the certificate"));
        }
        X509::from_der(der).or_refuse(CryptoError::InvalidInput("the certificate cannot be read"))
    };
    if contents.chain.len() > MAX_CHAIN_LEN {
        return Err(CryptoError::TooLong("the chain"));
    }
    let mut builder = Pkcs12::builder();
    builder.pkey(contents.key.pkey());
    if let Some(name) = &contents.friendly_name {
        if name.contains('\0') {
            return Err(CryptoError::InvalidInput("the friendly name holds a zero byte"));
        }
        builder.name(name);
    }
    if let Some(certificate) = &contents.certificate {
        builder.cert(&*read(certificate)?);
    }
    if !contents.chain.is_empty() {
        let mut chain = Stack::new().or_library("PKCS#12")?;
        for certificate in &contents.chain {
            chain.push(read(certificate)?).or_library("PKCS#12")?;
        }
        builder.ca(chain);
    }
    builder
        .key_algorithm(Nid::AES_256_CBC)
        .cert_algorithm(Nid::AES_256_CBC)
        .key_iter(ITERATIONS)
        .mac_iter(ITERATIONS)
        .mac_md(MessageDigest::sha256());
    let file = builder.build2(password).or_refuse(CryptoError::InvalidKey("the certificate is of another key"))?;
    Ok(Secret::new(file.to_der().or_library("PKCS#12")?))
}

/// Reads a file.
///
/// # Errors
/// [`CryptoError::Authentication`] for a wrong password or a changed file; [`CryptoError::InvalidInput`] for what is no
/// PKCS#12 file or holds no private key; [`CryptoError::TooLong`] for a file that asks for more than
/// [`MAX_PKCS12_ITERATIONS`].
pub fn read_pkcs12(file: &Secret, password: &Secret) -> Result<Pkcs12Contents, CryptoError> {
    let password = text(password)?;
    let der = file.expose();
    if der.len() > MAX_ENCODED_LEN {
        return Err(CryptoError::TooLong("the PKCS#12 file"));
    }
    let broken = CryptoError::InvalidInput("it is no PKCS#12 file");
    if crate::der::element_len(der) != Some(der.len()) {
        return Err(broken);
    }
    check_iterations(Elements::new(der), 0, &mut 0)?;
    with_legacy();
    let parsed = Pkcs12::from_der(der).or_refuse(broken)?.parse2(password).or_refuse(CryptoError::Authentication)?;
    let key = PrivateKey::new(parsed.pkey.ok_or(CryptoError::InvalidInput("it holds no private key"))?)?;
    let mut chain = Vec::new();
    if let Some(certificates) = &parsed.ca {
        if certificates.len() > MAX_CHAIN_LEN {
            return Err(CryptoError::TooLong("the chain"));
        }
        for certificate in certificates {
            chain.push(certificate.to_der().or_library("PKCS#12")?);
        }
    }
    let friendly_name = parsed
        .cert
        .as_ref()
        .and_then(|certificate| certificate.alias())
        .and_then(|name| String::from_utf8(name.to_vec()).ok());
    let certificate = parsed.cert.map(|certificate| certificate.to_der()).transpose().or_library("PKCS#12")?;
    Ok(Pkcs12Contents { key, certificate, chain, friendly_name })
}

fn text(password: &Secret) -> Result<&str, CryptoError> {
    let refused = CryptoError::InvalidInput("the password is not text");
    match std::str::from_utf8(password.expose()) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(refused),
    }
}

/// Refuses a file that would keep us busy: wherever an OCTET STRING, the salt, is followed by an INTEGER, that is a
/// number of rounds. What is itself encrypted cannot be looked into; whoever made it knows the password.
fn check_iterations(mut elements: Elements<'_>, depth: usize, seen: &mut usize) -> Result<(), CryptoError> {
    let mut salt = false;
    while let Some(element) = elements.next() {
        *seen += 1;
        if *seen > MAX_ELEMENTS || depth > MAX_DEPTH {
            return Err(CryptoError::TooLong("the PKCS#12 file"));
        }
        if salt && element.tag == tag::INTEGER && rounds(&element).is_none_or(|rounds| rounds > MAX_PKCS12_ITERATIONS) {
            return Err(CryptoError::TooLong("the rounds of the PKCS#12 file"));
        }
        salt = element.tag == tag::OCTET_STRING;
        let is_constructed = element.tag & 0x20 != 0;
        if is_constructed || looks_like_der(&element) {
            check_iterations(element.inside(), depth + 1, seen)?;
        }
    }
    Ok(())
}

fn rounds(element: &Element<'_>) -> Option<u32> {
    let digits = element.contents;
    if digits.len() > 5 {
        return None;
    }
    u32::try_from(digits.iter().fold(0u64, |rounds, digit| rounds << 8 | u64::from(*digit))).ok()
}

/// An OCTET STRING that holds one element is the envelope of more.
fn looks_like_der(element: &Element<'_>) -> bool {
    element.tag == tag::OCTET_STRING && crate::der::element_len(element.contents) == Some(element.contents.len())
}

#[cfg(test)]
mod tests {
    use kmip::registry::{KeyFormatType, RecommendedCurve};

    use super::*;
    use crate::key::{KeyKind, random_len};
    use crate::x509::{CertificateProfile, issue, parse_certificate};

    fn key(fill: u8) -> PrivateKey {
        let curve = Some(RecommendedCurve::P256);
        let random = Secret::new(vec![fill; random_len(KeyKind::Ec, curve).unwrap()]);
        PrivateKey::generate(KeyKind::Ec, curve, &random).unwrap()
    }

    fn certificate(of: &PrivateKey) -> Vec<u8> {
        let profile = CertificateProfile {
            subject: hex::decode("300f310d300b06035504030c0474657374").unwrap(),
            public_key: of.public_key().unwrap().to_encoded(KeyFormatType::X509).unwrap(),
            serial: vec![1],
            not_before: 1_700_000_000,
            not_after: 1_800_000_000,
            subject_alternative_names: Vec::new(),
            usage: None,
            is_ca: false,
        };
        issue(&profile, None, of).unwrap()
    }

    fn contents() -> Pkcs12Contents {
        let key = key(1);
        let certificate = Some(certificate(&key));
        let chain = vec![super::tests::certificate(&super::tests::key(2))];
        Pkcs12Contents { key, certificate, chain, friendly_name: Some("alias".to_owned()) }
    }

    #[test]
    fn a_file_comes_back_with_its_password_only() {
        let contents = contents();
        let password = Secret::copy_from("pässword".as_bytes());
        let file = write_pkcs12(&contents, &password).unwrap();
        let back = read_pkcs12(&file, &password).unwrap();
        assert_eq!(
            back.key.to_encoded(KeyFormatType::Pkcs8).unwrap(),
            contents.key.to_encoded(KeyFormatType::Pkcs8).unwrap()
        );
        assert_eq!(back.certificate, contents.certificate);
        assert_eq!(back.chain, contents.chain);
        assert_eq!(back.friendly_name, contents.friendly_name);
        assert!(parse_certificate(&back.chain[0]).is_ok());
        let wrong = Secret::copy_from(b"password");
        assert_eq!(read_pkcs12(&file, &wrong).unwrap_err(), CryptoError::Authentication);
    }

    #[test]
    fn a_changed_file_is_refused() {
        let password = Secret::copy_from(b"password");
        let file = write_pkcs12(&contents(), &password).unwrap();
        let mut changed = file.expose().to_vec();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        assert!(read_pkcs12(&Secret::new(changed), &password).is_err());
        let cut = Secret::copy_from(&file.expose()[..at]);
        assert!(read_pkcs12(&cut, &password).is_err());
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let mut contents = contents();
        contents.certificate = contents.chain.pop();
        assert!(matches!(write_pkcs12(&contents, &Secret::copy_from(b"password")), Err(CryptoError::InvalidKey(_))));
    }

    #[test]
    fn a_file_that_asks_for_too_many_rounds_is_refused_before_anything_is_computed() {
        let password = Secret::copy_from(b"password");
        let file = write_pkcs12(&contents(), &password).unwrap();
        // The MAC's rounds are the last element: 02 03 01 86 a0.
        let mut patient = file.expose().to_vec();
        let at = patient.len() - 3;
        assert_eq!(patient[at..], [0x01, 0x86, 0xa0]);
        patient[at] = 0x7f;
        let refused = read_pkcs12(&Secret::new(patient), &password).unwrap_err();
        assert_eq!(refused, CryptoError::TooLong("the rounds of the PKCS#12 file"));
    }

    #[test]
    fn passwords_that_the_library_would_cut_are_refused() {
        for password in [&b"pass\0word"[..], b"\xff\xfe"] {
            let refused = write_pkcs12(&contents(), &Secret::copy_from(password)).unwrap_err();
            assert!(matches!(refused, CryptoError::InvalidInput(_)));
        }
    }
}
