//! Rights: what the bearer of a delegated ticket may do. KMIP 2.1 §7.34, §7.35.

use super::lists::{ObjectGroups, Objects, Operations};
use crate::attribute::UsageLimits;
use crate::limits::MAX_RIGHTS;
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// Rights, of which a request needs one. Without any the bearer may do nothing.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Rights {
        /// The rights; at most [`MAX_RIGHTS`].
        part rights: Vec<Right> = RightList,
    }
}

structure! {
    /// One right: these operations, on these objects, so many times. What is absent restricts nothing; a list that is
    /// there and empty permits nothing.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Right {
        // Boxed: an empty Right is 8 bytes on the wire.
        /// How much.
        optional usage_limits: Box<UsageLimits> = Tag::USAGE_LIMITS,
        /// Which operations.
        optional operations: Box<Operations> = Tag::OPERATIONS,
        /// On which objects.
        optional objects: Box<Objects> = Tag::OBJECTS,
        /// On objects of which groups.
        part object_groups: Option<Box<ObjectGroups>> = GroupsOfRight,
    }
}

/// The list of rights, bounded.
pub struct RightList;

impl Part<Vec<Right>> for RightList {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::RIGHT
    }

    fn known_in(rights: &Vec<Right>, version: ProtocolVersion) -> bool {
        rights.iter().all(|right| right.known_in(version))
    }

    fn encode(rights: &Vec<Right>, w: &mut Writer) {
        for right in rights {
            right.encode(Tag::RIGHT, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Right>, DecodeError> {
        fields.repeated_by(Tag::RIGHT, MAX_RIGHTS, Right::decode)
    }
}

/// Object Groups of a right, since 2.1. For a version without them the right cannot be told: left out, they would
/// open it to every object.
pub struct GroupsOfRight;

impl Part<Option<Box<ObjectGroups>>> for GroupsOfRight {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Tag::OBJECT_GROUPS && version >= ProtocolVersion::V2_1
    }

    fn known_in(groups: &Option<Box<ObjectGroups>>, version: ProtocolVersion) -> bool {
        groups.is_none() || version >= ProtocolVersion::V2_1
    }

    fn encode(groups: &Option<Box<ObjectGroups>>, w: &mut Writer) {
        if let Some(groups) = groups {
            groups.encode(Tag::OBJECT_GROUPS, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Box<ObjectGroups>>, DecodeError> {
        if fields.version() < ProtocolVersion::V2_1 {
            return Ok(None);
        }
        fields.optional(Tag::OBJECT_GROUPS)
    }
}
