//! What clients in the field demand of a server, point by point. Most points are looked at on every answer that
//! [`Strict`] gets: it takes one read for an answer, knows its version's fields only, and wants them in order.
//!
//! | demand | test |
//! |---|---|
//! | an answer is one write and one record | `an_answer_is_one_read_and_one_record` |
//! | requests in pieces and ahead of answers | `requests_ahead_and_in_pieces_are_answered_in_order` |
//! | operation and item id in every answer | `operation_and_item_id_come_back_with_every_error_and_the_connection_stays` |
//! | Query fits small clients | `query_fits_what_small_clients_take` |
//! | nothing of a later version | `no_answer_knows_more_than_its_version` |
//! | the version of the request | `versions_may_change_from_request_to_request`, every answer here |
//! | Result Reasons of the version | `what_is_not_there_has_the_reason_of_its_version` |
//! | Query tells what is there | `query_lists_what_its_version_knows_and_the_server_does` |
//! | RSA keys as PKCS#1, destroyed before use | `an_rsa_public_key_comes_as_pkcs_1_and_goes_without_having_been_active` |
//! | a Name changes while Pre-Active | `field_clients.rs`, the storage appliance |
//! | Locate and destroyed objects | `pages_of_a_locate_are_stable_and_without_what_was_destroyed` |
//! | clients that hang up when they like | `clients_that_hang_up_disturb_nobody` |
//! | Stop is the default and ends the answer | `batches.rs`, `tests/scripts/batches.kms` |
//! | Get Attributes without names | `no_answer_knows_more_than_its_version` |
//! | versions, suites and certificates of TLS | `field_tls.rs`, `tls.rs` |
//! | vCenter | `vcenter.rs` |
//! | groups, pages, names that are taken | `pages_of_…`, `a_name_that_is_taken_is_refused_and_spoils_nothing` |
//! | a second Destroy is an error | `a_second_destroy_is_an_error` |
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use kmip::registry::{ATTRIBUTE_RULES, KeyFormatType, ObjectType, Operation, QueryFunction, ResultReason};
use kmip::ttlv::Writer;
use kmip::{ProtocolVersion, Tag};
use kmip_client::TlsVersions;
use system_tests::node::{Node, Tenant};
use system_tests::strict::{Answer, Attribute, RECORD, Request, Strict, Tree, Value, attributes};

const V1_0: ProtocolVersion = ProtocolVersion::V1_0;
const V1_3: ProtocolVersion = ProtocolVersion::V1_3;
const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const V2_0: ProtocolVersion = ProtocolVersion::V2_0;

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";
/// What some clients say that they take.
const SMALL: [i32; 2] = [8_000, 8_192];
/// The marks that clients give their batch items: a number, vCenter's, an identifier, a byte.
const MARKS: [&[u8]; 4] = [&[0, 0, 0, 1], b"QLKC\x01\0\0\0", b"6ba7b810-9dad-11d1-80b4-00c04fd430c8", &[0]];

const AES: [Attribute<'static>; 3] = [
    ("Cryptographic Algorithm", Value::Enumeration(3)),
    ("Cryptographic Length", Value::Integer(256)),
    ("Cryptographic Usage Mask", Value::Integer(12)),
];

fn node() -> (Node, Tenant) {
    let node = Node::start().unwrap();
    let tenant = node.tenant("strict", "anssi").unwrap();
    (node, tenant)
}

fn strict(node: &Node, tenant: &Tenant) -> Strict {
    Strict::open(node, &tenant.identity, TlsVersions::Both).unwrap()
}

/// The versions that the server says it speaks, the newest first.
fn served(client: &mut Strict) -> Vec<ProtocolVersion> {
    let answer = client.ask(&Request::versions(V1_4)).unwrap();
    let part = |of: &Tree, tag| i32::try_from(of.child(tag).unwrap().number().unwrap()).unwrap();
    let version = |of: &Tree| ProtocolVersion {
        major: part(of, Tag::PROTOCOL_VERSION_MAJOR),
        minor: part(of, Tag::PROTOCOL_VERSION_MINOR),
    };
    let served: Vec<_> = answer.payload().unwrap().all(Tag::PROTOCOL_VERSION).map(version).collect();
    assert!(served.len() >= 5 && served.contains(&V1_0), "{served:?}");
    served
}

