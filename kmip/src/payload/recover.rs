//! Recover: an archived object comes back on-line. KMIP 1.4 §4.23.

use crate::Tag;
use crate::attribute::Identifier;
use crate::wire::structure;

structure! {
    /// Which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct RecoverRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

structure! {
    /// The object that is on-line.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RecoverResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
