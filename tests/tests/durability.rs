//! What was acknowledged survives: kills, power cuts, cut connections, failed commits (bars D1, D2, D5, L1).
//!
//! The node is killed at random moments under clients that create, register, tag, activate, revoke and destroy keys;
//! each of them remembers what was acknowledged. After every restart the same check holds what is there against that:
//! [`system_tests::aftermath`]. Three servers that are broken on purpose must not pass it.
//!
//! `CLAVIS_KILLS` and `CLAVIS_POWER_CUTS` set how often, `CLAVIS_SEED` repeats the choices; the threads' own timing is
//! never the same twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[expect(dead_code, reason = "shared with the tests of the store alone, which use all of it")]
#[path = "../powercut/powercut.rs"]
mod powercut;

use std::process::Command;

use audit::Outcome;
use kmip::ProtocolVersion;
use kmip::message::RequestMessage;
use kmip::payload::{GetRequest, LocateRequest};
use kmip_client::TlsVersions;
use powercut::PoweredFolder;
use system_tests::aftermath::{Finding, findings, store_findings};
use system_tests::faults::{OF_THE_STORE, demand_injector};
use system_tests::load::{Ledger, Moment, until_it_dies};
use system_tests::node::{Dial, Node, Tenant, folder};
use system_tests::random::{Random, count};
use system_tests::relay::Relay;
use system_tests::{asking, exported};
use tempfile::TempDir;

/// What `make test` does; `make soak` does ten times as much.
const REPETITIONS: u64 = 20;
/// A node lives through so many crashes, then comes a new one: everything on it is looked at after each.
const CRASHES_PER_NODE: u64 = 10;
/// A crash comes after so many requests or acknowledgements at most.
const MOST: usize = 60;
/// Tries until a broken server must have been found out.
const CONTROL_TRIES: u64 = 40;
const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// A node with one tenant, and what was acknowledged to it.
struct Scene {
    node: Node,
    tenant: Tenant,
    ledger: Ledger,
    round: u64,
    power: Option<(PoweredFolder, TempDir)>,
    faults: Option<&'static str>,
}

impl Scene {
    /// A node that was set up in good order; from its next start on it is as the arguments say.
    fn new(powered: bool, faults: Option<&'static str>) -> Self {
        let mut node = Node::start().unwrap();
        let tenant = node.tenant("durable", "anssi").unwrap();
        let power = powered.then(|| {
            let scratch = folder().unwrap();
            let store = node.stage.store().parent().unwrap().to_owned();
            (PoweredFolder::new(store, scratch.path()).unwrap(), scratch)
        });
        if faults.is_some() {
            demand_injector(&node).unwrap();
        }
        if powered || faults.is_some() {
            node.stop().unwrap();
        }
        let mut scene = Self { node, tenant, ledger: Ledger::default(), round: 0, power, faults };
        if scene.power.is_some() || faults.is_some() {
            scene.serve(faults, None);
        }
        scene
    }

    /// Starts the server, with faults of its store, and from a certain sync on with a disk that refuses every one.
    fn serve(&mut self, faults: Option<&str>, failing_sync: Option<u32>) {
        let mut command = Command::new("the variables of it are what is wanted");
        match (&self.power, failing_sync) {
            (Some((folder, _)), None) => {
                folder.power(&mut command);
            }
            (Some((folder, _)), Some(sync)) => {
                folder.fail_sync(&mut command, sync);
            }
            (None, _) => {}
        }
        if let Some(faults) = faults {
            command.env(OF_THE_STORE, faults);
        }
        let variables: Vec<(&str, &str)> = command
            .get_envs()
            .map(|(name, value)| (name.to_str().unwrap(), value.unwrap().to_str().unwrap()))
            .collect();
        self.node.set_environment(&variables);
        self.node.serve().unwrap();
    }

