//! Big Integers of keys: the secret ones, and all of them as the unsigned numbers that cryptography computes with.

use std::convert::Infallible;

use secret::Secret;

use crate::Tag;
use crate::ttlv::{ALIGNMENT, BigInteger, DecodeError, Item, Wire, Writer};

/// A Big Integer that is secret: a private exponent, a prime factor. KMIP 2.1 §9.1.1.4.
///
/// Two's complement, most significant byte first, a multiple of 8 bytes; kept as it came, leading zeros and all, so
/// that it goes out, and is hashed, as it came in.
#[derive(Debug, PartialEq, Eq)]
pub struct SecretInteger(Secret);

impl SecretInteger {
    /// The number with these digits, most significant first.
    #[must_use]
    pub fn from_unsigned(digits: &[u8]) -> Self {
        let Ok(bytes) = Secret::filled_by(len_of_unsigned(digits), |bytes| {
            fill_unsigned(bytes, digits);
            Ok::<(), Infallible>(())
        });
        Self(bytes)
    }

    /// The digits without leading zeros, none for zero; `None` for a negative number, which no key has.
    #[must_use]
    pub fn unsigned(&self) -> Option<&[u8]> {
        unsigned(self.0.expose())
    }

    /// The bytes as they stand in a message.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

impl Wire for SecretInteger {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.big_integer(tag, self.0.expose());
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        item.big_integer().map(|bytes| Self(Secret::copy_from(bytes)))
    }
}

impl BigInteger {
    /// The number with these digits, most significant first.
    #[must_use]
    pub fn from_unsigned(digits: &[u8]) -> Self {
        let mut bytes = vec![0; len_of_unsigned(digits)];
        fill_unsigned(&mut bytes, digits);
        Self(bytes)
    }

    /// The digits without leading zeros, none for zero; `None` for a negative number, which no key has.
    #[must_use]
    pub fn unsigned(&self) -> Option<&[u8]> {
        unsigned(&self.0)
    }
}

fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    digits.get(zeros..).unwrap_or_default()
}

fn unsigned(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.first() {
        Some(0x80..) => None,
        _ => Some(without_leading_zeros(bytes)),
    }
}

/// Bytes that the number takes in a message: its digits, a sign, and what is missing to a multiple of 8.
fn len_of_unsigned(digits: &[u8]) -> usize {
    let digits = without_leading_zeros(digits);
    // A first digit with its top bit set would be read as a minus.
    let sign = usize::from(digits.first().is_none_or(|first| *first >= 0x80));
    (digits.len() + sign).next_multiple_of(ALIGNMENT)
}

/// Writes the digits to the end of `bytes`, which is at least as long as they are.
fn fill_unsigned(bytes: &mut [u8], digits: &[u8]) {
    for (place, digit) in bytes.iter_mut().rev().zip(digits.iter().rev()) {
        *place = *digit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::ttlv::Reader;

    #[test]
    fn a_number_is_never_read_as_a_negative_one() {
        for (digits, bytes) in [
            (vec![], vec![0; 8]),
            (vec![0, 0, 0], vec![0; 8]),
            (vec![0x7F; 8], vec![0x7F; 8]),
            (vec![0x80; 8], [vec![0; 8], vec![0x80; 8]].concat()),
            (vec![0, 0, 1], vec![0, 0, 0, 0, 0, 0, 0, 1]),
            // Leading zeros do not make it longer.
            (vec![0; 90].into_iter().chain([5]).collect(), vec![0, 0, 0, 0, 0, 0, 0, 5]),
        ] {
            assert_eq!(SecretInteger::from_unsigned(&digits).secret().expose(), bytes);
            assert_eq!(BigInteger::from_unsigned(&digits).0, bytes);
            let digits = without_leading_zeros(&digits);
            assert_eq!(SecretInteger::from_unsigned(digits).unsigned(), Some(digits));
            assert_eq!(BigInteger::from_unsigned(digits).unsigned(), Some(digits));
        }
        assert_eq!(BigInteger(vec![0xFF; 8]).unsigned(), None);
    }

    #[test]
    fn a_number_with_more_zeros_than_it_needs_keeps_them() {
        let mut w = Writer::new(ProtocolVersion::V2_1);
        w.big_integer(Tag::X, &[0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let bytes = w.finish();
        let item = Reader::new(&bytes, ProtocolVersion::V2_1).next_item().unwrap().unwrap();
        let number = SecretInteger::decode(&item).unwrap();
        assert_eq!((number.secret().len(), number.unsigned()), (16, Some(&[1, 2, 3, 4, 5, 6, 7, 8][..])));
        let mut w = Writer::new(ProtocolVersion::V2_1);
        number.encode(Tag::X, &mut w);
        assert_eq!(w.finish(), bytes);
    }

    #[test]
    fn debug_shows_no_digit() {
        let number = SecretInteger::from_unsigned(&[171; 9]);
        assert_eq!(format!("{number:?}"), "SecretInteger(Secret(16 bytes))");
    }
}
