//! Re-key Key Pair: the server makes a successor to a key pair. KMIP 1.4 §4.5.

use crate::Tag;
use crate::attribute::{
    CommonAttributes, Identifier, PrivateKeyAttributes, ProtectionStorageMasks, PublicKeyAttributes, TemplateAttribute,
};
use crate::ttlv::Interval;
use crate::wire::structure;

structure! {
    /// Which pair to replace, and by what.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ReKeyKeyPairRequest {
        /// The private key of the pair; absent means the ID Placeholder.
        optional private_key_unique_identifier: Identifier = Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER,
        /// From the Initial Date of the new keys to their Activation Date; absent means the dates of the old ones.
        optional offset: Interval = Tag::OFFSET,
        /// Attributes of both new keys that shall differ from the old ones'.
        part common_attributes: Option<TemplateAttribute> = CommonAttributes,
        /// Those of the private key; they come before the common ones.
        part private_key_attributes: Option<TemplateAttribute> = PrivateKeyAttributes,
        /// Those of the public key; they come before the common ones.
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
    /// The new pair.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ReKeyKeyPairResponse {
        /// The new private key, which is now the ID Placeholder.
        required private_key_unique_identifier: String = Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER,
        /// The new public key.
        required public_key_unique_identifier: String = Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER,
        /// Attributes of the private key that the server set without being asked.
        optional private_key_template_attribute: TemplateAttribute =
            Tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE [until V1_4],
        /// Attributes of the public key that the server set without being asked.
        optional public_key_template_attribute: TemplateAttribute = Tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
