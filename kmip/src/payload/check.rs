//! Check: would the server let this object be used so? KMIP 1.4 §4.10, 2.1 §6.1.7.

use crate::Tag;
use crate::attribute::Identifier;
use crate::registry::UsageMask;
use crate::ttlv::Interval;
use crate::wire::structure;

structure! {
    /// The use that is meant.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CheckRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Units the client wants to protect.
        optional usage_limits_count: i64 = Tag::USAGE_LIMITS_COUNT,
        /// Operations the client wants to use the object for.
        optional cryptographic_usage_mask: UsageMask = Tag::CRYPTOGRAPHIC_USAGE_MASK,
        /// The lease the client wants.
        optional lease_time: Interval = Tag::LEASE_TIME,
    }
}

structure! {
    /// The object, or what stands against its use.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CheckResponse {
        /// The object; absent in a refusal.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The requested count, if it is too large.
        optional usage_limits_count: i64 = Tag::USAGE_LIMITS_COUNT,
        /// The requested mask, if it is not allowed.
        optional cryptographic_usage_mask: UsageMask = Tag::CRYPTOGRAPHIC_USAGE_MASK,
        /// The requested lease, if it is too long.
        optional lease_time: Interval = Tag::LEASE_TIME,
    }
}
