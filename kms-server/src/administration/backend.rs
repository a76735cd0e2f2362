//! The node behind the admin API: who asks, in what role, what comes of it, and the record of each.

use std::sync::Arc;

use admin_api as api;
use admin_api::{Effect, ErrorCode};
use async_trait::async_trait;
use audit::limits::MAX_DETAIL_LEN;
use audit::{LogId, Outcome, Record, bounded_text};
use keystore::Permissions;
use kmip::attribute::RevocationReason;
use kmip::registry::RevocationReasonCode;
use policy::access::Actor;
use uuid::Uuid;

use super::acting::{Acting, AdminFailure};
use super::answers;
use super::clients::NewCredential;
use super::credentials::RightsChange;
use super::rights::{Act, may};
use super::{overview, retention};
use crate::admin::{AdminBackend, Caller, Export, Refusal, RetentionChange};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::checkpoints::Checkpointer;
use crate::node::directory::Domain;
use crate::node::scrubber::{self, Scrubber};
use crate::shell::peer::IdentityKind;
use crate::shell::service::{StrangerKind, Strangers};
use crate::shell::shutdown::Stopping;

/// The node, and what the admin API needs beside it.
pub struct Administration {
    /// The node.
    pub node: Arc<Node>,
    /// Signs the heads that are asked for.
    pub checkpointer: Arc<Checkpointer>,
    /// Compares domains with their logs.
    pub scrubber: Arc<Scrubber>,
    /// When the process started, seconds since the epoch.
    pub started: i64,
    /// Ends who follows a log.
    pub stopping: Stopping,
}

impl AdminFailure {
    /// What the administrator is told.
    fn refusal(&self) -> Refusal {
        let code = match self {
            Self::Exists(_) => ErrorCode::Conflict,
            Self::NotApproved(_) | Self::Unsound(_) => ErrorCode::WrongState,
            Self::Dropped(_) => ErrorCode::NotFound,
            Self::Unusable(_) => ErrorCode::BadRequest,
            Self::Request(failure) => match failure {
                Failure::NotFound => ErrorCode::NotFound,
                Failure::WrongState | Failure::Destroyed | Failure::IllegalOperation(_) => ErrorCode::WrongState,
                Failure::Busy | Failure::Hsm(_) => ErrorCode::Unavailable,
                Failure::Denied(_) | Failure::DomainInactive => ErrorCode::Forbidden,
                failure if failure.is_ours() => {
                    tracing::error!(error = failure as &dyn std::error::Error, "administrative act failed");
                    return Refusal::internal();
                }
                _ => ErrorCode::BadRequest,
            },
        };
        Refusal::new(code, self.to_string())
    }
}

pub(super) fn told<T>(result: Result<T, AdminFailure>) -> Result<T, Refusal> {
    result.map_err(|failure| failure.refusal())
}

impl Administration {
    /// The administrator behind a call. That there is none is counted.
    fn acting(&self, caller: &Caller) -> Result<Acting, Refusal> {
        let Some(admin) = self.node.find_admin(&caller.fingerprint) else {
            self.node.strangers.note(StrangerKind::Unregistered, caller.address);
            return Err(Refusal::new(ErrorCode::Unauthenticated, "the certificate belongs to no administrator"));
        };
        let role = match &admin.kind {
            IdentityKind::Admin { role } => Actor::of_role(role),
            IdentityKind::Client => None,
        };
        Ok(Acting {
            fingerprint: caller.fingerprint,
            name: admin.name.clone(),
            role: role.unwrap_or(Actor::Client),
            address: caller.address,
            request: caller.request,
        })
    }

    /// The administrator behind a call, if the role allows the act. Refusals are recorded.
    pub(super) async fn admit(&self, caller: &Caller, act: Act) -> Result<Acting, Refusal> {
        let (node, acting) = (&self.node, self.acting(caller)?);
        if may(acting.role, act) {
            return Ok(acting);
        }
        let failure = AdminFailure::Request(Failure::Denied("the role does not allow it"));
        told(acting.refuse(node, LogId::System, act.text(), failure).await)
    }

    /// The tenant's domain; that it is not there is recorded.
    async fn tenant(&self, acting: &Acting, name_or_id: &str, operation: &str) -> Result<Arc<Domain>, Refusal> {
        match self.node.directory.tenant(name_or_id) {
            Some(domain) => Ok(domain),
            None => {
                let failure = AdminFailure::Request(Failure::NotFound);
                told(acting.refuse(&self.node, LogId::System, operation, failure).await)
            }
        }
    }

