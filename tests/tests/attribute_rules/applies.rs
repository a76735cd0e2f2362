//! Which objects may have which attributes: the data that the server is built with against the specification's, and a
//! running server against both, for every attribute, type of object and version.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::message::{Outcome, RequestMessage, SUPPORTED_VERSIONS};
use kmip::object::{
    CertificateRequest, KeyBlock, KeyMaterial, ManagedObject, PgpKey, PublicKey, SecretData, SplitKey, Template,
};
use kmip::payload::{AddAttributeRequest, GetAttributesRequest, RegisterRequest, ResponsePayload};
use kmip::registry::{
    ATTRIBUTE_RULES, CertificateRequestType, CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason,
    SecretDataType, SplitKeyMethod, UsageMask,
};
use policy::attributes::deviations;
use rcgen::PublicKeyData;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

use crate::{registration, samples, words};

/// What the tables and the deviations say together, worked out apart from the server's own way to do so.
fn expected(kind: AttributeKind, version: ProtocolVersion) -> BTreeSet<ObjectType> {
    let mut types = words::types(kind, version);
    for one in deviations::TYPES.iter().filter(|one| one.kinds.contains(&kind)) {
        if version.is_within(one.since, one.until) {
            types.extend(one.and);
            types.retain(|object_type| !one.but_not.contains(object_type));
        }
    }
    types
}

#[test]
fn the_types_that_the_server_is_built_with_are_those_of_the_tables() {
    let mut compared = 0;
    for kind in AttributeKind::ALL {
        for version in SUPPORTED_VERSIONS {
            let what = format!("{} in {version}", kind.text());
            let built: BTreeSet<_> = kind.rules().types_in(version).iter().copied().collect();
            assert_eq!(built, words::types(*kind, version), "{what}");
            let decided = |object_type: &&ObjectType| policy::attributes::applies(*kind, **object_type, version);
            let decided: BTreeSet<_> = ObjectType::ALL.iter().filter(decided).copied().collect();
            assert_eq!(decided, expected(*kind, version), "{what}");
            compared += ObjectType::ALL.len();
        }
    }
    assert!(compared > 5000, "{compared}");
    assert!(ATTRIBUTE_RULES.iter().all(|rules| !rules.applies_to.is_empty()), "an attribute of no object");
}

#[test]
fn every_deviation_in_types_is_one() {
    for one in deviations::TYPES {
        let versions = || SUPPORTED_VERSIONS.into_iter().filter(|version| version.is_within(one.since, one.until));
        for kind in one.kinds {
            let said_anywhere = |object_type: &ObjectType, wanted: bool| {
                versions().any(|version| words::types(*kind, version).contains(object_type) == wanted)
            };
            for object_type in one.and {
                let what = format!("{} may have {}: {}", object_type.text(), kind.text(), one.why);
                assert!(said_anywhere(object_type, false), "{what}");
            }
            for object_type in one.but_not {
                let what = format!("{} may not have {}: {}", object_type.text(), kind.text(), one.why);
                assert!(said_anywhere(object_type, true), "{what}");
            }
        }
    }
}

