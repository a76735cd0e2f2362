//! Register depends on nobody liking a key: whatever is in it, each object type in each format comes back as it came.

use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::message::SUPPORTED_VERSIONS;
use kmip::object::{
    Certificate, CertificateRequest, DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey,
    KeyBlock, KeyMaterial, ManagedObject, OpaqueObject, PgpKey, RsaPrivateKey, RsaPublicKey, SecretData, SecretInteger,
    SplitKey,
};
use kmip::payload::RegisterRequest;
use kmip::registry::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, KeyFormatType as Format, ObjectType,
    OpaqueDataType, RecommendedCurve, ResultReason, SecretDataType, SplitKeyMethod, UsageMask,
};
use kmip::ttlv::{BigInteger, Wire};
use secret::Secret;
use system_tests::node::{Connection, Node};

use crate::{V2_1, get, newest_of, told, told_as};

/// No encoding of anything, as long as a key of 128 bits.
const NONSENSE: &[u8; 16] = b"nobody's own key";

/// Material that has the form of the format and is no key. Without a wildcard: a new format has to be said.
fn material(format: Format) -> KeyMaterial {
    use KeyMaterial as M;
    let bytes = || Secret::copy_from(NONSENSE);
    let number = || BigInteger::from_unsigned(&[8]);
    let secret = || SecretInteger::from_unsigned(&[6]);
    let (p, q, g, y) = (number(), number(), number(), number());
    match format {
        Format::Raw
        | Format::Opaque
        | Format::Pkcs1
        | Format::Pkcs8
        | Format::X509
        | Format::EcPrivateKey
        | Format::Pkcs12
        | Format::Pkcs10 => M::Bytes(bytes()),
        Format::TransparentSymmetricKey => M::TransparentSymmetric(bytes()),
        Format::TransparentDsaPrivateKey => M::TransparentDsaPrivate(Box::new(DsaPrivateKey { p, q, g, x: secret() })),
        Format::TransparentDsaPublicKey => M::TransparentDsaPublic(Box::new(DsaPublicKey { p, q, g, y })),
        Format::TransparentRsaPrivateKey => M::TransparentRsaPrivate(Box::new(RsaPrivateKey {
            modulus: number(),
            private_exponent: Some(secret()),
            public_exponent: None,
            p: None,
            q: Some(secret()),
            prime_exponent_p: None,
            prime_exponent_q: None,
            crt_coefficient: None,
        })),
        Format::TransparentRsaPublicKey => {
            M::TransparentRsaPublic(Box::new(RsaPublicKey { modulus: number(), public_exponent: number() }))
        }
        Format::TransparentDhPrivateKey => {
            M::TransparentDhPrivate(Box::new(DhPrivateKey { p, q: Some(q), g, j: None, x: secret() }))
        }
        Format::TransparentDhPublicKey => {
            M::TransparentDhPublic(Box::new(DhPublicKey { p, q: None, g, j: Some(number()), y }))
        }
        Format::TransparentEcPrivateKey
        | Format::TransparentEcdsaPrivateKey
        | Format::TransparentEcdhPrivateKey
        | Format::TransparentEcmqvPrivateKey => M::TransparentEcPrivate(Box::new(EcPrivateKey {
            recommended_curve: RecommendedCurve::K283,
            d: SecretInteger::from_unsigned(&[0; 3]),
        })),
        Format::TransparentEcPublicKey
        | Format::TransparentEcdsaPublicKey
        | Format::TransparentEcdhPublicKey
        | Format::TransparentEcmqvPublicKey => M::TransparentEcPublic(Box::new(EcPublicKey {
            recommended_curve: RecommendedCurve::P521,
            q_string: NONSENSE.to_vec(),
        })),
    }
}

/// An object of the type with that in it; `None` for types without Key Block.
fn object(object_type: ObjectType, format: Format) -> Option<ManagedObject> {
    use CryptographicAlgorithm as A;
    let block = |says: Option<(A, i32)>| {
        let (algorithm, length) = says.unzip();
        KeyBlock::new(format, material(format), algorithm, length)
    };
    let of_key = |says| ManagedObject::from_key_block(object_type, block(Some(says))).unwrap();
    Some(match object_type {
        ObjectType::SymmetricKey => of_key((A::Aes, 128)),
        ObjectType::PublicKey | ObjectType::PrivateKey => of_key((A::Rsa, 2048)),
        ObjectType::SplitKey => ManagedObject::SplitKey(Box::new(SplitKey {
            parts: 3,
            part_identifier: 2,
            threshold: 2,
            method: SplitKeyMethod::Xor,
            prime_field_size: None,
            key_block: block(Some((A::Aes, 128))),
        })),
        ObjectType::SecretData => {
            ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block: block(None) })
        }
        ObjectType::PgpKey => ManagedObject::PgpKey(PgpKey { version: 4, key_block: block(None) }),
        ObjectType::Certificate | ObjectType::CertificateRequest | ObjectType::OpaqueObject | ObjectType::Template => {
            return None;
        }
    })
}

