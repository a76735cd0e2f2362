//! Who acts, and what an administrator is told when it does not work.

use std::net::SocketAddr;

use audit::limits::{MAX_DETAIL_LEN, MAX_NAME_LEN};
use audit::{Identity, LogId, Outcome, Record, bounded_text};
use keystore::{Step, StoreError, Unit};
use kmip::ProtocolVersion;
use policy::access::Actor;

use crate::failure::Failure;
use crate::node::Node;
use crate::shell::peer::Fingerprint;

/// An administrator at work.
#[derive(Clone, Debug)]
pub struct Acting {
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// The registered name.
    pub name: String,
    /// The registered role.
    pub role: Actor,
    /// Where the request comes from.
    pub address: SocketAddr,
    /// Identifies the request in log and audit.
    pub request: [u8; 16],
}

/// Why an administrative act failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminFailure {
    /// As for KMIP clients.
    #[error(transparent)]
    Request(#[from] Failure),
    /// It exists already.
    #[error("{0}")]
    Exists(&'static str),
    /// Approvals are missing, or do not count; or the act is refused although they are there.
    #[error("{0}")]
    NotApproved(String),
    /// It was there, and retention dropped it.
    #[error("{0}")]
    Dropped(String),
    /// A backup is not what it should be.
    #[error("{0}")]
    Unsound(String),
    /// A value of the request cannot be used.
    #[error("{0}")]
    Unusable(&'static str),
}

impl From<StoreError> for AdminFailure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken => Self::Exists("the name is taken"),
            StoreError::IdentityTaken => Self::Exists("the certificate's key is registered already"),
            dropped @ StoreError::Dropped { .. } => Self::Dropped(dropped.to_string()),
            other => Self::Request(other.into()),
        }
    }
}

impl From<hsm::HsmError> for AdminFailure {
    fn from(error: hsm::HsmError) -> Self {
        Self::Request(error.into())
    }
}

impl Acting {
    /// A record of an act that succeeded.
    #[must_use]
    pub fn record(&self, node: &Node, log: LogId, operation: &str) -> Record {
        Record {
            identity: Identity::Admin { fingerprint: self.fingerprint, name: bounded_text(&self.name, MAX_NAME_LEN) },
            source: self.address.to_string(),
            request_id: self.request,
            ..node.auditor.record(&node.clock, log, operation)
        }
    }

    /// The record of an act that failed, written before the administrator is told.
    ///
    /// # Errors
    /// The failure itself, or that of the store if the record cannot be written.
    pub async fn refuse<T>(
        &self,
        node: &Node,
        log: LogId,
        operation: &str,
        failure: AdminFailure,
    ) -> Result<T, AdminFailure> {
        let reason = match &failure {
            AdminFailure::Request(failure) => failure.answer(ProtocolVersion::V1_4).reason.text(),
            AdminFailure::Exists(_) => "exists already",
            AdminFailure::NotApproved(_) => "not approved",
            AdminFailure::Dropped(_) => "dropped by retention",
            AdminFailure::Unsound(_) => "not sound",
            AdminFailure::Unusable(_) => "unusable value",
        };
        let record = Record {
            outcome: Outcome::Failed,
            reason: Some(reason.to_owned()),
            detail: Some(bounded_text(&failure.to_string(), MAX_DETAIL_LEN)),
            ..self.record(node, log, operation)
        };
        node.record(record).await?;
        Err(failure)
    }

    /// A read: recorded, then answered.
    ///
    /// # Errors
    /// [`AdminFailure`] if the record cannot be written.
    pub async fn note(
        &self,
        node: &Node,
        log: LogId,
        operation: &str,
        detail: Option<&str>,
    ) -> Result<(), AdminFailure> {
        let detail = detail.map(|text| bounded_text(text, MAX_DETAIL_LEN));
        Ok(node.record(Record { detail, ..self.record(node, log, operation) }).await?)
    }
}

/// A unit of the given steps.
pub(super) fn unit(steps: Vec<Step>) -> Unit {
    Unit { steps }
}