/// The Query functions of a version.
fn functions(version: ProtocolVersion) -> Vec<QueryFunction> {
    let all = QueryFunction::TABLE.rows.iter().filter_map(|row| QueryFunction::try_from(row.value).ok());
    all.filter(|function| function.is_known_to(version)).collect()
}

fn created(client: &mut Strict, version: ProtocolVersion, further: &[Attribute<'_>]) -> String {
    client.ask(&Request::create(version, &[&AES, further].concat())).unwrap().identifier().unwrap()
}

#[test]
fn an_answer_is_one_read_and_one_record() {
    let (node, tenant) = node();
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let mut client = Strict::open(&node, &tenant.identity, versions).unwrap();
        for version in served(&mut client) {
            client.ask(&Request::query(version, &functions(version))).unwrap().payload().unwrap();
            client.ask(&Request::on(version, Operation::Get, NOBODY)).unwrap().reason().unwrap();
            // As long as a record holds, and longer than one and several. A part of each is around the value.
            for len in [1, 8_000, RECORD - 300, 17_000, 40_000] {
                let value = vec![7; len];
                let id = client.ask(&Request::register_opaque(version, &value, &[])).unwrap().identifier().unwrap();
                let got = client.ask(&Request::on(version, Operation::Get, &id)).unwrap();
                assert!(got.bytes.len() > len && got.bytes.len() < len + 300);
                client.ask(&Request::on(version, Operation::Destroy, &id)).unwrap().payload().unwrap();
            }
        }
    }
}

#[test]
fn requests_ahead_and_in_pieces_are_answered_in_order() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        if version < ProtocolVersion::V1_1 {
            // Discover Versions is of 1.1.
            continue;
        }
        for piece in [7, 1, 64, usize::MAX] {
            let mut client = strict(&node, &tenant);
            // Eight are outstanding; each has a mark of its own, and the answers differ in what they are.
            let asked = [
                Request::versions(version),
                Request::on(version, Operation::Get, NOBODY),
                Request::create(version, &AES),
                Request::query(version, &[QueryFunction::QueryOperations]),
                Request::locate(version, None, &AES),
                Request::on(version, Operation::Destroy, NOBODY),
                Request::create(version, &AES),
                Request::versions(version),
            ];
            for (number, request) in asked.into_iter().enumerate() {
                let mark = format!("request {number}");
                client.send(&request.marked(mark.as_bytes()).bytes(), piece).unwrap();
            }
            // An answer that is another request's has another mark and operation, which the client minds.
            let answers: Vec<Answer> = (0..8).map(|_| client.answer().unwrap()).collect();
            assert_eq!(answers.iter().filter(|answer| answer.payload().is_ok()).count(), 6);
        }
    }
}

#[test]
fn operation_and_item_id_come_back_with_every_error_and_the_connection_stays() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let wrong = |w: &mut Writer| w.integer(Tag::UNIQUE_IDENTIFIER, 7);
        let short: Vec<Attribute<'_>> = AES.into_iter().take(1).collect();
        let failing = [
            Request::on(version, Operation::Get, NOBODY),
            Request::on(version, Operation::Destroy, NOBODY),
            Request::on(version, Operation::Activate, ""),
            Request::new(version, Operation::Get, wrong),
            Request::new(version, Operation::Get, |_| {}),
            Request::new(version, Operation::Register, |_| {}),
            Request::create(version, &short),
            Request::new(version, Operation::Put, |_| {}),
            Request::on(version, Operation::Notify, NOBODY),
        ];
        for (number, request) in failing.into_iter().enumerate() {
            for mark in MARKS {
                let answer = client.ask(&request.clone().marked(mark)).unwrap();
                answer.reason().unwrap_or_else(|other| panic!("{version}, {number}: {other}"));
            }
            // Nobody gave it a mark: it gets none.
            client.ask(&request).unwrap().reason().unwrap();
        }
        client.ask(&Request::query(version, &functions(version))).unwrap().payload().unwrap();
    }
}

#[test]
fn versions_may_change_from_request_to_request() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    let served = served(&mut client);
    let name = [("Name", Value::Name("of every version"))];
    let id = created(&mut client, V1_0, &name);
    // Each version after each other; the strict client minds the version of the answer.
    for first in &served {
        for second in &served {
            for version in [*first, *second] {
                let found = client.ask(&Request::locate(version, None, &name)).unwrap();
                assert_eq!(found.texts(Tag::UNIQUE_IDENTIFIER).unwrap(), [id.as_str()], "{version}");
                client.ask(&Request::on(version, Operation::Get, NOBODY)).unwrap().reason().unwrap();
            }
        }
    }
}

