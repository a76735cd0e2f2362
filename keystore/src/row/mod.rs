//! The rows that decide anything, as the rest of the program sees them: objects, domains, identities.

mod domain;
mod identity;
mod object;
mod retention;

pub use domain::{DomainRow, DomainState, Permissions};
pub use identity::{Access, Credential, Device, Fingerprint, IdentityKind, IdentityRow, Subject};
pub use object::{Dates, ObjectId, ObjectRow, Revocation};
pub use retention::{DEFAULT_DAYS, Hold, LEAST_DAYS, MOST_DAYS, Retention};
