//! Old records go and the log stays a proof: on a running node whose clock is moved on, with both verifiers.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use admin_api::{AdminClient, AuditQuery, DomainChange, Effect, ErrorCode, NewHold, NewRetention, ProofQuery};
use audit::bundle::{Verified, verify_bundle};
use audit::destruction::{Certificate, Destroyed};
use kmip::ProtocolVersion;
use kmip::payload::{ActivateRequest, DestroyRequest, GetRequest};
use system_tests::approving;
use system_tests::asking::{aes, cessation, name};
use system_tests::exported::{read_tiles, trusted_keys};
use system_tests::faults::demand_injector;
use system_tests::node::{Node, Tenant, folder, repository};
use tempfile::TempDir;
use xtask::stage::{StageOptions, finish};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const DAY_S: i64 = 86_400;
/// A guard against hanging, not a promise.
const PATIENCE: Duration = Duration::from_secs(120);
/// More records than a log keeps at its end whatever their age.
const READS: usize = 1_100;

/// A node whose clock is moved on by writing days into a file.
struct Scene {
    node: Node,
    tenant: Tenant,
    clock: PathBuf,
    _folder: TempDir,
    /// A key that lives, and one that was destroyed.
    living: String,
    destroyed: String,
}

impl Scene {
    fn new() -> Self {
        let folder = folder().unwrap();
        let clock = folder.path().join("ahead");
        fs::write(&clock, "0").unwrap();
        let environment = [("CLAVIS_CLOCK_FILE", clock.to_str().unwrap())];
        let node = Node::start_with(&StageOptions::default(), &environment).unwrap();
        demand_injector(&node).unwrap();
        let tenant = node.tenant("old", "anssi").unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let mut make = |label: &str| client.request(V1_4, aes(vec![name(label)])).unwrap().unique_identifier;
        let (living, destroyed) = (make("living"), make("destroyed"));
        client.request(V1_4, ActivateRequest::of(destroyed.as_str())).unwrap();
        client.request(V1_4, cessation(Some(destroyed.clone()))).unwrap();
        client.request(V1_4, DestroyRequest::of(destroyed.as_str())).unwrap();
        for _ in 0..READS {
            client.request(V1_4, GetRequest::of(living.as_str())).unwrap();
        }
        Self { node, tenant, clock, _folder: folder, living, destroyed }
    }

    fn admin(&self, role: &str) -> AdminClient {
        self.node.admin(role).unwrap()
    }

    /// Moves the node's clock on.
    fn days_ahead(&self, days: i64) {
        let beside = self.clock.with_extension("new");
        fs::write(&beside, (days * DAY_S).to_string()).unwrap();
        fs::rename(beside, &self.clock).unwrap();
    }

    /// Asks until the record at this position of the tenant's log is gone; what is said of it.
    fn until_dropped(&self, record: u64) -> String {
        self.until_dropped_of(&self.tenant.name, record)
    }

    fn until_dropped_of(&self, log: &str, record: u64) -> String {
        let auditor = self.admin("auditor");
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let query = ProofQuery { record: Some(record), ..ProofQuery::default() };
            if let Err(refused) = auditor.audit_prove(log, query) {
                assert_eq!(refused.code(), Some(ErrorCode::NotFound), "{refused}");
                return refused.to_string();
            }
        }
        format!("record {record} is still there")
    }

    fn bundle(&self) -> (Vec<u8>, Verified) {
        let exported = self.node.export(&self.tenant.name).unwrap();
        let verified = verify_bundle(exported.as_slice(), &trusted_keys(&self.node).unwrap()).unwrap();
        (exported, verified)
    }
}

