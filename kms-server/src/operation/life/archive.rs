//! Archive: the object goes off-line until it is recovered. KMIP 1.4 §4.22, 2.1 §6.1.4.
//!
//! It stays where it is: what changes is that only its attributes can be read, and that Locate passes it over.

use kmip::payload::{ArchiveRequest, ArchiveResponse};

use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ArchiveRequest,
) -> Result<ArchiveResponse, Failure> {
    // One that is archived already is refused on the way here.
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        return Err(Failure::Destroyed);
    }
    row.dates.archive = Some(scope.now_s);
    row.dates.last_change = scope.now_s;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(ArchiveResponse { unique_identifier })
}
