//! Query: what this server can do, in the words of the client's version. KMIP 1.4 §4.25.

use kmip::payload::{QueryRequest, QueryResponse};
use kmip::registry::QueryFunction;

use crate::operation::{OBJECT_TYPES, OFFERED, is_offered};
use crate::scope::Scope;

/// Names the maker of the server, as the specification demands; clients show it to people.
const VENDOR: &str = "Clavis";

pub(in crate::operation) fn run(scope: &Scope<'_>, request: &QueryRequest) -> QueryResponse {
    let asks = |function| request.functions.contains(&function);
    let mut response = QueryResponse::default();
    if asks(QueryFunction::QueryOperations) {
        response.operations = OFFERED.iter().copied().filter(|one| is_offered(*one, scope.version)).collect();
    }
    if asks(QueryFunction::QueryObjects) {
        response.object_types = OBJECT_TYPES.into_iter().filter(|one| one.is_known_to(scope.version)).collect();
    }
    if asks(QueryFunction::QueryServerInformation) {
        response.vendor_identification = Some(VENDOR.to_owned());
        response.server_information = Some(Box::default());
    }
    response
}
