//! Sharing in a prime field: the secret is one number.

use openssl::bn::{BigNum, BigNumContext, BigNumContextRef, BigNumRef};
use secret::Secret;

use super::{Part, SplitSpec};
use crate::CryptoError;
use crate::library::Checked;
use crate::limits::{MAX_FOREIGN_PRIME_BITS, MAX_SPLIT_PRIME_BITS};
use crate::number::{SecretNumber, bits, secret_padded, unsigned};

const STEP: &str = "prime field";
/// Bits beyond the length of the prime, so that a remainder is uniform enough.
const EXTRA_BITS: usize = 64;
/// Exponents of Mersenne primes 2^k - 1.
const MERSENNE: [usize; 8] = [127, 521, 607, 1279, 2203, 2281, 3217, 4253];

/// A prime above every number of `secret_bits` bits, for a server that may choose: the next Mersenne prime, big-endian.
///
/// # Errors
/// [`CryptoError::TooLong`] for more than 4252 bits.
pub fn usual_prime(secret_bits: usize) -> Result<Vec<u8>, CryptoError> {
    let exponent =
        MERSENNE.iter().find(|exponent| **exponent > secret_bits).ok_or(CryptoError::TooLong("the secret"))?;
    let mut prime = vec![0xff; exponent.div_ceil(8)];
    if let Some(first) = prime.first_mut() {
        *first >>= prime_slack(*exponent);
    }
    Ok(prime)
}

/// Bits of the first byte that a number of `bits` bits leaves unused.
const fn prime_slack(bits: usize) -> usize {
    (8 - bits % 8) % 8
}

/// The prime of `spec`, if it is one.
fn prime(spec: &SplitSpec<'_>, context: &mut BigNumContextRef) -> Result<BigNum, CryptoError> {
    let given = spec.prime.ok_or(CryptoError::Missing("Prime Field Size"))?;
    let prime = unsigned(given, MAX_SPLIT_PRIME_BITS)?;
    if usual_prime(bits(&prime).saturating_sub(1)).is_ok_and(|usual| usual == prime.to_vec()) {
        return Ok(prime);
    }
    if bits(&prime) > MAX_FOREIGN_PRIME_BITS {
        return Err(CryptoError::TooLong("Prime Field Size"));
    }
    // Each x coordinate and the secret need an element of their own.
    let is_prime = bits(&prime) > 8 && prime.is_odd() && prime.is_prime(0, context).or_library(STEP)?;
    if is_prime { Ok(prime) } else { Err(CryptoError::InvalidInput("Prime Field Size is not a prime")) }
}

/// Bytes of randomness for one coefficient.
pub(super) fn coefficient_len(spec: &SplitSpec<'_>) -> Result<usize, CryptoError> {
    let prime = unsigned(spec.prime.ok_or(CryptoError::Missing("Prime Field Size"))?, MAX_SPLIT_PRIME_BITS)?;
    Ok((bits(&prime) + EXTRA_BITS).div_ceil(8))
}

pub(super) fn split(spec: &SplitSpec<'_>, secret: &Secret, random: &Secret) -> Result<Vec<Part>, CryptoError> {
    let mut context = BigNumContext::new_secure().or_library(STEP)?;
    let context = &mut context;
    let prime = prime(spec, context)?;
    let part_len = bits(&prime).div_ceil(8);
    let constant = SecretNumber::from_bytes(secret.expose(), MAX_SPLIT_PRIME_BITS)?;
    if *constant >= *prime {
        return Err(CryptoError::InvalidInput("the secret is not below the prime"));
    }
    let mut coefficients = vec![constant];
    for bytes in random.expose().chunks_exact(coefficient_len(spec)?) {
        let number = SecretNumber::from_bytes(bytes, bytes.len() * 8)?;
        let mut coefficient = SecretNumber::zero()?;
        coefficient.get_mut().nnmod(&number, &prime, context).or_library(STEP)?;
        coefficients.push(coefficient);
    }
    (1..=spec.parts)
        .map(|identifier| {
            let x = coordinate(identifier)?;
            let mut share = SecretNumber::zero()?;
            for coefficient in coefficients.iter().rev() {
                let mut product = SecretNumber::zero()?;
                product.get_mut().mod_mul(&share, &x, &prime, context).or_library(STEP)?;
                share.get_mut().mod_add(&product, coefficient, &prime, context).or_library(STEP)?;
            }
            Ok(Part { identifier, material: secret_padded(&share, part_len)? })
        })
        .collect()
}

