//! Initialisation vectors, counters and nonces: which length a mode takes, and how a random one is put together.
//! KMIP 1.4 §3.6.

use kmip::attribute::CryptographicParameters;

use super::family::{Family, Mode};
use crate::CryptoError;
use crate::limits::MAX_GCM_NONCE_LEN;

/// What the Cryptographic Parameters say about the IV; lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IvRules {
    /// The server makes one.
    random: bool,
    /// How long a random one is, without the counter.
    random_len: usize,
    /// The first value of a block counter that the IV leaves room for; each mode has a usual one.
    initial_counter: Option<u32>,
}

/// SP 800-38D §8.2.2: the random field of a nonce that nobody counts has at least 96 bits.
const MIN_RANDOM_NONCE: usize = 12;
/// The block counter of CTR starts here in RFC 3686; the only value that the specification names.
const FIRST_COUNTER: u32 = 1;

impl IvRules {
    pub(super) fn from_parameters(
        parameters: &CryptographicParameters,
        family: &Family,
        mode: Mode,
    ) -> Result<Self, CryptoError> {
        let random = parameters.random_iv == Some(true);
        let initial_counter = parameters
            .initial_counter_value
            .map(|value| u32::try_from(value).map_err(|_| CryptoError::InvalidInput("a counter below zero")))
            .transpose()?;
        let counter_len = bytes(parameters.counter_length)?;
        let fields = match (bytes(parameters.fixed_field_length)?, bytes(parameters.invocation_field_length)?) {
            (None, None) => None,
            (fixed, invocation) => Some(fixed.unwrap_or(0) + invocation.unwrap_or(0)),
        };
        // Three ways to say the length; the counter is not random, so it is not in it.
        let counted = if mode == Mode::Ctr { counter_len.unwrap_or(0) } else { 0 };
        let asked = match bytes(parameters.iv_length)? {
            Some(len) => {
                let len = len.checked_sub(counted).ok_or(CryptoError::InvalidInput("IV Length"))?;
                if fields.is_some_and(|fields| fields != len) {
                    return Err(CryptoError::InvalidInput("the fields of the IV do not make its length"));
                }
                Some(len)
            }
            None => fields,
        };
        let usual = match mode {
            Mode::Gcm | Mode::Ccm | Mode::ChaCha20 | Mode::ChaCha20Poly1305 => 12,
            // 32 bits are left for the blocks of one message.
            Mode::Ctr => family.block - counter_len.unwrap_or(4).min(family.block),
            _ => family.block,
        };
        let random_len = asked.unwrap_or(usual);
        let rules = Self { random, random_len, initial_counter };
        if random && takes_iv(mode) {
            if mode.is_aead() && random_len < MIN_RANDOM_NONCE {
                return Err(CryptoError::InvalidInput("a random nonce has at least 96 bits"));
            }
            if !fits(family, mode, random_len) {
                return Err(CryptoError::InvalidInput("the mode has no IV of that length"));
            }
        }
        Ok(rules)
    }

    /// Bytes of randomness that an encryption without IV needs.
    pub(super) const fn random_len(&self, mode: Mode) -> usize {
        if self.random && takes_iv(mode) { self.random_len } else { 0 }
    }

    /// The IV of an encryption, and whether it was made here: then the answer must tell it.
    pub(super) fn for_encryption(
        &self,
        family: &Family,
        mode: Mode,
        given: Option<&[u8]>,
        random: &[u8],
    ) -> Result<(Vec<u8>, bool), CryptoError> {
        match given {
            None if self.random_len(mode) > 0 => {
                let random = random.get(..self.random_len).ok_or(CryptoError::Missing("randomness for the IV"))?;
                Ok((self.complete(family, mode, random)?, true))
            }
            given => Ok((self.for_decryption(family, mode, given)?, false)),
        }
    }

    /// The IV as the cipher takes it; empty for modes without.
    pub(super) fn for_decryption(
        &self,
        family: &Family,
        mode: Mode,
        given: Option<&[u8]>,
    ) -> Result<Vec<u8>, CryptoError> {
        match given {
            // Some clients send an IV with every mode; ECB has nothing to do with it.
            _ if !takes_iv(mode) && !matches!(mode, Mode::KeyWrap | Mode::KeyWrapPadded) => Ok(Vec::new()),
            None if matches!(mode, Mode::KeyWrap | Mode::KeyWrapPadded) => Ok(Vec::new()),
            None => Err(CryptoError::Missing("IV/Counter/Nonce")),
            Some(iv) if fits(family, mode, iv.len()) => self.complete(family, mode, iv),
            Some(_) => Err(CryptoError::InvalidInput("the mode has no IV of that length")),
        }
    }

    /// Adds the counter where the IV leaves room for it.
    fn complete(&self, family: &Family, mode: Mode, iv: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut whole = Vec::with_capacity(16);
        match mode {
            Mode::Ctr => {
                whole.extend_from_slice(iv);
                let room = family.block.saturating_sub(iv.len());
                if room > 0 {
                    let first = self.initial_counter.unwrap_or(FIRST_COUNTER);
                    let counter = u128::from(first).to_be_bytes();
                    if room < 4 && u64::from(first) >> (8 * room) != 0 {
                        return Err(CryptoError::InvalidInput("the counter does not fit beside the IV"));
                    }
                    whole.extend_from_slice(counter.get(16 - room..).unwrap_or_default());
                }
            }
            // OpenSSL's IV of 16 bytes begins with the counter. A nonce of 64 bits comes with a counter of 64 bits, from
            // zero; one of 96 bits with 32 bits.
            Mode::ChaCha20 if iv.len() < 16 => {
                let first = u64::from(self.initial_counter.unwrap_or(0)).to_le_bytes();
                whole.extend_from_slice(first.get(..16 - iv.len()).unwrap_or_default());
                whole.extend_from_slice(iv);
            }
            _ => whole.extend_from_slice(iv),
        }
        Ok(whole)
    }
}

