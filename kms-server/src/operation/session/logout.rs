//! Logout: a ticket is good no longer. KMIP 2.1 §6.1.31.

use kmip::payload::{LogoutRequest, LogoutResponse};

use crate::effect::Effect;
use crate::failure::Failure;
use crate::node::tickets;
use crate::scope::Scope;

pub(in crate::operation) fn run(scope: &mut Scope<'_>, request: &LogoutRequest) -> Result<LogoutResponse, Failure> {
    let id = tickets::id_of(request.ticket.ticket_value.expose());
    // Whoever may show it may end it.
    if !scope.node.tickets.is_held(&id, scope.domain.row.id, scope.client, scope.node.clock.now_s()) {
        return Err(Failure::NoSuchTicket);
    }
    scope.note = Some(format!("ticket {}", hex::encode(&id[..4])));
    scope.draft.after(Effect::TicketEnded(id));
    Ok(LogoutResponse)
}