#[test]
fn old_records_go_and_what_remains_verifies_and_says_so() {
    let scene = Scene::new();
    let (before, _) = scene.bundle();
    let lines: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    scene.days_ahead(200);
    let said = scene.until_dropped(20);
    let leaf = serde_json::from_slice::<serde_json::Value>(lines[21]).unwrap()["leaf"].as_str().unwrap().to_owned();
    assert!(said.contains("record 20 was dropped by retention on 20") && said.contains(&leaf), "{said}");

    let (bundle, verified) = scene.bundle();
    assert!(verified.dropped > 10 && verified.untold == 0, "{verified:?}");
    let gone = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["dropped"].as_u64().map(|_| line["index"].as_u64().unwrap())
    };
    let last = std::str::from_utf8(&bundle).unwrap().lines().filter_map(gone).max();
    assert!(last.is_some_and(|last| last < 1024), "the end stays: {last:?}");
    let file = scene.node.dir().join("old.jsonl");
    fs::write(&file, &bundle).unwrap();
    let keys = scene.node.dir().join("ceremony/checkpoint-keys.txt");
    let script = repository().join("docs/verify_bundle.py");
    let said = finish(Command::new("python3").arg("-B").arg(&script).arg(&keys).arg(&file)).unwrap();
    assert!(said.stdout.contains(&format!("({} dropped by retention)", verified.dropped)), "{said:?}");
    // Tombstone and last record of the living key, whose first Get was the last change of its row, are among what remains.
    let text = String::from_utf8(bundle.clone()).unwrap();
    for (object, operation) in [(&scene.destroyed, "Destroy"), (&scene.living, "Get")] {
        let operation_text = format!("\"operation\":\"{operation}\"");
        let found = text.lines().any(|line| {
            line.contains(object.as_str()) && line.contains(&operation_text) && line.contains("\"row_digest\"")
        });
        assert!(found, "{operation} {object}");
    }
    let verification = scene.admin("auditor").domain_verify(&scene.tenant.name).unwrap();
    assert_eq!(verification.found, 0, "{verification:?}");
    // Without one of the lines that stand for what was dropped, or with one record more gone, neither verifier agrees.
    let one_less: String =
        text.lines().enumerate().filter(|(at, _)| *at != 21).map(|(_, line)| format!("{line}\n")).collect();
    let by = text.lines().find_map(|line| line.split("\"dropped\":").nth(1)?.split(',').next()).unwrap().to_owned();
    let last = text.lines().filter(|line| line.contains("\"operation\":\"Get\"")).nth(3).unwrap();
    let value: serde_json::Value = serde_json::from_str(last).unwrap();
    let hidden = format!("{{\"index\":{},\"dropped\":{by},\"leaf\":{}}}", value["index"], value["leaf"]);
    for forged in [one_less, text.replace(last, &hidden)] {
        assert!(verify_bundle(forged.as_bytes(), &trusted_keys(&scene.node).unwrap()).is_err());
        fs::write(&file, forged).unwrap();
        let said = finish(Command::new("python3").arg("-B").arg(&script).arg(&keys).arg(&file)).unwrap();
        assert!(!said.status.success() && said.stderr.contains("not verified"), "{said:?}");
    }
    tiles_without_what_is_gone(&scene);
    // The tenant's key is still the tenant's key.
    let mut client = scene.node.connect(&scene.tenant.identity).unwrap();
    client.request(V1_4, GetRequest::of(scene.living.as_str())).unwrap();

    // What was destroyed, long ago or now, can still be certified: the search passes over what is gone.
    let (auditor, trusted) = (scene.admin("auditor"), trusted_keys(&scene.node).unwrap());
    let of_key = auditor.object_certificate(&scene.tenant.name, scene.destroyed.parse().unwrap()).unwrap();
    assert_eq!(Certificate::verify(&of_key.document, &trusted).unwrap().id, scene.destroyed);
    let none = auditor.object_certificate(&scene.tenant.name, scene.living.parse().unwrap()).unwrap_err();
    assert_eq!(none.code(), Some(ErrorCode::NotFound), "{none}");
    approving::destroy(&scene.node, &scene.tenant.name).unwrap();
    let of_domain = auditor.domain_certificate(&scene.tenant.name).unwrap();
    let certificate = Certificate::verify(&of_domain.document, &trusted).unwrap();
    assert_eq!((certificate.what, certificate.hsm.len()), (Destroyed::Domain, 3));
}

/// Every tile of hashes is written and leads to the signed head; of the bundles of entries those that are whole.
fn tiles_without_what_is_gone(scene: &Scene) {
    let folder = scene.node.dir().join("old-tiles");
    let path = folder.display().to_string();
    let done =
        scene.node.kmsctl("auditor", &["audit", "tiles", &scene.tenant.name, &path, "--output", "json"]).unwrap();
    assert!(done.status.success(), "{}", done.stderr);
    let written: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let (found, _, missing) = read_tiles(&folder).unwrap();
    assert_eq!(found, format!("{} {}", written["records"], written["root"].as_str().unwrap()));
    // The first bundle is among them, and all of them are told of.
    let rows = written["skipped"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{written}");
    assert_eq!(
        (rows[0]["first"].as_str(), rows[0]["last"].as_str()),
        (Some("tile/entries/000"), missing.last().map(String::as_str))
    );
    assert!(missing[0] == "tile/entries/000" && fs::exists(folder.join("tile/0/000")).unwrap(), "{missing:?}");
    // The server has the same: the hashes; and of such a bundle it says why not.
    let refused = scene.admin("auditor").audit_tile(&scene.tenant.name, &missing[0]).unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::NotFound), "{refused}");
    assert!(refused.to_string().contains("dropped"), "{refused}");
    assert_eq!(scene.admin("auditor").audit_tile(&scene.tenant.name, "tile/0/000").unwrap().len(), 32 * 256);
}

