//! Delete Attribute: an instance goes, or all of them. KMIP 1.4 §4.16, 2.1 §6.1.13.
//!
//! 1.x says which instance by its index; 2.x by its value, and without one means all.

use kmip::attribute::Attribute;
use kmip::payload::{DeleteAttributeRequest, DeleteAttributeResponse};

use super::assigning;
use crate::attributes;
use crate::change;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &DeleteAttributeRequest,
) -> Result<DeleteAttributeResponse, Failure> {
    let name = request.attribute_name.as_str();
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let there = attributes::instances(&row, scope.view(), name);
    change::may_delete(&row, name, scope.version, scope.now_s)?;
    if there.is_empty() && scope.version.is_2_x() {
        return Err(Failure::AttributeNotSet);
    }
    let is_doomed = |one: &Attribute| match (&request.current_attribute, scope.version.is_2_x()) {
        (Some(current), _) => one.value == current.value,
        (None, true) => true,
        (None, false) => one.index.unwrap_or(0) == request.attribute_index.unwrap_or(0),
    };
    let first = there.into_iter().find(|one| is_doomed(one)).ok_or(Failure::AttributeInstanceNotFound)?;
    let before = row.attributes.len();
    row.attributes.retain(|one| one.value.name() != name || !is_doomed(one));
    if row.attributes.len() == before {
        return Err(Failure::ReadOnlyAttribute("kept by the server"));
    }
    let unique_identifier = assigning::finish(scope, row)?;
    Ok(DeleteAttributeResponse { unique_identifier, attribute: Some(attributes::answered(first)) })
}
