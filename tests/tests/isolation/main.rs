//! Another domain's object does not exist: the matrix operation × {own, foreign, absent} (bars I1, I3, P5).
//!
//! Every operation with a typed payload is asked about an object of the client's own, about one of another domain and
//! about none, in every version, by its identifier and through the ID Placeholder of a batch. `rows::aimed` matches over all
//! payloads, so an operation without a row does not compile.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod credentials;
mod kinds;
mod matrix;
mod objects;
mod requests;
mod rows;
mod secondary;
mod streams;
mod values;

use kmip::ProtocolVersion;
use kmip::message::{Credential, Outcome as Answer, RequestMessage, ResponseMessage};
use kmip::payload::RequestPayload;
use kmip::registry::{AsynchronousIndicator, ResultReason};
use system_tests::node::Connection;

/// A vendor attribute that every object here has.
pub(crate) const TAG: &str = "x-isolation";
/// Tag, type and length of a Time Stamp, the one thing in which two answers may differ.
pub(crate) const TIME_STAMP: [u8; 8] = [0x42, 0x00, 0x92, 0x09, 0, 0, 0, 8];

/// The bytes of an answer, the Time Stamp zeroed.
pub(crate) fn ask(client: &mut Connection, message: &RequestMessage) -> Vec<u8> {
    let mut answer = client.raw(&message.encode().unwrap()).unwrap();
    let at = answer.windows(TIME_STAMP.len()).position(|window| window == TIME_STAMP).unwrap() + TIME_STAMP.len();
    answer[at..at + 8].fill(0);
    answer
}

pub(crate) fn outcomes(answer: &[u8]) -> Vec<Answer> {
    ResponseMessage::decode(answer).unwrap().items.into_iter().map(|item| item.outcome).collect()
}

pub(crate) fn is_not_found(outcome: &Answer) -> bool {
    matches!(outcome, Answer::Failure { reason: ResultReason::ItemNotFound | ResultReason::ObjectNotFound, .. })
}

/// The outcome of one request, sent alone; `asynchronous` in its header.
pub(crate) fn answer_to(
    client: &mut Connection,
    version: ProtocolVersion,
    payload: impl Into<RequestPayload>,
    asynchronous: Option<AsynchronousIndicator>,
    credential: Option<Credential>,
) -> Answer {
    let mut message = RequestMessage::single(version, payload);
    message.header.asynchronous = asynchronous;
    message.header.authentication = credential.into_iter().collect();
    outcomes(&client.raw(&message.encode().unwrap()).unwrap()).pop().unwrap()
}

pub(crate) fn locates_nothing(outcome: &Answer) -> bool {
    use kmip::payload::ResponsePayload::Locate;
    matches!(outcome, Answer::Success(Locate(located)) if located.unique_identifiers.is_empty())
}
