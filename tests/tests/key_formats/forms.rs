//! Key Compression Type and Key Wrap Type of Get, in each version that has them: the point of a public key in each form,
//! a key that came wrapped as it came and in clear. KMIP 1.4 §4.11, §9.1.3.2.2; 2.1 §6.1.19, §11.21, §11.24.

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::message::SUPPORTED_VERSIONS;
use kmip::object::{
    EcPublicKey, EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, ManagedObject,
};
use kmip::payload::{GetRequest, RegisterRequest};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm, EncodingOption, KeyCompressionType as Compression,
    KeyFormatType as Format, KeyWrapType, ObjectType, RecommendedCurve, ResultReason, UsageMask, WrappingMethod,
};
use kmip::ttlv::{DateTime, Wire};
use secret::Secret;
use system_tests::node::{Connection, Node};

use crate::V2_1;
use crate::keys::Key;

/// The key of RFC 3394 §4.1, the data that it wraps, and the result.
const KEK: &str = "000102030405060708090a0b0c0d0e0f";
const DATA: &str = "00112233445566778899aabbccddeeff";
const WRAPPED: &str = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";

fn bytes_of(object: &ManagedObject) -> Vec<u8> {
    match object.key_block().unwrap().material().unwrap() {
        KeyMaterial::Bytes(bytes) => bytes.expose().to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The point x, y in a form, as SEC 1 §2.3.3 writes it: the first octet tells the form and whether y is odd.
fn point(uncompressed: &[u8], form: Compression) -> Vec<u8> {
    let (x, y) = uncompressed[1..].split_at(32);
    let odd = y[31] & 1;
    match form {
        Compression::EcPublicKeyTypeUncompressed => uncompressed.to_vec(),
        Compression::EcPublicKeyTypeX9_62CompressedPrime | Compression::EcPublicKeyTypeX9_62CompressedChar2 => {
            [&[2 + odd], x].concat()
        }
        Compression::EcPublicKeyTypeX9_62Hybrid => [&[6 + odd], x, y].concat(),
    }
}

/// SubjectPublicKeyInfo of a point on P-256, all lengths of which fit one octet.
fn info(spki: &[u8], point: &[u8]) -> Vec<u8> {
    // SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING }: the algorithm is 21 octets.
    let algorithm = &spki[2..23];
    let octet = |len: usize| u8::try_from(len).unwrap();
    let bits = [&[3, octet(point.len() + 1), 0], point].concat();
    [&[0x30, octet(algorithm.len() + bits.len())], algorithm, &bits].concat()
}

/// The public key on P-256 in `format`, its point in the form.
fn expected(format: Format, form: Compression) -> ManagedObject {
    let plain = |format| bytes_of(&Key::P256.object(ObjectType::PublicKey, format).unwrap());
    let point = point(&plain(Format::Raw), form);
    let mut object = Key::P256.object(ObjectType::PublicKey, format).unwrap();
    let block = object.key_block_mut().unwrap();
    let material = match format {
        Format::X509 => KeyMaterial::Bytes(Secret::new(info(&plain(Format::X509), &point))),
        Format::Raw => KeyMaterial::Bytes(Secret::new(point)),
        _ => {
            let key = EcPublicKey { recommended_curve: RecommendedCurve::P256, q_string: point };
            KeyMaterial::TransparentEcPublic(Box::new(key))
        }
    };
    block.value = Some(KeyValue::Plain { material, attributes: Vec::new() });
    block.compression = Some(form);
    object
}

fn compressed(
    client: &mut Connection,
    version: ProtocolVersion,
    id: &str,
    form: Compression,
    format: Option<Format>,
) -> Result<ManagedObject, ResultReason> {
    let request = GetRequest { key_compression_type: Some(form), key_format_type: format, ..GetRequest::of(id) };
    client.request(version, request).map(|got| got.object).map_err(|error| error.reason().unwrap())
}

#[test]
fn a_point_comes_in_each_form_of_each_format_and_nothing_else_has_such_forms() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("points", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut register =
        |key: Key, half, format| client.request(V2_1, key.register(half, format).unwrap()).unwrap().unique_identifier;
    let id = register(Key::P256, ObjectType::PublicKey, Format::X509);
    let without_points = [
        register(Key::P256, ObjectType::PrivateKey, Format::Pkcs8),
        register(Key::Rsa, ObjectType::PublicKey, Format::X509),
        register(Key::Ed25519, ObjectType::PublicKey, Format::X509),
        register(Key::Aes, ObjectType::SymmetricKey, Format::Raw),
    ];
    for version in SUPPORTED_VERSIONS {
        for form in Compression::ALL {
            assert_eq!(
                compressed(&mut client, version, &id, *form, None),
                Ok(expected(Format::X509, *form)),
                "{version}"
            );
            let formats =
                [Format::X509, Format::Raw, Format::TransparentEcPublicKey, Format::TransparentEcdsaPublicKey];
            for format in formats.into_iter().filter(|format| format.known_in(version)) {
                let got = compressed(&mut client, version, &id, *form, Some(format));
                assert_eq!(got, Ok(expected(format, *form)), "{version}");
            }
            for other in &without_points {
                let refused = compressed(&mut client, version, other, *form, None).unwrap_err();
                assert_eq!(refused, ResultReason::KeyCompressionTypeNotSupported, "{version}");
            }
        }
    }
}

/// A key under [`KEK`], as somebody else wrapped it.
fn wrapped(kek: &str) -> ManagedObject {
    let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::NistKeyWrap), ..Default::default() };
    let key_block = KeyBlock {
        format: Format::Raw,
        compression: None,
        value: Some(KeyValue::Wrapped(Secret::new(hex::decode(WRAPPED).unwrap()))),
        algorithm: Some(CryptographicAlgorithm::Aes),
        length: Some(128),
        wrapping: Some(Box::new(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: kek.to_owned(),
                cryptographic_parameters: Some(Box::new(mode)),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        })),
    };
    ManagedObject::from_key_block(ObjectType::SymmetricKey, key_block).unwrap()
}

