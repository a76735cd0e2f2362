//! Structures that are lists: Operations, Objects, Object Groups, Object Types. KMIP 2.1 §7.21 to §7.25.

use crate::Tag;
use crate::attribute::Identifier;
use crate::registry::{ObjectType, Operation};
use crate::wire::structure;

structure! {
    /// Operations. KMIP 2.1 §7.25.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Operations {
        /// The operations.
        repeated operations: Operation = Tag::OPERATION,
    }
}

structure! {
    /// Objects. KMIP 2.1 §7.21.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Objects {
        /// Their identifiers.
        repeated unique_identifiers: Identifier = Tag::UNIQUE_IDENTIFIER,
    }
}

structure! {
    /// Object Groups. KMIP 2.1 §7.23.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ObjectGroups {
        /// Values of the attribute Object Group.
        repeated object_groups: String = Tag::OBJECT_GROUP,
    }
}

structure! {
    /// Object Types. KMIP 2.1 §7.24.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ObjectTypes {
        /// The types.
        repeated object_types: ObjectType = Tag::OBJECT_TYPE,
    }
}
