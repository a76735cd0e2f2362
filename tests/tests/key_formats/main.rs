//! Every key format type of every object that has a Key Block, on a running server: it is registered, comes back byte for
//! byte, comes in every other format that it has and in no other, and is used. KMIP 1.4 §9.1.3.2.3, §4.3, §4.11; 2.1
//! §11.22, §6.1.19, §6.1.43.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod forms;
mod keys;
mod nonsense;

use keys::Key;
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::message::SUPPORTED_VERSIONS;
use kmip::object::ManagedObject;
use kmip::payload::{
    Data, DerivationParameters, DeriveKeyRequest, EncryptRequest, GetRequest, SignRequest, SignatureVerifyRequest,
};
use kmip::registry::{
    BlockCipherMode, DerivationMethod, DigitalSignatureAlgorithm, HashingAlgorithm, KeyFormatType as Format,
    ObjectType, PaddingMethod, ResultReason, ValidityIndicator,
};
use kmip::ttlv::Wire;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
/// What is signed.
const TEXT: &[u8] = b"Test";

/// The newest version that has the format.
pub(crate) fn newest_of(format: Format) -> ProtocolVersion {
    if format.known_in(V2_1) { V2_1 } else { V1_4 }
}

/// A Get in `format`, or in the one that the server chooses.
pub(crate) fn get(
    client: &mut Connection,
    version: ProtocolVersion,
    id: &str,
    format: Option<Format>,
) -> Result<ManagedObject, ResultReason> {
    let request = GetRequest { key_format_type: format, ..GetRequest::of(id) };
    client.request(version, request).map(|got| got.object).map_err(|error| error.reason().unwrap())
}

/// The format in which a version tells a key that was registered in `format`; before 1.3 and since 2.0 the Transparent
/// formats of elliptic curves have other names.
pub(crate) fn told_as(format: Format, version: ProtocolVersion) -> Option<Format> {
    let other = match format {
        Format::TransparentEcPrivateKey => Format::TransparentEcdsaPrivateKey,
        Format::TransparentEcPublicKey => Format::TransparentEcdsaPublicKey,
        Format::TransparentEcdsaPrivateKey | Format::TransparentEcdhPrivateKey | Format::TransparentEcmqvPrivateKey => {
            Format::TransparentEcPrivateKey
        }
        Format::TransparentEcdsaPublicKey | Format::TransparentEcdhPublicKey | Format::TransparentEcmqvPublicKey => {
            Format::TransparentEcPublicKey
        }
        same => same,
    };
    [format, other].into_iter().find(|format| format.known_in(version))
}

/// The formats that the half of the key has.
fn formats(key: Key, half: ObjectType) -> Vec<Format> {
    Format::ALL.iter().copied().filter(|format| key.object(half, *format).is_some()).collect()
}

/// The object as a version tells it. An algorithm that it has no name for is left out where the key itself tells it;
/// otherwise the version cannot have the key.
fn in_words_of(version: ProtocolVersion, mut object: ManagedObject) -> Result<ManagedObject, ResultReason> {
    let block = object.key_block_mut().unwrap();
    if block.algorithm.is_some_and(|algorithm| !algorithm.known_in(version)) {
        if !matches!(block.format, Format::Pkcs8 | Format::X509) {
            return Err(ResultReason::FeatureNotSupported);
        }
        (block.algorithm, block.length) = (None, None);
    }
    Ok(object)
}

/// Registers a half in each of its formats, gets it in all formats there are and uses it. Tells what went wrong.
fn faults(client: &mut Connection, key: Key, half: ObjectType, versions: &[ProtocolVersion]) -> Vec<String> {
    let mut faults = Vec::new();
    let other = match half {
        ObjectType::PrivateKey => key.register(ObjectType::PublicKey, Format::X509),
        ObjectType::PublicKey => key.register(ObjectType::PrivateKey, Format::Pkcs8),
        _ => None,
    };
    let other = other.map(|request| client.request(V2_1, request).unwrap().unique_identifier);
    for own in formats(key, half) {
        let what = format!("{key:?} {} as {}", half.text(), own.text());
        let id = match client.request(newest_of(own), key.register(half, own).unwrap()) {
            Ok(made) => made.unique_identifier,
            Err(error) => {
                faults.push(format!("{what} is not registered: {error}"));
                continue;
            }
        };
        for version in versions {
            let asked = Format::ALL.iter().filter(|format| format.known_in(*version)).copied().map(Some);
            for asked in std::iter::once(None).chain(asked) {
                let wanted = match asked {
                    None => told_as(own, *version),
                    // Nobody linked a password, without which there is no file.
                    Some(Format::Pkcs12) if half == ObjectType::PrivateKey => continue,
                    asked => asked,
                };
                let expected = wanted.and_then(|format| key.object(half, format));
                let expected = expected.ok_or(ResultReason::KeyFormatTypeNotSupported);
                let got = get(client, *version, &id, asked);
                if got != expected.and_then(|object| in_words_of(*version, object)) {
                    faults.push(format!("{what}, asked for {asked:?} in {version}: {got:?}"));
                }
            }
        }
        if let Err(why) = works(client, key, half, &id, other.as_deref()) {
            faults.push(format!("{what}: {why}"));
        }
    }
    faults
}

