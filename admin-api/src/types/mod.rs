//! What the admin API speaks of, one file per noun.

mod access;
mod audit;
mod backup;
mod check;
mod domain;
mod health;
mod hsm;
mod identity;
mod object;
mod request;
mod retention;
mod text;

pub use access::{Access, ClientAccess, Device, NewCredential, RegisteredCredential};
pub use audit::{
    AuditFormat, AuditOutcome, AuditQuery, Checkpoint, CheckpointKey, DestructionCertificate, Proof, ProofQuery,
    TrustAnchor,
};
pub use backup::{Backup, BackupReport, BackupState, NewBackup};
pub use domain::{Domain, DomainChange, DomainState, Finding, NewDomain, Permission, Verification};
pub use health::{Health, HealthCheck, HealthState};
pub use hsm::{Breaker, GroupState, HsmMember, HsmStatus};
pub use identity::{Client, Credential, IssueClient, IssuedClient, RegisterClient};
pub use object::{NamedValue, Object, ObjectDates, ObjectPage, Revocation, RevocationReason, RevokeObject};
pub use request::{Administrator, Approvals, ProtectedAct, Request, RequestState};
pub use retention::{Hold, NewHold, NewRetention, Retention};
pub use text::{Fingerprint, NotAFingerprint, SecretText};
