//! The logs of a running node as tenants and auditors read them: bundles, periods, proofs, tiles, stories, live.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use admin_api::{AuditFormat, AuditOutcome, AuditQuery, ErrorCode, ProofQuery};
use audit::tiles::{Tile, TileKind};
use audit::{Identity, Outcome, Record, SignedCheckpoint, bundle, root_of, siem, verify_proof};
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::payload::{ActivateRequest, AddAttributeRequest, DestroyRequest, GetRequest, ReKeyRequest};
use serde_json::Value;
use system_tests::asking::{aes, cessation, name};
use system_tests::exported::{read_tiles, records, trusted_keys};
use system_tests::node::{Connection, Node, Tenant, repository};
use xtask::stage::finish;

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// How long something that was recorded may take to reach a follower: a guard against hanging, not a promise.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tenant at work, and what its log has to say of its client.
struct Work {
    tenant: Tenant,
    connection: Connection,
    done: Vec<(&'static str, Outcome, Option<String>)>,
}

impl Work {
    fn begin(node: &Node, stem: &str) -> Self {
        let tenant = node.tenant(stem, "anssi").unwrap();
        let connection = node.connect(&tenant.identity).unwrap();
        Self { tenant, connection, done: Vec::new() }
    }

    fn create(&mut self, key: &str) -> String {
        let id = self.connection.request(V1_4, aes(vec![name(key)])).unwrap().unique_identifier;
        self.done.push(("Create", Outcome::Success, Some(id.clone())));
        id
    }

    fn get(&mut self, id: &str) {
        let outcome = match self.connection.request(V1_4, GetRequest::of(id)) {
            Ok(_) => Outcome::Success,
            Err(_) => Outcome::Failed,
        };
        self.done.push(("Get", outcome, Some(id.to_owned())));
    }

    fn live(&mut self, id: &str) {
        self.connection.request(V1_4, ActivateRequest::of(id)).unwrap();
        self.done.push(("Activate", Outcome::Success, Some(id.to_owned())));
        self.connection.request(V1_4, cessation(Some(id.to_owned()))).unwrap();
        self.done.push(("Revoke", Outcome::Success, Some(id.to_owned())));
        self.connection.request(V1_4, DestroyRequest::of(id)).unwrap();
        self.done.push(("Destroy", Outcome::Success, Some(id.to_owned())));
    }

    /// What the exported log says that this client did.
    fn told(&self, node: &Node) -> Vec<(String, Outcome, Option<String>)> {
        let clients = records(node, &self.tenant.name).unwrap().into_iter().filter(|record| {
            let by_client = matches!(record.identity, Identity::Client { .. });
            assert!(by_client || matches!(record.identity, Identity::Admin { .. } | Identity::Node), "{record:?}");
            by_client
        });
        clients.map(|record| (record.operation, record.outcome, record.object)).collect()
    }

