//! Add Attribute: a further instance of an attribute. KMIP 1.4 §4.14, 2.1 §6.1.2.

use crate::Tag;
use crate::attribute::{Attribute, ChangedAttribute, Identifier, NewAttribute};
use crate::wire::structure;

structure! {
    /// What to add to which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AddAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The attribute, without index.
        part attribute: Attribute = NewAttribute,
    }
}

structure! {
    /// What was added.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AddAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new index, for peers of 1.x, which require it.
        part attribute: Option<Attribute> = ChangedAttribute,
    }
}
