//! Re-key: the server makes a successor to a symmetric key. KMIP 1.4 §4.4.

use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::ttlv::Interval;
use crate::wire::structure;

structure! {
    /// Which key to replace, and by what.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ReKeyRequest {
        /// The key; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// From the Initial Date of the new key to its Activation Date; absent means the dates of the old key.
        optional offset: Interval = Tag::OFFSET,
        /// Attributes of the new key that shall differ from the old one's.
        part template_attribute: Option<TemplateAttribute> = ObjectAttributes,
        /// Where the new key may be kept.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The new key.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ReKeyResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
