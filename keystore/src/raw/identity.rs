//! The columns of an identity.

use super::{Raw, bounded, flag, hex_text, signed, sized, unsigned};
use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::limits::{MAX_CERTIFICATE_LEN, MAX_NAME_LEN, MAX_PASSWORD_HASH_LEN};
use crate::row::{Credential, IdentityKind, IdentityRow};

const CLIENT: i64 = 1;
const ADMIN: i64 = 2;

/// Columns of table `identity`, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawIdentity {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) domain: Vec<u8>,
    pub(crate) name: String,
    pub(crate) kind: i64,
    pub(crate) role: Option<String>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) username: Option<String>,
    pub(crate) argon2: Option<String>,
    pub(crate) created_us: i64,
    pub(crate) revoked: i64,
    pub(crate) revision: i64,
}

impl RawIdentity {
    /// The columns of `row` under `revision`.
    pub(crate) fn of(row: &IdentityRow, revision: u64) -> Result<Self, StoreError> {
        let (kind, role) = match &row.kind {
            IdentityKind::Client => (CLIENT, None),
            IdentityKind::Admin { role } => (ADMIN, Some(role.clone())),
        };
        let (username, argon2) = match &row.credential {
            Some(credential) => (Some(credential.username.clone()), Some(credential.argon2.clone())),
            None => (None, None),
        };
        bounded(row.name.len(), MAX_NAME_LEN, "identity name too long")?;
        bounded(role.as_ref().map_or(0, String::len), MAX_NAME_LEN, "role too long")?;
        bounded(username.as_ref().map_or(0, String::len), MAX_NAME_LEN, "user name too long")?;
        bounded(argon2.as_ref().map_or(0, String::len), MAX_PASSWORD_HASH_LEN, "password hash too long")?;
        bounded(row.certificate.len(), MAX_CERTIFICATE_LEN, "certificate too long")?;
        Ok(Self {
            fingerprint: row.fingerprint.to_vec(),
            domain: row.domain.to_vec(),
            name: row.name.clone(),
            kind,
            role,
            certificate: row.certificate.clone(),
            username,
            argon2,
            created_us: row.created_us,
            revoked: i64::from(row.revoked),
            revision: signed(revision)?,
        })
    }
}

impl Raw for RawIdentity {
    const TABLE: &'static str = "identity";
    type Row = IdentityRow;

    fn key(&self) -> String {
        hex_text(&self.fingerprint)
    }

    fn canonical(&self) -> Vec<u8> {
        Canonical::new("identity 1")
            .blob(&self.fingerprint)
            .blob(&self.domain)
            .text(&self.name)
            .integer(self.kind)
            .maybe_text(self.role.as_deref())
            .blob(&self.certificate)
            .maybe_text(self.username.as_deref())
            .maybe_text(self.argon2.as_deref())
            .integer(self.created_us)
            .integer(self.revoked)
            .integer(self.revision)
            .finish()
    }

    fn decode(self) -> Result<IdentityRow, String> {
        let kind = match (self.kind, self.role) {
            (CLIENT, None) => IdentityKind::Client,
            (ADMIN, Some(role)) => IdentityKind::Admin { role },
            (kind, _) => return Err(format!("kind {kind}")),
        };
        let credential = match (self.username, self.argon2) {
            (None, None) => None,
            (Some(username), Some(argon2)) => Some(Credential { username, argon2 }),
            _ => return Err("half a credential".to_owned()),
        };
        Ok(IdentityRow {
            domain: sized(&self.domain, "domain")?,
            fingerprint: sized(&self.fingerprint, "fingerprint")?,
            name: self.name,
            kind,
            certificate: self.certificate,
            credential,
            created_us: self.created_us,
            revoked: flag(self.revoked, "revoked")?,
            revision: unsigned(self.revision, "revision")?,
        })
    }
}
