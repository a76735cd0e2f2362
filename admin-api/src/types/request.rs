//! Acts that several people must approve, the requests for them, and the administrators who approve.

use quorum::{Approval, SignedRequest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text::Fingerprint;
use crate::limits::MAX_NAME;

/// An administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administrator {
    /// SHA-256 of the DER SubjectPublicKeyInfo of the certificate: the identity.
    pub fingerprint: Fingerprint,
    /// The name, unique among those who are not revoked.
    pub name: String,
    /// `operator`, `officer` or `auditor`.
    pub role: String,
    /// Subject of the certificate.
    pub subject: String,
    /// End of the certificate's validity, seconds since the epoch.
    pub not_after: i64,
    /// Whether this administrator's approvals count: a security officer whose key can sign them.
    pub approves: bool,
    /// Whether refused.
    pub revoked: bool,
    /// When registered, seconds since the epoch.
    pub created: i64,
}

/// An act that is done only when enough security officers approved it. What it is done to is named as people name it;
/// the request that the server makes of it names it exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProtectedAct {
    /// A domain with all its keys, for good.
    DestroyDomain {
        /// Name or identifier.
        domain: String,
    },
    /// What of a domain is gone or damaged comes back from a backup.
    RestoreDomain {
        /// The backup, whose file is in the node's folder.
        backup: Uuid,
        /// Name or identifier.
        domain: String,
    },
    /// One more administrator.
    AddAdministrator {
        /// A name that no other has.
        name: String,
        /// `operator`, `officer` or `auditor`.
        role: String,
        /// The certificate, PEM.
        certificate: String,
    },
    /// An administrator is refused from the next request on.
    RevokeAdministrator {
        /// Name or fingerprint.
        administrator: String,
    },
    /// An administrator gets another role.
    ChangeRole {
        /// Name or fingerprint.
        administrator: String,
        /// `operator`, `officer` or `auditor`.
        role: String,
    },
}

impl ProtectedAct {
    /// Looks for what the server would refuse anyway.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), &'static str> {
        let named = |text: &str| (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control);
        let ok = match self {
            Self::DestroyDomain { domain } | Self::RestoreDomain { domain, .. } => named(domain),
            Self::AddAdministrator { name, role, .. } => named(name) && named(role),
            Self::RevokeAdministrator { administrator } => named(administrator),
            Self::ChangeRole { administrator, role } => named(administrator) && named(role),
        };
        if ok { Ok(()) } else { Err("a name has 1 to 64 characters without control characters") }
    }
}

/// A request as the server keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its identifier.
    pub id: Uuid,
    /// What is to be done, such as `destroy-domain`.
    pub act: String,
    /// Where it stands.
    pub state: RequestState,
    /// Different security officers who must approve.
    pub needed: u64,
    /// Those who did, and whose approval counts now.
    pub approved_by: Vec<String>,
    /// Who asked.
    pub asked_by: String,
    /// The last second in which it may be executed, since the epoch.
    pub expires: i64,
    /// Its text and the approvals, as they go from hand to hand.
    pub signed: SignedRequest,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// More approvals are needed.
    Open,
    /// It can be executed.
    Approved,
    /// It was executed, and cannot be again.
    Executed,
    /// Its time is over.
    Expired,
}

impl RequestState {
    /// As in the JSON.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Executed => "executed",
            Self::Expired => "expired",
        }
    }
}

/// Approvals that are handed in, one or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// Each over the text of the request that it is handed in for.
    pub approvals: Vec<Approval>,
}
