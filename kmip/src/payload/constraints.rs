//! Constraints: what objects may be made in a domain. KMIP 2.1 §7.6, §7.7.

use super::attribute_set::{AttributeSet, OptionalAttributes, slice_of};
use super::lists::{ObjectGroups, ObjectTypes};
use crate::Tag;
use crate::attribute::Attribute;
use crate::wire::structure;

structure! {
    /// The constraints, as one set.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Constraints {
        /// Each of them.
        repeated constraints: Constraint = Tag::CONSTRAINT,
    }
}

structure! {
    /// One constraint: objects of these types in these groups have these attributes. What is absent restricts
    /// nothing.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Constraint {
        // Boxed: an empty Constraint is 8 bytes on the wire.
        /// The types it is for.
        optional object_types: Box<ObjectTypes> = Tag::OBJECT_TYPES,
        /// The groups it is for.
        optional object_groups: Box<ObjectGroups> = Tag::OBJECT_GROUPS,
        /// What objects shall have.
        part attributes: Option<Box<AttributeSet>> = OptionalAttributes,
    }
}

impl Constraint {
    /// What objects shall have.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        slice_of(self.attributes.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::attribute::AttributeValue;
    use crate::payload::round_trip::round_trip;
    use crate::registry::ObjectType;

    #[test]
    fn a_set_that_is_absent_is_told_from_an_empty_one() {
        let attributes = vec![AttributeValue::CryptographicLength(256).into()];
        let of_types = ObjectTypes { object_types: vec![ObjectType::SymmetricKey] };
        let constraints = [
            (Constraint::default(), vec![]),
            (Constraint { attributes: Some(Box::default()), ..Constraint::default() }, vec![Tag::ATTRIBUTES]),
            (
                Constraint {
                    object_types: Some(Box::new(of_types)),
                    object_groups: Some(Box::default()),
                    attributes: Some(Box::new(AttributeSet { attributes })),
                },
                vec![Tag::OBJECT_TYPES, Tag::OBJECT_GROUPS, Tag::ATTRIBUTES],
            ),
        ];
        for (constraint, tags) in &constraints {
            assert_eq!(round_trip(constraint, ProtocolVersion::V2_1), Ok((constraint.clone(), tags.clone())));
        }
        assert_eq!(constraints.map(|(constraint, _)| constraint.attributes().len()), [0, 0, 1]);
    }

    #[test]
    fn many_of_them_cost_no_more_than_four_times_their_bytes() {
        // 8 bytes on the wire, which lie in memory too.
        assert!(size_of::<Constraint>() + 8 <= 4 * 8);
    }
}
