//! Which algorithms and key lengths a domain takes: its policy, `anssi` or `legacy`.
//!
//! `anssi` follows the ANSSI guide on cryptographic mechanisms: symmetric keys of at least 128 bits for ciphers with
//! blocks of 128 bits, hashes of at least 256 bits, RSA of at least 2048 bits (3072 from 2031), curves of at least 250
//! bits; ChaCha20-Poly1305 is the one stream cipher. `legacy` is for clients that cannot do without: it takes old
//! ciphers too, and registers whatever somebody else made.

use kmip::registry::{CryptographicAlgorithm, RecommendedCurve};
use thiserror::Error;

/// The policy of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlgorithmPolicy {
    /// What ANSSI recommends today.
    Anssi,
    /// Old algorithms as well.
    Legacy,
}

impl AlgorithmPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Anssi, Self::Legacy];

    /// The name in the store and the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anssi => "anssi",
            Self::Legacy => "legacy",
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

/// Why a key may not exist in the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AlgorithmRefusal {
    /// The algorithm has no symmetric keys that a server could create.
    #[error("{} has no symmetric key that could be created here", .0.text())]
    NotSymmetric(CryptographicAlgorithm),
    /// The algorithm has no keys of this length.
    #[error("{} has no keys of {length} bits", algorithm.text())]
    Length {
        /// The algorithm.
        algorithm: CryptographicAlgorithm,
        /// Length in bits.
        length: i32,
    },
    /// The algorithm has no key pairs that a server could create.
    #[error("{} has no key pair that could be created here", .0.text())]
    NoPairs(CryptographicAlgorithm),
    /// The algorithm has no keys on this curve, or the curve none of that length.
    #[error("{} has no such keys on {}", algorithm.text(), curve.text())]
    Curve {
        /// The algorithm.
        algorithm: CryptographicAlgorithm,
        /// The curve.
        curve: RecommendedCurve,
    },
    /// The domain's policy excludes the curve.
    #[error("the domain's policy excludes keys on {}", .0.text())]
    PolicyCurve(RecommendedCurve),
    /// The domain's policy excludes the algorithm.
    #[error("the domain's policy excludes {}", .0.text())]
    Policy(CryptographicAlgorithm),
    /// The domain's policy excludes RSA keys whose public exponent is no longer than this.
    #[error("the domain's policy excludes RSA keys with a public exponent of {0} bits")]
    PolicyExponent(i32),
    /// The domain's policy excludes keys of this length.
    #[error("the domain's policy excludes {} keys of {length} bits", algorithm.text())]
    PolicyLength {
        /// The algorithm.
        algorithm: CryptographicAlgorithm,
        /// Length in bits.
        length: i32,
    },
}

/// Lengths of symmetric keys in bits: a list, or a span with a step of 8.
#[derive(Clone, Copy)]
enum Lengths {
    /// Exactly these; the first is the default.
    OneOf(&'static [i32]),
    /// From the first to the second in whole bytes; the third is the default.
    Span(i32, i32, i32),
}

/// Longest symmetric key in bits. Nobody's HMAC or stream cipher needs more, and the random generator is shared.
pub const MAX_SYMMETRIC_BITS: i32 = 4096;

impl Lengths {
    fn contain(self, length: i32) -> bool {
        match self {
            Self::OneOf(list) => list.contains(&length),
            Self::Span(from, to, _) => (from..=to).contains(&length) && length % 8 == 0,
        }
    }

