//! Notify: a server tells a client, of its own accord, which attributes changed. KMIP 1.4 §5.1.

use super::attribute_changes::{AttributeChanges, ChangedAttributes};
use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// What changed at which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct NotifyRequest {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Its attributes that changed, the Last Change Date at least, and those that went.
        part changes: AttributeChanges = ChangedAttributes,
    }
}

empty! {
    /// The news arrived.
    pub struct NotifyResponse;
}
