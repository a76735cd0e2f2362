//! The rows that decide anything, as the rest of the program sees them: objects, domains, identities.

mod domain;
mod identity;
mod object;

pub use domain::{DomainRow, DomainState, Permissions};
pub use identity::{Credential, Fingerprint, IdentityKind, IdentityRow};
pub use object::{Dates, ObjectId, ObjectRow, Revocation};
