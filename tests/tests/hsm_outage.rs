//! HSM members are pulled out under a running node: their token directories vanish.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::PathBuf;
use std::thread;

use admin_api::{GroupState, HsmMember, HsmStatus};
use audit::Outcome;
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use kmip::registry::ResultReason;
use system_tests::asking::{aes, bytes};
use system_tests::exported::records;
use system_tests::faults::{OF_THE_HSM, demand_injector};
use system_tests::node::{Node, Result, Tenant};
use xtask::stage::StageOptions;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// The folder of the token with this label.
fn token(node: &Node, label: &str) -> PathBuf {
    let tokens = fs::read_dir(node.dir().join("tokens")).unwrap().map(|entry| entry.unwrap().path());
    let labelled = |dir: &PathBuf| {
        let object = fs::read(dir.join("token.object")).unwrap_or_default();
        object.windows(label.len()).any(|window| window == label.as_bytes())
    };
    tokens.into_iter().find(labelled).unwrap_or_else(|| panic!("no token has the label {label}"))
}

/// Pulls a member out; gives where its token was and where it is now.
fn pull_out(node: &Node, label: &str) -> (PathBuf, PathBuf) {
    let (place, aside) = (token(node, label), node.dir().join(format!("pulled-out-{label}")));
    fs::rename(&place, &aside).unwrap();
    (place, aside)
}

fn put_back((place, aside): (PathBuf, PathBuf)) {
    fs::rename(aside, place).unwrap();
}

/// Asks for the status until it is as wanted; every answer comes from the node, which probes by itself.
fn until(node: &Node, wanted: impl Fn(&HsmStatus) -> bool) -> HsmStatus {
    let admin = node.admin("operator").unwrap();
    loop {
        let status = admin.hsm_status().unwrap();
        if wanted(&status) {
            return status;
        }
        thread::yield_now();
    }
}

fn member<'a>(status: &'a HsmStatus, label: &str) -> &'a HsmMember {
    status.members.iter().find(|member| member.label == label).unwrap()
}

fn up(status: &HsmStatus) -> Vec<&str> {
    status.members.iter().filter(|member| member.up).map(|member| member.label.as_str()).collect()
}

/// What the system's log tells of a member since the last start, as verb and cause, once it tells as much as `wanted`:
/// the record follows the event.
fn told_of(node: &Node, label: &str, wanted: usize) -> Vec<(String, Option<String>)> {
    loop {
        let all = records(node, "system").unwrap();
        let start = all.iter().rposition(|record| record.operation == "Start").unwrap();
        let told: Vec<_> = all[start..]
            .iter()
            .filter(|record| record.operation.starts_with("HSM Member") && record.object.as_deref() == Some(label))
            .map(|record| {
                assert_eq!(record.outcome == Outcome::Success, record.operation == "HSM Member Up", "{record:?}");
                (record.operation.clone(), record.detail.clone())
            })
            .collect();
        if told.len() >= wanted {
            return told;
        }
        thread::yield_now();
    }
}

fn verbs(told: &[(String, Option<String>)]) -> Vec<&str> {
    told.iter().map(|(operation, _)| operation.as_str()).collect()
}

/// The key of an old tenant, and what it is.
struct Known {
    tenant: Tenant,
    id: String,
    key: Vec<u8>,
}

impl Known {
    fn made_on(node: &Node) -> Self {
        let tenant = node.tenant("outage", "anssi").unwrap();
        let mut connection = node.connect(&tenant.identity).unwrap();
        let id = connection.request(V1_4, aes(Vec::new())).unwrap().unique_identifier;
        let key = bytes(&connection.request(V1_4, GetRequest::of(&id)).unwrap()).unwrap().to_vec();
        Self { tenant, id, key }
    }

    /// Whether it opens, and is the same.
    fn opens_on(&self, node: &Node) -> Result<()> {
        let got = node.connect(&self.tenant.identity)?.request(V1_4, GetRequest::of(&self.id))?;
        if bytes(&got) == Some(&self.key) { Ok(()) } else { Err("another key".into()) }
    }
}

