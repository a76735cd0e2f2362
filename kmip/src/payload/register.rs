//! Register: the server takes over an object that the client has. KMIP 1.4 §4.3, 2.1 §6.1.43.

use crate::Tag;
use crate::attribute::{ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::object::{AnyObject, ManagedObject};
use crate::registry::ObjectType;
use crate::wire::structure;

structure! {
    /// The object and its attributes.
    ///
    /// The object is required here although the tables of 1.0 and 1.1 call it optional: neither says what a server
    /// should register without it.
    #[derive(Debug, PartialEq)]
    pub struct RegisterRequest {
        /// What it is; has to agree with the object.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its attributes.
        part template_attribute: TemplateAttribute = ObjectAttributes,
        /// The object itself.
        part object: ManagedObject = AnyObject,
        /// Where the object may be kept; absent means anywhere.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

impl RegisterRequest {
    /// Registers `object` under the type that it has.
    #[must_use]
    pub fn new(object: ManagedObject, attributes: impl Into<TemplateAttribute>) -> Self {
        Self {
            object_type: object.object_type(),
            template_attribute: attributes.into(),
            object,
            protection_storage_masks: None,
        }
    }
}

structure! {
    /// The object that was registered.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RegisterResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
