//! Create Key Pair: the server makes a private key and its public key. KMIP 1.4 §4.2.

use crate::Tag;
use crate::attribute::{
    CommonAttributes, PrivateKeyAttributes, ProtectionStorageMasks, PublicKeyAttributes, TemplateAttribute,
};
use crate::wire::structure;

structure! {
    /// What keys to make.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct CreateKeyPairRequest {
        /// Attributes of both.
        part common_attributes: Option<TemplateAttribute> = CommonAttributes,
        /// Attributes of the private key; they come before the common ones.
        part private_key_attributes: Option<TemplateAttribute> = PrivateKeyAttributes,
        /// Attributes of the public key; they come before the common ones.
        part public_key_attributes: Option<TemplateAttribute> = PublicKeyAttributes,
        // Boxed: a batch may have many items, and its memory has to stay near its length.
        /// Where both may be kept.
        optional common_protection_storage_masks: Box<ProtectionStorageMasks> =
            Tag::COMMON_PROTECTION_STORAGE_MASKS [since V2_0],
        /// Where the private key may be kept.
        optional private_protection_storage_masks: Box<ProtectionStorageMasks> =
            Tag::PRIVATE_PROTECTION_STORAGE_MASKS [since V2_0],
        /// Where the public key may be kept.
        optional public_protection_storage_masks: Box<ProtectionStorageMasks> =
            Tag::PUBLIC_PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The keys that were made.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateKeyPairResponse {
        /// The private key, which is now the ID Placeholder.
        required private_key_unique_identifier: String = Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER,
        /// The public key.
        required public_key_unique_identifier: String = Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER,
        /// Attributes of the private key that the server set without being asked.
        optional private_key_template_attribute: TemplateAttribute =
            Tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE [until V1_4],
        /// Attributes of the public key that the server set without being asked.
        optional public_key_template_attribute: TemplateAttribute = Tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
