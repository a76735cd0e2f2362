//! Locate: the objects that have certain attributes. KMIP 1.4 §4.9, 2.1 §6.1.28.

use crate::Tag;
use crate::attribute::{Attribute, AttributePatterns};
use crate::registry::{ObjectGroupMember, StorageStatusMask};
use crate::wire::structure;

structure! {
    /// What to look for.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct LocateRequest {
        /// At most so many identifiers.
        optional maximum_items: i32 = Tag::MAXIMUM_ITEMS,
        /// So many matches are skipped.
        optional offset_items: i32 = Tag::OFFSET_ITEMS [since V1_3],
        /// On-line objects, archived ones, or both; absent means on-line.
        optional storage_status_mask: StorageStatusMask = Tag::STORAGE_STATUS_MASK,
        /// Whether a fresh or the default member of a group is wanted.
        optional object_group_member: ObjectGroupMember = Tag::OBJECT_GROUP_MEMBER [since V1_1],
        /// What a match has to have; structures may lack fields, dates may stand twice for a range, indices do not
        /// count.
        part attributes: Vec<Attribute> = AttributePatterns,
    }
}

structure! {
    /// What was found.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct LocateResponse {
        /// How many objects match in all.
        optional located_items: i32 = Tag::LOCATED_ITEMS [since V1_3],
        /// Their identifiers.
        repeated unique_identifiers: String = Tag::UNIQUE_IDENTIFIER,
    }
}
