//! Activate: a Pre-Active object becomes Active. KMIP 1.4 §4.19, 2.1 §6.1.1.

use crate::Tag;
use crate::attribute::Identifier;
use crate::wire::structure;

structure! {
    /// Which object to activate.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ActivateRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

impl ActivateRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<Identifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()) }
    }
}

structure! {
    /// The object that was activated.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ActivateResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
