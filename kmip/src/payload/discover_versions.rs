//! Discover Versions: which versions of the protocol both sides speak. KMIP 1.4 §4.26, 2.1 §6.1.16.

use crate::wire::structure;
use crate::{ProtocolVersion, Tag};

structure! {
    /// The versions the client speaks.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct DiscoverVersionsRequest {
        /// In decreasing order of preference; none asks for all of the server's.
        repeated protocol_versions: ProtocolVersion = Tag::PROTOCOL_VERSION,
    }
}

structure! {
    /// The versions both sides speak.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct DiscoverVersionsResponse {
        /// In decreasing order of preference.
        repeated protocol_versions: ProtocolVersion = Tag::PROTOCOL_VERSION,
    }
}
