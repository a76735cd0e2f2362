//! The numbers of an RSA key that follow from others. KMIP 1.4 §2.1.7.4 lets a client leave most of them out.

use openssl::bn::{BigNum, BigNumContext, BigNumContextRef};

use crate::CryptoError;
use crate::library::Checked;
use crate::limits::{MAX_MODULUS_BITS, MAX_PUBLIC_EXPONENT_BITS};
use crate::number::{SecretNumber, bits};

const BROKEN: CryptoError = CryptoError::InvalidKey("its numbers do not make an RSA key");
const STEP: &str = "number";

/// Bases that are tried to find the factors; each finds them with probability one half at least.
const BASES: u32 = 100;
/// Public exponents that people use, tried where the key does not say.
const USUAL_EXPONENTS: [u32; 5] = [65_537, 3, 17, 5, 257];

/// n, e, d, p and q.
pub(super) struct RsaNumbers {
    pub(super) n: BigNum,
    pub(super) e: BigNum,
    pub(super) d: SecretNumber,
    pub(super) p: SecretNumber,
    pub(super) q: SecretNumber,
}

/// The numbers of the Chinese remainder theorem.
pub(super) struct Crt {
    pub(super) dp: SecretNumber,
    pub(super) dq: SecretNumber,
    pub(super) q_inverse: SecretNumber,
}

impl RsaNumbers {
    /// All five from what is given.
    pub(super) fn complete(
        n: BigNum,
        e: Option<BigNum>,
        d: Option<SecretNumber>,
        p: Option<SecretNumber>,
        q: Option<SecretNumber>,
        dp: Option<SecretNumber>,
    ) -> Result<Self, CryptoError> {
        if n.is_even() || bits(&n) < 16 || bits(&n) > MAX_MODULUS_BITS {
            return Err(BROKEN);
        }
        let mut context = BigNumContext::new_secure().or_library(STEP)?;
        let context = &mut context;
        let primes = match (p, q) {
            (Some(p), Some(q)) => Some((p, q)),
            (Some(one), None) | (None, Some(one)) => {
                let other = divide(&n, &one, context)?;
                Some((one, other))
            }
            (None, None) => match (&d, &e, &dp) {
                (None, Some(e), Some(dp)) => Some(factors_by_prime_exponent(&n, e, dp, context)?),
                _ => None,
            },
        };
        match primes {
            Some((p, q)) => {
                let lambda = carmichael(&p, &q, context)?;
                let (e, d) = match (e, d) {
                    (Some(e), Some(d)) => (e, d),
                    (Some(e), None) => {
                        let d = inverse(&SecretNumber::new(e.to_owned().or_library(STEP)?), &lambda, context)?;
                        (e, d)
                    }
                    (None, Some(d)) => (inverse(&d, &lambda, context)?.give()?, d),
                    (None, None) => return Err(CryptoError::Missing("an exponent of the RSA key")),
                };
                Self { n, e, d, p, q }.checked(context)
            }
            None => {
                let d = d.ok_or(CryptoError::Missing("the private exponent of the RSA key"))?;
                let exponents = match e {
                    Some(e) => vec![e],
                    None => USUAL_EXPONENTS
                        .iter()
                        .map(|e| BigNum::from_u32(*e))
                        .collect::<Result<_, _>>()
                        .or_library(STEP)?,
                };
                for e in exponents {
                    if let Some((p, q)) = factors(&n, &e, &d, context)? {
                        return Self { n, e, d, p, q }.checked(context);
                    }
                }
                Err(BROKEN)
            }
        }
    }

    /// Whether n is the product, and e and d are inverse.
    fn checked(self, context: &mut BigNumContextRef) -> Result<Self, CryptoError> {
        if bits(&self.e) > MAX_PUBLIC_EXPONENT_BITS || bits(&self.p) < 2 || bits(&self.q) < 2 {
            return Err(BROKEN);
        }
        let mut product = SecretNumber::zero()?;
        product.get_mut().checked_mul(&self.p, &self.q, context).or_library(STEP)?;
        let mut back = SecretNumber::zero()?;
        let two = BigNum::from_u32(2).or_library(STEP)?;
        back.get_mut().mod_exp(&two, &self.d, &self.n, context).or_refuse(BROKEN)?;
        let mut once_more = SecretNumber::zero()?;
        once_more.get_mut().mod_exp(&back, &self.e, &self.n, context).or_refuse(BROKEN)?;
        if *product == *self.n && *once_more == *two { Ok(self) } else { Err(BROKEN) }
    }

