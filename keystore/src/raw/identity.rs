//! The columns of an identity.

use super::{Raw, bounded, flag, hex_text, rights, signed, sized, unsigned};
use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::limits::{MAX_CERTIFICATE_LEN, MAX_NAME_LEN};
use crate::row::{IdentityKind, IdentityRow};

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
    pub(crate) rights: String,
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
        bounded(row.name.len(), MAX_NAME_LEN, "identity name too long")?;
        bounded(role.as_ref().map_or(0, String::len), MAX_NAME_LEN, "role too long")?;
        bounded(row.certificate.len(), MAX_CERTIFICATE_LEN, "certificate too long")?;
        Ok(Self {
            fingerprint: row.fingerprint.to_vec(),
            domain: row.domain.to_vec(),
            name: row.name.clone(),
            kind,
            role,
            certificate: row.certificate.clone(),
            rights: rights::encode(row)?,
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
            .text(&self.rights)
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
        let rights = rights::decode(&self.rights).ok_or_else(|| "rights".to_owned())?;
        Ok(IdentityRow {
            domain: sized(&self.domain, "domain")?,
            fingerprint: sized(&self.fingerprint, "fingerprint")?,
            name: self.name,
            kind,
            certificate: self.certificate,
            origin: rights.origin,
            access: rights.access,
            credential_demanded: rights.credential_demanded,
            credentials: rights.credentials,
            created_us: self.created_us,
            revoked: flag(self.revoked, "revoked")?,
            revision: unsigned(self.revision, "revision")?,
        })
    }
}
