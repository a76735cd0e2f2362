//! Witnesses outside of the database: what they saw, the node cannot take back.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use admin_api::{ClientError, ErrorCode, ProofQuery};
use audit::witness::WitnessKey;
use audit::{Identity, Outcome, SignedCheckpoint};
use kmip::ProtocolVersion;
use kmip::payload::GetRequest;
use kmip::registry::ResultReason;
use rustix::process::Signal;
use system_tests::asking::{aes, name};
use system_tests::exported::{read_tiles, records, trusted_keys};
use system_tests::node::{Node, Tenant};
use system_tests::random::count;
use system_tests::witnesses;
use xtask::stage::{Finished, StageOptions, finish};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// The database, and what SQLite keeps beside it.
const FILES: [&str; 2] = ["", "-wal"];

fn create(node: &Node, tenant: &Tenant, key: &str) -> String {
    let mut connection = node.connect(&tenant.identity).unwrap();
    let id = connection.request(V1_4, aes(vec![name(key)])).unwrap().unique_identifier;
    connection.request(V1_4, GetRequest::of(&id)).unwrap();
    id
}

/// Has the witnesses see everything, as happens every second by itself.
fn witness_now(node: &Node) -> String {
    node.admin("auditor").unwrap().audit_checkpoint("system").unwrap().note
}

fn file(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn copy_store(from: &Path, to: &Path) {
    for suffix in FILES {
        let _ = fs::remove_file(file(to, suffix));
        if file(from, suffix).exists() {
            fs::copy(file(from, suffix), file(to, suffix)).unwrap();
        }
    }
    let _ = fs::remove_file(file(to, "-shm"));
}

/// How many records a database holds, in all logs.
fn records_in(store: &Path) -> u64 {
    let script = "import sqlite3, sys\n\
                  database = sqlite3.connect(sys.argv[1])\n\
                  print(database.execute('SELECT count(*) FROM audit').fetchone()[0])\n\
                  database.close()\n";
    finish(Command::new("python3").args(["-c", script]).arg(store)).unwrap().stdout.trim().parse().unwrap()
}

fn without_witnesses(node: &Node) -> String {
    let config = fs::read_to_string(node.stage.config()).unwrap();
    let bare = config.split("\n[[witnesses]]").next().unwrap().to_owned();
    fs::write(node.stage.config(), bare).unwrap();
    config
}

#[test]
fn every_older_database_that_is_put_back_is_refused_and_without_witnesses_it_passes() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("rolled", "anssi").unwrap();
    let store = node.stage.store();
    let snapshots = count("CLAVIS_ROLLBACKS", 5);
    for number in 0..snapshots {
        copy_store(&store, &node.dir().join(format!("snapshot-{number}")));
        create(&node, &tenant, &format!("key-{number}"));
        witness_now(&node);
    }
    node.stop().unwrap();
    let newest = node.dir().join("newest");
    copy_store(&store, &newest);
    for number in 0..snapshots {
        copy_store(&node.dir().join(format!("snapshot-{number}")), &store);
        let before = records_in(&store);
        let error = node.serve().unwrap_err().to_string();
        assert!(error.contains("a witness saw"), "snapshot {number}: {error}");
        assert_eq!(records_in(&store), before, "not even a start was written into snapshot {number}");
    }
    // The newest one serves, as before.
    copy_store(&newest, &store);
    node.serve().unwrap();
    create(&node, &tenant, "after all");
    node.stop().unwrap();

    // The control: the same older database, and nobody who remembers.
    let config = without_witnesses(&node);
    copy_store(&node.dir().join("snapshot-0"), &store);
    node.serve().unwrap();
    node.stop().unwrap();

    // The way out: the holders of the witnesses say that it was meant, each in the journal; the node tells it too.
    fs::write(node.stage.config(), config).unwrap();
    assert!(node.serve().is_err());
    for witness in three.all() {
        let two = ["officer1", "officer3"];
        assert!(witness.rebase("a restore", &two).is_err(), "not while it serves");
        witness.kill();
        for few in [&[][..], &["officer2"], &["operator", "officer2"]] {
            let error = witness.rebase("alone", few).unwrap_err().to_string();
            assert!(error.contains("of 2 approvals"), "{error}");
        }
        witness.rebase("the backup of Tuesday was restored", &two).unwrap();
        let told = "approved by officer1, officer3: the backup of Tuesday was restored";
        assert!(witness.journal().contains(told), "{}", witness.journal());
        witness.start().unwrap();
    }
    node.serve().unwrap();
    let told = records(&node, "system").unwrap();
    let rebased = told.iter().filter(|record| record.operation == "Witness Rebased").count();
    assert_eq!(rebased, 3);
    let approved = |record: &&audit::Record| {
        record.detail.as_deref().is_some_and(|detail| detail.contains("approved by officer1, officer3"))
    };
    assert_eq!(told.iter().filter(approved).count(), 3);
    create(&node, &tenant, "a new life");
    witness_now(&node);
    node.restart().unwrap();
}

