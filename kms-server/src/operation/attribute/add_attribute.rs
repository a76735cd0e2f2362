//! Add Attribute: a value that was not there. KMIP 1.4 §4.14, 2.1 §6.1.2.

use kmip::payload::{AddAttributeRequest, AddAttributeResponse};

use super::assigning;
use crate::about;
use crate::attributes;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &AddAttributeRequest,
) -> Result<AddAttributeResponse, Failure> {
    if request.attribute.index.is_some() {
        return Err(Failure::InvalidField("attribute index is the server's to give"));
    }
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let added = assigning::add(scope, &mut row, request.attribute.value.clone()).await?;
    scope.note = about::note_of(&added.value);
    let unique_identifier = assigning::finish(scope, row)?;
    Ok(AddAttributeResponse { unique_identifier, attribute: Some(attributes::answered(added)) })
}
