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
        Self { start: reader.clone(), reader, is_field, lenient: version.is_unheard_of() }
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
        match self.take(tag)? {
            Some(item) => Ok(item),
            None => Err(self.missing(tag)),
        }
    }

    /// Why the item at the cursor is not the one with `tag`, which has to stand there.
    #[must_use]
    pub fn missing(&self, tag: Tag) -> DecodeError {
        self.error(match self.reader.peek_tag() {
            Err(fault) => return fault,
            Ok(Some(other)) if !(self.is_field)(other, self.version()) => DecodeErrorKind::UnknownField(other),
            Ok(Some(other)) if self.was_read(other) => DecodeErrorKind::DuplicateField(other),
            Ok(Some(other)) if occurs(self.reader.clone(), usize::MAX, tag) => DecodeErrorKind::MisplacedField(other),
            Ok(_) => DecodeErrorKind::MissingField(tag),
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_ATTRIBUTES;
    use crate::ttlv::Writer;

    const V1_5: ProtocolVersion = ProtocolVersion { major: 1, minor: 5 };
    /// A tag of the vendors' range.
    const STRANGER: Tag = Tag(0x54_0001);

    crate::wire::structure! {
        /// A structure with a field of each kind.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Example {
            /// Has to be there.
            required first: String = Tag::USERNAME,
            /// May be absent.
            optional second: i32 = Tag::BATCH_COUNT,
            /// Came with 1.2.
            optional third: bool = Tag::RANDOM_IV [since V1_2],
            /// Went with 1.2.
            optional fourth: bool = Tag::FRESH [since V1_1] [until V1_2],
            /// Any number.
            repeated fifth: crate::registry::KeyFormatType = Tag::KEY_FORMAT_TYPE,
        }
    }

    fn read(version: ProtocolVersion, write: impl FnOnce(&mut Writer)) -> Result<Example, DecodeError> {
        let mut w = Writer::new(version);
        w.structure(Tag::REQUEST_PAYLOAD, write);
        let bytes = w.finish();
        let item = Reader::new(&bytes, version).next_item()?.unwrap();
        Example::decode(&item)
    }

    fn error(version: ProtocolVersion, write: impl FnOnce(&mut Writer)) -> (DecodeErrorKind, usize) {
        let error = read(version, write).unwrap_err();
        (error.kind, error.offset)
    }

    fn first(w: &mut Writer) {
        w.text(Tag::USERNAME, "a");
    }

    #[test]
    fn a_missing_field_is_named_where_it_should_stand() {
        let fault = error(ProtocolVersion::V1_4, |w| w.integer(Tag::BATCH_COUNT, 1));
        assert_eq!(fault, (DecodeErrorKind::MissingField(Tag::USERNAME), 8));
        assert_eq!(error(ProtocolVersion::V1_4, |_| {}), (DecodeErrorKind::MissingField(Tag::USERNAME), 8));
    }

    #[test]
    fn a_doubled_field_is_told_from_one_out_of_order() {
        let doubled = error(ProtocolVersion::V1_4, |w| {
            first(w);
            w.integer(Tag::BATCH_COUNT, 1);
            w.integer(Tag::BATCH_COUNT, 2);
        });
        assert_eq!(doubled, (DecodeErrorKind::DuplicateField(Tag::BATCH_COUNT), 8 + 16 + 16));
        let misplaced = error(ProtocolVersion::V1_4, |w| {
            first(w);
            w.boolean(Tag::RANDOM_IV, true);
            w.integer(Tag::BATCH_COUNT, 1);
        });
        assert_eq!(misplaced, (DecodeErrorKind::MisplacedField(Tag::BATCH_COUNT), 8 + 16 + 16));
        let before_the_required_one = error(ProtocolVersion::V1_4, |w| {
            w.integer(Tag::BATCH_COUNT, 1);
            first(w);
        });
        assert_eq!(before_the_required_one, (DecodeErrorKind::MisplacedField(Tag::BATCH_COUNT), 8));
    }

    #[test]
    fn a_field_that_no_version_has_is_refused() {
        let last = error(ProtocolVersion::V1_4, |w| {
            first(w);
            w.integer(STRANGER, 1);
        });
        assert_eq!(last, (DecodeErrorKind::UnknownField(STRANGER), 24));
        let instead = error(ProtocolVersion::V1_4, |w| w.integer(STRANGER, 1));
        assert_eq!(instead, (DecodeErrorKind::UnknownField(STRANGER), 8));
    }

    #[test]
    fn a_field_of_another_version_is_refused() {
        let newer = error(ProtocolVersion::V1_1, |w| {
            first(w);
            w.boolean(Tag::RANDOM_IV, true);
        });
        assert_eq!(newer, (DecodeErrorKind::UnknownField(Tag::RANDOM_IV), 24));
        let older = error(ProtocolVersion::V1_3, |w| {
            first(w);
            w.boolean(Tag::FRESH, true);
        });
        assert_eq!(older, (DecodeErrorKind::UnknownField(Tag::FRESH), 24));
    }

    #[test]
    fn a_peer_of_a_newer_minor_version_may_send_what_is_not_understood() {
        let read = read(V1_5, |w| {
            w.integer(STRANGER, 1);
            first(w);
            w.integer(STRANGER, 1);
            w.boolean(Tag::RANDOM_IV, true);
            w.enumeration(Tag::KEY_FORMAT_TYPE, 1);
            w.integer(STRANGER, 1);
            w.enumeration(Tag::KEY_FORMAT_TYPE, 2);
            w.integer(STRANGER, 1);
        });
        let read = read.unwrap();
        assert_eq!((read.first.as_str(), read.third, read.fifth.len()), ("a", Some(true), 2));
    }

    #[test]
    fn what_the_peer_does_not_know_is_left_out() {
        use crate::registry::KeyFormatType;
        let whole = Example {
            first: "a".into(),
            second: Some(1),
            third: Some(true),
            fourth: Some(true),
            fifth: vec![KeyFormatType::Raw, KeyFormatType::Pkcs12, KeyFormatType::Pkcs10],
        };
        let told = |version| {
            let mut w = Writer::new(version);
            whole.encode(Tag::REQUEST_PAYLOAD, &mut w);
            let bytes = w.finish();
            Example::decode(&Reader::new(&bytes, version).next_item().unwrap().unwrap()).unwrap()
        };
        let known = |version| {
            let told = told(version);
            (told.third.is_some(), told.fourth.is_some(), told.fifth.len())
        };
        assert_eq!(known(ProtocolVersion::V1_0), (false, false, 1));
        assert_eq!(known(ProtocolVersion::V1_1), (false, true, 1));
        assert_eq!(known(ProtocolVersion::V1_2), (true, true, 1));
        assert_eq!(known(ProtocolVersion::V1_4), (true, false, 2));
        assert_eq!(told(ProtocolVersion::EVERY), whole);
    }

    #[test]
    fn repetitions_have_a_limit() {
        let mut w = Writer::new(ProtocolVersion::V1_4);
        (0..=MAX_ATTRIBUTES).for_each(|_| w.integer(Tag::BATCH_COUNT, 1));
        let bytes = w.finish();
        let read = |limit| {
            let mut fields = Fields::new(Reader::new(&bytes, ProtocolVersion::V1_4), |_, _| true);
            fields.repeated_by(Tag::BATCH_COUNT, limit, i32::decode).map(|values| values.len())
        };
        assert_eq!(read(MAX_ATTRIBUTES + 1), Ok(MAX_ATTRIBUTES + 1));
        let refused = read(MAX_ATTRIBUTES).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::TooMany { what: "Batch Count", limit: MAX_ATTRIBUTES });
    }
}
