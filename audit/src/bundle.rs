//! The bundle: one file of JSON Lines with which a tenant checks a log, or a stretch of it, offline.
//!
//! ```text
//! {"bundle":"clavis-audit-bundle/1","kms":…,"log":…,"first":…,"count":…,"keys":[…],"left":[…]}
//! {"index":…,"time":…, … every field to read … ,"record":"<base64>","leaf":"<hex>"}      one line per record
//! {"index":…,"dropped":…,"leaf":"<hex>"}                      in a record's place, once retention has dropped it
//! {"checkpoint":"<signed note>"}                              after any record: the head at that size, if signed
//! {"total":…,"right":[…],"checkpoint":"<signed note>"}                                             the last line
//! ```
//! Every line is exactly what the writer makes of its content, so a changed blank is noticed like a changed key.
//! `left` is the right edge of the tree before the first record, `right` covers what follows the last one; both are
//! empty when the bundle holds the whole log. Writing and verifying hold one line at a time.

mod line;
mod verify;
mod write;

use std::io;

use thiserror::Error;

pub use line::{dropped_line, record_line, utc};
pub use verify::{Verified, verify_bundle, verify_bundle_with};
pub use write::{BundleWriter, write_bundle};

use crate::{
    checkpoint::NoteError,
    key::{KeyError, PublicKey},
    log::LogId,
    record::RecordError,
    retention::LedgerError,
    tree::{Hash, Tree, TreeError},
};

/// What a bundle is about: its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Name of the KMS.
    pub kms: String,
    /// The log.
    pub log: LogId,
    /// Position of the first record.
    pub first: u64,
    /// Number of records.
    pub count: u64,
    /// Fingerprints (SHA-256 of the SubjectPublicKeyInfo) of the keys that signed the checkpoints; sorted.
    pub keys: Vec<Hash>,
    /// Right edge of the tree of `first` leaves.
    pub left: Vec<Hash>,
}

impl Header {
    /// A bundle of the whole log, `count` records from the first on, whose checkpoints `signers` signed.
    #[must_use]
    pub fn whole(kms: &str, log: LogId, count: u64, signers: &[PublicKey]) -> Self {
        Self::part(kms, log, &Tree::new(), count, signers)
    }

    /// A bundle of `count` records after those of `before`.
    #[must_use]
    pub fn part(kms: &str, log: LogId, before: &Tree, count: u64, signers: &[PublicKey]) -> Self {
        let mut keys: Vec<Hash> = signers.iter().map(PublicKey::fingerprint).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { kms: kms.to_owned(), log, first: before.size(), count, keys, left: before.frontier().to_vec() }
    }
}

/// Why a bundle is not to be believed, and where. The text says all of it, causes included.
#[derive(Debug, Error)]
#[error("{}{fault}", record.map(|record| format!("record {record}: ")).unwrap_or_default())]
pub struct BundleError {
    /// Position in the log of the first bad record, where one can be named.
    pub record: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a bundle.
#[derive(Debug, Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// A line is not one of the five kinds.
    #[error("not a line of a bundle: {0}")]
    Line(String),
    /// A line is longer than any that is written.
    #[error("line over the limit")]
    LineTooLong,
    /// The bundle is of another format.
    #[error("not the format {}", line::FORMAT)]
    Format,
    /// The first line contradicts itself or the trusted keys.
    #[error("the first line is wrong: {0}")]
    Header(&'static str),
    /// The first line names a key that the verifier does not trust.
    #[error("signed by a key that is not trusted: {0}")]
    ForeignKey(String),
    /// The records before this one are there, and then comes a later one.
    #[error("missing; record {0} stands in its place")]
    Missing(u64),
    /// This record and the next have changed places.
    #[error("swapped with record {0}")]
    Swapped(u64),
    /// An earlier record, or one that was never there, stands here.
    #[error("inserted; it claims to be record {0}")]
    Inserted(u64),
    /// There are more records than the first line announces.
    #[error("more records than announced")]
    Extra,
    /// The file ends too early.
    #[error("the bundle is cut off here")]
    Cut,
    /// The record's bytes are not those of the leaf: one of the two was changed.
    #[error("its bytes do not have the leaf hash beside them")]
    LeafHash,
    /// The record's bytes are not a record.
    #[error("its bytes are not a record: {0}")]
    Record(RecordError),
    /// The record belongs to another log.
    #[error("belongs to the log {0}")]
    ForeignLog(LogId),
    /// What a person reads is not what the record says.
    #[error("field `{field}` says {says}, the record {record}")]
    Field {
        /// Name of the field.
        field: String,
        /// What the line says.
        says: String,
        /// What the record says.
        record: String,
    },
    /// The line says the same as the canonical one in other bytes.
    #[error("not written as a bundle is written")]
    NotCanonical,
    /// A checkpoint is not to be believed.
    #[error("checkpoint: {0}")]
    Checkpoint(NoteError),
    /// A checkpoint of another log, or of a size that does not fit here.
    #[error("checkpoint of another log or size")]
    OtherCheckpoint,
    /// The records do not have the root that was signed. Every record's own hash is right, so none can be named: it
    /// is one of these, or one is missing or too many among them.
    #[error("records {from} to {to} as a whole do not have the signed root; each fits its own leaf hash")]
    Root {
        /// First record of the narrowest stretch that can be named.
        from: u64,
        /// Last record of it.
        to: u64,
    },
    /// A checkpoint that the verifier kept from earlier shows another history.
    #[error("the log was rewritten: a checkpoint kept from earlier, of {0} records, has another root")]
    Forked(u64),
    /// A checkpoint that the verifier kept from earlier is of a longer log.
    #[error("the log was cut: a checkpoint kept from earlier counts {0} records")]
    Behind(u64),
    /// A record is gone, and the log does not tell that retention dropped it.
    #[error("{0}")]
    Dropped(LedgerError),
    /// The edges of the bundle do not fit its range.
    #[error("edge hashes do not fit the range: {0}")]
    Edge(TreeError),
}

/// Why a bundle cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The output failed.
    #[error("cannot write")]
    Io(#[from] io::Error),
    /// The header's KMS name cannot be written.
    #[error("the name of the KMS")]
    Name(#[from] KeyError),
    /// A line cannot be made.
    #[error("record {index}: cannot be written")]
    Json {
        /// Position of the record.
        index: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Not as many records as the header announced.
    #[error("{announced} records announced, {written} written")]
    Count {
        /// What the header says.
        announced: u64,
        /// What was handed over.
        written: u64,
    },
}

#[cfg(test)]
mod tests;
