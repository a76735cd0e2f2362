//! Get Attribute List: the names of an object's attributes. KMIP 1.4 §4.13, 2.1 §6.1.21.

use crate::Tag;
use crate::attribute::{AnsweredNames, Identifier};
use crate::wire::structure;

structure! {
    /// Which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct GetAttributeListRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

impl GetAttributeListRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<Identifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()) }
    }
}

structure! {
    /// The names of the attributes that have a value.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GetAttributeListResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The names, each once; those that the client's version does not know are left out.
        part attribute_names: Vec<String> = AnsweredNames,
    }
}
