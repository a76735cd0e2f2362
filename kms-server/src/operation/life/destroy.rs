//! Destroy: the key bytes go, what is known about the object stays. KMIP 1.4 §4.21, 2.1 §6.1.15.

use kmip::payload::{DestroyRequest, DestroyResponse};
use policy::lifecycle::Event;

use crate::attributes::is_cryptographic;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &DestroyRequest,
) -> Result<DestroyResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        // 2.x has a reason of its own for it; 1.x means the state (KMIP 1.4 §11.22).
        return Err(if scope.version.is_2_x() { Failure::Destroyed } else { Failure::WrongState });
    }
    if is_cryptographic(row.object_type) {
        lifecycle::apply(&mut row, &Event::Destroy)?;
    } else {
        lifecycle::destroy_stateless(&mut row);
    }
    row.sealed = None;
    row.dates.destroy = Some(scope.now_s);
    row.dates.last_change = scope.now_s;
    let unique_identifier = identifier_text(row.id);
    scope.draft.destroy(row);
    Ok(DestroyResponse { unique_identifier })
}
