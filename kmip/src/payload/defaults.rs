//! Defaults Information: the attributes of new objects where a client gives none. KMIP 2.1 §7.11, §7.22.

use super::attribute_set::{AttributeSet, OptionalAttributes, slice_of};
use super::lists::{ObjectGroups, ObjectTypes};
use crate::attribute::Attribute;
use crate::registry::ObjectType;
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// The defaults, as one set.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct DefaultsInformation {
        /// Each of them.
        repeated object_defaults: ObjectDefaults = Tag::OBJECT_DEFAULTS,
    }
}

structure! {
    /// The defaults of objects of some types.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ObjectDefaults {
        /// The types they are for.
        part object_types: DefaultsFor = DefaultsForTypes,
        /// The attributes. The table requires them; absent they are none.
        part attributes: Option<Box<AttributeSet>> = OptionalAttributes,
        /// The groups they are for; absent means all.
        optional object_groups: Box<ObjectGroups> = Tag::OBJECT_GROUPS [since V2_1],
    }
}

impl ObjectDefaults {
    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        slice_of(self.attributes.as_deref())
    }
}

/// Which types of object defaults are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultsFor {
    /// One type.
    One(ObjectType),
    /// Several types. Since 2.1.
    Several(ObjectTypes),
}

/// Object Type, or since 2.1 Object Types.
pub struct DefaultsForTypes;

impl Part<DefaultsFor> for DefaultsForTypes {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Tag::OBJECT_TYPE || tag == Tag::OBJECT_TYPES && version >= ProtocolVersion::V2_1
    }

    fn known_in(types: &DefaultsFor, version: ProtocolVersion) -> bool {
        match types {
            DefaultsFor::One(object_type) => object_type.known_in(version),
            DefaultsFor::Several(_) => version >= ProtocolVersion::V2_1,
        }
    }

    fn encode(types: &DefaultsFor, w: &mut Writer) {
        match types {
            DefaultsFor::One(object_type) => object_type.encode(Tag::OBJECT_TYPE, w),
            DefaultsFor::Several(object_types) => object_types.encode(Tag::OBJECT_TYPES, w),
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<DefaultsFor, DecodeError> {
        if fields.version() >= ProtocolVersion::V2_1
            && let Some(object_types) = fields.optional(Tag::OBJECT_TYPES)?
        {
            return Ok(DefaultsFor::Several(object_types));
        }
        fields.required(Tag::OBJECT_TYPE).map(DefaultsFor::One)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::ttlv::DecodeErrorKind;

    fn defaults(object_types: DefaultsFor) -> ObjectDefaults {
        ObjectDefaults { object_types, attributes: None, object_groups: None }
    }

    #[test]
    fn several_types_at_once_came_with_2_1() {
        let one = defaults(DefaultsFor::One(ObjectType::SymmetricKey));
        for version in [ProtocolVersion::V2_0, ProtocolVersion::V2_1] {
            assert_eq!(round_trip(&one, version), Ok((one.clone(), vec![Tag::OBJECT_TYPE])));
        }
        let several = defaults(DefaultsFor::Several(ObjectTypes::default()));
        assert_eq!(round_trip(&several, ProtocolVersion::V2_1), Ok((several.clone(), vec![Tag::OBJECT_TYPES])));
        assert!(several.known_in(ProtocolVersion::V2_1) && !several.known_in(ProtocolVersion::V2_0));
        let refused = round_trip(&several, ProtocolVersion::V2_0).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::UnknownField(Tag::OBJECT_TYPES));
    }

    #[test]
    fn defaults_say_for_what() {
        let refused = read_fields::<ObjectDefaults>(ProtocolVersion::V2_1, |w| w.structure(Tag::ATTRIBUTES, |_| {}));
        assert_eq!(refused.unwrap_err().kind, DecodeErrorKind::MissingField(Tag::OBJECT_TYPE));
    }
}
