//! How the last block is filled. KMIP 1.4 §9.1.3.2.15.

use kmip::registry::PaddingMethod;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

use crate::CryptoError;

/// How the last block is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Padding {
    /// Not at all: the data must be whole blocks.
    None,
    /// Each byte is the number of bytes added (PKCS#5 and #7).
    Pkcs5,
    /// The last byte is the number of further bytes added, which may be anything (SSL 3.0).
    Ssl3,
    /// Zeros, and none if the block is full. What ends in zeros does not come back whole.
    Zeros,
    /// Zeros, and the number of bytes added.
    AnsiX923,
    /// Random bytes, and the number of bytes added.
    Iso10126,
}

/// The longest block of any cipher, in bytes.
const MAX_BLOCK: usize = 16;

impl Padding {
    /// The padding of a block mode.
    pub(super) const fn from_method(method: Option<PaddingMethod>) -> Result<Self, CryptoError> {
        Ok(match method {
            None | Some(PaddingMethod::None) => Self::None,
            Some(PaddingMethod::Pkcs5) => Self::Pkcs5,
            Some(PaddingMethod::Ssl3) => Self::Ssl3,
            Some(PaddingMethod::Zeros) => Self::Zeros,
            Some(PaddingMethod::AnsiX9_23) => Self::AnsiX923,
            Some(PaddingMethod::Iso10126) => Self::Iso10126,
            Some(other) => return Err(CryptoError::Unsupported(other.text())),
        })
    }

    /// Bytes of randomness that filling one block may take.
    pub(super) const fn random_len(self, block: usize) -> usize {
        match self {
            Self::Iso10126 => block,
            _ => 0,
        }
    }

    /// What follows data of which `rest` bytes stand in the last block. `random` is a block long for ISO 10126.
    pub(super) fn fill(self, rest: usize, block: usize, random: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let rest = rest % block;
        let missing = block - rest;
        let count = u8::try_from(missing).map_err(|_| CryptoError::Library("padding"))?;
        let with_last = |mut filling: Vec<u8>, last: u8| {
            filling.pop();
            filling.push(last);
            filling
        };
        Ok(match self {
            Self::None if rest == 0 => Vec::new(),
            Self::None => return Err(CryptoError::InvalidInput("without padding the data must be whole blocks")),
            Self::Zeros if rest == 0 => Vec::new(),
            Self::Zeros => vec![0; missing],
            Self::Pkcs5 => vec![count; missing],
            Self::Ssl3 => with_last(vec![0; missing], count - 1),
            Self::AnsiX923 => with_last(vec![0; missing], count),
            Self::Iso10126 => {
                let random = random.get(..missing).ok_or(CryptoError::Missing("randomness for the padding"))?;
                with_last(random.to_vec(), count)
            }
        })
    }

    /// How many bytes of `last`, a whole block, are data. The time it takes does not depend on the bytes.
    pub(super) fn strip(self, last: &[u8]) -> Result<usize, CryptoError> {
        let block = last.len();
        let (Some(&end), true) = (last.last(), block <= MAX_BLOCK) else { return Err(CryptoError::Authentication) };
        let block_u8 = u8::try_from(block).map_err(|_| CryptoError::Library("padding"))?;
        let count = match self {
            Self::None => return Ok(block),
            Self::Zeros => return Ok(strip_zeros(last)),
            Self::Ssl3 => end.wrapping_add(1),
            Self::Pkcs5 | Self::AnsiX923 | Self::Iso10126 => end,
        };
        let mut good = !count.ct_eq(&0) & !block_u8.ct_lt(&count);
        let checked = match self {
            Self::Pkcs5 => Some(count),
            Self::AnsiX923 => Some(0),
            _ => None,
        };
        if let Some(expected) = checked {
            // The last byte is the count itself; it is right by definition.
            for (from_end, byte) in (1..=block_u8).zip(last.iter().rev()).skip(1) {
                let inside = !count.ct_lt(&from_end);
                good &= !inside | byte.ct_eq(&expected);
            }
        }
        if bool::from(good) { Ok(block - usize::from(count)) } else { Err(CryptoError::Authentication) }
    }
}

/// Length of the data before trailing zeros; at least one byte stays, because no padding fills a whole block.
fn strip_zeros(last: &[u8]) -> usize {
    let mut len = 1u8;
    let mut seen = Choice::from(0);
    for (position, byte) in (1..=16u8).zip(last).rev() {
        let here = !byte.ct_eq(&0);
        len = u8::conditional_select(&len, &position, here & !seen);
        seen |= here;
    }
    usize::from(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; 16] = *b"0123456789abcdef";

    #[test]
    fn fillings_are_those_of_the_standards() {
        let filled = |padding: Padding| hex::encode(padding.fill(5, 8, &RANDOM).unwrap());
        assert_eq!(filled(Padding::Pkcs5), "030303");
        assert_eq!(filled(Padding::AnsiX923), "000003");
        assert_eq!(filled(Padding::Iso10126), "303103");
        assert_eq!(filled(Padding::Ssl3), "000002");
        assert_eq!(filled(Padding::Zeros), "000000");
        assert!(Padding::None.fill(5, 8, &RANDOM).is_err());
    }

    #[test]
    fn a_full_block_gets_another_one_where_the_count_must_stand_somewhere() {
        for padding in [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126, Padding::Ssl3] {
            assert_eq!(padding.fill(16, 8, &RANDOM).unwrap().len(), 8);
        }
        for padding in [Padding::None, Padding::Zeros] {
            assert!(padding.fill(16, 8, &RANDOM).unwrap().is_empty());
        }
    }

    #[test]
    fn what_was_filled_is_stripped() {
        for padding in [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126, Padding::Ssl3, Padding::Zeros] {
            for block in [8, 16] {
                for rest in 1..block {
                    let mut last = vec![0xa5; rest];
                    last.extend(padding.fill(rest, block, &RANDOM).unwrap());
                    assert_eq!(padding.strip(&last), Ok(rest), "{padding:?} {block} {rest}");
                }
            }
        }
    }

    #[test]
    fn a_wrong_filling_is_refused() {
        let wrong = [
            (Padding::Pkcs5, "a5a5a5a5a5020303"),
            (Padding::Pkcs5, "a5a5a5a5a5a5a500"),
            (Padding::Pkcs5, "0909090909090909"),
            (Padding::AnsiX923, "a5a5a5a5a5010003"),
            (Padding::AnsiX923, "a5a5a5a5a5a5a509"),
            (Padding::Iso10126, "a5a5a5a5a5a5a500"),
            (Padding::Ssl3, "a5a5a5a5a5a5a508"),
        ];
        for (padding, last) in wrong {
            let last = hex::decode(last).unwrap();
            assert_eq!(padding.strip(&last), Err(CryptoError::Authentication), "{padding:?} {last:02x?}");
        }
    }

    #[test]
    fn paddings_of_asymmetric_algorithms_are_not_for_blocks() {
        assert_eq!(Padding::from_method(Some(PaddingMethod::Oaep)), Err(CryptoError::Unsupported("OAEP")));
    }
}
