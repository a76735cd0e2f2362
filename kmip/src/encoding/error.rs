//! Why a document is not a message, or a message has no document.

use thiserror::Error;

use crate::registry::Tag;
use crate::ttlv::{DecodeError, DecodeErrorKind, ItemType};

/// A fault in what was to be transcoded: what it is, and how many bytes into it it was noticed.
///
/// Neither this nor its text contains anything of the document, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct EncodingError {
    /// What is wrong.
    pub kind: EncodingErrorKind,
    /// Bytes from the start of the document to where the fault was noticed, or to the end of the item that has it; from
    /// the start of the TTLV where that is what was read.
    pub offset: usize,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodingErrorKind {
    /// Longer than [`MAX_DOCUMENT_LEN`](crate::limits::MAX_DOCUMENT_LEN).
    #[error("a document of more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Not well-formed XML or JSON, or a part of them that messages do not use.
    #[error("{0}")]
    Syntax(&'static str),
    /// A tag that the registry does not know, and that is no number of three bytes either.
    #[error("an unknown tag")]
    UnknownTag,
    /// A type that does not exist.
    #[error("an unknown type")]
    UnknownType,
    /// The value is missing, or has not the form of its type.
    #[error("{tag} has no value of type {item_type}")]
    Value {
        /// The item.
        tag: Tag,
        /// Its type.
        item_type: ItemType,
    },
    /// The value is a name that the enumeration or mask does not have.
    #[error("{tag} has a value of unknown name")]
    UnknownName {
        /// The item.
        tag: Tag,
    },
    /// Structures are nested deeper than [`MAX_DEPTH`](crate::limits::MAX_DEPTH).
    #[error("structures nested too deep")]
    TooDeep,
    /// More items than [`MAX_DOCUMENT_ITEMS`](crate::limits::MAX_DOCUMENT_ITEMS).
    #[error("more than {limit} items")]
    TooManyItems {
        /// The limit.
        limit: usize,
    },
    /// The message is not well-formed TTLV.
    #[error("{0}")]
    Ttlv(DecodeErrorKind),
    /// A text holds a character that XML 1.0 cannot represent.
    #[error("{tag} holds a character that XML cannot represent")]
    NotXml {
        /// The item.
        tag: Tag,
    },
}

impl EncodingErrorKind {
    /// This, noticed at `offset`.
    pub(crate) fn at(self, offset: usize) -> EncodingError {
        EncodingError { kind: self, offset }
    }
}

impl From<DecodeError> for EncodingError {
    fn from(error: DecodeError) -> Self {
        EncodingErrorKind::Ttlv(error.kind).at(error.offset)
    }
}
