//! Get: the object itself, opened in the HSM for this one answer. KMIP 1.4 §4.11, 2.1 §6.1.19.

use kmip::payload::{GetRequest, GetResponse};

use super::handing_out::{self, Wanted};
use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &GetRequest) -> Result<GetResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        return Err(Failure::Destroyed);
    }
    let wanted = Wanted {
        format: request.key_format_type,
        wrap_type: request.key_wrap_type,
        compression: request.key_compression_type,
        wrapping: request.key_wrapping_specification.as_deref(),
    };
    let object = handing_out::object(scope, &row, wanted).await?;
    // "Fresh" says that nobody has had the object yet. KMIP 1.4 §3.34.
    if row.fresh && attributes::is_cryptographic(row.object_type) {
        row.fresh = false;
        scope.draft.update(row.clone());
    }
    Ok(GetResponse { object_type: row.object_type, unique_identifier: identifier_text(row.id), object })
}