#[test]
fn query_fits_what_small_clients_take() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        for size in SMALL {
            let answer = client.ask(&Request::query(version, &functions(version)).at_most(size)).unwrap();
            answer.payload().unwrap();
            assert!(answer.bytes.len() <= usize::try_from(size).unwrap(), "{version}");
        }
    }
}

/// Attributes that a client may give a key, of all versions.
const FURTHER: [Attribute<'static>; 11] = [
    ("Object Group", Value::Text("a group")),
    ("Application Specific Information", Value::Application("a name space", "data")),
    ("Contact Information", Value::Text("somebody")),
    ("Process Start Date", Value::Date(4_000_000_000)),
    ("Protect Stop Date", Value::Date(4_000_000_001)),
    ("Deactivation Date", Value::Date(4_000_000_002)),
    ("Description", Value::Text("what it is")),
    ("Comment", Value::Text("what somebody thinks")),
    ("Sensitive", Value::Boolean(false)),
    ("Extractable", Value::Boolean(true)),
    ("x-tag", Value::Text("a tag")),
];

fn known<'a>(version: ProtocolVersion, all: &[Attribute<'a>]) -> Vec<Attribute<'a>> {
    let is_known = |name: &str| {
        let mut rules = ATTRIBUTE_RULES.iter().filter(|rule| rule.name == name);
        name.starts_with("x-") || rules.any(|rule| version.is_within(rule.since, rule.until))
    };
    all.iter().copied().filter(|(name, _)| is_known(name)).collect()
}

/// The strict client finds fault with a field, a value or a name that its version does not have.
#[test]
fn no_answer_knows_more_than_its_version() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    let served = served(&mut client);
    for made_in in &served {
        let mut ids = Vec::new();
        for kind in ["created", "registered", "opaque"] {
            let name = format!("{kind} in {made_in}");
            let of_any = [known(*made_in, &FURTHER), vec![("Name", Value::Name(&name))]].concat();
            let of_key = [known(*made_in, &AES), of_any.clone()].concat();
            let of_opaque: Vec<_> = of_any.into_iter().filter(|(name, _)| !name.ends_with("Date")).collect();
            let request = match kind {
                "created" => Request::create(*made_in, &of_key),
                "registered" => Request::register_key(*made_in, &[7; 32], &of_key),
                _ => Request::register_opaque(*made_in, b"opaque", &known(*made_in, &of_opaque[..1])),
            };
            ids.push(client.ask(&request).unwrap().identifier().unwrap());
        }
        for version in &served {
            for id in &ids {
                for operation in [Operation::Get, Operation::GetAttributes, Operation::GetAttributeList] {
                    client.ask(&Request::on(*version, operation, id)).unwrap().payload().unwrap();
                }
                client.ask(&Request::on(*version, Operation::Check, id)).unwrap();
            }
            let group = client.ask(&Request::locate(*version, None, &FURTHER[..1])).unwrap();
            assert!(group.texts(Tag::UNIQUE_IDENTIFIER).unwrap().contains(&ids[0]), "made in {made_in}");
            client.ask(&Request::query(*version, &functions(*version))).unwrap().payload().unwrap();
        }
        // The rest of a life, errors too.
        let id = &ids[0];
        let tag = ("x-later", Value::Text("a tag"));
        for request in [
            Request::set(*made_in, Operation::AddAttribute, id, tag),
            Request::set(*made_in, Operation::ModifyAttribute, id, ("x-later", Value::Text("another"))),
            Request::on(*made_in, Operation::Activate, id),
            Request::revoke(*made_in, id),
            Request::on(*made_in, Operation::GetAttributes, id),
            Request::on(*made_in, Operation::Destroy, id),
            Request::on(*made_in, Operation::GetAttributes, id),
        ] {
            client.ask(&request).unwrap().payload().unwrap();
        }
        for operation in [Operation::Get, Operation::Destroy, Operation::Activate] {
            client.ask(&Request::on(*made_in, operation, id)).unwrap().reason().unwrap();
        }
    }
}

