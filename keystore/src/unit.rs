//! What is committed at once: a unit of steps, each with its changes and the record that tells of them.

use audit::{LogId, Record};
use secret::DomainId;

use crate::mac::MacKey;
use crate::row::{DomainRow, Fingerprint, IdentityRow, ObjectId, ObjectRow};

/// All or nothing: where one step fails, none of the unit happened.
///
/// A unit of records only (reads, refusals) is the cheap case: it shares one statement with all others that wait.
#[derive(Debug, Default)]
pub struct Unit {
    /// In order; later steps see what earlier ones did.
    pub steps: Vec<Step>,
}

impl Unit {
    /// What happened, and nothing that changes.
    #[must_use]
    pub fn records(records: impl IntoIterator<Item = Record>) -> Self {
        Self { steps: records.into_iter().map(Step::record).collect() }
    }
}

impl Step {
    /// A record of something that changes nothing.
    #[must_use]
    pub fn record(record: Record) -> Self {
        Self { changes: Vec::new(), record: Some(record) }
    }
}

/// Changes, and the record that tells of them.
///
/// A step with changes must have a record. Its object changes concern one object, the one the record names; changes
/// of a domain, its identities or its tombstones are told in that domain's own log, because their digest is looked
/// for there. A record for the system's log may follow as a step of its own.
#[derive(Debug)]
pub struct Step {
    /// What changes.
    pub changes: Vec<Change>,
    /// The audit record. The store fills in `object` (where absent), `revision` and `row_digest` for object changes,
    /// and `set_digest` for changes of a domain's set; the latter is also repeated now and then, see
    /// [`crate::limits::SET_DIGEST_INTERVAL`].
    pub record: Option<Record>,
}

/// One change of a row. `revision` in a changed row is the one that was read; it is stored plus one.
#[derive(Debug)]
pub enum Change {
    /// A new object, stored with the revision it has.
    CreateObject(ObjectRow),
    /// A changed object. It neither destroys nor revives.
    UpdateObject {
        /// The whole row.
        row: ObjectRow,
    },
    /// An object whose key bytes go. The row stays, without them; a tombstone is added.
    DestroyObject {
        /// The whole row; state Destroyed or Destroyed Compromised, `sealed` absent.
        row: ObjectRow,
    },
    /// An object brought back from a backup, stored with the revision it has: whatever stands in its place goes, with
    /// its index rows, believed or not. One that has a tombstone stays destroyed.
    RestoreObject(ObjectRow),
    /// A new domain, stored with the revision it has, active from the commit on.
    CreateDomain(DomainRow, MacKey),
    /// A changed domain.
    UpdateDomain(DomainRow),
    /// A tombstone for something of the domain that is no object's row: a destroyed domain, in the domain of the
    /// administrators. It stays for as long as the database does.
    Bury {
        /// Whose set it belongs to.
        domain: DomainId,
        /// What is gone.
        buried: ObjectId,
    },
    /// A new identity, stored with the revision it has, or a changed one.
    PutIdentity(IdentityRow),
    /// An identity that goes. To keep a trace of it, revoke it instead.
    RemoveIdentity {
        /// Its domain.
        domain: DomainId,
        /// Its key.
        fingerprint: Fingerprint,
    },
    /// Records whose bytes go, as [`crate::KeyStore::old_records`] found them. The step's record, of the same log and of
    /// the operation [`audit::retention::OPERATION`], tells of it: the store writes its detail.
    DropRecords {
        /// Positions, ascending, at most [`audit::limits::MAX_DROPPED_AT_ONCE`].
        positions: Vec<u64>,
        /// All of them are older than this, in microseconds since 1970.
        before_us: i64,
    },
    /// A setting, new or replaced. Settings carry no MAC.
    PutSetting {
        /// Its name.
        name: String,
        /// Its value.
        value: Vec<u8>,
    },
}

/// What a committed unit became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Log and position of each record, in the order of the steps.
    pub positions: Vec<(LogId, u64)>,
}
