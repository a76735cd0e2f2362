//! What a tag can do besides having a name.

use std::fmt;

use super::Tag;
use crate::ttlv::{DecodeError, Item, Wire, Writer};

impl Tag {
    /// The number: three bytes.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The tag of an XML name.
    #[must_use]
    pub fn from_xml_name(name: &str) -> Option<Self> {
        Self::TABLE.value_of_xml_name(name).map(Self)
    }

    /// The tag of a name in the standard, such as an attribute's.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::TABLE.rows.iter().find(|row| row.text == text).map(|row| Self(row.value))
    }
}

impl fmt::Display for Tag {
    /// The name, or the number where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text),
            None => write!(f, "{:#08x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

impl Wire for Tag {
    /// A tag as a value is an Enumeration (Attribute Reference, KMIP 2.1 §7.3).
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.enumeration(tag, self.0);
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        item.enumeration().map(Self)
    }
}
