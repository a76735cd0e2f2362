//! Validate: does a chain of certificates hold? KMIP 1.4 §4.24.

use crate::Tag;
use crate::attribute::Identifier;
use crate::object::Certificate;
use crate::registry::ValidityIndicator;
use crate::ttlv::DateTime;
use crate::wire::structure;

structure! {
    /// The chain: certificates that come along and those that the server holds.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ValidateRequest {
        /// Certificates of the chain.
        repeated certificates: Certificate = Tag::CERTIFICATE,
        /// Certificates of the chain that the server holds.
        repeated unique_identifiers: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// When the chain has to hold; absent means now.
        optional validity_date: DateTime = Tag::VALIDITY_DATE,
    }
}

structure! {
    /// Whether the chain holds. One that does not is a success of the operation.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ValidateResponse {
        /// The verdict.
        required validity_indicator: ValidityIndicator = Tag::VALIDITY_INDICATOR,
    }
}
