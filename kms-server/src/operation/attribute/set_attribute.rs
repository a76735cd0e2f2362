//! Set Attribute: the one value that an attribute has from now on. KMIP 2.1 §6.1.51.

use kmip::payload::{SetAttributeRequest, SetAttributeResponse};

use super::assigning;
use crate::about;
use crate::attributes;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &SetAttributeRequest,
) -> Result<SetAttributeResponse, Failure> {
    let new = request.attribute.value.clone();
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    scope.note = about::note_of(&new);
    match attributes::instances(&row, scope.view(), new.name()).as_slice() {
        [] => {
            assigning::add(scope, &mut row, new).await?;
        }
        [only] => assigning::replace(scope, &mut row, only, new).await?,
        _ => return Err(Failure::MultiValued),
    }
    Ok(SetAttributeResponse { unique_identifier: assigning::finish(scope, row)? })
}