/// What both offline verifiers say of a bundle: `kmsctl verify bundle` and docs/verify_bundle.py, in this order.
fn verdicts(node: &Node, bundle: &Path, kept: Option<&Path>, witnesses: &[WitnessKey]) -> [Finished; 2] {
    let keys = node.dir().join("ceremony/checkpoint-keys.txt");
    let texts: Vec<String> = witnesses.iter().map(WitnessKey::verifier_key).collect();
    let mut args = vec!["verify", "bundle", bundle.to_str().unwrap(), "--keys", keys.to_str().unwrap()];
    kept.iter().for_each(|kept| args.extend(["--checkpoint", kept.to_str().unwrap()]));
    texts.iter().for_each(|text| args.extend(["--witness", text]));
    let ours = node.kmsctl("auditor", &args).unwrap();
    let script = system_tests::node::repository().join("docs/verify_bundle.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).arg(&keys).arg(bundle).args(kept);
    python.args(texts.iter().flat_map(|text| ["--witness", text]));
    [ours, finish(&mut python).unwrap()]
}

#[test]
fn a_fork_of_one_domains_log_under_an_honest_system_log_is_refused_and_seen_by_both_verifiers() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("forked", "anssi").unwrap();
    create(&node, &tenant, "a key");
    // What a tenant keeps at home: heads of its log and of the system's, co-signed.
    let keep = |log: &str| {
        let file = node.dir().join(format!("{log}.checkpoint"));
        fs::write(&file, node.admin("auditor").unwrap().audit_checkpoint(log).unwrap().note).unwrap();
        file
    };
    let export = |node: &Node, log: &str| {
        let file = node.dir().join(format!("{log}.jsonl"));
        fs::write(&file, node.export(log).unwrap()).unwrap();
        file
    };
    let (kept, kept_of_system) = (keep(&tenant.name), keep("system"));
    let keys = three.keys();
    let bundle = export(&node, &tenant.name);
    for said in verdicts(&node, &bundle, Some(&kept), &keys) {
        assert!(said.status.success() && said.stdout.contains("1 of 1"), "{said:?}");
    }
    // As tiles the log has the published head, with everybody's signatures.
    let folder = node.dir().join("tiles");
    let done = node.kmsctl("auditor", &["audit", "tiles", &tenant.name, folder.to_str().unwrap()]).unwrap();
    assert!(done.status.success(), "{done:?}");
    let published = fs::read_to_string(folder.join("checkpoint")).unwrap();
    assert_eq!(audit::witness::cosigners(&published, &keys).len(), 3, "{published}");
    let (_, signers, _) = read_tiles(&folder).unwrap();
    assert!(signers.len() == 4 && keys.iter().all(|key| signers.iter().any(|name| name == key.name())), "{signers:?}");
    // A note that most witnesses did not co-sign counts for neither, however good the HSM's signature on it.
    let bare = node.dir().join("bare.checkpoint");
    let lines = fs::read_to_string(&kept).unwrap();
    let lines = lines.split_inclusive('\n').filter(|line| !line.contains(" TH3S ") && !line.contains(" AZ07 "));
    fs::write(&bare, lines.collect::<String>()).unwrap();
    for said in verdicts(&node, &bundle, Some(&bare), &keys) {
        assert!(!said.status.success() && said.stderr.contains("1 of 3 witnesses co-signed"), "{said:?}");
    }
    witness_now(&node);
    node.stop().unwrap();
    // Whoever holds the database changes a source address in a record, its leaf hash with it, and takes away the signed
    // heads that would contradict it.
    let script = "import hashlib, sqlite3, sys\n\
                  database = sqlite3.connect(sys.argv[1])\n\
                  rows = database.execute('SELECT id, record, log FROM audit WHERE log > 1 ORDER BY id DESC').fetchall()\n\
                  row, record, log = next(row for row in rows if b'Get' in row[1] and b'127.0.0.1:' in row[1])\n\
                  forged = record.replace(b'127.0.0.1:', b'127.0.0.9:')\n\
                  leaf = hashlib.sha256(b'\\0' + forged).digest()\n\
                  database.execute('UPDATE audit SET record = ?, leaf = ? WHERE id = ?', (forged, leaf, row))\n\
                  database.execute('DELETE FROM checkpoint WHERE log = ?', (log,))\n\
                  database.commit()\n\
                  database.close()\n";
    let forged = finish(Command::new("python3").args(["-c", script]).arg(node.stage.store())).unwrap();
    assert!(forged.status.success(), "{}", forged.stderr);
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("the log was forked"), "{error}");
    // The control: nobody who remembers, and the forged history is the history.
    without_witnesses(&node);
    node.serve().unwrap();
    let told = records(&node, &tenant.name).unwrap();
    assert!(told.iter().any(|record| record.source.starts_with("127.0.0.9:")));

    // The HSM signed the forged history since. Who kept nothing believes it (the control); who kept a head that the
    // witnesses co-signed sees that the log is another one. The system's log is honest throughout.
    let bundle = export(&node, &tenant.name);
    for said in verdicts(&node, &bundle, None, &[]) {
        assert!(said.status.success(), "{said:?}");
    }
    for said in verdicts(&node, &bundle, Some(&kept), &keys) {
        assert!(!said.status.success() && said.stderr.contains("the log was rewritten"), "{said:?}");
    }
    for said in verdicts(&node, &export(&node, "system"), Some(&kept_of_system), &keys) {
        assert!(said.status.success() && said.stdout.contains("1 of 1"), "{said:?}");
    }
}

