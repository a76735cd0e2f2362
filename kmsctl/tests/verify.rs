//! `verify bundle` on a real bundle, and on every line of it changed, lost, doubled or exchanged.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::fs;

use audit::bundle::{Header, write_bundle};
use audit::{Checkpoint, Identity, LogId, Outcome, PublicKey, Record, SignedCheckpoint, Tree, TrustedKeys};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;
use support::{Kmsctl, Run};
use tempfile::TempDir;

const KMS: &str = "test-kms";
const LOG: LogId = LogId::Domain([7; 16]);
const RECORDS: u64 = 9;

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    fn public(&self) -> PublicKey {
        PublicKey::from_sec1(self.0.public_key().as_ref()).unwrap()
    }

    fn sign(&self, size: u64, tree: &Tree) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(KMS, LOG, size, tree.root()).unwrap();
        let signature = self.0.sign(&SystemRandom::new(), checkpoint.body().as_bytes()).unwrap();
        checkpoint.sign(KMS, &self.public(), signature.as_ref().try_into().unwrap()).unwrap()
    }
}

fn record(number: u64) -> Vec<u8> {
    let record = Record {
        time_us: 1_795_347_000_000_000 + i64::try_from(number).unwrap(),
        node: [1; 16],
        boot: [2; 16],
        counter: number,
        log: LOG,
        identity: Identity::Client { fingerprint: [3; 32] },
        source: "192.0.2.7:50000".to_owned(),
        operation: "Get".to_owned(),
        object: Some("0197f9a0-7c1e-7b7a-9d2e-5c1f00000001".to_owned()),
        outcome: Outcome::Success,
        reason: None,
        request_id: [4; 16],
        correlation: None,
        revision: None,
        row_digest: None,
        set_digest: None,
        approvals: Vec::new(),
        detail: None,
        count: 1,
    };
    record.encode().unwrap()
}

/// A bundle, the keys that it verifies under, and a checkpoint kept from when the log had four records.
struct World {
    folder: TempDir,
    lines: Vec<String>,
}

impl World {
    fn new() -> Self {
        let signer = Signer::new();
        let mut tree = Tree::new();
        let mut kept = None;
        let mut records = Vec::new();
        for number in 0..RECORDS {
            if number == 4 {
                kept = Some(signer.sign(4, &tree));
            }
            let bytes = record(number);
            let leaf = Record::leaf_hash(&bytes);
            tree.append(leaf);
            records.push((bytes, leaf));
        }
        let header = Header::whole(KMS, LOG, RECORDS, &[signer.public()]);
        let bundle = write_bundle(Vec::new(), &header, records, &[], &signer.sign(RECORDS, &tree)).unwrap();
        let bundle = String::from_utf8(bundle).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let keys = TrustedKeys::new(KMS, vec![signer.public()]).unwrap();
        fs::write(folder.path().join("keys"), keys.to_text()).unwrap();
        fs::write(folder.path().join("kept"), kept.unwrap().format()).unwrap();
        Self { folder, lines: bundle.lines().map(str::to_owned).collect() }
    }

    fn run_on(&self, bytes: &[u8], more: &[&str]) -> Run {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("bundle"), bytes).unwrap();
        Kmsctl::new().args(["verify", "bundle", "--keys"]).arg(path("keys")).arg(path("bundle")).args(more).run()
    }

    fn run(&self, lines: &[String], more: &[&str]) -> Run {
        self.run_on((lines.join("\n") + "\n").as_bytes(), more)
    }
}

#[test]
fn a_whole_bundle_verifies_and_says_what_it_shows() {
    let world = World::new();
    let run = world.run(&world.lines, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let text = |name: &str| {
        let line = run.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].trim().to_owned()
    };
    assert_eq!(text("verified"), "yes");
    assert_eq!(text("kms"), KMS);
    assert_eq!(text("log "), LOG.to_string());
    assert_eq!(text("records"), "9 from position 0");
    assert_eq!(text("from"), "2026-11-22T11:30:00.000000Z");

    let kept = world.folder.path().join("kept");
    let json = world.run(&world.lines, &["--output", "json", "--checkpoint", kept.to_str().unwrap()]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&report["verified"], &report["records"], &report["size"]), (&true.into(), &9.into(), &9.into()));
    assert_eq!((&report["checkpoints_given"], &report["checkpoints_compared"]), (&1.into(), &1.into()));
}