#[test]
fn what_is_not_there_has_the_reason_of_its_version() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let expected = if version >= V2_0 { ResultReason::ObjectNotFound } else { ResultReason::ItemNotFound };
        for operation in [Operation::Get, Operation::GetAttributes, Operation::Activate, Operation::Destroy] {
            for id in [NOBODY, "nobody", "1"] {
                let answer = client.ask(&Request::on(version, operation, id)).unwrap();
                assert_eq!(answer.reason(), Ok(expected), "{operation} in {version}");
            }
        }
    }
}

#[test]
fn query_lists_what_its_version_knows_and_the_server_does() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let query = Request::query(version, &[QueryFunction::QueryOperations, QueryFunction::QueryObjects]);
        let answer = client.ask(&query).unwrap();
        let listed = answer.payload().unwrap();
        let operations: BTreeSet<u32> = listed.all(Tag::OPERATION).filter_map(Tree::number).collect();
        assert_eq!(operations.len(), listed.all(Tag::OPERATION).count(), "each once");
        for wanted in [Operation::ModifyAttribute, Operation::Create, Operation::Get, Operation::Query] {
            assert!(operations.contains(&wanted.value()), "{wanted} in {version}");
        }
        // An operation is offered exactly if it is listed, whatever is wrong with the request otherwise.
        for row in Operation::TABLE.rows {
            let operation = Operation::try_from(row.value).unwrap();
            if [Operation::Export, Operation::Import, Operation::ReProvision].contains(&operation) {
                // The maker of this domain did not permit them; `offer.rs` has the domains of those that did.
                assert!(!operations.contains(&row.value), "{operation} in {version}");
                continue;
            }
            let answer = client.ask(&Request::new(version, operation, |_| {})).unwrap();
            let refused = answer.reason() == Ok(ResultReason::OperationNotSupported);
            assert_eq!(!refused, operations.contains(&row.value), "{operation} in {version}");
        }
        let objects: BTreeSet<u32> = listed.all(Tag::OBJECT_TYPE).filter_map(Tree::number).collect();
        assert!(objects.contains(&ObjectType::SymmetricKey.value()), "{version}");
    }
}

fn lists(client: &mut Strict, version: ProtocolVersion, operation: Operation) -> bool {
    let answer = client.ask(&Request::query(version, &[QueryFunction::QueryOperations])).unwrap();
    answer.payload().unwrap().all(Tag::OPERATION).any(|one| one.number() == Some(operation.value()))
}

/// An RSA public key in PKCS#1 is a sequence of two integers; a SubjectPublicKeyInfo begins with another sequence.
fn is_pkcs_1(der: &[u8]) -> bool {
    // Sequence and integer, both with lengths of two bytes: RSA-2048.
    matches!(der, [0x30, 0x82, _, _, 0x02, 0x82, ..])
}

#[test]
fn an_rsa_public_key_comes_as_pkcs_1_and_goes_without_having_been_active() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        if !lists(&mut client, version, Operation::CreateKeyPair) {
            continue;
        }
        let rsa = [("Cryptographic Algorithm", Value::Enumeration(4)), ("Cryptographic Length", Value::Integer(2_048))];
        let halves = [
            (Tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE, Tag::PRIVATE_KEY_ATTRIBUTES, 1),
            (Tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE, Tag::PUBLIC_KEY_ATTRIBUTES, 2),
        ];
        let request = Request::new(version, Operation::CreateKeyPair, |w| {
            attributes(w, Tag::COMMON_TEMPLATE_ATTRIBUTE, Tag::COMMON_ATTRIBUTES, &rsa);
            for (before, since_2_0, mask) in halves {
                attributes(w, before, since_2_0, &[("Cryptographic Usage Mask", Value::Integer(mask))]);
            }
        });
        let public = client.ask(&request).unwrap().texts(Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER).unwrap().pop().unwrap();
        let got = client.ask(&Request::on(version, Operation::Get, &public)).unwrap();
        let block = got.payload().unwrap().child(Tag::PUBLIC_KEY).unwrap().child(Tag::KEY_BLOCK).unwrap();
        let format = block.child(Tag::KEY_FORMAT_TYPE).and_then(Tree::number);
        assert_eq!(format, Some(KeyFormatType::Pkcs1.value()), "{version}");
        let material = block.child(Tag::KEY_VALUE).unwrap().child(Tag::KEY_MATERIAL).unwrap();
        assert!(is_pkcs_1(&material.value), "{version}");
        client.ask(&Request::on(version, Operation::Destroy, &public)).unwrap().payload().unwrap();
    }
}

