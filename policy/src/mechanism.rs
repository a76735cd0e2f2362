//! With which mechanisms a domain's keys may be used: modes, paddings, hashes, tags, initialisation vectors.
//!
//! `legacy` takes whatever the library has. `anssi` follows the ANSSI guide on cryptographic mechanisms, and refuses the
//! same in both directions: who accepts a weak signature is as much deceived as who makes one, and a server that opens
//! PKCS#1 v1.5 is the oracle of its attack. The table is in `docs/decisions/0008-cryptographic-operations.md`.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm, PaddingMethod,
};
use thiserror::Error;

use crate::algorithm::{AlgorithmPolicy, is_strong};

/// The policy excludes the mechanism; the text says which and is fit for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct WeakMechanism(pub &'static str);

/// What a key does, as far as mechanisms go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Encrypt; says whether the client chose the initialisation vector.
    Encrypt {
        /// The request names an IV, counter or nonce.
        client_iv: bool,
    },
    /// Decrypt.
    Decrypt,
    /// Sign and Signature Verify; says whether the hash was computed by the client.
    Sign {
        /// The request has Digested Data.
        digested: bool,
    },
    /// MAC and MAC Verify.
    Mac,
}

/// The key as far as mechanisms go.
#[derive(Clone, Copy, Debug)]
pub struct Mechanism<'a> {
    /// The key's own algorithm.
    pub algorithm: CryptographicAlgorithm,
    /// Its length in bits.
    pub length: i32,
    /// The parameters in force.
    pub parameters: &'a CryptographicParameters,
}

/// Bytes of an authentication tag under `anssi`.
const WHOLE_TAG: i32 = 16;

/// May a key be used so?
///
/// # Errors
/// [`WeakMechanism`].
pub fn may_use(policy: AlgorithmPolicy, purpose: Purpose, mechanism: &Mechanism<'_>) -> Result<(), WeakMechanism> {
    if policy == AlgorithmPolicy::Legacy {
        return Ok(());
    }
    let parameters = mechanism.parameters;
    // An AES key may be used for an HMAC: then the code's algorithm is what has to be strong, and the key long enough.
    let algorithm = match purpose {
        Purpose::Mac => parameters.cryptographic_algorithm.unwrap_or(mechanism.algorithm),
        Purpose::Encrypt { .. } | Purpose::Decrypt | Purpose::Sign { .. } => mechanism.algorithm,
    };
    if !is_strong(algorithm, mechanism.length) {
        return Err(WeakMechanism("the domain's policy excludes the algorithm or the length of the key"));
    }
    match purpose {
        Purpose::Encrypt { client_iv } => {
            cipher(algorithm, parameters)?;
            if client_iv && is_ruined_by_a_chosen_iv(parameters.block_cipher_mode) {
                return Err(WeakMechanism("the domain's policy leaves the IV to the server: ask for Random IV"));
            }
            Ok(())
        }
        Purpose::Decrypt => cipher(algorithm, parameters),
        Purpose::Sign { digested } => signature(parameters, digested),
        Purpose::Mac => match parameters.hashing_algorithm {
            Some(hash) => may_hash(policy, hash),
            None => Ok(()),
        },
    }
}

/// May data be hashed so?
///
/// # Errors
/// [`WeakMechanism`].
pub fn may_hash(policy: AlgorithmPolicy, hash: HashingAlgorithm) -> Result<(), WeakMechanism> {
    if policy == AlgorithmPolicy::Legacy || is_strong_hash(hash) {
        return Ok(());
    }
    Err(WeakMechanism("the domain's policy asks for hashes of at least 256 bits"))
}

/// May a client stir the random number generator, which all domains share?
///
/// # Errors
/// [`WeakMechanism`].
pub const fn may_seed(policy: AlgorithmPolicy) -> Result<(), WeakMechanism> {
    match policy {
        AlgorithmPolicy::Legacy => Ok(()),
        AlgorithmPolicy::Anssi => Err(WeakMechanism("the domain's policy keeps clients off the random generator")),
    }
}

fn cipher(algorithm: CryptographicAlgorithm, parameters: &CryptographicParameters) -> Result<(), WeakMechanism> {
    if algorithm == CryptographicAlgorithm::Rsa {
        return match parameters.padding_method {
            // SHA-1 inside OAEP is not asked to resist collisions.
            Some(PaddingMethod::Oaep) | None => Ok(()),
            Some(_) => Err(WeakMechanism("the domain's policy encrypts with RSA in OAEP only")),
        };
    }
    if parameters.block_cipher_mode == Some(BlockCipherMode::Ecb) {
        return Err(WeakMechanism("the domain's policy excludes ECB, which shows equal blocks"));
    }
    let authenticates = algorithm == CryptographicAlgorithm::ChaCha20Poly1305
        || matches!(
            parameters.block_cipher_mode,
            Some(BlockCipherMode::Gcm | BlockCipherMode::Ccm | BlockCipherMode::Aead)
        );
    if authenticates && parameters.tag_length.is_some_and(|len| len < WHOLE_TAG) {
        return Err(WeakMechanism("the domain's policy asks for authentication tags of 16 bytes"));
    }
    Ok(())
}