    /// Changes what may be done through a client.
    async fn change_rights(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::Fingerprint,
        change: RightsChange,
        effect: Effect,
    ) -> Result<api::Client, Refusal> {
        let acting = self.admit(caller, Act::ManageClients).await?;
        let domain = self.tenant(&acting, domain, change.operation()).await?;
        let changed = self.node.change_rights(&acting, &domain, &client.0, change, effect == Effect::DryRun).await;
        told(changed).map(|row| answers::client(&row))
    }

    /// The certificate of a destruction.
    async fn certificate(
        &self,
        caller: &Caller,
        domain: &str,
        object: Option<Uuid>,
    ) -> Result<api::DestructionCertificate, Refusal> {
        const OPERATION: &str = "Certify Destruction";
        let acting = self.admit(caller, Act::ReadDomain).await?;
        let domain = self.tenant(&acting, domain, OPERATION).await?;
        let log = log_of(domain.row.id);
        match self.node.certify(&self.checkpointer, &domain, object.map(Uuid::into_bytes)).await {
            Ok(document) => {
                told(acting.note(&self.node, log, OPERATION, object.map(|id| id.to_string()).as_deref()).await)?;
                Ok(api::DestructionCertificate { log: log.to_string(), document })
            }
            Err(failure) => told(acting.refuse(&self.node, log, OPERATION, failure).await),
        }
    }

    /// A log by name: `system`, or a tenant's domain.
    pub(super) async fn log(&self, acting: &Acting, name: &str, operation: &str) -> Result<LogId, Refusal> {
        if name == LogId::System.to_string() {
            return Ok(LogId::System);
        }
        Ok(log_of(self.tenant(acting, name, operation).await?.row.id))
    }

    async fn domain_answer(&self, domain: &Domain) -> Result<api::Domain, Refusal> {
        let objects = match self.node.store.count_objects(domain.row.id).await {
            Ok(objects) => Some(objects),
            // Nothing is read of a domain that is frozen.
            Err(keystore::StoreError::Inactive(_)) => None,
            Err(error) => return told(Err(AdminFailure::from(error))),
        };
        Ok(answers::domain(domain, objects, self.node.directory.identities_of(&domain.row.id).len()))
    }
}

impl Strangers for Administration {
    fn note_stranger(&self, kind: StrangerKind, address: std::net::SocketAddr) {
        self.node.strangers.note(kind, address);
    }
}

/// A certificate's DER, and its common name or nothing.
fn read_certificate(pem: &str) -> Option<(Vec<u8>, String)> {
    let der = certs::certificate_der(pem.as_bytes()).ok()?;
    let name = certs::CertificateFacts::of(&der).ok()?.common_name.unwrap_or_default();
    Some((der, name))
}

fn credential(given: Option<api::Credential>) -> Option<NewCredential> {
    given.map(|credential| NewCredential {
        username: credential.username,
        password: secret::Secret::copy_from(credential.password.expose().as_bytes()),
    })
}

fn reason_code(reason: api::RevocationReason) -> RevocationReasonCode {
    use RevocationReasonCode as Code;
    use api::RevocationReason as Reason;
    match reason {
        Reason::Unspecified => Code::Unspecified,
        Reason::KeyCompromise => Code::KeyCompromise,
        Reason::CaCompromise => Code::CaCompromise,
        Reason::AffiliationChanged => Code::AffiliationChanged,
        Reason::Superseded => Code::Superseded,
        Reason::CessationOfOperation => Code::CessationOfOperation,
        Reason::PrivilegeWithdrawn => Code::PrivilegeWithdrawn,
    }
}

#[async_trait]
impl AdminBackend for Administration {
    async fn refused(&self, caller: &Caller, asked: &str, code: ErrorCode) -> Result<(), Refusal> {
        let acting = self.acting(caller)?;
        let record = Record {
            outcome: Outcome::Failed,
            reason: Some(code.text().replace('_', " ")),
            detail: Some(bounded_text(asked, MAX_DETAIL_LEN)),
            ..acting.record(&self.node, LogId::System, "Admin Request")
        };
        told(self.node.record(record).await.map_err(AdminFailure::from))
    }

    async fn health(&self, caller: &Caller) -> Result<api::Health, Refusal> {
        let acting = self.admit(caller, Act::ReadNode).await?;
        told(acting.note(&self.node, LogId::System, "Show Health", None).await)?;
        Ok(overview::health(&self.node, self.started))
    }

