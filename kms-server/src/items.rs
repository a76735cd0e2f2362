//! The items of a message, in order: each is run, answered and recorded, and where one means several objects, it is as
//! many items. KMIP 1.4 §4, 2.1 §8.3, §11.58.
//!
//! The specification says that an operation is repeated for each of several objects that a name refers to, and not how it
//! is answered; a later draft says: as separate batch items. So each repetition has an answer of its own with the mark of
//! the item, and a record of its own, and Stop, Continue and Undo see it as an item (docs/decisions/0031).

use std::sync::Arc;

use audit::limits::MAX_DETAIL_LEN;
use audit::{Record, bounded_text};
use kmip::ProtocolVersion;
use kmip::message::{ItemPayload, Outcome, RequestItem, RequestMessage, ResponseHeader, ResponseMessage};
use kmip::payload::{RequestPayload, ResponsePayload};
use kmip::registry::BatchErrorContinuationOption as Continuation;
use kmip::registry::UniqueIdentifierPlaceholder as Place;
use kmip::ttlv::DateTime;
use zeroize::Zeroizing;

use crate::dispatch::{answer_to, failed_item, header, operation_name};
use crate::failure::Failure;
use crate::node::jobs::{self, Waiting};
use crate::node::sealing::identifier_text;
use crate::node::tickets::Permit;
use crate::operation;
use crate::results::{Returned, withhold_data};
use crate::room::{self, Room};
use crate::scope::Scope;

/// Runs the items in order and builds the answer. What they change is in the scope's draft.
pub(crate) async fn run(
    scope: &mut Scope<'_>,
    message: &RequestMessage,
    permits: &[Permit],
    budget: usize,
) -> Zeroizing<Vec<u8>> {
    let option = message.header.batch_error_continuation.unwrap_or(Continuation::Stop);
    let header = header(scope.node, scope.version);
    let Some(mut room) = Room::for_answers(&header, message, option, budget) else {
        let (answer, record) =
            failed_item(scope.node, &scope.told, scope.version, None, None, Failure::ResponseTooLarge);
        scope.draft.drop_item(record);
        return room::smallest_answer(header, answer);
    };
    let mut answers = Answers::default();
    let mut failed = false;
    for (number, item) in message.items.iter().enumerate() {
        scope.permit = permits.get(number).cloned().unwrap_or_else(|| Permit::Within(Arc::from([])));
        let behind = message.items.len() - number;
        match repetitions(scope, item, answers.of_items.len() + behind, &mut room) {
            Ok(None) => failed |= answers.take(number, answer(scope, item, &mut room).await),
            Ok(Some(each)) => {
                for one in &each {
                    failed |= answers.take(number, answer(scope, one, &mut room).await);
                    if failed && option != Continuation::Continue {
                        break;
                    }
                }
            }
            Err(failure) => failed |= answers.take(number, (failure_of(scope, item, failure, &mut room), true)),
        }
        if failed && option != Continuation::Continue {
            break;
        }
    }
    if failed && option == Continuation::Undo {
        undo(scope, message, &mut answers);
    }
    ResponseMessage::assemble(&header, &answers.encoded)
}

/// What was answered so far.
#[derive(Default)]
struct Answers {
    encoded: Vec<Zeroizing<Vec<u8>>>,
    /// The number of the item that each answers.
    of_items: Vec<usize>,
}

impl Answers {
    /// Takes an answer; gives whether it is a failure.
    fn take(&mut self, number: usize, (encoded, is_failure): (Zeroizing<Vec<u8>>, bool)) -> bool {
        self.encoded.push(encoded);
        self.of_items.push(number);
        is_failure
    }
}

/// Whether the name of the item's object may mean several, as far as that can be known before the batch is run.
pub(crate) fn may_be_repeated(item: &RequestItem) -> bool {
    let ItemPayload::Typed(payload) = &item.payload else { return false };
    let several = [Place::CreateKeyPair, Place::CreateSplitKey, Place::Locate, Place::ReKeyKeyPair];
    matches!(payload.identifier(), Some(kmip::payload::Identifier::Placeholder(place)) if several.contains(place))
}

/// The items that an item stands for, whose object's name means several; `None` where it is one item. `answers` are those
/// that the message has in any case.
fn repetitions(
    scope: &Scope<'_>,
    item: &RequestItem,
    answers: usize,
    room: &mut Room,
) -> Result<Option<Vec<RequestItem>>, Failure> {
    let ItemPayload::Typed(payload) = &item.payload else { return Ok(None) };
    let several = payload.identifier().map(|named| scope.several(named)).unwrap_or_default();
    let Some(more) = several.len().checked_sub(1) else { return Ok(None) };
    if answers.saturating_add(more) > scope.node.limits.batch_items {
        return Err(Failure::OverLimit("an operation on more objects than a batch has items"));
    }
    if !room.make_for(item, more, scope.version) {
        return Err(Failure::ResponseTooLarge);
    }
    let each = several.iter().map(|id| item.about(&identifier_text(*id), scope.version));
    each.collect::<Option<_>>().map(Some).ok_or(Failure::Internal("an item that cannot be repeated"))
}

