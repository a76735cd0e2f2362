//! What the operations on attributes share: choosing the instance that is meant, adding a value, replacing one.

use keystore::ObjectRow;
use kmip::attribute::{Attribute, AttributeValue};

use crate::attributes::{self, Place};
use crate::change;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::operation::making::birth;
use crate::scope::Scope;

/// Adds `value` to the row: the first value of the attribute, or one more.
///
/// # Errors
/// Why a client may not.
pub(super) async fn add(scope: &Scope<'_>, row: &mut ObjectRow, value: AttributeValue) -> Result<Attribute, Failure> {
    change::may_add(row, &value, scope.version, scope.now_s)?;
    if row.attributes.len() >= scope.node.limits.object_attributes {
        return Err(Failure::TooMany("attributes of the object"));
    }
    birth::refuse_taken_name(scope, &value, Some(row.id)).await?;
    // The object's own Name is taken too: by itself (case BL-M-8).
    if let AttributeValue::Name(name) = &value
        && row.names().any(|own| own == name.value)
    {
        return Err(Failure::NameTakenByOther);
    }
    let value = as_kept(value);
    Ok(match attributes::set_column(row, value.clone()) {
        Place::Column => Attribute::new(value),
        Place::List(value) => attributes::append(row, value),
    })
}

/// Gives the instance `old` of the row the value `new`.
///
/// # Errors
/// Why a client may not.
pub(super) async fn replace(
    scope: &Scope<'_>,
    row: &mut ObjectRow,
    old: &Attribute,
    new: AttributeValue,
) -> Result<(), Failure> {
    change::may_modify(row, Some(&old.value), &new, scope.version, scope.now_s)?;
    birth::refuse_taken_name(scope, &new, Some(row.id)).await?;
    if let Place::List(value) = attributes::set_column(row, as_kept(new)) {
        let index = old.index.unwrap_or(0);
        let place = row
            .attributes
            .iter_mut()
            .find(|one| one.value.name() == value.name() && one.index.unwrap_or(0) == index)
            .ok_or(Failure::AttributeInstanceNotFound)?;
        place.value = value;
    }
    Ok(())
}

/// Drafts the changed row, with what follows from the change, and names it.
///
/// # Errors
/// [`Failure::InvalidField`] where the dates would stand in the wrong order.
pub(super) fn finish(scope: &mut Scope<'_>, mut row: ObjectRow) -> Result<String, Failure> {
    change::finish(&mut row, scope.now_s)?;
    let unique_identifier = identifier_text(row.id);
    scope.draft.update(row);
    Ok(unique_identifier)
}

/// A client says how much may be used; how much is left is the server's to say. KMIP 1.4 §3.21.
fn as_kept(value: AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::UsageLimits(mut limits) => {
            limits.count = limits.total;
            AttributeValue::UsageLimits(limits)
        }
        other => other,
    }
}