#[test]
fn a_witness_answers_nobody_but_the_node_that_it_was_told_of() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("known", "anssi").unwrap();
    create(&node, &tenant, "a key");
    witness_now(&node);
    node.stop().unwrap();
    // The same node with another certificate, of the same authority and as good: no witness knows it.
    let pki = node.stage.pki();
    let config = fs::read_to_string(node.stage.config()).unwrap();
    let admin = "[admin]\nlisten";
    let (before, after) = config.split_once(admin).unwrap();
    let other =
        after.replacen("pki/server.pem", "pki/acme/client.pem", 1).replacen("pki/server.key", "pki/acme/client.key", 1);
    fs::write(node.stage.config(), format!("{before}{admin}{other}")).unwrap();
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("0 of 3 witnesses answered"), "{error}");
    // Let in by two of their holders, it serves.
    for number in [0, 1] {
        let witness = three.get(number).unwrap();
        witness.kill();
        let program = node.programs.path("witness");
        let mut admit = Command::new(program);
        let admitted =
            finish(admit.args(["admit", "--dir"]).arg(witness.dir()).arg("--node").arg(pki.join("acme/client.pem")));
        assert!(admitted.unwrap().status.success() && witness.journal().contains("admitted"));
        witness.start().unwrap();
    }
    node.serve().unwrap();
}