    /// Work until the crash, the crash, what SQLite says about the rest; the node is down afterwards.
    fn crash(&mut self, random: &mut Random) -> Vec<Finding> {
        self.round += 1;
        let moment = Moment::at_random(random, MOST);
        let ledger = std::mem::take(&mut self.ledger);
        self.ledger = until_it_dies(&self.node, &self.tenant.identity, self.round, moment, random, ledger).unwrap();
        self.node.kill();
        if let Some((folder, _)) = &self.power {
            folder.restore().unwrap();
        }
        store_findings(&self.node).unwrap()
    }

    /// A crash, a restart without any help, and everything that is not as it should be.
    fn crash_and_look(&mut self, random: &mut Random) -> Vec<Finding> {
        let mut found = self.crash(random);
        self.serve(self.faults, None);
        found.extend(findings(&self.node, &self.tenant, &self.ledger).unwrap());
        found
    }
}

fn nothing_is_lost(variable: &str, powered: bool) {
    let mut random = Random::announced("nothing_is_lost");
    let mut scene = Scene::new(powered, None);
    let (mut keys, mut answers, crashes) = (0, 0, count(variable, REPETITIONS));
    for crash in 1..=crashes {
        let found = scene.crash_and_look(&mut random);
        assert_eq!(found, [], "after crash {crash}");
        assert_eq!(scene.ledger.refusals, [] as [String; 0], "up to crash {crash}");
        if crash % CRASHES_PER_NODE == 0 || crash == crashes {
            keys += scene.ledger.keys.len();
            answers += scene.ledger.answers.len();
            if crash < crashes {
                scene = Scene::new(powered, None);
            }
        }
    }
    println!("{crashes} crashes, {answers} answers about {keys} keys acknowledged, 0 lost, 0 half made");
    assert!(keys > 0 && answers > keys);
}

#[test]
fn kills_lose_nothing_acknowledged_and_leave_nothing_half_made() {
    nothing_is_lost("CLAVIS_KILLS", false);
}

#[test]
fn power_cuts_lose_nothing_acknowledged_and_leave_nothing_half_made() {
    nothing_is_lost("CLAVIS_POWER_CUTS", true);
}

/// The same check, on a server that breaks its promise, must find that something acknowledged is gone.
fn broken_server_is_found_out(faults: &'static str) {
    let mut random = Random::announced("broken_server_is_found_out");
    for attempt in 1..=CONTROL_TRIES {
        let mut scene = Scene::new(true, Some(faults));
        for _ in 0..CRASHES_PER_NODE {
            let found = scene.crash_and_look(&mut random);
            if found.iter().any(|finding| matches!(finding, Finding::Lost(_))) {
                let first = found.first().map(ToString::to_string).unwrap_or_default();
                return println!("{faults}: found out on node {attempt}, {} findings; {first}", found.len());
            }
        }
    }
    panic!("{faults}: nothing was lost, so these tests prove nothing");
}

#[test]
fn control_an_answer_before_the_commit_is_found_out() {
    broken_server_is_found_out("early-answer");
}

#[test]
fn control_a_store_that_does_not_sync_is_found_out() {
    broken_server_is_found_out("synchronous=off");
}