    fn default_length(self) -> Option<i32> {
        match self {
            Self::OneOf(list) => list.first().copied(),
            Self::Span(_, _, default) => Some(default),
        }
    }
}

/// The lengths of an algorithm's symmetric keys, or `None` where it has none.
const fn lengths(algorithm: CryptographicAlgorithm) -> Option<Lengths> {
    use CryptographicAlgorithm as A;
    Some(match algorithm {
        // 512 bits are the two keys of XTS-AES-256 (IEEE 1619) and fit no other mode.
        A::Aes => Lengths::OneOf(&[256, 128, 192, 512]),
        A::Camellia | A::Aria | A::Twofish => Lengths::OneOf(&[256, 128, 192]),
        A::Des => Lengths::OneOf(&[56, 64]),
        // With and without parity bits, two keys and three.
        A::TripleDes => Lengths::OneOf(&[168, 112, 128, 192]),
        A::Skipjack => Lengths::OneOf(&[80]),
        A::Idea | A::Seed | A::Sm4 => Lengths::OneOf(&[128]),
        A::ChaCha20 | A::Poly1305 | A::ChaCha20Poly1305 | A::Gost28147_89 | A::GostR34_13_2015 => {
            Lengths::OneOf(&[256])
        }
        A::Mars => Lengths::Span(128, 448, 256),
        A::Cast5 => Lengths::Span(40, 128, 128),
        A::Blowfish => Lengths::Span(32, 448, 256),
        A::Rc2 => Lengths::Span(8, 1024, 128),
        A::Rc4 => Lengths::Span(40, 2048, 128),
        A::Rc5 => Lengths::Span(8, 2040, 128),
        A::HmacMd5 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 128),
        A::HmacSha1 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 160),
        A::HmacSha224 | A::HmacSha3_224 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 224),
        A::HmacSha256 | A::HmacSha3_256 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 256),
        A::HmacSha384 | A::HmacSha3_384 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 384),
        A::HmacSha512 | A::HmacSha3_512 => Lengths::Span(8, MAX_SYMMETRIC_BITS, 512),
        // A pad is as long as its message and used once: not a key that a server could make without knowing it.
        A::OneTimePad
        | A::Rsa
        | A::Dsa
        | A::Ecdsa
        | A::Dh
        | A::Ecdh
        | A::Ecmqv
        | A::Ec
        | A::Sm2
        | A::GostR34_10_2012
        | A::Xmss
        | A::Sphincs256
        | A::McEliece
        | A::McEliece6960119
        | A::McEliece8192128
        | A::Ed25519
        | A::Ed448
        // Hashes have no keys; the standard lists them for the parameters of other algorithms.
        | A::Sha3_224
        | A::Sha3_256
        | A::Sha3_384
        | A::Sha3_512
        | A::Shake128
        | A::Shake256
        | A::Sm3
        | A::GostR34_11_2012 => return None,
    })
}

/// The shortest key in bits that ANSSI accepts, or `None` where it excludes the algorithm.
pub(crate) const fn anssi_minimum(algorithm: CryptographicAlgorithm) -> Option<i32> {
    use CryptographicAlgorithm as A;
    match algorithm {
        A::Aes => Some(128),
        A::ChaCha20Poly1305 => Some(256),
        A::HmacSha256 | A::HmacSha384 | A::HmacSha512 | A::HmacSha3_256 | A::HmacSha3_384 | A::HmacSha3_512 => {
            Some(128)
        }
        A::Rsa | A::Dsa | A::Dh => Some(2048),
        A::Ec | A::Ecdsa | A::Ecdh | A::Ed25519 | A::Ed448 => Some(250),
        A::Des
        | A::TripleDes
        | A::HmacMd5
        | A::HmacSha1
        | A::HmacSha224
        | A::HmacSha3_224
        | A::Ecmqv
        | A::Blowfish
        | A::Camellia
        | A::Cast5
        | A::Idea
        | A::Mars
        | A::Rc2
        | A::Rc4
        | A::Rc5
        | A::Skipjack
        | A::Twofish
        | A::OneTimePad
        | A::ChaCha20
        | A::Poly1305
        | A::Sha3_224
        | A::Sha3_256
        | A::Sha3_384
        | A::Sha3_512
        | A::Shake128
        | A::Shake256
        | A::Aria
        | A::Seed
        | A::Sm2
        | A::Sm3
        | A::Sm4
        | A::GostR34_10_2012
        | A::GostR34_11_2012
        | A::GostR34_13_2015
        | A::Gost28147_89
        | A::Xmss
        | A::Sphincs256
        | A::McEliece
        | A::McEliece6960119
        | A::McEliece8192128 => None,
    }
}

/// Whether a key is one that ANSSI accepts. Length in bits.
pub(crate) fn is_strong(algorithm: CryptographicAlgorithm, length: i32) -> bool {
    anssi_minimum(algorithm).is_some_and(|minimum| length >= minimum)
}

/// Ciphers that even `legacy` does not make new keys for: their keys are guessed within a day.
const fn is_broken(algorithm: CryptographicAlgorithm) -> bool {
    use CryptographicAlgorithm as A;
    matches!(algorithm, A::Des | A::Rc2 | A::Rc4 | A::Rc5)
}