    async fn hsm_status(&self, caller: &Caller) -> Result<api::HsmStatus, Refusal> {
        let acting = self.admit(caller, Act::ReadNode).await?;
        told(acting.note(&self.node, LogId::System, "Show HSM Status", None).await)?;
        Ok(overview::hsm_status(&self.node))
    }

    async fn trust_anchor(&self, caller: &Caller) -> Result<api::TrustAnchor, Refusal> {
        const OPERATION: &str = "Show Trust Anchor";
        let acting = self.admit(caller, Act::ReadNode).await?;
        let Some(anchor) = overview::trust_anchor(&self.node) else {
            let failure = AdminFailure::Request(Failure::Internal("the trust anchor's keys cannot be read"));
            return told(acting.refuse(&self.node, LogId::System, OPERATION, failure).await);
        };
        told(acting.note(&self.node, LogId::System, OPERATION, None).await)?;
        Ok(anchor)
    }

    async fn backup_create(&self, caller: &Caller, backup: api::NewBackup) -> Result<api::Backup, Refusal> {
        let acting = self.admit(caller, Act::TakeBackup).await?;
        let domain = match &backup.domain {
            Some(name) => Some(self.tenant(&acting, name, super::backups::TAKE).await?),
            None => None,
        };
        told(self.node.take_backup(&acting, domain.as_deref(), backup.days).await)
    }

    async fn backup_list(&self, caller: &Caller) -> Result<Vec<api::Backup>, Refusal> {
        let acting = self.admit(caller, Act::ReadBackups).await?;
        told(self.node.list_backups(&acting).await)
    }

    async fn backup_verify(&self, caller: &Caller, id: Uuid) -> Result<api::BackupReport, Refusal> {
        let acting = self.admit(caller, Act::VerifyBackup).await?;
        told(self.node.verify_backup(&acting, id).await)
    }

    async fn administrator_list(&self, caller: &Caller) -> Result<Vec<api::Administrator>, Refusal> {
        let acting = self.admit(caller, Act::ReadRequests).await?;
        told(acting.note(&self.node, LogId::System, "List Administrators", None).await)?;
        let system = told(self.node.system_domain())?;
        Ok(self.node.directory.identities_of(&system.row.id).iter().map(|row| answers::administrator(row)).collect())
    }

    async fn request_ask(
        &self,
        caller: &Caller,
        act: api::ProtectedAct,
        effect: Effect,
    ) -> Result<api::Request, Refusal> {
        let acting = self.admit(caller, Act::AskForApproval).await?;
        told(self.node.ask(&acting, &act, effect == Effect::DryRun).await)
    }

    async fn request_list(&self, caller: &Caller) -> Result<Vec<api::Request>, Refusal> {
        let acting = self.admit(caller, Act::ReadRequests).await?;
        told(self.node.list_requests(&acting).await)
    }

    async fn request_show(&self, caller: &Caller, id: Uuid) -> Result<api::Request, Refusal> {
        let acting = self.admit(caller, Act::ReadRequests).await?;
        told(self.node.show_request(&acting, id).await)
    }

    async fn request_approve(
        &self,
        caller: &Caller,
        id: Uuid,
        approvals: api::Approvals,
    ) -> Result<api::Request, Refusal> {
        let acting = self.admit(caller, Act::HandInApproval).await?;
        told(self.node.approve(&acting, id, &approvals.approvals).await)
    }

    async fn request_execute(
        &self,
        caller: &Caller,
        id: Uuid,
        approvals: api::Approvals,
        effect: Effect,
    ) -> Result<api::Request, Refusal> {
        let acting = self.admit(caller, Act::AskForApproval).await?;
        told(self.node.execute(&acting, id, &approvals.approvals, effect == Effect::DryRun).await)
    }

    async fn request_withdraw(&self, caller: &Caller, id: Uuid, effect: Effect) -> Result<api::Request, Refusal> {
        let acting = self.admit(caller, Act::AskForApproval).await?;
        told(self.node.withdraw(&acting, id, effect == Effect::DryRun).await)
    }

    async fn domain_list(&self, caller: &Caller) -> Result<Vec<api::Domain>, Refusal> {
        let acting = self.admit(caller, Act::ReadDomain).await?;
        told(acting.note(&self.node, LogId::System, "List Domains", None).await)?;
        let mut domains = Vec::new();
        for domain in self.node.directory.tenants() {
            domains.push(self.domain_answer(&domain).await?);
        }
        Ok(domains)
    }

