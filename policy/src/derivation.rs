//! Which ways of deriving keys a domain takes. KMIP 1.4 §4.6.

use kmip::registry::{BlockCipherMode, DerivationMethod, HashingAlgorithm};

use crate::algorithm::AlgorithmPolicy;

/// How something is to be derived.
#[derive(Clone, Copy, Debug)]
pub struct Derivation {
    /// The method.
    pub method: DerivationMethod,
    /// The hash that is named, if one is.
    pub hash: Option<HashingAlgorithm>,
    /// The mode that is named, if one is.
    pub mode: Option<BlockCipherMode>,
    /// Rounds of PBKDF2.
    pub iterations: Option<i32>,
}

/// Why not, as a fixed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivationRefusal(pub &'static str);

/// Rounds of PBKDF2 that `anssi` asks for at least: NIST SP 800-132 calls for 1000, and machines have become faster.
pub const MIN_ITERATIONS: i32 = 10_000;

/// The hash of every object's Digest attribute. KMIP 1.4 §3.17 wants it to be this one.
const DIGEST: HashingAlgorithm = HashingAlgorithm::Sha256;

/// May it be derived so under the policy? `anssi` refuses hashes of less than 256 bits, a password that is stretched too
/// little, the mode that shows which blocks are equal, and the hash of a key that its Digest attribute shows to everybody
/// who may read attributes, in the database too.
///
/// # Errors
/// [`DerivationRefusal`].
pub fn may_derive(policy: AlgorithmPolicy, derivation: &Derivation) -> Result<(), DerivationRefusal> {
    use HashingAlgorithm as H;
    if policy == AlgorithmPolicy::Legacy {
        return Ok(());
    }
    let is_weak = |hash| {
        !matches!(hash, H::Sha256 | H::Sha384 | H::Sha512 | H::Sha512_256 | H::Sha3_256 | H::Sha3_384 | H::Sha3_512)
    };
    if derivation.hash.is_some_and(is_weak) {
        return Err(DerivationRefusal("the domain's policy excludes the hash"));
    }
    match derivation.method {
        // The standard's default is HMAC-SHA-1.
        DerivationMethod::Pbkdf2 if derivation.hash.is_none() => {
            Err(DerivationRefusal("the domain's policy excludes PBKDF2 with SHA-1"))
        }
        DerivationMethod::Pbkdf2 if derivation.iterations.is_none_or(|rounds| rounds < MIN_ITERATIONS) => {
            Err(DerivationRefusal("the domain's policy asks for more rounds of PBKDF2"))
        }
        DerivationMethod::Hash if derivation.hash == Some(DIGEST) => {
            Err(DerivationRefusal("the Digest attribute of the key would be the derived key"))
        }
        DerivationMethod::Encrypt if derivation.mode == Some(BlockCipherMode::Ecb) => {
            Err(DerivationRefusal("the domain's policy excludes ECB"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pbkdf2(hash: Option<HashingAlgorithm>, rounds: i32) -> Derivation {
        Derivation { method: DerivationMethod::Pbkdf2, hash, mode: None, iterations: Some(rounds) }
    }

    #[test]
    fn anssi_asks_for_a_hash_of_256_bits_and_enough_rounds() {
        let anssi = |derivation| may_derive(AlgorithmPolicy::Anssi, &derivation);
        assert_eq!(anssi(pbkdf2(Some(HashingAlgorithm::Sha256), MIN_ITERATIONS)), Ok(()));
        assert!(anssi(pbkdf2(Some(HashingAlgorithm::Sha256), MIN_ITERATIONS - 1)).is_err());
        assert!(anssi(pbkdf2(Some(HashingAlgorithm::Sha1), 1_000_000)).is_err());
        assert!(anssi(pbkdf2(None, 1_000_000)).is_err());
        let ecb = Derivation {
            method: DerivationMethod::Encrypt,
            hash: None,
            mode: Some(BlockCipherMode::Ecb),
            iterations: None,
        };
        assert!(anssi(ecb).is_err());
        assert_eq!(may_derive(AlgorithmPolicy::Legacy, &pbkdf2(None, 1)), Ok(()));
    }

    #[test]
    fn what_the_digest_of_a_key_tells_is_no_key() {
        let hash = |hash| Derivation { method: DerivationMethod::Hash, hash: Some(hash), mode: None, iterations: None };
        let anssi = |derivation| may_derive(AlgorithmPolicy::Anssi, &derivation);
        assert!(anssi(hash(HashingAlgorithm::Sha256)).is_err());
        assert_eq!(anssi(hash(HashingAlgorithm::Sha384)), Ok(()));
        // The standard's own case derives so.
        assert_eq!(may_derive(AlgorithmPolicy::Legacy, &hash(HashingAlgorithm::Sha256)), Ok(()));
    }
}