#[test]
fn one_changed_byte_fails_at_its_record() {
    let world = World::new();
    for line in 0..world.lines.len() {
        // Record `n` stands on line `n + 1`, between header and last line.
        let expected = (line as u64).checked_sub(1).filter(|number| *number < RECORDS);
        let length = world.lines[line].len();
        for at in [length / 5, length / 2, length - 10] {
            let mut lines = world.lines.clone();
            let mut bytes = lines[line].clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            lines[line] = String::from_utf8(bytes).unwrap();
            let run = world.run(&lines, &["--output", "json"]);
            assert_eq!(run.code, 6, "line {line}, byte {at}: {}{}", run.stdout, run.stderr);
            assert!(run.stderr.starts_with("kmsctl: not verified: ") && run.stderr.lines().count() == 1);
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(report["verified"], false);
            assert_eq!(report["record"].as_u64(), expected, "line {line}, byte {at}: {}", run.stderr);
        }
    }
}

#[test]
fn lost_doubled_exchanged_and_cut_records_are_named() {
    let world = World::new();
    let named = |lines: &[String]| {
        let run = world.run(lines, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (6, ""), "{}", run.stderr);
        run.stderr
    };
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = world.lines.clone();
        change(&mut lines);
        lines
    };
    assert!(named(&changed(&|lines| drop(lines.remove(5)))).contains("record 4"));
    assert!(named(&changed(&|lines| lines.insert(5, lines[5].clone()))).contains("record 5"));
    assert!(named(&changed(&|lines| lines.swap(5, 6))).contains("record 4"));
    assert!(named(&changed(&|lines| lines.truncate(5))).contains("record 4"));
    named(&[]);
}

#[test]
fn a_bundle_under_other_keys_does_not_verify() {
    let (world, other) = (World::new(), World::new());
    let run = other.run(&world.lines, &[]);
    assert_eq!(run.code, 6, "{}", run.stderr);
}

#[test]
fn a_log_that_was_rewritten_does_not_contain_the_checkpoint_that_was_kept() {
    // Both worlds write the same records; a third rewrites the second record and signs that with the same key.
    let signer = Signer::new();
    let build = |changed: Option<u64>| {
        let mut tree = Tree::new();
        let mut records = Vec::new();
        for number in 0..RECORDS {
            let bytes = record(if changed == Some(number) { 100 } else { number });
            let leaf = Record::leaf_hash(&bytes);
            tree.append(leaf);
            records.push((bytes, leaf));
        }
        let header = Header::whole(KMS, LOG, RECORDS, &[signer.public()]);
        let head = signer.sign(RECORDS, &tree);
        (write_bundle(Vec::new(), &header, records, &[], &head).unwrap(), head)
    };
    let (honest, head) = build(None);
    let (rewritten, _) = build(Some(1));
    let world = World::new();
    let keys = TrustedKeys::new(KMS, vec![signer.public()]).unwrap();
    fs::write(world.folder.path().join("keys"), keys.to_text()).unwrap();
    let kept = world.folder.path().join("head");
    fs::write(&kept, head.format()).unwrap();
    assert_eq!(world.run_on(&rewritten, &[]).code, 0, "alone it looks right");
    let checkpoint = ["--checkpoint", kept.to_str().unwrap()];
    assert_eq!(world.run_on(&honest, &checkpoint).code, 0);
    let run = world.run_on(&rewritten, &checkpoint);
    assert!(run.code == 6 && run.stderr.contains("rewritten"), "{}", run.stderr);
}

#[test]
fn files_that_are_no_keys_or_checkpoints_are_wrong_use() {
    let world = World::new();
    let kept = world.folder.path().join("kept");
    fs::write(&kept, "not a note").unwrap();
    let run = world.run(&world.lines, &["--checkpoint", kept.to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("kept"), "{}", run.stderr);
    fs::write(world.folder.path().join("keys"), "# none\n").unwrap();
    let run = world.run(&world.lines, &[]);
    assert!(run.code == 2 && run.stderr.contains("keys"), "{}", run.stderr);
}
