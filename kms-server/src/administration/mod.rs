//! What administrators do: domains, clients, objects, audit. The same rules, drafts and records as for KMIP clients.

mod acting;
mod answers;
mod auditing;
mod backend;
mod backups;
mod certificate_authority;
mod certifying;
mod clients;
mod credentials;
mod custody;
mod destruction;
mod domains;
mod export;
mod objects;
mod overview;
mod protected;
mod proving;
mod reading;
mod requests;
mod restoring;
mod retention;
mod rights;

pub use backend::Administration;
pub use domains::{FirstAdministrator, HeldCeremony};
pub(crate) use protected::approver;
