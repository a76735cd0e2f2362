//! Attributes that objects always have, on objects that were made in every way that there is.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::{AttributeKind, AttributeValue};
use kmip::message::SUPPORTED_VERSIONS;
use kmip::payload::{
    CertifyRequest, GetAttributesRequest, ImportRequest, ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest,
};
use kmip::registry::{ObjectType, UsageMask};
use system_tests::asking;
use system_tests::node::{Connection, Node};

use crate::registration;
use crate::table::{self, Told};

/// Whoever made the object and however: what the tables say always has a value has one.
#[test]
fn what_always_has_a_value_has_one_however_the_object_was_made() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("made", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut looked = 0;
    for version in SUPPORTED_VERSIONS {
        for (how, object_type, id) in made_in_every_way(&mut client, version) {
            let told = client.request(version, GetAttributesRequest::of(id.as_str(), &[])).unwrap();
            let held: BTreeSet<AttributeKind> = told.attributes.iter().map(|one| one.value.kind()).collect();
            for kind in AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(version)) {
                let host = table::host(kind);
                // What is of a kind of object only, or of keys and certificates.
                let applies = match host {
                    ObjectType::SymmetricKey => object_type != ObjectType::OpaqueObject,
                    other => other == object_type,
                };
                if applies && table::rule(kind.text(), version).unwrap().always == Told::Yes {
                    assert!(held.contains(&kind), "{how} in {version}: {} has no value", kind.text());
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 500, "{looked}");
}

/// How, what and which.
fn made_in_every_way(client: &mut Connection, version: ProtocolVersion) -> Vec<(&'static str, ObjectType, String)> {
    let pair = asking::p256_pair(Vec::new());
    let created = client.request(version, asking::aes(Vec::new())).unwrap().unique_identifier;
    let renewed = ReKeyRequest { unique_identifier: Some(created.as_str().into()), ..Default::default() };
    let renewed = client.request(version, renewed).unwrap().unique_identifier;
    let pair = client.request(version, pair).unwrap();
    let certify = CertifyRequest {
        unique_identifier: Some(pair.public_key_unique_identifier.as_str().into()),
        ..Default::default()
    };
    let certified = client.request(version, certify).unwrap().unique_identifier;
    let recertify = ReCertifyRequest { unique_identifier: Some(certified.as_str().into()), ..Default::default() };
    let recertified = client.request(version, recertify).unwrap().unique_identifier;
    let mut all = vec![
        ("Create", ObjectType::SymmetricKey, created),
        ("Re-key", ObjectType::SymmetricKey, renewed),
        ("Certify", ObjectType::Certificate, certified),
        ("Re-certify", ObjectType::Certificate, recertified),
    ];
    if version >= ProtocolVersion::V1_1 {
        let renew = ReKeyKeyPairRequest {
            private_key_unique_identifier: Some(pair.private_key_unique_identifier.as_str().into()),
            ..Default::default()
        };
        let renewed = client.request(version, renew).unwrap();
        all.push(("Re-key Key Pair", ObjectType::PrivateKey, renewed.private_key_unique_identifier));
        all.push(("Re-key Key Pair", ObjectType::PublicKey, renewed.public_key_unique_identifier));
    }
    if version >= ProtocolVersion::V1_4 {
        let import = ImportRequest {
            unique_identifier: uuid::Uuid::now_v7().to_string(),
            object_type: version.is_2_x().then_some(ObjectType::SymmetricKey),
            replace_existing: None,
            key_wrap_type: None,
            attributes: vec![AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT).into()],
            object: registration(ObjectType::SymmetricKey).object,
        };
        all.push(("Import", ObjectType::SymmetricKey, client.request(version, import).unwrap().unique_identifier));
    }
    all.push(("Create Key Pair", ObjectType::PrivateKey, pair.private_key_unique_identifier));
    all.push(("Create Key Pair", ObjectType::PublicKey, pair.public_key_unique_identifier));
    for object_type in
        [ObjectType::SymmetricKey, ObjectType::PrivateKey, ObjectType::Certificate, ObjectType::OpaqueObject]
    {
        let id = client.request(version, registration(object_type)).unwrap().unique_identifier;
        all.push(("Register", object_type, id));
    }
    all
}
