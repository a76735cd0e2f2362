//! Objects of other domains beyond single operations: imports, searches, the admin API, what was destroyed.

use std::collections::BTreeSet;

use admin_api::{Effect, ErrorCode, RevocationReason as Why, RevokeObject};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, Name, TemplateAttribute};
use kmip::message::{Outcome as Answer, RequestMessage, SUPPORTED_VERSIONS};
use kmip::object::{ManagedObject, Template};
use kmip::payload::{DestroyRequest, GetRequest, ImportRequest, LocateRequest, RegisterRequest, ValidateRequest};
use kmip::registry::{CryptographicAlgorithm, ObjectType, ResultReason, State, UsageMask};
use system_tests::asking;
use system_tests::node::Node;
use uuid::Uuid;

use crate::requests::certificate;
use crate::{TAG, ask, is_not_found, outcomes};

#[test]
fn a_foreign_identifier_is_free_to_be_imported_and_its_certificate_cannot_be_validated() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let (mut owners, mut asks) = (node.connect(&owner.identity).unwrap(), node.connect(&asker.identity).unwrap());
    let version = ProtocolVersion::V1_4;
    let key = owners.request(version, asking::known_aes(&[1; 32], Vec::new())).unwrap().unique_identifier;
    let import = |replace_existing| ImportRequest {
        unique_identifier: key.clone(),
        object_type: None,
        replace_existing,
        key_wrap_type: None,
        attributes: Vec::new(),
        object: asking::known_aes(&[2; 32], Vec::new()).object,
    };
    assert_eq!(asks.request(version, import(None)).unwrap().unique_identifier, key);
    // Now it is taken in both domains, by an object of each domain's own.
    for client in [&mut owners, &mut asks] {
        let taken = client.request(version, import(None)).unwrap_err();
        assert_eq!(taken.reason(), Some(ResultReason::ObjectAlreadyExists), "{taken}");
    }
    for (client, byte) in [(&mut owners, 1), (&mut asks, 2)] {
        let got = client.request(version, GetRequest::of(key.as_str())).unwrap().object;
        assert_eq!(got, asking::known_aes(&[byte; 32], Vec::new()).object);
    }

    let registered = RegisterRequest::new(ManagedObject::Certificate(certificate()), Vec::<AttributeValue>::new());
    let id = owners.request(version, registered).unwrap().unique_identifier;
    let validate = |id: &str| ValidateRequest { unique_identifiers: vec![id.into()], ..Default::default() };
    owners.request(version, validate(&id)).unwrap();
    let foreign = ask(&mut asks, &RequestMessage::single(version, validate(&id)));
    let absent = ask(&mut asks, &RequestMessage::single(version, validate(&Uuid::now_v7().to_string())));
    assert_eq!(foreign, absent);
    assert!(is_not_found(&outcomes(&foreign)[0]));
}

#[test]
fn locate_never_returns_foreign_objects_and_foreign_names_do_not_collide() {
    let node = Node::start().unwrap();
    let tenants = ["left", "right"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut clients = tenants.each_ref().map(|tenant| node.connect(&tenant.identity).unwrap());
    for version in SUPPORTED_VERSIONS {
        // The same names, groups and tags in both domains.
        let name = format!("vm in {version}");
        let attributes = || {
            vec![
                asking::name(&name),
                AttributeValue::ObjectGroup("production".to_owned()),
                AttributeValue::custom_text(TAG, "value").unwrap(),
            ]
        };
        let made = clients
            .each_mut()
            .map(|client| client.request(version, asking::aes(attributes())).unwrap().unique_identifier);
        assert_ne!(made[0], made[1]);
        // Within a domain the name is taken.
        let again = clients[0].request(version, asking::aes(attributes())).unwrap_err();
        let taken = if version.is_2_x() { ResultReason::NonUniqueNameAttribute } else { ResultReason::InvalidField };
        assert_eq!(again.reason(), Some(taken), "{again}");
        let filters = [
            vec![],
            vec![asking::name(&name)],
            vec![AttributeValue::ObjectType(ObjectType::SymmetricKey)],
            vec![AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes)],
            vec![AttributeValue::State(State::PreActive)],
            vec![AttributeValue::ObjectGroup("production".to_owned())],
            vec![AttributeValue::custom_text(TAG, "value").unwrap()],
            vec![AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT), asking::name(&name)],
        ];
        for filter in filters {
            let located = clients.each_mut().map(|client| {
                let attributes = filter.iter().cloned().map(Attribute::new).collect();
                let wanted = LocateRequest { attributes, ..Default::default() };
                let found = client.request(version, wanted).unwrap().unique_identifiers;
                BTreeSet::from_iter(found)
            });
            assert!(located[0].is_disjoint(&located[1]), "{filter:?}");
            assert!((0..2).all(|side| located[side].contains(&made[side])), "{filter:?} does not find its own");
        }
    }
}