/// Runs one item. Gives its answer, and whether that is a failure.
async fn answer(scope: &mut Scope<'_>, item: &RequestItem, room: &mut Room) -> (Zeroizing<Vec<u8>>, bool) {
    scope.object = None;
    scope.note = None;
    let answer = run_item(scope, item).await.and_then(|done| {
        let (answer, returned) = match done {
            Done::Payload(mut payload) => {
                let returned = Returned::from(&payload);
                if item.ephemeral == Some(true) {
                    withhold_data(&mut payload);
                }
                (answer_to(item, Outcome::Success(payload)).to_bytes(scope.version), Some(returned))
            }
            Done::Item(answer) => (answer, None),
        };
        if room.take(&answer) { Ok((answer, returned)) } else { Err(Failure::ResponseTooLarge) }
    });
    match answer {
        Ok((answer, returned)) => {
            #[cfg(feature = "fault")]
            crate::node::fault::note_answered(item.operation.ok(), scope.version);
            if let Some(returned) = returned {
                scope.results.remember(returned);
            }
            let (node, told, note) = (scope.node, &scope.told, scope.note.take());
            let name = operation_name(item);
            scope.draft.keep_item(scope.object, |object, changes| match &note {
                Some(note) => {
                    let detail = bounded_text(&format!("{}: {note}", told.version), MAX_DETAIL_LEN);
                    Record { detail: Some(detail), ..told.success(node, name, object) }
                }
                None => told.change(node, name, object, changes),
            });
            (answer, false)
        }
        Err(failure) => (failure_of(scope, item, failure, room), true),
    }
}

/// The answer to an item that failed. It leaves its record, and no object for those behind it.
fn failure_of(scope: &mut Scope<'_>, item: &RequestItem, failure: Failure, room: &mut Room) -> Zeroizing<Vec<u8>> {
    let (answer, record) = failed_item(scope.node, &scope.told, scope.version, Some(item), scope.object, failure);
    scope.draft.drop_item(record);
    scope.placeholder = None;
    room.take_failure(answer, scope.version)
}

/// All or nothing: what had succeeded is taken back before it ever happened. KMIP 1.4 §6.13.
fn undo(scope: &mut Scope<'_>, message: &RequestMessage, answers: &mut Answers) {
    // The last answer is the failure that ended the batch.
    let Some((_, succeeded)) = answers.encoded.split_last_mut() else { return };
    for (answer, number) in succeeded.iter_mut().zip(&answers.of_items) {
        let Some(item) = message.items.get(*number) else { continue };
        // A Poll had the answer of another operation, which nobody would take for its own.
        let told = told_before(answer, scope.version).filter(|payload| item.operation == Ok(payload.operation()));
        *answer = answer_to(item, Outcome::Undone(told)).to_bytes(scope.version);
    }
    scope.draft.undo_all(|record| {
        if record.outcome == audit::Outcome::Success {
            record.outcome = audit::Outcome::Undone;
            record.reason = Some("batch undone".to_owned());
        }
    });
}

/// The payload that goes with an undone answer: in 2.x the one it had, unless it hands something out that then would
/// have left without ever having been asked for.
fn told_before(answer: &Zeroizing<Vec<u8>>, version: ProtocolVersion) -> Option<ResponsePayload> {
    if !version.is_2_x() {
        return None;
    }
    let alone = ResponseMessage::assemble(&ResponseHeader::new(version, DateTime(0)), std::slice::from_ref(answer));
    match ResponseMessage::decode(&alone).ok()?.items.pop()?.outcome {
        Outcome::Success(payload) if jobs::waiting(payload.operation()) == Waiting::Allowed => Some(payload),
        _ => None,
    }
}

/// What an item that succeeded is answered with.
#[expect(clippy::large_enum_variant, reason = "payloads are the rule, and there is one at a time")]
enum Done {
    /// A payload of its operation.
    Payload(ResponsePayload),
    /// A whole item: that of another operation, which was polled.
    Item(Zeroizing<Vec<u8>>),
}

async fn run_item(scope: &mut Scope<'_>, item: &RequestItem) -> Result<Done, Failure> {
    let Ok(operation) = item.operation else { return Err(Failure::UnsupportedOperation) };
    if item.message_extensions.iter().any(|extension| extension.criticality_indicator) {
        return Err(Failure::UnsupportedFeature("critical message extension"));
    }
    if !operation::is_offered(operation, scope.version, &scope.domain.row.policy, &scope.node.offer) {
        return Err(Failure::UnsupportedOperation);
    }
    if let Permit::Within(reaches) = &scope.permit
        && !reaches.iter().any(|reach| reach.is_everywhere() || policy::access::is_about_an_object(operation))
    {
        return Err(Failure::Denied("the ticket does not permit the operation"));
    }
    if !scope.login.permits(operation) {
        return Err(Failure::Denied("the login does not permit the operation"));
    }
    scope.operation = operation;
    match &item.payload {
        ItemPayload::Typed(RequestPayload::Poll(request)) => {
            operation::poll(scope, request, item.unique_batch_item_id.as_deref()).await.map(Done::Item)
        }
        ItemPayload::Typed(request) => operation::run(scope, request).await.map(Done::Payload),
        ItemPayload::Unsupported => Err(Failure::UnsupportedOperation),
        ItemPayload::Malformed(error) => Err(Failure::Malformed(*error)),
    }
}
