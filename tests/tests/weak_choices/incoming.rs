//! Weak keys that somebody else made, by each way on which a key comes in.

use kmip::attribute::{Attribute, AttributeValue, CryptographicDomainParameters, Link};
use kmip::object::{
    Certificate, CertificateRequest, KeyBlock, KeyMaterial, ManagedObject, PrivateKey, PublicKey, SecretData, SplitKey,
    SymmetricKey,
};
use kmip::payload::{
    CertifyRequest, ImportRequest, JoinSplitKeyRequest, ReCertifyRequest, RegisterRequest, RequestPayload,
};
use kmip::registry::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm as A, KeyFormatType, LinkType, ObjectType,
    RecommendedCurve, SecretDataType, SplitKeyMethod, UsageMask,
};
use secret::Secret;
use system_tests::node::Connection;

use crate::{Objects, V2_1, active};

const RSA_1024: &[u8] = include_bytes!("../../vectors/weak/rsa-1024.pkcs8");
const RSA_1024_REQUEST: &[u8] = include_bytes!("../../vectors/weak/rsa-1024.pkcs10");
const RSA_1024_CERTIFICATE: &[u8] = include_bytes!("../../vectors/weak/rsa-1024.x509");
const RSA_1024_FILE: &[u8] = include_bytes!("../../vectors/weak/rsa-1024.pkcs12");
const RSA_EXPONENT_3: &[u8] = include_bytes!("../../vectors/weak/rsa-exponent-3.spki");
const SECP256K1: &[u8] = include_bytes!("../../vectors/weak/secp256k1.spki");

/// What the refusal of each of them says.
const SHORT_MODULUS: &str = "the domain's policy excludes RSA keys of 1024 bits";
const FALSE_LENGTH: &str = "cryptographic length is not that of the key material";
const EXPONENT: &str = "the domain's policy excludes RSA keys with a public exponent of 2 bits";
const CURVE: &str = "the domain's policy excludes keys on SECP256K1";

fn register(object: ManagedObject, mask: UsageMask) -> RequestPayload {
    RegisterRequest::new(object, active(mask)).into()
}

fn import(object: ManagedObject, mask: UsageMask) -> RequestPayload {
    ImportRequest {
        unique_identifier: uuid::Uuid::now_v7().to_string(),
        object_type: Some(object.object_type()),
        replace_existing: None,
        key_wrap_type: None,
        attributes: active(mask).into_iter().map(Attribute::new).collect(),
        object,
    }
    .into()
}

fn block(format: KeyFormatType, bytes: &[u8], says: Option<(A, i32)>) -> KeyBlock {
    let (algorithm, length) = says.unzip();
    KeyBlock::new(format, KeyMaterial::Bytes(Secret::copy_from(bytes)), algorithm, length)
}

fn private(says: Option<(A, i32)>) -> ManagedObject {
    ManagedObject::PrivateKey(PrivateKey { key_block: block(KeyFormatType::Pkcs8, RSA_1024, says) })
}

fn public(info: &[u8], says: Option<(A, i32)>) -> ManagedObject {
    ManagedObject::PublicKey(PublicKey { key_block: block(KeyFormatType::X509, info, says) })
}

fn symmetric(algorithm: A, bytes: &[u8], bits: i32) -> ManagedObject {
    ManagedObject::SymmetricKey(SymmetricKey { key_block: KeyBlock::raw(Secret::copy_from(bytes), algorithm, bits) })
}

/// The part of this number of two, which give the key by exclusive or.
fn part(number: i32, bytes: &[u8], format: KeyFormatType, says: Option<(A, i32)>) -> ManagedObject {
    ManagedObject::SplitKey(Box::new(SplitKey {
        parts: 2,
        part_identifier: number,
        threshold: 2,
        method: SplitKeyMethod::Xor,
        prime_field_size: None,
        key_block: block(format, bytes, says),
    }))
}

/// Both parts of `key`, registered with nothing said of the key itself.
fn parts(client: &mut Connection, key: &[u8], format: KeyFormatType) -> Vec<kmip::attribute::Identifier> {
    const PAD: u8 = 0x3c;
    let (pad, rest) = (vec![PAD; key.len()], key.iter().map(|byte| byte ^ PAD).collect::<Vec<u8>>());
    let mut registered = |number, bytes: &[u8]| {
        let request = RegisterRequest::new(part(number, bytes, format, None), active(UsageMask::SIGN));
        client.request(V2_1, request).unwrap().unique_identifier
    };
    [registered(1, &pad), registered(2, &rest)].iter().map(|id| id.as_str().into()).collect()
}

fn join(
    object_type: ObjectType,
    unique_identifiers: Vec<kmip::attribute::Identifier>,
    says: Option<(A, i32)>,
) -> RequestPayload {
    let mut attributes = active(UsageMask::SIGN);
    if let Some((algorithm, length)) = says {
        attributes.push(AttributeValue::CryptographicAlgorithm(algorithm));
        attributes.push(AttributeValue::CryptographicLength(length));
    }
    JoinSplitKeyRequest {
        object_type,
        unique_identifiers,
        secret_data_type: None,
        template_attribute: Some(attributes.into()),
        protection_storage_masks: None,
    }
    .into()
}

