//! Logout: a ticket is good no longer. KMIP 2.1 §6.1.31.

use super::empty::empty;
use super::ticket::Ticket;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// Which ticket.
    #[derive(Debug, PartialEq)]
    pub struct LogoutRequest {
        /// The ticket.
        required ticket: Ticket = Tag::TICKET,
    }
}

empty! {
    /// The ticket is void.
    pub struct LogoutResponse;
}