/// How the key signs.
fn scheme(key: Key) -> Option<Box<CryptographicParameters>> {
    let named =
        |algorithm| CryptographicParameters { digital_signature_algorithm: Some(algorithm), ..Default::default() };
    Some(Box::new(match key {
        Key::P256 => named(DigitalSignatureAlgorithm::EcdsaWithSha256),
        Key::Dsa => named(DigitalSignatureAlgorithm::DsaWithSha256),
        Key::Rsa => CryptographicParameters {
            padding_method: Some(PaddingMethod::Pkcs1V1_5),
            hashing_algorithm: Some(HashingAlgorithm::Sha256),
            ..Default::default()
        },
        _ => return None,
    }))
}

fn data(bytes: &[u8]) -> Option<Data> {
    Some(Data::from(Secret::copy_from(bytes)))
}

fn holds(client: &mut Connection, key: Key, public: &str, signature: &[u8]) -> Result<(), String> {
    let request = SignatureVerifyRequest {
        unique_identifier: Some(public.into()),
        cryptographic_parameters: scheme(key),
        data: data(TEXT),
        signature_data: Some(signature.to_vec()),
        ..Default::default()
    };
    match client.request(V2_1, request).map_err(|error| error.to_string())?.validity_indicator {
        Some(ValidityIndicator::Valid) => Ok(()),
        other => Err(format!("its signature is {other:?}")),
    }
}

/// Uses the key, `other` being its other half, and holds what comes against what OpenSSL did with it.
fn works(client: &mut Connection, key: Key, half: ObjectType, id: &str, other: Option<&str>) -> Result<(), String> {
    let told = |error: kmip_client::Error| error.to_string();
    let made = match (key, half) {
        (Key::Aes, _) => {
            let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::Ecb), ..Default::default() };
            let request = EncryptRequest {
                unique_identifier: Some(id.into()),
                cryptographic_parameters: Some(Box::new(mode)),
                // FIPS 197 §C.3.
                data: data(&0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes()),
                ..Default::default()
            };
            client.request(V2_1, request).map_err(told)?.data.unwrap()
        }
        (Key::X25519 | Key::Dh, _) => {
            let pair = if half == ObjectType::PrivateKey { [id, other.unwrap()] } else { [other.unwrap(), id] };
            let bits = i32::try_from(key.known_answer().len() * 8).unwrap();
            let request = DeriveKeyRequest {
                object_type: ObjectType::SecretData,
                unique_identifiers: pair.into_iter().map(Into::into).collect(),
                derivation_method: DerivationMethod::AsymmetricKey,
                derivation_parameters: DerivationParameters::default(),
                template_attribute: vec![AttributeValue::CryptographicLength(bits)].into(),
            };
            let derived = client.request(V2_1, request).map_err(told)?.unique_identifier;
            let got = client.request(V2_1, GetRequest::of(derived.as_str())).map_err(told)?;
            asking::bytes(&got).unwrap().to_vec()
        }
        (_, ObjectType::PrivateKey) => {
            let request = SignRequest {
                unique_identifier: Some(id.into()),
                cryptographic_parameters: scheme(key),
                data: data(TEXT),
                ..Default::default()
            };
            let signature = client.request(V2_1, request).map_err(told)?.signature_data.unwrap();
            holds(client, key, other.unwrap(), &signature)?;
            // The others sign with chance.
            if !matches!(key, Key::Rsa | Key::Ed25519) {
                return Ok(());
            }
            signature
        }
        _ => return holds(client, key, id, key.known_answer()),
    };
    if made == key.known_answer() { Ok(()) } else { Err("it does not do what OpenSSL does with it".to_owned()) }
}

fn told(faults: &[String]) -> String {
    format!("{} faults:\n{}", faults.len(), faults.join("\n"))
}

#[test]
fn each_key_comes_in_every_format_that_it_has_and_in_no_other_and_works_whichever_it_came_in() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("formats", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut found = Vec::new();
    for key in Key::ALL {
        for half in key.object_types() {
            assert!(formats(key, *half).len() > 1, "{key:?}");
            found.extend(faults(&mut client, key, *half, &SUPPORTED_VERSIONS));
        }
    }
    assert!(found.is_empty(), "{}", told(&found));
}

#[test]
fn the_strict_policy_takes_strong_keys_in_every_format_too() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("formats", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut found = Vec::new();
    for key in [Key::Rsa, Key::P256, Key::Ed25519] {
        for half in key.object_types() {
            found.extend(faults(&mut client, key, *half, &[V1_4, V2_1]));
        }
    }
    assert!(found.is_empty(), "{}", told(&found));
}
