//! Add Attribute: a further instance of an attribute. KMIP 1.4 §4.14.

use crate::Tag;
use crate::attribute::Attribute;
use crate::wire::structure;

structure! {
    /// What to add to which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AddAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute, without index.
        required attribute: Attribute = Tag::ATTRIBUTE,
    }
}

structure! {
    /// What was added.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AddAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new index.
        required attribute: Attribute = Tag::ATTRIBUTE,
    }
}
