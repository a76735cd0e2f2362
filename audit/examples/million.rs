//! How long the verification of a long log takes, and how much memory: writes a bundle, verifies it, says both.
//!
//! `cargo run --release -p audit --example million [RECORDS]`; the bundle, 0.8 GB for the million that is the default,
//! lies in the temporary folder (`TMPDIR`) meanwhile.
#![expect(clippy::unwrap_used, reason = "a measurement that goes wrong has nothing to measure")]

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::time::Instant;

use audit::bundle::{BundleWriter, Header, verify_bundle};
use audit::{Checkpoint, Identity, LogId, Outcome, PublicKey, Record, Tree, TrustedKeys};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

const KMS: &str = "million";
const LOG: LogId = LogId::Domain([9; 16]);

/// A Get as a client's, the commonest of records.
fn record(number: u64) -> Vec<u8> {
    let record = Record {
        time_us: 1_795_347_000_000_000 + i64::try_from(number).unwrap() * 1_000,
        node: [1; 16],
        boot: [2; 16],
        counter: number,
        log: LOG,
        identity: Identity::Client { fingerprint: [3; 32] },
        source: "192.0.2.7:50000".to_owned(),
        operation: "Get".to_owned(),
        object: Some(format!("0197f9a0-7c1e-7b7a-9d2e-{number:012x}")),
        outcome: Outcome::Success,
        reason: None,
        request_id: [4; 16],
        correlation: None,
        revision: None,
        row_digest: None,
        set_digest: None,
        approvals: Vec::new(),
        detail: Some("version 1.1".to_owned()),
        count: 1,
    };
    record.encode().unwrap()
}

/// The most memory that this process had at a time, in KiB, as Linux counts it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn main() -> Result<(), String> {
    let records: u64 = match std::env::args().nth(1) {
        Some(count) => count.parse().map_err(|_| format!("{count} is no number of records"))?,
        None => 1_000_000,
    };
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let key = PublicKey::from_sec1(pair.public_key().as_ref()).unwrap();
    let path = std::env::temp_dir().join(format!("clavis-million-{}.jsonl", std::process::id()));

    let began = Instant::now();
    let header = Header::whole(KMS, LOG, records, &[key]);
    let mut writer = BundleWriter::new(BufWriter::new(File::create(&path).unwrap()), &header).unwrap();
    let mut tree = Tree::new();
    for number in 0..records {
        let bytes = record(number);
        let leaf = Record::leaf_hash(&bytes);
        tree.append(leaf);
        writer.record(&bytes, &leaf).unwrap();
    }
    let checkpoint = Checkpoint::new(KMS, LOG, records, tree.root()).unwrap();
    let signature = pair.sign(&random, checkpoint.body().as_bytes()).unwrap();
    let signed = checkpoint.sign(KMS, &key, signature.as_ref().try_into().unwrap()).unwrap();
    drop(writer.finish(&[], &signed).unwrap());
    let bytes = path.metadata().unwrap().len();
    println!("written:  {records} records, {bytes} bytes, {:.1} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let trusted = TrustedKeys::new(KMS, vec![key]).unwrap();
    let verified = verify_bundle(BufReader::new(File::open(&path).unwrap()), &trusted);
    let took = began.elapsed();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(verified.unwrap().count, records);
    println!("verified: {:.1} s on one core, {} KiB of memory at most", took.as_secs_f64(), peak_kib());
    Ok(())
}
