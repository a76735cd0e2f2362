//! Objects coming into being on a real node: what the OASIS cases do not show. Policies, protections that go along,
//! names that wander, certificates that verify.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, Identifier, Link};
use kmip::message::{Outcome, RequestMessage};
use kmip::object::ManagedObject;
use kmip::payload::{
    CertifyRequest, CreateKeyPairRequest, CreateSplitKeyRequest, DerivationParameters, DeriveKeyRequest,
    GetAttributesRequest, GetRequest, JoinSplitKeyRequest, LocateRequest, ReCertifyRequest, ReKeyRequest,
    RegisterRequest, RequestPayload,
};
use kmip::registry::{
    CryptographicAlgorithm, DerivationMethod, HashingAlgorithm, LinkType, ObjectGroupMember, ObjectType, ResultReason,
    SplitKeyMethod, UsageMask,
};
use kmip::ttlv::DateTime;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// Why one request is refused.
fn refused(client: &mut Connection, request: impl Into<RequestPayload>) -> ResultReason {
    let answer = client.call(RequestMessage::batch(V1_4, [request.into()])).unwrap();
    match &answer.items[0].outcome {
        Outcome::Failure { reason, .. } => *reason,
        other => panic!("{other:?}"),
    }
}

fn pair(algorithm: CryptographicAlgorithm, length: i32, masks: [UsageMask; 2]) -> CreateKeyPairRequest {
    let common = vec![AttributeValue::CryptographicAlgorithm(algorithm), AttributeValue::CryptographicLength(length)];
    let of = |mask| Some(vec![AttributeValue::CryptographicUsageMask(mask)].into());
    CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: of(masks[0]),
        public_key_attributes: of(masks[1]),
        ..Default::default()
    }
}

fn split(unique_identifier: Option<String>) -> CreateSplitKeyRequest {
    CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: unique_identifier.map(Identifier::from),
        split_key_parts: 3,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::PolynomialSharingGf2_8,
        prime_field_size: None,
        template_attribute: Vec::<AttributeValue>::new().into(),
        protection_storage_masks: None,
    }
}

fn links(client: &mut Connection, id: &str) -> Vec<Link> {
    let request = GetAttributesRequest { unique_identifier: Some(id.into()), attribute_names: vec!["Link".to_owned()] };
    let answered = client.request(V1_4, request).unwrap();
    let links = answered.attributes.into_iter().filter_map(|one| match one.value {
        AttributeValue::Link(link) => Some(link),
        _ => None,
    });
    links.collect()
}

#[test]
fn the_policy_decides_which_pairs_are_made() {
    use CryptographicAlgorithm as A;
    let node = Node::start().unwrap();
    let masks = [UsageMask::SIGN, UsageMask::VERIFY];
    let tenants = ["anssi", "legacy"].map(|policy| node.tenant(policy, policy).unwrap());
    let [mut anssi, mut legacy] = [0, 1].map(|at| node.connect(&tenants[at].identity).unwrap());
    for request in [pair(A::Rsa, 1024, masks), pair(A::Ec, 224, masks)] {
        assert_eq!(refused(&mut anssi, request.clone()), ResultReason::InvalidField);
        legacy.request(V1_4, request).unwrap();
    }
    for client in [&mut anssi, &mut legacy] {
        for request in [pair(A::Ecdsa, 256, masks), pair(A::Ec, 521, masks), pair(A::Rsa, 2048, masks)] {
            let made = client.request(V1_4, request).unwrap();
            let of_private = links(client, &made.private_key_unique_identifier);
            assert_eq!(of_private.len(), 1);
            assert_eq!(of_private[0].link_type, LinkType::PublicKeyLink);
            assert_eq!(of_private[0].linked_object_identifier, Identifier::from(&made.public_key_unique_identifier));
        }
        assert_eq!(refused(client, pair(A::Rsa, 2049, masks)), ResultReason::InvalidField);
        assert_eq!(refused(client, pair(A::Aes, 256, masks)), ResultReason::InvalidField);
    }
    let mixed = pair(A::Rsa, 2048, [UsageMask::UNWRAP_KEY, UsageMask::WRAP_KEY.union(UsageMask::DECRYPT)]);
    assert_eq!(refused(&mut anssi, mixed), ResultReason::InvalidField);
}

#[test]
fn a_sensitive_key_is_not_handed_out_in_parts() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("splitter", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let key = client.request(V1_4, asking::aes(vec![AttributeValue::Sensitive(true)])).unwrap().unique_identifier;
    let parts = client.request(V1_4, split(Some(key))).unwrap().unique_identifiers;
    assert_eq!(parts.len(), 3);
    for part in &parts {
        assert_eq!(refused(&mut client, GetRequest::of(part.as_str())), ResultReason::Sensitive);
    }
    let join = |parts: &[String]| JoinSplitKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: parts.iter().map(Identifier::from).collect(),
        secret_data_type: None,
        template_attribute: None,
        protection_storage_masks: None,
    };
    let joined = client.request(V1_4, join(&parts[1..])).unwrap().unique_identifier;
    assert_eq!(refused(&mut client, GetRequest::of(joined.as_str())), ResultReason::Sensitive);
    assert_eq!(refused(&mut client, join(&parts[..1])), ResultReason::CryptographicFailure);
    let twice = [parts[0].clone(), parts[0].clone()];
    assert_eq!(refused(&mut client, join(&twice)), ResultReason::CryptographicFailure);
}

