//! What outlives the process, and what a node refuses to start on.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc;
use std::thread;

use admin_api::{Credential, SecretText};
use audit::bundle;
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, DestroyRequest, GetAttributesRequest, GetRequest, LocateRequest,
};
use kmip::registry::ResultReason;
use kmip_client::TlsVersions;
use system_tests::asking::{aes, bytes, cessation, known_aes, name};
use system_tests::exported::{records, trusted_keys};
use system_tests::node::{Connection, Dial, Node};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// Clients at work when the node is asked to stop.
const CLIENTS: usize = 4;

fn get(connection: &mut Connection, id: &str) -> Vec<u8> {
    bytes(&connection.request(V1_4, GetRequest::of(id)).unwrap()).unwrap().to_vec()
}

/// Everything that Get Attributes tells, in a form that can be compared.
fn attributes(connection: &mut Connection, id: &str) -> Vec<Attribute> {
    connection.request(V1_4, GetAttributesRequest::of(id, &[])).unwrap().attributes
}

#[test]
fn everything_acknowledged_is_there_after_a_restart() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("restart", "anssi").unwrap();
    let credential = Credential { username: "vcenter".to_owned(), password: SecretText::new("a password".to_owned()) };
    let known = certs::self_signed_vcenter_client().unwrap();
    node.register(&tenant.name, &known, Some(credential)).unwrap();
    let gone = certs::self_signed_vcenter_client().unwrap();
    let fingerprint = node.register(&tenant.name, &gone, None).unwrap().fingerprint;
    node.revoke(&tenant.name, fingerprint).unwrap();

    let mut connection = node.connect(&tenant.identity).unwrap();
    let material: Vec<u8> = (0..32).collect();
    let mut ids = Vec::new();
    for number in 0..8 {
        let made = vec![name(&format!("key-{number}"))];
        ids.push(if number % 2 == 0 {
            connection.request(V1_4, aes(made)).unwrap().unique_identifier
        } else {
            connection.request(V1_4, known_aes(&material, made)).unwrap().unique_identifier
        });
    }
    let attribute = AttributeValue::custom_text("x-tag", "of key 1").unwrap().into();
    connection
        .request(V1_4, AddAttributeRequest { unique_identifier: Some(ids[1].clone().into()), attribute })
        .unwrap();
    connection.request(V1_4, ActivateRequest::of(&ids[2])).unwrap();
    connection.request(V1_4, ActivateRequest::of(&ids[3])).unwrap();
    connection.request(V1_4, cessation(Some(ids[3].clone()))).unwrap();
    connection.request(V1_4, DestroyRequest::of(&ids[4])).unwrap();
    let alive: Vec<&String> = ids.iter().filter(|id| **id != ids[4]).collect();
    let keys: Vec<Vec<u8>> = alive.iter().map(|id| get(&mut connection, id)).collect();
    let told: Vec<Vec<Attribute>> = ids.iter().map(|id| attributes(&mut connection, id)).collect();
    let exported = node.export(&tenant.name).unwrap();
    let known_before = bundle::verify_bundle(exported.as_slice(), &trusted_keys(&node).unwrap()).unwrap();
    drop(connection);

    node.restart().unwrap();

    let mut connection = node.connect(&tenant.identity).unwrap();
    for (id, key) in alive.iter().zip(&keys) {
        assert_eq!(&get(&mut connection, id), key, "the same key");
    }
    assert_eq!(keys[1], material, "a registered key is the one that was registered");
    for (id, told) in ids.iter().zip(&told) {
        assert_eq!(&attributes(&mut connection, id), told, "the same attributes");
    }
    let refused = connection.request(V1_4, GetRequest::of(&ids[4])).unwrap_err();
    assert_eq!(refused.reason(), Some(ResultReason::ItemNotFound), "a destroyed key stays destroyed");
    let located = LocateRequest { attributes: vec![name("key-1").into()], ..LocateRequest::default() };
    assert_eq!(connection.request(V1_4, located).unwrap().unique_identifiers, [ids[1].clone()]);
    assert!(node.connect(&known).is_ok(), "a registered client stays registered");
    let still = node.connect(&gone).and_then(|mut connection| Ok(connection.request(V1_4, LocateRequest::default())?));
    assert!(still.is_err(), "a revoked client stays revoked");

    // The log went on where it was: what was exported is the beginning of what is exported now.
    let all = records(&node, &tenant.name).unwrap();
    assert!(u64::try_from(all.len()).unwrap() > known_before.count);
    let now = node.export(&tenant.name).unwrap();
    let record_lines = |bundle: &[u8], count: u64| -> Vec<String> {
        let text = String::from_utf8(bundle.to_vec()).unwrap();
        text.lines()
            .filter(|line| line.contains("\"record\""))
            .take(count.try_into().unwrap())
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(record_lines(&now, known_before.count), record_lines(&exported, known_before.count));
}

