//! The fields of one structure, read in the order of the specification.

use crate::limits::MAX_REPETITIONS;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Reader, Wire};
use crate::{ProtocolVersion, Tag};

/// A cursor over the fields of one structure.
///
/// Fields have to come in the order of the specification (KMIP 1.4 §7). A field that the structure does not have is an
/// error, unless the peer speaks a newer minor version than this crate knows: then it is passed over (KMIP 1.4 §11.1).
pub struct Fields<'a> {
    reader: Reader<'a>,
    /// Where the structure begins, to tell a doubled field from one out of place.
    start: Reader<'a>,
    is_field: fn(Tag, ProtocolVersion) -> bool,
    lenient: bool,
}

impl<'a> Fields<'a> {
    /// The fields of `reader`; `is_field` says which tags the structure has in a version.
    pub fn new(reader: Reader<'a>, is_field: fn(Tag, ProtocolVersion) -> bool) -> Self {
        let version = reader.version();
        let lenient = version != ProtocolVersion::EVERY && !ProtocolVersion::ALL.contains(&version);
        Self { start: reader.clone(), reader, is_field, lenient }
    }

    /// The version of the message.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.reader.version()
    }

    /// The tag of the next field that this crate knows.
    ///
    /// # Errors
    /// [`DecodeError`] for an item that is not well formed.
    pub fn peek(&mut self) -> Result<Option<Tag>, DecodeError> {
        loop {
            match self.reader.peek_tag()? {
                Some(tag) if self.lenient && !(self.is_field)(tag, self.version()) => {
                    self.reader.next_item()?;
                }
                next => return Ok(next),
            }
        }
    }

    /// The next item, if it has `tag`.
    ///
    /// # Errors
    /// [`DecodeError`] for an item that is not well formed.
    pub fn take(&mut self, tag: Tag) -> Result<Option<Item<'a>>, DecodeError> {
        if self.peek()? == Some(tag) { self.reader.next_item() } else { Ok(None) }
    }

    /// The next item, which has to have `tag`.
    ///
    /// # Errors
    /// [`DecodeErrorKind::MissingField`], or what is wrong with the item that stands there instead.
    pub fn require(&mut self, tag: Tag) -> Result<Item<'a>, DecodeError> {
        if let Some(item) = self.take(tag)? {
            return Ok(item);
        }
        let kind = match self.reader.peek_tag()? {
            Some(other) if !(self.is_field)(other, self.version()) => DecodeErrorKind::UnknownField(other),
            Some(other) if self.was_read(other) => DecodeErrorKind::DuplicateField(other),
            Some(other) if occurs(self.reader.clone(), usize::MAX, tag) => DecodeErrorKind::MisplacedField(other),
            _ => DecodeErrorKind::MissingField(tag),
        };
        Err(self.error(kind))
    }

    /// A field that may be absent.
    ///
    /// # Errors
    /// Whatever decoding its value fails with.
    pub fn optional<T: Wire>(&mut self, tag: Tag) -> Result<Option<T>, DecodeError> {
        self.take(tag)?.map(|item| T::decode(&item)).transpose()
    }

    /// A field that has to be there.
    ///
    /// # Errors
    /// [`DecodeErrorKind::MissingField`], or whatever decoding its value fails with.
    pub fn required<T: Wire>(&mut self, tag: Tag) -> Result<T, DecodeError> {
        T::decode(&self.require(tag)?)
    }

    /// All neighbouring items with `tag`, at most `limit`, each read by `decode`.
    ///
    /// # Errors
    /// [`DecodeErrorKind::TooMany`] over the limit, or whatever decoding a value fails with.
    pub fn repeated_by<T>(
        &mut self,
        tag: Tag,
        limit: usize,
        decode: impl Fn(&Item<'a>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        // The room is for items that are really there, counted first: growing by doubling would cost up to three
        // times as much.
        let mut values = Vec::with_capacity(self.count(tag, limit)?);
        while let Some(item) = self.take(tag)? {
            values.push(decode(&item)?);
        }
        Ok(values)
    }

    /// All neighbouring items with `tag`, at most [`MAX_REPETITIONS`].
    ///
    /// # Errors
    /// As [`Fields::repeated_by`].
    pub fn repeated<T: Wire>(&mut self, tag: Tag) -> Result<Vec<T>, DecodeError> {
        self.repeated_by(tag, MAX_REPETITIONS, T::decode)
    }

    /// Ends the structure.
    ///
    /// # Errors
    /// [`DecodeErrorKind::UnknownField`], [`DecodeErrorKind::DuplicateField`] or [`DecodeErrorKind::MisplacedField`]
    /// where an item is left.
    pub fn finish(mut self) -> Result<(), DecodeError> {
        let Some(tag) = self.peek()? else { return Ok(()) };
        let kind = if !(self.is_field)(tag, self.version()) {
            DecodeErrorKind::UnknownField(tag)
        } else if self.was_read(tag) {
            DecodeErrorKind::DuplicateField(tag)
        } else {
            DecodeErrorKind::MisplacedField(tag)
        };
        Err(self.error(kind))
    }

    /// An error at the cursor.
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, offset: self.reader.offset() }
    }

    fn count(&self, tag: Tag, limit: usize) -> Result<usize, DecodeError> {
        let mut ahead = Self { reader: self.reader.clone(), start: self.start.clone(), ..*self };
        let mut count = 0;
        while ahead.take(tag)?.is_some() {
            count += 1;
            if count > limit {
                return Err(ahead.error(DecodeErrorKind::TooMany { what: tag.text().unwrap_or("items"), limit }));
            }
        }
        Ok(count)
    }

    fn was_read(&self, tag: Tag) -> bool {
        occurs(self.start.clone(), self.reader.offset(), tag)
    }
}

/// Whether an item with `tag` stands before the offset `end`.
fn occurs(mut reader: Reader<'_>, end: usize, tag: Tag) -> bool {
    while reader.offset() < end {
        match reader.next_item() {
            Ok(Some(item)) if item.tag == tag => return true,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    false
}
