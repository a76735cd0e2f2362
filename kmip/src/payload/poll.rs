//! Poll: has an asynchronous operation ended? KMIP 1.4 §4.28.

use crate::Tag;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::structure;

structure! {
    /// Which operation.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PollRequest {
        /// The value that its pending answer gave.
        required asynchronous_correlation_value: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    }
}

/// There is none: the answer to a Poll is the answer to the operation that was polled, under that operation's own
/// name, or one that says it is still pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollResponse {}

impl Wire for PollResponse {
    fn encode(&self, _tag: Tag, _w: &mut Writer) {
        match *self {}
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let why = "is Poll, which has no answer of its own";
        Err(item.error(DecodeErrorKind::Invalid { tag: Tag::OPERATION, why }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::payload::round_trip::read_fields;

    #[test]
    fn an_answer_under_the_name_of_poll_is_refused() {
        let refused = read_fields::<PollResponse>(ProtocolVersion::V1_4, |_| {}).unwrap_err();
        assert_eq!(refused.to_string(), "Operation is Poll, which has no answer of its own at byte 0");
    }
}
