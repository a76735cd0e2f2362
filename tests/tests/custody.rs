//! A domain as a whole: frozen and thawed, its Domain Key rotated while it is used and while the node is killed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use admin_api::{DomainChange, DomainState, Effect, ErrorCode, IssueClient};
use kmip::ProtocolVersion;
use kmip::payload::{GetRequest, LocateRequest};
use kmip::registry::ResultReason;
use system_tests::asking;
use system_tests::node::{Connection, Node, Tenant};

const V: ProtocolVersion = ProtocolVersion::V1_4;
/// For a rotation to end on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(120);

fn change(node: &Node, domain: &str, change: DomainChange) -> admin_api::Domain {
    node.admin("officer1").unwrap().domain_change(domain, change, Effect::Real).unwrap()
}

fn refused(node: &Node, who: &str, domain: &str, change: DomainChange) -> ErrorCode {
    node.admin(who).unwrap().domain_change(domain, change, Effect::Real).unwrap_err().code().unwrap()
}

fn reason(client: &mut Connection) -> Option<ResultReason> {
    client.request(V, LocateRequest::default()).err().and_then(|error| error.reason())
}

/// Keys with known bytes.
fn keys(client: &mut Connection, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut register = |number: usize| {
        let bytes: Vec<u8> = (0..32).map(|at| u8::try_from((number * 31 + at * 7) % 251).unwrap()).collect();
        let made = client.request(V, asking::known_aes(&bytes, Vec::new())).unwrap();
        (made.unique_identifier, bytes)
    };
    (0..count).map(&mut register).collect()
}

fn all_open(client: &mut Connection, keys: &[(String, Vec<u8>)]) {
    for (id, bytes) in keys {
        let got = client.request(V, GetRequest::of(id.as_str())).unwrap();
        assert_eq!(asking::bytes(&got), Some(bytes.as_slice()), "{id}");
    }
}

fn wait_for_end(node: &Node, tenant: &Tenant) -> admin_api::Domain {
    let (began, operator) = (Instant::now(), node.admin("operator").unwrap());
    loop {
        let domain = operator.domain_show(&tenant.name).unwrap();
        if domain.former_key_version.is_none() {
            return domain;
        }
        assert!(began.elapsed() < PATIENCE, "the rotation does not end");
    }
}

#[test]
fn a_frozen_domain_answers_nothing_from_the_next_request_on_until_it_is_thawed() {
    let mut node = Node::start().unwrap();
    let (tenant, neighbour) = (node.tenant("frozen", "anssi").unwrap(), node.tenant("other", "anssi").unwrap());
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut other = node.connect(&neighbour.identity).unwrap();
    let known = keys(&mut client, 3);
    let of_other = keys(&mut other, 1);
    assert_eq!(refused(&node, "auditor", &tenant.name, DomainChange::Freeze), ErrorCode::Forbidden);

    let held = || -> u64 {
        node.admin("operator").unwrap().hsm_status().unwrap().members.iter().map(|one| one.domain_keys_held).sum()
    };
    let before = held();
    assert_eq!(change(&node, &tenant.name, DomainChange::Freeze).state, DomainState::Frozen);
    assert!(held() < before, "its Domain Key is imported nowhere any more");
    assert_eq!(reason(&mut client), Some(ResultReason::PermissionDenied));
    all_open(&mut other, &of_other);
    assert_eq!(refused(&node, "officer1", &tenant.name, DomainChange::RotateKey), ErrorCode::WrongState);
    // It stays so over a restart, and its clients are told.
    node.restart().unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    assert_eq!(reason(&mut client), Some(ResultReason::PermissionDenied));
    let dry = node.admin("operator").unwrap().domain_change(&tenant.name, DomainChange::Thaw, Effect::DryRun).unwrap();
    assert_eq!(dry.state, DomainState::Frozen);
    assert_eq!(change(&node, &tenant.name, DomainChange::Thaw).state, DomainState::Active);
    all_open(&mut client, &known);
    let log = String::from_utf8(node.export(&tenant.name).unwrap()).unwrap();
    assert!(log.contains("Freeze Domain") && log.contains("Thaw Domain"));
}

#[test]
fn a_domain_key_is_rotated_while_its_keys_are_fetched_and_made() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("rotated", "anssi").unwrap();
    let known = keys(&mut node.connect(&tenant.identity).unwrap(), 200);
    // The authority's key goes over too.
    let issue = |name: &str| {
        let wish = IssueClient { name: name.to_owned(), csr: None, credential: None };
        node.admin("operator").unwrap().client_issue(&tenant.name, &wish).unwrap().authority
    };
    let authority = issue("one");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = node.connect(&tenant.identity).unwrap();
                while !done.load(Ordering::Relaxed) {
                    all_open(&mut client, &known[..20]);
                    let made = keys(&mut client, 5);
                    all_open(&mut client, &made);
                }
            });
        }
        let rotating = change(&node, &tenant.name, DomainChange::RotateKey);
        assert_eq!((rotating.key_version, rotating.former_key_version), (2, Some(1)));
        wait_for_end(&node, &tenant);
        done.store(true, Ordering::Relaxed);
    });
    all_open(&mut node.connect(&tenant.identity).unwrap(), &known);
    assert_eq!(issue("two"), authority, "it opens under the new version");
    let found = node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap();
    assert_eq!(found.findings, []);
    let log = String::from_utf8(node.export(&tenant.name).unwrap()).unwrap();
    assert!(log.contains("version 1 to version 2") && log.contains("Destroy Domain Key"));
}

#[test]
fn a_rotation_that_is_killed_goes_on_and_loses_nothing() {
    let mut node = Node::start().unwrap();
    let tenant = node.tenant("killed", "anssi").unwrap();
    let known = keys(&mut node.connect(&tenant.identity).unwrap(), 300);
    change(&node, &tenant.name, DomainChange::RotateKey);
    for _ in 0..3 {
        node.kill();
        node.serve().unwrap();
        all_open(&mut node.connect(&tenant.identity).unwrap(), &known[..50]);
    }
    assert_eq!(wait_for_end(&node, &tenant).key_version, 2);
    node.restart().unwrap();
    all_open(&mut node.connect(&tenant.identity).unwrap(), &known);
    // And once more, over a domain that is frozen meanwhile.
    change(&node, &tenant.name, DomainChange::RotateKey);
    change(&node, &tenant.name, DomainChange::Freeze);
    change(&node, &tenant.name, DomainChange::Thaw);
    assert_eq!(wait_for_end(&node, &tenant).key_version, 3);
    all_open(&mut node.connect(&tenant.identity).unwrap(), &known);
    assert_eq!(node.admin("auditor").unwrap().domain_verify(&tenant.name).unwrap().findings, []);
}
