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
