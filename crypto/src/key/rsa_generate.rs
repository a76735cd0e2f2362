//! RSA key pairs from a generator of the caller's: two random probable primes. FIPS 186-5 §A.1.3.

use kmip::object::{KeyMaterial, RsaPrivateKey, SecretInteger};
use kmip::ttlv::BigInteger;
use openssl::bn::{BigNum, BigNumContext, BigNumContextRef};
use secret::Secret;

use super::PrivateKey;
use crate::CryptoError;
use crate::library::Checked;
use crate::limits::MAX_MODULUS_BITS;
use crate::number::{SecretNumber, bits, padded, secret_bytes};

const STEP: &str = "prime";
/// The public exponent, F4 (FIPS 186-5 §A.1.1).
const EXPONENT: u32 = 65_537;
/// Shortest modulus in bits that is made. Shorter ones are broken.
const MIN_MODULUS_BITS: usize = 1024;
/// Lengths of moduli are multiples of this, so that a prime has whole bytes.
const MODULUS_STEP: usize = 16;
/// Candidates for one prime are so many times its bits at most (FIPS 186-5 §A.1.3, step 4.7).
const CANDIDATES_PER_BIT: usize = 5;
/// The primes differ in one of their first so many bits (FIPS 186-5 §A.1.3, step 5.4).
const DIFFERING_BITS: i32 = 100;

/// Makes an RSA key with a modulus of `modulus_bits` bits and exponent 65537. `random` fills its argument with random
/// bytes, which serve for nothing else. It takes up to a second of one core.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for a length below 1024 bits or no multiple of 16, [`CryptoError::TooLong`];
/// [`CryptoError::Library`] where no prime was found, which a sound generator does not see.
pub fn generate_rsa(modulus_bits: usize, mut random: impl FnMut(&mut [u8])) -> Result<PrivateKey, CryptoError> {
    if modulus_bits > MAX_MODULUS_BITS {
        return Err(CryptoError::TooLong("the modulus"));
    }
    if modulus_bits < MIN_MODULUS_BITS || !modulus_bits.is_multiple_of(MODULUS_STEP) {
        return Err(CryptoError::InvalidInput("the length of the modulus"));
    }
    let mut context = BigNumContext::new_secure().or_library(STEP)?;
    let prime_bits = modulus_bits / 2;
    let p = prime(prime_bits, None, &mut random, &mut context)?;
    let q = prime(prime_bits, Some(&p), &mut random, &mut context)?;
    let mut modulus = SecretNumber::zero()?;
    modulus.get_mut().checked_mul(&p, &q, &mut context).or_library(STEP)?;
    let secret = |number: &SecretNumber| SecretInteger::from_unsigned(secret_bytes(number).expose());
    PrivateKey::from_numbers(&KeyMaterial::TransparentRsaPrivate(Box::new(RsaPrivateKey {
        modulus: BigInteger::from_unsigned(&padded(&modulus, modulus_bits / 8)?),
        private_exponent: None,
        public_exponent: Some(BigInteger::from_unsigned(&EXPONENT.to_be_bytes())),
        p: Some(secret(&p)),
        q: Some(secret(&q)),
        prime_exponent_p: None,
        prime_exponent_q: None,
        crt_coefficient: None,
    })))
}

/// A probable prime of exactly `len_bits` bits, far from `other`, to which the exponent is coprime.
fn prime(
    len_bits: usize,
    other: Option<&SecretNumber>,
    random: &mut impl FnMut(&mut [u8]),
    context: &mut BigNumContextRef,
) -> Result<SecretNumber, CryptoError> {
    let nearest = i32::try_from(len_bits).map_err(|_| CryptoError::Library(STEP))? - DIFFERING_BITS;
    let mut least_distance = BigNum::new().or_library(STEP)?;
    least_distance.set_bit(nearest).or_library(STEP)?;
    for _ in 0..len_bits * CANDIDATES_PER_BIT {
        let bytes = Secret::filled_by(len_bits / 8, |bytes| {
            random(bytes);
            // The two first bits make the product as long as it has to be (the bound of the standard is the square root
            // of 2, a little lower); the last bit makes the candidate odd.
            if let Some(first) = bytes.first_mut() {
                *first |= 0xC0;
            }
            if let Some(last) = bytes.last_mut() {
                *last |= 1;
            }
            Ok::<(), CryptoError>(())
        })?;
        let candidate = SecretNumber::from_bytes(bytes.expose(), len_bits)?;
        // 65537 is prime: it shares a factor with candidate - 1 only as a divisor.
        if candidate.mod_word(EXPONENT).or_library(STEP)? == 1 {
            continue;
        }
        if let Some(other) = other {
            let mut distance = SecretNumber::zero()?;
            distance.get_mut().checked_sub(&candidate, other).or_library(STEP)?;
            distance.get_mut().set_negative(false);
            if *distance <= *least_distance {
                continue;
            }
        }
        if candidate.is_prime_fasttest(0, context, true).or_library(STEP)? && bits(&candidate) == len_bits {
            return Ok(candidate);
        }
    }
    Err(CryptoError::Library(STEP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    /// A generator that is good enough to find primes with: SplitMix64.
    fn generator(mut state: u64) -> impl FnMut(&mut [u8]) {
        move |bytes| {
            for part in bytes.chunks_mut(8) {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                part.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..part.len()]);
            }
        }
    }

    #[test]
    fn a_key_has_the_length_that_was_asked_for() {
        for bits in [1024, 1040] {
            let key = generate_rsa(bits, generator(7)).unwrap();
            assert_eq!(key.kind(), KeyKind::Rsa);
            assert_eq!(usize::try_from(key.facts().length_bits).unwrap(), bits);
            assert!(key.public_key().unwrap().belongs_to(&key));
        }
    }

    #[test]
    fn the_generator_decides_which_key_it_is() {
        let key = |seed| generate_rsa(1024, generator(seed)).unwrap().public_key().unwrap().to_numbers(None).unwrap();
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
    }

    #[test]
    fn a_generator_that_stands_still_gives_no_key() {
        assert!(generate_rsa(1024, |bytes| bytes.fill(0x11)).is_err());
    }

    #[test]
    fn odd_lengths_are_refused() {
        for bits in [0, 512, 1000, 2056, 8208] {
            assert!(generate_rsa(bits, generator(1)).is_err(), "{bits}");
        }
    }
}
