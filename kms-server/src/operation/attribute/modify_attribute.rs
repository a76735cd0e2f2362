//! Modify Attribute: another value for an instance that is there. KMIP 1.4 §4.15, 2.1 §6.1.34.
//!
//! 1.x says which instance by its index, 2.x by its value.

use kmip::attribute::Attribute;
use kmip::payload::{ModifyAttributeRequest, ModifyAttributeResponse};

use super::assigning;
use crate::about;
use crate::attributes;
use crate::change;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ModifyAttributeRequest,
) -> Result<ModifyAttributeResponse, Failure> {
    let new = &request.attribute;
    let current = request.current_attribute.as_ref();
    if current.is_some_and(|current| current.name() != new.name()) {
        return Err(Failure::InvalidField("current and new attribute are not the same attribute"));
    }
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    let there = attributes::instances(&row, scope.view(), new.name());
    // An attribute without any instance was never set; one without *this* instance lacks the instance. That it may not
    // be modified at all is said before either.
    let of_it = there.first().map(|one| &one.value);
    change::may_modify(&row, of_it, &new.value, scope.version, scope.now_s)?;
    let meant = meant(request, &there).ok_or(Failure::AttributeInstanceNotFound)?;
    assigning::replace(scope, &mut row, meant, new.value.clone()).await?;
    let changed = Attribute { index: Some(meant.index.unwrap_or(0)), value: new.value.clone() };
    scope.note = about::note_of(&new.value);
    let unique_identifier = assigning::finish(scope, row)?;
    Ok(ModifyAttributeResponse { unique_identifier, attribute: Some(attributes::answered(changed)) })
}

/// The instance that the request means: the one with its value; the one with its index; in 2.x without a value the
/// only one.
fn meant<'a>(request: &ModifyAttributeRequest, there: &'a [Attribute]) -> Option<&'a Attribute> {
    match (&request.current_attribute, request.attribute.index, there) {
        (Some(current), _, _) => there.iter().find(|one| one.value == current.value),
        (None, Some(index), _) => there.iter().find(|one| one.index.unwrap_or(0) == index),
        (None, None, [only]) => Some(only),
        // A request of 1.x without an index means the first; 2.x has no indexes, and does not say which.
        (None, None, several) => several.iter().find(|one| one.index == Some(0)),
    }
}