#[test]
fn a_name_belongs_to_the_latest_key_however_often_it_is_replaced() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("rotator", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut key = client.request(V1_4, asking::aes(vec![asking::name("rotating")])).unwrap().unique_identifier;
    for _ in 0..5 {
        let request = ReKeyRequest { unique_identifier: Some(key.as_str().into()), ..Default::default() };
        let next = client.request(V1_4, request).unwrap().unique_identifier;
        let named = LocateRequest { attributes: vec![asking::name("rotating").into()], ..Default::default() };
        assert_eq!(client.request(V1_4, named).unwrap().unique_identifiers, std::slice::from_ref(&next));
        let back = links(&mut client, &next);
        assert_eq!((back.len(), back[0].link_type), (1, LinkType::ReplacedObjectLink));
        assert_eq!(back[0].linked_object_identifier, Identifier::from(&key));
        key = next;
    }
    let offset = ReKeyRequest {
        unique_identifier: Some(key.as_str().into()),
        offset: Some(kmip::ttlv::Interval(10)),
        template_attribute: Some(vec![AttributeValue::ActivationDate(DateTime(0))].into()),
        ..Default::default()
    };
    assert_eq!(refused(&mut client, offset), ResultReason::InvalidMessage);
}

#[test]
fn a_certificate_is_of_the_registered_key_and_can_be_renewed() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("certified", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let masks = [UsageMask::SIGN, UsageMask::VERIFY];
    let made = client.request(V1_4, pair(CryptographicAlgorithm::Ecdsa, 256, masks)).unwrap();
    let public_key = made.public_key_unique_identifier;
    let request = CertifyRequest { unique_identifier: Some(public_key.as_str().into()), ..Default::default() };
    let first = client.request(V1_4, request).unwrap().unique_identifier;
    let renewal = ReCertifyRequest { unique_identifier: Some(first.as_str().into()), ..Default::default() };
    let second = client.request(V1_4, renewal).unwrap().unique_identifier;
    let facts = [&first, &second].map(|id| {
        let got = client.request(V1_4, GetRequest::of(id.as_str())).unwrap();
        let ManagedObject::Certificate(certificate) = got.object else { panic!("no certificate") };
        certs::CertificateFacts::of(&certificate.value).unwrap()
    });
    let [one, other] = &facts;
    assert_eq!((&one.subject, &one.issuer, &one.fingerprint), (&other.subject, &other.issuer, &other.fingerprint));
    assert!(!one.is_ca && one.subject.contains(&public_key));
    let of_key: Vec<Link> = links(&mut client, &public_key)
        .into_iter()
        .filter(|link| link.link_type == LinkType::CertificateLink)
        .collect();
    assert_eq!(of_key.len(), 1, "the public key has one certificate, the newest");
    assert_eq!(of_key[0].linked_object_identifier, Identifier::from(&second));
    // A request that proves nothing certifies nothing.
    let forged = CertifyRequest {
        certificate_request_type: Some(kmip::registry::CertificateRequestType::Pkcs10),
        certificate_request: Some(vec![0x30, 0]),
        ..Default::default()
    };
    assert_eq!(refused(&mut client, forged), ResultReason::InvalidField);
}

#[test]
fn nothing_is_derived_from_a_key_that_is_not_made_for_it() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("deriver", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let derive = |id: &str, hash| {
        let cryptographic_parameters =
            Some(Box::new(CryptographicParameters { hashing_algorithm: Some(hash), ..Default::default() }));
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: vec![id.into()],
            derivation_method: DerivationMethod::Hash,
            derivation_parameters: DerivationParameters { cryptographic_parameters, ..Default::default() },
            template_attribute: vec![AttributeValue::CryptographicLength(256)].into(),
        }
    };
    let active = AttributeValue::ActivationDate(DateTime(0));
    let other = client.request(V1_4, asking::aes(vec![active.clone()])).unwrap().unique_identifier;
    assert_eq!(refused(&mut client, derive(&other, HashingAlgorithm::Sha384)), ResultReason::InvalidField);
    let mut request = asking::aes(vec![active]);
    for one in &mut request.template_attribute.attributes {
        if let AttributeValue::CryptographicUsageMask(mask) = &mut one.value {
            *mask = UsageMask::DERIVE_KEY;
        }
    }
    let base = client.request(V1_4, request).unwrap().unique_identifier;
    assert_eq!(refused(&mut client, derive(&base, HashingAlgorithm::Sha1)), ResultReason::PermissionDenied);
    // Everybody who may read attributes would read the derived key.
    assert_eq!(refused(&mut client, derive(&base, HashingAlgorithm::Sha256)), ResultReason::PermissionDenied);
    let derived = client.request(V1_4, derive(&base, HashingAlgorithm::Sha384)).unwrap().unique_identifier;
    assert_eq!(links(&mut client, &derived)[0].link_type, LinkType::DerivationBaseObjectLink);
    assert_eq!(links(&mut client, &base)[0].link_type, LinkType::DerivedKeyLink);
    let again = client.request(V1_4, derive(&base, HashingAlgorithm::Sha384)).unwrap().unique_identifier;
    let bytes = |client: &mut Connection, id: &str| {
        asking::bytes(&client.request(V1_4, GetRequest::of(id)).unwrap()).unwrap().to_vec()
    };
    assert_eq!(bytes(&mut client, &derived), bytes(&mut client, &again));
}

