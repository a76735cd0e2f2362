//! Opaque Data Type: an enumeration without values of its own.

use crate::registry::Tag;
use crate::ttlv::{DecodeError, Item, Wire, Writer};

/// What an opaque object holds. The standard defines no value, only the range of extensions (KMIP 1.4 §9.1.3.2.10), so
/// every number a client gives is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueDataType(pub u32);

impl OpaqueDataType {
    /// The number on the wire.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }
}

impl Wire for OpaqueDataType {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.enumeration(tag, self.0);
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        item.enumeration().map(Self)
    }
}
