//! Set Attribute: an attribute gets a value, whether it had one or not. KMIP 2.1 §6.1.51.

use crate::Tag;
use crate::attribute::{Attribute, Identifier, NewAttribute};
use crate::wire::structure;

structure! {
    /// What to set at which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SetAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new value.
        part attribute: Attribute = NewAttribute,
    }
}

structure! {
    /// The object that has the attribute.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SetAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