    /// d mod (p - 1), d mod (q - 1), and the inverse of q mod p.
    pub(super) fn crt(&self) -> Result<Crt, CryptoError> {
        let mut context = BigNumContext::new_secure().or_library(STEP)?;
        let mut reduced = |prime: &SecretNumber| {
            let mut remainder = SecretNumber::zero()?;
            remainder.get_mut().nnmod(&self.d, &*less_one(prime)?, &mut context).or_refuse(BROKEN)?;
            Ok::<_, CryptoError>(remainder)
        };
        let (dp, dq) = (reduced(&self.p)?, reduced(&self.q)?);
        let q_inverse = inverse(&self.q, &self.p, &mut context)?;
        Ok(Crt { dp, dq, q_inverse })
    }
}

fn less_one(number: &SecretNumber) -> Result<SecretNumber, CryptoError> {
    let mut less = SecretNumber::new(number.give()?);
    less.get_mut().sub_word(1).or_library(STEP)?;
    Ok(less)
}

fn inverse(
    number: &SecretNumber,
    modulus: &SecretNumber,
    context: &mut BigNumContextRef,
) -> Result<SecretNumber, CryptoError> {
    let mut inverse = SecretNumber::zero()?;
    inverse.get_mut().mod_inverse(number, modulus, context).or_refuse(BROKEN)?;
    Ok(inverse)
}

fn divide(n: &BigNum, by: &SecretNumber, context: &mut BigNumContextRef) -> Result<SecretNumber, CryptoError> {
    let mut quotient = SecretNumber::zero()?;
    quotient.get_mut().checked_div(n, by, context).or_refuse(BROKEN)?;
    Ok(quotient)
}

/// The least common multiple of p - 1 and q - 1.
fn carmichael(p: &SecretNumber, q: &SecretNumber, context: &mut BigNumContextRef) -> Result<SecretNumber, CryptoError> {
    let (p, q) = (less_one(p)?, less_one(q)?);
    let (mut product, mut divisor, mut lambda) = (SecretNumber::zero()?, SecretNumber::zero()?, SecretNumber::zero()?);
    product.get_mut().checked_mul(&p, &q, context).or_library(STEP)?;
    divisor.get_mut().gcd(&p, &q, context).or_library(STEP)?;
    lambda.get_mut().checked_div(&product, &divisor, context).or_refuse(BROKEN)?;
    Ok(lambda)
}

/// The factors of n from e and d: a square root of 1 that is neither 1 nor -1 shares a factor with n when 1 is taken
/// away (SP 800-56B §C.1). `None` where e and d are not inverse.
fn factors(
    n: &BigNum,
    e: &BigNum,
    d: &SecretNumber,
    context: &mut BigNumContextRef,
) -> Result<Option<(SecretNumber, SecretNumber)>, CryptoError> {
    let mut exponent = SecretNumber::zero()?;
    exponent.get_mut().checked_mul(e, d, context).or_library(STEP)?;
    if exponent.is_even() || bits(&exponent) < 2 {
        return Ok(None);
    }
    exponent.get_mut().sub_word(1).or_library(STEP)?;
    let mut halvings = 0;
    while exponent.is_even() {
        let mut half = SecretNumber::zero()?;
        half.get_mut().rshift1(&exponent).or_library(STEP)?;
        exponent = half;
        halvings += 1;
    }
    let one = BigNum::from_u32(1).or_library(STEP)?;
    let mut minus_one = BigNum::new().or_library(STEP)?;
    minus_one.checked_sub(n, &one).or_library(STEP)?;
    for base in 2..2 + BASES {
        let base = BigNum::from_u32(base).or_library(STEP)?;
        let mut root = SecretNumber::zero()?;
        root.get_mut().mod_exp(&base, &exponent, n, context).or_refuse(BROKEN)?;
        for _ in 0..halvings {
            if *root == *one || *root == *minus_one {
                break;
            }
            let mut square = SecretNumber::zero()?;
            square.get_mut().mod_sqr(&root, n, context).or_library(STEP)?;
            if *square == *one {
                root.get_mut().sub_word(1).or_library(STEP)?;
                let mut p = SecretNumber::zero()?;
                p.get_mut().gcd(&root, n, context).or_library(STEP)?;
                let q = divide(n, &p, context)?;
                return Ok(Some((p, q)));
            }
            root = square;
        }
    }
    Ok(None)
}

