//! Create: the server makes a symmetric key. KMIP 1.4 §4.1, 2.1 §6.1.8.

use crate::Tag;
use crate::attribute::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::registry::ObjectType;
use crate::wire::structure;

structure! {
    /// What key to make.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateRequest {
        /// Symmetric Key, since 2.0 also Secret Data; a server refuses others.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its attributes.
        part template_attribute: TemplateAttribute = ObjectAttributes,
        /// Where the key may be kept; absent means anywhere.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

impl CreateRequest {
    /// The request for a symmetric key; algorithm and usage mask have to be among the attributes.
    #[must_use]
    pub fn symmetric_key(attributes: impl Into<TemplateAttribute>) -> Self {
        Self {
            object_type: ObjectType::SymmetricKey,
            template_attribute: attributes.into(),
            protection_storage_masks: None,
        }
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
