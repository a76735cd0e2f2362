//! What a long audit log costs those who check it: verifying a bundle of it, in time and memory, and making a proof out of
//! the store that holds it. The bars are promises: `make bench` fails where one of them is not kept.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use audit::bundle::{BundleError, BundleWriter, Header, WriteError, verify_bundle};
use audit::{
    Checkpoint, Claim, EvidenceError, Identity, KeyError, LogId, NoteError, Outcome, PublicKey, Record, RecordError,
    SignedCheckpoint, Tree, TrustedKeys, inclusion_ranges, verify_proof, write_proof,
};
use keystore::{KeyStore, SqliteStore, StoreError, StoreOptions, Unit};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::Serialize;

use crate::limits::{MOST_GROWTH_KIB, MOST_PROOF_US, MOST_VERIFYING_S, PROOFS, VERIFIED_RECORDS};

const KMS: &str = "bench";
const LOG: LogId = LogId::System;
/// Records of one unit of the store.
const UNIT: usize = 4_000;

/// What to measure.
pub struct Options {
    /// For bundle and database; on the disk that is to be measured.
    pub folder: PathBuf,
    /// Records of the longer log; the shorter one has a tenth of them.
    pub records: u64,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    verified: [Verification; 2],
    proofs: Proofs,
}

/// The verification of one bundle, by the code of `kmsctl verify bundle`.
#[derive(Debug, Serialize)]
struct Verification {
    records: u64,
    bundle_bytes: u64,
    seconds: f64,
    /// The most memory that the process had at a time meanwhile.
    peak_kib: u64,
}