#[test]
fn a_tenants_checkpoint_is_co_signed_and_an_export_holds_those_of_before() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("cosigned", "anssi").unwrap();
    create(&node, &tenant, "first");
    let auditor = node.admin("auditor").unwrap();
    let note = auditor.audit_checkpoint(&tenant.name).unwrap().note;
    let keys = three.keys();
    assert_eq!(audit::witness::cosigners(&note, &keys).len(), 3, "{note}");
    let file = node.dir().join("kept.checkpoint");
    fs::write(&file, &note).unwrap();
    let (trusted, kept) = (node.dir().join("ceremony/checkpoint-keys.txt"), file.to_str().unwrap().to_owned());
    let verify = |what: &[&str], keys: &[String]| {
        let mut args = vec!["verify"];
        args.extend(what);
        args.extend(["--keys", trusted.to_str().unwrap()]);
        keys.iter().for_each(|key| args.extend(["--witness", key]));
        node.kmsctl("auditor", &args).unwrap()
    };
    let texts: Vec<String> = keys.iter().map(audit::witness::WitnessKey::verifier_key).collect();
    let said = verify(&["checkpoint", &kept], &texts);
    assert!(said.status.success() && said.stdout.contains("co-signed by"), "{said:?}");
    // Without the lines of two of the three there is no majority.
    let bare: String =
        note.split_inclusive('\n').filter(|line| !line.contains(" TH3S ") && !line.contains(" AZ07 ")).collect();
    fs::write(node.dir().join("bare"), bare).unwrap();
    let said = verify(&["checkpoint", node.dir().join("bare").to_str().unwrap()], &texts);
    assert!(!said.status.success() && said.stderr.contains("1 of 3 witnesses"), "{said:?}");

    create(&node, &tenant, "second");
    let exported = node.export(&tenant.name).unwrap();
    let bundle = node.dir().join("bundle.jsonl");
    fs::write(&bundle, &exported).unwrap();
    let said = verify(&["bundle", bundle.to_str().unwrap(), "--checkpoint", &kept], &texts);
    assert!(said.status.success() && said.stdout.contains("1 of 1 compared"), "{said:?}");
    let said = verify(
        &["bundle", bundle.to_str().unwrap(), "--checkpoint", node.dir().join("bare").to_str().unwrap()],
        &texts,
    );
    assert!(!said.status.success(), "{said:?}");

    // The bundle holds the head of before: a record that was forged together with its leaf lies behind it or not.
    let text = String::from_utf8(exported).unwrap();
    let heads: Vec<usize> =
        text.lines().enumerate().filter(|(_, line)| line.starts_with("{\"checkpoint\"")).map(|(at, _)| at).collect();
    assert!(!heads.is_empty(), "no head between the records");
    let forge = |at: usize| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line: serde_json::Value = serde_json::from_str(&lines[at]).unwrap();
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, line["record"].as_str().unwrap());
        let mut record = audit::Record::decode(&bytes.unwrap()).unwrap();
        record.counter += 1;
        let bytes = record.encode().unwrap();
        lines[at] =
            audit::bundle::record_line(line["index"].as_u64().unwrap(), &bytes, &audit::Record::leaf_hash(&bytes));
        lines.iter().map(|line| format!("{line}\n")).collect::<String>()
    };
    let size = heads[0] - 1;
    for (at, stretch) in [(1, format!("records 0 to {}", size - 1)), (heads[0] + 1, format!("records {size} to"))] {
        fs::write(&bundle, forge(at)).unwrap();
        let said = verify(&["bundle", bundle.to_str().unwrap()], &[]);
        assert!(said.stderr.contains(&stretch), "{stretch}: {said:?}");
        let script = system_tests::node::repository().join("docs/verify_bundle.py");
        let said = finish(Command::new("python3").arg("-B").arg(script).arg(&trusted).arg(&bundle)).unwrap();
        assert!(said.stderr.contains(&stretch), "{stretch}: {said:?}");
    }
}

