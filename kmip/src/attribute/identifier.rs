//! How a request names an object. KMIP 2.1 §4.58.

use std::fmt;

use crate::registry::UniqueIdentifierPlaceholder;
use crate::ttlv::{DecodeError, Item, ItemType, Wire, Writer};
use crate::{ProtocolVersion, Tag};

/// Unique Identifier as a request may give it. What a server keeps and answers is always text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// The identifier itself.
    Text(String),
    /// What an operation earlier in the batch returned. Since 2.0.
    Placeholder(UniqueIdentifierPlaceholder),
    /// The nth identifier of the response, from 0; a negative number counts backwards from the beginning of the
    /// current batch item. Since 2.0.
    Index(i32),
}

impl Identifier {
    /// The identifier itself, where it is given as such.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Placeholder(_) | Self::Index(_) => None,
        }
    }
}

impl From<String> for Identifier {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Identifier {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Identifier {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Placeholder(placeholder) => placeholder.fmt(f),
            Self::Index(index) => index.fmt(f),
        }
    }
}

impl Wire for Identifier {
    // An absent identifier means the ID Placeholder, which is another object.
    const DECIDES: bool = true;

    fn encode(&self, tag: Tag, w: &mut Writer) {
        match self {
            Self::Text(text) => w.text(tag, text),
            Self::Placeholder(placeholder) => placeholder.encode(tag, w),
            Self::Index(index) => w.integer(tag, *index),
        }
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        match item.item_type {
            ItemType::Enumeration if item.version() >= ProtocolVersion::V2_0 => {
                UniqueIdentifierPlaceholder::decode(item).map(Self::Placeholder)
            }
            ItemType::Integer if item.version() >= ProtocolVersion::V2_0 => item.integer().map(Self::Index),
            _ => item.text().map(|text| Self::Text(text.to_owned())),
        }
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Placeholder(placeholder) => placeholder.known_in(version),
            Self::Index(_) => version >= ProtocolVersion::V2_0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::{DecodeErrorKind, Reader};

    fn read(identifier: &Identifier, version: ProtocolVersion) -> Result<Identifier, DecodeError> {
        let mut w = Writer::new(version);
        identifier.encode(Tag::UNIQUE_IDENTIFIER, &mut w);
        let bytes = w.finish();
        Identifier::decode(&Reader::new(&bytes, version).next_item()?.unwrap())
    }

    #[test]
    fn only_2_x_names_an_object_by_its_place() {
        for identifier in [Identifier::Placeholder(UniqueIdentifierPlaceholder::Create), Identifier::Index(-1)] {
            assert_eq!(read(&identifier, ProtocolVersion::V2_0), Ok(identifier.clone()));
            assert!(identifier.known_in(ProtocolVersion::V2_1) && !identifier.known_in(ProtocolVersion::V1_4));
            let refused = read(&identifier, ProtocolVersion::V1_4).unwrap_err();
            assert!(matches!(refused.kind, DecodeErrorKind::WrongType { expected: ItemType::TextString, .. }));
            assert_eq!(identifier.as_text(), None);
        }
        let text = Identifier::from("a");
        assert_eq!(read(&text, ProtocolVersion::V1_0), Ok(text.clone()));
        assert_eq!(text.as_text(), Some("a"));
    }

    #[test]
    fn what_cannot_be_said_is_not_left_out() {
        use crate::payload::ActivateRequest;
        let request = ActivateRequest { unique_identifier: Some(Identifier::Index(0)) };
        assert!(request.known_in(ProtocolVersion::V2_0));
        assert!(!request.known_in(ProtocolVersion::V1_4));
    }
}
