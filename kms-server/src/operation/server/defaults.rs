//! Set Defaults: the attributes of new objects of the domain where a client gives none. KMIP 2.1 §6.1.53, §7.22.

use keystore::{DomainRow, ObjectRow};
use kmip::Tag;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::payload::{DefaultsFor, DefaultsInformation, SetDefaultsRequest, SetDefaultsResponse};

use super::rules;
use crate::failure::Failure;
use crate::scope::Scope;

/// Set Defaults.
pub(in crate::operation) fn set(
    scope: &mut Scope<'_>,
    request: &SetDefaultsRequest,
) -> Result<SetDefaultsResponse, Failure> {
    let wanted = request.defaults_information.as_ref().filter(|wanted| !wanted.object_defaults.is_empty());
    let defaults = wanted.map(|wanted| rules::keep(Tag::DEFAULTS_INFORMATION, wanted)).transpose()?;
    scope.note = Some(format!("defaults of {} kinds", wanted.map_or(0, |wanted| wanted.object_defaults.len())));
    let row = DomainRow { defaults, ..scope.domain_row().clone() };
    scope.draft.update_domain(row);
    Ok(SetDefaultsResponse)
}

/// The defaults in force.
pub(in crate::operation) fn in_force(scope: &Scope<'_>) -> Result<DefaultsInformation, Failure> {
    rules::kept(scope.domain_row().defaults.as_deref())
}

/// Gives a new object what its client left out. What the Key Block of a registered key says was not left out.
pub(in crate::operation) fn apply(
    scope: &Scope<'_>,
    row: &ObjectRow,
    wanted: &mut Vec<Attribute>,
) -> Result<(), Failure> {
    let given = wanted.len();
    for defaults in in_force(scope)?.object_defaults {
        let is_for_type = match &defaults.object_types {
            DefaultsFor::One(object_type) => *object_type == row.object_type,
            DefaultsFor::Several(types) => rules::names_type(Some(types), row.object_type),
        };
        let groups = wanted.iter().take(given).filter_map(|one| match &one.value {
            AttributeValue::ObjectGroup(group) => Some(group.as_str()),
            _ => None,
        });
        if !is_for_type || !rules::names_group(defaults.object_groups.as_deref(), groups) {
            continue;
        }
        for attribute in defaults.attributes() {
            let is_known = match attribute.value {
                AttributeValue::CryptographicAlgorithm(_) => row.algorithm.is_some(),
                AttributeValue::CryptographicLength(_) => row.length.is_some(),
                _ => false,
            };
            if !is_known && !wanted.iter().any(|one| one.value.name() == attribute.value.name()) {
                wanted.push(attribute.clone());
            }
        }
    }
    Ok(())
}