    fn expected(&self) -> Vec<(String, Outcome, Option<String>)> {
        self.done.iter().map(|(operation, outcome, id)| ((*operation).to_owned(), *outcome, id.clone())).collect()
    }
}

#[test]
fn a_tenants_bundle_holds_all_and_only_that_tenants_events_and_both_verifiers_accept_it() {
    let node = Node::start().unwrap();
    let (mut one, mut other) = (Work::begin(&node, "one"), Work::begin(&node, "other"));
    for round in 0..5 {
        let mine = one.create(&format!("key-{round}"));
        let theirs = other.create(&format!("key-{round}"));
        one.get(&mine);
        // Somebody else's key: an event of who asks, and of nobody else.
        one.get(&theirs);
        other.get(&mine);
        other.get(&theirs);
        one.live(&mine);
        if round % 2 == 0 {
            other.live(&theirs);
        }
    }
    assert_eq!(one.told(&node), one.expected());
    assert_eq!(other.told(&node), other.expected());
    assert!(one.done.iter().any(|(_, outcome, _)| *outcome == Outcome::Failed), "the refusals are told too");

    let keys = node.dir().join("ceremony/checkpoint-keys.txt");
    for log in [&one.tenant.name, &other.tenant.name, "system"] {
        let file = node.dir().join(format!("{log}.jsonl"));
        fs::write(&file, node.export(log).unwrap()).unwrap();
        let script = repository().join("docs/verify_bundle.py");
        let said = finish(Command::new("python3").arg("-B").arg(script).arg(&keys).arg(&file)).unwrap();
        assert!(said.status.success() && said.stdout.starts_with("verified: "), "{}{}", said.stdout, said.stderr);
    }
}

#[test]
fn records_are_chosen_by_every_field_and_told_in_every_form() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "chosen");
    let id = work.create("a key");
    work.get(&id);
    work.get("0197f9a0-7c1e-7b7a-9d2e-5c1f00000001");
    let auditor = node.admin("auditor").unwrap();
    let log = work.tenant.name.clone();
    let read = |query: &AuditQuery| {
        let mut out = Vec::new();
        auditor.audit_read(&log, query, &mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let jsonl = |change: &dyn Fn(&mut AuditQuery)| {
        let mut query = AuditQuery { format: AuditFormat::Jsonl, ..AuditQuery::default() };
        change(&mut query);
        let lines = read(&query).into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        lines.map(|line| line["operation"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = jsonl(&|_| ());
    assert!(all.iter().any(|operation| operation == "Register Client") && all.len() >= 5, "{all:?}");
    assert_eq!(jsonl(&|query| query.operation = Some("get".to_owned())), ["Get", "Get"]);
    assert_eq!(jsonl(&|query| query.object = Some(id.clone())), ["Create", "Get"]);
    assert_eq!(jsonl(&|query| query.outcome = Some(AuditOutcome::Failed)), ["Get"]);
    assert_eq!(jsonl(&|query| query.reason = Some("Item Not Found".to_owned())), ["Get"]);
    assert_eq!(jsonl(&|query| query.identity = Some("client".to_owned())), ["Create", "Get", "Get"]);
    assert_eq!(jsonl(&|query| query.until = Some(0)), [""; 0]);
    assert_eq!(jsonl(&|query| query.from = Some(u64::MAX)), [""; 0]);

    let of_client = AuditQuery { identity: Some("client".to_owned()), ..AuditQuery::default() };
    let cef = read(&AuditQuery { format: AuditFormat::Cef, ..of_client.clone() });
    assert_eq!(cef.len(), 3);
    assert!(cef.iter().all(|line| line.starts_with("CEF:0|Clavis|kms-server|")), "{cef:?}");
    let syslog = read(&AuditQuery { format: AuditFormat::Syslog, ..of_client });
    let positions: Vec<u64> = syslog.iter().map(|line| siem::position_in(line).unwrap().1).collect();
    assert!(positions.len() == 3 && positions.is_sorted(), "{syslog:?}");

    // Each of these readings is told in the log itself, with what was looked for.
    let told = records(&node, &log).unwrap();
    let looked = |what: &str| told.iter().any(|record| record.detail.as_deref() == Some(what));
    assert!(looked("format=jsonl operation=get") && looked(&format!("format=jsonl object={id}")));
}

#[test]
fn a_bundle_of_a_period_verifies_and_leaves_none_of_its_records_out() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "period");
    let id = work.create("a key");
    for _ in 0..300 {
        work.get(&id);
    }
    let (log, keys) = (work.tenant.name.clone(), trusted_keys(&node).unwrap());
    let all = records(&node, &log).unwrap();
    let last = all.last().unwrap().time_us / 1_000_000;
    let auditor = node.admin("auditor").unwrap();
    let bundle_of = |since, until| {
        let mut out = Vec::new();
        auditor.audit_read(&log, &AuditQuery { since, until, ..AuditQuery::default() }, &mut out).unwrap();
        bundle::verify_bundle(&out[..], &keys).unwrap()
    };
    let late = bundle_of(Some(last), None);
    assert_eq!(late.first + late.count, late.size);
    let expected = all.iter().position(|record| record.time_us / 1_000_000 >= last).unwrap() as u64;
    assert_eq!(late.first, expected);
    let early = bundle_of(None, Some(last));
    assert_eq!(early.count, expected);
    assert!(early.first == 0 || expected == 0, "nothing before {last} leaves nothing");
    assert_eq!(bundle_of(None, Some(0)).count, 0);
    assert_eq!(bundle_of(Some(0), Some(i64::MAX)).count, bundle_of(None, None).count - 1, "each export is recorded");
}

#[test]
fn every_record_and_every_growth_can_be_proved_offline() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "proved");
    let id = work.create("a key");
    for _ in 0..300 {
        work.get(&id);
    }
    let (log, keys) = (work.tenant.name.clone(), trusted_keys(&node).unwrap());
    let auditor = node.admin("auditor").unwrap();
    let kept = SignedCheckpoint::parse(&auditor.audit_checkpoint(&log).unwrap().note).unwrap();
    work.get(&id);
    let prove = |claim| auditor.audit_prove(&log, claim).unwrap().document;
    let all = records(&node, &log).unwrap();
    for index in [0, 1, 255, 256, 300] {
        let document = prove(ProofQuery { record: Some(index), ..ProofQuery::default() });
        let shown = verify_proof(&document, &keys, &[]).unwrap();
        assert_eq!(shown.record.as_ref(), all.get(usize::try_from(index).unwrap()));
    }
    for (from, to) in [(0, None), (1, Some(2)), (kept.checkpoint.size, None), (200, Some(kept.checkpoint.size))] {
        let document = prove(ProofQuery { from: Some(from), to, record: None });
        let shown = verify_proof(&document, &keys, std::slice::from_ref(&kept)).unwrap();
        assert_eq!(shown.compared, usize::from([Some(from), to].contains(&Some(kept.checkpoint.size))));
    }
    for (record, from, to) in
        [(Some(1_000_000), None, None), (None, Some(5), Some(4)), (None, Some(0), Some(u64::MAX)), (None, None, None)]
    {
        let refused = auditor.audit_prove(&log, ProofQuery { record, from, to }).unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::BadRequest), "{record:?} {from:?} {to:?}");
    }

    // The same by the command line, and a copy with a byte changed.
    let file = node.dir().join("9.proof");
    let (path, keys) = (file.display().to_string(), node.dir().join("ceremony/checkpoint-keys.txt"));
    let keys = keys.display().to_string();
    assert!(node.kmsctl("auditor", &["audit", "prove", &log, "9", "--out", &path]).unwrap().status.success());
    let verified = node.kmsctl("auditor", &["verify", "proof", &path, "--keys", &keys]).unwrap();
    assert!(verified.status.success() && verified.stdout.contains("record 9 is in the log"), "{}", verified.stdout);
    let changed = fs::read_to_string(&file).unwrap().replacen("\"index\":9", "\"index\":8", 1);
    fs::write(&file, changed).unwrap();
    let refused = node.kmsctl("auditor", &["verify", "proof", &path, "--keys", &keys]).unwrap();
    assert_eq!(refused.status.code(), Some(6), "{}", refused.stderr);
}

