//! The contract of a store: the verbs of the domain, each of them one transaction.

use std::ops::Range;
use std::path::Path;

use async_trait::async_trait;
use audit::{Hash, LogId};
use secret::DomainId;

use crate::error::StoreError;
use crate::index::IndexTerm;
use crate::mac::MacKey;
use crate::pace::Pace;
use crate::row::{DomainRow, IdentityRow, ObjectId, ObjectRow};
use crate::unit::{Committed, Unit};

/// A record as it lies in its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Position in the log, from 0: the leaf's index.
    pub seq: u64,
    /// The canonical encoding, see [`audit::Record::decode`].
    pub bytes: Vec<u8>,
}

/// A position of a log as the database has it, believed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLeaf {
    /// Position in the log, from 0.
    pub seq: u64,
    /// What stands where the record should be; nothing where there is none, and never more than one byte over
    /// [`audit::limits::MAX_RECORD_LEN`].
    pub bytes: Vec<u8>,
    /// What stands where its leaf hash should be; zeros where that is none.
    pub leaf: Hash,
    /// Where retention dropped the record: the position of the one that tells of it.
    pub dropped: Option<u64>,
}

/// What may be dropped of a stretch of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldRecords {
    /// Positions whose records may go, ascending.
    pub positions: Vec<u64>,
    /// Where to look on.
    pub next: u64,
    /// Nothing older is behind `next`, or nothing there may be dropped yet.
    pub end: bool,
}

/// An object whose date has come, as an index has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueObject {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Which object.
    pub id: ObjectId,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Objects compared.
    pub objects: u64,
    /// Records compared.
    pub records: u64,
    /// What is wrong, up to [`crate::limits::MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How much is wrong in all.
    pub found: u64,
}

/// One row that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub row: String,
    /// What is wrong, in words.
    pub what: &'static str,
}

/// Among which objects a search is.
#[derive(Clone, Copy, Debug)]
pub enum Among<'t> {
    /// Those that are not destroyed and have every one of these terms.
    Living(&'t [IndexTerm]),
    /// All of the domain. Nothing but its identifier finds a destroyed object.
    All,
}