/// An object of this type to be registered.
fn object(object_type: ObjectType) -> RegisterRequest {
    let mask = |mask| vec![AttributeValue::CryptographicUsageMask(mask)];
    let raw = || KeyBlock::raw(Secret::copy_from(&[7; 32]), CryptographicAlgorithm::Aes, 256);
    match object_type {
        ObjectType::PublicKey => {
            let pair = rcgen::KeyPair::generate().unwrap();
            let material = KeyMaterial::Bytes(Secret::new(pair.subject_public_key_info()));
            let key_block =
                KeyBlock::new(KeyFormatType::X509, material, Some(CryptographicAlgorithm::Ecdsa), Some(256));
            RegisterRequest::new(ManagedObject::PublicKey(PublicKey { key_block }), mask(UsageMask::VERIFY))
        }
        ObjectType::SecretData => {
            let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(b"secret"));
            let secret = SecretData { secret_data_type: SecretDataType::Password, key_block };
            RegisterRequest::new(ManagedObject::SecretData(secret), mask(UsageMask::DERIVE_KEY))
        }
        ObjectType::SplitKey => {
            let part = SplitKey {
                parts: 3,
                part_identifier: 1,
                threshold: 3,
                method: SplitKeyMethod::Xor,
                prime_field_size: None,
                key_block: raw(),
            };
            RegisterRequest::new(ManagedObject::SplitKey(Box::new(part)), mask(UsageMask::ENCRYPT))
        }
        ObjectType::PgpKey => {
            let material = KeyMaterial::Bytes(Secret::copy_from(&[7; 32]));
            let key_block = KeyBlock::new(KeyFormatType::Raw, material, Some(CryptographicAlgorithm::Rsa), Some(2048));
            RegisterRequest::new(ManagedObject::PgpKey(PgpKey { version: 4, key_block }), mask(UsageMask::SIGN))
        }
        ObjectType::CertificateRequest => {
            let request = CertificateRequest {
                certificate_request_type: CertificateRequestType::Pkcs10,
                value: b"a request".to_vec(),
            };
            RegisterRequest::new(ManagedObject::CertificateRequest(request), Vec::<AttributeValue>::new())
        }
        ObjectType::Template => {
            let template = Template { attributes: Vec::new() };
            let name = uuid::Uuid::now_v7().to_string();
            RegisterRequest::new(ManagedObject::Template(template), vec![asking::name(&name)])
        }
        other => registration(other),
    }
}

fn held(client: &mut Connection, version: ProtocolVersion, id: &str, name: &str) -> usize {
    client.request(version, GetAttributesRequest::of(id, &[name])).unwrap().attributes.len()
}

/// Add Attribute, for each attribute that a client may give later, to an object of each type that has no value of it.
#[test]
fn the_server_gives_each_type_of_object_the_attributes_that_the_tables_name() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("types", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let now_s =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let (mut given, mut refused, mut faults) = (0, 0, Vec::new());
    for version in SUPPORTED_VERSIONS {
        for object_type in ObjectType::ALL.iter().copied().filter(|one| one.is_known_to(version)) {
            let id = client.request(version, object(object_type)).unwrap().unique_identifier;
            for kind in AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(version)) {
                use AttributeKind as K;
                // What a client never gives, or gives only while the object is made, says nothing about types here.
                let only_at_birth = [K::CryptographicDomainParameters, K::CryptographicUsageMask, K::Fresh];
                if !kind.rules().set_by_client || only_at_birth.contains(&kind) {
                    continue;
                }
                let value = samples::value(kind, 0, now_s);
                let name = value.name().to_owned();
                if held(&mut client, version, &id, &name) > 0 {
                    continue;
                }
                let add = AddAttributeRequest {
                    unique_identifier: Some(id.as_str().into()),
                    attribute: Attribute::new(value),
                };
                let outcome = client.call(RequestMessage::single(version, add)).unwrap().items.remove(0).outcome;
                let what = format!("{} of {} in {version}", kind.text(), object_type.text());
                let may = expected(kind, version).contains(&object_type);
                let read_only =
                    if version.is_2_x() { ResultReason::AttributeReadOnly } else { ResultReason::PermissionDenied };
                match outcome {
                    Outcome::Success(ResponsePayload::AddAttribute(_)) if may => given += 1,
                    Outcome::Failure { reason, .. } if !may && reason == read_only => {
                        refused += 1;
                        if held(&mut client, version, &id, &name) > 0 {
                            faults.push(format!("{what}: refused and there"));
                        }
                    }
                    other => faults.push(format!("{what}: {may} by the tables, and {other:?}")),
                }
            }
        }
    }
    println!("{given} given, {refused} refused");
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(given > 800 && refused > 80, "{given} given, {refused} refused");
}
