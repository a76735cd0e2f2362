//! Data: what a cryptographic operation works on, given or taken from an answer before it. KMIP 1.4 §4.29, 2.1 §7.9.

use secret::Secret;

use crate::registry::DataPlaceholder;
use crate::ttlv::{DecodeError, Item, ItemType, Wire, Writer};
use crate::{ProtocolVersion, Tag};

/// What an operation is asked to work on.
///
/// The bytes are treated as secret whatever they are: what one operation decrypts is what the next one encrypts.
#[derive(Debug, PartialEq)]
pub enum Data {
    /// The bytes themselves.
    Bytes(Secret),
    /// What an earlier operation of this kind in the batch answered. Since 2.0.
    Placeholder(DataPlaceholder),
    /// The n-th Data of the response, from 0; negative counts backwards from this batch item. Since 2.0.
    Index(i32),
}

impl Data {
    /// The bytes, unless they are those of another batch item's answer.
    #[must_use]
    pub const fn bytes(&self) -> Option<&Secret> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Placeholder(_) | Self::Index(_) => None,
        }
    }
}

impl From<Secret> for Data {
    fn from(bytes: Secret) -> Self {
        Self::Bytes(bytes)
    }
}

impl Wire for Data {
    // Left out, the operation would work on nothing.
    const DECIDES: bool = true;

    fn encode(&self, tag: Tag, w: &mut Writer) {
        match self {
            Self::Bytes(bytes) => bytes.encode(tag, w),
            Self::Placeholder(placeholder) => placeholder.encode(tag, w),
            Self::Index(index) => index.encode(tag, w),
        }
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let refers = item.version() >= ProtocolVersion::V2_0;
        match item.item_type {
            ItemType::Enumeration if refers => DataPlaceholder::decode(item).map(Self::Placeholder),
            ItemType::Integer if refers => i32::decode(item).map(Self::Index),
            _ => Secret::decode(item).map(Self::Bytes),
        }
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            Self::Bytes(_) => true,
            Self::Placeholder(placeholder) => placeholder.known_in(version),
            Self::Index(_) => version >= ProtocolVersion::V2_0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::{DecodeErrorKind, Reader};

    fn read(version: ProtocolVersion, write: impl FnOnce(&mut Writer)) -> Result<Data, DecodeErrorKind> {
        let mut w = Writer::new(version);
        write(&mut w);
        let bytes = w.finish();
        let item = Reader::new(&bytes, version).next_item().unwrap().unwrap();
        Data::decode(&item).map_err(|error| error.kind)
    }

    #[test]
    fn since_2_0_data_may_be_that_of_another_item() {
        let enumeration = |w: &mut Writer| w.enumeration(Tag::DATA, DataPlaceholder::Decrypt.value());
        assert_eq!(read(ProtocolVersion::V2_0, enumeration), Ok(Data::Placeholder(DataPlaceholder::Decrypt)));
        assert_eq!(read(ProtocolVersion::V2_1, |w| w.integer(Tag::DATA, -1)), Ok(Data::Index(-1)));
        for old in [ProtocolVersion::V1_2, ProtocolVersion::V1_4] {
            let refused = DecodeErrorKind::WrongType {
                tag: Tag::DATA,
                expected: ItemType::ByteString,
                found: ItemType::Enumeration,
            };
            assert_eq!(read(old, enumeration), Err(refused));
            assert!(!Data::Index(0).known_in(old));
        }
    }

    #[test]
    fn debug_shows_no_byte() {
        assert_eq!(format!("{:?}", Data::from(Secret::copy_from(b"marker"))), "Bytes(Secret(6 bytes))");
    }
}