#[test]
fn a_log_is_there_as_tiles_in_files_and_over_the_api() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "tiled");
    let id = work.create("a key");
    for _ in 0..520 {
        work.get(&id);
    }
    let log = work.tenant.name.clone();
    let folder = node.dir().join("tiles");
    let path = folder.display().to_string();
    let done = node.kmsctl("auditor", &["audit", "tiles", &log, &path]).unwrap();
    assert!(done.status.success(), "{}", done.stderr);
    let note = fs::read_to_string(folder.join("checkpoint")).unwrap();
    let head = SignedCheckpoint::parse(&note).unwrap();
    head.verify(&trusted_keys(&node).unwrap()).unwrap();
    let size = head.checkpoint.size;
    assert!((520..600).contains(&size), "{size}");

    // What a tool of that world does: leaf hashes from level 0, records from the entries, both to the signed root.
    let tile = |kind, index, width| Tile { kind, index, width };
    let parts = |kind| [tile(kind, 0, 256), tile(kind, 1, 256), tile(kind, 2, size - 512)];
    let mut leaves = Vec::new();
    let mut entries = Vec::new();
    for (hashes, records) in parts(TileKind::Hashes(0)).into_iter().zip(parts(TileKind::Entries)) {
        let bytes = fs::read(folder.join(hashes.path())).unwrap();
        leaves.extend(bytes.as_chunks::<32>().0.iter().copied());
        let bundle = fs::read(folder.join(records.path())).unwrap();
        let mut rest = &bundle[..];
        while let Some((len, after)) = rest.split_first_chunk() {
            let (record, behind) = after.split_at(usize::from(u16::from_be_bytes(*len)));
            entries.push(Record::leaf_hash(record));
            rest = behind;
        }
    }
    assert_eq!(root_of(&leaves), head.checkpoint.root);
    assert_eq!(entries, leaves);
    let above = fs::read(folder.join(tile(TileKind::Hashes(1), 0, 2).path())).unwrap();
    assert_eq!(above, [root_of(&leaves[..256]), root_of(&leaves[256..512])].concat());

    // The same said by a reader that is not of this tree; a file changed, or one too many, and it says so.
    let (found, signers, missing) = read_tiles(&folder).unwrap();
    assert_eq!(found, format!("{size} {}", hex::encode(head.checkpoint.root)));
    assert!(signers.len() == 1 && signers[0].starts_with("clavis/") && missing.is_empty(), "{signers:?} {missing:?}");
    for (file, complaint) in [("tile/1/000.p/2", "level 1"), ("tile/entries/001", "tile/entries/001"), ("more", "more")]
    {
        let before = fs::read(folder.join(file)).ok();
        let mut changed = before.clone().unwrap_or_else(|| vec![0; 64]);
        changed[40] ^= 1;
        fs::write(folder.join(file), changed).unwrap();
        let error = read_tiles(&folder).unwrap_err().to_string();
        assert!(error.contains(complaint), "{file}: {error}");
        before.iter().for_each(|before| fs::write(folder.join(file), before).unwrap());
    }

    let auditor = node.admin("auditor").unwrap();
    for file in ["tile/0/000", "tile/0/001", "tile/1/000.p/2", "tile/entries/000", "tile/entries/002.p/3"] {
        let served = auditor.audit_tile(&log, file).unwrap();
        match fs::read(folder.join(file)) {
            Ok(written) => assert_eq!(served, written, "{file}"),
            Err(_) => assert!(file.ends_with(".p/3") && !served.is_empty()),
        }
    }
    assert!(auditor.audit_tile(&log, "checkpoint").unwrap().starts_with(b"clavis/"));
    for file in ["tile/0/005", "tile/2/000", "tile/0/0", "../../system/audit"] {
        assert_eq!(auditor.audit_tile(&log, file).unwrap_err().code(), Some(ErrorCode::NotFound), "{file}");
    }
}