/// Locates what has all these attributes; fresh members only if `fresh`.
fn located(client: &mut Connection, wanted: Vec<AttributeValue>, fresh: bool) -> Vec<String> {
    let request = LocateRequest {
        object_group_member: fresh.then_some(ObjectGroupMember::GroupMemberFresh),
        attributes: wanted.into_iter().map(Attribute::new).collect(),
        ..LocateRequest::default()
    };
    client.request(V1_4, request).unwrap().unique_identifiers
}

#[test]
fn the_default_group_fills_itself_where_the_domain_was_made_so() {
    let node = Node::start().unwrap();
    let group = |name: &str| AttributeValue::ObjectGroup(name.to_owned());
    let length = AttributeValue::CryptographicLength;
    // Under `legacy`, tests get domains with every permission; under `anssi`, with none.
    let without = node.tenant("stock", "anssi").unwrap();
    let mut other = node.connect(&without.identity).unwrap();
    assert!(located(&mut other, vec![group("default")], true).is_empty());

    let tenant = node.tenant("stock", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    assert!(
        located(&mut client, vec![group("default")], false).is_empty(),
        "nothing is made for who wants no fresh one"
    );
    assert!(located(&mut client, vec![group("another")], true).is_empty(), "nor in another group");
    assert!(located(&mut client, vec![group("default"), length(128)], true).is_empty(), "nor what it would not be");
    let first = located(&mut client, vec![group("default"), length(256)], true);
    assert_eq!(first.len(), 1);
    assert_eq!(located(&mut client, vec![group("default")], true), first, "what is fresh stays the answer");
    let got = client.request(V1_4, GetRequest::of(&first[0])).unwrap();
    assert_eq!(asking::bytes(&got).unwrap().len(), 32);
    let second = located(&mut client, vec![group("default")], true);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);

    // Who may only look gets none made.
    let second = client.request(V1_4, GetRequest::of(&second[0])).unwrap();
    let reader = admin_api::ClientAccess {
        access: admin_api::Access { own: false, operations: Some(vec!["Locate".to_owned()]) },
        credential_demanded: false,
    };
    node.admin("operator")
        .unwrap()
        .client_access(&tenant.name, tenant.client, &reader, admin_api::Effect::Real)
        .unwrap();
    assert!(located(&mut client, vec![group("default")], true).is_empty());
    assert_eq!(located(&mut client, vec![group("default")], false).len(), 2, "{}", second.unique_identifier);
}

#[test]
fn a_template_gives_what_stands_in_it_and_not_what_describes_it() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("template", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let contact = |text: &str| AttributeValue::ContactInformation(text.to_owned());
    let group = AttributeValue::ObjectGroup("given".to_owned());
    let template = ManagedObject::Template(kmip::object::Template {
        attributes: vec![Attribute::new(contact("given")), Attribute::new(group.clone())],
    });
    let own = vec![asking::name("template"), contact("of the template")];
    let id = client.request(V1_4, RegisterRequest::new(template, own)).unwrap().unique_identifier;

    let mut create = asking::aes(Vec::new());
    create.template_attribute.names.push(kmip::attribute::Name::text("template"));
    let key = client.request(V1_4, create).unwrap().unique_identifier;
    let mut of = |id: &str, name: &str| {
        let request =
            GetAttributesRequest { unique_identifier: Some(id.into()), attribute_names: vec![name.to_owned()] };
        let answered = client.request(V1_4, request).unwrap().attributes;
        answered.into_iter().map(|one| one.value).collect::<Vec<_>>()
    };
    assert_eq!(of(&key, "Contact Information"), [contact("given")]);
    assert_eq!(of(&key, "Object Group"), [group]);
    assert_eq!(of(&id, "Contact Information"), [contact("of the template")]);
    assert_eq!(of(&id, "Object Group"), []);
    let got = client.request(V1_4, GetRequest::of(&id)).unwrap();
    let ManagedObject::Template(whole) = got.object else { panic!("{:?}", got.object_type) };
    assert_eq!(whole.attributes.len(), 2);
}
