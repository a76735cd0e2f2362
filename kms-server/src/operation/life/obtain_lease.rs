//! Obtain Lease: for how long may a client go on with what it knows of an object? KMIP 1.4 §4.17, 2.1 §6.1.35.

use kmip::payload::{ObtainLeaseRequest, ObtainLeaseResponse};
use kmip::registry::State;
use kmip::ttlv::{DateTime, Interval};

use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ObtainLeaseRequest,
) -> Result<ObtainLeaseResponse, Failure> {
    let row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        return Err(Failure::Destroyed);
    }
    lifecycle::require_life_cycle(&row)?;
    // Whoever holds a compromised key is to hear of it as soon as the lease he has runs out.
    if row.state == State::Compromised {
        return Err(Failure::Denied("no lease on a compromised object"));
    }
    Ok(ObtainLeaseResponse {
        unique_identifier: identifier_text(row.id),
        lease_time: Interval(scope.node.offer.lease_s),
        last_change_date: DateTime(row.dates.last_change),
    })
}