/// A tenant who reads a key often enough for records to be old.
fn busy(node: &Node, stem: &str) -> String {
    let tenant = node.tenant(stem, "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let key = client.request(V1_4, aes(vec![name("k")])).unwrap().unique_identifier;
    for _ in 0..READS {
        client.request(V1_4, GetRequest::of(key.as_str())).unwrap();
    }
    tenant.name
}

#[test]
fn what_is_due_goes_after_a_restart_at_once_in_frozen_and_destroyed_domains_too() {
    let mut scene = Scene::new();
    let (frozen, destroyed) = (busy(&scene.node, "frozen"), busy(&scene.node, "destroyed"));
    scene.admin("operator").domain_change(&frozen, DomainChange::Freeze, Effect::Real).unwrap();
    approving::destroy(&scene.node, &destroyed).unwrap();
    scene.node.stop().unwrap();
    // A node that never runs for as long as it is between two sweeps.
    scene.days_ahead(200);
    scene.node.serve().unwrap();
    for log in [&scene.tenant.name, &frozen, &destroyed] {
        let said = scene.until_dropped_of(log, 20);
        assert!(said.contains("record 20 was dropped by retention"), "{log}: {said}");
        let exported = scene.node.export(log).unwrap();
        let verified = verify_bundle(exported.as_slice(), &trusted_keys(&scene.node).unwrap()).unwrap();
        assert!(verified.dropped > 10 && verified.untold == 0, "{log}: {verified:?}");
    }
    scene.admin("operator").domain_change(&frozen, DomainChange::Thaw, Effect::Real).unwrap();
    assert_eq!(scene.admin("auditor").domain_verify(&frozen).unwrap().found, 0);
}

#[test]
fn a_legal_hold_keeps_what_would_go_and_both_are_on_record() {
    let scene = Scene::new();
    let (officer, log) = (scene.admin("officer1"), scene.tenant.name.clone());
    let refused =
        scene.admin("operator").hold_set(&log, &NewHold { name: "x".into(), reason: "y".into() }).unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Forbidden));
    let short = NewRetention { days: Some(2), reason: None };
    assert_eq!(officer.retention_set(&log, &short, Effect::Real).unwrap_err().code(), Some(ErrorCode::BadRequest));
    officer.retention_set(&log, &NewRetention { reason: Some("a pilot".into()), ..short }, Effect::Real).unwrap();
    let hold = NewHold { name: "case 7".into(), reason: "court order".into() };
    officer.hold_set(&log, &hold).unwrap();
    assert_eq!(officer.hold_set(&log, &hold).unwrap_err().code(), Some(ErrorCode::Conflict));
    let other = busy(&scene.node, "other");
    scene.days_ahead(200);
    // That the sweep has come is seen in the log of a tenant without a hold.
    let auditor = scene.admin("auditor");
    let started = Instant::now();
    let swept = || auditor.audit_prove(&other, ProofQuery { record: Some(20), ..ProofQuery::default() }).is_err();
    while !swept() {
        assert!(started.elapsed() < PATIENCE, "nothing was swept");
    }
    assert_eq!(scene.bundle().1.dropped, 0);
    assert_eq!(officer.retention(&log).unwrap().holds.len(), 1);

    officer.hold_lift(&log, "case 7", Effect::Real).unwrap();
    assert_eq!(officer.hold_lift(&log, "case 7", Effect::Real).unwrap_err().code(), Some(ErrorCode::NotFound));
    scene.days_ahead(201);
    let said = scene.until_dropped(20);
    assert!(said.contains("dropped by retention"), "{said}");
    let mut told = Vec::new();
    let query =
        AuditQuery { format: admin_api::AuditFormat::Jsonl, identity: Some("admin".into()), ..AuditQuery::default() };
    auditor.audit_read(&log, &query, &mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    for what in ["2 days, below six months: a pilot", "Set Legal Hold", "case 7: court order", "Lift Legal Hold"] {
        assert!(told.contains(what), "{what}\n{told}");
    }
}