/// Whether a repeated or foreseeable IV breaks the mode: a nonce used twice gives GCM's key away and the stream modes'
/// plaintexts, a foreseen one lets guesses at CBC's and CFB's plaintexts be tested. The tweak of XTS is a place on a
/// disk and has to be the client's; key wrap has none.
const fn is_ruined_by_a_chosen_iv(mode: Option<BlockCipherMode>) -> bool {
    use BlockCipherMode as M;
    match mode {
        Some(M::Xts | M::Ecb | M::NistKeyWrap | M::AesKeyWrapPadding) => false,
        Some(_) | None => true,
    }
}

fn signature(parameters: &CryptographicParameters, digested: bool) -> Result<(), WeakMechanism> {
    let named = parameters.digital_signature_algorithm;
    if named.is_some_and(has_weak_hash) || parameters.hashing_algorithm.is_some_and(|hash| !is_strong_hash(hash)) {
        return Err(WeakMechanism("the domain's policy asks for hashes of at least 256 bits"));
    }
    let hash_is_named =
        parameters.hashing_algorithm.is_some() || named.is_some_and(|one| one != DigitalSignatureAlgorithm::RsassaPss);
    if digested && !hash_is_named {
        return Err(WeakMechanism("the domain's policy signs digests of a named hash only"));
    }
    Ok(())
}

const fn has_weak_hash(named: DigitalSignatureAlgorithm) -> bool {
    use DigitalSignatureAlgorithm as D;
    match named {
        D::Md2WithRsaEncryption
        | D::Md5WithRsaEncryption
        | D::Sha1WithRsaEncryption
        | D::Sha224WithRsaEncryption
        | D::DsaWithSha1
        | D::DsaWithSha224
        | D::EcdsaWithSha1
        | D::EcdsaWithSha224 => true,
        D::Sha256WithRsaEncryption
        | D::Sha384WithRsaEncryption
        | D::Sha512WithRsaEncryption
        | D::RsassaPss
        | D::DsaWithSha256
        | D::EcdsaWithSha256
        | D::EcdsaWithSha384
        | D::EcdsaWithSha512
        | D::Sha3_256WithRsaEncryption
        | D::Sha3_384WithRsaEncryption
        | D::Sha3_512WithRsaEncryption => false,
    }
}

