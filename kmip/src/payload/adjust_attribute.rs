//! Adjust Attribute: a number, a date or a Boolean changes relative to what it is. KMIP 2.1 §6.1.3.

use crate::Tag;
use crate::attribute::{AttributeReference, Identifier};
use crate::registry::AdjustmentType;
use crate::ttlv::OwnedItem;
use crate::wire::structure;

structure! {
    /// What to adjust at which object, and how.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AdjustAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The attribute; the object may have one instance of it.
        required attribute_reference: AttributeReference = Tag::ATTRIBUTE_REFERENCE,
        /// Up, down, or the opposite.
        required adjustment_type: AdjustmentType = Tag::ADJUSTMENT_TYPE,
        /// By how much, in the type of the attribute; absent means 1. Kept as it came: which type is right is known
        /// where the attribute is.
        optional adjustment_value: OwnedItem = Tag::ADJUSTMENT_VALUE,
    }
}

structure! {
    /// The object whose attribute was adjusted.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AdjustAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
