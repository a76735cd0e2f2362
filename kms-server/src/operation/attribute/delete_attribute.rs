//! Delete Attribute: one instance goes. KMIP 1.4 §4.16.

use kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse};

use crate::attributes;
use crate::change;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &DeleteAttributeRequest,
) -> Result<DeleteAttributeResponse, Failure> {
    let index = request.attribute_index.unwrap_or(0);
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let there = attributes::instances(&row, scope.version, &request.attribute_name);
    change::may_delete(&row, &request.attribute_name, scope.version, scope.now_s)?;
    let doomed =
        there.into_iter().find(|one| one.index.unwrap_or(0) == index).ok_or(Failure::AttributeInstanceNotFound)?;
    let before = row.attributes.len();
    row.attributes.retain(|one| one.value.name() != request.attribute_name || one.index.unwrap_or(0) != index);
    if row.attributes.len() == before {
        return Err(Failure::ReadOnlyAttribute("kept by the server"));
    }
    change::finish(&mut row, scope.now_s)?;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(DeleteAttributeResponse { unique_identifier, attribute: Some(attributes::answered(doomed)) })
}