const fn is_strong_hash(hash: HashingAlgorithm) -> bool {
    use HashingAlgorithm as H;
    match hash {
        H::Sha256 | H::Sha384 | H::Sha512 | H::Sha512_256 | H::Sha3_256 | H::Sha3_384 | H::Sha3_512 => true,
        H::Md2
        | H::Md4
        | H::Md5
        | H::Sha1
        | H::Sha224
        | H::Ripemd160
        | H::Tiger
        | H::Whirlpool
        | H::Sha512_224
        | H::Sha3_224 => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSSI: AlgorithmPolicy = AlgorithmPolicy::Anssi;

    fn aes(parameters: CryptographicParameters) -> impl Fn(AlgorithmPolicy, Purpose) -> bool {
        with(CryptographicAlgorithm::Aes, 256, parameters)
    }

    fn rsa(parameters: CryptographicParameters) -> impl Fn(AlgorithmPolicy, Purpose) -> bool {
        with(CryptographicAlgorithm::Rsa, 3072, parameters)
    }

    fn with(
        algorithm: CryptographicAlgorithm,
        length: i32,
        parameters: CryptographicParameters,
    ) -> impl Fn(AlgorithmPolicy, Purpose) -> bool {
        move |policy, purpose| {
            may_use(policy, purpose, &Mechanism { algorithm, length, parameters: &parameters }).is_ok()
        }
    }

    fn mode(mode: BlockCipherMode) -> CryptographicParameters {
        CryptographicParameters { block_cipher_mode: Some(mode), ..Default::default() }
    }

    const SERVER_IV: Purpose = Purpose::Encrypt { client_iv: false };
    const CLIENT_IV: Purpose = Purpose::Encrypt { client_iv: true };
    const SIGN: Purpose = Purpose::Sign { digested: false };

    #[test]
    fn legacy_refuses_nothing() {
        for purpose in [SERVER_IV, CLIENT_IV, Purpose::Decrypt, SIGN, Purpose::Sign { digested: true }, Purpose::Mac] {
            let weak = CryptographicParameters {
                hashing_algorithm: Some(HashingAlgorithm::Md5),
                padding_method: Some(PaddingMethod::Pkcs1V1_5),
                tag_length: Some(4),
                ..mode(BlockCipherMode::Ecb)
            };
            assert!(with(CryptographicAlgorithm::Des, 56, weak)(AlgorithmPolicy::Legacy, purpose));
        }
        assert!(may_hash(AlgorithmPolicy::Legacy, HashingAlgorithm::Md5).is_ok());
        assert!(may_seed(AlgorithmPolicy::Legacy).is_ok());
    }

    #[test]
    fn ecb_is_refused_in_both_directions() {
        let ecb = aes(mode(BlockCipherMode::Ecb));
        assert!(!ecb(ANSSI, SERVER_IV) && !ecb(ANSSI, Purpose::Decrypt));
    }

    #[test]
    fn the_iv_is_the_servers_but_for_the_tweak_of_xts() {
        use BlockCipherMode as M;
        for mode_of in [M::Gcm, M::Ccm, M::Ctr, M::Cbc, M::Cfb, M::Ofb] {
            let cipher = aes(mode(mode_of));
            assert!(cipher(ANSSI, SERVER_IV) && !cipher(ANSSI, CLIENT_IV), "{mode_of:?}");
            assert!(cipher(ANSSI, Purpose::Decrypt), "{mode_of:?}");
        }
        assert!(aes(mode(M::Xts))(ANSSI, CLIENT_IV));
    }

    #[test]
    fn a_short_tag_is_refused_and_no_word_means_a_whole_one() {
        for (len, fine) in [(None, true), (Some(16), true), (Some(15), false), (Some(0), false), (Some(-1), false)] {
            let gcm = aes(CryptographicParameters { tag_length: len, ..mode(BlockCipherMode::Gcm) });
            assert_eq!((gcm(ANSSI, SERVER_IV), gcm(ANSSI, Purpose::Decrypt)), (fine, fine), "{len:?}");
        }
    }

    #[test]
    fn rsa_encrypts_in_oaep_only() {
        for (padding, fine) in
            [(PaddingMethod::Oaep, true), (PaddingMethod::Pkcs1V1_5, false), (PaddingMethod::None, false)]
        {
            let rsa = rsa(CryptographicParameters { padding_method: Some(padding), ..Default::default() });
            assert_eq!((rsa(ANSSI, SERVER_IV), rsa(ANSSI, Purpose::Decrypt)), (fine, fine), "{padding:?}");
        }
    }

    #[test]
    fn a_signature_needs_a_strong_hash_however_it_is_named() {
        use HashingAlgorithm as H;
        for (hash, fine) in
            [(H::Md5, false), (H::Sha1, false), (H::Sha224, false), (H::Sha256, true), (H::Sha512, true)]
        {
            let rsa = rsa(CryptographicParameters { hashing_algorithm: Some(hash), ..Default::default() });
            assert_eq!(rsa(ANSSI, SIGN), fine, "{hash:?}");
            assert_eq!(may_hash(ANSSI, hash).is_ok(), fine, "{hash:?}");
        }
        let named = |one| CryptographicParameters { digital_signature_algorithm: Some(one), ..Default::default() };
        assert!(!rsa(named(DigitalSignatureAlgorithm::Sha1WithRsaEncryption))(ANSSI, SIGN));
        assert!(rsa(named(DigitalSignatureAlgorithm::Sha256WithRsaEncryption))(ANSSI, SIGN));
    }

    #[test]
    fn a_digest_without_the_name_of_its_hash_is_not_signed() {
        let digested = Purpose::Sign { digested: true };
        assert!(!rsa(CryptographicParameters::default())(ANSSI, digested));
        let sha256 =
            CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::Sha256), ..Default::default() };
        assert!(rsa(sha256)(ANSSI, digested));
    }

    #[test]
    fn keys_that_could_not_be_made_cannot_be_used() {
        assert!(!with(CryptographicAlgorithm::TripleDes, 168, mode(BlockCipherMode::Cbc))(ANSSI, SERVER_IV));
        assert!(!with(CryptographicAlgorithm::Rsa, 1024, CryptographicParameters::default())(ANSSI, SIGN));
        let hmac = |of| CryptographicParameters { cryptographic_algorithm: Some(of), ..Default::default() };
        assert!(aes(hmac(CryptographicAlgorithm::HmacSha256))(ANSSI, Purpose::Mac));
        assert!(!aes(hmac(CryptographicAlgorithm::HmacSha1))(ANSSI, Purpose::Mac));
        assert!(!aes(hmac(CryptographicAlgorithm::HmacMd5))(ANSSI, Purpose::Mac));
        assert!(may_seed(ANSSI).is_err());
    }
}
