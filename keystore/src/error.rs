//! Why the store did not do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;

use secret::DomainId;
use thiserror::Error;
use uuid::Uuid;

/// An error of the store. No variant holds key bytes; `row` names a row by its key.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The row has another revision than the change expected, or exists already. Nothing of the unit was done.
    #[error("the row was changed meanwhile")]
    Conflict,
    /// A living object of the domain, or another domain, has this name.
    #[error("the name is taken")]
    NameTaken,
    /// The certificate's key is registered already, in this domain or another.
    #[error("the identity is registered already")]
    IdentityTaken,
    /// No such domain, identity or object.
    #[error("not found")]
    NotFound,
    /// A row is not what this node wrote: somebody else changed the database.
    #[error("{table} row {row} is not what was written: the database was tampered with")]
    Tampered {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
    },
    /// A row carries a good MAC, but this version cannot read it. It stays where it is.
    #[error("{table} row {row} cannot be read: {why}")]
    Quarantined {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What does not decode.
        why: String,
    },
    /// Retention dropped the record.
    #[error("record {position} of log {log} was dropped by retention, as record {by} tells; its leaf hash is {leaf}")]
    Dropped {
        /// The log.
        log: audit::LogId,
        /// The record's position.
        position: u64,
        /// Position of the record that tells of it.
        by: u64,
        /// Its leaf hash, in hex.
        leaf: String,
    },
    /// The domain's MAC key is not there: the domain was never activated, or was deactivated.
    #[error("domain {} is not active", Uuid::from_bytes(*.0))]
    Inactive(DomainId),
    /// Too many units wait for the writer.
    #[error("the store's queue is full")]
    Full,
    /// Changes are refused for a while, see [`crate::KeyStore::freeze_changes`].
    #[error("changes are refused for now")]
    Frozen,
    /// The unit asks for something that makes no sense; a fault of the caller.
    #[error("invalid unit: {0}")]
    InvalidUnit(&'static str),
    /// An audit record that cannot be encoded.
    #[error("audit record")]
    Record(#[source] audit::RecordError),
    /// The store refuses to start like this.
    #[error("the store refuses to start: {0}")]
    Refused(Refusal),
    /// A commit failed, so that nobody knows what is on the disk. The process must end and start anew.
    #[error("the store has failed: {0}")]
    Failed(Arc<str>),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The database could not be read, or a part of a unit could not be executed.
    #[error("database")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why the store does not start.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// SQLite before 3.51.3 can corrupt a database when it resets the write-ahead log.
    #[error("SQLite {found} is older than {}.{}.{}", .needed.0, .needed.1, .needed.2)]
    Version {
        /// What `sqlite_version()` says.
        found: String,
        /// The oldest version that is good enough.
        needed: (u32, u32, u32),
    },
    /// An acknowledged change could be lost at a power cut.
    #[error("synchronous is {found}, below FULL")]
    Synchronous {
        /// The value asked for or read back.
        found: String,
    },
    /// A pragma was set and did not stay.
    #[error("{pragma} is {found}")]
    Pragma {
        /// The pragma.
        pragma: &'static str,
        /// The value read back.
        found: String,
    },
    /// Another process has the database open.
    #[error("{0} is held by another process")]
    Locked(PathBuf),
    /// Tables, indexes or triggers are not those of the migrations.
    #[error("the schema is not ours: {0}")]
    Schema(String),
}

impl StoreError {
    pub(crate) fn tampered(table: &'static str, row: impl ToString) -> Self {
        let row = row.to_string();
        tracing::error!(alarm = "tampered", table, row, "a row is not what was written");
        Self::Tampered { table, row }
    }

    pub(crate) fn quarantined(table: &'static str, row: impl ToString, why: impl ToString) -> Self {
        let (row, why) = (row.to_string(), why.to_string());
        tracing::error!(alarm = "quarantined", table, row, why, "a row cannot be read");
        Self::Quarantined { table, row, why }
    }

    pub(crate) fn io(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Io(error.into())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            error => Self::io(error),
        }
    }
}
