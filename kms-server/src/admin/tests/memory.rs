//! A backend that remembers what it was asked.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use admin_api::{
    Administrator, Approvals, AuditQuery, Backup, BackupReport, BackupState, Checkpoint, Client, ClientAccess,
    DestructionCertificate, Domain, DomainChange, DomainState, Effect, ErrorCode, Fingerprint, GroupState, Health,
    HealthState, HsmStatus, IssueClient, IssuedClient, NewBackup, NewCredential, NewDomain, Object, ObjectDates,
    ObjectPage, Proof, ProofQuery, ProtectedAct, RegisterClient, Request, RequestState, Retention, RevokeObject,
    SecretText, TrustAnchor, Verification,
};
use async_trait::async_trait;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::admin::backend::{AdminBackend, Caller, Export, NobodyReads, Refusal, RetentionChange};
use crate::shell::service::{StrangerKind, Strangers};

/// The identifier of everything.
pub(super) const ID: Uuid = Uuid::from_u128(0x0197_f9a0_7c1e_7b7a_9d2e_5c1f_0000_0001);

/// Remembers every call as a line, and answers with made-up values.
pub(super) struct Memory {
    pub(super) calls: Mutex<Vec<String>>,
    pub(super) callers: Mutex<Vec<Caller>>,
    /// What was told of requests that never became a call.
    pub(super) refusals: Mutex<Vec<String>>,
    pub(super) strangers: mpsc::UnboundedSender<StrangerKind>,
    /// `domain_show("slow")` says that it began, and waits until it is let go.
    pub(super) began: Notify,
    pub(super) release: Notify,
    pub(super) finished: AtomicBool,
    /// Ends of exports that nobody read.
    pub(super) unread: mpsc::UnboundedSender<NobodyReads>,
}

impl Memory {
    fn note(&self, caller: &Caller, call: String) {
        self.calls.lock().unwrap().push(call);
        self.callers.lock().unwrap().push(caller.clone());
    }

    pub(super) fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap().clone()
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

fn made_backup() -> Backup {
    let state = BackupState::Making;
    Backup { id: ID, domain: None, taken: 1, until: 2, state, file: "f".to_owned(), objects: None, sha256: None }
}

fn domain(name: &str) -> Domain {
    Domain {
        id: ID,
        name: name.to_owned(),
        state: DomainState::Active,
        created: 1,
        policy: "anssi".to_owned(),
        allow: Vec::new(),
        key_version: 1,
        former_key_version: None,
        objects: Some(0),
        clients: 0,
    }
}

fn client(name: &str) -> Client {
    Client {
        fingerprint: Fingerprint([9; 32]),
        name: name.to_owned(),
        subject: "CN=x".to_owned(),
        not_after: 2,
        alone: ClientAccess::default(),
        credentials: Vec::new(),
        revoked: false,
        created: 1,
    }
}

fn object(id: Uuid) -> Object {
    Object {
        id,
        object_type: "Symmetric Key".to_owned(),
        state: "Active".to_owned(),
        algorithm: None,
        length: None,
        usage: Vec::new(),
        names: Vec::new(),
        dates: ObjectDates::default(),
        revocation: None,
        attributes: Vec::new(),
        owner: Fingerprint([9; 32]),
        revision: 1,
    }
}

fn request() -> Request {
    Request {
        id: ID,
        act: "destroy-domain".to_owned(),
        state: RequestState::Open,
        needed: 2,
        approved_by: Vec::new(),
        asked_by: "operator".to_owned(),
        expires: 3,
        signed: quorum::SignedRequest { request: "text".to_owned(), approvals: Vec::new() },
    }
}

impl Strangers for Memory {
    fn note_stranger(&self, kind: StrangerKind, _: SocketAddr) {
        self.strangers.send(kind).unwrap();
    }
}

#[async_trait]
impl AdminBackend for Memory {
    async fn refused(&self, caller: &Caller, asked: &str, code: ErrorCode) -> Result<(), Refusal> {
        assert!(caller.address.ip().is_loopback());
        // As a store that takes no records.
        if asked.ends_with("/unwritable") {
            return Err(Refusal::internal());
        }
        self.refusals.lock().unwrap().push(format!("{asked} {}", code.text()));
        Ok(())
    }

    async fn health(&self, caller: &Caller) -> Result<Health, Refusal> {
        self.note(caller, "health".to_owned());
        Ok(Health { state: HealthState::Ok, node: ID, version: "1".to_owned(), started: 1, checks: Vec::new() })
    }

    async fn hsm_status(&self, caller: &Caller) -> Result<HsmStatus, Refusal> {
        self.note(caller, "hsm_status".to_owned());
        Ok(HsmStatus { state: GroupState::Up, root_of_trust: Fingerprint([1; 32]), members: Vec::new() })
    }

