//! Create Split Key: the server splits a key, made for it or held already. KMIP 1.4 §4.38.

use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::registry::{ObjectType, SplitKeyMethod};
use crate::ttlv::BigInteger;
use crate::wire::structure;

structure! {
    /// What to split, and how.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateSplitKeyRequest {
        /// What the parts are of.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// The key to split; absent means one made for it.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// How many parts.
        required split_key_parts: i32 = Tag::SPLIT_KEY_PARTS,
        /// How many of them bring the key back.
        required split_key_threshold: i32 = Tag::SPLIT_KEY_THRESHOLD,
        /// The method.
        required split_key_method: SplitKeyMethod = Tag::SPLIT_KEY_METHOD,
        /// The prime of method Polynomial Sharing Prime Field.
        optional prime_field_size: BigInteger = Tag::PRIME_FIELD_SIZE,
        /// Attributes of the parts.
        part template_attribute: TemplateAttribute = ObjectAttributes,
        /// Where the parts may be kept.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The parts.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CreateSplitKeyResponse {
        /// What the parts are of: in the tables of 1.2, and not in its test cases.
        optional object_type: ObjectType = Tag::OBJECT_TYPE [until V1_2],
        /// The parts, the first of which is now the ID Placeholder.
        several unique_identifiers: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
