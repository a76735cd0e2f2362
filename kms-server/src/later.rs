//! A message that is answered later: its pending answers at once, the work by whoever is free. KMIP 1.4 §6.7, 2.1 §9.2.
//!
//! In 1.x the client says that it takes such answers, and gets one wherever the answer may wait. In 2.x it may demand
//! one; who only allows it is answered at once, which spares him the asking. Nothing is put off without a record, and
//! nothing is worked on before its pending answer could leave.

use std::sync::Arc;

use kmip::message::{ItemPayload, Outcome, RequestMessage, ResponseItem, ResponseMessage};
use kmip::registry::{AsynchronousIndicator, BatchErrorContinuationOption as Continuation, Operation};
use zeroize::Zeroizing;

use crate::dispatch;
use crate::draft::Draft;
use crate::failure::Failure;
use crate::items;
use crate::limits::{JOB_ANSWER_BYTES, JOB_REQUEST_BYTES};
use crate::node::Node;
use crate::node::jobs::{self, CorrelationValue, Waiting, Work};
use crate::room::Room;
use crate::shell::shutdown::Stopping;

/// What became of a message that might have been put off.
pub(crate) enum PutOff {
    /// It is answered: pending, or refused.
    Answered(Zeroizing<Vec<u8>>),
    /// It is to be worked out at once.
    AtOnce(Box<Work>),
}

/// Whether the client takes an answer that comes later, and whether it takes no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    AtOnce,
    LaterIfPossible,
    Later,
}

fn wish(message: &RequestMessage) -> Wish {
    match message.header.asynchronous {
        Some(AsynchronousIndicator::Mandatory) => Wish::Later,
        Some(AsynchronousIndicator::Optional) if !message.header.version.is_2_x() => Wish::LaterIfPossible,
        Some(AsynchronousIndicator::Optional | AsynchronousIndicator::Prohibited) | None => Wish::AtOnce,
    }
}

/// Puts a message of `len` bytes off if its client wishes it and its answers may wait.
pub(crate) async fn put_off(node: &Node, work: Box<Work>, len: usize) -> PutOff {
    let wish = wish(&work.message);
    if wish == Wish::AtOnce {
        return PutOff::AtOnce(work);
    }
    let Some(operations) = operations(node, &work) else { return PutOff::AtOnce(work) };
    let any = |waiting| operations.iter().any(|operation| jobs::waiting(*operation) == waiting);
    if any(Waiting::Never) {
        return PutOff::AtOnce(work);
    }
    let obstacle: Option<fn() -> Failure> = if !node.offer.asynchronous {
        Some(|| Failure::UnsupportedFeature("no answer comes later here"))
    } else if work.message.items.iter().any(items::may_be_repeated) {
        Some(|| Failure::UnsupportedFeature("an answer that may be several does not wait"))
    } else if any(Waiting::Opened) {
        Some(|| Failure::UnsupportedFeature("answers that hold keys or plaintext do not wait"))
    } else if len > JOB_REQUEST_BYTES {
        Some(|| Failure::OverLimit("a message this long is not answered later"))
    } else {
        None
    };
    match obstacle {
        None => {}
        Some(failure) if wish == Wish::Later => {
            return PutOff::Answered(dispatch::refuse_every_item(node, &work.told, &work.message, failure).await);
        }
        Some(_) => return PutOff::AtOnce(work),
    }
    let values: Vec<(CorrelationValue, Operation)> =
        operations.into_iter().map(|operation| (uuid::Uuid::new_v4().into_bytes(), operation)).collect();
    let Some((answer, draft)) = pending(node, &work, &values) else { return PutOff::AtOnce(work) };
    let told = work.told.clone();
    let number = match node.jobs.reserve(work, &values, node.clock.now_us()) {
        Ok(number) => number,
        Err(work) if wish == Wish::Later => {
            return PutOff::Answered(dispatch::refuse_every_item(node, &told, &work.message, || Failure::Busy).await);
        }
        Err(work) => return PutOff::AtOnce(work),
    };
    match node.store.commit(draft.into_unit()).await {
        Ok(_) => {
            node.jobs.release(number);
            PutOff::Answered(answer)
        }
        Err(error) => {
            node.jobs.withdraw(number);
            PutOff::Answered(dispatch::unrecorded(&error))
        }
    }
}

