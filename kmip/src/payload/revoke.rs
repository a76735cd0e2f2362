//! Revoke: an object is deactivated, or marked as compromised. KMIP 1.4 §4.20, 2.1 §6.1.44.

use crate::Tag;
use crate::attribute::{Identifier, RevocationReason};
use crate::ttlv::DateTime;
use crate::wire::structure;

structure! {
    /// Which object to revoke, and why.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The reason; it decides between Deactivated and Compromised.
        required revocation_reason: RevocationReason = Tag::REVOCATION_REASON,
        /// When the compromise is thought to have happened.
        optional compromise_occurrence_date: DateTime = Tag::COMPROMISE_OCCURRENCE_DATE,
    }
}

structure! {
    /// The object that was revoked.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RevokeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
