//! What follows a commit: changes of what the node holds in memory. Until then they are nobody's business.

use keystore::{DomainRow, IdentityRow};

use crate::node::Node;
use crate::node::directory::Domain;
use crate::node::jobs::CorrelationValue;
use crate::node::tickets::{Held, TicketId};

/// One change in memory that waits for its commit.
#[derive(Debug)]
pub enum Effect {
    /// The domain has another row, which is this one.
    DomainChanged(Box<DomainRow>),
    /// The identity is registered, or has another row.
    IdentityChanged(Box<IdentityRow>),
    /// The answer of a job was given, or its operation cancelled.
    JobSettled(CorrelationValue),
    /// A ticket is in force.
    TicketIssued(TicketId, Box<Held>),
    /// A ticket is in force no longer.
    TicketEnded(TicketId),
}

/// Carries out what was waiting, in order.
pub fn carry_out(node: &Node, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::DomainChanged(row) => {
                match Domain::of(*row) {
                    Ok(domain) => node.directory.put_domain(domain),
                    // They could be read when the row was.
                    Err(error) => tracing::error!(%error, "the Domain Keys of a changed domain"),
                }
            }
            Effect::IdentityChanged(row) => node.directory.put_identity(*row),
            Effect::JobSettled(value) => node.jobs.settle(&value),
            Effect::TicketIssued(id, held) => node.tickets.issue(id, *held),
            Effect::TicketEnded(id) => node.tickets.end(&id),
        }
    }
}
