//! What is durable: domains, identities, objects and the leaves of the audit logs, committed together.
//!
//! [`KeyStore`] is the contract, [`SqliteStore`] the back end. The store never sees key bytes in clear: an object's
//! bytes arrive as [`secret::Sealed`]. Whoever can write to the database file can destroy, but not deceive: every row
//! that decides anything carries a MAC over all its columns, an index only finds candidates, and what a row says is
//! verified each time before it is answered. `docs/formats.md` has the canonical encodings byte by byte.

#[cfg(all(feature = "fault", not(debug_assertions)))]
compile_error!("the feature `fault` weakens durability on purpose; it must not be part of a release build");

mod canonical;
mod error;
mod index;
pub mod limits;
mod mac;
mod pace;
mod raw;
mod row;
mod set;
mod sqlite;
mod store;
mod unit;

pub use error::{Refusal, StoreError};
pub use index::IndexTerm;
pub use mac::MacKey;
pub use pace::Pace;
pub use row::{
    Access, Credential, Dates, Device, DomainRow, DomainState, Fingerprint, IdentityKind, IdentityRow, ObjectId,
    ObjectRow, Permissions, Revocation, Subject,
};
/// How long records are kept, and what keeps them longer.
pub mod retention {
    pub use crate::row::{DEFAULT_DAYS, Hold, LEAST_DAYS, MOST_DAYS, Retention};
}
#[cfg(feature = "fault")]
pub use sqlite::Faults;
pub use sqlite::{KeptDomain, KeptObject, Snapshot, SqliteStore, StoreOptions, Synchronous};
pub use store::{Among, DueObject, Finding, KeptLeaf, KeyStore, OldRecords, StoredRecord, Verification};
pub use unit::{Change, Committed, Step, Unit};
