//! Key material as a structure of its numbers: the Transparent formats. KMIP 1.4 §2.1.7, 2.1 §3.4 to §3.12.

use super::SecretInteger;
use crate::Tag;
use crate::registry::RecommendedCurve;
use crate::ttlv::{BigInteger, DecodeError, DecodeErrorKind, Item};
use crate::wire::structure;

structure! {
    /// Transparent DSA Private Key. KMIP 2.1 §3.5.
    #[derive(Debug, PartialEq)]
    pub struct DsaPrivateKey {
        /// The prime modulus.
        required p: BigInteger = Tag::P,
        /// The prime divisor of `p` - 1.
        required q: BigInteger = Tag::Q,
        /// The generator of the subgroup of order `q`.
        required g: BigInteger = Tag::G,
        /// The private key.
        required x: SecretInteger = Tag::X,
    }
}

structure! {
    /// Transparent DSA Public Key. KMIP 2.1 §3.6.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DsaPublicKey {
        /// The prime modulus.
        required p: BigInteger = Tag::P,
        /// The prime divisor of `p` - 1.
        required q: BigInteger = Tag::Q,
        /// The generator of the subgroup of order `q`.
        required g: BigInteger = Tag::G,
        /// The public key.
        required y: BigInteger = Tag::Y,
    }
}

structure! {
    /// Transparent RSA Private Key. KMIP 2.1 §3.7.
    ///
    /// One of these has to be there: the private exponent, both primes, both prime exponents.
    #[derive(Debug, PartialEq)]
    pub struct RsaPrivateKey {
        /// The modulus.
        required modulus: BigInteger = Tag::MODULUS,
        /// The private exponent.
        optional private_exponent: SecretInteger = Tag::PRIVATE_EXPONENT,
        /// The public exponent.
        optional public_exponent: BigInteger = Tag::PUBLIC_EXPONENT,
        /// The first prime factor.
        optional p: SecretInteger = Tag::P,
        /// The second prime factor.
        optional q: SecretInteger = Tag::Q,
        /// The private exponent modulo `p` - 1.
        optional prime_exponent_p: SecretInteger = Tag::PRIME_EXPONENT_P,
        /// The private exponent modulo `q` - 1.
        optional prime_exponent_q: SecretInteger = Tag::PRIME_EXPONENT_Q,
        /// The inverse of `q` modulo `p`.
        optional crt_coefficient: SecretInteger = Tag::CRT_COEFFICIENT,
    }
}

impl RsaPrivateKey {
    /// Refuses a key of which nothing private is there.
    pub(super) fn check(&self, item: &Item<'_>) -> Result<(), DecodeError> {
        let has_primes = self.p.is_some() && self.q.is_some();
        let has_prime_exponents = self.prime_exponent_p.is_some() && self.prime_exponent_q.is_some();
        if self.private_exponent.is_some() || has_primes || has_prime_exponents {
            return Ok(());
        }
        Err(item.error(DecodeErrorKind::MissingField(Tag::PRIVATE_EXPONENT)))
    }
}

structure! {
    /// Transparent RSA Public Key. KMIP 2.1 §3.8.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RsaPublicKey {
        /// The modulus.
        required modulus: BigInteger = Tag::MODULUS,
        /// The public exponent.
        required public_exponent: BigInteger = Tag::PUBLIC_EXPONENT,
    }
}

structure! {
    /// Transparent DH Private Key. KMIP 2.1 §3.9.
    #[derive(Debug, PartialEq)]
    pub struct DhPrivateKey {
        /// The prime modulus, `j` · `q` + 1.
        required p: BigInteger = Tag::P,
        /// The prime divisor of `p` - 1.
        optional q: BigInteger = Tag::Q,
        /// The generator.
        required g: BigInteger = Tag::G,
        /// The cofactor.
        optional j: BigInteger = Tag::J,
        /// The private key.
        required x: SecretInteger = Tag::X,
    }
}

structure! {
    /// Transparent DH Public Key. KMIP 2.1 §3.10.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DhPublicKey {
        /// The prime modulus, `j` · `q` + 1.
        required p: BigInteger = Tag::P,
        /// The prime divisor of `p` - 1.
        optional q: BigInteger = Tag::Q,
        /// The generator.
        required g: BigInteger = Tag::G,
        /// The cofactor.
        optional j: BigInteger = Tag::J,
        /// The public key.
        required y: BigInteger = Tag::Y,
    }
}

structure! {
    /// Transparent EC Private Key, and ECDSA, ECDH and ECMQV, which look the same. KMIP 1.4 §2.1.7.8, 2.1 §3.11.
    #[derive(Debug, PartialEq)]
    pub struct EcPrivateKey {
        /// The curve.
        required recommended_curve: RecommendedCurve = Tag::RECOMMENDED_CURVE,
        /// The private scalar.
        required d: SecretInteger = Tag::D,
    }
}

structure! {
    /// Transparent EC Public Key, and ECDSA, ECDH and ECMQV, which look the same. KMIP 1.4 §2.1.7.9, 2.1 §3.12.
    #[derive(Clone, Debug, PartialEq)]
    pub struct EcPublicKey {
        /// The curve.
        required recommended_curve: RecommendedCurve = Tag::RECOMMENDED_CURVE,
        /// The public point, as octets of SEC 1.
        required q_string: Vec<u8> = Tag::Q_STRING,
    }
}
