//! Process: an operation that was put off is to be done before its next Poll is answered. KMIP 2.1 §6.1.39.

use kmip::payload::{ProcessRequest, ProcessResponse};

use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) fn run(scope: &Scope<'_>, request: &ProcessRequest) -> Result<ProcessResponse, Failure> {
    let value = &request.asynchronous_correlation_value;
    // It changes the order of work and nothing else: that it happens before its record is durable harms nobody.
    if scope.node.jobs.hurry(scope.domain.row.id, value, scope.node.clock.now_s()) {
        Ok(ProcessResponse)
    } else {
        Err(Failure::NoSuchAsynchronousRequest)
    }
}