#[test]
fn a_node_refuses_to_serve_with_a_store_that_could_lose_keys() {
    let node = Node::prepare(&StageOptions::default()).unwrap();
    let config = fs::read_to_string(node.stage.config()).unwrap();
    for weak in ["off", "normal"] {
        let weakened = config.replace("[store]\n", &format!("[store]\nsynchronous = \"{weak}\"\n"));
        assert_ne!(weakened, config);
        fs::write(node.stage.config(), weakened).unwrap();
        let refused = node.stage.serve(&node.programs, &[]).unwrap_err().to_string();
        assert!(refused.contains("synchronous"), "{refused}");
    }
}

#[test]
fn a_store_has_one_node() {
    let node = Node::start().unwrap();
    let refused = node.stage.serve(&node.programs, &[]).unwrap_err().to_string();
    assert!(refused.contains("store"), "{refused}");
    // The first one is not disturbed.
    let tenant = node.tenant("restart", "anssi").unwrap();
    node.connect(&tenant.identity).unwrap().request(V1_4, aes(Vec::new())).unwrap();
}

#[test]
fn a_node_that_was_not_initialized_says_so() {
    let folder = system_tests::node::folder().unwrap();
    let programs = xtask::stage::Programs::beside_this_one().unwrap();
    let stage = xtask::stage::Stage::prepare(&folder.path().join("stage"), &StageOptions::default()).unwrap();
    match stage.serve(&programs, &[]) {
        Err(refused) => assert!(refused.to_string().contains("trust_anchor"), "{refused}"),
        Ok(_) => panic!("it serves without ceremony"),
    }
}

#[test]
fn a_node_that_stops_under_load_keeps_what_it_answered() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("restart", "anssi").unwrap();
    let dial = Dial::to(&node, &tenant.identity, TlsVersions::Both).unwrap();
    let (made, progress) = mpsc::channel();
    let acknowledged: Vec<String> = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (dial, made) = (dial.clone(), made.clone());
            scope.spawn(move || {
                let mut connection = dial.connect().unwrap();
                // Until the server hangs up.
                while let Ok(created) = connection.request(V1_4, aes(Vec::new())) {
                    made.send(created.unique_identifier).unwrap();
                }
            });
        }
        drop(made);
        let before: Vec<String> = progress.iter().take(100).collect();
        // Ends well, or this fails; the clients are in the middle of it.
        node.stop().unwrap();
        before.into_iter().chain(progress.iter()).collect()
    });
    node.serve().unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    for id in &acknowledged {
        assert_eq!(get(&mut connection, id).len(), 32, "{id}");
    }
    // And nothing half: every key that is there has its record, one for each that was made.
    let there = connection.request(V1_4, LocateRequest::default()).unwrap().unique_identifiers;
    let created = records(&node, &tenant.name).unwrap().into_iter().filter(|record| record.operation == "Create");
    let recorded: BTreeSet<String> = created.filter_map(|record| record.object).collect();
    assert_eq!(recorded, there.into_iter().collect());
    assert!(acknowledged.iter().all(|id| recorded.contains(id)));
}