#[test]
fn two_of_three_suffice_and_fewer_publish_nothing() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("majority", "anssi").unwrap();
    let auditor = node.admin("auditor").unwrap();
    create(&node, &tenant, "with three");
    let note = witness_now(&node);
    let body = SignedCheckpoint::parse(&note).unwrap().checkpoint.body();
    assert!(body.starts_with("clavis/"));
    // The head that is published carries the co-signatures, and is still a note by the HSM's key.
    let published = co_signed_by(&node, &three.keys());
    let signed = SignedCheckpoint::parse(&published).unwrap();
    signed.verify(&trusted_keys(&node).unwrap()).unwrap();
    for witness in three.all() {
        let body = signed.checkpoint.body();
        let line = published.split_inclusive('\n').find(|line| line.contains(&format!(" {} ", witness.key.name())));
        assert!(witness.key.verify_cosignature(&body, line.unwrap()).is_ok(), "{}", witness.key.name());
    }

    three.get(0).unwrap().kill();
    create(&node, &tenant, "with two");
    auditor.audit_checkpoint(&tenant.name).unwrap();
    three.get(1).unwrap().kill();
    create(&node, &tenant, "with one");
    let unavailable = |refused: ClientError| assert_eq!(refused.code(), Some(ErrorCode::Unavailable), "{refused}");
    unavailable(auditor.audit_checkpoint(&tenant.name).unwrap_err());
    unavailable(auditor.audit_export(&tenant.name, &mut Vec::new()).unwrap_err());
    let first = ProofQuery { record: Some(0), ..ProofQuery::default() };
    unavailable(auditor.audit_prove(&tenant.name, first).unwrap_err());
    unavailable(auditor.audit_tile(&tenant.name, "tile/0/000").unwrap_err());
    unavailable(auditor.audit_tile(&tenant.name, "checkpoint").unwrap_err());
    // Keys are still handed out and made for a while; nobody may start on so few.
    create(&node, &tenant, "still with one");
    node.kill();
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("1 of 3 witnesses answered"), "{error}");
    // One that was away for long is shown all that it missed.
    three.get(0).unwrap().start().unwrap();
    node.serve().unwrap();
    create(&node, &tenant, "with two again");
    let auditor = node.admin("auditor").unwrap();
    auditor.audit_checkpoint(&tenant.name).unwrap();

    // What was refused is on record as that and as nothing else; so is that there was no majority.
    let told = records(&node, &tenant.name).unwrap();
    let mut acts: BTreeMap<[u8; 16], Vec<(&str, Outcome)>> = BTreeMap::new();
    for record in told.iter().filter(|record| matches!(record.identity, Identity::Admin { .. })) {
        acts.entry(record.request_id).or_default().push((&record.operation, record.outcome));
    }
    assert!(acts.values().all(|outcomes| outcomes.len() == 1), "{acts:?}");
    let count = |operation: &str, outcome| acts.values().filter(|told| told[..] == [(operation, outcome)]).count();
    for (operation, refused, done) in
        [("Checkpoint", 1, 2), ("Export Audit", 1, 0), ("Prove Audit", 1, 0), ("Read Tile", 2, 0)]
    {
        assert_eq!(
            (count(operation, Outcome::Failed), count(operation, Outcome::Success)),
            (refused, done),
            "{operation}"
        );
    }
    let told = records(&node, "system").unwrap();
    let lost: Vec<_> = told.iter().filter(|record| record.operation == "Witnesses Lost").collect();
    let [lost] = lost[..] else { panic!("{lost:?}") };
    assert!(
        lost.outcome == Outcome::Failed && lost.detail.as_deref() == Some("1 of 3 co-signed, 2 are needed"),
        "{lost:?}"
    );
}