/// The shortest key in bits that the server makes under `legacy`: SKIPJACK's, the weakest that old profiles ask for.
const LEGACY_MINIMUM: i32 = 80;

/// The length in bits of a symmetric key to be created: the given one, or the algorithm's default.
///
/// # Errors
/// [`AlgorithmRefusal`].
pub fn may_create_symmetric(
    policy: AlgorithmPolicy,
    algorithm: CryptographicAlgorithm,
    length: Option<i32>,
) -> Result<i32, AlgorithmRefusal> {
    let lengths = lengths(algorithm).ok_or(AlgorithmRefusal::NotSymmetric(algorithm))?;
    let length = length.or_else(|| lengths.default_length()).ok_or(AlgorithmRefusal::NotSymmetric(algorithm))?;
    let minimum = match policy {
        AlgorithmPolicy::Anssi => anssi_minimum(algorithm).ok_or(AlgorithmRefusal::Policy(algorithm))?,
        AlgorithmPolicy::Legacy if is_broken(algorithm) => return Err(AlgorithmRefusal::Policy(algorithm)),
        AlgorithmPolicy::Legacy => LEGACY_MINIMUM,
    };
    if !lengths.contain(length) {
        return Err(AlgorithmRefusal::Length { algorithm, length });
    }
    if length < minimum {
        return Err(AlgorithmRefusal::PolicyLength { algorithm, length });
    }
    Ok(length)
}

/// May a key that somebody else made be registered? `length` in bits. Whether a library or the HSM could use the key
/// does not matter; `legacy` keeps everything, and under `anssi` a key has to be as good as one made here.
///
/// # Errors
/// [`AlgorithmRefusal`].
pub fn may_register(
    policy: AlgorithmPolicy,
    algorithm: CryptographicAlgorithm,
    length: i32,
) -> Result<(), AlgorithmRefusal> {
    if length <= 0 {
        return Err(AlgorithmRefusal::Length { algorithm, length });
    }
    match policy {
        AlgorithmPolicy::Legacy => Ok(()),
        AlgorithmPolicy::Anssi => {
            let minimum = anssi_minimum(algorithm).ok_or(AlgorithmRefusal::Policy(algorithm))?;
            if lengths(algorithm).is_some_and(|lengths| !lengths.contain(length)) {
                return Err(AlgorithmRefusal::Length { algorithm, length });
            }
            if length < minimum { Err(AlgorithmRefusal::PolicyLength { algorithm, length }) } else { Ok(()) }
        }
    }
}

/// As [`may_register`], for a key of which nobody says how long it is.
///
/// # Errors
/// [`AlgorithmRefusal::Policy`].
pub fn may_register_some(policy: AlgorithmPolicy, algorithm: CryptographicAlgorithm) -> Result<(), AlgorithmRefusal> {
    if policy == AlgorithmPolicy::Anssi && anssi_minimum(algorithm).is_none() {
        return Err(AlgorithmRefusal::Policy(algorithm));
    }
    Ok(())
}

/// The bytes of a symmetric key of `algorithm` and `length` bits: 3DES keys may be counted without their parity bits.
///
/// # Errors
/// [`AlgorithmRefusal::Length`] where the length is not one of the algorithm's.
pub fn symmetric_key_bytes(algorithm: CryptographicAlgorithm, length: i32) -> Result<usize, AlgorithmRefusal> {
    use CryptographicAlgorithm as A;
    let refusal = AlgorithmRefusal::Length { algorithm, length };
    if !lengths(algorithm).is_some_and(|lengths| lengths.contain(length)) {
        return Err(refusal);
    }
    let bits = match (algorithm, length) {
        (A::Des, 56) => 64,
        (A::TripleDes, 112) => 128,
        (A::TripleDes, 168) => 192,
        (_, length) => length,
    };
    usize::try_from(bits / 8).map_err(|_| refusal)
}

/// Whether a key of this algorithm and length withstands a quantum computer: what rests on factors, logarithms and
/// curves does not, and of a symmetric key half its bits are left (Grover). KMIP 2.1 §4.51.
#[must_use]
pub const fn is_quantum_safe(algorithm: CryptographicAlgorithm, length: i32) -> bool {
    use CryptographicAlgorithm as A;
    match algorithm {
        A::Rsa
        | A::Dsa
        | A::Ecdsa
        | A::Dh
        | A::Ecdh
        | A::Ecmqv
        | A::Ec
        | A::Sm2
        | A::GostR34_10_2012
        | A::Ed25519
        | A::Ed448 => false,
        // Their lengths count other things than bits of strength.
        A::OneTimePad | A::Xmss | A::Sphincs256 | A::McEliece | A::McEliece6960119 | A::McEliece8192128 => true,
        _ => length >= QUANTUM_SAFE_BITS,
    }
}

