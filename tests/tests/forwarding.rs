//! Every record reaches a real syslog server over TLS, through restarts and deaths of both sides.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit::{LogId, Outcome};
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use serde_json::Value;
use system_tests::asking::{aes, name};
use system_tests::collector::Collector;
use system_tests::exported::records;
use system_tests::node::{Node, Result, Tenant};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// For how long a collector hangs: longer than any part of the node's belief in a connection. Nothing is measured by it.
const HUNG: Duration = Duration::from_secs(8);

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
fn check(node: &Node, collector: &Collector, name: &str) -> usize {
    let all = records(node, name).unwrap();
    let log = all[0].log;
    let count = u64::try_from(all.len()).unwrap();
    collector.wait_for(log, count - 1).unwrap();
    let positions = collector.positions(log);
    let mut highest = None;
    for position in &positions {
        // After a broken connection a stretch comes again from an earlier position; a jump forward would be a hole.
        assert!(*position <= highest.map_or(0, |highest| highest + 1), "{name}: {position} after {highest:?}");
        highest = highest.max(Some(*position));
    }
    // That this was exported is on record behind what was exported; and the system's log goes on.
    let positions: Vec<u64> = positions.into_iter().filter(|position| *position < count).collect();
    let seen: BTreeSet<u64> = positions.iter().copied().collect();
    assert_eq!(seen, (0..count).collect());
    for line in collector.received() {
        let Some((of, position)) = audit::siem::position_in(&line).filter(|(of, _)| *of == log) else { continue };
        let Some(record) = all.get(usize::try_from(position).unwrap()) else { continue };
        let message: Value = serde_json::from_str(&line[line.find("] {").unwrap() + 2..]).unwrap();
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
    assert_eq!(check(&node, &collector, &tenant.name), 0);
    // An orderly stop waits for the collector to have read everything: nothing comes again after it.
    node.restart().unwrap();
    work(&node, &tenant, "two", 5);
    assert_eq!(check(&node, &collector, &tenant.name), 0);
    let system = records(&node, "system").unwrap();
    assert!(system.iter().any(|record| record.operation == "Collector Connected"));
}

#[test]
fn nothing_is_lost_while_the_collector_is_away_and_both_sides_die() {
    let mut collector = Collector::start().unwrap();
    let mut node = forwarding(&collector);
    let tenant = node.tenant("away", "anssi").unwrap();
    work(&node, &tenant, "before", 20);
    check(&node, &collector, &tenant.name);

    collector.stop().unwrap();
    work(&node, &tenant, "while it is away", 600);
    collector.resume().unwrap();
    check(&node, &collector, &tenant.name);

    collector.kill().unwrap();
    work(&node, &tenant, "while it is dead", 20);
    node.kill();
    collector.resume().unwrap();
    node.serve().unwrap();
    work(&node, &tenant, "after both died", 20);
    let repeated = check(&node, &collector, &tenant.name);
    node.restart().unwrap();
    work(&node, &tenant, "at peace again", 20);
    assert_eq!(check(&node, &collector, &tenant.name), repeated, "an orderly end lets nothing come again");

    let system = records(&node, "system").unwrap();
    let lost = system.iter().find(|record| record.operation == "Collector Lost").unwrap();
    assert!(lost.outcome == Outcome::Failed && lost.log == LogId::System);
    assert!(lost.detail.as_deref().unwrap_or_default().starts_with("rsyslog: "), "{lost:?}");
}

#[test]
fn what_a_hung_collector_never_read_comes_again_after_its_death() {
    let mut collector = Collector::start().unwrap();
    let node = forwarding(&collector);
    let tenant = node.tenant("hung", "anssi").unwrap();
    work(&node, &tenant, "before", 20);
    check(&node, &collector, &tenant.name);
    // Few enough for its kernel to take them all, so that no connection breaks; and it hangs for longer than a node
    // would wait that believes a connection which lives on.
    let last = || -> Result<u64> { Ok(u64::try_from(records(&node, &tenant.name)?.len())? - 1) };
    let before = last().unwrap();
    let written = collector.hang_and_die(HUNG, || {
        work(&node, &tenant, "while it hangs", 20);
        Ok(())
    });
    written.unwrap();
    let log = records(&node, &tenant.name).unwrap()[0].log;
    let read = collector.positions(log).into_iter().max().unwrap();
    assert!(read <= before + 1 && last().unwrap() > before + 20, "it read what it was to lose: {read}, {before}");
    collector.resume().unwrap();
    for log in [&tenant.name, "system"] {
        check(&node, &collector, log);
    }
}

#[test]
fn a_collector_that_dies_at_work_is_sent_what_it_had_in_hand_and_of_every_log_everything() {
    let mut collector = Collector::start().unwrap();
    let node = forwarding(&collector);
    let tenants = [node.tenant("busy", "anssi").unwrap(), node.tenant("busier", "anssi").unwrap()];
    let logs = tenants.each_ref().map(|tenant| records(&node, &tenant.name).unwrap()[0].log);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for tenant in &tenants {
            let (node, over) = (&node, &over);
            scope.spawn(move || {
                let mut connection = node.connect(&tenant.identity).unwrap();
                let id = connection.request(V1_4, aes(vec![name("key")])).unwrap().unique_identifier;
                while !over.load(Ordering::Relaxed) {
                    connection.request(V1_4, GetRequest::of(&id)).unwrap();
                }
            });
        }
        for death in 1..=3 {
            // In the middle of what is being done: more has come since the last time.
            logs.iter().for_each(|log| collector.wait_for(*log, death * 100).unwrap());
            collector.kill().unwrap();
            collector.resume().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    let [busy, busier] = tenants.each_ref().map(|tenant| tenant.name.as_str());
    let repeated: usize = [busy, busier, "system"].iter().map(|log| check(&node, &collector, log)).sum();
    assert!(repeated > 0, "three deaths, and nothing was sent again");
}
