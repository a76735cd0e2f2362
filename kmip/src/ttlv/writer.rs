//! Makes TTLV bytes; what it wrote is wiped when it is dropped.

use zeroize::Zeroizing;

use super::{HEADER_LEN, ItemType, padding_of};
use crate::registry::Tag;
use crate::version::ProtocolVersion;

/// Room for a typical message, so that most are written without moving.
const FIRST_CAPACITY: usize = 1024;

/// Writes items one after another, for a peer of one version.
///
/// Messages may hold keys, so the buffer is wiped when it is given up: when the writer is dropped, and when it has to
/// grow, which copies into a larger buffer first. A value of 4 GiB or more has no TTLV; its length is written as the
/// largest there is, and no reader takes the message.
pub struct Writer {
    buffer: Zeroizing<Vec<u8>>,
    version: ProtocolVersion,
}

impl Writer {
    /// An empty message of `version`.
    #[must_use]
    pub fn new(version: ProtocolVersion) -> Self {
        Self { buffer: Zeroizing::new(Vec::with_capacity(FIRST_CAPACITY)), version }
    }

    /// The version that is written.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn finish(self) -> Zeroizing<Vec<u8>> {
        self.buffer
    }

    /// A structure with the items that `content` writes.
    pub fn structure(&mut self, tag: Tag, content: impl FnOnce(&mut Self)) {
        let start = self.buffer.len();
        self.header(tag, ItemType::Structure, 0);
        content(self);
        let len = self.buffer.len().saturating_sub(start + HEADER_LEN);
        if let Some(length) = self.buffer.get_mut(start + 4..start + HEADER_LEN) {
            length.copy_from_slice(&length_field(len));
        }
    }

    /// An Integer.
    pub fn integer(&mut self, tag: Tag, value: i32) {
        self.item(tag, ItemType::Integer, &value.to_be_bytes());
    }

    /// A Long Integer.
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.item(tag, ItemType::LongInteger, &value.to_be_bytes());
    }

    /// A Big Integer in two's complement, most significant byte first; any length, extended to a multiple of 8 bytes
    /// by its sign. No bytes are zero.
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let extension = if value.is_empty() { 8 } else { padding_of(value.len()) };
        self.header(tag, ItemType::BigInteger, value.len() + extension);
        let sign = if value.first().is_some_and(|byte| *byte >= 0x80) { 0xFF } else { 0 };
        self.append(&[sign; 8][..extension]);
        self.append(value);
    }

    /// An Enumeration.
    pub fn enumeration(&mut self, tag: Tag, value: u32) {
        self.item(tag, ItemType::Enumeration, &value.to_be_bytes());
    }

    /// A Boolean.
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.item(tag, ItemType::Boolean, &u64::from(value).to_be_bytes());
    }

    /// A Text String.
    pub fn text(&mut self, tag: Tag, value: &str) {
        self.item(tag, ItemType::TextString, value.as_bytes());
    }

    /// A Byte String.
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.item(tag, ItemType::ByteString, value);
    }

    /// A Date-Time in seconds since 1970.
    pub fn date_time(&mut self, tag: Tag, value: i64) {
        self.item(tag, ItemType::DateTime, &value.to_be_bytes());
    }

    /// An Interval in seconds.
    pub fn interval(&mut self, tag: Tag, value: u32) {
        self.item(tag, ItemType::Interval, &value.to_be_bytes());
    }

    /// A Date-Time Extended in microseconds since 1970.
    pub fn date_time_extended(&mut self, tag: Tag, value: i64) {
        self.item(tag, ItemType::DateTimeExtended, &value.to_be_bytes());
    }

    /// Whole items that are TTLV already.
    pub fn raw(&mut self, items: &[u8]) {
        self.append(items);
    }

    fn item(&mut self, tag: Tag, item_type: ItemType, value: &[u8]) {
        self.header(tag, item_type, value.len());
        self.append(value);
        self.append(&[0; 8][..padding_of(value.len())]);
    }

    fn header(&mut self, tag: Tag, item_type: ItemType, len: usize) {
        let [_, a, b, c] = tag.0.to_be_bytes();
        let [l0, l1, l2, l3] = length_field(len);
        self.append(&[a, b, c, item_type.value(), l0, l1, l2, l3]);
    }

    fn append(&mut self, bytes: &[u8]) {
        let needed = self.buffer.len() + bytes.len();
        if needed > self.buffer.capacity() {
            // `Vec` would free the old buffer as it is; this way `Zeroizing` wipes it.
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.buffer.capacity().saturating_mul(2))));
            larger.extend_from_slice(&self.buffer);
            self.buffer = larger;
        }
        self.buffer.extend_from_slice(bytes);
    }
}

fn length_field(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::Reader;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        write(&mut writer);
        hex::encode(writer.finish().as_slice())
    }

    #[test]
    fn big_integers_are_extended_by_their_sign() {
        let tag = Tag(0x42_0020);
        assert_eq!(written(|w| w.big_integer(tag, &[0x01])), "42002004000000080000000000000001");
        assert_eq!(written(|w| w.big_integer(tag, &[0xFE])), "4200200400000008fffffffffffffffe");
        assert_eq!(written(|w| w.big_integer(tag, &[])), "42002004000000080000000000000000");
    }

    #[test]
    fn a_structure_is_as_long_as_what_is_in_it() {
        let tag = Tag(0x42_0020);
        let digits = written(|w| {
            w.structure(tag, |w| {
                w.structure(tag, |_| {});
                w.text(tag, "abc");
            });
        });
        assert_eq!(digits, "4200200100000018420020010000000042002007000000036162630000000000");
    }

    #[test]
    fn growing_keeps_what_was_written() {
        let tag = Tag(0x42_0020);
        let value: Vec<u8> = (0..=255).cycle().take(3 * FIRST_CAPACITY).collect();
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        for _ in 0..5 {
            writer.bytes(tag, &value);
        }
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes, ProtocolVersion::V1_4);
        for _ in 0..5 {
            assert_eq!(reader.next_item().unwrap().unwrap().bytes(), Ok(value.as_slice()));
        }
        assert!(reader.is_empty());
    }
}
