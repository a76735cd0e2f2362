//! Domains: made in the HSM first, then in the store, then known to the node. A domain that fell between leaves nothing.

use std::sync::Arc;

use audit::limits::MAX_DETAIL_LEN;
use audit::{LogId, Record, bounded_text};
use keystore::{Change, DomainRow, DomainState, IdentityKind, IdentityRow, MacKey, Permissions, Step};
use policy::algorithm::AlgorithmPolicy;
use secret::DomainId;

use super::acting::{Acting, AdminFailure, unit};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing;

/// Longest name of a domain, in bytes.
const MAX_NAME_LEN: usize = 64;
/// Domains of one node: their keys are imported when needed, their MAC keys are held.
const MAX_DOMAINS: usize = 10_000;
/// Bytes of a domain's MAC secret.
const MAC_SECRET_LEN: usize = 32;
/// The ceremony was held or found complete, and the store was made or found.
const INITIALIZE: &str = "Initialize";
/// The one domain that is not a tenant's.
const SYSTEM_NAME: &str = "system";

/// An administrator whom `init` registers.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// For people and the log.
    pub name: String,
    /// `operator`, `officer` or `auditor`.
    pub role: String,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
}

/// What the ceremony of an `init` came to.
#[derive(Clone, Debug)]
pub struct HeldCeremony {
    /// Fingerprint of the Root of Trust.
    pub root_of_trust: [u8; 32],
    /// Whether this `init` made it; otherwise it found and verified it.
    pub made: bool,
    /// The members that hold it.
    pub members: Vec<String>,
}

impl HeldCeremony {
    /// In one line; the fingerprint is whole whatever the labels are.
    fn text(&self) -> String {
        let done = if self.made { "made" } else { "verified" };
        let fingerprint = hex::encode(self.root_of_trust);
        bounded_text(&format!("Root of Trust {fingerprint} {done} on {}", self.members.join(", ")), MAX_DETAIL_LEN)
    }
}

