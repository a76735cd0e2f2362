//! How a ticket comes into being: the same steps for Login and Delegated Login.

use kmip::attribute::UsageLimits;
use kmip::payload::{Ticket, TicketLifetime};
use kmip::registry::{TicketType, UsageLimitsUnit};

use crate::effect::Effect;
use crate::failure::Failure;
use crate::limits::{TICKET_BYTES, TICKET_LIFETIME_S};
use crate::node::tickets::{self, Held, HeldRight};
use crate::scope::Scope;

/// What a client asks of a ticket. The server grants it, up to its own limit of time.
pub(super) struct Wanted<'a> {
    pub(super) lifetime: Option<TicketLifetime>,
    pub(super) requests: Option<i32>,
    pub(super) usage_limits: Option<&'a UsageLimits>,
    /// Absent for a ticket that is as good as the client itself, and for it alone.
    pub(super) rights: Option<Vec<HeldRight>>,
}

/// Makes a ticket that is in force once its record is durable.
pub(super) async fn grant(scope: &mut Scope<'_>, wanted: Wanted<'_>) -> Result<Ticket, Failure> {
    let now_s = scope.node.clock.now_s();
    let domain = scope.domain.row.id;
    scope.node.tickets.require_room(domain, now_s)?;
    let longest = now_s.saturating_add(TICKET_LIFETIME_S);
    let ends_at_s = match wanted.lifetime {
        // As for leases, no time means that there is no limit but the server's.
        None => longest,
        Some(TicketLifetime::For(time)) if time.0 == 0 => longest,
        Some(TicketLifetime::For(time)) => now_s.saturating_add(i64::from(time.0)).min(longest),
        Some(TicketLifetime::Until(date)) if date.0 <= now_s => {
            return Err(Failure::InvalidField("the ticket would have ended already"));
        }
        Some(TicketLifetime::Until(date)) => date.0.min(longest),
    };
    if wanted.requests.is_some_and(|count| count <= 0) {
        return Err(Failure::InvalidField("a ticket for no request"));
    }
    let held = Held {
        domain,
        giver: scope.client,
        personal: wanted.rights.is_none(),
        ends_at_s,
        requests_left: wanted.requests,
        uses_left: uses(wanted.usage_limits)?,
        rights: wanted.rights,
    };
    let value = scope.node.hsm.random(TICKET_BYTES).await?;
    let id = tickets::id_of(value.expose());
    scope.note = Some(format!("ticket {}, good until {ends_at_s}", hex::encode(&id[..4])));
    scope.draft.after(Effect::TicketIssued(id, Box::new(held)));
    Ok(Ticket { ticket_type: TicketType::Login, ticket_value: value })
}

/// How many operations usage limits allow. Bytes cannot be counted before an operation is done.
pub(super) fn uses(limits: Option<&UsageLimits>) -> Result<Option<i64>, Failure> {
    let Some(limits) = limits else { return Ok(None) };
    if limits.unit == Some(UsageLimitsUnit::Byte) {
        return Err(Failure::UnsupportedFeature("usage limits of a ticket in bytes"));
    }
    match limits.count.or(limits.total) {
        Some(uses @ 1..) => Ok(Some(uses)),
        Some(_) => Err(Failure::InvalidField("usage limits of a ticket")),
        None => Ok(None),
    }
}
