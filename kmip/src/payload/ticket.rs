//! Ticket: what a client shows in place of its credentials. KMIP 2.1 §7.39.

use secret::Secret;

use crate::Tag;
use crate::registry::TicketType;
use crate::ttlv::{DateTime, DecodeError, Interval, Item, ItemType, Wire, Writer};
use crate::wire::structure;

structure! {
    /// Ticket. Whoever has it is let in, so its value is a secret.
    #[derive(Debug, PartialEq)]
    pub struct Ticket {
        /// What it is good for.
        required ticket_type: TicketType = Tag::TICKET_TYPE,
        /// The value, chosen by the server.
        required ticket_value: Secret = Tag::TICKET_VALUE,
    }
}

/// How long a ticket shall be good. KMIP 2.1 §6.1.30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketLifetime {
    /// For some time from now.
    For(Interval),
    /// Until a moment.
    Until(DateTime),
}

impl Wire for TicketLifetime {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        match self {
            Self::For(time) => time.encode(tag, w),
            Self::Until(date) => date.encode(tag, w),
        }
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        match item.item_type {
            ItemType::DateTime => DateTime::decode(item).map(Self::Until),
            _ => Interval::decode(item).map(Self::For),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::payload::LoginRequest;
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::ttlv::DecodeErrorKind;

    #[test]
    fn a_lifetime_is_a_time_or_a_date() {
        for lifetime in [TicketLifetime::For(Interval(60)), TicketLifetime::Until(DateTime(1))] {
            let request = LoginRequest { lease_time: Some(lifetime), ..LoginRequest::default() };
            assert_eq!(round_trip(&request, ProtocolVersion::V2_1).unwrap().0, request);
        }
        let refused = read_fields::<LoginRequest>(ProtocolVersion::V2_1, |w| w.integer(Tag::LEASE_TIME, 60));
        assert!(matches!(refused.unwrap_err().kind, DecodeErrorKind::WrongType { expected: ItemType::Interval, .. }));
    }

    #[test]
    fn debug_does_not_show_the_ticket() {
        let ticket = Ticket { ticket_type: TicketType::Login, ticket_value: Secret::copy_from(b"marker") };
        assert_eq!(format!("{ticket:?}"), "Ticket { ticket_type: Login, ticket_value: Secret(6 bytes) }");
    }
}