impl Node {
    /// Makes a tenant's domain: Domain Key and MAC secret in the HSM, row and records in one commit.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn create_domain(
        &self,
        acting: &Acting,
        name: &str,
        policy: Option<&str>,
        permissions: Permissions,
    ) -> Result<Arc<Domain>, AdminFailure> {
        const OPERATION: &str = "Create Domain";
        let made = self.try_create_domain(acting, name, policy, permissions, OPERATION).await;
        match made {
            Ok(domain) => Ok(domain),
            Err(failure) => acting.refuse(self, LogId::System, OPERATION, failure).await,
        }
    }

    async fn try_create_domain(
        &self,
        acting: &Acting,
        name: &str,
        policy: Option<&str>,
        permissions: Permissions,
        operation: &str,
    ) -> Result<Arc<Domain>, AdminFailure> {
        check_name(name)?;
        let policy = policy.map_or(Some(AlgorithmPolicy::Anssi), AlgorithmPolicy::of_name);
        let policy = policy.ok_or(AdminFailure::Unusable("the policy is neither anssi nor legacy"))?.name();
        if self.directory.tenant(name).is_some() {
            return Err(AdminFailure::Exists("the name is taken"));
        }
        if self.directory.tenants().len() >= MAX_DOMAINS {
            return Err(AdminFailure::Unusable("the node has as many domains as it can hold"));
        }
        let born = self.bear_domain(name, policy, permissions, false).await?;
        let id = born.row.id;
        let told = acting.record(self, log_of(id), operation);
        let in_system_log =
            Record { object: Some(sealing::identifier_text(id)), ..acting.record(self, LogId::System, operation) };
        self.commit_domain(born, told, in_system_log, Vec::new()).await
    }

    /// A new domain with everything that the HSM has to make for it.
    async fn bear_domain(
        &self,
        name: &str,
        policy: &str,
        permissions: Permissions,
        system: bool,
    ) -> Result<Born, AdminFailure> {
        let id: DomainId = uuid::Uuid::new_v4().into_bytes();
        let key = self.hsm.create_domain_key(id, 1).await?;
        let secret = self.hsm.random(MAC_SECRET_LEN).await?;
        let sealed = self.hsm.seal(&key, &sealing::domain_secret_facts(id), &secret).await?;
        let row = DomainRow {
            id,
            name: name.to_owned(),
            state: DomainState::Active,
            revision: 1,
            created_us: self.clock.now_us(),
            domain_key: key.to_bytes(),
            secret: sealed,
            policy: policy.to_owned(),
            system,
            authority: None,
            permissions,
            defaults: None,
            constraints: None,
            requests: None,
            retention: keystore::retention::Retention::default(),
            backups: None,
        };
        Ok(Born { row, key, mac: MacKey::from_secret(&secret, id) })
    }

    async fn commit_domain(
        &self,
        born: Born,
        told: Record,
        in_system_log: Record,
        more: Vec<Step>,
    ) -> Result<Arc<Domain>, AdminFailure> {
        let Born { row, key, mac } = born;
        let id = row.id;
        let mut steps = vec![
            Step { changes: vec![Change::CreateDomain(row.clone(), mac)], record: Some(told) },
            Step::record(in_system_log),
        ];
        steps.extend(more);
        self.store.commit(unit(steps)).await?;
        self.directory.put_domain(Domain { row, key: DomainKeys::one(key) });
        self.directory.domain(&id).ok_or(AdminFailure::Request(Failure::Internal("domain vanished from the directory")))
    }

    /// The system domain with the administrators who come first, in one commit, and the record of the ceremony before it.
    /// A second call changes nothing but is recorded: further administrators need the approval of security officers.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn bootstrap(
        &self,
        administrators: &[FirstAdministrator],
        ceremony: &HeldCeremony,
    ) -> Result<usize, AdminFailure> {
        let initialize =
            |log| Record { detail: Some(ceremony.text()), ..self.auditor.record(&self.clock, log, INITIALIZE) };
        if self.directory.system().is_some() {
            self.record(initialize(LogId::System)).await?;
            return Ok(0);
        }
        let born = self.bear_domain(SYSTEM_NAME, AlgorithmPolicy::Anssi.name(), Permissions::default(), true).await?;
        let own_log = log_of(born.row.id);
        let mut steps = Vec::with_capacity(2 * administrators.len());
        for one in administrators {
            let row = self.first_administrator(born.row.id, one)?;
            let told = |log: LogId| {
                let detail = bounded_text(&format!("administrator {} as {}", one.name, one.role), MAX_DETAIL_LEN);
                let record = self.auditor.record(&self.clock, log, "Register Administrator");
                Some(Record { detail: Some(detail), ..record })
            };
            steps.push(Step { changes: vec![Change::PutIdentity(row)], record: told(own_log) });
            steps.push(Step { changes: Vec::new(), record: told(LogId::System) });
        }
        let system = self.commit_domain(born, initialize(own_log), initialize(LogId::System), steps).await?;
        let registered = self.store.identities(system.row.id).await?;
        let count = registered.len();
        for identity in registered {
            self.directory.put_identity(identity);
        }
        Ok(count)
    }

    fn first_administrator(
        &self,
        domain: DomainId,
        FirstAdministrator { name, role, certificate }: &FirstAdministrator,
    ) -> Result<IdentityRow, AdminFailure> {
        let fingerprint = certs::spki_fingerprint(certificate)
            .map_err(|_| AdminFailure::Unusable("an administrator's certificate cannot be read"))?;
        Ok(IdentityRow {
            domain,
            fingerprint,
            origin: fingerprint,
            name: name.clone(),
            kind: IdentityKind::Admin { role: role.clone() },
            certificate: certificate.clone(),
            access: keystore::Access::default(),
            credential_demanded: false,
            credentials: Vec::new(),
            created_us: self.clock.now_us(),
            revoked: false,
            revision: 1,
        })
    }
}

struct Born {
    row: DomainRow,
    key: hsm::DomainKey,
    mac: MacKey,
}

/// Names are labels in file names, URLs and log lines.
fn check_name(name: &str) -> Result<(), AdminFailure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let well_formed = name.len() <= MAX_NAME_LEN
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    if !well_formed {
        return Err(AdminFailure::Unusable(
            "a domain's name has 1 to 64 letters, digits, '-', '_' or '.', and begins with a letter or digit",
        ));
    }
    // A name that reads like an identifier could stand for another domain.
    if name == SYSTEM_NAME || sealing::parse_identifier(name).is_some() {
        return Err(AdminFailure::Unusable("this name is reserved"));
    }
    Ok(())
}
