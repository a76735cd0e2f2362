//! The forms of one attribute: 1.x names it, 2.x puts the value under its tag, vendors' attributes have both.

use super::{AttributeKind, AttributeValue};
use crate::attribute::reference::{decode_vendor_name, split_vendor};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, OwnedItem, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

impl AttributeValue {
    /// A vendor's attribute whose value `write` writes; it has to write exactly one item, with tag Attribute Value. The
    /// name is `x-…`, `y-…`, or that of another vendor, such as `ACME-…`.
    ///
    /// `None` where the name has no vendor, or `write` wrote something else.
    #[must_use]
    pub fn custom(name: impl Into<String>, write: impl FnOnce(&mut Writer)) -> Option<Self> {
        let name = name.into();
        if AttributeKind::from_name(&name) != Some(AttributeKind::Custom) {
            return None;
        }
        let mut w = Writer::new(ProtocolVersion::EVERY);
        write(&mut w);
        let bytes = w.finish();
        let mut items = crate::ttlv::Reader::new(&bytes, ProtocolVersion::EVERY);
        let item = items.next_item().ok()??;
        if item.tag != Tag::ATTRIBUTE_VALUE || !items.is_empty() {
            return None;
        }
        let value = OwnedItem::new(&item).ok()?;
        Some(Self::Custom { name: name.into(), value })
    }

    /// A vendor's attribute that is a Text String; `None` where the name has no vendor.
    #[must_use]
    pub fn custom_text(name: impl Into<String>, text: &str) -> Option<Self> {
        Self::custom(name, |w| w.text(Tag::ATTRIBUTE_VALUE, text))
    }

    /// The name on the wire: the specification's, or the custom one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Custom { name, .. } => name,
            other => other.kind().text(),
        }
    }

    /// The vendor of a vendor's attribute.
    #[must_use]
    pub fn vendor(&self) -> Option<&str> {
        match self {
            Self::Custom { name, .. } => split_vendor(name).map(|(vendor, _)| vendor),
            _ => None,
        }
    }

    /// Writes the value under tag Attribute Value.
    pub fn encode_value(&self, w: &mut Writer) {
        self.encode_under(Tag::ATTRIBUTE_VALUE, w);
    }

    /// Writes the attribute in the form of 2.x: the value under its own tag, or the structure of a vendor's attribute.
    pub fn encode_tagged(&self, w: &mut Writer) {
        match self {
            Self::Custom { name, value } => {
                if let Some((vendor, name)) = split_vendor(name) {
                    w.structure(Tag::ATTRIBUTE, |w| {
                        w.text(Tag::VENDOR_IDENTIFICATION, vendor);
                        w.text(Tag::ATTRIBUTE_NAME, name);
                        value.encode(Tag::ATTRIBUTE_VALUE, w);
                    });
                }
            }
            other => other.encode_under(other.kind().tag(), w),
        }
    }

    /// Reads an attribute in the form of 2.x.
    ///
    /// # Errors
    /// [`DecodeErrorKind::UnknownAttribute`] where the message's version has no such attribute, or what is wrong with
    /// the value.
    pub fn decode_tagged(item: &Item<'_>) -> Result<Self, DecodeError> {
        if item.tag == Tag::ATTRIBUTE {
            return Self::decode_vendor(item);
        }
        Self::decode_as(Self::kind_of_tag(item)?, "", item)
    }

    pub(super) fn kind_of_tag(item: &Item<'_>) -> Result<AttributeKind, DecodeError> {
        AttributeKind::from_tag(item.tag)
            .filter(|kind| kind.is_known_to(item.version()))
            .ok_or_else(|| item.error(DecodeErrorKind::UnknownAttribute))
    }

    pub(super) fn decode_vendor(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, |tag, _| {
            [Tag::VENDOR_IDENTIFICATION, Tag::ATTRIBUTE_NAME, Tag::ATTRIBUTE_VALUE].contains(&tag)
        });
        let name = decode_vendor_name(&mut fields)?;
        let value = OwnedItem::new(&fields.require(Tag::ATTRIBUTE_VALUE)?)?;
        fields.finish()?;
        Ok(Self::Custom { name: name.into(), value })
    }

    /// Whether a peer of `version` can be told of this value.
    #[must_use]
    pub fn known_in(&self, version: ProtocolVersion) -> bool {
        self.kind().is_known_to(version) && self.value_known_in(version)
    }
}

/// Whether `version` has the types of `item` and of all items inside: Date-Time Extended came with 2.0.
pub(super) fn are_types_known_in(item: &Item<'_>, version: ProtocolVersion) -> bool {
    if version >= ProtocolVersion::V2_0 {
        return true;
    }
    match item.item_type {
        ItemType::DateTimeExtended => false,
        ItemType::Structure => {
            let Ok(mut inside) = item.structure() else { return false };
            while let Ok(Some(next)) = inside.next_item() {
                if !are_types_known_in(&next, version) {
                    return false;
                }
            }
            true
        }
        _ => true,
    }
}