    async fn trust_anchor(&self, caller: &Caller) -> Result<TrustAnchor, Refusal> {
        self.note(caller, "trust_anchor".to_owned());
        Ok(TrustAnchor { root_of_trust: Fingerprint([1; 32]), checkpoint_keys: Vec::new() })
    }

    async fn administrator_list(&self, caller: &Caller) -> Result<Vec<Administrator>, Refusal> {
        self.note(caller, "administrator_list".to_owned());
        Ok(Vec::new())
    }

    async fn request_ask(&self, caller: &Caller, act: ProtectedAct, effect: Effect) -> Result<Request, Refusal> {
        self.note(caller, format!("request_ask {act:?} {effect:?}"));
        Ok(request())
    }

    async fn request_list(&self, caller: &Caller) -> Result<Vec<Request>, Refusal> {
        self.note(caller, "request_list".to_owned());
        Ok(vec![request()])
    }

    async fn request_show(&self, caller: &Caller, id: Uuid) -> Result<Request, Refusal> {
        self.note(caller, format!("request_show {id}"));
        Ok(request())
    }

    async fn request_approve(&self, caller: &Caller, id: Uuid, approvals: Approvals) -> Result<Request, Refusal> {
        self.note(caller, format!("request_approve {id} {}", approvals.approvals.len()));
        Ok(request())
    }

    async fn request_execute(
        &self,
        caller: &Caller,
        id: Uuid,
        approvals: Approvals,
        effect: Effect,
    ) -> Result<Request, Refusal> {
        self.note(caller, format!("request_execute {id} {} {effect:?}", approvals.approvals.len()));
        Ok(request())
    }

    async fn request_withdraw(&self, caller: &Caller, id: Uuid, effect: Effect) -> Result<Request, Refusal> {
        self.note(caller, format!("request_withdraw {id} {effect:?}"));
        Ok(request())
    }

    async fn domain_list(&self, caller: &Caller) -> Result<Vec<Domain>, Refusal> {
        self.note(caller, "domain_list".to_owned());
        Ok(vec![domain("acme")])
    }

    async fn domain_create(&self, caller: &Caller, new: NewDomain) -> Result<Domain, Refusal> {
        self.note(caller, format!("domain_create {} {:?}", new.name, new.policy));
        Ok(domain(&new.name))
    }

    async fn domain_show(&self, caller: &Caller, name: &str) -> Result<Domain, Refusal> {
        self.note(caller, format!("domain_show {name}"));
        match name {
            "slow" => {
                self.began.notify_one();
                self.release.notified().await;
                self.finished.store(true, Ordering::SeqCst);
            }
            "panic" => panic!("a fault of the node"),
            "none" => return Err(Refusal::new(ErrorCode::NotFound, "no such domain")),
            _ => {}
        }
        Ok(domain(name))
    }

    async fn domain_change(
        &self,
        caller: &Caller,
        name: &str,
        change: DomainChange,
        effect: Effect,
    ) -> Result<Domain, Refusal> {
        self.note(caller, format!("domain_change {name} {change:?} {effect:?}"));
        Ok(domain(name))
    }

    async fn backup_create(&self, caller: &Caller, backup: NewBackup) -> Result<Backup, Refusal> {
        self.note(caller, format!("backup_create {:?} {}", backup.domain, backup.days));
        Ok(made_backup())
    }

    async fn backup_list(&self, caller: &Caller) -> Result<Vec<Backup>, Refusal> {
        self.note(caller, "backup_list".to_owned());
        Ok(vec![made_backup()])
    }

    async fn backup_verify(&self, caller: &Caller, id: Uuid) -> Result<BackupReport, Refusal> {
        self.note(caller, format!("backup_verify {id}"));
        Ok(BackupReport { sound: true, document: "{}".to_owned() })
    }

    async fn domain_certificate(&self, caller: &Caller, name: &str) -> Result<DestructionCertificate, Refusal> {
        self.note(caller, format!("domain_certificate {name}"));
        Ok(DestructionCertificate { log: name.to_owned(), document: "{}".to_owned() })
    }

    async fn object_certificate(
        &self,
        caller: &Caller,
        name: &str,
        id: Uuid,
    ) -> Result<DestructionCertificate, Refusal> {
        self.note(caller, format!("object_certificate {name} {id}"));
        Ok(DestructionCertificate { log: name.to_owned(), document: "{}".to_owned() })
    }

    async fn domain_verify(&self, caller: &Caller, name: &str) -> Result<Verification, Refusal> {
        self.note(caller, format!("domain_verify {name}"));
        Ok(Verification { objects: 1, records: 2, found: 0, findings: Vec::new() })
    }

    async fn retention(
        &self,
        caller: &Caller,
        name: &str,
        change: RetentionChange,
        effect: Effect,
    ) -> Result<Retention, Refusal> {
        self.note(caller, format!("retention {name} {change:?} {effect:?}"));
        Ok(Retention { days: 184, reason: None, holds: Vec::new() })
    }

