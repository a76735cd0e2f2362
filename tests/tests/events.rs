//! What a node tells of itself in the system's log: how it was made, when it ran, and as what.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;

use audit::{Identity, Record};
use system_tests::exported::records;
use system_tests::node::Node;
use xtask::stage::StageOptions;

fn told(node: &Node, operations: &[&str]) -> Vec<Record> {
    let all = records(node, "system").unwrap();
    let told: Vec<Record> = all.into_iter().filter(|one| operations.contains(&one.operation.as_str())).collect();
    assert!(told.iter().all(|record| record.identity == Identity::Node));
    told
}

fn verbs(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.operation.as_str()).collect()
}

fn detail(record: &Record) -> &str {
    record.detail.as_deref().unwrap()
}

/// The configuration's digest, as a start tells it.
fn configuration(start: &Record) -> &str {
    assert_eq!(start.operation, "Start");
    let digest = detail(start).split("; configuration ").nth(1).unwrap().split(';').next().unwrap();
    assert!(digest.len() == 64 && detail(start).starts_with("version "), "{start:?}");
    digest
}

const LIFE: [&str; 3] = ["Start", "Stop", "Configuration Changed"];

#[test]
fn starts_stops_and_other_settings_are_on_record_and_a_crash_is_a_start_without_a_stop() {
    let mut node = Node::start().unwrap();
    let before = told(&node, &LIFE);
    node.restart().unwrap();
    let quiet = told(&node, &LIFE)[before.len()..].to_vec();
    assert_eq!(verbs(&quiet), ["Stop", "Start"]);
    assert_ne!(quiet[0].boot, quiet[1].boot);
    assert_eq!(configuration(&quiet[1]), configuration(before.iter().rfind(|one| one.operation == "Start").unwrap()));

    node.kill();
    let config = fs::read_to_string(node.stage.config()).unwrap();
    fs::write(node.stage.config(), format!("{config}\n[dual_control]\nquorum = 3\n")).unwrap();
    node.serve().unwrap();
    let all = told(&node, &LIFE);
    let changed = &all[before.len() + quiet.len()..];
    assert_eq!(verbs(changed), ["Start", "Configuration Changed"]);
    assert_ne!(configuration(&changed[0]), configuration(&quiet[1]));
    let expected = format!("in dual_control; configuration {} before", configuration(&quiet[1]));
    assert_eq!(detail(&changed[1]), expected);

    // Comments and order are no settings.
    node.stop().unwrap();
    fs::write(node.stage.config(), format!("# as before\n[dual_control]\nquorum = 3\n\n{config}")).unwrap();
    node.serve().unwrap();
    let last = told(&node, &LIFE)[all.len()..].to_vec();
    assert_eq!(verbs(&last), ["Stop", "Start"]);
    assert_eq!(configuration(&last[1]), configuration(&changed[0]));
}

#[test]
fn the_initialization_names_the_root_of_trust_and_the_members_and_so_does_one_that_only_verifies() {
    let mut node = Node::start().unwrap();
    let status = node.admin("auditor").unwrap().hsm_status().unwrap();
    let root = status.root_of_trust.to_string();
    let expected = |done: &str| format!("Root of Trust {root} {done} on PAR7S, TH3S, AZ07");
    let made = told(&node, &["Initialize"]);
    assert_eq!(made.iter().map(detail).collect::<Vec<_>>(), [expected("made")]);
    node.stop().unwrap();
    node.stage.init(&node.programs).unwrap();
    node.serve().unwrap();
    let all = told(&node, &["Initialize"]);
    assert_eq!(all.iter().map(detail).collect::<Vec<_>>(), [expected("made"), expected("verified")]);
}

#[test]
fn a_node_that_was_made_and_never_served_has_told_of_that() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    node.serve().unwrap();
    let all = told(&node, &["Start", "Stop", "Initialize"]);
    assert_eq!(verbs(&all), ["Start", "Initialize", "Stop", "Start"]);
}
