//! One attribute inside a payload: Attribute in 1.x, New Attribute and Current Attribute in 2.x.

use super::Attribute;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// The attribute to be set: Attribute, or New Attribute. KMIP 2.1 §5.7.
pub struct NewAttribute;

impl NewAttribute {
    fn tag(version: ProtocolVersion) -> Tag {
        if version.is_2_x() { Tag::NEW_ATTRIBUTE } else { Tag::ATTRIBUTE }
    }
}

impl Part<Attribute> for NewAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Self::tag(version)
    }

    fn known_in(attribute: &Attribute, version: ProtocolVersion) -> bool {
        // 2.x has no index; without it, another instance would be meant.
        attribute.known_in(version) && (!version.is_2_x() || attribute.index.is_none_or(|index| index == 0))
    }

    fn encode(attribute: &Attribute, w: &mut Writer) {
        if w.version().is_2_x() {
            encode_in(Tag::NEW_ATTRIBUTE, attribute, w);
        } else {
            attribute.encode(Tag::ATTRIBUTE, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Attribute, DecodeError> {
        let item = fields.require(Self::tag(fields.version()))?;
        if item.version().is_2_x() { decode_in(&item) } else { Attribute::decode(&item) }
    }
}

/// The instance that is meant, by its value: Current Attribute. Since 2.0. KMIP 2.1 §5.6.
pub struct CurrentAttribute;

impl Part<Option<Attribute>> for CurrentAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        version.is_2_x() && tag == Tag::CURRENT_ATTRIBUTE
    }

    fn known_in(attribute: &Option<Attribute>, version: ProtocolVersion) -> bool {
        // Without it, another instance would be meant.
        attribute.as_ref().is_none_or(|attribute| version.is_2_x() && attribute.known_in(version))
    }

    fn encode(attribute: &Option<Attribute>, w: &mut Writer) {
        if let Some(attribute) = attribute
            && w.version().is_2_x()
        {
            encode_in(Tag::CURRENT_ATTRIBUTE, attribute, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Attribute>, DecodeError> {
        if !fields.version().is_2_x() {
            return Ok(None);
        }
        fields.take(Tag::CURRENT_ATTRIBUTE)?.map(|item| decode_in(&item)).transpose()
    }
}

/// The attribute that an operation changed, as 1.x answers it: Attribute. An answer of 2.x does without.
pub struct ChangedAttribute;

impl Part<Option<Attribute>> for ChangedAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        !version.is_2_x() && tag == Tag::ATTRIBUTE
    }

    fn known_in(attribute: &Option<Attribute>, version: ProtocolVersion) -> bool {
        version.is_2_x() || attribute.as_ref().is_some_and(|attribute| attribute.known_in(version))
    }

    fn encode(attribute: &Option<Attribute>, w: &mut Writer) {
        if let Some(attribute) = attribute
            && !w.version().is_2_x()
        {
            attribute.encode(Tag::ATTRIBUTE, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Attribute>, DecodeError> {
        if fields.version().is_2_x() { Ok(None) } else { fields.required(Tag::ATTRIBUTE).map(Some) }
    }
}

fn encode_in(tag: Tag, attribute: &Attribute, w: &mut Writer) {
    w.structure(tag, |w| attribute.value.encode_tagged(w));
}

/// The structure of 2.x that holds exactly one attribute.
fn decode_in(item: &Item<'_>) -> Result<Attribute, DecodeError> {
    let mut inside = item.structure()?;
    let Some(only) = inside.next_item()? else {
        return Err(item.error(DecodeErrorKind::Invalid { tag: item.tag, why: "is empty" }));
    };
    let attribute = Attribute::decode_tagged(&only)?;
    match inside.next_item()? {
        None => Ok(attribute),
        Some(second) => Err(second.error(DecodeErrorKind::TooMany { what: "attributes in one", limit: 1 })),
    }
}
