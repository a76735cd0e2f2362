//! An item kept as it came, for what this crate does not interpret.

use std::fmt;

use super::{DecodeError, HEADER_LEN, Item, ItemType, Reader, Wire, Writer};
use crate::registry::Tag;
use crate::version::ProtocolVersion;

/// A copy of any item, byte for byte, structure and all: custom attributes, vendor extensions. Not for secrets.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OwnedItem {
    /// Header, value, padding. Nothing else, because a message may hold many small items.
    raw: Box<[u8]>,
}

impl OwnedItem {
    /// Copies `item` after looking at every byte of it.
    ///
    /// # Errors
    /// [`DecodeError`] for the first fault inside, so that what is kept is well formed throughout.
    pub fn new(item: &Item<'_>) -> Result<Self, DecodeError> {
        if item.item_type == ItemType::Structure {
            item.structure()?.check_all()?;
        }
        Ok(Self { raw: item.raw.into() })
    }

    /// Reads one whole item.
    ///
    /// # Errors
    /// [`DecodeError`] if `bytes` are not exactly one well formed item.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, ProtocolVersion::V2_1);
        match reader.next_item()? {
            Some(item) => {
                reader.finish()?;
                Self::new(&item)
            }
            None => Err(DecodeError { kind: super::DecodeErrorKind::HeaderCutOff { available: 0 }, offset: 0 }),
        }
    }

    /// The item that `value` makes under `tag`.
    #[must_use]
    pub fn of(tag: Tag, value: &impl Wire) -> Option<Self> {
        let mut writer = Writer::new(ProtocolVersion::V2_1);
        value.encode(tag, &mut writer);
        Self::from_bytes(&writer.finish()).ok()
    }

    /// What it is.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match self.raw.first_chunk() {
            Some([a, b, c]) => Tag(u32::from_be_bytes([0, *a, *b, *c])),
            None => Tag(0),
        }
    }

    /// The type of its value.
    #[must_use]
    pub fn item_type(&self) -> ItemType {
        // It was checked when the item was read.
        self.raw.get(3).copied().and_then(ItemType::from_value).unwrap_or(ItemType::ByteString)
    }

    /// Bytes of its value, without padding.
    fn value_len(&self) -> usize {
        let length = self.raw.get(4..HEADER_LEN).and_then(<[u8]>::first_chunk).copied();
        length.and_then(|length| usize::try_from(u32::from_be_bytes(length)).ok()).unwrap_or(0)
    }

    /// Header, value, padding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// The item again. Offsets count from its own start, and its version is the newest there is.
    #[must_use]
    pub fn item(&self) -> Item<'_> {
        let value = self.raw.get(HEADER_LEN..HEADER_LEN.saturating_add(self.value_len())).unwrap_or_default();
        Item {
            tag: self.tag(),
            item_type: self.item_type(),
            offset: 0,
            raw: &self.raw,
            value,
            version: ProtocolVersion::V2_1,
            depth: 0,
        }
    }
}

impl Wire for OwnedItem {
    /// Under `tag`, which may differ from the one it came with.
    fn encode(&self, tag: Tag, w: &mut Writer) {
        let [_, a, b, c] = tag.0.to_be_bytes();
        w.raw(&[a, b, c]);
        w.raw(self.raw.get(3..).unwrap_or_default());
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        Self::new(item)
    }
}

impl fmt::Debug for OwnedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnedItem({}, {}, {} bytes)", self.tag(), self.item_type(), self.value_len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::DecodeErrorKind;

    #[test]
    fn an_item_comes_back_byte_for_byte_under_any_tag() {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        writer.structure(Tag::ATTRIBUTE_VALUE, |w| w.text(Tag(0x54_0001), "vendor"));
        let bytes = writer.finish();
        let owned = OwnedItem::from_bytes(&bytes).unwrap();
        assert_eq!((owned.as_bytes(), owned.item().raw()), (bytes.as_slice(), bytes.as_slice()));
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        owned.encode(Tag(0x54_0002), &mut writer);
        let renamed = OwnedItem::from_bytes(&writer.finish()).unwrap();
        assert_eq!(renamed.tag(), Tag(0x54_0002));
        assert_eq!(renamed.item().value_bytes(), owned.item().value_bytes());
    }

    #[test]
    fn a_fault_inside_is_found_when_it_is_kept() {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        writer.structure(Tag::ATTRIBUTE_VALUE, |w| w.text(Tag(0x54_0001), "vendor"));
        let mut bytes = writer.finish();
        bytes[16] = 0xFF;
        let error = OwnedItem::from_bytes(&bytes).unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::NotUtf8, 16));
    }

    #[test]
    fn debug_shows_no_value() {
        let owned = OwnedItem::of(Tag::ATTRIBUTE_VALUE, &"marker".to_owned()).unwrap();
        assert_eq!(format!("{owned:?}"), "OwnedItem(Attribute Value, TextString, 6 bytes)");
    }
}
