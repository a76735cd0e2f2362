//! No operation writes an opened key back (bars C4 to C6): after each of them, the bytes of every key, secret, private
//! number, certificate and plaintext that went through the server are looked for in everything that it keeps.
//!
//! Every operation is asked, well and wrongly, about objects of every kind whose bytes the test knows, or learns by a Get
//! when the server made them. Then the database with its write-ahead log, every other file of the node, the server's log
//! at its most talkative, the export of the audit log, every answer that is not to hold any, and the memory of the
//! server's process are searched for these bytes and for their halves, raw and in every form in which bytes get out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod module;
mod objects;
mod requests;
mod world;

use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::message::{Outcome, SUPPORTED_VERSIONS};
use kmip::registry::Operation;
use kmip::{Tag, payload::RequestPayload};
use system_tests::needles::Needles;
use system_tests::node::Node;
use system_tests::random::Random;
use system_tests::{asking, memory};
use world::World;
use xtask::stage::StageOptions;

fn talkative() -> StageOptions {
    StageOptions { log_level: "trace".to_owned(), ..StageOptions::default() }
}

#[test]
fn no_operation_leaves_an_opened_key_behind() {
    let mut random = Random::announced("no_operation_leaves_an_opened_key_behind");
    let node = Node::start_with(&talkative(), &[memory::WIPED_BY_C]).unwrap();
    for version in SUPPORTED_VERSIONS {
        let mut world = World::new(&node, version, &mut random);
        assert_eq!(world.search(), [], "after Register in {version}");
        for operation in Operation::ALL.iter().copied().filter(|operation| operation.is_known_to(version)) {
            let requests = requests::of(operation, &mut world);
            assert!(
                !requests.is_empty() || !world.offered.contains(&operation),
                "{operation} is offered, and not asked"
            );
            let mut worked = 0;
            for payload in requests {
                let asked = payload.operation();
                let outcome = world.perform(payload);
                worked += usize::from(asked == operation && matches!(outcome, Outcome::Success(_)));
            }
            assert!(worked > 0 || !world.offered.contains(&operation), "{operation} in {version} never succeeded");
            assert_eq!(world.search(), [], "after {operation} in {version}");
        }
        world.all_are_what_they_were();
        println!("{version}: {} secrets, {} bytes beside the files", world.markers, world.searched);
        assert!(world.markers > 60, "{} secrets", world.markers);
    }
    if !memory::may_look() {
        println!("not looked for in memory: only root may look into the server's");
    }
}

/// The controls: the same searches find what was planted, what a client said in clear, and a key that is in use.
#[test]
fn what_is_planted_is_found_where_it_was_planted() {
    let mut random = Random::announced("what_is_planted_is_found_where_it_was_planted");
    let mut needles = Needles::default();
    let [kept, held, used] = ["kept", "held", "used"].map(|name| {
        let bytes = random.bytes(32);
        needles.add(name, &bytes).unwrap();
        bytes
    });
    let version = ProtocolVersion::V1_4;
    let node = Node::start_with(&talkative(), &[("CLAVIS_PLANTED", &hex::encode(held))]).unwrap();
    let tenant = node.tenant("planted", "legacy").unwrap();
    let attribute = AttributeValue::custom("x-planted", |w| w.bytes(Tag::ATTRIBUTE_VALUE, &kept)).unwrap();
    let request: RequestPayload = asking::aes(vec![attribute]).into();
    let mut client = node.connect(&tenant.identity).unwrap();
    client.operation(version, request).unwrap();
    let (_, hits) = needles.find_in_folder(node.dir()).unwrap();
    assert!(hits.iter().any(|hit| hit.secret == "kept" && hit.place.starts_with("store/")), "{hits:?}");

    // Between the parts of a stream the server has the key.
    let key = client.request(version, objects::key(&used)).unwrap().unique_identifier;
    client.request(version, requests::first_part(&key)).unwrap();
    drop(client);
    if memory::may_look() {
        let (bytes, hits) = memory::find(&needles, node.server().unwrap().id()).unwrap();
        assert!(hits.iter().any(|hit| hit.secret == "held" && hit.form == "hex"), "{hits:?} in {bytes} bytes");
        assert!(hits.iter().any(|hit| hit.secret == "used" && hit.form == "raw"), "{hits:?} in {bytes} bytes");
    }
}
