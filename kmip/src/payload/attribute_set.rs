//! Attributes that may be absent as a whole, in structures of which there may be many.

use crate::attribute::{Attribute, AttributeList, RequiredAttributes};
use crate::ttlv::{DecodeError, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// Attributes, perhaps none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeSet {
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

/// The structure Attributes where it may be absent. Boxed: what holds it may be as short as 8 bytes on the wire, and
/// memory has to stay near the length of the message.
pub struct OptionalAttributes;

impl Part<Option<Box<AttributeSet>>> for OptionalAttributes {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeList::takes(tag, version)
    }

    fn encode(set: &Option<Box<AttributeSet>>, w: &mut Writer) {
        if let Some(set) = set {
            RequiredAttributes::encode(&set.attributes, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Box<AttributeSet>>, DecodeError> {
        match fields.peek()? {
            Some(tag) if Self::takes(tag, fields.version()) => {
                AttributeList::decode(fields).map(|attributes| Some(Box::new(AttributeSet { attributes })))
            }
            _ => Ok(None),
        }
    }
}

/// The attributes of a set that may be absent.
pub(super) fn slice_of(set: Option<&AttributeSet>) -> &[Attribute] {
    set.map_or(&[], |set| &set.attributes)
}
