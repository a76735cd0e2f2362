//! Why a tree of elements is not a message, or a message has no such tree.

use thiserror::Error;

use crate::encoding::EncodingError;
use crate::ttlv::{DecodeError, ItemType};

/// Why a tree of elements is not a message, or a message has no such tree. Names the element, and a value's name that
/// does not exist: for who wrote the document, not for a log of what strangers send.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not the XML of items, or not well-formed TTLV.
    #[error(transparent)]
    Document(#[from] EncodingError),
    /// An element that is no tag of the registry.
    #[error("<{0}> is no tag")]
    UnknownTag(String),
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
    /// A text holds a character that XML 1.0 cannot represent.
    #[error("<{0}> holds a character that XML cannot represent")]
    NotXml(String),
}

impl From<DecodeError> for XmlError {
    fn from(error: DecodeError) -> Self {
        Self::Document(error.into())
    }
}