/// The operations of the message; `None` if one of them would be refused unseen, which needs no later.
fn operations(node: &Node, work: &Work) -> Option<Vec<Operation>> {
    let message = &work.message;
    let policy = &dispatch::active(node, work.domain)?.row.policy;
    let is_offered = |operation| crate::operation::is_offered(operation, message.header.version, policy, &node.offer);
    message
        .items
        .iter()
        .map(|item| match (&item.payload, item.operation) {
            (ItemPayload::Typed(_), Ok(operation)) if is_offered(operation) => Some(operation),
            _ => None,
        })
        .collect()
}

/// The answer that says which values to ask with, and its records; `None` if the client has no room for it.
fn pending(node: &Node, work: &Work, values: &[(CorrelationValue, Operation)]) -> Option<(Zeroizing<Vec<u8>>, Draft)> {
    let message = &work.message;
    let version = message.header.version;
    let header = dispatch::header(node, version);
    let mut room =
        Room::for_answers(&header, message, Continuation::Continue, dispatch::response_budget(node, message))?;
    let (mut answers, mut draft) = (Vec::with_capacity(values.len()), Draft::default());
    for (item, (value, _)) in message.items.iter().zip(values) {
        let outcome = Outcome::Pending { asynchronous_correlation_value: value.to_vec() };
        let answer = dispatch::answer_to(item, outcome).to_bytes(version);
        if !room.take(&answer) {
            return None;
        }
        answers.push(answer);
        draft.keep_item(None, |_, _| {
            let record = work.told.success(node, dispatch::operation_name(item), None);
            audit::Record { detail: Some(format!("{}: pending", work.told.version)), ..record }
        });
    }
    Some((ResponseMessage::assemble(&header, &answers), draft))
}

/// Works on what was put off until told to stop. What it has begun it ends; the rest is lost with the process.
pub async fn run(node: Arc<Node>, mut stopping: Stopping) {
    loop {
        let taken = tokio::select! {
            taken = node.jobs.next() => taken,
            () = stopping.wait() => break,
        };
        let number = taken.number();
        let answers = answers(&node, &taken.work).await;
        node.jobs.end(number, answers, node.clock.now_s());
    }
}

/// The answers to the items of a message, as they would be if the client waited for them.
async fn answers(node: &Node, work: &Work) -> Vec<ResponseItem> {
    if work.message.items.is_empty() {
        // All of them were cancelled.
        return Vec::new();
    }
    let is_registered = node
        .directory
        .identity(&work.client)
        .is_some_and(|identity| identity.domain == work.domain && work.login.still_holds(&identity));
    let answer = if is_registered {
        let budget = dispatch::response_budget(node, &work.message).min(JOB_ANSWER_BYTES);
        dispatch::work_out(node, work, budget).await
    } else {
        let revoked = || Failure::Authentication("identity was revoked");
        dispatch::refuse_every_item(node, &work.told, &work.message, revoked).await
    };
    let refused = || {
        let answer = Failure::Internal("the answer cannot be kept").answer(work.message.header.version);
        let outcome = Outcome::failed(answer.reason, answer.message);
        ResponseItem { operation: None, unique_batch_item_id: None, outcome }
    };
    match ResponseMessage::decode(&answer) {
        Ok(message) => message.items,
        Err(error) => {
            // Nothing was written, or what was written is not to be read back: then nobody gets it.
            tracing::error!(%error, "an answer could not be kept");
            work.message.items.iter().map(|_| refused()).collect()
        }
    }
}