#[test]
fn a_key_that_came_wrapped_leaves_as_it_came_and_in_clear_where_that_is_asked_for() {
    let node = Node::start().unwrap();
    let tenant = node.tenant_allowed("wrapped", "legacy", Permission::ALL.to_vec(), None).unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let active = |mask| vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))];
    let raw = |hex_of_key: &str| {
        let key = Secret::new(hex::decode(hex_of_key).unwrap());
        let block = KeyBlock::raw(key, CryptographicAlgorithm::Aes, 128);
        ManagedObject::from_key_block(ObjectType::SymmetricKey, block).unwrap()
    };
    let unwraps = active(UsageMask::UNWRAP_KEY);
    let kek = client.request(V2_1, RegisterRequest::new(raw(KEK), unwraps)).unwrap().unique_identifier;
    let kept = RegisterRequest::new(wrapped(&kek), active(UsageMask::ENCRYPT));
    let kept = client.request(V2_1, kept).unwrap().unique_identifier;
    let clear = client.request(V2_1, RegisterRequest::new(raw(DATA), active(UsageMask::ENCRYPT)));
    let clear = clear.unwrap().unique_identifier;
    let mut get = |version, id: &str, key_wrap_type, key_format_type| {
        let request = GetRequest { key_wrap_type, key_format_type, ..GetRequest::of(id) };
        client.request(version, request).map(|got| got.object).map_err(|error| error.reason().unwrap())
    };
    for version in SUPPORTED_VERSIONS {
        // 1.0 has no Encoding Option: it could not say how the value is encoded.
        let as_it_came = if version == ProtocolVersion::V1_0 { Err(ResultReason::FeatureNotSupported) } else { Ok(()) };
        let expected = || as_it_came.map(|()| wrapped(&kek));
        assert_eq!(get(version, &kept, None, None), expected(), "{version}");
        if !KeyWrapType::NotWrapped.known_in(version) {
            continue;
        }
        assert_eq!(get(version, &kept, Some(KeyWrapType::AsRegistered), None), expected(), "{version}");
        assert_eq!(get(version, &kept, Some(KeyWrapType::NotWrapped), None), Ok(raw(DATA)), "{version}");
        for wrap_type in [KeyWrapType::AsRegistered, KeyWrapType::NotWrapped] {
            assert_eq!(get(version, &clear, Some(wrap_type), None), Ok(raw(DATA)), "{version}");
        }
        // In clear it can be framed in another way; wrapped it cannot.
        let framed = get(version, &kept, Some(KeyWrapType::NotWrapped), Some(Format::TransparentSymmetricKey)).unwrap();
        assert_eq!(framed.format(), Some(Format::TransparentSymmetricKey));
        let key = framed.key_block().unwrap().material().unwrap().secret().unwrap();
        assert_eq!(hex::encode(key.expose()), DATA);
        let refused = get(version, &kept, Some(KeyWrapType::AsRegistered), Some(Format::TransparentSymmetricKey));
        assert_eq!(refused, Err(ResultReason::KeyFormatTypeNotSupported), "{version}");
    }
}
