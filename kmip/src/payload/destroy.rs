//! Destroy: the key material is gone for good. KMIP 1.4 §4.21, 2.1 §6.1.15.

use crate::Tag;
use crate::attribute::Identifier;
use crate::wire::structure;

structure! {
    /// Which object to destroy.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct DestroyRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

impl DestroyRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<Identifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()) }
    }
}

structure! {
    /// The object that was destroyed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DestroyResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
