//! The seam between the HTTP layer and the node: one method per path, typed, each told who asks.
//!
//! The HTTP layer proves who holds the certificate and bounds what arrives. Whether that administrator exists, what
//! the role allows, and the audit record of it are the backend's, at every call.

use std::net::SocketAddr;

use admin_api::{
    Administrator, Approvals, AuditQuery, Backup, BackupReport, Checkpoint, Client, ClientAccess,
    DestructionCertificate, Domain, DomainChange, Effect, ErrorCode, Fingerprint, Health, HsmStatus, IssueClient,
    IssuedClient, NewBackup, NewCredential, NewDomain, NewHold, NewRetention, Object, ObjectPage, Proof, ProofQuery,
    ProtectedAct, RegisterClient, Request, Retention, RevokeObject, TrustAnchor, Verification,
};
use async_trait::async_trait;
use axum::body::Bytes;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::shell::service::Strangers;

/// Who asks. That this is an administrator is for the backend to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// SHA-256 of the SubjectPublicKeyInfo whose private key the handshake proved.
    pub fingerprint: [u8; 32],
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// Identifies the request in log and audit.
    pub request: [u8; 16],
}

/// What is asked of the retention of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetentionChange {
    /// Nothing; it is shown.
    Show,
    /// Other days.
    Days(NewRetention),
    /// A legal hold more.
    Hold(NewHold),
    /// The hold of this name less.
    Lift(String),
}

/// Why the node does not do as asked. It is what the administrator reads, so it holds no inner detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Decides the status.
    pub code: ErrorCode,
    /// One sentence.
    pub message: String,
    /// Whether it is on record: what an act refuses is.
    pub(super) told: bool,
}

impl Refusal {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), told: false }
    }

    /// The same, on record.
    pub(super) fn told(self) -> Self {
        Self { told: true, ..self }
    }

    /// A fault of the node; what it was is in the log alone.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "internal error; the log of the node says more")
    }
}

/// Chunks of an export that wait for the peer to take them: few, because each holds memory.
const CHUNKS_WAITING: usize = 4;

/// The body of an export, made while it is sent.
#[derive(Debug)]
pub struct Export {
    pub(super) content_type: &'static str,
    pub(super) chunks: mpsc::Receiver<Bytes>,
}

/// Where an export's maker puts its bytes. The body is whole only after [`ExportSink::finish`]; a sink that is dropped
/// before breaks the connection, so that nobody takes a part for the whole.
#[derive(Debug)]
pub struct ExportSink(mpsc::Sender<Bytes>);

/// The peer went away or stopped reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads the export any more")]
pub struct NobodyReads;

impl Export {
    /// An export of JSON Lines and its sink. The maker runs as a task of its own.
    #[must_use]
    pub fn channel() -> (ExportSink, Self) {
        Self::channel_of("application/jsonl")
    }

    /// An export of this media type and its sink.
    #[must_use]
    pub fn channel_of(content_type: &'static str) -> (ExportSink, Self) {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
        (ExportSink(sender), Self { content_type, chunks })
    }
}

impl ExportSink {
    /// Hands over a chunk; waits while the peer is slow. About 64 KiB at a time is right.
    ///
    /// # Errors
    /// [`NobodyReads`]: the maker should stop.
    pub async fn send(&self, chunk: Vec<u8>) -> Result<(), NobodyReads> {
        // An empty chunk means the end, see `finish`.
        if chunk.is_empty() {
            return Ok(());
        }
        self.0.send(Bytes::from(chunk)).await.map_err(|_| NobodyReads)
    }

    /// Says that everything was sent.
    ///
    /// # Errors
    /// [`NobodyReads`].
    pub async fn finish(self) -> Result<(), NobodyReads> {
        self.0.send(Bytes::new()).await.map_err(|_| NobodyReads)
    }
}

