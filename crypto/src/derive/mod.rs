//! Keys from keys: what Derive Key does. KMIP 1.4 §4.6, 2.1 §6.1.14, §7.12.

mod agreement;
mod counter_modes;

use kmip::attribute::CryptographicParameters;
use kmip::registry::{CryptographicAlgorithm, DerivationMethod, HashingAlgorithm};
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use secret::Secret;
use zeroize::Zeroizing;

use crate::CryptoError;
use crate::cipher::CipherSpec;
use crate::hash::{hash, hash_len, message_digest};
use crate::library::Checked;
use crate::limits::{MAX_DERIVED_LEN, MAX_INPUT_LEN, MAX_PBKDF2_ROUNDS};
use crate::mac::MacSpec;

pub use agreement::agree;

/// Derivation Parameters. KMIP 1.4 §4.6, tables 182 and 183.
#[derive(Clone, Copy, Debug)]
pub struct DerivationParameters<'a> {
    /// Which pseudorandom function, hash or mode.
    pub cryptographic: &'a CryptographicParameters,
    /// Of the methods ENCRYPT and NIST800-108-F.
    pub initialization_vector: Option<&'a [u8]>,
    /// Derivation Data, each part that was given. AWS Signature Version 4 takes three, everything else one.
    pub data: &'a [&'a [u8]],
    /// Of the methods PBKDF2 and HKDF.
    pub salt: Option<&'a [u8]>,
    /// Of the method PBKDF2.
    pub iterations: Option<i32>,
}

/// Derives `len` bytes from the key or secret `base`, whose algorithm is unknown where it is Secret Data. For the method
/// Asymmetric Key see [`agree`].
///
/// NIST SP 800-108 leaves the layout open: here a counter of 32 bits stands before Derivation Data, which is taken as it
/// is (label, zero byte, context, length), in all three modes.
///
/// # Errors
/// [`CryptoError::Missing`], [`CryptoError::Unsupported`]; [`CryptoError::InvalidInput`] for more bytes than the method
/// yields; [`CryptoError::TooLong`] beyond a limit.
pub fn derive(
    method: DerivationMethod,
    algorithm: Option<CryptographicAlgorithm>,
    base: &Secret,
    parameters: &DerivationParameters<'_>,
    len: usize,
) -> Result<Secret, CryptoError> {
    check_len(len)?;
    if parameters.data.iter().map(|part| part.len()).sum::<usize>() > MAX_INPUT_LEN {
        return Err(CryptoError::TooLong("Derivation Data"));
    }
    match method {
        DerivationMethod::Pbkdf2 => pbkdf2(base, parameters, len),
        DerivationMethod::Hash => {
            let algorithm =
                parameters.cryptographic.hashing_algorithm.ok_or(CryptoError::Missing("Hashing Algorithm"))?;
            // The hash of data that everybody knows would be a key that everybody knows.
            if !parameters.data.is_empty() {
                return Err(CryptoError::InvalidInput("HASH takes the key or Derivation Data, not both"));
            }
            cut(Zeroizing::new(hash(algorithm, base.expose())?), len)
        }
        DerivationMethod::Hmac => {
            let data = one(parameters.data)?;
            cut(Zeroizing::new(prf(algorithm, parameters)?.generate(base, data)?), len)
        }
        DerivationMethod::Encrypt => {
            let algorithm = algorithm.ok_or(CryptoError::Missing("Cryptographic Algorithm"))?;
            let spec = CipherSpec::resolve(algorithm, parameters.cryptographic)?;
            let encrypted = spec.encrypt(base, parameters.initialization_vector, &[], one(parameters.data)?, &[])?;
            cut(Zeroizing::new(encrypted.data), len)
        }
        DerivationMethod::Nist800_108C => {
            counter_modes::counter(&prf(algorithm, parameters)?, base, one(parameters.data)?, len)
        }
        DerivationMethod::Nist800_108F => {
            let iv = parameters.initialization_vector.unwrap_or_default();
            counter_modes::feedback(&prf(algorithm, parameters)?, base, iv, one(parameters.data)?, len)
        }
        DerivationMethod::Nist800_108Dpi => {
            counter_modes::double_pipeline(&prf(algorithm, parameters)?, base, one(parameters.data)?, len)
        }
        DerivationMethod::Hkdf => hkdf(base, parameters, len),
        DerivationMethod::AwsSignatureVersion4 => aws_signature_v4(base, parameters.data, len),
        DerivationMethod::AsymmetricKey => Err(CryptoError::Missing("the other key of the agreement")),
    }
}

fn check_len(len: usize) -> Result<(), CryptoError> {
    match len {
        0 => Err(CryptoError::InvalidInput("nothing to derive")),
        1..=MAX_DERIVED_LEN => Ok(()),
        _ => Err(CryptoError::TooLong("the derived key")),
    }
}

/// The first `len` bytes of what a method yields.
fn cut(mut yielded: Zeroizing<Vec<u8>>, len: usize) -> Result<Secret, CryptoError> {
    if len > yielded.len() {
        return Err(CryptoError::InvalidInput("the method does not yield so many bytes"));
    }
    yielded.truncate(len);
    Ok(Secret::from(yielded))
}

