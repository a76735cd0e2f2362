//! Archive: an object may go off-line. KMIP 1.4 §4.22.

use crate::Tag;
use crate::attribute::Identifier;
use crate::wire::structure;

structure! {
    /// Which object.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ArchiveRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

structure! {
    /// The object that may go off-line.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ArchiveResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
