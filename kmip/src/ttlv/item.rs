//! One item of a message: what a [`Reader`] hands out.

use std::fmt;

use super::{DecodeError, DecodeErrorKind, HEADER_LEN, Reader};
use crate::limits::MAX_DEPTH;
use crate::registry::Tag;
use crate::version::ProtocolVersion;

/// The type of an item's value. KMIP 1.4 §9.1.1.2; 0x0B since 2.0 (KMIP 2.1 §9.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ItemType {
    /// Items one after another.
    Structure = 0x01,
    /// 32 bits, signed.
    Integer = 0x02,
    /// 64 bits, signed.
    LongInteger = 0x03,
    /// Two's complement, a multiple of 8 bytes.
    BigInteger = 0x04,
    /// 32 bits.
    Enumeration = 0x05,
    /// 64 bits, 0 or 1.
    Boolean = 0x06,
    /// UTF-8.
    TextString = 0x07,
    /// Bytes.
    ByteString = 0x08,
    /// Seconds since 1970, 64 bits, signed.
    DateTime = 0x09,
    /// Seconds, 32 bits.
    Interval = 0x0A,
    /// Microseconds since 1970, 64 bits, signed.
    DateTimeExtended = 0x0B,
}

impl ItemType {
    /// Every type, in rising order of number.
    pub const ALL: [Self; 11] = [
        Self::Structure,
        Self::Integer,
        Self::LongInteger,
        Self::BigInteger,
        Self::Enumeration,
        Self::Boolean,
        Self::TextString,
        Self::ByteString,
        Self::DateTime,
        Self::Interval,
        Self::DateTimeExtended,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// The type of a number.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value).checked_sub(1)?).copied()
    }

    /// The name in XML and JSON.
    #[must_use]
    pub const fn xml_name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "LongInteger",
            Self::BigInteger => "BigInteger",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "TextString",
            Self::ByteString => "ByteString",
            Self::DateTime => "DateTime",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "DateTimeExtended",
        }
    }

    /// The length that every value of this type has, where there is only one.
    #[must_use]
    pub const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::Integer | Self::Enumeration | Self::Interval => Some(4),
            Self::LongInteger | Self::Boolean | Self::DateTime | Self::DateTimeExtended => Some(8),
            Self::Structure | Self::BigInteger | Self::TextString | Self::ByteString => None,
        }
    }
}

impl fmt::Display for ItemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.xml_name())
    }
}

/// An item whose header and value were checked. The content of a structure is checked when it is read.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// What it is.
    pub tag: Tag,
    /// The type of its value.
    pub item_type: ItemType,
    /// Bytes from the start of the message to its tag.
    pub offset: usize,
    pub(super) raw: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) version: ProtocolVersion,
    /// Structures around it.
    pub(super) depth: usize,
}

impl<'a> Item<'a> {
    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The whole item: header, value, padding.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes of the value, whatever its type, without padding.
    #[must_use]
    pub fn value_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// An error about this item.
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, offset: self.offset }
    }

    /// Checks the tag.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongTag`].
    pub fn expect_tag(&self, expected: Tag) -> Result<(), DecodeError> {
        if self.tag == expected {
            return Ok(());
        }
        Err(self.error(DecodeErrorKind::WrongTag { expected, found: self.tag }))
    }

    /// The items inside.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`], [`DecodeErrorKind::TooDeep`].
    pub fn structure(&self) -> Result<Reader<'a>, DecodeError> {
        self.expect_type(ItemType::Structure)?;
        if self.depth >= MAX_DEPTH {
            return Err(self.error(DecodeErrorKind::TooDeep));
        }
        Ok(Reader::inside(self.value, self.offset + HEADER_LEN, self.version, self.depth + 1))
    }

    /// An Integer.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn integer(&self) -> Result<i32, DecodeError> {
        self.fixed(ItemType::Integer).map(i32::from_be_bytes)
    }

    /// A Long Integer.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn long_integer(&self) -> Result<i64, DecodeError> {
        self.fixed(ItemType::LongInteger).map(i64::from_be_bytes)
    }

    /// A Big Integer: two's complement, most significant byte first, sign-extended to a multiple of 8 bytes.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn big_integer(&self) -> Result<&'a [u8], DecodeError> {
        self.expect_type(ItemType::BigInteger)?;
        Ok(self.value)
    }

    /// The number of an Enumeration.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn enumeration(&self) -> Result<u32, DecodeError> {
        self.fixed(ItemType::Enumeration).map(u32::from_be_bytes)
    }

    /// A Boolean.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn boolean(&self) -> Result<bool, DecodeError> {
        match self.fixed(ItemType::Boolean).map(u64::from_be_bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.error(DecodeErrorKind::BooleanValue)),
        }
    }

    /// A Text String.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn text(&self) -> Result<&'a str, DecodeError> {
        self.expect_type(ItemType::TextString)?;
        std::str::from_utf8(self.value).map_err(|_| self.error(DecodeErrorKind::NotUtf8))
    }

    /// A Byte String.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn bytes(&self) -> Result<&'a [u8], DecodeError> {
        self.expect_type(ItemType::ByteString)?;
        Ok(self.value)
    }

    /// A Date-Time in seconds since 1970.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn date_time(&self) -> Result<i64, DecodeError> {
        self.fixed(ItemType::DateTime).map(i64::from_be_bytes)
    }

    /// An Interval in seconds.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn interval(&self) -> Result<u32, DecodeError> {
        self.fixed(ItemType::Interval).map(u32::from_be_bytes)
    }

    /// A Date-Time Extended in microseconds since 1970.
    ///
    /// # Errors
    /// [`DecodeErrorKind::WrongType`].
    pub fn date_time_extended(&self) -> Result<i64, DecodeError> {
        self.fixed(ItemType::DateTimeExtended).map(i64::from_be_bytes)
    }

    fn expect_type(&self, expected: ItemType) -> Result<(), DecodeError> {
        if self.item_type == expected {
            return Ok(());
        }
        Err(self.error(DecodeErrorKind::WrongType { tag: self.tag, expected, found: self.item_type }))
    }

    fn fixed<const N: usize>(&self, expected: ItemType) -> Result<[u8; N], DecodeError> {
        self.expect_type(expected)?;
        self.value.try_into().map_err(|_| {
            let length = u32::try_from(self.value.len()).unwrap_or(u32::MAX);
            self.error(DecodeErrorKind::WrongLength { item_type: expected, length })
        })
    }
}

impl fmt::Debug for Item<'_> {
    /// Not the value: it may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({}, {}, {} bytes at {})", self.tag, self.item_type, self.value.len(), self.offset)
    }
}
