//! Modify Attribute: another value for an instance that exists. KMIP 1.4 §4.15, 2.1 §6.1.34.

use crate::Tag;
use crate::attribute::{Attribute, ChangedAttribute, CurrentAttribute, Identifier, NewAttribute};
use crate::wire::structure;

structure! {
    /// What to change at which object.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ModifyAttributeRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Since 2.0: the value that is to be replaced; without it, the attribute may have only one.
        part current_attribute: Option<Attribute> = CurrentAttribute,
        /// The attribute with its new value. In 1.x the index says which instance; none means 0.
        part attribute: Attribute = NewAttribute,
    }
}

structure! {
    /// What was changed.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ModifyAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute with its new value, for peers of 1.x, which require it.
        part attribute: Option<Attribute> = ChangedAttribute,
    }
}
