//! The key service as the pages see it, through an auditor's eyes: for a tenant its own domain and no other, for an
//! operator how the whole is.

use std::io::{self, Write};
use std::time::Duration;

use admin_api::{AdminClient, Administrator, AuditQuery, Domain, Fingerprint, Health, HsmStatus, Request};
use provisioning::Inventory;
use provisioning::ids::{KeyDomainId, TenantId};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

use crate::config::KeyServiceAt;
use crate::limits::{AUDIT_BYTES, AUDIT_RECORDS};

/// How far back the page looks: the log has everything, the page what is new.
const LOOK_BACK: Duration = Duration::from_hours(24);

/// Why there is nothing to show.
#[derive(Debug, Error)]
pub enum KeyServiceError {
    /// A file of the configuration.
    #[error("a certificate or key of the key service cannot be read: {0}")]
    File(#[from] io::Error),
    /// The key service.
    #[error(transparent)]
    Client(#[from] admin_api::ClientError),
    /// The tenant has no domain that this console knows.
    #[error("the tenant has no domain in the key service")]
    NoDomain,
}

/// One record of a log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Position in the log; absent in a first and last line.
    pub index: Option<u64>,
    /// When.
    pub time: String,
    /// What kind of caller.
    pub identity: String,
    /// What the caller is called.
    pub name: Option<String>,
    /// What was done.
    pub operation: String,
    /// About which object.
    pub object: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// Why so.
    pub reason: Option<String>,
}

/// What a tenant is shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The newest records, newest first.
    pub records: Vec<Record>,
    /// The states of the keys that were asked for, by identifier.
    pub states: Vec<(String, String)>,
}

/// How the key service is.
pub struct Standing {
    /// Of the node.
    pub health: Health,
    /// The HSM group.
    pub hsm: HsmStatus,
    /// Every domain.
    pub domains: Vec<Domain>,
    /// What officers were asked to approve.
    pub requests: Vec<Request>,
}

/// The way to the key service.
pub struct KeyService {
    client: AdminClient,
    domains: std::collections::BTreeMap<KeyDomainId, String>,
}

impl KeyService {
    /// As the configuration says. Nothing is sent yet.
    ///
    /// # Errors
    /// [`KeyServiceError`] for files that cannot be read.
    pub fn new(at: &KeyServiceAt) -> Result<Self, KeyServiceError> {
        let [roots, certificate, key] = [&at.roots, &at.certificate, &at.key].map(std::fs::read);
        Ok(Self { client: AdminClient::new(&at.url, &roots?, &certificate?, &key?)?, domains: at.domains.clone() })
    }

    /// The administrator who holds this key, revoked or not. Blocks.
    ///
    /// # Errors
    /// [`KeyServiceError`].
    pub fn administrator(&self, key: Fingerprint) -> Result<Option<Administrator>, KeyServiceError> {
        Ok(self.client.administrator_list()?.into_iter().find(|one| one.fingerprint == key))
    }

    /// How the key service is. Blocks.
    ///
    /// # Errors
    /// [`KeyServiceError`].
    pub fn standing(&self) -> Result<Standing, KeyServiceError> {
        Ok(Standing {
            health: self.client.health()?,
            hsm: self.client.hsm_status()?,
            domains: self.client.domain_list()?,
            requests: self.client.request_list()?,
        })
    }

    /// What the key service calls a tenant's domain.
    fn domain(&self, inventory: &Inventory, tenant: &TenantId) -> Result<&str, KeyServiceError> {
        let own = inventory.key_domains().find(|domain| domain.tenant == *tenant);
        let named = own.and_then(|domain| self.domains.get(&domain.id));
        named.map(String::as_str).ok_or(KeyServiceError::NoDomain)
    }

    /// What is to be shown of a tenant's domain. Blocks.
    ///
    /// # Errors
    /// [`KeyServiceError`].
    pub fn look(
        &self,
        inventory: &Inventory,
        tenant: &TenantId,
        keys: &[String],
        now: u64,
    ) -> Result<Shown, KeyServiceError> {
        let domain = self.domain(inventory, tenant)?;
        let since = i64::try_from(now.saturating_sub(LOOK_BACK.as_secs())).unwrap_or(0);
        let query = AuditQuery { since: Some(since), ..AuditQuery::default() };
        let mut newest = Newest::default();
        self.client.audit_read(domain, &query, &mut newest)?;
        newest.records.reverse();
        let state = |key: &String| {
            let object = self.client.object_show(domain, Uuid::parse_str(key).ok()?).ok()?;
            Some((key.clone(), object.state))
        };
        Ok(Shown { records: newest.records, states: keys.iter().filter_map(state).collect() })
    }

    /// The whole log of a tenant's domain with its proofs. Blocks.
    ///
    /// # Errors
    /// [`KeyServiceError`].
    pub fn proofs(&self, inventory: &Inventory, tenant: &TenantId, out: &mut dyn Write) -> Result<(), KeyServiceError> {
        self.client.audit_export(self.domain(inventory, tenant)?, out)?;
        Ok(())
    }
}

/// Keeps the last records of what is written, whatever its length.
#[derive(Default)]
struct Newest {
    line: Vec<u8>,
    records: Vec<Record>,
}

impl Write for Newest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > AUDIT_BYTES {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line that is no record"));
            }
            if self.line.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.line);
                let Ok(value) = serde_json::from_slice::<Value>(&line) else { continue };
                let Ok(record) = serde_json::from_value::<Record>(value) else { continue };
                if record.index.is_some() {
                    self.records.push(record);
                }
                if self.records.len() > AUDIT_RECORDS {
                    self.records.remove(0);
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