#[test]
fn a_lost_member_is_told_of_and_costs_nothing_and_only_because_of_failover() {
    let mut node = Node::start().unwrap();
    let old = Known::made_on(&node);
    assert_eq!(up(&until(&node, |status| status.state == GroupState::Up)), ["PAR7S", "TH3S", "AZ07"]);

    let pulled = pull_out(&node, "PAR7S");
    let status = until(&node, |status| !member(status, "PAR7S").up);
    assert_eq!(status.state, GroupState::Degraded);
    assert_eq!(up(&status), ["TH3S", "AZ07"]);
    assert!(member(&status, "PAR7S").reason.as_deref().is_some_and(|reason| !reason.is_empty()));
    let told = told_of(&node, "PAR7S", 1);
    assert_eq!(verbs(&told), ["HSM Member Lost"]);
    assert!(told[0].1.as_deref().is_some_and(|why| !why.is_empty()), "{told:?}");
    old.opens_on(&node).unwrap();
    let new = Known::made_on(&node);
    new.opens_on(&node).unwrap();

    node.restart().unwrap();
    old.opens_on(&node).unwrap();
    new.opens_on(&node).unwrap();
    let status = node.admin("operator").unwrap().hsm_status().unwrap();
    assert!(member(&status, "TH3S").opened >= 2, "who served is counted: {status:?}");
    assert_eq!(member(&status, "PAR7S").opened, 0);
    // One that is not there at the start is told of, too; the others are not.
    assert_eq!(verbs(&told_of(&node, "PAR7S", 1)), ["HSM Member Lost"]);
    assert_eq!(told_of(&node, "TH3S", 0), []);

    // The control: with failover switched off, the same fails. It may fail by not starting at all.
    demand_injector(&node).unwrap();
    node.stop().unwrap();
    node.set_environment(&[(OF_THE_HSM, "no-failover")]);
    let served = node.serve().and_then(|()| old.opens_on(&node));
    assert!(served.is_err(), "without failover a lost member must cost something");
    node.kill();

    node.set_environment(&[]);
    put_back(pulled);
    node.serve().unwrap();
    until(&node, |status| up(status) == ["PAR7S", "TH3S", "AZ07"]);
    old.opens_on(&node).unwrap();
    new.opens_on(&node).unwrap();
}

#[test]
fn the_control_is_about_failover_and_not_about_the_switch() {
    // With every member there, a node whose failover is off serves: what fails in the control is the failover.
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    demand_injector(&node).unwrap();
    node.set_environment(&[(OF_THE_HSM, "no-failover")]);
    node.serve().unwrap();
    Known::made_on(&node).opens_on(&node).unwrap();
}

#[test]
fn one_member_of_three_is_enough() {
    let node = Node::start().unwrap();
    let old = Known::made_on(&node);
    for label in ["PAR7S", "TH3S"] {
        pull_out(&node, label);
    }
    until(&node, |status| up(status) == ["AZ07"]);
    old.opens_on(&node).unwrap();
    Known::made_on(&node).opens_on(&node).unwrap();
}

#[test]
fn without_any_member_nothing_opens_and_nothing_is_made() {
    let mut node = Node::start().unwrap();
    let old = Known::made_on(&node);
    for label in ["PAR7S", "TH3S", "AZ07"] {
        pull_out(&node, label);
    }
    let status = until(&node, |status| up(status).is_empty());
    assert_eq!(status.state, GroupState::Down);
    let mut connection = node.connect(&old.tenant.identity).unwrap();
    let refused = connection.request(V1_4, GetRequest::of(&old.id)).unwrap_err();
    assert_eq!(refused.reason(), Some(ResultReason::GeneralFailure));
    assert!(connection.request(V1_4, aes(Vec::new())).is_err());
    assert!(node.tenant("outage", "anssi").is_err(), "no domain without a Domain Key");
    // The database alone opens nothing.
    node.stop().unwrap();
    let served = node.serve().and_then(|()| old.opens_on(&node));
    assert!(served.is_err());
}

#[test]
fn a_member_that_comes_back_into_a_running_node_serves_again() {
    let node = Node::start().unwrap();
    let old = Known::made_on(&node);
    let pulled = pull_out(&node, "TH3S");
    until(&node, |status| !member(status, "TH3S").up);
    put_back(pulled);
    until(&node, |status| member(status, "TH3S").up);
    old.opens_on(&node).unwrap();
    assert_eq!(verbs(&told_of(&node, "TH3S", 2)), ["HSM Member Lost", "HSM Member Up"]);
    assert_eq!(told_of(&node, "PAR7S", 0), []);
}

#[test]
fn a_member_that_only_an_operator_can_bring_back_is_told_of_as_stopped() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    // A PIN that is no text is not tried: it could lock the token.
    fs::write(node.dir().join("hsm/AZ07.pin"), [0xff, 0xfe]).unwrap();
    node.serve().unwrap();
    assert_eq!(verbs(&told_of(&node, "AZ07", 1)), ["HSM Member Stopped"]);
    Known::made_on(&node).opens_on(&node).unwrap();
}

#[test]
fn garbage_from_a_member_never_becomes_a_key() {
    let mut node = Node::start().unwrap();
    let old = Known::made_on(&node);
    demand_injector(&node).unwrap();
    node.stop().unwrap();
    for faults in ["PAR7S=garbage", "PAR7S=fail", "PAR7S=hang", "PAR7S=garbage,TH3S=fail"] {
        node.set_environment(&[(OF_THE_HSM, faults)]);
        node.serve().unwrap();
        old.opens_on(&node).unwrap_or_else(|error| panic!("{faults}: {error}"));
        let new = Known::made_on(&node);
        node.stop().unwrap();
        // What was made beside a faulty member is good.
        node.set_environment(&[]);
        node.serve().unwrap();
        new.opens_on(&node).unwrap_or_else(|error| panic!("{faults}, later: {error}"));
        node.stop().unwrap();
    }
}