#[test]
fn pages_of_a_locate_are_stable_and_without_what_was_destroyed() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let group = format!("group of {version}");
        let group = [("Object Group", Value::Text(&group))];
        let mut made: Vec<String> = (0..10).map(|_| created(&mut client, version, &group)).collect();
        let others = created(&mut client, version, &[("Object Group", Value::Text("others"))]);
        let gone = made.remove(4);
        client.ask(&Request::on(version, Operation::Destroy, &gone)).unwrap().payload().unwrap();

        let found = |answer: Answer| answer.texts(Tag::UNIQUE_IDENTIFIER).unwrap();
        let all = found(client.ask(&Request::locate(version, None, &group)).unwrap());
        assert_eq!(all.iter().collect::<BTreeSet<_>>(), made.iter().collect(), "{version}");
        assert!(!all.contains(&others));
        if version < V1_3 {
            // Offset Items is of 1.3.
            continue;
        }
        for _ in 0..2 {
            let mut paged = Vec::new();
            for offset in [0, 4, 8, 12] {
                let page = client.ask(&Request::locate(version, Some((4, offset)), &group)).unwrap();
                let located = page.payload().unwrap().child(Tag::LOCATED_ITEMS).and_then(Tree::number);
                assert_eq!(located, Some(9), "{version}");
                paged.push(found(page));
            }
            assert_eq!(paged.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 1, 0], "{version}");
            assert_eq!(paged.concat(), all, "{version}");
        }
    }
}

#[test]
fn a_name_that_is_taken_is_refused_and_spoils_nothing() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let text = format!("name in {version}");
        let name = [("Name", Value::Name(&text))];
        let first = created(&mut client, version, &name);
        let answer = client.ask(&Request::create(version, &[&AES[..], &name].concat())).unwrap();
        let expected = if version >= V2_0 { ResultReason::NonUniqueNameAttribute } else { ResultReason::InvalidField };
        assert_eq!(answer.reason(), Ok(expected), "{version}");
        let found = client.ask(&Request::locate(version, None, &name)).unwrap();
        assert_eq!(found.texts(Tag::UNIQUE_IDENTIFIER).unwrap(), [first.as_str()], "{version}");
        client.ask(&Request::on(version, Operation::Destroy, &first)).unwrap().payload().unwrap();
        let found = client.ask(&Request::locate(version, None, &name)).unwrap();
        assert_eq!(found.texts(Tag::UNIQUE_IDENTIFIER).unwrap(), [""; 0], "{version}");
        created(&mut client, version, &name);
    }
}

#[test]
fn a_second_destroy_is_an_error() {
    let (node, tenant) = node();
    let mut client = strict(&node, &tenant);
    for version in served(&mut client) {
        let id = created(&mut client, version, &[]);
        client.ask(&Request::on(version, Operation::Destroy, &id)).unwrap().payload().unwrap();
        let reason = client.ask(&Request::on(version, Operation::Destroy, &id)).unwrap().reason().unwrap();
        let of_version = match reason {
            ResultReason::ItemNotFound | ResultReason::PermissionDenied => version < V2_0,
            ResultReason::ObjectNotFound | ResultReason::ObjectDestroyed => version >= V2_0,
            ResultReason::WrongKeyLifecycleState => version >= V2_0,
            _ => false,
        };
        assert!(of_version, "{reason} in {version}");
    }
}

/// Clients close idle connections, with a word of TLS or without, and leave in the middle of a message.
#[test]
fn clients_that_hang_up_disturb_nobody() {
    let (node, tenant) = node();
    let mut stays = strict(&node, &tenant);
    let id = created(&mut stays, V1_4, &[]);
    for number in 0..20 {
        let mut leaves = strict(&node, &tenant);
        leaves.ask(&Request::on(V1_4, Operation::Get, &id)).unwrap();
        let request = Request::on(V1_4, Operation::Get, &id).bytes();
        match number % 4 {
            0 => leaves.close().unwrap(),
            1 => leaves.send(&request[..request.len() / 2], 7).unwrap(),
            // Asked, and not waited for.
            2 => leaves.send(&request, request.len()).unwrap(),
            _ => {}
        }
        drop(leaves);
        stays.ask(&Request::on(V1_4, Operation::Get, &id)).unwrap().payload().unwrap();
    }
    let log = node.log().unwrap();
    let alarms: Vec<&str> = log.lines().filter(|line| line.contains("\"ERROR\"") || line.contains("panic")).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}