/// The node, as the admin API sees it.
///
/// Every method decides anew whether `caller` is an administrator whose role allows it
/// ([`ErrorCode::Unauthenticated`], [`ErrorCode::Forbidden`]) and records what it did or refused before it returns. It
/// runs to its end even if the peer goes away. `domain` is a name or an identifier; `log` may be `system` as well. With
/// [`Effect::DryRun`] everything is decided and nothing is changed.
#[async_trait]
pub trait AdminBackend: Strangers {
    /// A request that was refused before it became one of the calls below: `asked` is its method and path. Recorded with
    /// the code; an error says that it could not be.
    async fn refused(&self, caller: &Caller, asked: &str, code: ErrorCode) -> Result<(), Refusal>;

    /// `GET /v1/health`.
    async fn health(&self, caller: &Caller) -> Result<Health, Refusal>;

    /// `GET /v1/hsm`.
    async fn hsm_status(&self, caller: &Caller) -> Result<HsmStatus, Refusal>;

    /// `GET /v1/trust-anchor`.
    async fn trust_anchor(&self, caller: &Caller) -> Result<TrustAnchor, Refusal>;

    /// `POST /v1/backups`.
    async fn backup_create(&self, caller: &Caller, backup: NewBackup) -> Result<Backup, Refusal>;

    /// `GET /v1/backups`.
    async fn backup_list(&self, caller: &Caller) -> Result<Vec<Backup>, Refusal>;

    /// `POST /v1/backups/{id}/verify`.
    async fn backup_verify(&self, caller: &Caller, id: Uuid) -> Result<BackupReport, Refusal>;

    /// `GET /v1/administrators`: oldest first, revoked ones too.
    async fn administrator_list(&self, caller: &Caller) -> Result<Vec<Administrator>, Refusal>;

    /// `POST /v1/requests`.
    async fn request_ask(&self, caller: &Caller, act: ProtectedAct, effect: Effect) -> Result<Request, Refusal>;

    /// `GET /v1/requests`.
    async fn request_list(&self, caller: &Caller) -> Result<Vec<Request>, Refusal>;

    /// `GET /v1/requests/{id}`.
    async fn request_show(&self, caller: &Caller, id: Uuid) -> Result<Request, Refusal>;

    /// `POST /v1/requests/{id}/approvals`. [`ErrorCode::WrongState`] where one does not count.
    async fn request_approve(&self, caller: &Caller, id: Uuid, approvals: Approvals) -> Result<Request, Refusal>;

    /// `POST /v1/requests/{id}/execute`. [`ErrorCode::WrongState`] where it is not approved, or not any more.
    async fn request_execute(
        &self,
        caller: &Caller,
        id: Uuid,
        approvals: Approvals,
        effect: Effect,
    ) -> Result<Request, Refusal>;

    /// `DELETE /v1/requests/{id}`.
    async fn request_withdraw(&self, caller: &Caller, id: Uuid, effect: Effect) -> Result<Request, Refusal>;

    /// `GET /v1/domains`.
    async fn domain_list(&self, caller: &Caller) -> Result<Vec<Domain>, Refusal>;

    /// `POST /v1/domains`. [`ErrorCode::Conflict`] where the name is taken.
    async fn domain_create(&self, caller: &Caller, domain: NewDomain) -> Result<Domain, Refusal>;

    /// `GET /v1/domains/{d}`.
    async fn domain_show(&self, caller: &Caller, domain: &str) -> Result<Domain, Refusal>;

    /// `POST /v1/domains/{d}/{change}`. [`ErrorCode::WrongState`] where the domain's state does not allow it.
    async fn domain_change(
        &self,
        caller: &Caller,
        domain: &str,
        change: DomainChange,
        effect: Effect,
    ) -> Result<Domain, Refusal>;

    /// `GET /v1/domains/{d}/verify`; also of `system`. [`ErrorCode::Unavailable`] while another one runs.
    async fn domain_verify(&self, caller: &Caller, domain: &str) -> Result<Verification, Refusal>;

    /// `GET` and `POST /v1/domains/{d}/retention`, `POST …/retention/holds`, `DELETE …/retention/holds/{name}`.
    async fn retention(
        &self,
        caller: &Caller,
        domain: &str,
        change: RetentionChange,
        effect: Effect,
    ) -> Result<Retention, Refusal>;