/// The factors of n from e and d mod (p - 1): a power of 2 with their product less 1 is 1 modulo p.
fn factors_by_prime_exponent(
    n: &BigNum,
    e: &BigNum,
    dp: &SecretNumber,
    context: &mut BigNumContextRef,
) -> Result<(SecretNumber, SecretNumber), CryptoError> {
    let (mut exponent, mut power, mut p) = (SecretNumber::zero()?, SecretNumber::zero()?, SecretNumber::zero()?);
    exponent.get_mut().checked_mul(e, dp, context).or_library(STEP)?;
    let two = BigNum::from_u32(2).or_library(STEP)?;
    power.get_mut().mod_exp(&two, &exponent, n, context).or_refuse(BROKEN)?;
    power.get_mut().sub_word(2).or_library(STEP)?;
    p.get_mut().gcd(&power, n, context).or_library(STEP)?;
    let q = divide(n, &p, context)?;
    Ok((p, q))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p = 61, q = 53, e = 17: the small example of the textbooks, with d below their least common multiple.
    fn number(value: u32) -> SecretNumber {
        SecretNumber::new(BigNum::from_u32(value).unwrap())
    }

    fn public(value: u32) -> BigNum {
        BigNum::from_u32(value).unwrap()
    }

    fn is_the_example(numbers: &RsaNumbers) {
        let mut primes = [numbers.p.mod_word(1000).unwrap(), numbers.q.mod_word(1000).unwrap()];
        primes.sort_unstable();
        assert_eq!(primes, [503, 607]);
        assert_eq!(numbers.e.mod_word(100_000).unwrap(), 17);
    }

    /// n = 503 · 607, λ = 152106, d = 17^-1 mod λ.
    const N: u32 = 305_321;
    const D: u32 = 53_684;

    #[test]
    fn every_set_that_is_enough_gives_the_whole_key() {
        let d = inverse(
            &number(17),
            &carmichael(&number(503), &number(607), &mut BigNumContext::new().unwrap()).unwrap(),
            &mut BigNumContext::new().unwrap(),
        )
        .unwrap();
        let d = u32::try_from(d.mod_word(u32::MAX).unwrap()).unwrap();
        let complete = |e: Option<u32>, d: Option<u32>, p: Option<u32>, q: Option<u32>| {
            RsaNumbers::complete(public(N), e.map(public), d.map(number), p.map(number), q.map(number), None)
        };
        is_the_example(&complete(Some(17), Some(d), Some(503), Some(607)).unwrap());
        is_the_example(&complete(Some(17), None, Some(503), Some(607)).unwrap());
        is_the_example(&complete(Some(17), None, None, Some(607)).unwrap());
        is_the_example(&complete(None, Some(d), Some(503), Some(607)).unwrap());
        is_the_example(&complete(Some(17), Some(d), None, None).unwrap());
        is_the_example(&complete(None, Some(d), None, None).unwrap());
        assert!(complete(Some(17), None, None, None).is_err());
        assert!(complete(None, None, Some(503), Some(607)).is_err());
        let by_prime_exponent =
            RsaNumbers::complete(public(N), Some(public(17)), None, None, None, Some(number(d % 502)));
        is_the_example(&by_prime_exponent.unwrap());
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_refused() {
        let complete = |e, d, p: Option<u32>| {
            RsaNumbers::complete(public(N), Some(public(e)), Some(number(d)), p.map(number), None, None)
        };
        assert!(complete(17, D, Some(509)).is_err());
        assert!(complete(19, D, None).is_err());
        assert!(complete(17, D, Some(1)).is_err());
        assert!(complete(17, D, Some(0)).is_err());
        assert!(RsaNumbers::complete(public(N + 1), Some(public(17)), Some(number(D)), None, None, None).is_err());
    }
}
