//! The columns of a domain.

use secret::Sealed;

use super::{Raw, bounded, flag, signed, sized, unsigned, uuid_text};
use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::limits::{
    MAX_BACKUPS_LEN, MAX_DOMAIN_KEY_LEN, MAX_DOMAIN_RULES_LEN, MAX_NAME_LEN, MAX_REQUESTS_LEN, MAX_RETENTION_LEN,
};
use crate::row::{DomainRow, DomainState, Permissions, Retention};

/// Columns of table `domain`, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawDomain {
    pub(crate) id: Vec<u8>,
    pub(crate) name: String,
    pub(crate) state: i64,
    pub(crate) revision: i64,
    pub(crate) created_us: i64,
    pub(crate) domain_key: Vec<u8>,
    pub(crate) secret: Vec<u8>,
    pub(crate) policy: String,
    pub(crate) system: i64,
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) permissions: i64,
    pub(crate) defaults: Option<Vec<u8>>,
    pub(crate) constraints: Option<Vec<u8>>,
    pub(crate) requests: Option<Vec<u8>>,
    pub(crate) retention: Option<String>,
    pub(crate) backups: Option<Vec<u8>>,
}

impl RawDomain {
    /// The columns of `row` under `revision`.
    pub(crate) fn of(row: &DomainRow, revision: u64) -> Result<Self, StoreError> {
        bounded(row.name.len(), MAX_NAME_LEN, "domain name too long")?;
        bounded(row.policy.len(), MAX_NAME_LEN, "policy name too long")?;
        bounded(row.domain_key.len(), MAX_DOMAIN_KEY_LEN, "domain key too long")?;
        for rules in [&row.defaults, &row.constraints].into_iter().flatten() {
            bounded(rules.len(), MAX_DOMAIN_RULES_LEN, "defaults or constraints too long")?;
        }
        bounded(row.requests.as_ref().map_or(0, Vec::len), MAX_REQUESTS_LEN, "requests too long")?;
        bounded(row.backups.as_ref().map_or(0, Vec::len), MAX_BACKUPS_LEN, "too many backups")?;
        Ok(Self {
            id: row.id.to_vec(),
            name: row.name.clone(),
            state: row.state.code(),
            revision: signed(revision)?,
            created_us: row.created_us,
            domain_key: row.domain_key.clone(),
            secret: row.secret.as_bytes().to_vec(),
            policy: row.policy.clone(),
            system: i64::from(row.system),
            authority: row.authority.map(|digest| digest.to_vec()),
            permissions: i64::from(row.permissions.0),
            defaults: row.defaults.clone(),
            constraints: row.constraints.clone(),
            requests: row.requests.clone(),
            retention: encoded(&row.retention)?,
            backups: row.backups.clone(),
        })
    }
}

impl Raw for RawDomain {
    const TABLE: &'static str = "domain";
    type Row = DomainRow;

    fn key(&self) -> String {
        uuid_text(&self.id)
    }

    fn canonical(&self) -> Vec<u8> {
        Canonical::new("domain 1")
            .blob(&self.id)
            .text(&self.name)
            .integer(self.state)
            .integer(self.revision)
            .integer(self.created_us)
            .blob(&self.domain_key)
            .digest_of(&self.secret)
            .text(&self.policy)
            .integer(self.system)
            .maybe(self.authority.as_deref(), Canonical::blob)
            .integer(self.permissions)
            .maybe(self.defaults.as_deref(), Canonical::blob)
            .maybe(self.constraints.as_deref(), Canonical::blob)
            .maybe(self.requests.as_deref(), Canonical::blob)
            .maybe(self.retention.as_deref(), Canonical::text)
            .maybe(self.backups.as_deref(), Canonical::blob)
            .finish()
    }

    fn decode(self) -> Result<DomainRow, String> {
        Ok(DomainRow {
            id: sized(&self.id, "identifier")?,
            name: self.name,
            state: DomainState::from_code(self.state).ok_or_else(|| format!("state {}", self.state))?,
            revision: unsigned(self.revision, "revision")?,
            created_us: self.created_us,
            domain_key: self.domain_key,
            secret: Sealed::from_bytes(self.secret).map_err(|error| error.to_string())?,
            policy: self.policy,
            system: flag(self.system, "system")?,
            authority: self.authority.map(|digest| sized(&digest, "authority")).transpose()?,
            permissions: u32::try_from(self.permissions).map(Permissions).map_err(|_| "permissions".to_owned())?,
            defaults: self.defaults,
            constraints: self.constraints,
            requests: self.requests,
            retention: match self.retention {
                None => Retention::default(),
                Some(text) => serde_json::from_str(&text).map_err(|error| format!("retention: {error}"))?,
            },
            backups: self.backups,
        })
    }
}

/// As JSON; nothing where nothing was said.
fn encoded(retention: &Retention) -> Result<Option<String>, StoreError> {
    retention.check().map_err(StoreError::InvalidUnit)?;
    if retention.is_default() {
        return Ok(None);
    }
    let text = serde_json::to_string(retention).map_err(|_| StoreError::InvalidUnit("retention"))?;
    bounded(text.len(), MAX_RETENTION_LEN, "retention too long")?;
    Ok(Some(text))
}
