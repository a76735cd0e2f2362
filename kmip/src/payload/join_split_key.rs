//! Join Split Key: the server puts a key together from its parts. KMIP 1.4 §4.39.

use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::registry::{ObjectType, SecretDataType};
use crate::wire::structure;

structure! {
    /// Which parts give what.
    #[derive(Clone, Debug, PartialEq)]
    pub struct JoinSplitKeyRequest {
        /// What to make.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// The parts; as many as their threshold says.
        several unique_identifiers: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// What kind of Secret Data to make.
        optional secret_data_type: SecretDataType = Tag::SECRET_DATA_TYPE,
        /// Attributes of the new object.
        part template_attribute: Option<TemplateAttribute> = ObjectAttributes,
        /// Where the new object may be kept.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The object that was put together.
    #[derive(Clone, Debug, PartialEq)]
    pub struct JoinSplitKeyResponse {
        /// What was made: in the tables of 1.2, and not in its test cases.
        optional object_type: ObjectType = Tag::OBJECT_TYPE [until V1_2],
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