    async fn domain_create(&self, caller: &Caller, domain: api::NewDomain) -> Result<api::Domain, Refusal> {
        let acting = self.admit(caller, Act::CreateDomain).await?;
        let permissions =
            domain.allow.iter().fold(Permissions::default(), |all, one| all.and(answers::permission(*one)));
        let made = told(self.node.create_domain(&acting, &domain.name, domain.policy.as_deref(), permissions).await)?;
        self.domain_answer(&made).await
    }

    async fn domain_show(&self, caller: &Caller, domain: &str) -> Result<api::Domain, Refusal> {
        let acting = self.admit(caller, Act::ReadDomain).await?;
        let domain = self.tenant(&acting, domain, "Show Domain").await?;
        told(acting.note(&self.node, log_of(domain.row.id), "Show Domain", None).await)?;
        self.domain_answer(&domain).await
    }

    async fn domain_change(
        &self,
        caller: &Caller,
        domain: &str,
        change: api::DomainChange,
        effect: Effect,
    ) -> Result<api::Domain, Refusal> {
        let acting = self.admit(caller, Act::KeepDomain).await?;
        let domain = self.tenant(&acting, domain, change.operation()).await?;
        let changed = self.node.keep_domain(&acting, &domain, change, effect == Effect::DryRun).await;
        let changed = told(changed)?;
        self.domain_answer(&changed).await
    }

    async fn domain_verify(&self, caller: &Caller, domain: &str) -> Result<api::Verification, Refusal> {
        let acting = self.admit(caller, Act::VerifyDomain).await?;
        let domain = match self.node.directory.system() {
            Some(system) if domain == system.row.name => system,
            _ => self.tenant(&acting, domain, scrubber::OPERATION).await?,
        };
        let log = log_of(domain.row.id);
        let record = || acting.record(&self.node, log, scrubber::OPERATION);
        match self.scrubber.verify(&self.node, domain.row.id, record).await {
            Ok(verification) => Ok(answers::verification(verification)),
            Err(failure) => told(acting.refuse(&self.node, log, scrubber::OPERATION, failure.into()).await),
        }
    }

    async fn retention(
        &self,
        caller: &Caller,
        domain: &str,
        change: RetentionChange,
        effect: Effect,
    ) -> Result<api::Retention, Refusal> {
        let act = if change == RetentionChange::Show { Act::ReadDomain } else { Act::KeepRecords };
        let acting = self.admit(caller, act).await?;
        let domain = match self.node.directory.system() {
            Some(system) if domain == system.row.name => system,
            _ => self.tenant(&acting, domain, change.operation()).await?,
        };
        let kept = self.node.keep_records(&acting, &domain, &change, effect == Effect::DryRun).await;
        told(kept).map(|kept| retention::answer(&kept))
    }

    async fn domain_certificate(&self, caller: &Caller, domain: &str) -> Result<api::DestructionCertificate, Refusal> {
        self.certificate(caller, domain, None).await
    }

    async fn object_certificate(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
    ) -> Result<api::DestructionCertificate, Refusal> {
        self.certificate(caller, domain, Some(object)).await
    }

    async fn client_list(&self, caller: &Caller, domain: &str) -> Result<Vec<api::Client>, Refusal> {
        let acting = self.admit(caller, Act::ReadDomain).await?;
        let domain = self.tenant(&acting, domain, "List Clients").await?;
        told(acting.note(&self.node, log_of(domain.row.id), "List Clients", None).await)?;
        Ok(self.node.directory.identities_of(&domain.row.id).iter().map(|row| answers::client(row)).collect())
    }

    async fn client_register(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::RegisterClient,
    ) -> Result<api::Client, Refusal> {
        let acting = self.admit(caller, Act::ManageClients).await?;
        let domain = self.tenant(&acting, domain, "Register Client").await?;
        let Some((der, common_name)) = read_certificate(&client.certificate) else {
            let failure = AdminFailure::Unusable("the certificate cannot be read");
            return told(acting.refuse(&self.node, log_of(domain.row.id), "Register Client", failure).await);
        };
        let name = client.name.unwrap_or(common_name);
        let made = self.node.register_client(&acting, &domain, &der, &name, credential(client.credential)).await;
        told(made).map(|row| answers::client(&row))
    }

    async fn client_issue(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::IssueClient,
    ) -> Result<api::IssuedClient, Refusal> {
        let acting = self.admit(caller, Act::ManageClients).await?;
        let domain = self.tenant(&acting, domain, "Issue Client").await?;
        let credential = credential(client.credential);
        let issued = self.node.issue_client(&acting, &domain, &client.name, client.csr.as_deref(), credential).await;
        let issued = told(issued)?;
        Ok(api::IssuedClient {
            client: answers::client(&issued.client),
            certificate: issued.certificate_pem,
            private_key: issued.key_pem.map(|mut key| api::SecretText::new(std::mem::take(&mut *key))),
            authority: issued.authority_pem,
        })
    }

