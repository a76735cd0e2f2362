//! The two forms of an ECDSA P-256 signature: `r‖s` as PKCS#11 returns it, and DER as signed notes carry it.

use thiserror::Error;

/// Bytes of one of the two integers.
const COORDINATE_LEN: usize = 32;
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const SIGN_BIT: u8 = 0x80;

/// The bytes are not the DER encoding of two integers of at most 256 bits, each in its one shortest form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a DER-encoded P-256 signature")]
pub struct SignatureError;

/// `r‖s`, 64 bytes, as `SEQUENCE { INTEGER r, INTEGER s }`. RFC 3279 §2.2.3.
#[must_use]
pub fn der_from_fixed(fixed: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(2 * (COORDINATE_LEN + 3));
    for integer in fixed.chunks_exact(COORDINATE_LEN) {
        // Zero is written as one zero byte.
        let from = integer.iter().position(|byte| *byte != 0).unwrap_or(COORDINATE_LEN - 1);
        let digits = integer.get(from..).unwrap_or_default();
        let sign: &[u8] = if digits.first().is_some_and(|first| first & SIGN_BIT != 0) { &[0] } else { &[] };
        body.push(INTEGER);
        body.push(short_len(sign.len() + digits.len()));
        body.extend_from_slice(sign);
        body.extend_from_slice(digits);
    }
    let mut der = vec![SEQUENCE, short_len(body.len())];
    der.append(&mut body);
    der
}

/// At most 2 × 35 bytes are ever counted here, so the short form of a DER length is enough.
fn short_len(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

/// `SEQUENCE { INTEGER r, INTEGER s }` as `r‖s`. Only the one DER form is accepted: no padding, nothing after.
///
/// # Errors
/// [`SignatureError`].
pub fn fixed_from_der(der: &[u8]) -> Result<[u8; 64], SignatureError> {
    let (body, after) = value_of(SEQUENCE, der)?;
    let (r, rest) = value_of(INTEGER, body)?;
    let (s, behind) = value_of(INTEGER, rest)?;
    if !after.is_empty() || !behind.is_empty() {
        return Err(SignatureError);
    }
    let mut fixed = [0; 64];
    for (integer, place) in [r, s].into_iter().zip(fixed.chunks_exact_mut(COORDINATE_LEN)) {
        let digits = match integer {
            // A leading zero is there for the sign bit, or it is the number zero.
            [0, digits @ ..] if digits.first().is_some_and(|first| first & SIGN_BIT != 0) => digits,
            [0] => integer,
            [first, ..] if *first != 0 && first & SIGN_BIT == 0 => integer,
            _ => return Err(SignatureError),
        };
        let from = COORDINATE_LEN.checked_sub(digits.len()).ok_or(SignatureError)?;
        place.get_mut(from..).ok_or(SignatureError)?.copy_from_slice(digits);
    }
    Ok(fixed)
}

fn value_of(tag: u8, der: &[u8]) -> Result<(&[u8], &[u8]), SignatureError> {
    match der {
        // Two integers of 33 bytes never need the long form of a length.
        [found, len, rest @ ..] if *found == tag && *len < SIGN_BIT => {
            rest.split_at_checked(usize::from(*len)).ok_or(SignatureError)
        }
        _ => Err(SignatureError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_and_sign_bits_are_written_as_der_wants_them() {
        let mut fixed = [0; 64];
        assert_eq!(hex::encode(der_from_fixed(&fixed)), "3006020100020100");
        fixed[31] = 0x7f;
        fixed[63] = 0x80;
        assert_eq!(hex::encode(der_from_fixed(&fixed)), "300702017f02020080");
        fixed = [0xff; 64];
        assert_eq!(der_from_fixed(&fixed).len(), 2 + 2 * 35);
    }

    #[test]
    fn other_encodings_of_the_same_numbers_are_refused() {
        for (der, why) in [
            ("", "nothing"),
            ("30", "no length"),
            ("3006020100", "cut off"),
            ("300602010002010000", "a byte after the sequence"),
            ("300702010002010000", "a byte after the integers"),
            ("300702020001020100", "padded with a zero"),
            ("308106020100020100", "the long form of a length"),
            ("3006020180020100", "negative"),
            ("30050200020100", "an integer without digits"),
            ("3106020100020100", "a set"),
        ] {
            let bytes = hex::decode(der.replace(' ', "")).unwrap();
            assert_eq!(fixed_from_der(&bytes), Err(SignatureError), "{why}");
        }
        let long = [&[0x30, 0x26, 0x02, 0x21, 0x01][..], &[0; 32], &[0x02, 0x01, 0x00]].concat();
        assert_eq!(fixed_from_der(&long), Err(SignatureError), "257 bits");
    }

    proptest! {
        #[test]
        fn both_forms_convert_into_each_other(
            fixed in any::<[u8; 64]>(), leading in 0_usize..33, trailing in 0_usize..33
        ) {
            let mut fixed = fixed;
            fixed[..leading.min(32)].fill(0);
            fixed[32..32 + trailing.min(32)].fill(0);
            prop_assert_eq!(fixed_from_der(&der_from_fixed(&fixed)), Ok(fixed));
        }

        #[test]
        fn what_converts_is_the_only_form(der in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(fixed) = fixed_from_der(&der) {
                prop_assert_eq!(der_from_fixed(&fixed), der);
            }
        }
    }
}
