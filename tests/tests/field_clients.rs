//! What clients in the field send, each its own sequence, as public code and traces of them show it.

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Name};
use kmip::object::{KeyBlock, ManagedObject, SecretData};
use kmip::payload::{
    ActivateRequest, DestroyRequest, DiscoverVersionsRequest, GetAttributesRequest, GetRequest, LocateRequest,
    ModifyAttributeRequest, QueryRequest, RegisterRequest,
};
use kmip::registry::{KeyFormatType, ObjectType, Operation, QueryFunction, SecretDataType, State, UsageMask};
use secret::Secret;
use system_tests::asking::{bytes, cessation, name};
use system_tests::node::Node;

fn secret(kind: SecretDataType, bytes: &[u8], attributes: Vec<AttributeValue>) -> RegisterRequest {
    let key_block = KeyBlock::without_algorithm(KeyFormatType::Opaque, Secret::copy_from(bytes));
    RegisterRequest::new(ManagedObject::SecretData(SecretData { secret_data_type: kind, key_block }), attributes)
}

/// A storage appliance that keeps its volumes' passphrases here, in KMIP 1.2.
#[test]
fn a_storage_appliance_registers_renames_finds_and_removes_a_passphrase() {
    const V1_2: ProtocolVersion = ProtocolVersion::V1_2;
    let node = Node::start().unwrap();
    let tenant = node.tenant("appliance", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let versions = connection.request(V1_2, DiscoverVersionsRequest::default()).unwrap().protocol_versions;
    assert!(versions.contains(&V1_2));
    let functions = vec![
        QueryFunction::QueryOperations,
        QueryFunction::QueryObjects,
        QueryFunction::QueryServerInformation,
        QueryFunction::QueryApplicationNamespaces,
        QueryFunction::QueryExtensionList,
        QueryFunction::QueryExtensionMap,
    ];
    let query = connection.request(V1_2, QueryRequest::of(functions)).unwrap();
    assert!(
        query.operations.contains(&Operation::ModifyAttribute) && query.object_types.contains(&ObjectType::SecretData)
    );
    assert!(query.operations.iter().all(|operation| operation.since() <= V1_2), "nothing that 1.2 does not know");

    let named = |text: &str| LocateRequest { attributes: vec![name(text).into()], ..LocateRequest::default() };
    assert!(connection.request(V1_2, named("volume-1")).unwrap().unique_identifiers.is_empty());
    let attributes = vec![
        AttributeValue::CryptographicUsageMask(UsageMask::VERIFY),
        AttributeValue::OperationPolicyName("default".to_owned()),
        name("volume-1.new"),
    ];
    let request = secret(SecretDataType::Password, b"the passphrase of volume 1", attributes);
    let id = connection.request(V1_2, request).unwrap().unique_identifier;
    let renamed = Attribute { index: Some(0), value: AttributeValue::Name(Name::text("volume-1")) };
    let request = ModifyAttributeRequest {
        unique_identifier: Some(id.clone().into()),
        current_attribute: None,
        attribute: renamed,
    };
    connection.request(V1_2, request).unwrap();
    assert!(connection.request(V1_2, named("volume-1.new")).unwrap().unique_identifiers.is_empty());
    assert_eq!(connection.request(V1_2, named("volume-1")).unwrap().unique_identifiers, std::slice::from_ref(&id));
    connection.request(V1_2, ActivateRequest::of(&id)).unwrap();
    let state = connection.request(V1_2, GetAttributesRequest::of(&id, &["State"])).unwrap().attributes;
    assert_eq!(state.into_iter().map(|one| one.value).collect::<Vec<_>>(), [AttributeValue::State(State::Active)]);
    let got = connection.request(V1_2, GetRequest::of(&id)).unwrap();
    assert_eq!(bytes(&got), Some(b"the passphrase of volume 1".as_slice()));
    connection.request(V1_2, cessation(Some(id.clone()))).unwrap();
    connection.request(V1_2, DestroyRequest::of(&id)).unwrap();
    assert!(connection.request(V1_2, named("volume-1")).unwrap().unique_identifiers.is_empty());
}

/// A database's field-level encryption, in KMIP 1.0: a seed of 96 bytes with an empty usage mask.
#[test]
fn a_database_driver_keeps_a_seed_of_96_bytes() {
    const V1_0: ProtocolVersion = ProtocolVersion::V1_0;
    let node = Node::start().unwrap();
    let tenant = node.tenant("database", "anssi").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let seed: Vec<u8> = (0..96).collect();
    let request = secret(SecretDataType::Seed, &seed, vec![AttributeValue::CryptographicUsageMask(UsageMask(0))]);
    let id = connection.request(V1_0, request).unwrap().unique_identifier;
    connection.request(V1_0, ActivateRequest::of(&id)).unwrap();
    drop(connection);
    let got = node.connect(&tenant.identity).unwrap().request(V1_0, GetRequest::of(&id)).unwrap();
    assert_eq!(bytes(&got), Some(seed.as_slice()));
}