fn one<'a>(data: &[&'a [u8]]) -> Result<&'a [u8], CryptoError> {
    match data {
        [] => Err(CryptoError::Missing("Derivation Data")),
        [data] => Ok(data),
        _ => Err(CryptoError::InvalidInput("the method takes one Derivation Data")),
    }
}

/// The pseudorandom function: named by the parameters, or by the algorithm of the key.
fn prf(
    algorithm: Option<CryptographicAlgorithm>,
    parameters: &DerivationParameters<'_>,
) -> Result<MacSpec, CryptoError> {
    match (algorithm, parameters.cryptographic.hashing_algorithm) {
        (Some(algorithm), _) => MacSpec::resolve(algorithm, parameters.cryptographic),
        (None, Some(hash)) => MacSpec::hmac(hash),
        (None, None) => Err(CryptoError::Missing("Hashing Algorithm")),
    }
}

/// RFC 8018 §5.2; the pseudorandom function is HMAC-SHA-1 unless the parameters name a hash.
fn pbkdf2(password: &Secret, parameters: &DerivationParameters<'_>, len: usize) -> Result<Secret, CryptoError> {
    let algorithm = parameters.cryptographic.hashing_algorithm.unwrap_or(HashingAlgorithm::Sha1);
    let salt = parameters.salt.ok_or(CryptoError::Missing("Salt"))?;
    let iterations = parameters.iterations.ok_or(CryptoError::Missing("Iteration Count"))?;
    let iterations = match usize::try_from(iterations) {
        Ok(0) | Err(_) => return Err(CryptoError::InvalidInput("Iteration Count")),
        Ok(iterations) => iterations,
    };
    let blocks = len.div_ceil(hash_len(algorithm)?);
    let rounds = u64::try_from(iterations.saturating_mul(blocks)).unwrap_or(u64::MAX);
    if rounds > MAX_PBKDF2_ROUNDS || password.len() > MAX_INPUT_LEN || salt.len() > MAX_INPUT_LEN {
        return Err(CryptoError::TooLong("PBKDF2"));
    }
    let digest = MessageDigest::from_nid(message_digest(algorithm)?.type_())
        .ok_or(CryptoError::Unsupported(algorithm.text()))?;
    Secret::filled_by(len, |out| pbkdf2_hmac(password.expose(), salt, iterations, digest, out).or_library("PBKDF2"))
}

/// RFC 5869 with SHA-256 unless the parameters name a hash; Derivation Data is the info.
fn hkdf(input: &Secret, parameters: &DerivationParameters<'_>, len: usize) -> Result<Secret, CryptoError> {
    let algorithm = parameters.cryptographic.hashing_algorithm.unwrap_or(HashingAlgorithm::Sha256);
    let info = match parameters.data {
        [] => &[][..],
        data => one(data)?,
    };
    if len > 255 * hash_len(algorithm)? {
        return Err(CryptoError::InvalidInput("the method does not yield so many bytes"));
    }
    if input.is_empty() {
        return Err(CryptoError::InvalidKey("it is empty"));
    }
    let salt = parameters.salt.unwrap_or_default();
    if input.len() > MAX_INPUT_LEN || salt.len() > MAX_INPUT_LEN {
        return Err(CryptoError::TooLong("HKDF"));
    }
    let mut context = PkeyCtx::new_id(Id::HKDF).or_library("HKDF")?;
    context.derive_init().or_library("HKDF")?;
    context.set_hkdf_md(message_digest(algorithm)?).or_library("HKDF")?;
    context.set_hkdf_key(input.expose()).or_library("HKDF")?;
    context.set_hkdf_salt(salt).or_library("HKDF")?;
    context.add_hkdf_info(info).or_refuse(CryptoError::TooLong("Derivation Data"))?;
    Secret::filled_by(len, |out| match context.derive(Some(out)).or_library("HKDF")? {
        written if written == len => Ok(()),
        _ => Err(CryptoError::Library("HKDF")),
    })
}

/// The signing key of AWS Signature Version 4; Derivation Data are date, region and service, in this order.
fn aws_signature_v4(base: &Secret, data: &[&[u8]], len: usize) -> Result<Secret, CryptoError> {
    let [date, region, service] = data else {
        return Err(CryptoError::InvalidInput("Derivation Data are not date, region and service"));
    };
    let hmac = MacSpec::hmac(HashingAlgorithm::Sha256)?;
    let mut prefixed = Zeroizing::new(Vec::with_capacity(4 + base.len()));
    prefixed.extend_from_slice(b"AWS4");
    prefixed.extend_from_slice(base.expose());
    let mut key = Secret::from(prefixed);
    for step in [*date, *region, *service, b"aws4_request"] {
        key = Secret::new(hmac.generate(&key, step)?);
    }
    cut(Zeroizing::new(key.expose().to_vec()), len)
}

#[cfg(test)]
mod tests {
    use kmip::registry::{BlockCipherMode, PaddingMethod};