/// A durable store. Every verb is one transaction; what it answers was verified.
///
/// # Errors
/// Every verb fails with [`StoreError::Failed`] once a commit has failed, with [`StoreError::Closed`] after
/// [`KeyStore::close`], with [`StoreError::Io`] where the database cannot be read, and with [`StoreError::Tampered`]
/// or [`StoreError::Quarantined`] for rows that were changed by others or cannot be read.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// All domains, by name. Rows of domains that are not active are as the database has them, unverified.
    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError>;

    /// Hands over the MAC key of a domain: from now on its rows can be read, each verified, and written.
    ///
    /// The domain's row, its identities and its tombstones are verified here, and the digest of them all against the
    /// last record that carries it; from then on they are held in memory.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Tampered`]; with a wrong key every row is tampered.
    async fn activate(&self, domain: DomainId, key: MacKey) -> Result<DomainRow, StoreError>;

    /// Drops the MAC key of a domain. Records can still be appended to its log.
    async fn deactivate(&self, domain: DomainId);

    /// Whether the set of an active domain has a tombstone for this identifier.
    ///
    /// # Errors
    /// [`StoreError::Inactive`].
    async fn is_buried(&self, domain: DomainId, id: ObjectId) -> Result<bool, StoreError>;

    /// Carries all that was committed over into the database file and empties the write-ahead log, so that what a change
    /// overwrote is in neither.
    ///
    /// # Errors
    /// [`StoreError::Io`], also where a reader was in the way: then older pages may still stand in the log.
    async fn flush(&self) -> Result<(), StoreError>;

    /// Copies the store as it is at one instant into the new file `to`, beside the running work: everything, or one
    /// domain with its log. The copy is a database that can be opened as a store; what is sealed stays sealed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is no such domain, [`StoreError::Io`] where the file is there already or
    /// cannot be written; then a part of it may be left.
    async fn copy(&self, to: &Path, domain: Option<DomainId>) -> Result<(), StoreError>;

    /// The identities of an active domain, revoked ones too.
    ///
    /// # Errors
    /// [`StoreError::Inactive`].
    async fn identities(&self, domain: DomainId) -> Result<Vec<IdentityRow>, StoreError>;

    /// One object of an active domain. An object of another domain is not there.
    ///
    /// # Errors
    /// [`StoreError::Inactive`], [`StoreError::Tampered`], [`StoreError::Quarantined`].
    async fn object(&self, domain: DomainId, id: ObjectId) -> Result<Option<ObjectRow>, StoreError>;

    /// The living object of an active domain that holds the name `name`, whatever its name type.
    ///
    /// A name whose index row was taken out of the database by somebody else is not found here; only
    /// [`KeyStore::verify`] notices what is missing.
    ///
    /// # Errors
    /// [`StoreError::Inactive`]; [`StoreError::Tampered`] where the index leads to no object, or to one that does not
    /// hold the name; [`StoreError::Quarantined`].
    async fn object_named(&self, domain: DomainId, name: &str) -> Result<Option<ObjectRow>, StoreError>;

    /// The living objects that have every one of `terms`, in the order of their identifiers; without terms all objects,
    /// destroyed ones too. At most `limit`, and never more than [`crate::limits::MAX_PAGE`], after `after`.
    ///
    /// # Errors
    /// [`StoreError::Inactive`], [`StoreError::InvalidUnit`] for more than [`crate::limits::MAX_TERMS`] terms.
    async fn candidates(
        &self,
        domain: DomainId,
        terms: &[IndexTerm],
        after: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError>;

    /// The objects `among` which is searched, the highest identifiers first: at most `limit`, before `before`.
    /// Identifiers are ordered by time, so the objects that were made last come first.
    ///
    /// An object whose index row was taken out of the database by somebody else, or whose date of destruction was put
    /// in, is not among the living here; only [`KeyStore::verify`] notices what is missing. One that is destroyed while
    /// it is read may be among them.
    ///
    /// # Errors
    /// As [`KeyStore::candidates`].
    async fn newest(
        &self,
        domain: DomainId,
        among: Among<'_>,
        before: Option<ObjectId>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError>;

    /// The domains in which the date of some object's change of state has come, active domains or not; nothing else
    /// is read for it than the ends of two indexes.
    async fn domains_due(&self, now_s: i64) -> Result<Vec<DomainId>, StoreError>;

    /// Objects of an active domain that a date has put in another state than the stored one, by the index: those that
    /// have waited longest first, at most `limit` and [`crate::limits::MAX_PAGE`], after `after`. An index only finds
    /// candidates: whether the date has come, the verified row says.
    ///
    /// # Errors
    /// [`StoreError::Inactive`], [`StoreError::Tampered`] for an index entry that names no object.
    async fn due(
        &self,
        domain: DomainId,
        now_s: i64,
        after: Option<DueObject>,
        limit: usize,
    ) -> Result<Vec<DueObject>, StoreError>;

    /// How many objects the domain has, destroyed ones too. Counted, not verified: a number for people.
    ///
    /// # Errors
    /// [`StoreError::Inactive`].
    async fn count_objects(&self, domain: DomainId) -> Result<u64, StoreError>;

    /// Does all of a unit, or nothing. When it returns `Ok`, changes and records are on the disk.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::NameTaken`], [`StoreError::IdentityTaken`], [`StoreError::NotFound`],
    /// [`StoreError::Inactive`], [`StoreError::Full`], [`StoreError::Frozen`], [`StoreError::InvalidUnit`],
    /// [`StoreError::Record`]: nothing
    /// was done. [`StoreError::Failed`]: unknown; the process must end.
    async fn commit(&self, unit: Unit) -> Result<Committed, StoreError>;

    /// From now on refuses every unit that changes something, or accepts them again; records are always taken.
    /// Returns what was in force before.
    fn freeze_changes(&self, frozen: bool) -> bool;

    /// Records of a log from position `from`, at most `limit` and [`crate::limits::MAX_PAGE`]; each was compared with
    /// its leaf hash.
    ///
    /// # Errors
    /// [`StoreError::Dropped`] where retention dropped one of them.
    async fn records(&self, log: LogId, from: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError>;

    /// Positions of a log from `from` on as they lie there, at most `limit` and [`crate::limits::MAX_PAGE`], unjudged:
    /// for a verifier elsewhere, who must be able to name the record that was changed, or is gone.
    async fn leaves_as_kept(&self, log: LogId, from: u64, limit: usize) -> Result<Vec<KeptLeaf>, StoreError>;

    /// Looks from position `from` on, over at most [`crate::limits::RETENTION_PAGE`] positions, for records older than
    /// `before_us` that may go. These stay, however old they are: what [`audit::retention::is_kept`] names, the last
    /// record of every object, and the end of the log, where the digest of the domain's set is looked for. The domain
    /// need not be active.
    async fn old_records(&self, log: LogId, from: u64, before_us: i64) -> Result<OldRecords, StoreError>;

    /// Size and root of a log's tree, as committed. A log without records is empty.
    async fn tree_head(&self, log: LogId) -> Result<(u64, Hash), StoreError>;

    /// Leaf hashes of positions `from..to`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the log ends before `to`.
    async fn leaf_hashes(&self, log: LogId, from: u64, to: u64) -> Result<Vec<Hash>, StoreError>;

    /// Roots of subtrees of a log, each given as its range of leaves, at most [`crate::limits::MAX_RANGES`]: what
    /// proofs and tiles are made of, see [`audit::inclusion_ranges`]. A range of 256 leaves or more begins at a multiple
    /// of 256, and none is empty. They are of the leaves as the database has them: whoever hands them on holds them
    /// against a signed root first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the log ends before a range does, [`StoreError::InvalidUnit`] for ranges that are
    /// not as said.
    async fn subtree_roots(&self, log: LogId, ranges: &[Range<u64>]) -> Result<Vec<Hash>, StoreError>;

    /// All logs: the system's and one per domain.
    async fn logs(&self) -> Result<Vec<LogId>, StoreError>;

    /// Keeps a signed checkpoint of a log. Durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::InvalidUnit`] where it is not a checkpoint of this log's own tree.
    async fn store_checkpoint(&self, log: LogId, note: String) -> Result<(), StoreError>;

    /// The checkpoint of the largest size. Its signature is for the caller to check.
    async fn latest_checkpoint(&self, log: LogId) -> Result<Option<String>, StoreError>;

    /// The largest checkpoint of a size above `after` and up to `up_to`. Its signature is for the caller to check.
    async fn checkpoint_between(&self, log: LogId, after: u64, up_to: u64) -> Result<Option<String>, StoreError>;

    /// A small named value. Settings carry no MAC: nothing that decides anything may rest on one alone.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets a small named value. Durable when it returns.
    async fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Compares all that a domain has: every row with its MAC, every index row with its object, every object with
    /// its last record, every record with its leaf. It reads everything, at its own pace, beside the running work.
    ///
    /// # Errors
    /// [`StoreError::Inactive`]; what is wrong with rows is a finding, not an error.
    async fn verify(&self, domain: DomainId, pace: Pace) -> Result<Verification, StoreError>;

    /// Resolves when a commit has failed, with the reason; the process should end then. Never before.
    async fn fatal(&self) -> StoreError;

    /// Finishes what was handed in, carries the write-ahead log over and releases the database.
    async fn close(&self);
}