pub(super) fn join(spec: &SplitSpec<'_>, parts: &[(usize, &Secret)], len: usize) -> Result<Secret, CryptoError> {
    let mut context = BigNumContext::new_secure().or_library(STEP)?;
    let context = &mut context;
    let prime = prime(spec, context)?;
    let points = parts
        .iter()
        .map(|(identifier, part)| {
            let share = SecretNumber::from_bytes(part.expose(), MAX_SPLIT_PRIME_BITS)?;
            if *share >= *prime { Err(CryptoError::Parts) } else { Ok((coordinate(*identifier)?, share)) }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (used, further) = points.split_at(spec.threshold);
    for (x, share) in further {
        if *interpolate(used, x, &prime, context)? != **share {
            return Err(CryptoError::Parts);
        }
    }
    let zero = BigNum::new().or_library(STEP)?;
    let secret = interpolate(used, &zero, &prime, context)?;
    if bits(&secret).div_ceil(8) > len {
        return Err(CryptoError::Parts);
    }
    secret_padded(&secret, len)
}

/// The value at `x` of the polynomial through `points` (Lagrange).
fn interpolate(
    points: &[(BigNum, SecretNumber)],
    x: &BigNumRef,
    prime: &BigNum,
    context: &mut BigNumContextRef,
) -> Result<SecretNumber, CryptoError> {
    let mut sum = SecretNumber::zero()?;
    for (own, share) in points {
        let mut term = SecretNumber::new(share.give()?);
        for (other, _) in points.iter().filter(|(other, _)| other != own) {
            let (mut above, mut below, mut inverse) =
                (SecretNumber::zero()?, SecretNumber::zero()?, SecretNumber::zero()?);
            above.get_mut().mod_sub(x, other, prime, context).or_library(STEP)?;
            below.get_mut().mod_sub(own, other, prime, context).or_library(STEP)?;
            inverse.get_mut().mod_inverse(&below, prime, context).or_refuse(CryptoError::Parts)?;
            for factor in [&above, &inverse] {
                let mut product = SecretNumber::zero()?;
                product.get_mut().mod_mul(&term, factor, prime, context).or_library(STEP)?;
                term = product;
            }
        }
        let mut next = SecretNumber::zero()?;
        next.get_mut().mod_add(&sum, &term, prime, context).or_library(STEP)?;
        sum = next;
    }
    Ok(sum)
}

fn coordinate(identifier: usize) -> Result<BigNum, CryptoError> {
    BigNum::from_u32(u32::try_from(identifier).map_err(|_| CryptoError::Parts)?).or_library(STEP)
}

#[cfg(test)]
mod tests {
    use kmip::registry::SplitKeyMethod;

    use super::*;

    #[test]
    fn the_usual_primes_are_prime_and_large_enough() {
        let mut context = BigNumContext::new().unwrap();
        for (secret_bits, exponent) in [(1, 127), (126, 127), (127, 521), (256, 521), (1024, 1279), (2048, 2203)] {
            let prime = BigNum::from_slice(&usual_prime(secret_bits).unwrap()).unwrap();
            assert_eq!(bits(&prime), exponent);
            assert!(prime.is_prime(0, &mut context).unwrap());
        }
        assert!(usual_prime(4253).is_err());
    }

    #[test]
    fn a_number_that_is_not_prime_makes_no_field() {
        for prime in [&[0x01, 0x01, 0x01][..], &[0x80, 0], &[0xff], &[]] {
            let spec = SplitSpec {
                method: SplitKeyMethod::PolynomialSharingPrimeField,
                parts: 2,
                threshold: 2,
                prime: Some(prime),
            };
            let random = Secret::new(vec![1; spec.random_len(1).unwrap()]);
            assert!(spec.split(&Secret::copy_from(&[1]), &random).is_err(), "{prime:02x?}");
        }
    }

    #[test]
    fn a_long_number_is_not_tested_for_ever() {
        let mut long = vec![0xff; 300];
        long[299] = 0xfd;
        let spec = SplitSpec {
            method: SplitKeyMethod::PolynomialSharingPrimeField,
            parts: 2,
            threshold: 2,
            prime: Some(&long),
        };
        let random = Secret::new(vec![1; spec.random_len(1).unwrap()]);
        let refused = spec.split(&Secret::copy_from(&[1]), &random).unwrap_err();
        assert_eq!(refused, CryptoError::TooLong("Prime Field Size"));
    }

    #[test]
    fn a_secret_above_the_prime_is_refused() {
        let prime = usual_prime(100).unwrap();
        let spec = SplitSpec {
            method: SplitKeyMethod::PolynomialSharingPrimeField,
            parts: 2,
            threshold: 2,
            prime: Some(&prime),
        };
        let random = Secret::new(vec![1; spec.random_len(16).unwrap()]);
        assert!(spec.split(&Secret::new(vec![0xff; 16]), &random).is_err());
        assert!(spec.split(&Secret::new(vec![0x7f; 16]), &random).is_ok());
    }
}
