//! Get Usage Allocation: a client takes from what may still be protected with an object. KMIP 1.4 §4.18.

use crate::Tag;
use crate::attribute::Identifier;
use crate::wire::structure;

structure! {
    /// How much of which object.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GetUsageAllocationRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Units of the object's Usage Limits.
        required usage_limits_count: i64 = Tag::USAGE_LIMITS_COUNT,
    }
}

structure! {
    /// The object whose units were taken.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GetUsageAllocationResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
