//! Delete Attribute: an instance of an attribute goes. KMIP 1.4 §4.16.

use crate::Tag;
use crate::attribute::Attribute;
use crate::wire::structure;

structure! {
    /// What to delete at which object.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DeleteAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Name of the attribute.
        required attribute_name: String = Tag::ATTRIBUTE_NAME,
        /// The instance; absent means 0.
        optional attribute_index: i32 = Tag::ATTRIBUTE_INDEX,
    }
}

structure! {
    /// What was deleted.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DeleteAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute as it was.
        required attribute: Attribute = Tag::ATTRIBUTE,
    }
}
