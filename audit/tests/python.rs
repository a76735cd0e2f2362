//! The verifier of docs/verify_bundle.py, which knows nothing of this crate, against this crate's bundles and verifier.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use audit::bundle::{BundleWriter, Header, verify_bundle};
use audit::witness::{WitnessKey, cosigned_text, cosigners};
use audit::{Checkpoint, Identity, LogId, Outcome, PublicKey, Record, SignedCheckpoint, Tree, TrustedKeys, right_edge};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use tempfile::TempDir;

const KMS: &str = "paris";
const LOG: LogId = LogId::Domain([0xa7; 16]);

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

    fn head(&self, log: LogId, leaves: &[[u8; 32]]) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(KMS, log, leaves.len() as u64, tree(leaves).root()).unwrap();
        let signature = self.0.sign(&SystemRandom::new(), checkpoint.body().as_bytes()).unwrap();
        checkpoint.sign(KMS, &self.public(), signature.as_ref().try_into().unwrap()).unwrap()
    }
}

fn tree(leaves: &[[u8; 32]]) -> Tree {
    let mut tree = Tree::new();
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    tree
}

/// Records of which every optional field is there in some and absent in others.
fn record(number: u64) -> Vec<u8> {
    let each = |every: u64| number.is_multiple_of(every);
    let one_of = |count: u64| usize::try_from(number % count).unwrap();
    let record = Record {
        time_us: 1_795_347_000_000_000 + i64::try_from(number * 977_001).unwrap(),
        node: [1; 16],
        boot: [2; 16],
        counter: number,
        log: LOG,
        identity: match number % 4 {
            0 => Identity::None,
            1 => Identity::Client { fingerprint: [3; 32] },
            2 => Identity::Admin { fingerprint: [4; 32], name: "Zoë \"Z\" \\ \u{2028}\u{1f511}".into() },
            _ => Identity::Node,
        },
        source: if each(3) { String::new() } else { "[2001:db8::1]:50000".into() },
        operation: ["Create", "Get", "Activate", "Destroy"][one_of(4)].into(),
        object: (!each(5)).then(|| format!("0197f9a0-7c1e-7b7a-9d2e-{number:012x}")),
        outcome: [Outcome::Success, Outcome::Failed, Outcome::Undone][one_of(3)],
        reason: each(3).then(|| "Item Not Found".into()),
        request_id: [5; 16],
        correlation: each(2).then(|| "vm-42/disk-1".into()),
        revision: each(2).then_some(u64::MAX - number),
        row_digest: each(2).then_some([6; 32]),
        set_digest: each(7).then_some([7; 32]),
        approvals: if each(6) { vec!["officer1".into(), "officer2".into()] } else { vec![] },
        detail: (!each(4)).then(|| "version 1.1".into()),
        count: u32::try_from(number % 9 + 1).unwrap(),
    };
    record.encode().unwrap()
}

/// A log, its signer, and a folder for what is judged.
struct World {
    folder: TempDir,
    signer: Signer,
    records: Vec<Vec<u8>>,
    leaves: Vec<[u8; 32]>,
}