#[test]
fn the_life_of_a_key_is_told_in_sentences() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "told");
    let id = work.create("a key");
    work.get(&id);
    work.get(&id);
    work.live(&id);
    let log = work.tenant.name.clone();
    let told = node.kmsctl("auditor", &["audit", "show", &log, &id]).unwrap();
    assert!(told.status.success(), "{}", told.stderr);
    let first = told.stdout.lines().next().unwrap();
    assert!(first.contains(": made on ") && first.contains("handed out 2 times"), "{first}");
    assert!(first.contains("; revoked on ") && first.contains("; destroyed on "), "{first}");
    for part in [
        "made, called Name \"a key\", by client",
        "fetched, 2 times, by client",
        " from 127.0.0.1",
        "activated, by",
        "destroyed, by",
    ] {
        assert!(told.stdout.contains(part), "{part} in\n{}", told.stdout);
    }
    assert!(first.contains(", for \"a key\"; "), "{first}");
    let nobody = node.kmsctl("auditor", &["audit", "show", &log, "0197f9a0-7c1e-7b7a-9d2e-5c1f00000001"]).unwrap();
    assert_eq!(nobody.status.code(), Some(3), "{}", nobody.stderr);

    let stats = node.kmsctl("auditor", &["audit", "stats", &log, "--output", "json"]).unwrap();
    let stats: Value = serde_json::from_str(&stats.stdout).unwrap();
    assert_eq!(stats["operations"]["Get"], serde_json::json!({"success": 2, "failed": 0, "undone": 0}));
}