/// A PKCS#12 file, whose password is registered first.
fn file(client: &mut Connection) -> RequestPayload {
    let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(b"weak"));
    let secret = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
    let password = client.request(V2_1, RegisterRequest::new(secret, active(UsageMask(0)))).unwrap();
    let key_block = block(KeyFormatType::Pkcs12, RSA_1024_FILE, None);
    let mut attributes = active(UsageMask::SIGN);
    attributes.push(AttributeValue::Link(Link {
        link_type: LinkType::Pkcs12PasswordLink,
        linked_object_identifier: password.unique_identifier.as_str().into(),
    }));
    RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), attributes).into()
}

/// A raw scalar on a curve that is said beside it.
fn raw_on_a_curve() -> RequestPayload {
    let key_block = block(KeyFormatType::Raw, &[0x21; 32], Some((A::Ec, 256)));
    let mut attributes = active(UsageMask::SIGN);
    attributes.push(AttributeValue::CryptographicDomainParameters(CryptographicDomainParameters {
        qlength: None,
        recommended_curve: Some(RecommendedCurve::Secp256k1),
    }));
    RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), attributes).into()
}

/// Each way in with a weak key on it, and the reason that has to be in the refusal.
pub(crate) fn choices(client: &mut Connection, of: &Objects) -> Vec<(RequestPayload, &'static str)> {
    let certificate = || {
        let value = RSA_1024_CERTIFICATE.to_vec();
        ManagedObject::Certificate(Certificate { certificate_type: CertificateType::X509, value })
    };
    let request = ManagedObject::CertificateRequest(CertificateRequest {
        certificate_request_type: CertificateRequestType::Pkcs10,
        value: RSA_1024_REQUEST.to_vec(),
    });
    let certify = CertifyRequest {
        certificate_request_type: Some(CertificateRequestType::Pkcs10),
        certificate_request: Some(RSA_1024_REQUEST.to_vec()),
        ..Default::default()
    };
    let certified = CertifyRequest { unique_identifier: Some(of.public.as_str().into()), ..Default::default() };
    let certified = client.request(V2_1, certified).unwrap().unique_identifier;
    let re_certify = ReCertifyRequest {
        unique_identifier: Some(certified.as_str().into()),
        certificate_request_type: Some(CertificateRequestType::Pkcs10),
        certificate_request: Some(RSA_1024_REQUEST.to_vec()),
        ..Default::default()
    };
    let halves = parts(client, RSA_1024, KeyFormatType::Pkcs8);
    let bytes = parts(client, &[0x77; 8], KeyFormatType::Raw);
    let none = UsageMask(0);
    let (sign, mac) = (UsageMask::SIGN, UsageMask::MAC_GENERATE);
    vec![
        (register(private(None), sign), SHORT_MODULUS),
        (register(private(Some((A::Rsa, 4096))), sign), SHORT_MODULUS),
        (register(public(SECP256K1, None), UsageMask::VERIFY), CURVE),
        (register(public(RSA_EXPONENT_3, None), UsageMask::VERIFY), EXPONENT),
        (raw_on_a_curve(), CURVE),
        (register(symmetric(A::Aes, &[5; 8], 256), none), FALSE_LENGTH),
        (register(certificate(), UsageMask::VERIFY), SHORT_MODULUS),
        (register(request, none), SHORT_MODULUS),
        (file(client), SHORT_MODULUS),
        (import(private(None), sign), SHORT_MODULUS),
        (import(private(Some((A::Rsa, 4096))), sign), SHORT_MODULUS),
        (import(public(SECP256K1, None), UsageMask::VERIFY), CURVE),
        (import(symmetric(A::HmacSha256, &[5; 8], 256), mac), FALSE_LENGTH),
        (import(certificate(), UsageMask::VERIFY), SHORT_MODULUS),
        (import(part(1, &[5; 24], KeyFormatType::Raw, Some((A::TripleDes, 168))), none), "policy excludes 3DES"),
        (
            register(part(1, &[5; 24], KeyFormatType::Raw, Some((A::TripleDes, 168))), none),
            "the domain's policy excludes 3DES",
        ),
        (register(part(1, &[5; 8], KeyFormatType::Raw, Some((A::HmacSha256, 256))), none), FALSE_LENGTH),
        (
            register(
                part(1, &[5; 32], KeyFormatType::Raw, Some((A::Aes, 256))),
                UsageMask::WRAP_KEY.union(UsageMask::DECRYPT),
            ),
            "the domain's policy excludes Wrap Key and Decrypt on one key",
        ),
        (join(ObjectType::PrivateKey, halves.clone(), None), SHORT_MODULUS),
        (join(ObjectType::PrivateKey, halves, Some((A::Rsa, 4096))), SHORT_MODULUS),
        (join(ObjectType::SymmetricKey, bytes, Some((A::HmacSha256, 256))), FALSE_LENGTH),
        (certify.into(), SHORT_MODULUS),
        (re_certify.into(), SHORT_MODULUS),
    ]
}