    async fn client_list(&self, caller: &Caller, domain: &str) -> Result<Vec<Client>, Refusal> {
        self.note(caller, format!("client_list {domain}"));
        Ok(vec![client("vc")])
    }

    async fn client_register(&self, caller: &Caller, domain: &str, new: RegisterClient) -> Result<Client, Refusal> {
        let password = new.credential.map(|credential| credential.password.expose().to_owned());
        self.note(caller, format!("client_register {domain} {} {:?} {password:?}", new.certificate, new.name));
        Ok(client("vc"))
    }

    async fn client_issue(&self, caller: &Caller, domain: &str, new: IssueClient) -> Result<IssuedClient, Refusal> {
        self.note(caller, format!("client_issue {domain} {} {:?}", new.name, new.csr));
        let private_key = Some(SecretText::new("KEY".to_owned()));
        Ok(IssuedClient { client: client("vc"), certificate: "C".to_owned(), private_key, authority: "A".to_owned() })
    }

    async fn client_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        who: Fingerprint,
        effect: Effect,
    ) -> Result<Client, Refusal> {
        self.note(caller, format!("client_revoke {domain} {:02x} {effect:?}", who.0[0]));
        Ok(client("vc"))
    }

    async fn credential_add(
        &self,
        caller: &Caller,
        domain: &str,
        who: Fingerprint,
        new: NewCredential,
    ) -> Result<Client, Refusal> {
        let password = new.password.map(|password| password.expose().to_owned());
        let text = format!("credential_add {domain} {:02x} {:?} {password:?} {:?}", who.0[0], new.username, new.access);
        self.note(caller, text);
        Ok(client("vc"))
    }

    async fn credential_remove(
        &self,
        caller: &Caller,
        domain: &str,
        who: Fingerprint,
        name: &str,
        effect: Effect,
    ) -> Result<Client, Refusal> {
        self.note(caller, format!("credential_remove {domain} {:02x} {name} {effect:?}", who.0[0]));
        Ok(client("vc"))
    }

    async fn client_access(
        &self,
        caller: &Caller,
        domain: &str,
        who: Fingerprint,
        access: ClientAccess,
        effect: Effect,
    ) -> Result<Client, Refusal> {
        self.note(caller, format!("client_access {domain} {:02x} {} {effect:?}", who.0[0], access.credential_demanded));
        Ok(client("vc"))
    }

    async fn object_list(
        &self,
        caller: &Caller,
        domain: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<ObjectPage, Refusal> {
        self.note(caller, format!("object_list {domain} {} {limit}", after.is_some()));
        Ok(ObjectPage { objects: vec![object(ID)], next: None })
    }

    async fn object_show(&self, caller: &Caller, domain: &str, id: Uuid) -> Result<Object, Refusal> {
        self.note(caller, format!("object_show {domain}"));
        Ok(object(id))
    }

    async fn object_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        id: Uuid,
        revoke: RevokeObject,
        effect: Effect,
    ) -> Result<Object, Refusal> {
        self.note(caller, format!("object_revoke {domain} {:?} {effect:?}", revoke.reason));
        Ok(object(id))
    }

    async fn object_destroy(&self, caller: &Caller, domain: &str, id: Uuid, effect: Effect) -> Result<Object, Refusal> {
        self.note(caller, format!("object_destroy {domain} {effect:?}"));
        Ok(object(id))
    }

    async fn audit_prove(&self, caller: &Caller, log: &str, claim: ProofQuery) -> Result<Proof, Refusal> {
        self.note(caller, format!("audit_prove {log} {:?} {:?} {:?}", claim.record, claim.from, claim.to));
        Ok(Proof { log: log.to_owned(), document: "{}\n".to_owned() })
    }

    async fn audit_tile(&self, caller: &Caller, log: &str, file: &str) -> Result<Vec<u8>, Refusal> {
        self.note(caller, format!("audit_tile {log} {file}"));
        Ok(vec![0, 0xff])
    }

    async fn audit_export(&self, caller: &Caller, log: &str, query: AuditQuery) -> Result<Export, Refusal> {
        self.note(caller, format!("audit_export {log} {:?} {:?}", query.format, query.operation));
        let (sink, export) = Export::channel();
        let (log, unread) = (log.to_owned(), self.unread.clone());
        tokio::spawn(async move {
            let mut lines = 0;
            loop {
                match sink.send(vec![b'x'; 64 << 10]).await {
                    Ok(()) => lines += 1,
                    Err(error) => return unread.send(error).unwrap(),
                }
                match (log.as_str(), lines) {
                    ("endless", _) => {}
                    ("broken", 3) => return,
                    (_, 100) => return sink.finish().await.unwrap(),
                    _ => {}
                }
            }
        });
        Ok(export)
    }

    async fn checkpoint(&self, caller: &Caller, log: &str) -> Result<Checkpoint, Refusal> {
        self.note(caller, format!("checkpoint {log}"));
        Ok(Checkpoint { log: log.to_owned(), size: 1, note: "n\n".to_owned() })
    }
}
