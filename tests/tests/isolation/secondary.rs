//! Identifiers beside the first one: keys that wrap, authenticate and check, further sources and parts, links that are
//! followed. A foreign one is as absent there as everywhere else.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, Link};
use kmip::message::{Outcome as Answer, RequestMessage};
use kmip::object::{
    Certificate, EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification,
    MacSignatureKeyInformation, ManagedObject, PrivateKey, SecretData, SplitKey, SymmetricKey,
};
use kmip::payload::{
    CertifyRequest, DerivationParameters, DeriveKeyRequest, ExportRequest, GetRequest, ImportRequest,
    JoinSplitKeyRequest, ReCertifyRequest, ReKeyKeyPairRequest, RegisterRequest, RequestPayload,
};
use kmip::registry::{
    BlockCipherMode, CertificateType, CryptographicAlgorithm as A, DerivationMethod, EncodingOption, HashingAlgorithm,
    KeyFormatType, KeyWrapType, LinkType, ObjectType, SecretDataType, SplitKeyMethod, UsageMask, WrappingMethod,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use uuid::Uuid;

use crate::{ask, outcomes};

const PKCS12: &[u8] = include_bytes!("../../vectors/attributes/friendly.pfx");
/// The password of that file.
const PASSWORD: &[u8] = b"password";
const AES_BITS: i32 = 128;

/// What one client has; each row has a secondary identifier that is one of them.
struct Own {
    /// An AES key to be wrapped, or to be derived from.
    key: String,
    kek: String,
    /// An HMAC key that makes and checks codes.
    mac: String,
    /// Secret Data that is the data of a derivation, and the password of a file.
    secret: String,
    /// Two parts of a key.
    parts: [String; 2],
    /// The halves of a pair, and the certificate of the public one.
    pair: [String; 2],
    certificate: (String, Vec<u8>),
}

fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

pub(crate) fn symmetric(algorithm: A, mask: UsageMask) -> RegisterRequest {
    let key_block = KeyBlock::raw(Secret::copy_from(&[0x42; 16]), algorithm, AES_BITS);
    RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block }), active(mask))
}

pub(crate) fn part(number: i32) -> RegisterRequest {
    let object = ManagedObject::SplitKey(Box::new(SplitKey {
        parts: 2,
        part_identifier: number,
        threshold: 2,
        method: SplitKeyMethod::Xor,
        prime_field_size: None,
        key_block: KeyBlock::raw(Secret::new(vec![u8::try_from(number).unwrap(); 16]), A::Aes, AES_BITS),
    }));
    RegisterRequest::new(object, active(UsageMask::ENCRYPT))
}

impl Own {
    fn prepare(client: &mut Connection, version: ProtocolVersion) -> Self {
        let mut registered = |request: RegisterRequest| client.request(version, request).unwrap().unique_identifier;
        let codes = UsageMask::MAC_GENERATE.union(UsageMask::MAC_VERIFY);
        let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(PASSWORD));
        let secret = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
        let key = registered(symmetric(A::Aes, UsageMask::DERIVE_KEY));
        let kek = registered(symmetric(A::Aes, UsageMask::WRAP_KEY.union(UsageMask::UNWRAP_KEY)));
        let mac = registered(symmetric(A::HmacSha256, codes));
        let secret = registered(RegisterRequest::new(secret, active(UsageMask::DERIVE_KEY)));
        let parts = [registered(part(1)), registered(part(2))];
        let halves =
            client.request(version, asking::p256_pair(vec![AttributeValue::ActivationDate(DateTime(1))])).unwrap();
        let pair = [halves.private_key_unique_identifier, halves.public_key_unique_identifier];
        let certify = CertifyRequest { unique_identifier: Some(pair[1].as_str().into()), ..Default::default() };
        let certificate = client.request(version, certify).unwrap().unique_identifier;
        let got = client.request(version, GetRequest::of(&certificate)).unwrap().object;
        let ManagedObject::Certificate(Certificate { value, .. }) = got else { panic!("{got:?}") };
        Self { key, kek, mac, secret, parts, pair, certificate: (certificate, value) }
    }
}

fn mode() -> Option<Box<CryptographicParameters>> {
    let block_cipher_mode = Some(BlockCipherMode::NistKeyWrap);
    Some(Box::new(CryptographicParameters { block_cipher_mode, ..Default::default() }))
}

fn sha256() -> Option<Box<CryptographicParameters>> {
    let hashing_algorithm = Some(HashingAlgorithm::Sha256);
    Some(Box::new(CryptographicParameters { hashing_algorithm, ..Default::default() }))
}