impl World {
    fn new(count: u64) -> Self {
        let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::new());
        let records: Vec<_> = (0..count).map(record).collect();
        let leaves = records.iter().map(|bytes| Record::leaf_hash(bytes)).collect();
        let world = Self { folder, signer, records, leaves };
        fs::write(world.path("keys"), format!("# from the ceremony\n\n{}", world.trusted().to_text())).unwrap();
        world
    }

    /// The same log with another record at `at`: every hash made anew, by the same signer.
    fn rewritten(self, at: usize) -> Self {
        let mut world = self;
        world.records[at] = record(999);
        world.leaves[at] = Record::leaf_hash(&world.records[at]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn trusted(&self) -> TrustedKeys {
        TrustedKeys::new(KMS, vec![self.signer.public(), Signer::new().public()]).unwrap()
    }

    /// The bundle of records `from` to `to`, with a checkpoint after each of `stops`, closed by a head of `size`.
    fn bundle(&self, from: usize, to: usize, stops: &[usize], size: usize) -> Vec<u8> {
        let before = tree(&self.leaves[..from]);
        let header = Header::part(KMS, LOG, &before, (to - from) as u64, &[self.signer.public()]);
        let mut writer = BundleWriter::new(Vec::new(), &header).unwrap();
        for at in from..to {
            writer.record(&self.records[at], &self.leaves[at]).unwrap();
            if stops.contains(&(at + 1)) {
                writer.checkpoint(&self.signer.head(LOG, &self.leaves[..=at])).unwrap();
            }
        }
        let right = right_edge(to as u64, &self.leaves[to..size]);
        writer.finish(&right, &self.signer.head(LOG, &self.leaves[..size])).unwrap()
    }

    fn whole(&self, stops: &[usize]) -> Vec<u8> {
        self.bundle(0, self.leaves.len(), stops, self.leaves.len())
    }

    /// What the Python verifier says of each bundle.
    fn judge(&self, bundles: &[Vec<u8>]) -> Vec<String> {
        let paths: Vec<PathBuf> = (0..bundles.len()).map(|number| self.path(&format!("bundle-{number}"))).collect();
        bundles.iter().zip(&paths).for_each(|(bundle, path)| fs::write(path, bundle).unwrap());
        let output = python("audit/tests/tampering.py", |command| {
            command.arg("judge").arg(self.path("keys")).args(&paths);
        });
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(said.len(), bundles.len());
        said
    }
}

fn python(script: &str, configure: impl FnOnce(&mut Command)) -> Output {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new("python3");
    // Without -B a cache would be left beside the script.
    command.arg("-B").arg(repository.join(script)).env("PYTHONUTF8", "1");
    configure(&mut command);
    command.output().expect("python3 is not installed: scripts/setup-python installs it")
}

/// The record that a verdict of the Python verifier lays it to.
fn laid_to(verdict: &str) -> Option<u64> {
    verdict.strip_prefix("not verified: record ")?.split(':').next()?.parse().ok()
}

#[test]
fn a_thousand_records_tampered_with_in_every_way_are_noticed_and_named() {
    let world = World::new(1_000);
    fs::write(world.path("bundle"), world.whole(&[])).unwrap();
    let output = python("audit/tests/tampering.py", |command| {
        command.arg("matrix").arg(world.path("keys")).arg(world.path("bundle"));
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let number = |kind: &str| -> u64 {
        let line = said.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
        line.unwrap_or_default().parse().unwrap_or_default()
    };
    assert!(said.starts_with("verified: 1000 records of a7a7a7a7-"), "{said}");
    assert_eq!(["deleted", "swapped", "inserted", "doubled", "cut"].map(number), [1_000, 999, 1_000, 1_000, 2_000]);
    // The barest of these records has 14 fields, the fullest 24.
    assert!(number("value") > 14_000 && number("value") == number("name"), "{said}");
}

#[test]
fn both_verifiers_accept_every_stretch() {
    let world = World::new(11);
    let bundles: Vec<Vec<u8>> = (0..=11)
        .flat_map(|from| (from..=11).map(move |to| (from, to)))
        .map(|(from, to)| world.bundle(from, to, &[to], 11))
        .collect();
    for (bundle, verdict) in bundles.iter().zip(world.judge(&bundles)) {
        assert!(verify_bundle(&bundle[..], &world.trusted()).is_ok() && verdict.starts_with("verified: "), "{verdict}");
    }
}

#[test]
fn both_verifiers_lay_the_same_tampering_to_the_same_record() {
    let world = World::new(30);
    let genuine = world.bundle(3, 27, &[10, 20], 30);
    let mut tampered: Vec<Vec<u8>> = Vec::new();
    // Bytes all over the file, every kind of line among them.
    for at in (0..genuine.len()).step_by(37) {
        let mut changed = genuine.clone();
        changed[at] ^= 1 << (at % 8);
        tampered.push(changed);
    }
    let lines: Vec<&[u8]> = genuine.split_inclusive(|byte| *byte == b'\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let [before, after] = [lines[..at].concat(), lines[at + 1..].concat()];
        let instead = |line: &[u8]| [&before[..], line, &after[..]].concat();
        tampered.push(instead(b""));
        tampered.push(instead(&line.repeat(2)));
        tampered.push(before.clone());
        // Blanks and letter case, which JSON would let pass.
        let text = std::str::from_utf8(line).unwrap();
        tampered.push(instead(text.replacen("\":", "\": ", 1).as_bytes()));
        tampered.push(instead(text.to_uppercase().as_bytes()));
    }
    let mut noticed = 0;
    for (number, (bundle, verdict)) in tampered.iter().zip(world.judge(&tampered)).enumerate() {
        match verify_bundle(&bundle[..], &world.trusted()) {
            // A checkpoint more or less between records says nothing false.
            Ok(_) => assert!(verdict.starts_with("verified: "), "{number}: {verdict}"),
            Err(error) => {
                assert!(verdict.starts_with("not verified: "), "{number}: {error} against {verdict}");
                assert_eq!(laid_to(&verdict), error.record, "{number}: {error} against {verdict}");
                noticed += 1;
            }
        }
    }
    // Two checkpoints, each left out once and doubled once.
    assert_eq!(noticed, tampered.len() - 4);
}

#[test]
fn forgeries_that_keep_every_hash_right_fail_at_the_signed_root() {
    let world = World::new(40);
    let genuine = world.whole(&[10, 20, 30]);
    // The forger holds the database: records, leaves and edges are made anew, the signatures stay.
    let forger = World::new(40).rewritten(14);
    let forged = forger.whole(&[10, 20, 30]);
    let lines =
        |bundle: &[u8]| -> Vec<Vec<u8>> { bundle.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() };
    let mixed: Vec<Vec<u8>> = lines(&forged)
        .into_iter()
        .zip(lines(&genuine))
        .map(|(forged, genuine)| if forged.starts_with(b"{\"index\"") { forged } else { genuine })
        .collect();
    let other_log = {
        let header = Header::whole(KMS, LOG, 40, &[world.signer.public()]);
        let records = world.records.iter().zip(world.leaves.iter().copied());
        let head = world.signer.head(LogId::System, &world.leaves);
        audit::bundle::write_bundle(Vec::new(), &header, records, &[], &head).unwrap()
    };
    let verdicts = world.judge(&[genuine, mixed.concat(), forger.whole(&[]), other_log]);
    assert!(verdicts[0].starts_with("verified: 40 records"), "{}", verdicts[0]);
    assert!(verdicts[1].contains("records 10 to 19 as a whole do not have the signed root"), "{}", verdicts[1]);
    assert!(verdicts[2].contains("not trusted"), "{}", verdicts[2]);
    assert!(verdicts[3].contains("checkpoint of another log"), "{}", verdicts[3]);
}

#[test]
fn a_kept_checkpoint_counts_where_most_of_the_witnesses_co_signed_it() {
    let world = World::new(12);
    let note = world.signer.head(LOG, &world.leaves);
    let pairs: Vec<_> = (1..=3).map(|seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()).collect();
    let key = |(pair, name): (&Ed25519KeyPair, &str)| {
        WitnessKey::new(name, pair.public_key().as_ref().try_into().unwrap()).unwrap()
    };
    let keys: Vec<WitnessKey> = pairs.iter().zip(["paris", "lyon", "lille"]).map(key).collect();
    let body = note.checkpoint.body();
    let by = |signer: usize, named: usize, said_s: u64| {
        let signature = pairs[signer].sign(cosigned_text(1_795_347_000, &body).as_bytes());
        keys[named].cosignature_line(said_s, signature.as_ref().try_into().unwrap())
    };
    let good = |at: usize| by(at, at, 1_795_347_000);
    fs::write(world.path("bundle"), world.whole(&[])).unwrap();
    for (lines, count) in [
        (vec![good(0), good(1), good(2)], 3),
        (vec![good(2), good(0)], 2),
        (vec![good(1)], 1),
        (vec![good(1), good(1)], 1),
        (vec![], 0),
        // In another's name; with another time.
        (vec![good(0), by(2, 1, 1_795_347_000)], 1),
        (vec![good(0), by(1, 1, 1_795_347_001)], 1),
    ] {
        let text = note.format() + &lines.concat();
        assert_eq!(cosigners(&text, &keys).len(), count, "{text}");
        fs::write(world.path("kept"), &text).unwrap();
        let output = python("docs/verify_bundle.py", |command| {
            command.args(["keys", "bundle", "kept"].map(|name| world.path(name)));
            keys.iter().for_each(|key| {
                command.arg("--witness").arg(key.verifier_key());
            });
        });
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.success(), count > 1, "{count}: {said}");
        let expected = if count > 1 {
            "1 of 1 kept checkpoints compared, each co-signed by most of 3 witnesses".to_owned()
        } else {
            format!("{count} of 3 witnesses co-signed")
        };
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_kept_checkpoint_shows_a_cut_and_a_rewritten_log_and_without_one_they_pass() {
    let world = World::new(30);
    fs::write(world.path("kept"), world.signer.head(LOG, &world.leaves).format()).unwrap();
    fs::write(world.path("whole"), world.whole(&[])).unwrap();
    fs::write(world.path("cut"), world.bundle(0, 20, &[], 20)).unwrap();
    // Both by the genuine key: whoever holds the HSM and the database wrote history anew.
    let world = world.rewritten(4);
    fs::write(world.path("rewritten"), world.whole(&[])).unwrap();
    let run = |bundle: &str, kept: bool| {
        let output = python("docs/verify_bundle.py", |command| {
            command.arg(world.path("keys")).arg(world.path(bundle)).args(kept.then(|| world.path("kept")));
        });
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for bundle in ["whole", "cut", "rewritten"] {
        assert_eq!(run(bundle, false), (0, String::new()), "alone, {bundle} looks right");
    }
    assert_eq!(run("whole", true), (0, String::new()));
    let (code, said) = run("cut", true);
    assert!(code == 1 && said.contains("the log was cut"), "{said}");
    let (code, said) = run("rewritten", true);
    assert!(code == 1 && said.contains("the log was rewritten"), "{said}");
}
