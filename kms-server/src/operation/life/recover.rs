//! Recover: an archived object is on-line again. KMIP 1.4 §4.23, 2.1 §6.1.42.

use kmip::payload::{RecoverRequest, RecoverResponse};

use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RecoverRequest,
) -> Result<RecoverResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let unique_identifier = identifier_text(row.id);
    // What was never archived is on-line, which is all that was asked for; nothing changes then.
    if row.dates.archive.is_some() {
        // The Archive Date goes with the archive (KMIP 1.4 §3.32).
        row.dates.archive = None;
        row.dates.last_change = scope.now_s;
        scope.draft.update(row);
    }
    Ok(RecoverResponse { unique_identifier })
}
