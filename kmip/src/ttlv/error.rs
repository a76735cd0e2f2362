//! Why bytes are not a message, and where.

use std::fmt;

use super::ItemType;
use crate::registry::{KeyFormatType, Tag, UnknownValue};
use crate::version::ProtocolVersion;

/// A fault in a message: what it is, and how many bytes into the message it stands.
///
/// Neither this nor its text contains bytes of the message, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Bytes from the start of the message to the fault.
    pub offset: usize,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for DecodeError {}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Fewer bytes than the header of an item.
    HeaderCutOff {
        /// Bytes that are there.
        available: usize,
    },
    /// The announced length, with padding, goes past the end of what encloses the item.
    LengthPastEnd {
        /// Announced bytes, without padding.
        length: u32,
        /// Bytes that are there.
        available: usize,
    },
    /// The type is none of the eleven.
    UnknownType(u8),
    /// The length is not that of the type.
    WrongLength {
        /// The type.
        item_type: ItemType,
        /// Announced bytes.
        length: u32,
    },
    /// A byte of padding is not zero.
    PaddingNotZero,
    /// A Boolean is neither 0 nor 1.
    BooleanValue,
    /// A Text String is not UTF-8.
    NotUtf8,
    /// Structures are nested deeper than [`MAX_DEPTH`](crate::limits::MAX_DEPTH).
    TooDeep,
    /// Items follow the last one.
    TrailingBytes(usize),
    /// The item is of another type.
    WrongType {
        /// The item.
        tag: Tag,
        /// The type it should be.
        expected: ItemType,
        /// The type it is.
        found: ItemType,
    },
    /// Another item should stand here.
    WrongTag {
        /// The item that should be here.
        expected: Tag,
        /// The item that is.
        found: Tag,
    },
    /// The structure lacks a field it has to have.
    MissingField(Tag),
    /// The structure has no such field in this version.
    UnknownField(Tag),
    /// A field that can be there once is there again.
    DuplicateField(Tag),
    /// A field stands after one that has to follow it.
    MisplacedField(Tag),
    /// An enumeration has no such value.
    UnknownValue(UnknownValue),
    /// The version has no attribute of this name.
    UnknownAttribute,
    /// Messages of this version are not understood.
    UnsupportedVersion(ProtocolVersion),
    /// Batch Count does not agree with the batch items.
    BatchCount {
        /// In the header.
        announced: i32,
        /// In the message.
        found: usize,
    },
    /// The structure of key material in this format is not understood.
    UnsupportedKeyFormat(KeyFormatType),
    /// Objects with this tag are not understood.
    UnsupportedObject(Tag),
    /// More of something than the limit.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A value is well formed but makes no sense where it stands.
    Invalid {
        /// The item.
        tag: Tag,
        /// Why.
        why: &'static str,
    },
}

impl From<UnknownValue> for DecodeErrorKind {
    fn from(unknown: UnknownValue) -> Self {
        Self::UnknownValue(unknown)
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderCutOff { available } => write!(f, "header of an item cut off after {available} bytes"),
            Self::LengthPastEnd { length, available } => write!(f, "length {length} where {available} bytes are left"),
            Self::UnknownType(number) => write!(f, "unknown item type {number:#04x}"),
            Self::WrongLength { item_type, length } => write!(f, "length {length} of type {item_type}"),
            Self::PaddingNotZero => f.write_str("padding is not zero"),
            Self::BooleanValue => f.write_str("Boolean is neither 0 nor 1"),
            Self::NotUtf8 => f.write_str("Text String is not UTF-8"),
            Self::TooDeep => f.write_str("structures nested too deep"),
            Self::TrailingBytes(count) => write!(f, "{count} bytes too many"),
            Self::WrongType { tag, expected, found } => write!(f, "{tag} is {found}, should be {expected}"),
            Self::WrongTag { expected, found } => write!(f, "{found} where {expected} should be"),
            Self::MissingField(tag) => write!(f, "{tag} is missing"),
            Self::UnknownField(tag) => write!(f, "{tag} does not belong here"),
            Self::DuplicateField(tag) => write!(f, "{tag} is there twice"),
            Self::MisplacedField(tag) => write!(f, "{tag} is out of order"),
            Self::UnknownValue(unknown) => write!(f, "{unknown}"),
            Self::UnknownAttribute => f.write_str("no attribute of this name"),
            Self::UnsupportedVersion(version) => write!(f, "protocol version {version} is not supported"),
            Self::BatchCount { announced, found } => write!(f, "batch count {announced} with {found} batch items"),
            Self::UnsupportedKeyFormat(format) => write!(f, "key format {format} is not supported"),
            Self::UnsupportedObject(tag) => write!(f, "objects of type {tag} are not supported"),
            Self::TooMany { what, limit } => write!(f, "more than {limit} {what}"),
            Self::Invalid { tag, why } => write!(f, "{tag} {why}"),
        }
    }
}
