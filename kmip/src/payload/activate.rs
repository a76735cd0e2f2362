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

structure! {
    /// The object that was activated.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ActivateResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
