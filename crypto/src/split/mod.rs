//! Splitting keys and joining them: Create Split Key, Join Split Key. KMIP 1.4 §2.2.5, 2.1 §2.8.
//!
//! A part's x coordinate is its Key Part Identifier, the secret stands at zero (Shamir's scheme). XOR needs all parts.

mod field;
mod prime;

use std::collections::BTreeSet;

use kmip::registry::SplitKeyMethod;
use secret::Secret;
use zeroize::Zeroizing;

use crate::CryptoError;
use crate::limits::{MAX_SPLIT_PARTS, MAX_SPLIT_WORK};
use field::{Field, Gf256, Gf65536};

pub use prime::usual_prime;

/// How a key is, or was, split.
#[derive(Clone, Copy, Debug)]
pub struct SplitSpec<'a> {
    /// Split Key Method.
    pub method: SplitKeyMethod,
    /// Split Key Parts.
    pub parts: usize,
    /// Split Key Threshold.
    pub threshold: usize,
    /// Prime Field Size as a big-endian number, for the method that has one.
    pub prime: Option<&'a [u8]>,
}

/// A part of a split key.
#[derive(Debug)]
pub struct Part {
    /// Key Part Identifier, from 1.
    pub identifier: usize,
    /// Key Material.
    pub material: Secret,
}

impl SplitSpec<'_> {
    /// Bytes of randomness that splitting a secret of `len` bytes needs.
    ///
    /// # Errors
    /// As [`SplitSpec::split`].
    pub fn random_len(&self, len: usize) -> Result<usize, CryptoError> {
        self.check(len)?;
        Ok(match self.method {
            SplitKeyMethod::Xor => (self.parts - 1) * len,
            SplitKeyMethod::PolynomialSharingGf2_16 | SplitKeyMethod::PolynomialSharingGf2_8 => {
                (self.threshold - 1) * len
            }
            SplitKeyMethod::PolynomialSharingPrimeField => (self.threshold - 1) * prime::coefficient_len(self)?,
        })
    }

    /// Splits `secret`; `random` has [`SplitSpec::random_len`] bytes and serves for nothing else.
    ///
    /// # Errors
    /// [`CryptoError::InvalidInput`] for numbers of parts that the method does not have, or a secret that its field does
    /// not take; [`CryptoError::TooLong`]; [`CryptoError::Missing`] without prime or randomness.
    pub fn split(&self, secret: &Secret, random: &Secret) -> Result<Vec<Part>, CryptoError> {
        if random.len() != self.random_len(secret.len())? {
            return Err(CryptoError::Missing("randomness"));
        }
        match self.method {
            SplitKeyMethod::Xor => Ok(self.split_xor(secret, random)),
            SplitKeyMethod::PolynomialSharingGf2_8 => Ok(self.split_pieces::<Gf256>(secret, random)),
            SplitKeyMethod::PolynomialSharingGf2_16 => Ok(self.split_pieces::<Gf65536>(secret, random)),
            SplitKeyMethod::PolynomialSharingPrimeField => prime::split(self, secret, random),
        }
    }

    /// Joins parts to a secret of `len` bytes; only a prime field needs the length, because its numbers have lost their
    /// zeros in front. Parts beyond the threshold must lie on the same polynomial.
    ///
    /// # Errors
    /// [`CryptoError::Parts`] for too few parts, one twice, parts of different lengths or of different keys.
    pub fn join(&self, parts: &[(usize, &Secret)], len: usize) -> Result<Secret, CryptoError> {
        let Some((_, first)) = parts.first() else { return Err(CryptoError::Parts) };
        self.check(first.len())?;
        let distinct: BTreeSet<usize> = parts.iter().map(|(identifier, _)| *identifier).collect();
        let fit = distinct.len() == parts.len()
            && distinct.iter().all(|identifier| (1..=self.parts).contains(identifier))
            && parts.len() >= self.threshold
            && parts.iter().all(|(_, part)| part.len() == first.len());
        if !fit {
            return Err(CryptoError::Parts);
        }
        match self.method {
            SplitKeyMethod::Xor => Secret::filled_by(first.len(), |out| {
                for (_, part) in parts {
                    xor_into(out, part.expose());
                }
                Ok(())
            }),
            SplitKeyMethod::PolynomialSharingGf2_8 => self.join_pieces::<Gf256>(parts),
            SplitKeyMethod::PolynomialSharingGf2_16 => self.join_pieces::<Gf65536>(parts),
            SplitKeyMethod::PolynomialSharingPrimeField => prime::join(self, parts, len),
        }
    }

    /// The numbers of parts, and the work that they make.
    fn check(&self, len: usize) -> Result<(), CryptoError> {
        if self.parts > MAX_SPLIT_PARTS {
            return Err(CryptoError::TooLong("the number of parts"));
        }
        if !(2..=self.parts).contains(&self.threshold) {
            return Err(CryptoError::InvalidInput("the threshold is not between 2 and the number of parts"));
        }
        if self.method == SplitKeyMethod::Xor && self.threshold != self.parts {
            return Err(CryptoError::InvalidInput("XOR needs all parts"));
        }
        if len == 0 {
            return Err(CryptoError::InvalidInput("nothing to split"));
        }
        if self.method == SplitKeyMethod::PolynomialSharingGf2_16 && !len.is_multiple_of(2) {
            return Err(CryptoError::InvalidInput("the field takes pieces of 16 bits"));
        }
        if len.saturating_mul(self.parts * self.threshold) > MAX_SPLIT_WORK {
            return Err(CryptoError::TooLong("the secret"));
        }
        Ok(())
    }

    fn split_xor(&self, secret: &Secret, random: &Secret) -> Vec<Part> {
        let mut last = Zeroizing::new(secret.expose().to_vec());
        let mut parts: Vec<Part> = (1..)
            .zip(random.expose().chunks_exact(secret.len()))
            .map(|(identifier, share)| {
                xor_into(&mut last, share);
                Part { identifier, material: Secret::copy_from(share) }
            })
            .collect();
        parts.push(Part { identifier: self.parts, material: Secret::from(last) });
        parts
    }

    /// Each piece of the secret is the constant of a polynomial whose other coefficients are random.
    fn split_pieces<F: Field>(&self, secret: &Secret, random: &Secret) -> Vec<Part> {
        let coefficients: Vec<&[u8]> =
            std::iter::once(secret.expose()).chain(random.expose().chunks_exact(secret.len())).collect();
        (1..=self.parts)
            .map(|identifier| {
                let x = F::from_identifier(identifier);
                let mut share = Zeroizing::new(vec![0; secret.len()]);
                // Horner's rule, from the highest coefficient down.
                for coefficient in coefficients.iter().rev() {
                    for (value, add) in share.chunks_exact_mut(F::LEN).zip(coefficient.chunks_exact(F::LEN)) {
                        F::write(F::add(F::mul(F::read(value), x), F::read(add)), value);
                    }
                }
                Part { identifier, material: Secret::from(share) }
            })
            .collect()
    }

    fn join_pieces<F: Field>(&self, parts: &[(usize, &Secret)]) -> Result<Secret, CryptoError> {
        let (used, further) = parts.split_at(self.threshold);
        for (identifier, part) in further {
            if interpolate::<F>(used, F::from_identifier(*identifier))? != **part {
                return Err(CryptoError::Parts);
            }
        }
        interpolate::<F>(used, F::ZERO)
    }
}