fn encryption(id: &str) -> Option<EncryptionKeyInformation> {
    Some(EncryptionKeyInformation { unique_identifier: id.to_owned(), cryptographic_parameters: mode() })
}

fn authentication(id: Option<&str>) -> Option<MacSignatureKeyInformation> {
    id.map(|id| MacSignatureKeyInformation { unique_identifier: id.to_owned(), cryptographic_parameters: sha256() })
}

fn specification(kek: &str, mac: Option<&str>) -> Option<Box<KeyWrappingSpecification>> {
    Some(Box::new(KeyWrappingSpecification {
        wrapping_method: if mac.is_some() { WrappingMethod::EncryptThenMacSign } else { WrappingMethod::Encrypt },
        encryption_key_information: encryption(kek),
        mac_signature_key_information: authentication(mac),
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    }))
}

/// A key that came wrapped under the client's own keys, saying that it was these.
fn wrapped(client: &mut Connection, version: ProtocolVersion, own: &Own, says: (&str, Option<&str>)) -> ManagedObject {
    let (kek, mac) = says;
    let key_wrapping_specification = specification(&own.kek, mac.map(|_| own.mac.as_str()));
    let get = GetRequest { key_wrapping_specification, ..GetRequest::of(&own.key) };
    let mut object = client.request(version, get).unwrap().object;
    let data: &mut KeyWrappingData = object.key_block_mut().unwrap().wrapping.as_mut().unwrap();
    data.encryption_key_information = encryption(kek);
    data.mac_signature_key_information = authentication(mac);
    assert!(matches!(object.key_block().unwrap().value, Some(KeyValue::Wrapped(_))));
    object
}

fn linked(link_type: LinkType, to: &str) -> AttributeValue {
    AttributeValue::Link(Link { link_type, linked_object_identifier: to.into() })
}

/// Where a secondary identifier stands, what of the client's own belongs there, and the request that has it. What has to
/// be registered before is registered by `client`, and found by an identifier of its own.
struct Place {
    what: &'static str,
    own: fn(&Own) -> String,
    request: fn(&mut Connection, ProtocolVersion, &Own, &str) -> RequestPayload,
}

const fn place(
    what: &'static str,
    own: fn(&Own) -> String,
    request: fn(&mut Connection, ProtocolVersion, &Own, &str) -> RequestPayload,
) -> Place {
    Place { what, own, request }
}

