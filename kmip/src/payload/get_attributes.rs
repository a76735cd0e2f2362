//! Get Attributes: some or all attributes of an object. KMIP 1.4 §4.12, 2.1 §6.1.20.

use crate::Tag;
use crate::attribute::{Attribute, AttributeNames, Identifier, RequiredAttributes};
use crate::wire::structure;

structure! {
    /// Which attributes of which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct GetAttributesRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The attributes wanted; none means all. A name may not stand twice.
        part attribute_names: Vec<String> = AttributeNames,
    }
}

impl GetAttributesRequest {
    /// The request for these attributes of one object; no names mean all.
    #[must_use]
    pub fn of(unique_identifier: impl Into<Identifier>, names: &[&str]) -> Self {
        Self {
            unique_identifier: Some(unique_identifier.into()),
            attribute_names: names.iter().copied().map(str::to_owned).collect(),
        }
    }
}

structure! {
    /// The attributes that exist.
    #[derive(Clone, Debug, PartialEq)]
    pub struct GetAttributesResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// All instances of the attributes that were asked for; those without value are absent.
        part attributes: Vec<Attribute> = RequiredAttributes,
    }
}