/// The object as a version tells it, or why it does not.
fn as_told(object_type: ObjectType, format: Format, version: ProtocolVersion) -> Result<ManagedObject, ResultReason> {
    if !object_type.known_in(version) {
        return Err(ResultReason::FeatureNotSupported);
    }
    let mut told = object(object_type, format).unwrap();
    told.key_block_mut().unwrap().format = told_as(format, version).ok_or(ResultReason::KeyFormatTypeNotSupported)?;
    Ok(told)
}

/// Whether a conversion needs no more than another name: the framing of a symmetric key, the names of EC structures.
fn is_the_same(object_type: ObjectType, from: Format, to: Format) -> bool {
    const SYMMETRIC: [Format; 2] = [Format::Raw, Format::TransparentSymmetricKey];
    let is_framing = object_type == ObjectType::SymmetricKey && SYMMETRIC.contains(&from) && SYMMETRIC.contains(&to);
    is_framing || (!matches!(material(from), KeyMaterial::Bytes(_)) && material(from).fits(to))
}

/// Registers, gets in each version, asks for each other format.
fn faults(client: &mut Connection, object_type: ObjectType, format: Format, known: ManagedObject) -> Vec<String> {
    let what = format!("{} as {}", object_type.text(), format.text());
    let mask = AttributeValue::CryptographicUsageMask(UsageMask::EXPORT);
    let made = client.request(newest_of(format), RegisterRequest::new(known, vec![mask]));
    if format == Format::Pkcs12 {
        // The one format that is taken apart: of a private key, and with a password.
        return if made.is_err() { Vec::new() } else { vec![format!("{what} is registered")] };
    }
    let id = match made {
        Ok(made) => made.unique_identifier,
        Err(error) => return vec![format!("{what} is not registered: {error}")],
    };
    let mut faults = Vec::new();
    for version in SUPPORTED_VERSIONS {
        let (got, expected) = (get(client, version, &id, None), as_told(object_type, format, version));
        if got != expected {
            faults.push(format!("{what} in {version}: {got:?} and not {expected:?}"));
        }
    }
    for wanted in Format::ALL.iter().copied().filter(|other| *other != format && *other != Format::Pkcs12) {
        let version = newest_of(wanted);
        match get(client, version, &id, Some(wanted)) {
            Ok(got) if is_the_same(object_type, format, wanted) && got.format() == Some(wanted) => {}
            Err(ResultReason::KeyFormatTypeNotSupported) if !is_the_same(object_type, format, wanted) => {}
            other => faults.push(format!("{what}, asked for {} in {version}: {other:?}", wanted.text())),
        }
    }
    faults
}

#[test]
fn what_is_no_key_is_kept_in_every_format_of_every_object_and_converted_to_none() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("nonsense", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut found = Vec::new();
    let mut combinations = 0;
    for object_type in ObjectType::ALL {
        for format in Format::ALL {
            if let Some(known) = object(*object_type, *format) {
                combinations += 1;
                found.extend(faults(&mut client, *object_type, *format, known));
            }
        }
    }
    assert_eq!(combinations, 6 * Format::ALL.len());
    assert!(found.is_empty(), "{}", told(&found));
}

#[test]
fn an_object_without_key_block_has_the_one_format_that_it_is() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("unkeyed", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let value = NONSENSE.to_vec();
    let certificate = Certificate { certificate_type: CertificateType::X509, value: value.clone() };
    let request = CertificateRequest { certificate_request_type: CertificateRequestType::Pkcs10, value };
    let opaque = OpaqueObject { opaque_data_type: OpaqueDataType(1), value: Secret::copy_from(NONSENSE) };
    let objects = [
        (ManagedObject::Certificate(certificate), Format::X509),
        (ManagedObject::CertificateRequest(request), Format::Pkcs10),
        (ManagedObject::OpaqueObject(opaque), Format::Opaque),
    ];
    for (object, own) in objects {
        let kept = object.with_digest_input(<[u8]>::to_vec);
        let object_type = object.object_type();
        let request = RegisterRequest::new(object, Vec::<AttributeValue>::new());
        let id = client.request(V2_1, request).unwrap().unique_identifier;
        for wanted in Format::ALL.iter().filter(|format| format.known_in(V2_1)) {
            match get(&mut client, V2_1, &id, Some(*wanted)) {
                Ok(got) => {
                    assert_eq!((*wanted, got.with_digest_input(<[u8]>::to_vec)), (own, kept.clone()));
                }
                Err(reason) => {
                    assert_eq!(reason, ResultReason::KeyFormatTypeNotSupported, "{} {wanted:?}", object_type.text());
                    assert_ne!(*wanted, own);
                }
            }
        }
    }
}
