//! Cancel: the answer to an operation that was put off is no longer wanted. KMIP 1.4 §4.27, 2.1 §6.1.6.

use kmip::payload::{CancelRequest, CancelResponse};
use kmip::registry::CancellationResult;

use crate::effect::Effect;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) fn run(scope: &mut Scope<'_>, request: &CancelRequest) -> Result<CancelResponse, Failure> {
    let value = request.asynchronous_correlation_value.as_slice();
    let (domain, by, now_s) = (scope.domain.row.id, scope.told.request_id, scope.node.clock.now_s());
    let cancellation_result = match scope.node.jobs.cancel(domain, value, by, now_s) {
        Some(result) => result,
        // 2.0 has a reason for it; older versions have a result.
        None if scope.version.is_2_x() => return Err(Failure::NoSuchAsynchronousRequest),
        None => CancellationResult::Unavailable,
    };
    if cancellation_result == CancellationResult::Canceled
        && let Ok(value) = value.try_into()
    {
        scope.draft.after(Effect::JobSettled(value));
    }
    scope.note = Some(cancellation_result.text().to_owned());
    Ok(CancelResponse {
        asynchronous_correlation_value: request.asynchronous_correlation_value.clone(),
        cancellation_result,
    })
}
