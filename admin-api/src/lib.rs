//! The admin API: its types, as server and clients share them, and a blocking client.
//!
//! HTTPS with client certificates, JSON bodies, all paths under `/v1`. An administrator is the SHA-256 of the DER
//! SubjectPublicKeyInfo of the certificate, registered beforehand. Every failure carries one JSON body,
//! [`ErrorBody`]; its [`ErrorCode`] decides the status. Times are whole seconds since the epoch, UTC.
//!
//! | method and path | answer |
//! |---|---|
//! | `GET /v1/health` | [`Health`] |
//! | `GET /v1/hsm` | [`HsmStatus`] |
//! | `GET /v1/trust-anchor` | [`TrustAnchor`] |
//! | `GET /v1/administrators` | `[`[`Administrator`]`]` |
//! | `GET /v1/requests` | `[`[`Request`]`]` |
//! | `POST /v1/requests?dry_run=` with [`ProtectedAct`] | 201, [`Request`] |
//! | `GET /v1/requests/{id}` | [`Request`] |
//! | `DELETE /v1/requests/{id}` | [`Request`], withdrawn |
//! | `POST /v1/requests/{id}/approvals` with [`Approvals`] | [`Request`] |
//! | `POST /v1/requests/{id}/execute?dry_run=` with [`Approvals`] | [`Request`], executed |
//! | `GET /v1/backups` | `[`[`Backup`]`]` |
//! | `POST /v1/backups` with [`NewBackup`] | 201, [`Backup`] |
//! | `POST /v1/backups/{id}/verify` | [`BackupReport`] |
//! | `GET /v1/domains` | `[`[`Domain`]`]` |
//! | `POST /v1/domains` with [`NewDomain`] | 201, [`Domain`] |
//! | `GET /v1/domains/{d}` | [`Domain`] |
//! | `GET /v1/domains/{d}/verify` | [`Verification`] |
//! | `GET /v1/domains/{d}/certificate` | [`DestructionCertificate`] of its destruction |
//! | `GET /v1/domains/{d}/objects/{id}/certificate` | [`DestructionCertificate`] of an object's destruction |
//! | `GET /v1/domains/{d}/retention` | [`Retention`] |
//! | `POST /v1/domains/{d}/retention` with [`NewRetention`] | [`Retention`] |
//! | `POST /v1/domains/{d}/retention/holds` with [`NewHold`] | 201, [`Retention`] |
//! | `DELETE /v1/domains/{d}/retention/holds/{name}` | [`Retention`] |
//! | `GET /v1/domains/{d}/clients` | `[`[`Client`]`]` |
//! | `POST /v1/domains/{d}/clients` with [`RegisterClient`] | 201, [`Client`] |
//! | `POST /v1/domains/{d}/clients/issue` with [`IssueClient`] | 201, [`IssuedClient`] |
//! | `DELETE /v1/domains/{d}/clients/{fingerprint}?dry_run=` | [`Client`] |
//! | `POST /v1/domains/{d}/clients/{fingerprint}/credentials` with [`NewCredential`] | 201, [`Client`] |
//! | `DELETE /v1/domains/{d}/clients/{fingerprint}/credentials/{name}` | [`Client`] |
//! | `POST /v1/domains/{d}/clients/{fingerprint}/access` with [`ClientAccess`] | [`Client`] |
//! | `GET /v1/domains/{d}/objects?after=&limit=` | [`ObjectPage`] |
//! | `GET /v1/domains/{d}/objects/{id}` | [`Object`] |
//! | `POST /v1/domains/{d}/objects/{id}/revoke?dry_run=` with [`RevokeObject`] | [`Object`] |
//! | `DELETE /v1/domains/{d}/objects/{id}?dry_run=` | [`Object`] |
//! | `GET /v1/domains/{d}/audit` with [`AuditQuery`] | an audit bundle, or records as JSON Lines, CEF or syslog |
//! | `GET /v1/domains/{d}/audit/proof` with [`ProofQuery`] | [`Proof`] |
//! | `GET /v1/domains/{d}/tiles/{path}` | a file of the C2SP tlog-tiles layout |
//! | `GET /v1/domains/{d}/checkpoint` | [`Checkpoint`] |
//!
//! `{d}` is the name or the identifier of a domain; for audit, checkpoint, retention and verify also `system`. `dry_run=true` decides and
//! answers as the act would, and changes nothing. No answer ever holds key bytes of a managed object.

mod client;
mod error;
pub mod limits;
mod path;
mod signing;
mod types;

pub use client::{AdminClient, Deadlines, Effect};
pub use error::{ClientError, ErrorBody, ErrorCode, ErrorDetail};
pub use signing::Signer;
pub use types::{
    Access, Administrator, Approvals, AuditFormat, AuditOutcome, AuditQuery, Backup, BackupReport, BackupState,
    Breaker, Checkpoint, CheckpointKey, Client, ClientAccess, Credential, DestructionCertificate, Device, Domain,
    DomainChange, DomainState, Finding, Fingerprint, GroupState, Health, HealthCheck, HealthState, Hold, HsmMember,
    HsmStatus, IssueClient, IssuedClient, NamedValue, NewBackup, NewCredential, NewDomain, NewHold, NewRetention,
    NotAFingerprint, Object, ObjectDates, ObjectPage, Permission, Proof, ProofQuery, ProtectedAct, RegisterClient,
    RegisteredCredential, Request, RequestState, Retention, Revocation, RevocationReason, RevokeObject, SecretText,
    TrustAnchor, Verification,
};