/// The value at `x` of the polynomial through `parts` (Lagrange).
fn interpolate<F: Field>(parts: &[(usize, &Secret)], x: F::Element) -> Result<Secret, CryptoError> {
    let len = parts.first().map_or(0, |(_, part)| part.len());
    Secret::filled_by(len, |out| {
        for (identifier, part) in parts {
            let own = F::from_identifier(*identifier);
            let (mut above, mut below) = (F::ONE, F::ONE);
            for (other, _) in parts.iter().filter(|(other, _)| other != identifier) {
                let other = F::from_identifier(*other);
                above = F::mul(above, F::add(x, other));
                below = F::mul(below, F::add(own, other));
            }
            let weight = F::mul(above, F::invert(below));
            for (value, piece) in out.chunks_exact_mut(F::LEN).zip(part.expose().chunks_exact(F::LEN)) {
                F::write(F::add(F::read(value), F::mul(F::read(piece), weight)), value);
            }
        }
        Ok(())
    })
}

fn xor_into(target: &mut [u8], with: &[u8]) {
    for (target, with) in target.iter_mut().zip(with) {
        *target ^= with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [SplitKeyMethod; 4] = [
        SplitKeyMethod::Xor,
        SplitKeyMethod::PolynomialSharingGf2_16,
        SplitKeyMethod::PolynomialSharingPrimeField,
        SplitKeyMethod::PolynomialSharingGf2_8,
    ];

    fn spec(method: SplitKeyMethod, parts: usize, threshold: usize, prime: Option<&[u8]>) -> SplitSpec<'_> {
        SplitSpec { method, parts, threshold, prime }
    }

    fn key() -> Secret {
        Secret::new(hex::decode("000102030405060708090a0b0c0d0e0f").unwrap())
    }

    fn random(spec: &SplitSpec<'_>) -> Secret {
        let len = spec.random_len(key().len()).unwrap();
        Secret::new((0..len).map(|index| u8::try_from(index * 151 % 251).unwrap()).collect())
    }

    fn lent(parts: &[Part]) -> Vec<(usize, &Secret)> {
        parts.iter().map(|part| (part.identifier, &part.material)).collect()
    }

    #[test]
    fn every_choice_of_enough_parts_gives_the_key_back() {
        let prime = usual_prime(128).unwrap();
        for method in METHODS {
            let threshold = if method == SplitKeyMethod::Xor { 4 } else { 3 };
            let spec = spec(method, 4, threshold, Some(&prime));
            let parts = spec.split(&key(), &random(&spec)).unwrap();
            assert_eq!(parts.len(), 4);
            let all = lent(&parts);
            assert_eq!(spec.join(&all, 16).unwrap(), key(), "{method:?}");
            for left_out in 0..4 {
                let mut some = all.clone();
                some.remove(left_out);
                some.reverse();
                match method {
                    SplitKeyMethod::Xor => assert_eq!(spec.join(&some, 16).unwrap_err(), CryptoError::Parts),
                    _ => assert_eq!(spec.join(&some, 16).unwrap(), key(), "{method:?}"),
                }
                some.truncate(2);
                assert_eq!(spec.join(&some, 16).unwrap_err(), CryptoError::Parts);
            }
        }
    }

    #[test]
    fn a_part_that_does_not_belong_is_noticed_where_there_is_one_to_spare() {
        let prime = usual_prime(128).unwrap();
        for method in METHODS.into_iter().filter(|method| *method != SplitKeyMethod::Xor) {
            let spec = spec(method, 4, 3, Some(&prime));
            let mut parts = spec.split(&key(), &random(&spec)).unwrap();
            let mut changed = parts[1].material.expose().to_vec();
            *changed.last_mut().unwrap() ^= 1;
            parts[1].material = Secret::new(changed);
            assert_eq!(spec.join(&lent(&parts), 16).unwrap_err(), CryptoError::Parts, "{method:?}");
        }
    }

    #[test]
    fn the_same_part_twice_is_one_part() {
        let spec = spec(SplitKeyMethod::PolynomialSharingGf2_8, 3, 2, None);
        let parts = spec.split(&key(), &random(&spec)).unwrap();
        let all = lent(&parts);
        assert_eq!(spec.join(&[all[0], all[0]], 16).unwrap_err(), CryptoError::Parts);
        assert_eq!(spec.join(&[all[0], (9, all[1].1)], 16).unwrap_err(), CryptoError::Parts);
        assert_eq!(spec.join(&[], 16).unwrap_err(), CryptoError::Parts);
    }

    #[test]
    fn parts_of_the_published_cases_make_their_key() {
        // The literals of OASIS's case TC-SJ-3: its field of 2^8 is not the one of the text's field of 2^16.
        let spec = spec(SplitKeyMethod::PolynomialSharingGf2_8, 4, 2, None);
        let parts = [
            "66c46a7754f94de420c7b1a7fff5ec56",
            "cf93d1e2a7e593cd5b8d6247f4e5d49c",
            "a855b891f61ad9217240d8ec061e37da",
            "803dbad55cdd329fad19d99ae2c5a415",
        ]
        .map(|part| Secret::new(hex::decode(part).unwrap()));
        let key = "0102030405060708090a0b0c0d0e0f10";
        for first in 0..4 {
            for second in (0..4).filter(|second| *second != first) {
                let joined = spec.join(&[(first + 1, &parts[first]), (second + 1, &parts[second])], 16).unwrap();
                assert_eq!(hex::encode(joined.expose()), key);
            }
        }
        let all: Vec<_> = (1..).zip(&parts).collect();
        assert_eq!(hex::encode(spec.join(&all, 16).unwrap().expose()), key);
    }

    #[test]
    fn numbers_that_a_method_does_not_have_are_refused() {
        let len = |method, parts, threshold| spec(method, parts, threshold, None).random_len(16);
        assert!(matches!(len(SplitKeyMethod::PolynomialSharingGf2_8, 256, 2), Err(CryptoError::TooLong(_))));
        assert!(len(SplitKeyMethod::PolynomialSharingGf2_8, 3, 4).is_err());
        assert!(len(SplitKeyMethod::PolynomialSharingGf2_8, 3, 1).is_err());
        assert!(len(SplitKeyMethod::Xor, 3, 2).is_err());
        assert!(matches!(len(SplitKeyMethod::PolynomialSharingPrimeField, 3, 2), Err(CryptoError::Missing(_))));
        let odd = spec(SplitKeyMethod::PolynomialSharingGf2_16, 3, 2, None);
        assert!(odd.random_len(15).is_err());
    }

    #[test]
    fn without_randomness_nothing_is_split() {
        let spec = spec(SplitKeyMethod::PolynomialSharingGf2_8, 3, 2, None);
        assert!(matches!(spec.split(&key(), &Secret::new(vec![0; 15])), Err(CryptoError::Missing(_))));
    }
}
