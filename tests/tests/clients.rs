//! Clients of other people's products, as libraries that their products really use: MongoDB's libmongocrypt, which
//! encodes KMIP in C, OpenStack Barbican's secret store and OpenStack Swift's keymaster, both on PyKMIP.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use system_tests::clients::{Expectations, Visitor};
use system_tests::node::Node;

/// Plays a story of so many steps as a new tenant's client.
fn plays(node: &Node, policy: &str, client: &str, file: &str, arguments: &[&str], len: usize) {
    let tenant = node.tenant(client, policy).unwrap();
    let told = Visitor::of(node, &tenant).unwrap().story(file, arguments).unwrap();
    let passed = told.iter().filter(|step| step.failure.is_none()).count();
    println!("{client} ({policy}): {passed} of {} steps passed", told.len());
    let complaints = Expectations::of_this_tree().unwrap().complaints(client, None, &told);
    assert!(complaints.is_empty(), "{client} ({policy}):\n{}", complaints.join("\n"));
    assert_eq!(told.len(), len, "{client}: {told:?}");
}

#[test]
fn mongodb_encrypts_fields() {
    let node = Node::start().unwrap();
    plays(&node, "anssi", "mongodb", "mongodb_encryption.py", &[], 14);
}

#[test]
fn barbican_keeps_secrets() {
    let node = Node::start().unwrap();
    plays(&node, "anssi", "barbican", "barbican_store.py", &["modern", "3des"], 13);
    plays(&node, "legacy", "barbican-legacy", "barbican_store.py", &["3des"], 2);
}

#[test]
fn swift_gets_its_root_secrets() {
    let node = Node::start().unwrap();
    plays(&node, "anssi", "swift", "swift_keymaster.py", &[], 7);
}
