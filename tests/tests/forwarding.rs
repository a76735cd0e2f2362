//! Every record reaches a real syslog server over TLS, through restarts and deaths of both sides.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;

use audit::{LogId, Outcome};
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use serde_json::Value;
use system_tests::asking::{aes, name};
use system_tests::collector::Collector;
use system_tests::exported::records;
use system_tests::node::{Node, Tenant};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// A node that forwards to a collector.
fn forwarding(collector: &Collector) -> Node {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut config = OpenOptions::new().append(true).open(node.stage.config()).unwrap();
    config.write_all(collector.section().as_bytes()).unwrap();
    node.serve().unwrap();
    node
}

/// Makes a key, and fetches it some times.
fn work(node: &Node, tenant: &Tenant, key: &str, times: usize) {
    let mut connection = node.connect(&tenant.identity).unwrap();
    let id = connection.request(V1_4, aes(vec![name(key)])).unwrap().unique_identifier;
    for _ in 0..times {
        connection.request(V1_4, GetRequest::of(&id)).unwrap();
    }
}

/// Waits until the whole log is there, and checks it: no hole, nothing out of order, every message the record itself.
/// Returns how many records came more than once.
fn check(node: &Node, collector: &Collector, tenant: &Tenant) -> usize {
    let all = records(node, &tenant.name).unwrap();
    let log = all[0].log;
    let count = u64::try_from(all.len()).unwrap();
    collector.wait_for(log, count - 1).unwrap();
    let positions = collector.positions(log);
    let mut highest = None;
    for position in &positions {
        // After a broken connection a stretch comes again from an earlier position; a jump forward would be a hole.
        assert!(*position <= highest.map_or(0, |highest| highest + 1), "{position} after {highest:?}");
        highest = highest.max(Some(*position));
    }
    // That this was exported is on record behind what was exported.
    let positions: Vec<u64> = positions.into_iter().filter(|position| *position < count).collect();
    let seen: BTreeSet<u64> = positions.iter().copied().collect();
    assert_eq!(seen, (0..count).collect());
    for line in collector.received() {
        let Some((of, position)) = audit::siem::position_in(&line).filter(|(of, _)| *of == log) else { continue };
        if position >= count {
            continue;
        }
        let message: Value = serde_json::from_str(&line[line.find("] {").unwrap() + 2..]).unwrap();
        let record = &all[usize::try_from(position).unwrap()];
        assert_eq!(
            (message["log"].as_str(), message["operation"].as_str()),
            (Some(&*of.to_string()), Some(&*record.operation))
        );
        assert_eq!(message["counter"].as_u64(), Some(record.counter));
    }
    positions.len() - seen.len()
}

#[test]
fn every_record_reaches_the_collector_once_and_in_order_while_all_is_well() {
    let collector = Collector::start().unwrap();
    let mut node = forwarding(&collector);
    let tenant = node.tenant("forwarded", "anssi").unwrap();
    work(&node, &tenant, "one", 300);
    assert_eq!(check(&node, &collector, &tenant), 0);
    // An orderly stop waits for the collector to have read everything: nothing comes again after it.
    node.restart().unwrap();
    work(&node, &tenant, "two", 5);
    assert_eq!(check(&node, &collector, &tenant), 0);
    let system = records(&node, "system").unwrap();
    assert!(system.iter().any(|record| record.operation == "Collector Connected"));
}

#[test]
fn nothing_is_lost_while_the_collector_is_away_and_both_sides_die() {
    let mut collector = Collector::start().unwrap();
    let mut node = forwarding(&collector);
    let tenant = node.tenant("away", "anssi").unwrap();
    work(&node, &tenant, "before", 20);
    check(&node, &collector, &tenant);

    collector.stop().unwrap();
    work(&node, &tenant, "while it is away", 600);
    collector.resume().unwrap();
    check(&node, &collector, &tenant);

    collector.kill().unwrap();
    work(&node, &tenant, "while it is dead", 20);
    node.kill();
    collector.resume().unwrap();
    node.serve().unwrap();
    work(&node, &tenant, "after both died", 20);
    let repeated = check(&node, &collector, &tenant);
    node.restart().unwrap();
    work(&node, &tenant, "at peace again", 20);
    assert_eq!(check(&node, &collector, &tenant), repeated, "an orderly end lets nothing come again");

    let system = records(&node, "system").unwrap();
    let lost = system.iter().find(|record| record.operation == "Collector Lost").unwrap();
    assert!(lost.outcome == Outcome::Failed && lost.log == LogId::System);
    assert!(lost.detail.as_deref().unwrap_or_default().starts_with("rsyslog: "), "{lost:?}");
}