    use super::*;

    fn nothing<'a>(cryptographic: &'a CryptographicParameters) -> DerivationParameters<'a> {
        DerivationParameters { cryptographic, initialization_vector: None, data: &[], salt: None, iterations: None }
    }

    fn with_hash(hash: HashingAlgorithm) -> CryptographicParameters {
        CryptographicParameters { hashing_algorithm: Some(hash), ..CryptographicParameters::default() }
    }

    fn hex_of(derived: Result<Secret, CryptoError>) -> String {
        hex::encode(derived.unwrap().expose())
    }

    #[test]
    fn pbkdf2_is_that_of_rfc_6070() {
        let none = CryptographicParameters::default();
        let derived = |iterations| {
            let parameters =
                DerivationParameters { salt: Some(b"salt"), iterations: Some(iterations), ..nothing(&none) };
            hex_of(derive(DerivationMethod::Pbkdf2, None, &Secret::copy_from(b"password"), &parameters, 20))
        };
        assert_eq!(derived(1), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
        assert_eq!(derived(2), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
        assert_eq!(derived(4096), "4b007901b765489abead49d926f721d065a429c1");
    }

    #[test]
    fn pbkdf2_that_would_take_long_is_refused() {
        let none = CryptographicParameters::default();
        let refused = |iterations| {
            let parameters = DerivationParameters { salt: Some(b"salt"), iterations, ..nothing(&none) };
            derive(DerivationMethod::Pbkdf2, None, &Secret::copy_from(b"password"), &parameters, 32).unwrap_err()
        };
        assert_eq!(refused(Some(i32::MAX)), CryptoError::TooLong("PBKDF2"));
        assert_eq!(refused(Some(0)), CryptoError::InvalidInput("Iteration Count"));
        assert_eq!(refused(Some(-1)), CryptoError::InvalidInput("Iteration Count"));
        assert_eq!(refused(None), CryptoError::Missing("Iteration Count"));
    }

    #[test]
    fn a_hash_of_the_key_is_cut_and_never_stretched() {
        let key = Secret::new(hex::decode("00112233445566778899aabbccddeeff").unwrap());
        let sha256 = with_hash(HashingAlgorithm::Sha256);
        let derived = |len| derive(DerivationMethod::Hash, None, &key, &nothing(&sha256), len);
        assert_eq!(hex_of(derived(16)), "a8faed6abbf35c12a4b26e40f6feb19d");
        assert!(matches!(derived(33), Err(CryptoError::InvalidInput(_))));
        let both = DerivationParameters { data: &[b"public"], ..nothing(&sha256) };
        assert!(derive(DerivationMethod::Hash, None, &key, &both, 16).is_err());
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let sha256 = with_hash(HashingAlgorithm::Sha256);
        let parameters = DerivationParameters { data: &[b"what do ya want for nothing?"], ..nothing(&sha256) };
        let key = Secret::copy_from(b"Jefe");
        let derived = derive(DerivationMethod::Hmac, None, &key, &parameters, 32);
        assert_eq!(hex_of(derived), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let named_by_key = derive(
            DerivationMethod::Hmac,
            Some(CryptographicAlgorithm::HmacSha256),
            &key,
            &DerivationParameters { cryptographic: &CryptographicParameters::default(), ..parameters },
            8,
        );
        assert_eq!(hex_of(named_by_key), "5bdcc146bf60754e");
        let missing = derive(DerivationMethod::Hmac, None, &key, &nothing(&sha256), 32).unwrap_err();
        assert_eq!(missing, CryptoError::Missing("Derivation Data"));
    }

    #[test]
    fn encrypt_gives_the_ciphertext_of_the_data() {
        // SP 800-38A §F.2.1, CBC-AES128.
        let cbc = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::Cbc),
            padding_method: Some(PaddingMethod::None),
            ..CryptographicParameters::default()
        };
        let iv = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
        let data = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        let parameters = DerivationParameters { initialization_vector: Some(&iv), data: &[&data], ..nothing(&cbc) };
        let key = Secret::new(hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap());
        let derived = derive(DerivationMethod::Encrypt, Some(CryptographicAlgorithm::Aes), &key, &parameters, 16);
        assert_eq!(hex_of(derived), "7649abac8119b246cee98e9b12e9197d");
    }

    #[test]
    fn aws_signing_keys_are_those_of_its_documentation() {
        // The example of the Signature Version 4 documentation: 20150830, us-east-1, iam.
        let secret = Secret::copy_from(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let none = CryptographicParameters::default();
        let parameters = DerivationParameters { data: &[b"20150830", b"us-east-1", b"iam"], ..nothing(&none) };
        let derived = derive(DerivationMethod::AwsSignatureVersion4, None, &secret, &parameters, 32);
        assert_eq!(hex_of(derived), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
        let two = DerivationParameters { data: &[b"20150830", b"us-east-1"], ..parameters };
        assert!(derive(DerivationMethod::AwsSignatureVersion4, None, &secret, &two, 32).is_err());
    }
}
