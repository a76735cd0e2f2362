//! Links between objects, kept on both sides. KMIP 1.4 §3.35.

use keystore::{ObjectId, ObjectRow};
use kmip::attribute::{AttributeValue, Identifier, Link};
use kmip::registry::LinkType;

use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// A link to the object `id`.
pub(super) fn to(link_type: LinkType, id: ObjectId) -> AttributeValue {
    AttributeValue::Link(Link { link_type, linked_object_identifier: identifier_text(id).into() })
}

/// The first object of the domain that `row` says it is linked to in this way.
pub(super) fn linked(row: &ObjectRow, link_type: LinkType) -> Option<Identifier> {
    row.attributes.iter().find_map(|one| match &one.value {
        AttributeValue::Link(link) if link.link_type == link_type => Some(link.linked_object_identifier.clone()),
        _ => None,
    })
}

/// Adds a link to an object that is there already.
///
/// # Errors
/// [`Failure::TooMany`]: each object has so many attributes and no more.
pub(super) fn add(scope: &Scope<'_>, row: &mut ObjectRow, link_type: LinkType, id: ObjectId) -> Result<(), Failure> {
    if row.attributes.len() >= scope.node.limits.object_attributes {
        return Err(Failure::TooMany("attributes of the object"));
    }
    attributes::append(row, to(link_type, id));
    row.dates.last_change = scope.now_s;
    Ok(())
}

/// Lets the one link of this type lead to another object; adds it where there is none.
///
/// # Errors
/// As [`add`].
pub(super) fn redirect(
    scope: &Scope<'_>,
    row: &mut ObjectRow,
    link_type: LinkType,
    id: ObjectId,
) -> Result<(), Failure> {
    let place = row.attributes.iter_mut().find_map(|one| match &mut one.value {
        AttributeValue::Link(link) if link.link_type == link_type => Some(&mut link.linked_object_identifier),
        _ => None,
    });
    match place {
        Some(place) => *place = identifier_text(id).into(),
        None => return add(scope, row, link_type, id),
    }
    row.dates.last_change = scope.now_s;
    Ok(())
}
