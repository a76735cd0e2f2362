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