/// Inclusion proofs of records here and there in the longer log: read from the store, written and verified as the
/// server does it before it hands one out.
#[derive(Debug, Serialize)]
struct Proofs {
    records: u64,
    made: usize,
    median_us: u64,
    p99_us: u64,
    worst_us: u64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum AuditLogError {
    /// Of a file.
    #[error("file: {0}")]
    Io(#[from] std::io::Error),
    /// Of the store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A bundle does not verify.
    #[error("bundle: {0}")]
    Bundle(#[from] BundleError),
    /// A bundle cannot be written.
    #[error("bundle: {0}")]
    Write(#[from] WriteError),
    /// A proof does not verify, or cannot be written.
    #[error("proof: {0}")]
    Proof(#[from] EvidenceError),
    /// Something cannot be made that the log needs.
    #[error("log: {0}")]
    Log(&'static str),
}

macro_rules! of_the_log {
    ($($error:ty => $what:literal),*) => {
        $(impl From<$error> for AuditLogError {
            fn from(_: $error) -> Self {
                Self::Log($what)
            }
        })*
    };
}
of_the_log!(RecordError => "record", KeyError => "key", NoteError => "checkpoint", ring::error::Unspecified => "signature");

impl Report {
    /// Whether every promise is kept: time in proportion to the number of records, memory and proofs as they are.
    #[must_use]
    pub fn is_within_the_bars(&self) -> bool {
        let [short, long] = &self.verified;
        let parts = [short, long].map(|one| one.seconds * VERIFIED_RECORDS <= MOST_VERIFYING_S * count(one.records));
        parts == [true; 2]
            && long.peak_kib <= short.peak_kib.saturating_add(MOST_GROWTH_KIB)
            && self.proofs.median_us <= MOST_PROOF_US
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.verified {
            writeln!(
                f,
                "verify bundle   {:>9} records {:>8.1} s on one core {:>8} KiB at most",
                one.records, one.seconds, one.peak_kib
            )?;
        }
        let Proofs { records, median_us, p99_us, worst_us, .. } = &self.proofs;
        writeln!(
            f,
            "prove a record  {records:>9} records {median_us:>8} µs median {p99_us:>6} µs p99 {worst_us:>6} µs worst"
        )?;
        write!(
            f,
            "bars: {MOST_VERIFYING_S} s for {VERIFIED_RECORDS} records, {MOST_GROWTH_KIB} KiB more for ten times as many, \
             {MOST_PROOF_US} µs for the median proof"
        )
    }
}

/// Measures.
///
/// # Errors
/// [`AuditLogError`]; what takes too long is no error but not within the bars.
pub async fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Report, AuditLogError> {
    std::fs::create_dir_all(&options.folder)?;
    let signer = Signer::new()?;
    let path = options.folder.join("audit-log.jsonl");
    let shorter = options.records / 10;
    tell(&format!("a bundle of {shorter} records …"));
    let short = tokio::task::block_in_place(|| verification(&path, &signer, shorter));
    tell(&format!("a bundle of {} records …", options.records));
    let long = tokio::task::block_in_place(|| verification(&path, &signer, options.records));
    let _ = std::fs::remove_file(&path);
    tell(&format!("a store of {} records …", options.records));
    let folder = options.folder.join("audit-log-store");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let made = proofs(&folder, &signer, options.records).await;
    let _ = std::fs::remove_dir_all(&folder);
    Ok(Report { verified: [short?, long?], proofs: made? })
}

struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    fn new() -> Result<Self, AuditLogError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| AuditLogError::Log("key"))?;
        Ok(Self { pair, random })
    }

    fn key(&self) -> Result<PublicKey, AuditLogError> {
        Ok(PublicKey::from_sec1(self.pair.public_key().as_ref())?)
    }

    fn sign(&self, size: u64, root: audit::Hash) -> Result<SignedCheckpoint, AuditLogError> {
        let checkpoint = Checkpoint::new(KMS, LOG, size, root)?;
        let signature = self.pair.sign(&self.random, checkpoint.body().as_bytes())?;
        let r_s = signature.as_ref().try_into().map_err(|_| AuditLogError::Log("signature"))?;
        Ok(checkpoint.sign(KMS, &self.key()?, r_s)?)
    }

    fn trusted(&self) -> Result<TrustedKeys, AuditLogError> {
        Ok(TrustedKeys::new(KMS, vec![self.key()?])?)
    }
}

/// A Get as a client's, the commonest of records.
fn record(number: u64) -> Record {
    Record {
        time_us: 1_795_347_000_000_000_i64.saturating_add_unsigned(number.saturating_mul(1_000)),
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
    }
}

fn verification(path: &Path, signer: &Signer, records: u64) -> Result<Verification, AuditLogError> {
    let header = Header::whole(KMS, LOG, records, &[signer.key()?]);
    let mut writer = BundleWriter::new(BufWriter::new(File::create(path)?), &header)?;
    let mut tree = Tree::new();
    for number in 0..records {
        let bytes = record(number).encode()?;
        let leaf = Record::leaf_hash(&bytes);
        tree.append(leaf);
        writer.record(&bytes, &leaf)?;
    }
    drop(writer.finish(&[], &signer.sign(records, tree.root())?)?);
    let trusted = signer.trusted()?;
    forget_peak()?;
    let began = Instant::now();
    let verified = verify_bundle(BufReader::new(File::open(path)?), &trusted)?;
    let took = began.elapsed();
    if verified.count != records {
        return Err(AuditLogError::Log("not every record was verified"));
    }
    let bundle_bytes = path.metadata()?.len();
    Ok(Verification { records, bundle_bytes, seconds: took.as_secs_f64(), peak_kib: peak_kib()? })
}

async fn proofs(folder: &Path, signer: &Signer, records: u64) -> Result<Proofs, AuditLogError> {
    let store = SqliteStore::open(folder.join("store.db"), StoreOptions::default()).await?;
    let mut next = 0;
    while next < records {
        let end = next.saturating_add(UNIT as u64).min(records);
        store.commit(Unit::records((next..end).map(record))).await?;
        next = end;
    }
    let (size, root) = store.tree_head(LOG).await?;
    let (head, trusted) = (signer.sign(size, root)?, signer.trusted()?);
    let mut took = Vec::with_capacity(PROOFS);
    for number in 0..PROOFS as u64 {
        // Far from each other, so that no page of the database is just the one that was read.
        let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size.max(1);
        let began = Instant::now();
        let bytes = store.records(LOG, index, 1).await?.pop().ok_or(AuditLogError::Log("a record is missing"))?.bytes;
        let ranges = inclusion_ranges(index, size).map_err(|_| AuditLogError::Log("no such record"))?;
        let path = store.subtree_roots(LOG, &ranges).await?;
        let document = write_proof(KMS, LOG, &Claim::Inclusion { index, record: bytes, path }, &head)?;
        verify_proof(&document, &trusted, &[])?;
        took.push(began.elapsed());
    }
    store.close().await;
    took.sort_unstable();
    let at = |hundredths: usize| took.get(took.len() * hundredths / 100).copied().or(took.last().copied());
    let us = |time: Option<Duration>| time.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    let (median_us, p99_us, worst_us) = (us(at(50)), us(at(99)), us(at(100)));
    Ok(Proofs { records: size, made: took.len(), median_us, p99_us, worst_us })
}

/// Lets the kernel count the most memory from now on. proc(5), clear_refs.
fn forget_peak() -> std::io::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
}

/// The most memory that this process had at a time since then, in KiB.
fn peak_kib() -> Result<u64, AuditLogError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.ok_or(AuditLogError::Log("the kernel does not say how much memory was used"))
}

/// A number of records as a factor.
fn count(records: u64) -> f64 {
    f64::from(u32::try_from(records).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(seconds: f64, kib: u64, median_us: u64) -> Report {
        let verified = |records, seconds, peak_kib| Verification { records, bundle_bytes: 1, seconds, peak_kib };
        let proofs = Proofs { records: 10, made: 1, median_us, p99_us: 9_000, worst_us: 9_000 };
        Report { verified: [verified(100_000, 1.0, 10_000), verified(1_000_000, seconds, kib)], proofs }
    }

    #[test]
    fn each_bar_can_be_missed() {
        assert!(report(MOST_VERIFYING_S, 10_000 + MOST_GROWTH_KIB, MOST_PROOF_US).is_within_the_bars());
        assert!(!report(MOST_VERIFYING_S + 0.1, 10_000, 1).is_within_the_bars());
        assert!(!report(1.0, 10_001 + MOST_GROWTH_KIB, 1).is_within_the_bars());
        assert!(!report(1.0, 10_000, MOST_PROOF_US + 1).is_within_the_bars());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_short_log_is_measured_whole() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { folder: folder.path().to_owned(), records: 5_000 };
        let report = run(&options, &mut |_| ()).await.unwrap();
        let [short, long] = &report.verified;
        assert_eq!((short.records, long.records, report.proofs.records), (500, 5_000, 5_000));
        assert_eq!(report.proofs.made, PROOFS);
        assert!(long.bundle_bytes > 9 * short.bundle_bytes && short.peak_kib > 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
