//! Delegated Login: a ticket that lets its bearer do some of what the requester may. KMIP 2.1 §6.1.12.

use super::rights::Rights;
use super::ticket::{Ticket, TicketLifetime};
use crate::Tag;
use crate::attribute::UsageLimits;
use crate::wire::structure;

structure! {
    /// What the ticket shall be good for; the server may grant less.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DelegatedLoginRequest {
        /// How long.
        optional lease_time: TicketLifetime = Tag::LEASE_TIME,
        /// For how many requests.
        optional request_count: i32 = Tag::REQUEST_COUNT,
        /// For how many uses of keys.
        optional usage_limits: UsageLimits = Tag::USAGE_LIMITS,
        /// A request needs one of these rights.
        required rights: Rights = Tag::RIGHTS,
    }
}

structure! {
    /// The ticket.
    #[derive(Debug, PartialEq)]
    pub struct DelegatedLoginResponse {
        /// The ticket.
        required ticket: Ticket = Tag::TICKET,
    }
}
