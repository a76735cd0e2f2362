//! Walks the items of a message where they lie: nothing is copied, nothing is allocated.

use super::{ALIGNMENT, DecodeError, DecodeErrorKind, HEADER_LEN, Item, ItemType, padding_of};
use crate::registry::Tag;
use crate::version::ProtocolVersion;

/// A cursor over the items of one structure, or of a whole message.
///
/// Every item is checked before it is handed out: that it ends before what encloses it, that its type exists and its
/// length is one of the type, that padding is zero, that a Boolean is 0 or 1 and text is UTF-8. An announced length is
/// compared, never believed.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Bytes from the start of the message to `rest`.
    offset: usize,
    version: ProtocolVersion,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Over the items of a whole message, offsets counted from the first of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], version: ProtocolVersion) -> Self {
        Self::inside(bytes, 0, version, 0)
    }

    pub(super) fn inside(rest: &'a [u8], offset: usize, version: ProtocolVersion, depth: usize) -> Self {
        Self { rest, offset, version, depth }
    }

    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// The same cursor, in a message of `version`.
    #[must_use]
    pub fn with_version(self, version: ProtocolVersion) -> Self {
        Self { version, ..self }
    }

    /// Bytes from the start of the message to the next item.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether no item is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next item, which stays.
    ///
    /// # Errors
    /// [`DecodeErrorKind::HeaderCutOff`].
    pub fn peek_tag(&self) -> Result<Option<Tag>, DecodeError> {
        if self.is_empty() {
            return Ok(None);
        }
        match self.rest.first_chunk::<HEADER_LEN>() {
            Some([a, b, c, ..]) => Ok(Some(Tag(u32::from_be_bytes([0, *a, *b, *c])))),
            None => Err(self.error(0, DecodeErrorKind::HeaderCutOff { available: self.rest.len() })),
        }
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not well formed. The cursor stays, so the error comes again.
    pub fn next_item(&mut self) -> Result<Option<Item<'a>>, DecodeError> {
        if self.is_empty() {
            return Ok(None);
        }
        let Some((&[a, b, c, type_number, l0, l1, l2, l3], body)) = self.rest.split_first_chunk::<HEADER_LEN>() else {
            return Err(self.error(0, DecodeErrorKind::HeaderCutOff { available: self.rest.len() }));
        };
        let tag = Tag(u32::from_be_bytes([0, a, b, c]));
        let item_type = ItemType::from_value(type_number)
            .ok_or_else(|| self.error(3, DecodeErrorKind::UnknownType(type_number)))?;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let past_end = self.error(4, DecodeErrorKind::LengthPastEnd { length, available: body.len() });
        let value_len = usize::try_from(length).map_err(|_| past_end)?;
        let right = match item_type {
            // Items inside are whole and padded, so their sum is aligned.
            ItemType::Structure => value_len % ALIGNMENT == 0,
            // A number has at least one digit.
            ItemType::BigInteger => value_len % ALIGNMENT == 0 && value_len > 0,
            fixed => fixed.fixed_len().is_none_or(|len| len == value_len),
        };
        if !right {
            return Err(self.error(4, DecodeErrorKind::WrongLength { item_type, length }));
        }
        let (value, padded) = body.split_at_checked(value_len).ok_or(past_end)?;
        let (padding, rest) = padded.split_at_checked(padding_of(value_len)).ok_or(past_end)?;
        if let Some(at) = padding.iter().position(|byte| *byte != 0) {
            return Err(self.error(HEADER_LEN + value_len + at, DecodeErrorKind::PaddingNotZero));
        }
        match item_type {
            ItemType::Boolean if !matches!(value, [0, 0, 0, 0, 0, 0, 0, 0 | 1]) => {
                return Err(self.error(HEADER_LEN, DecodeErrorKind::BooleanValue));
            }
            ItemType::TextString => {
                if let Err(error) = std::str::from_utf8(value) {
                    return Err(self.error(HEADER_LEN + error.valid_up_to(), DecodeErrorKind::NotUtf8));
                }
            }
            _ => {}
        }
        let len = HEADER_LEN + value.len() + padding.len();
        let raw = self.rest.split_at_checked(len).map_or(self.rest, |(raw, _)| raw);
        let item = Item { tag, item_type, offset: self.offset, raw, value, version: self.version, depth: self.depth };
        self.rest = rest;
        self.offset += len;
        Ok(Some(item))
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// [`DecodeErrorKind::TrailingBytes`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.error(0, DecodeErrorKind::TrailingBytes(self.rest.len())))
    }

    /// Reads all items that are left, and all inside them. Afterwards every byte was looked at.
    ///
    /// # Errors
    /// The first [`DecodeError`] there is.
    pub fn check_all(mut self) -> Result<(), DecodeError> {
        while let Some(item) = self.next_item()? {
            if item.item_type == ItemType::Structure {
                // The recursion ends at MAX_DEPTH, which `structure` keeps.
                item.structure()?.check_all()?;
            }
        }
        Ok(())
    }

    fn error(&self, beyond: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, offset: self.offset + beyond }
    }
}
