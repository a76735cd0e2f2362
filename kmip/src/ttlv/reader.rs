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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_DEPTH;
    use crate::ttlv::Writer;

    fn first(digits: &str) -> Result<Item<'static>, DecodeError> {
        let bytes = hex::decode(digits.replace(' ', "")).unwrap().leak();
        let mut reader = Reader::new(bytes, ProtocolVersion::V1_4);
        let item = reader.next_item()?.unwrap();
        reader.finish()?;
        Ok(item)
    }

    fn fault(digits: &str) -> (DecodeErrorKind, usize) {
        let error = first(digits).unwrap_err();
        (error.kind, error.offset)
    }

    /// KMIP 1.4 §9.1.2.
    #[test]
    fn reads_the_examples_of_the_specification() {
        assert_eq!(first("420020 02 00000004 0000000800000000").unwrap().integer(), Ok(8));
        assert_eq!(first("420020 03 00000008 01B69B4BA5749200").unwrap().long_integer(), Ok(123_456_789_000_000_000));
        let big = first("420020 04 00000010 0000000003FD35EB6BC2DF4618080000").unwrap();
        assert_eq!(big.big_integer(), Ok(&1_234_567_890_000_000_000_000_000_000_i128.to_be_bytes()[..]));
        assert_eq!(first("420020 05 00000004 000000FF00000000").unwrap().enumeration(), Ok(255));
        assert_eq!(first("420020 06 00000008 0000000000000001").unwrap().boolean(), Ok(true));
        assert_eq!(first("420020 07 0000000B 48656C6C6F20576F726C640000000000").unwrap().text(), Ok("Hello World"));
        assert_eq!(first("420020 08 00000003 0102030000000000").unwrap().bytes(), Ok(&[1, 2, 3][..]));
        assert_eq!(first("420020 09 00000008 0000000047DA67F8").unwrap().date_time(), Ok(1_205_495_800));
        assert_eq!(first("420020 0A 00000004 000D2F0000000000").unwrap().interval(), Ok(10 * 24 * 60 * 60));
        let structure =
            first("420020 01 00000020 420004 05 00000004 000000FE00000000 420005 02 00000004 000000FF00000000")
                .unwrap();
        let mut inside = structure.structure().unwrap();
        assert_eq!(inside.next_item().unwrap().unwrap().enumeration(), Ok(254));
        let second = inside.next_item().unwrap().unwrap();
        assert_eq!((second.integer(), second.offset, second.tag), (Ok(255), 24, Tag(0x42_0005)));
        assert!(inside.next_item().unwrap().is_none());
    }

    #[test]
    fn rejects_length_past_end() {
        let (kind, offset) = fault("420020 08 00000009 0102030405060708");
        assert_eq!((kind, offset), (DecodeErrorKind::LengthPastEnd { length: 9, available: 8 }, 4));
        // The value is there, its padding is not.
        let (kind, offset) = fault("420020 08 00000003 010203");
        assert_eq!((kind, offset), (DecodeErrorKind::LengthPastEnd { length: 3, available: 3 }, 4));
    }

    #[test]
    fn an_announced_length_of_four_gibibytes_is_only_a_number() {
        let (kind, _) = fault("420078 01 FFFFFFF8 0000000000000000");
        assert_eq!(kind, DecodeErrorKind::LengthPastEnd { length: 0xFFFF_FFF8, available: 8 });
        let (kind, _) = fault("420078 08 FFFFFFFF 0000000000000000");
        assert_eq!(kind, DecodeErrorKind::LengthPastEnd { length: u32::MAX, available: 8 });
    }

    #[test]
    fn rejects_an_item_that_leaves_its_structure() {
        let structure = first("420020 01 00000010 420004 08 00000010 0000000000000000").unwrap();
        let error = structure.structure().unwrap().next_item().unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::LengthPastEnd { length: 16, available: 8 });
        assert_eq!(error.offset, 12);
    }

    #[test]
    fn rejects_types_that_do_not_exist() {
        assert_eq!(fault("420020 00 00000000"), (DecodeErrorKind::UnknownType(0), 3));
        assert_eq!(fault("420020 0C 00000000"), (DecodeErrorKind::UnknownType(12), 3));
    }

    #[test]
    fn rejects_lengths_that_the_type_does_not_have() {
        for (digits, item_type, length) in [
            ("420020 02 00000008 0000000000000000", ItemType::Integer, 8),
            ("420020 03 00000004 0000000000000000", ItemType::LongInteger, 4),
            ("420020 04 00000004 0000000000000000", ItemType::BigInteger, 4),
            ("420020 04 00000000", ItemType::BigInteger, 0),
            ("420020 05 00000000", ItemType::Enumeration, 0),
            ("420020 06 00000001 0100000000000000", ItemType::Boolean, 1),
            ("420020 01 00000004 0000000000000000", ItemType::Structure, 4),
        ] {
            assert_eq!(fault(digits), (DecodeErrorKind::WrongLength { item_type, length }, 4), "{digits}");
        }
    }

    #[test]
    fn rejects_padding_that_is_not_zero() {
        assert_eq!(fault("420020 02 00000004 0000000800000100"), (DecodeErrorKind::PaddingNotZero, 14));
    }

    #[test]
    fn rejects_a_boolean_that_is_neither() {
        assert_eq!(fault("420020 06 00000008 0100000000000000"), (DecodeErrorKind::BooleanValue, 8));
    }

    #[test]
    fn rejects_text_that_is_not_utf8() {
        assert_eq!(fault("420020 07 00000003 6162FF0000000000"), (DecodeErrorKind::NotUtf8, 10));
    }

    #[test]
    fn rejects_what_follows_the_last_item() {
        assert_eq!(fault("420020 08 00000000 42"), (DecodeErrorKind::TrailingBytes(1), 8));
    }

    #[test]
    fn rejects_an_access_by_another_type() {
        let item = first("420020 02 00000004 0000000800000000").unwrap();
        let error = item.text().unwrap_err();
        assert_eq!(error.to_string(), "Compromise Date is Integer, should be TextString at byte 0");
    }

    #[test]
    fn structures_nest_to_the_limit_and_no_deeper() {
        fn nested(depth: usize) -> Vec<u8> {
            fn write(depth: usize, writer: &mut Writer) {
                writer.structure(Tag(0x42_0020), |writer| {
                    if depth > 1 {
                        write(depth - 1, writer);
                    }
                });
            }
            let mut writer = Writer::new(ProtocolVersion::V1_4);
            write(depth, &mut writer);
            writer.finish().to_vec()
        }
        assert_eq!(Reader::new(&nested(MAX_DEPTH), ProtocolVersion::V1_4).check_all(), Ok(()));
        let error = Reader::new(&nested(MAX_DEPTH + 1), ProtocolVersion::V1_4).check_all().unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::TooDeep, MAX_DEPTH * HEADER_LEN));
        // A bomb of headers costs no more than the limit.
        assert!(Reader::new(&nested(1000), ProtocolVersion::V1_4).check_all().is_err());
    }

    #[test]
    fn an_error_stays_an_error() {
        let bytes = hex::decode("4200200C00000000").unwrap();
        let mut reader = Reader::new(&bytes, ProtocolVersion::V1_4);
        assert_eq!(reader.peek_tag(), Ok(Some(Tag(0x42_0020))));
        assert_eq!(reader.next_item().unwrap_err(), reader.next_item().unwrap_err());
    }
}