#[test]
fn a_key_is_told_with_its_machine_its_successor_and_a_proof_of_every_record() {
    let node = Node::start().unwrap();
    let mut work = Work::begin(&node, "renewed");
    let old = work.create("disk \"1\"");
    work.get(&old);
    for (mark, value) in [("x-Name", "web-1"), ("x-Component", "Virtual Machine")] {
        let attribute = Attribute::new(AttributeValue::custom_text(mark, value).unwrap());
        let unique_identifier = Some(old.as_str().into());
        work.connection.request(V1_4, AddAttributeRequest { unique_identifier, attribute }).unwrap();
    }
    let rekey = ReKeyRequest { unique_identifier: Some(old.as_str().into()), ..ReKeyRequest::default() };
    let new = work.connection.request(V1_4, rekey).unwrap().unique_identifier;
    work.get(&new);
    let log = work.tenant.name.clone();
    let folder = node.dir().join("proofs");
    let show = |id: &str, more: &[&str]| {
        let said = node.kmsctl("auditor", &[&["audit", "show", &log, id], more].concat()).unwrap();
        assert!(said.status.success(), "{}", said.stderr);
        said.stdout
    };
    let of_old = show(&old, &["--proofs", folder.to_str().unwrap()]);
    let first = of_old.lines().next().unwrap();
    assert!(first.contains(": made on ") && first.contains(", for Virtual Machine \"web-1\"; "), "{first}");
    assert!(first.ends_with(&format!(", {new} took its place.")), "{first}");
    assert!(of_old.contains("made, called Name \"disk \"1\"\", by client "), "{of_old}");
    let of_new = show(&new, &[]);
    let first = of_new.lines().next().unwrap();
    assert!(
        first.contains(&format!(": made in the place of {old} on ")) && first.contains("handed out once"),
        "{first}"
    );
    // The successor has the names and marks of its predecessor.
    assert!(first.contains(", for Virtual Machine \"web-1\"; ") && !first.contains("rotated"), "{first}");

    // One proof for each of its records, and each of them verifies by itself.
    let told = records(&node, &log).unwrap();
    let expected: BTreeSet<String> = (0..)
        .zip(&told)
        .filter(|(_, record)| record.object.as_ref() == Some(&old))
        .map(|(at, _)| format!("{at}.proof"))
        .collect();
    let names: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() == 5 && names == expected, "{names:?} {expected:?}");
    let keys = trusted_keys(&node).unwrap();
    for name in &names {
        let shown = verify_proof(&fs::read_to_string(folder.join(name)).unwrap(), &keys, &[]).unwrap();
        assert_eq!(shown.record.unwrap().object.as_ref(), Some(&old));
    }
}

/// Where a follower's lines go, one message each; refuses once nobody takes them.
struct Forward(mpsc::Sender<String>);

impl Write for Forward {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.send(text).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_follower_sees_what_happens_and_does_not_keep_the_node_from_stopping() {
    let mut node = Node::start().unwrap();
    let mut work = Work::begin(&node, "followed");
    let id = work.create("a key");
    let auditor = node.admin("auditor").unwrap();
    let (sender, lines) = mpsc::channel();
    let query = AuditQuery {
        format: AuditFormat::Jsonl,
        operation: Some("Get".to_owned()),
        from: Some(0),
        follow: true,
        ..AuditQuery::default()
    };
    let log = work.tenant.name.clone();
    let follower = thread::spawn(move || auditor.audit_read(&log, &query, &mut Forward(sender)));
    for _ in 0..3 {
        work.get(&id);
        let line = lines.recv_timeout(PATIENCE).unwrap();
        assert!(line.contains("\"operation\":\"Get\"") && line.contains(&id), "{line}");
    }
    drop(work);
    node.stop().unwrap();
    assert!(follower.join().unwrap().is_ok(), "the stream ends whole");
    assert!(lines.try_recv().is_err(), "nothing was sent twice");
}