    /// `GET /v1/domains/{d}/certificate`. [`ErrorCode::WrongState`] where the domain is not destroyed.
    async fn domain_certificate(&self, caller: &Caller, domain: &str) -> Result<DestructionCertificate, Refusal>;

    /// `GET /v1/domains/{d}/objects/{id}/certificate`. [`ErrorCode::NotFound`] where no such object was destroyed.
    async fn object_certificate(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
    ) -> Result<DestructionCertificate, Refusal>;

    /// `GET /v1/domains/{d}/clients`: oldest first, revoked ones too.
    async fn client_list(&self, caller: &Caller, domain: &str) -> Result<Vec<Client>, Refusal>;

    /// `POST /v1/domains/{d}/clients`. [`ErrorCode::Conflict`] where the key is registered anywhere.
    async fn client_register(&self, caller: &Caller, domain: &str, client: RegisterClient) -> Result<Client, Refusal>;

    /// `POST /v1/domains/{d}/clients/issue`.
    async fn client_issue(&self, caller: &Caller, domain: &str, client: IssueClient) -> Result<IssuedClient, Refusal>;

    /// `DELETE /v1/domains/{d}/clients/{fingerprint}`.
    async fn client_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        client: Fingerprint,
        effect: Effect,
    ) -> Result<Client, Refusal>;

    /// `POST /v1/domains/{d}/clients/{fingerprint}/credentials`. [`ErrorCode::Conflict`] where there is one of that name.
    async fn credential_add(
        &self,
        caller: &Caller,
        domain: &str,
        client: Fingerprint,
        credential: NewCredential,
    ) -> Result<Client, Refusal>;

    /// `DELETE /v1/domains/{d}/clients/{fingerprint}/credentials/{name}`.
    async fn credential_remove(
        &self,
        caller: &Caller,
        domain: &str,
        client: Fingerprint,
        name: &str,
        effect: Effect,
    ) -> Result<Client, Refusal>;

    /// `POST /v1/domains/{d}/clients/{fingerprint}/access`.
    async fn client_access(
        &self,
        caller: &Caller,
        domain: &str,
        client: Fingerprint,
        access: ClientAccess,
        effect: Effect,
    ) -> Result<Client, Refusal>;

    /// `GET /v1/domains/{d}/objects`: at most `limit`, in the order of their identifiers, beginning behind `after`.
    async fn object_list(
        &self,
        caller: &Caller,
        domain: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<ObjectPage, Refusal>;

    /// `GET /v1/domains/{d}/objects/{id}`.
    async fn object_show(&self, caller: &Caller, domain: &str, object: Uuid) -> Result<Object, Refusal>;

    /// `POST /v1/domains/{d}/objects/{id}/revoke`. [`ErrorCode::WrongState`].
    async fn object_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
        revoke: RevokeObject,
        effect: Effect,
    ) -> Result<Object, Refusal>;

    /// `DELETE /v1/domains/{d}/objects/{id}`. [`ErrorCode::WrongState`].
    async fn object_destroy(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
        effect: Effect,
    ) -> Result<Object, Refusal>;

    /// `GET /v1/domains/{d}/audit`: a bundle, or the chosen records. The query was checked.
    async fn audit_export(&self, caller: &Caller, log: &str, query: AuditQuery) -> Result<Export, Refusal>;

    /// `GET /v1/domains/{d}/audit/proof`. [`ErrorCode::BadRequest`] for what the log does not have.
    async fn audit_prove(&self, caller: &Caller, log: &str, claim: ProofQuery) -> Result<Proof, Refusal>;

    /// `GET /v1/domains/{d}/tiles/{file}`. [`ErrorCode::NotFound`] where there is no such file.
    async fn audit_tile(&self, caller: &Caller, log: &str, file: &str) -> Result<Vec<u8>, Refusal>;

    /// `GET /v1/domains/{d}/checkpoint`: the head of the log, signed now.
    async fn checkpoint(&self, caller: &Caller, log: &str) -> Result<Checkpoint, Refusal>;
}
