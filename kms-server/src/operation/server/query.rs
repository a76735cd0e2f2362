//! Query: what this server can do, in the words of the client's version. KMIP 1.4 §4.25.

use kmip::payload::{QueryRequest, QueryResponse};
use kmip::registry::QueryFunction;
use kmip::ttlv::OwnedItem;

use crate::operation::{OBJECT_TYPES, OFFERED, is_offered};
use crate::scope::Scope;

/// Names the maker of the server, as the specification demands; clients show it to people.
const VENDOR: &str = "Clavis";

/// A Server Information structure without fields: what it may hold is the vendor's business, and ours says nothing.
const EMPTY_SERVER_INFORMATION: [u8; 8] = [0x42, 0x00, 0x88, 0x01, 0, 0, 0, 0];

pub(in crate::operation) fn run(scope: &Scope<'_>, request: &QueryRequest) -> QueryResponse {
    let asks = |function| request.functions.contains(&function);
    let mut response = QueryResponse::default();
    if asks(QueryFunction::QueryOperations) {
        response.operations = OFFERED.into_iter().filter(|one| is_offered(*one, scope.version)).collect();
    }
    if asks(QueryFunction::QueryObjects) {
        response.object_types = OBJECT_TYPES.into_iter().filter(|one| one.is_known_to(scope.version)).collect();
    }
    if asks(QueryFunction::QueryServerInformation) {
        response.vendor_identification = Some(VENDOR.to_owned());
        response.server_information = OwnedItem::from_bytes(&EMPTY_SERVER_INFORMATION).ok();
    }
    response
}
