//! Get and Set Constraints: what new objects of the domain have to be. KMIP 2.1 §6.1.22, §6.1.52, §7.6.
//!
//! A constraint is for objects of its types in its groups. Those that name a group go before those that name none: they
//! are the exceptions. Of several that are left an object has to meet one.

use keystore::{DomainRow, ObjectRow};
use kmip::attribute::{Attribute, AttributeValue};
use kmip::payload::{Constraint, Constraints, GetConstraintsResponse, SetConstraintsRequest, SetConstraintsResponse};
use kmip::registry::ObjectType;
use kmip::{ProtocolVersion, Tag};

use super::rules;
use crate::attributes::{self, View};
use crate::failure::Failure;
use crate::scope::Scope;

/// Get Constraints.
pub(in crate::operation) fn get(scope: &Scope<'_>) -> Result<GetConstraintsResponse, Failure> {
    Ok(GetConstraintsResponse { constraints: in_force(scope)? })
}

/// Set Constraints.
pub(in crate::operation) fn set(
    scope: &mut Scope<'_>,
    request: &SetConstraintsRequest,
) -> Result<SetConstraintsResponse, Failure> {
    let wanted = request.constraints.as_ref().filter(|wanted| !wanted.constraints.is_empty());
    let constraints = wanted.map(|wanted| rules::keep(Tag::CONSTRAINTS, wanted)).transpose()?;
    scope.note = Some(format!("{} constraints", wanted.map_or(0, |wanted| wanted.constraints.len())));
    let row = DomainRow { constraints, ..scope.domain_row().clone() };
    scope.draft.update_domain(row);
    Ok(SetConstraintsResponse)
}

/// A new object meets the constraints of its domain. Asked when everything about it is known.
///
/// # Errors
/// [`Failure::AgainstConstraints`].
pub(in crate::operation) fn check(scope: &Scope<'_>, row: &ObjectRow) -> Result<(), Failure> {
    let constraints = in_force(scope)?;
    if constraints.constraints.is_empty() {
        return Ok(());
    }
    if meets(
        &constraints,
        row.object_type,
        &attributes::visible(row, View { version: ProtocolVersion::EVERY, ..scope.view() }),
    ) {
        return Ok(());
    }
    Err(Failure::AgainstConstraints("the object does not meet the domain's constraints"))
}

fn in_force(scope: &Scope<'_>) -> Result<Constraints, Failure> {
    rules::kept(scope.domain_row().constraints.as_deref())
}

fn meets(constraints: &Constraints, object_type: ObjectType, attributes: &[Attribute]) -> bool {
    let groups = || {
        attributes.iter().filter_map(|one| match &one.value {
            AttributeValue::ObjectGroup(group) => Some(group.as_str()),
            _ => None,
        })
    };
    let applying: Vec<&Constraint> = constraints
        .constraints
        .iter()
        .filter(|one| rules::names_type(one.object_types.as_deref(), object_type))
        .filter(|one| rules::names_group(one.object_groups.as_deref(), groups()))
        .collect();
    let special = applying.iter().any(|one| one.object_groups.is_some());
    let mut of_interest = applying.into_iter().filter(|one| !special || one.object_groups.is_some()).peekable();
    of_interest.peek().is_none()
        || of_interest
            .any(|one| one.attributes().iter().all(|wanted| attributes.iter().any(|has| has.value == wanted.value)))
}

#[cfg(test)]
mod tests {
    use kmip::payload::{AttributeSet, ObjectGroups, ObjectTypes};

    use super::*;

    fn length(bits: i32) -> Attribute {
        Attribute::new(AttributeValue::CryptographicLength(bits))
    }

    fn group(name: &str) -> Attribute {
        Attribute::new(AttributeValue::ObjectGroup(name.to_owned()))
    }

    fn constraint(groups: Option<&str>, bits: i32) -> Constraint {
        Constraint {
            object_types: Some(Box::new(ObjectTypes { object_types: vec![ObjectType::SymmetricKey] })),
            object_groups: groups.map(|name| Box::new(ObjectGroups { object_groups: vec![name.to_owned()] })),
            attributes: Some(Box::new(AttributeSet { attributes: vec![length(bits)] })),
        }
    }

    #[test]
    fn the_constraint_of_a_group_goes_before_that_of_all() {
        let both = Constraints { constraints: vec![constraint(Some("a"), 256), constraint(None, 192)] };
        let meets = |attributes: &[Attribute]| meets(&both, ObjectType::SymmetricKey, attributes);
        assert!(meets(&[length(256), group("a")]) && !meets(&[length(192), group("a")]));
        assert!(meets(&[length(192)]) && !meets(&[length(256)]) && !meets(&[]));
        assert!(meets(&[length(192), group("b")]) && !meets(&[length(256), group("b")]));
    }

    #[test]
    fn of_several_constraints_an_object_meets_one() {
        let either = Constraints { constraints: vec![constraint(None, 128), constraint(None, 256)] };
        for (bits, good) in [(128, true), (192, false), (256, true)] {
            assert_eq!(meets(&either, ObjectType::SymmetricKey, &[length(bits)]), good, "{bits}");
        }
    }

    #[test]
    fn other_types_are_free() {
        let keys = Constraints { constraints: vec![constraint(None, 256)] };
        assert!(meets(&keys, ObjectType::SecretData, &[]));
    }

    #[test]
    fn what_is_kept_is_what_was_set() {
        let set = Constraints { constraints: vec![constraint(Some("a"), 256), constraint(None, 192)] };
        let bytes = rules::keep(Tag::CONSTRAINTS, &set).unwrap();
        assert_eq!(rules::kept::<Constraints>(Some(&bytes)).unwrap(), set);
        assert_eq!(rules::kept::<Constraints>(None).unwrap(), Constraints::default());
    }

    #[test]
    fn a_domain_keeps_so_much() {
        let set = Constraints { constraints: vec![constraint(Some(&"a".repeat(1_000)), 256); 100] };
        assert!(matches!(rules::keep(Tag::CONSTRAINTS, &set), Err(Failure::OverLimit(_))));
    }
}
