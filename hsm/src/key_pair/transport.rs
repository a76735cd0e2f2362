//! Opening a private key that a module wrapped out under a one-time AES-256 key.
//!
//! RFC 5649 is what every module means by `CKM_AES_KEY_WRAP_KWP`, and SoftHSM by `CKM_AES_KEY_WRAP_PAD`. PKCS#11 3.0
//! §2.14.3 defines the latter as RFC 3394 over PKCS #7 padding. Both carry 64 bits of integrity, with different initial
//! values, so what opens as one does not open as the other and both may be tried.

use aes_kw::{KeyInit, KwAes256, KwpAes256};
use pkcs8::der::Decode;
use pkcs8::der::asn1::SequenceRef;
use secret::Secret;
use zeroize::Zeroizing;

use crate::limits::MAX_WRAPPED_PAIR_LEN;

/// Bytes that either kind of wrapping adds in front.
const INTEGRITY_LEN: usize = 8;
/// Semiblock of RFC 3394, to a multiple of which PKCS #7 pads.
const SEMIBLOCK_LEN: usize = 8;
/// The largest padding: modules pad to the semiblock or to the block of AES.
const MAX_PADDING: u8 = 16;

/// The wrapped DER document in clear; `None` where it was not wrapped under this key, was altered or is no document.
pub(super) fn unwrap(one_time: &Secret, wrapped: &[u8]) -> Option<Secret> {
    let opened = opened(one_time, wrapped)?;
    document(opened.expose()).map(Secret::copy_from)
}

/// A SEQUENCE without what SoftHSM 2.6.1 leaves behind it: it pads with zeros to a semiblock before it wraps, so that
/// the length which RFC 5649 protects counts them.
fn document(bytes: &[u8]) -> Option<&[u8]> {
    let (_, rest) = <&SequenceRef>::from_der_partial(bytes).ok()?;
    let len = bytes.len().checked_sub(rest.len())?;
    (rest.len() < SEMIBLOCK_LEN && rest.iter().all(|byte| *byte == 0)).then(|| bytes.get(..len))?
}

/// The wrapped bytes in clear.
fn opened(one_time: &Secret, wrapped: &[u8]) -> Option<Secret> {
    let len = wrapped.len().checked_sub(INTEGRITY_LEN).filter(|len| *len >= SEMIBLOCK_LEN)?;
    if wrapped.len() > MAX_WRAPPED_PAIR_LEN {
        return None;
    }
    let mut room = Zeroizing::new(vec![0; len]);
    if let Ok(plain) = KwpAes256::new_from_slice(one_time.expose()).ok()?.unwrap_key(wrapped, &mut room) {
        return Some(Secret::copy_from(plain));
    }
    let padded = KwAes256::new_from_slice(one_time.expose()).ok()?.unwrap_key(wrapped, &mut room).ok()?;
    unpadded(padded).map(Secret::copy_from)
}

/// The bytes before PKCS #7 padding. Their integrity was checked, so a wrong padding tells nothing to anybody.
fn unpadded(padded: &[u8]) -> Option<&[u8]> {
    let &padding = padded.last()?;
    if padding == 0 || padding > MAX_PADDING {
        return None;
    }
    let (plain, pad) = padded.split_at_checked(padded.len().checked_sub(padding.into())?)?;
    pad.iter().all(|byte| *byte == padding).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        Secret::copy_from(&[0x6b; 32])
    }

    fn kwp(plain: &[u8]) -> Vec<u8> {
        let mut room = vec![0; plain.len().div_ceil(8) * 8 + 8];
        KwpAes256::new_from_slice(key().expose()).unwrap().wrap_key(plain, &mut room).unwrap();
        room
    }

    fn kw_over_pkcs7(plain: &[u8], block: usize) -> Vec<u8> {
        let padding = block - plain.len() % block;
        let padded = [plain, &vec![u8::try_from(padding).unwrap(); padding]].concat();
        let mut room = vec![0; padded.len() + 8];
        KwAes256::new_from_slice(key().expose()).unwrap().wrap_key(&padded, &mut room).unwrap();
        room
    }

    #[test]
    fn both_paddings_open_at_every_length() {
        for len in 1..80 {
            let plain: Vec<u8> = (1..=u8::try_from(len).unwrap()).collect();
            for wrapped in [kwp(&plain), kw_over_pkcs7(&plain, 8), kw_over_pkcs7(&plain, 16)] {
                assert_eq!(opened(&key(), &wrapped).map(|opened| opened.expose().to_vec()), Some(plain.clone()));
            }
        }
    }

    /// The vector of RFC 3394 §4.6: a 256-bit key under a 256-bit key, not padded.
    #[test]
    fn no_padding_is_read_into_bytes_that_have_none() {
        let one_time = Secret::new((0..32).collect());
        let wrapped =
            hex::decode("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21").unwrap();
        let mut room = [0; 32];
        let plain = KwAes256::new_from_slice(one_time.expose()).unwrap().unwrap_key(&wrapped, &mut room).unwrap();
        assert_eq!(hex::encode(plain), "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
        assert!(opened(&one_time, &wrapped).is_none());
    }

    #[test]
    fn a_document_loses_the_zeros_of_a_semiblock_and_nothing_else() {
        let sequence = [0x30, 3, 2, 1, 5];
        for zeros in 0..8 {
            let padded = [&sequence[..], &vec![0; zeros]].concat();
            assert_eq!(unwrap(&key(), &kwp(&padded)).unwrap().expose(), sequence);
        }
        for wrong in [
            [&sequence[..], &[0; 8]].concat(),
            [&sequence[..], &[0, 1]].concat(),
            sequence[..4].to_vec(),
            vec![0x31, 0],
            vec![0; 8],
            // A length that is not in its shortest form.
            vec![0x30, 0x81, 3, 2, 1, 5],
        ] {
            assert!(unwrap(&key(), &kwp(&wrong)).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn altered_cut_or_foreign_bytes_do_not_open() {
        let plain: Vec<u8> = (0..43).collect();
        for wrapped in [kwp(&plain), kw_over_pkcs7(&plain, 8)] {
            for at in 0..wrapped.len() {
                let mut altered = wrapped.clone();
                altered[at] ^= 1;
                assert!(opened(&key(), &altered).is_none(), "byte {at}");
                assert!(opened(&key(), &wrapped[..at]).is_none(), "{at} bytes");
            }
            assert!(opened(&Secret::copy_from(&[1; 32]), &wrapped).is_none());
        }
        assert!(opened(&key(), &kwp(&vec![1; MAX_WRAPPED_PAIR_LEN])).is_none());
    }
}
