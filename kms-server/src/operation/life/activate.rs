//! Activate: Pre-Active becomes Active, now. KMIP 1.4 §4.19.

use kmip::payload::{ActivateRequest, ActivateResponse};
use policy::lifecycle::Event;

use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ActivateRequest,
) -> Result<ActivateResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    lifecycle::require_life_cycle(&row)?;
    lifecycle::apply(&mut row, &Event::Activate)?;
    row.dates.activation = Some(scope.now_s);
    row.dates.last_change = scope.now_s;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(ActivateResponse { unique_identifier })
}