    async fn client_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::Fingerprint,
        effect: Effect,
    ) -> Result<api::Client, Refusal> {
        let acting = self.admit(caller, Act::ManageClients).await?;
        let domain = self.tenant(&acting, domain, "Revoke Client").await?;
        let revoked = self.node.revoke_client(&acting, &domain, &client.0, effect == Effect::DryRun).await;
        told(revoked).map(|row| answers::client(&row))
    }

    async fn credential_add(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::Fingerprint,
        credential: api::NewCredential,
    ) -> Result<api::Client, Refusal> {
        self.change_rights(caller, domain, client, RightsChange::Add(credential), Effect::Real).await
    }

    async fn credential_remove(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::Fingerprint,
        name: &str,
        effect: Effect,
    ) -> Result<api::Client, Refusal> {
        self.change_rights(caller, domain, client, RightsChange::Remove(name.to_owned()), effect).await
    }

    async fn client_access(
        &self,
        caller: &Caller,
        domain: &str,
        client: api::Fingerprint,
        access: api::ClientAccess,
        effect: Effect,
    ) -> Result<api::Client, Refusal> {
        self.change_rights(caller, domain, client, RightsChange::Alone(access), effect).await
    }

    async fn object_list(
        &self,
        caller: &Caller,
        domain: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<api::ObjectPage, Refusal> {
        let acting = self.admit(caller, Act::ReadDomain).await?;
        let domain = self.tenant(&acting, domain, "List Objects").await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows = told(self.node.list_objects(&acting, &domain, after.map(Uuid::into_bytes), limit).await)?;
        let full = rows.len() >= limit.clamp(1, super::objects::MAX_PAGE);
        let next = rows.last().filter(|_| full).map(|row| Uuid::from_bytes(row.id));
        Ok(api::ObjectPage {
            objects: rows.iter().map(|row| answers::object(row, self.node.offer.lease_s)).collect(),
            next,
        })
    }

    async fn object_show(&self, caller: &Caller, domain: &str, object: Uuid) -> Result<api::Object, Refusal> {
        let acting = self.admit(caller, Act::ReadDomain).await?;
        let domain = self.tenant(&acting, domain, "Show Object").await?;
        told(self.node.show_object(&acting, &domain, object.into_bytes()).await)
            .map(|row| answers::object(&row, self.node.offer.lease_s))
    }

    async fn object_revoke(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
        revoke: api::RevokeObject,
        effect: Effect,
    ) -> Result<api::Object, Refusal> {
        let acting = self.admit(caller, Act::ManageObjects).await?;
        let domain = self.tenant(&acting, domain, "Revoke").await?;
        let reason = RevocationReason { code: reason_code(revoke.reason), message: revoke.message };
        let dry_run = effect == Effect::DryRun;
        let object = object.into_bytes();
        let revoked =
            self.node.revoke_object(&acting, &domain, object, reason, revoke.compromise_occurrence, dry_run).await;
        told(revoked).map(|row| answers::object(&row, self.node.offer.lease_s))
    }

    async fn object_destroy(
        &self,
        caller: &Caller,
        domain: &str,
        object: Uuid,
        effect: Effect,
    ) -> Result<api::Object, Refusal> {
        let acting = self.admit(caller, Act::ManageObjects).await?;
        let domain = self.tenant(&acting, domain, "Destroy").await?;
        let dry_run = effect == Effect::DryRun;
        told(self.node.destroy_object(&acting, &domain, object.into_bytes(), dry_run).await)
            .map(|row| answers::object(&row, self.node.offer.lease_s))
    }

    async fn audit_export(&self, caller: &Caller, log: &str, query: api::AuditQuery) -> Result<Export, Refusal> {
        self.export_log(caller, log, query).await
    }

    async fn audit_prove(&self, caller: &Caller, log: &str, claim: api::ProofQuery) -> Result<api::Proof, Refusal> {
        self.prove_log(caller, log, claim).await
    }

    async fn audit_tile(&self, caller: &Caller, log: &str, file: &str) -> Result<Vec<u8>, Refusal> {
        self.read_tile(caller, log, file).await
    }

    async fn checkpoint(&self, caller: &Caller, log: &str) -> Result<api::Checkpoint, Refusal> {
        self.read_checkpoint(caller, log).await
    }
}
