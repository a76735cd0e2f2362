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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::registry::Operation;
    use crate::ttlv::DecodeErrorKind;

    fn right() -> Right {
        Right {
            operations: Some(Box::new(Operations { operations: vec![Operation::Get] })),
            object_groups: Some(Box::new(ObjectGroups { object_groups: vec!["a".to_owned()] })),
            ..Right::default()
        }
    }

    #[test]
    fn a_restriction_to_groups_is_not_lost_on_2_0() {
        let rights = Rights { rights: vec![Right::default(), right()] };
        assert!(rights.known_in(ProtocolVersion::V2_1));
        assert!(!rights.known_in(ProtocolVersion::V2_0));
        assert_eq!(round_trip(&rights, ProtocolVersion::V2_1).unwrap().0, rights);
        let refused = round_trip(&rights, ProtocolVersion::V2_0).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::UnknownField(Tag::OBJECT_GROUPS));
    }

    #[test]
    fn an_empty_list_is_no_absent_one() {
        let nothing = Right { operations: Some(Box::default()), ..Right::default() };
        assert_eq!(round_trip(&nothing, ProtocolVersion::V2_1), Ok((nothing.clone(), vec![Tag::OPERATIONS])));
        assert_eq!(round_trip(&Right::default(), ProtocolVersion::V2_1), Ok((Right::default(), vec![])));
    }

    #[test]
    fn there_is_a_limit_to_the_rights_of_a_ticket() {
        let of = |count: usize| {
            read_fields::<Rights>(ProtocolVersion::V2_1, |w| (0..count).for_each(|_| w.structure(Tag::RIGHT, |_| {})))
        };
        assert_eq!(of(MAX_RIGHTS).unwrap().rights.len(), MAX_RIGHTS);
        let refused = of(MAX_RIGHTS + 1).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::TooMany { what: "Right", limit: MAX_RIGHTS });
    }
}