/// Asks for the published head until all of these have co-signed it: one that was slow, or away, catches up by itself.
fn co_signed_by(node: &Node, keys: &[WitnessKey]) -> String {
    let auditor = node.admin("auditor").unwrap();
    loop {
        let published = String::from_utf8(auditor.audit_tile("system", "checkpoint").unwrap()).unwrap();
        if audit::witness::cosigners(&published, keys).len() == keys.len() {
            return published;
        }
    }
}

/// Adds a `[limits]` section to the configuration of a node whose configuration has none.
fn limit(node: &Node, limits: &str) {
    let config = fs::read_to_string(node.stage.config()).unwrap();
    assert!(!config.contains("[limits]"));
    fs::write(node.stage.config(), format!("{config}\n[limits]\n{limits}\n")).unwrap();
}

#[test]
fn a_witness_that_hangs_holds_up_nobody_and_catches_up() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    // Who waited for its answer would wait for longer than any request may take.
    limit(&node, "witness_deadline_ms = 600000");
    node.serve().unwrap();
    let tenant = node.tenant("hung", "anssi").unwrap();
    create(&node, &tenant, "with three");
    co_signed_by(&node, &three.keys());
    let hung = three.get(1).unwrap();
    let key = hung.key.clone();
    hung.signal(Signal::STOP);
    let auditor = node.admin("auditor").unwrap();
    for round in 0..5 {
        create(&node, &tenant, &format!("while it hangs {round}"));
        let note = auditor.audit_checkpoint(&tenant.name).unwrap().note;
        let signers = audit::witness::cosigners(&note, &three.keys()).len();
        assert_eq!(signers, 2, "two others did, and it cannot have answered: {note}");
    }
    node.export(&tenant.name).unwrap();
    auditor.audit_prove(&tenant.name, ProofQuery { record: Some(0), ..ProofQuery::default() }).unwrap();
    assert!(audit::witness::cosigners(&witness_now(&node), &[key]).is_empty());
    three.get(1).unwrap().signal(Signal::CONT);
    co_signed_by(&node, &three.keys());
    create(&node, &tenant, "with three again");
}

