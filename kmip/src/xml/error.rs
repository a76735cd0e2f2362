//! Why XML is not a message, or a message has no XML.

use thiserror::Error;

use crate::ttlv::{DecodeError, ItemType};

/// Why XML is not a message, or a message has no XML. No text of it contains a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not well-formed XML, or a part of XML that messages do not use.
    #[error("{what} at byte {offset} of the XML")]
    Syntax {
        /// What is wrong.
        what: String,
        /// Bytes from the start of the document.
        offset: u64,
    },
    /// An element that is no tag of the registry.
    #[error("<{0}> is no tag")]
    UnknownTag(String),
    /// A `type` that does not exist.
    #[error("<{element}> has the unknown type {item_type:?}")]
    UnknownType {
        /// The element.
        element: String,
        /// Its `type`.
        item_type: String,
    },
    /// The value is missing, or has not the form of its type.
    #[error("<{element}> has no value of type {item_type}")]
    Value {
        /// The element.
        element: String,
        /// Its type.
        item_type: ItemType,
    },
    /// The value is a name that the enumeration or mask does not have.
    #[error("<{element}> has the unknown name {name:?}")]
    UnknownName {
        /// The element.
        element: String,
        /// The name.
        name: String,
    },
    /// Elements are nested deeper than structures may be.
    #[error("elements nested too deep")]
    TooDeep,
    /// The message is not well-formed TTLV.
    #[error(transparent)]
    Ttlv(#[from] DecodeError),
    /// A text holds a character that XML 1.0 cannot represent.
    #[error("<{0}> holds a character that XML cannot represent")]
    NotXml(String),
}
