//! How much room an answer has under the Maximum Response Size, kept so that a failure can always be told. KMIP 1.4 §6.3.

use kmip::ProtocolVersion;
use kmip::message::{Outcome, RequestItem, RequestMessage, ResponseHeader, ResponseItem, ResponseMessage};
use kmip::registry::BatchErrorContinuationOption as Continuation;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Room for the answers of one message, taken item by item.
///
/// What the items behind need to fail in is set aside: all of them where the batch continues after a failure, else the
/// next one, because the batch ends with it. An item that is undone needs no more than it needed when it succeeded.
#[derive(Debug)]
pub struct Room {
    /// Bytes left for items.
    left: usize,
    /// Bytes of each item's shortest failure, the last item's first.
    failures: Vec<usize>,
    /// Bytes of all of `failures`.
    set_aside: usize,
    continues: bool,
}

impl Room {
    /// Under `budget` bytes for header and items; `None` if not even failures fit.
    #[must_use]
    pub fn for_answers(
        header: &ResponseHeader,
        message: &RequestMessage,
        option: Continuation,
        budget: usize,
    ) -> Option<Self> {
        let version = message.header.version;
        let failures: Vec<usize> = message.items.iter().rev().map(|item| shortest_failure(item, version)).collect();
        let continues = option == Continuation::Continue;
        let room = Self {
            left: budget.checked_sub(ResponseMessage::assemble(header, &[]).len())?,
            set_aside: failures.iter().sum(),
            failures,
            continues,
        };
        // Before the first item, the first one is the next.
        (room.needed_behind() <= room.left).then_some(room)
    }

    /// Takes room for the next item's answer; `false`, and nothing taken, if there is not enough.
    pub fn take(&mut self, answer: &[u8]) -> bool {
        let own = self.failures.pop().unwrap_or(0);
        self.set_aside = self.set_aside.saturating_sub(own);
        match self.left.checked_sub(answer.len()) {
            Some(left) if self.needed_behind() <= left => {
                self.left = left;
                true
            }
            _ => {
                self.failures.push(own);
                self.set_aside = self.set_aside.saturating_add(own);
                false
            }
        }
    }

    /// Sets room aside for `more` items like this one behind it, which is the next; `false`, and nothing set aside, if
    /// there is not enough.
    pub fn make_for(&mut self, item: &RequestItem, more: usize, version: ProtocolVersion) -> bool {
        let each = shortest_failure(item, version);
        let needed = if self.continues { self.set_aside.saturating_add(each.saturating_mul(more)) } else { each };
        if needed > self.left {
            return false;
        }
        self.failures.extend(std::iter::repeat_n(each, more));
        self.set_aside = self.set_aside.saturating_add(each.saturating_mul(more));
        true
    }

    /// Takes room for the failure of the next item: as it is, or in its shortest form where that would be too long.
    pub fn take_failure(&mut self, answer: ResponseItem, version: ProtocolVersion) -> Zeroizing<Vec<u8>> {
        let bytes = answer.to_bytes(version);
        if self.take(&bytes) {
            return bytes;
        }
        let bytes = without_text(answer, version);
        self.take(&bytes);
        bytes
    }

    fn needed_behind(&self) -> usize {
        if self.continues { self.set_aside } else { self.failures.last().copied().unwrap_or(0) }
    }
}

/// The answer where not even the failures of all items fit: one failure of the message as a whole, and nothing that the
/// client wanted repeated. It may be longer than was allowed; shorter than this an answer cannot be.
#[must_use]
pub fn smallest_answer(header: ResponseHeader, answer: ResponseItem) -> Zeroizing<Vec<u8>> {
    let version = header.version;
    let answer = ResponseItem { operation: None, unique_batch_item_id: None, ..answer };
    ResponseMessage::assemble(&header, &[without_text(answer, version)])
}

/// A failure in its shortest form: status and reason.
fn without_text(answer: ResponseItem, version: ProtocolVersion) -> Zeroizing<Vec<u8>> {
    let reason = match answer.outcome {
        Outcome::Failure { reason, .. } => reason,
        _ => Failure::ResponseTooLarge.answer(version).reason,
    };
    ResponseItem { outcome: Outcome::failed(reason, ""), ..answer }.to_bytes(version)
}

/// Bytes of a failure without a text.
fn shortest_failure(item: &RequestItem, version: ProtocolVersion) -> usize {
    let answer = ResponseItem {
        operation: item.operation_code(),
        unique_batch_item_id: item.unique_batch_item_id.clone(),
        outcome: Outcome::failed(Failure::ResponseTooLarge.answer(version).reason, ""),
    };
    answer.to_bytes(version).len()
}

#[cfg(test)]
mod tests {
    use kmip::payload::GetRequest;
    use kmip::ttlv::DateTime;

    use super::*;

    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

    fn message(items: usize) -> RequestMessage {
        RequestMessage::batch(V1_4, (0..items).map(|_| GetRequest::default().into()))
    }

    fn room(items: usize, option: Continuation, budget: usize) -> Option<Room> {
        Room::for_answers(&ResponseHeader::new(V1_4, DateTime(0)), &message(items), option, budget)
    }

    fn empty() -> usize {
        ResponseMessage::assemble(&ResponseHeader::new(V1_4, DateTime(0)), &[]).len()
    }

    fn failure() -> usize {
        shortest_failure(&message(1).items[0], V1_4)
    }

    #[test]
    fn failures_of_all_items_are_set_aside_where_the_batch_continues() {
        let enough = empty() + 3 * failure();
        assert!(room(3, Continuation::Continue, enough).is_some());
        assert!(room(3, Continuation::Continue, enough - 1).is_none());
        assert!(room(3, Continuation::Stop, enough - 1).is_some());
        assert!(room(3, Continuation::Stop, empty() + failure() - 1).is_none());
    }

    #[test]
    fn an_answer_does_not_take_what_others_need_to_fail_in() {
        let mut tight = room(2, Continuation::Stop, empty() + 2 * failure()).unwrap();
        assert!(!tight.take(&vec![0; failure() + 1]));
        assert!(tight.take(&vec![0; failure()]));
        assert!(!tight.take(&vec![0; failure() + 1]), "the last one has what was set aside, and no more");
        assert!(tight.take(&vec![0; failure()]));
    }

    #[test]
    fn an_item_that_is_several_needs_room_for_the_failure_of_each() {
        let item = &message(1).items[0];
        let mut tight = room(1, Continuation::Continue, empty() + 3 * failure()).unwrap();
        assert!(!tight.make_for(item, 3, V1_4));
        assert!(tight.make_for(item, 2, V1_4));
        assert!(!tight.take(&vec![0; failure() + 1]));
        for _ in 0..3 {
            assert!(tight.take(&vec![0; failure()]));
        }
        // Where a failure ends the batch, one is enough.
        assert!(room(1, Continuation::Stop, empty() + failure()).unwrap().make_for(item, 3, V1_4));
    }

    #[test]
    fn a_failure_loses_its_text_before_it_gets_too_long() {
        let mut tight = room(1, Continuation::Stop, empty() + failure()).unwrap();
        let item = &message(1).items[0];
        let answer = ResponseItem {
            operation: item.operation_code(),
            unique_batch_item_id: item.unique_batch_item_id.clone(),
            outcome: Outcome::failed(Failure::NotFound.answer(V1_4).reason, "no such object"),
        };
        let bytes = tight.take_failure(answer, V1_4);
        assert_eq!(bytes.len(), failure());
    }
}
