//! Obtain Lease: for how long may a client keep what it knows of an object? KMIP 1.4 §4.17.

use crate::Tag;
use crate::attribute::Identifier;
use crate::ttlv::{DateTime, Interval};
use crate::wire::structure;

structure! {
    /// Which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ObtainLeaseRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

structure! {
    /// The lease.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ObtainLeaseResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Seconds from now; 0 means without end.
        required lease_time: Interval = Tag::LEASE_TIME,
        /// When the object or one of its attributes last changed.
        required last_change_date: DateTime = Tag::LAST_CHANGE_DATE,
    }
}
