//! Why a ceremony stopped. Whatever it had made by then is removed, or is recognised and removed by the next one.

use thiserror::Error;

use crate::error::{Fault, HsmError};

/// Why a ceremony stopped.
#[derive(Debug, Error)]
pub enum CeremonyError {
    /// A call to a member failed.
    #[error("{member}: {doing}: {cause}")]
    Member {
        /// Which member.
        member: String,
        /// What was being done.
        doing: &'static str,
        /// The PKCS#11 error or our own finding.
        cause: String,
    },
    /// The members do not stand where a ceremony can begin or be completed.
    #[error("{0}")]
    Standing(String),
    /// A member let through what it must refuse, or refused it for an unclear reason: it is not fit for a Root of
    /// Trust.
    #[error("{member} does not guard its keys: {attempt} ended with {outcome}")]
    Guard {
        /// Which member.
        member: String,
        /// What was tried.
        attempt: String,
        /// How it ended.
        outcome: String,
    },
    /// The Root of Trust arrived differently on two members, or is not the expected one.
    #[error("{member} holds another Root of Trust than expected")]
    Fingerprint {
        /// The member that differs.
        member: String,
    },
    /// Custodians, threshold or shares cannot be right.
    #[error("{0}")]
    Escrow(String),
    /// The protocol could not be kept. The ceremony counts as not held.
    #[error("the protocol could not be written")]
    Deliver(#[from] std::io::Error),
    /// The configuration cannot be right.
    #[error(transparent)]
    Config(#[from] HsmError),
}

/// Adds the member to a fault.
pub(super) trait OnMember<T> {
    fn on(self, member: &str) -> Result<T, CeremonyError>;
}

impl<T> OnMember<T> for Result<T, Fault> {
    fn on(self, member: &str) -> Result<T, CeremonyError> {
        self.map_err(|fault| CeremonyError::Member { member: member.into(), doing: fault.doing, cause: fault.cause })
    }
}
