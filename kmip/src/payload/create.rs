//! Create: the server makes a symmetric key. KMIP 1.4 §4.1.

use crate::Tag;
use crate::attribute::{ObjectAttributes, TemplateAttribute};
use crate::registry::ObjectType;
use crate::wire::structure;

structure! {
    /// What key to make.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateRequest {
        /// Symmetric Key; a server refuses others.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its attributes.
        part template_attribute: TemplateAttribute = ObjectAttributes,
    }
}

impl CreateRequest {
    /// The request for a symmetric key; algorithm and usage mask have to be among the attributes.
    #[must_use]
    pub fn symmetric_key(attributes: impl Into<TemplateAttribute>) -> Self {
        Self { object_type: ObjectType::SymmetricKey, template_attribute: attributes.into() }
    }
}

structure! {
    /// The key that was made.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateResponse {
        /// What was made.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
