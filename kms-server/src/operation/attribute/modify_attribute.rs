//! Modify Attribute: another value for an instance that is there. KMIP 1.4 §4.15.

use kmip::payload::{ModifyAttributeRequest, ModifyAttributeResponse};

use crate::attributes::{self, Place};
use crate::change;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::operation::making::birth;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ModifyAttributeRequest,
) -> Result<ModifyAttributeResponse, Failure> {
    let mut attribute = request.attribute.clone();
    let index = attribute.index.unwrap_or(0);
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let there = attributes::instances(&row, scope.version, attribute.value.name());
    let instance = there.iter().find(|one| one.index.unwrap_or(0) == index);
    // An attribute without any instance was never set; one without *this* instance lacks the instance.
    let old = instance.or(there.first()).map(|one| &one.value);
    change::may_modify(&row, old, &attribute.value, scope.version, scope.now_s)?;
    if instance.is_none() {
        return Err(Failure::AttributeInstanceNotFound);
    }
    birth::refuse_taken_name(scope, &attribute.value, Some(row.id)).await?;
    attribute.index = Some(index);
    if let Place::List(value) = attributes::set_column(&mut row, attribute.value.clone()) {
        let name = value.name().to_owned();
        let place = row.attributes.iter_mut().find(|one| one.value.name() == name && one.index.unwrap_or(0) == index);
        place.ok_or(Failure::AttributeInstanceNotFound)?.value = value;
    }
    change::finish(&mut row, scope.now_s)?;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(ModifyAttributeResponse { unique_identifier, attribute: Some(attributes::answered(attribute)) })
}
