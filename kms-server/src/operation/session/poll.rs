//! Poll: the answer to an operation that was put off, under that operation's own name. KMIP 1.4 §4.28, 2.1 §6.1.38.

use std::sync::PoisonError;

use kmip::message::{Outcome, ResponseItem};
use kmip::payload::PollRequest;
use kmip::registry::Operation;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::effect::Effect;
use crate::failure::Failure;
use crate::limits::{POLL_PATIENCE, PROCESS_PATIENCE};
use crate::node::jobs::Polled;
use crate::scope::Scope;

/// The whole batch item to answer with. `mark` is the Unique Batch Item ID of the Poll: clients sort answers by it.
pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &PollRequest,
    mark: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let value = request.asynchronous_correlation_value.as_slice();
    let jobs = &scope.node.jobs;
    let begun = Instant::now();
    let place = jobs.waiting_place();
    // Who asks in a version that does not have the operation cannot be told of it, and waits for nothing of the kind.
    let version = scope.version;
    let can_be_told = |operation: Operation| operation.is_known_to(version);
    loop {
        let mut ended = std::pin::pin!(jobs.ended());
        // Registered before looking: what ends in between is not missed.
        ended.as_mut().enable();
        match jobs.poll(scope.domain.row.id, value, scope.told.request_id, scope.node.clock.now_s()) {
            Polled::Unknown => return Err(Failure::NoSuchAsynchronousRequest),
            Polled::Ready(answer) => {
                let value = value.try_into().map_err(|_| Failure::NoSuchAsynchronousRequest)?;
                let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
                if !answer.operation.and_then(|number| Operation::try_from(number).ok()).is_none_or(can_be_told) {
                    return Err(Failure::NoSuchAsynchronousRequest);
                }
                scope.draft.after(Effect::JobSettled(value));
                answer.unique_batch_item_id = mark.map(<[u8]>::to_vec);
                return Ok(answer.to_bytes(scope.version));
            }
            Polled::Pending { operation, .. } if !can_be_told(operation) => {
                return Err(Failure::NoSuchAsynchronousRequest);
            }
            Polled::Pending { operation, awaited } => {
                let patience = if awaited { PROCESS_PATIENCE } else { POLL_PATIENCE };
                if place.is_some() && timeout_at(begun + patience, ended).await.is_ok() {
                    continue;
                }
                let outcome = Outcome::Pending { asynchronous_correlation_value: value.to_vec() };
                let pending = ResponseItem {
                    operation: Some(operation.value()),
                    unique_batch_item_id: mark.map(<[u8]>::to_vec),
                    outcome,
                };
                return Ok(pending.to_bytes(scope.version));
            }
        }
    }
}
