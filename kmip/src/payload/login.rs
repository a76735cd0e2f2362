//! Login: a ticket for requests to come. KMIP 2.1 §6.1.30.

use super::ticket::{Ticket, TicketLifetime};
use crate::Tag;
use crate::attribute::UsageLimits;
use crate::wire::structure;

structure! {
    /// What the ticket shall be good for; the server may grant less.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct LoginRequest {
        /// How long.
        optional lease_time: TicketLifetime = Tag::LEASE_TIME,
        /// For how many requests.
        optional request_count: i32 = Tag::REQUEST_COUNT,
        /// For how many uses of keys.
        optional usage_limits: UsageLimits = Tag::USAGE_LIMITS,
    }
}

structure! {
    /// The ticket.
    #[derive(Debug, PartialEq)]
    pub struct LoginResponse {
        /// The ticket.
        required ticket: Ticket = Tag::TICKET,
    }
}