const PLACES: &[Place] = &[
    place(
        "Get: the wrapping key",
        |own| own.kek.clone(),
        |_, _, own, id| {
            GetRequest { key_wrapping_specification: specification(id, None), ..GetRequest::of(&own.key) }.into()
        },
    ),
    place(
        "Get: the key of a code",
        |own| own.mac.clone(),
        |_, _, own, id| {
            GetRequest { key_wrapping_specification: specification(&own.kek, Some(id)), ..GetRequest::of(&own.key) }
                .into()
        },
    ),
    place(
        "Export: the wrapping key",
        |own| own.kek.clone(),
        |_, _, own, id| {
            ExportRequest {
                unique_identifier: Some(own.key.as_str().into()),
                key_wrapping_specification: specification(id, None),
                ..Default::default()
            }
            .into()
        },
    ),
    place(
        "Register, then Get: the wrapping key",
        |own| own.kek.clone(),
        |client, version, own, id| of_registered(client, version, own, (id, None)),
    ),
    place(
        "Register, then Get: the key of a code",
        |own| own.mac.clone(),
        |client, version, own, id| of_registered(client, version, own, (&own.kek, Some(id))),
    ),
    place(
        "Import: the wrapping key",
        |own| own.kek.clone(),
        |client, version, own, id| imported(wrapped(client, version, own, (id, None))),
    ),
    place(
        "Import: the key of a code",
        |own| own.mac.clone(),
        |client, version, own, id| imported(wrapped(client, version, own, (&own.kek, Some(id)))),
    ),
    place(
        "Derive Key: the second source",
        |own| own.secret.clone(),
        |_, _, own, id| {
            DeriveKeyRequest {
                object_type: ObjectType::SecretData,
                unique_identifiers: vec![own.key.as_str().into(), id.into()],
                derivation_method: DerivationMethod::Hmac,
                derivation_parameters: DerivationParameters {
                    cryptographic_parameters: sha256(),
                    ..DerivationParameters::default()
                },
                template_attribute: vec![AttributeValue::CryptographicLength(256)].into(),
            }
            .into()
        },
    ),
    place(
        "Join Split Key: a later part",
        |own| own.parts[1].clone(),
        |_, _, own, id| {
            JoinSplitKeyRequest {
                object_type: ObjectType::SymmetricKey,
                unique_identifiers: vec![own.parts[0].as_str().into(), id.into()],
                secret_data_type: None,
                template_attribute: None,
                protection_storage_masks: None,
            }
            .into()
        },
    ),
    place(
        "Register of PKCS#12: the link to the password",
        |own| own.secret.clone(),
        |_, _, _, id| {
            let material = KeyMaterial::Bytes(Secret::copy_from(PKCS12));
            let key_block = KeyBlock::new(KeyFormatType::Pkcs12, material, None, None);
            let mut attributes = active(UsageMask::SIGN);
            attributes.push(linked(LinkType::Pkcs12PasswordLink, id));
            RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), attributes).into()
        },
    ),
    place(
        "Re-certify: the certificate's link to its public key",
        |own| own.pair[1].clone(),
        |client, version, own, id| {
            let value = own.certificate.1.clone();
            let object = ManagedObject::Certificate(Certificate { certificate_type: CertificateType::X509, value });
            let attributes = vec![linked(LinkType::PublicKeyLink, id), AttributeValue::ActivationDate(DateTime(1))];
            let certificate =
                client.request(version, RegisterRequest::new(object, attributes)).unwrap().unique_identifier;
            ReCertifyRequest { unique_identifier: Some(certificate.as_str().into()), ..Default::default() }.into()
        },
    ),
    place(
        "Re-key Key Pair: the private key's link to its public key",
        |own| own.pair[1].clone(),
        |client, version, own, id| {
            let object = client.request(version, GetRequest::of(&own.pair[0])).unwrap().object;
            let mut attributes = active(UsageMask::SIGN);
            attributes.push(linked(LinkType::PublicKeyLink, id));
            let private = client.request(version, RegisterRequest::new(object, attributes)).unwrap().unique_identifier;
            ReKeyKeyPairRequest { private_key_unique_identifier: Some(private.as_str().into()), ..Default::default() }
                .into()
        },
    ),
];

fn of_registered(
    client: &mut Connection,
    version: ProtocolVersion,
    own: &Own,
    says: (&str, Option<&str>),
) -> RequestPayload {
    let object = wrapped(client, version, own, says);
    let kept = client.request(version, RegisterRequest::new(object, active(UsageMask::ENCRYPT))).unwrap();
    let key_wrap_type = Some(KeyWrapType::NotWrapped);
    GetRequest { key_wrap_type, ..GetRequest::of(&kept.unique_identifier) }.into()
}

fn imported(object: ManagedObject) -> RequestPayload {
    ImportRequest {
        unique_identifier: Uuid::now_v7().to_string(),
        object_type: Some(ObjectType::SymmetricKey),
        replace_existing: None,
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        attributes: active(UsageMask::ENCRYPT).into_iter().map(Attribute::new).collect(),
        object,
    }
    .into()
}

#[test]
fn a_foreign_key_is_absent_wherever_else_a_request_or_a_link_names_one() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let (mut owners, mut asks) = (node.connect(&owner.identity).unwrap(), node.connect(&asker.identity).unwrap());
    for version in [ProtocolVersion::V1_4, ProtocolVersion::V2_1] {
        let foreign = Own::prepare(&mut owners, version);
        for Place { what, own, request } in PLACES {
            let mine = Own::prepare(&mut asks, version);
            let mut answer = |id: &str| {
                let payload = request(&mut asks, version, &mine, id);
                let answer = ask(&mut asks, &RequestMessage::single(version, payload));
                assert!(!answer.windows(id.len()).any(|window| window == id.as_bytes()) || id == own(&mine), "{what}");
                answer
            };
            let to_foreign = answer(&own(&foreign));
            let refused = outcomes(&to_foreign).pop().unwrap();
            assert!(matches!(refused, Answer::Failure { .. }), "{what}, {version}: {refused:?}");
            for absent in [Uuid::now_v7().to_string(), "misspelt".to_owned()] {
                assert_eq!(answer(&absent), to_foreign, "{what}, {version}: {absent} and a foreign key differ");
            }
            // With the client's own it works, so that it was the identifier and nothing else.
            let to_own = outcomes(&answer(&own(&mine))).pop().unwrap();
            assert!(matches!(to_own, Answer::Success(_)), "{what}, {version}: {to_own:?}");
        }
    }
}