#[test]
fn the_admin_api_shows_a_domain_its_own_objects_only() {
    let node = Node::start().unwrap();
    let [owner, other] = ["owner", "other"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut client = node.connect(&owner.identity).unwrap();
    let id: Uuid =
        client.request(ProtocolVersion::V1_4, asking::aes(vec![])).unwrap().unique_identifier.parse().unwrap();
    let admin = node.admin("operator").unwrap();
    let officer = node.admin("officer1").unwrap();
    let listed = |domain: &str| -> Vec<Uuid> {
        admin.object_list(domain, None, None).unwrap().objects.into_iter().map(|object| object.id).collect()
    };
    assert_eq!(listed(&owner.name), [id]);
    assert!(listed(&other.name).is_empty());
    // A foreign identifier as a place to begin at finds nothing either.
    assert_eq!(admin.object_list(&other.name, Some(Uuid::nil()), Some(1)).unwrap().objects, []);
    let before = admin.object_show(&owner.name, id).unwrap();
    let why = RevokeObject { reason: Why::KeyCompromise, message: None, compromise_occurrence: None };
    let refusals = [id, Uuid::now_v7()].map(|id| {
        let mut said = Vec::new();
        for role in [&admin, &officer] {
            said.push(role.object_show(&other.name, id).unwrap_err());
            for effect in [Effect::DryRun, Effect::Real] {
                said.push(role.object_revoke(&other.name, id, &why, effect).unwrap_err());
                said.push(role.object_destroy(&other.name, id, effect).unwrap_err());
            }
        }
        assert!(said.iter().any(|error| error.code() == Some(ErrorCode::NotFound)), "{said:?}");
        said.iter().map(|error| error.to_string().replace(&id.to_string(), "<id>")).collect::<Vec<_>>()
    });
    assert_eq!(refusals[0], refusals[1], "foreign and absent can be told apart");
    assert_eq!(admin.object_show(&owner.name, id).unwrap(), before);
    assert_eq!(node.admin("operator").unwrap().object_show(&owner.name, id).unwrap(), before);
}

#[test]
fn knowing_an_identifier_gives_nothing_in_another_domain_even_after_destruction() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut client = node.connect(&owner.identity).unwrap();
    let mut asks = node.connect(&asker.identity).unwrap();
    let version = ProtocolVersion::V1_4;
    let id = client.request(version, asking::aes(vec![])).unwrap().unique_identifier;
    client.request(version, DestroyRequest::of(id.as_str())).unwrap();
    // Its owner is told that it is destroyed; nobody else that it ever was.
    let own = ask(&mut client, &RequestMessage::single(version, GetRequest::of(id.as_str())));
    let foreign = ask(&mut asks, &RequestMessage::single(version, GetRequest::of(id)));
    let absent = ask(&mut asks, &RequestMessage::single(version, GetRequest::of(Uuid::now_v7().to_string())));
    assert_eq!(foreign, absent);
    assert_ne!(own, foreign);
    assert!(matches!(outcomes(&foreign).as_slice(), [Answer::Failure { message, .. }] if message == "no such object"));
    // A template is found by name in its own domain only.
    let template = TemplateAttribute { names: vec![Name::text("shared")], attributes: Vec::new() };
    let object = ManagedObject::Template(Template { attributes: Vec::new() });
    client.request(version, RegisterRequest::new(object, vec![asking::name("shared")])).unwrap();
    let mut request = asking::aes(vec![]);
    request.template_attribute.names = template.names;
    client.request(version, request.clone()).unwrap();
    assert_eq!(asks.request(version, request).unwrap_err().reason(), Some(ResultReason::ItemNotFound));
}