#[test]
fn one_witness_that_goes_and_comes_back_is_on_record_though_nothing_stops() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("one-lost", "anssi").unwrap();
    create(&node, &tenant, "with three");
    co_signed_by(&node, &three.keys());
    let events = || {
        let told = records(&node, "system").unwrap().into_iter();
        let told = told.filter(|record| ["Witness Lost", "Witness Back"].contains(&record.operation.as_str()));
        told.map(|record| (record.operation, record.outcome, record.detail.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(events(), []);
    let key = three.get(1).unwrap().key.clone();
    three.get(1).unwrap().kill();
    create(&node, &tenant, "with two");
    while events().is_empty() {
        thread::yield_now();
    }
    let lost = events();
    assert!(lost.len() == 1 && lost[0].0 == "Witness Lost" && lost[0].2.starts_with(key.name()), "{lost:?}");
    assert_eq!(lost[0].1, Outcome::Failed);
    create(&node, &tenant, "with two still");
    three.get(1).unwrap().start().unwrap();
    create(&node, &tenant, "with three again");
    co_signed_by(&node, &three.keys());
    let told = events();
    assert!(told.len() == 2 && told[1].0 == "Witness Back" && told[1].2 == key.name(), "{told:?}");
}

#[test]
fn without_a_majority_changes_are_frozen_and_thaw_with_it_and_all_of_it_is_on_record() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    limit(&node, "witness_patience_ms = 1000");
    node.serve().unwrap();
    let tenant = node.tenant("frozen", "anssi").unwrap();
    let key = create(&node, &tenant, "before");
    for number in [0, 1] {
        three.get(number).unwrap().kill();
    }
    // Some intervals go by in which nobody asks for anything.
    let tries = || node.log().unwrap().matches("does not answer").count();
    let before = tries();
    while tries() < before + 8 {
        thread::yield_now();
    }
    let mut connection = node.connect(&tenant.identity).unwrap();
    // The node notices by itself; until then keys are made.
    let refused = loop {
        if let Err(refused) = connection.request(V1_4, aes(Vec::new())) {
            break refused;
        }
    };
    assert_eq!(refused.reason(), Some(ResultReason::GeneralFailure), "{refused}");
    // Reading goes on, and is recorded.
    connection.request(V1_4, GetRequest::of(&key)).unwrap();
    three.get(0).unwrap().start().unwrap();
    while connection.request(V1_4, aes(Vec::new())).is_err() {}
    let wanted = ["Witnesses Lost", "Changes Frozen", "Witnesses Back", "Changes Thawed"];
    loop {
        let told = records(&node, "system").unwrap();
        let told: Vec<_> = told.iter().map(|one| one.operation.as_str()).filter(|one| wanted.contains(one)).collect();
        assert!(wanted.starts_with(&told), "{told:?}");
        // The last of them follows the thaw.
        if told == wanted {
            break;
        }
    }
    // Nothing is told again of what is not new, however often it is shown.
    let told = records(&node, "system").unwrap();
    let told_again = |pair: &&[audit::Record]| pair[0].operation == "Interval" && pair[0].detail == pair[1].detail;
    assert_eq!(told.windows(2).filter(told_again).count(), 0);
    assert!(told.iter().any(|record| record.operation == "Interval"));
}

#[test]
fn a_witness_that_was_told_to_forget_under_a_running_node_is_on_record() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("rebased", "anssi").unwrap();
    create(&node, &tenant, "before");
    co_signed_by(&node, &three.keys());
    let witness = three.get(2).unwrap();
    witness.kill();
    witness.rebase("its disk was replaced", &["officer1", "officer2"]).unwrap();
    witness.start().unwrap();
    create(&node, &tenant, "after");
    co_signed_by(&node, &three.keys());
    let rebased = || {
        let told = records(&node, "system").unwrap();
        let rebased = told.into_iter().filter(|record| record.operation == "Witness Rebased");
        rebased.map(|record| record.detail.unwrap()).collect::<Vec<_>>()
    };
    let told = rebased();
    assert!(told.len() == 1 && told[0].starts_with("AZ07: ") && told[0].contains("its disk was replaced"), "{told:?}");
    // And once.
    create(&node, &tenant, "later");
    co_signed_by(&node, &three.keys());
    assert_eq!(rebased(), told);
}

#[test]
fn a_node_that_meets_a_witness_who_saw_more_stops_serving() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let mut three = witnesses::of(&node).unwrap();
    node.serve().unwrap();
    let tenant = node.tenant("diverged", "anssi").unwrap();
    create(&node, &tenant, "kept");
    node.stop().unwrap();
    let (store, old) = (node.stage.store(), node.dir().join("old"));
    copy_store(&store, &old);
    node.serve().unwrap();
    create(&node, &tenant, "lost");
    co_signed_by(&node, &three.keys());
    node.stop().unwrap();
    // Somebody puts the older database back and has two of three witnesses forget; the third is away and does not.
    copy_store(&old, &store);
    for number in [0, 1, 2] {
        three.get(number).unwrap().kill();
    }
    for number in [0, 1] {
        let witness = three.get(number).unwrap();
        witness.rebase("a mistake", &["officer1", "officer2"]).unwrap();
        witness.start().unwrap();
    }
    node.serve().unwrap();
    create(&node, &tenant, "a new past");
    witness_now(&node);
    three.get(2).unwrap().start().unwrap();
    // With the next news it is asked where it stands.
    let auditor = node.admin("auditor").unwrap();
    while auditor.health().is_ok() {}
    let status = node.ended().unwrap();
    assert!(!status.success());
    let log = node.log().unwrap();
    assert!(log.contains("a witness saw") && log.contains("diverged"), "{log}");
    // And does not come back before people have decided.
    let error = node.serve().unwrap_err().to_string();
    assert!(error.contains("witness AZ07") && error.contains("a witness saw"), "{error}");
}
