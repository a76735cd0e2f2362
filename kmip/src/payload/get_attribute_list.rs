//! Get Attribute List: the names of an object's attributes. KMIP 1.4 §4.13.

use crate::Tag;
use crate::attribute::AttributeNames;
use crate::wire::structure;

structure! {
    /// Which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct GetAttributeListRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}

impl GetAttributeListRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<String>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()) }
    }
}

structure! {
    /// The names of the attributes that have a value.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GetAttributeListResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The names, each once.
        part attribute_names: Vec<String> = AttributeNames,
    }
}
