//! Discover Versions: what both sides speak, the server's preferred one first. KMIP 1.4 §4.26.

use kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse};

use crate::operation::VERSIONS;

pub(in crate::operation) fn run(request: &DiscoverVersionsRequest) -> DiscoverVersionsResponse {
    let asked = &request.protocol_versions;
    let protocol_versions =
        VERSIONS.into_iter().filter(|version| asked.is_empty() || asked.contains(version)).collect();
    DiscoverVersionsResponse { protocol_versions }
}
