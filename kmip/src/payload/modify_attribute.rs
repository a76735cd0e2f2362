//! Modify Attribute: another value for an instance that exists. KMIP 1.4 §4.15.

use crate::Tag;
use crate::attribute::Attribute;
use crate::wire::structure;

structure! {
    /// What to change at which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ModifyAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new value; no index means 0.
        required attribute: Attribute = Tag::ATTRIBUTE,
    }
}

structure! {
    /// What was changed.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ModifyAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new value.
        required attribute: Attribute = Tag::ATTRIBUTE,
    }
}