#[test]
fn an_answer_that_is_lost_on_the_way_leaves_no_silent_loss() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("orphan", "anssi").unwrap();
    let relay = Relay::to(node.addresses().unwrap().kmip).unwrap();
    let dial = Dial::to(&node, &tenant.identity, TlsVersions::Both).unwrap();
    let mut unlucky = dial.by_way_of(relay.address).connect().unwrap();
    let known = unlucky.request(V1_4, asking::aes(vec![asking::name("known")])).unwrap().unique_identifier;

    relay.cut_at_the_next_answer();
    let create = || {
        let request = asking::aes(vec![asking::name("orphan")]);
        asking::correlated(RequestMessage::single(V1_4, request), "the-lost-one")
    };
    // The answer leaves the server only after the commit, and what cut the line was the answer.
    unlucky.call(create()).unwrap_err();

    // In Locate, in the list of objects and in the log under the client's own mark.
    let mut client = node.connect(&tenant.identity).unwrap();
    let wanted = LocateRequest {
        attributes: vec![kmip::attribute::Attribute::new(asking::name("orphan"))],
        ..LocateRequest::default()
    };
    let located = client.request(V1_4, wanted).unwrap().unique_identifiers;
    let [orphan] = located.as_slice() else { panic!("{located:?}") };
    assert_ne!(*orphan, known);
    let listed = node.admin("operator").unwrap().object_list(&tenant.name, None, None).unwrap().objects;
    assert!(listed.iter().any(|object| object.id.to_string() == *orphan && object.names == ["orphan"]));
    let records = exported::records(&node, &tenant.name).unwrap();
    let told: Vec<_> = records.iter().filter(|record| record.correlation.as_deref() == Some("the-lost-one")).collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((told.object.as_ref(), told.outcome), (Some(orphan), Outcome::Success));
    // It is a whole key.
    assert_eq!(asking::bytes(&client.request(V1_4, GetRequest::of(orphan.as_str())).unwrap()).unwrap().len(), 32);

    // A Client Correlation Value is no replay key: the same message again is a new request, refused for its name, and
    // without a name it makes another key each time.
    let refused = asking::successes(client.call(create()).unwrap()).unwrap_err();
    assert!(refused.contains("name is taken"), "{refused}");
    let again = || asking::correlated(RequestMessage::single(V1_4, asking::aes(Vec::new())), "the-lost-one");
    let [one, other] = [(); 2].map(|()| asking::successes(client.call(again()).unwrap()).unwrap());
    assert_ne!(one, other);
}

/// Lets clients work on a server that is about to lose its store: it must say so, end, and lose nothing.
fn ends_without_a_lie(scene: &mut Scene, what: &str, random: &mut Random) {
    let ledger = std::mem::take(&mut scene.ledger);
    scene.ledger = until_it_dies(&scene.node, &scene.tenant.identity, 1, Moment::Never, random, ledger).unwrap();
    let status = scene.node.ended().unwrap();
    assert_eq!(status.code(), Some(1), "{what} failed and the server went on");
    // Whoever still got an answer got one that says so.
    let refusals = &scene.ledger.refusals;
    assert!(refusals.iter().all(|said| said.contains("internal error")), "{refusals:?}");
    if let Some((folder, _)) = &scene.power {
        folder.restore().unwrap();
    }
    assert_eq!(store_findings(&scene.node).unwrap(), [], "{what} failed");
    scene.serve(None, None);
    assert_eq!(findings(&scene.node, &scene.tenant, &scene.ledger).unwrap(), [], "{what} failed");
    println!("{what} failed: {} acknowledged before, none lost", scene.ledger.answers.len());
}

#[test]
fn a_commit_that_fails_is_never_answered_with_success_and_ends_the_process() {
    let mut random = Random::announced("a_commit_that_fails_is_never_answered_with_success_and_ends_the_process");
    // The first commits are those of the start; the ones after them fail under the hands of clients.
    for commit in [6, 12, 25, 50] {
        let mut scene = Scene::new(false, None);
        demand_injector(&scene.node).unwrap();
        scene.node.stop().unwrap();
        scene.serve(Some(&format!("failing-commit={commit}")), None);
        ends_without_a_lie(&mut scene, &format!("commit {commit}"), &mut random);
    }
}

#[test]
fn a_disk_that_fails_is_never_answered_with_success_and_ends_the_process() {
    let mut random = Random::announced("a_disk_that_fails_is_never_answered_with_success_and_ends_the_process");
    for sync in [12, 25, 50] {
        let mut scene = Scene::new(true, None);
        scene.node.stop().unwrap();
        scene.serve(None, Some(sync));
        ends_without_a_lie(&mut scene, &format!("sync {sync}"), &mut random);
    }
}