/// Bits of a symmetric key that leave 128 to whoever has a quantum computer.
const QUANTUM_SAFE_BITS: i32 = 256;

#[cfg(test)]
mod tests {
    use CryptographicAlgorithm as A;
    use proptest::{prelude::*, sample::select};

    use super::*;

    #[test]
    fn the_key_of_a_virtual_machine_can_be_made_under_both_policies() {
        for policy in AlgorithmPolicy::ALL {
            assert_eq!(may_create_symmetric(policy, A::Aes, Some(256)), Ok(256));
            assert_eq!(may_create_symmetric(policy, A::Aes, None), Ok(256));
            // XTS-AES-256 of disks has two keys.
            assert_eq!(may_create_symmetric(policy, A::Aes, Some(512)), Ok(512));
        }
    }

    #[test]
    fn anssi_refuses_what_legacy_takes() {
        let anssi = |algorithm, length| may_create_symmetric(AlgorithmPolicy::Anssi, algorithm, Some(length));
        assert_eq!(anssi(A::TripleDes, 168), Err(AlgorithmRefusal::Policy(A::TripleDes)));
        assert_eq!(
            anssi(A::HmacSha256, 64),
            Err(AlgorithmRefusal::PolicyLength { algorithm: A::HmacSha256, length: 64 })
        );
        assert_eq!(anssi(A::Aes, 100), Err(AlgorithmRefusal::Length { algorithm: A::Aes, length: 100 }));
        assert_eq!(may_create_symmetric(AlgorithmPolicy::Legacy, A::TripleDes, Some(168)), Ok(168));
        assert_eq!(may_create_symmetric(AlgorithmPolicy::Legacy, A::Skipjack, Some(80)), Ok(80));
        assert_eq!(
            may_create_symmetric(AlgorithmPolicy::Legacy, A::Rsa, Some(2048)),
            Err(AlgorithmRefusal::NotSymmetric(A::Rsa))
        );
        assert_eq!(
            may_register(AlgorithmPolicy::Anssi, A::Rsa, 1024),
            Err(AlgorithmRefusal::PolicyLength { algorithm: A::Rsa, length: 1024 })
        );
        assert_eq!(may_register(AlgorithmPolicy::Legacy, A::Rsa, 1024), Ok(()));
    }

    #[test]
    fn the_bytes_of_a_triple_des_key_include_its_parity_bits() {
        assert_eq!(symmetric_key_bytes(A::TripleDes, 168), Ok(24));
        assert_eq!(symmetric_key_bytes(A::TripleDes, 112), Ok(16));
        assert_eq!(symmetric_key_bytes(A::Aes, 256), Ok(32));
        assert!(symmetric_key_bytes(A::Aes, 255).is_err());
        assert!(symmetric_key_bytes(A::Rsa, 2048).is_err());
    }

    #[test]
    fn half_of_a_symmetric_key_is_left_to_a_quantum_computer() {
        assert!(is_quantum_safe(A::Aes, 256) && !is_quantum_safe(A::Aes, 128));
        assert!(!is_quantum_safe(A::Rsa, 4096) && is_quantum_safe(A::McEliece, 0));
    }

    proptest! {
        #[test]
        fn what_anssi_takes_legacy_takes(algorithm in select(A::ALL.to_vec()), length in any::<i32>()) {
            for length in [length, length % 5000, length % 64 * 8] {
                if may_create_symmetric(AlgorithmPolicy::Anssi, algorithm, Some(length)).is_ok() {
                    prop_assert_eq!(may_create_symmetric(AlgorithmPolicy::Legacy, algorithm, Some(length)), Ok(length));
                    prop_assert!(may_register(AlgorithmPolicy::Anssi, algorithm, length).is_ok());
                    prop_assert!(symmetric_key_bytes(algorithm, length).is_ok());
                }
                if may_register(AlgorithmPolicy::Anssi, algorithm, length).is_ok() {
                    prop_assert!(may_register(AlgorithmPolicy::Legacy, algorithm, length).is_ok());
                }
            }
        }
    }
}
