//! Query Asynchronous Requests: which answers of the domain are still to be fetched? KMIP 2.1 §6.1.41.

use kmip::payload::{AsynchronousRequest, QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse};
use kmip::ttlv::DateTimeExtended;

use crate::scope::Scope;

pub(in crate::operation) fn run(
    scope: &Scope<'_>,
    request: &QueryAsynchronousRequestsRequest,
) -> QueryAsynchronousRequestsResponse {
    // A list that is there and empty asks for nothing in particular, as one that is absent.
    let values = request.asynchronous_correlation_values.as_ref().map_or(&[][..], |list| &list.values);
    let operations = request.operations.as_ref().map_or(&[][..], |list| &list.operations);
    let outstanding = scope.node.jobs.outstanding(scope.domain.row.id, scope.node.clock.now_s());
    let asynchronous_requests = outstanding
        .into_iter()
        .filter(|one| values.is_empty() || values.iter().any(|value| value.as_slice() == one.value))
        .filter(|one| operations.is_empty() || operations.contains(&one.operation))
        .map(|one| AsynchronousRequest {
            asynchronous_correlation_value: one.value.to_vec(),
            operation: one.operation,
            submission_date: DateTimeExtended(one.submitted_us),
            processing_stage: one.stage,
        })
        .collect();
    QueryAsynchronousRequestsResponse { asynchronous_requests }
}
