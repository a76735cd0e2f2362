//! DER as far as certificates and requests need it: a cursor over elements, and a writer that puts lengths in front.

use crate::CryptoError;

/// Tags of universal elements that are named here.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;

    /// A constructed element of the context.
    pub(crate) const fn context(number: u8) -> u8 {
        0xa0 | number
    }
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
    /// Header and contents.
    pub(crate) whole: &'a [u8],
}

/// A cursor over elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, or `None` where there is no whole one of definite length and low tag.
    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let len = element_len(self.0)?;
        let (whole, rest) = self.0.split_at_checked(len)?;
        let header = header_len(whole)?;
        let element = Element { tag: *whole.first()?, contents: whole.get(header..)?, whole };
        self.0 = rest;
        Some(element)
    }

    /// The next element, if it has this tag; else the cursor stays.
    pub(crate) fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, CryptoError> {
        self.next_if(tag).ok_or(CryptoError::InvalidInput("the encoding"))
    }
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(crate) const fn inside(&self) -> Elements<'a> {
        Elements::new(self.contents)
    }
}

/// Length of the element at the start of `bytes`, header and all; `None` for a header that is cut off, of indefinite
/// length, or with a high tag.
pub(crate) fn element_len(bytes: &[u8]) -> Option<usize> {
    let header = header_len(bytes)?;
    let first = *bytes.get(1)?;
    let len = match first {
        0..=0x7f => usize::from(first),
        _ => bytes.get(2..header)?.iter().fold(0usize, |len, byte| len << 8 | usize::from(*byte)),
    };
    len.checked_add(header)
}

fn header_len(bytes: &[u8]) -> Option<usize> {
    let [tag, first, ..] = bytes else { return None };
    if tag & 0x1f == 0x1f {
        return None;
    }
    match *first {
        0..=0x7f => Some(2),
        0x81..=0x84 => Some(2 + usize::from(first & 0x7f)),
        _ => None,
    }
}

/// An element of `parts` one after the other.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(len + 6);
    bytes.push(tag);
    match u8::try_from(len) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        _ => {
            let digits = len.to_be_bytes();
            let from = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
            let digits = digits.get(from..).unwrap_or_default();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            bytes.extend_from_slice(digits);
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// An INTEGER from big-endian digits.
pub(crate) fn unsigned_integer(digits: &[u8]) -> Vec<u8> {
    let from = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let digits = digits.get(from..).unwrap_or_default();
    match digits.first() {
        None => element(tag::INTEGER, &[&[0]]),
        Some(0x80..) => element(tag::INTEGER, &[&[0], digits]),
        Some(_) => element(tag::INTEGER, &[digits]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for len in [0, 1, 127, 128, 255, 256, 70_000] {
            let contents = vec![7; len];
            let bytes = element(tag::OCTET_STRING, &[&contents]);
            let mut elements = Elements::new(&bytes);
            let element = elements.next().unwrap();
            assert_eq!((element.tag, element.contents), (tag::OCTET_STRING, &contents[..]));
            assert_eq!(element.whole, bytes);
            assert!(elements.is_empty());
        }
    }

    #[test]
    fn cuts_and_indefinite_lengths_are_no_elements() {
        let whole = element(tag::SEQUENCE, &[&[1; 200]]);
        for len in 0..whole.len() {
            assert!(Elements::new(&whole[..len]).next().is_none(), "{len}");
        }
        for bytes in [&[0x30, 0x80, 0, 0][..], &[0x30, 0x85, 1, 0, 0, 0, 0], &[0x1f, 0x01, 0]] {
            assert!(Elements::new(bytes).next().is_none(), "{bytes:02x?}");
        }
    }

    #[test]
    fn integers_have_a_sign_and_no_needless_zeros() {
        assert_eq!(unsigned_integer(&[]), [2, 1, 0]);
        assert_eq!(unsigned_integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(unsigned_integer(&[0x80]), [2, 2, 0, 0x80]);
    }
}