/// Whether the mode needs an IV at all.
const fn takes_iv(mode: Mode) -> bool {
    !matches!(mode, Mode::Ecb | Mode::KeyWrap | Mode::KeyWrapPadded | Mode::Rc4 | Mode::OneTimePad)
}

/// Whether the mode has an IV of `len` bytes.
fn fits(family: &Family, mode: Mode, len: usize) -> bool {
    match mode {
        Mode::Cbc | Mode::Cfb | Mode::Ofb => len == family.block,
        // At least half a block is the nonce, the rest a counter.
        Mode::Ctr => (family.block / 2..=family.block).contains(&len),
        Mode::Gcm => (1..=MAX_GCM_NONCE_LEN).contains(&len),
        // SP 800-38C §A.1.
        Mode::Ccm => (7..=13).contains(&len),
        Mode::Xts => len == 16,
        Mode::ChaCha20 => matches!(len, 8 | 12 | 16),
        Mode::ChaCha20Poly1305 => len == 12,
        // An alternative initial value (RFC 3394 §2.2.3.2, RFC 5649 §3).
        Mode::KeyWrap => len == 8,
        Mode::KeyWrapPadded => len == 4,
        Mode::Ecb | Mode::Rc4 | Mode::OneTimePad => false,
    }
}

/// A length in bits as bytes.
fn bytes(bits: Option<i32>) -> Result<Option<usize>, CryptoError> {
    bits.map(|bits| match usize::try_from(bits) {
        Ok(bits) if bits % 8 == 0 && bits <= 8 * MAX_GCM_NONCE_LEN => Ok(bits / 8),
        _ => Err(CryptoError::InvalidInput("a field of the IV is not whole bytes")),
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use kmip::registry::CryptographicAlgorithm;

    use super::*;

    fn rules(parameters: CryptographicParameters, mode: Mode) -> Result<IvRules, CryptoError> {
        IvRules::from_parameters(&parameters, aes(), mode)
    }

    fn aes() -> &'static Family {
        Family::of(CryptographicAlgorithm::Aes).unwrap()
    }

    fn random_iv() -> CryptographicParameters {
        CryptographicParameters { random_iv: Some(true), ..CryptographicParameters::default() }
    }

    #[test]
    fn an_iv_is_made_only_where_it_was_asked_for() {
        let silent = rules(CryptographicParameters::default(), Mode::Cbc).unwrap();
        assert_eq!(silent.random_len(Mode::Cbc), 0);
        assert_eq!(
            silent.for_encryption(aes(), Mode::Cbc, None, &[7; 16]),
            Err(CryptoError::Missing("IV/Counter/Nonce"))
        );
        let asked = rules(random_iv(), Mode::Cbc).unwrap();
        assert_eq!(asked.for_encryption(aes(), Mode::Cbc, None, &[7; 16]), Ok((vec![7; 16], true)));
        assert_eq!(asked.for_encryption(aes(), Mode::Cbc, Some(&[8; 16]), &[]), Ok((vec![8; 16], false)));
    }

    #[test]
    fn fields_make_the_length() {
        let fields =
            CryptographicParameters { fixed_field_length: Some(32), invocation_field_length: Some(64), ..random_iv() };
        assert_eq!(rules(fields.clone(), Mode::Gcm).unwrap().random_len(Mode::Gcm), 12);
        let contradiction = CryptographicParameters { iv_length: Some(128), ..fields };
        assert!(rules(contradiction, Mode::Gcm).is_err());
        let short = CryptographicParameters { iv_length: Some(64), ..random_iv() };
        assert!(rules(short, Mode::Gcm).is_err());
    }

    #[test]
    fn a_counter_fills_the_block_from_its_first_value() {
        let parameters = CryptographicParameters {
            counter_length: Some(32),
            initial_counter_value: Some(0x0102_0304),
            ..random_iv()
        };
        let rules = rules(parameters, Mode::Ctr).unwrap();
        assert_eq!(rules.random_len(Mode::Ctr), 12);
        let (iv, made) = rules.for_encryption(aes(), Mode::Ctr, None, &[9; 12]).unwrap();
        assert!(made);
        assert_eq!(hex::encode(iv), "09090909090909090909090901020304");
    }

    #[test]
    fn lengths_that_a_mode_does_not_have_are_refused() {
        let rules = rules(CryptographicParameters::default(), Mode::Gcm).unwrap();
        for (mode, len) in [
            (Mode::Cbc, 15),
            (Mode::Gcm, 0),
            (Mode::Gcm, 129),
            (Mode::Ccm, 6),
            (Mode::Ccm, 14),
            (Mode::Xts, 12),
            (Mode::ChaCha20, 11),
            (Mode::ChaCha20Poly1305, 8),
            (Mode::KeyWrap, 16),
        ] {
            assert!(rules.for_decryption(aes(), mode, Some(&vec![0; len])).is_err(), "{mode:?} {len}");
        }
    }
}
