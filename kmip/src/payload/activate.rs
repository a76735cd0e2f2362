//! Activate: a Pre-Active object becomes Active. KMIP 1.4 §4.19.

use crate::Tag;
use crate::wire::structure;

structure! {
    /// Which object to activate.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ActivateRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}

impl ActivateRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<String>) -> Self {
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
