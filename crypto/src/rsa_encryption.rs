//! Encryption with RSA: what Encrypt and Decrypt do with the halves of a key pair. KMIP 1.4 §4.29, §4.30.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{CryptographicAlgorithm, HashingAlgorithm, MaskGenerator, PaddingMethod};
use openssl::error::ErrorStack;
use openssl::pkey_ctx::{PkeyCtx, PkeyCtxRef};
use openssl::rsa::Padding;
use secret::Secret;
use zeroize::Zeroizing;

use crate::CryptoError;
use crate::hash::message_digest;
use crate::key::{KeyKind, PrivateKey, PublicKey};
use crate::library::Checked;
use crate::limits::{MAX_ENCODED_LEN, MAX_MODULUS_BITS};

/// A padding of RSA with its parameters: everything but the key.
#[derive(Clone, Debug)]
pub struct RsaEncryption(Scheme);

#[derive(Clone, Debug)]
enum Scheme {
    /// Data as long as the modulus, and below it.
    Bare,
    Pkcs1,
    Oaep {
        hash: HashingAlgorithm,
        mask: Option<HashingAlgorithm>,
        label: Vec<u8>,
    },
}

/// Hash and mask hash of OAEP where the parameters do not say: the defaults of PKCS#1 and of KMIP 1.4 §3.6.
const USUAL_HASH: HashingAlgorithm = HashingAlgorithm::Sha1;

impl RsaEncryption {
    /// Reads `parameters` for an RSA key.
    ///
    /// # Errors
    /// [`CryptoError::Missing`] without a padding method; [`CryptoError::Unsupported`]; [`CryptoError::InvalidInput`]
    /// for parameters of another algorithm.
    pub fn resolve(parameters: &CryptographicParameters) -> Result<Self, CryptoError> {
        if parameters.cryptographic_algorithm.is_some_and(|named| named != CryptographicAlgorithm::Rsa) {
            return Err(CryptoError::InvalidInput("the parameters are for another algorithm than the key's"));
        }
        Ok(Self(match parameters.padding_method {
            None => return Err(CryptoError::Missing("Padding Method")),
            Some(PaddingMethod::None) => Scheme::Bare,
            Some(PaddingMethod::Pkcs1V1_5) => Scheme::Pkcs1,
            Some(PaddingMethod::Oaep) => {
                if parameters.mask_generator.is_some_and(|generator| generator != MaskGenerator::Mgf1) {
                    return Err(CryptoError::Unsupported("a mask generator other than MGF1"));
                }
                let hash = parameters.hashing_algorithm.unwrap_or(USUAL_HASH);
                let mask = parameters.mask_generator_hashing_algorithm;
                message_digest(hash)?;
                message_digest(mask.unwrap_or(USUAL_HASH))?;
                let label = parameters.p_source.clone().unwrap_or_default();
                if label.len() > MAX_ENCODED_LEN {
                    return Err(CryptoError::TooLong("P Source"));
                }
                Scheme::Oaep { hash, mask, label }
            }
            Some(other) => return Err(CryptoError::Unsupported(other.text())),
        }))
    }

    /// Encrypts `data`. What the padding needs of randomness comes from the library.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key that is not RSA; [`CryptoError::InvalidInput`] for data that does not fit
    /// into the modulus.
    pub fn encrypt(&self, key: &PublicKey, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        check_kind(key.kind())?;
        let does_not_fit = CryptoError::InvalidInput("the data does not fit into the modulus");
        if data.len() > MAX_MODULUS_BITS / 8 {
            return Err(does_not_fit);
        }
        let mut context = PkeyCtx::new(key.pkey()).or_library("RSA")?;
        context.encrypt_init().or_library("RSA")?;
        let mask = match &self.0 {
            Scheme::Oaep { mask, .. } => mask.unwrap_or(USUAL_HASH),
            Scheme::Bare | Scheme::Pkcs1 => USUAL_HASH,
        };
        self.configure(&mut context, mask).or_refuse(does_not_fit)?;
        let mut out = Vec::new();
        context.encrypt_to_vec(data, &mut out).or_refuse(does_not_fit)?;
        Ok(out)
    }

    /// Decrypts `data`. Where the parameters name no mask hash of OAEP, the standard's default is tried, and then the
    /// hash itself, which many clients use for both.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`]; [`CryptoError::InvalidInput`] for data of another length than the modulus;
    /// [`CryptoError::Authentication`] for everything that is wrong inside.
    pub fn decrypt(&self, key: &PrivateKey, data: &[u8]) -> Result<Secret, CryptoError> {
        check_kind(key.kind())?;
        if data.len() != key.pkey().size() {
            return Err(CryptoError::InvalidInput("the data is not as long as the modulus"));
        }
        let masks = match &self.0 {
            Scheme::Oaep { mask: Some(mask), .. } => vec![*mask],
            Scheme::Oaep { mask: None, hash, .. } if *hash != USUAL_HASH => vec![USUAL_HASH, *hash],
            _ => vec![USUAL_HASH],
        };
        for mask in masks {
            let mut context = PkeyCtx::new(key.pkey()).or_library("RSA")?;
            context.decrypt_init().or_library("RSA")?;
            self.configure(&mut context, mask).or_refuse(CryptoError::InvalidKey("it is too short for the padding"))?;
            let mut out = Zeroizing::new(vec![0; data.len()]);
            if let Ok(len) = context.decrypt(data, Some(&mut out)) {
                out.truncate(len);
                return Ok(Secret::from(out));
            }
        }
        Err(CryptoError::Authentication)
    }

    fn configure<T>(&self, context: &mut PkeyCtxRef<T>, mask: HashingAlgorithm) -> Result<(), ErrorStack> {
        match &self.0 {
            Scheme::Bare => context.set_rsa_padding(Padding::NONE),
            Scheme::Pkcs1 => context.set_rsa_padding(Padding::PKCS1),
            Scheme::Oaep { hash, label, .. } => {
                context.set_rsa_padding(Padding::PKCS1_OAEP)?;
                if let (Ok(hash), Ok(mask)) = (message_digest(*hash), message_digest(mask)) {
                    context.set_rsa_oaep_md(hash)?;
                    context.set_rsa_mgf1_md(mask)?;
                }
                if label.is_empty() { Ok(()) } else { context.set_rsa_oaep_label(label) }
            }
        }
    }
}

const fn check_kind(kind: KeyKind) -> Result<(), CryptoError> {
    match kind {
        KeyKind::Rsa => Ok(()),
        _ => Err(CryptoError::InvalidKey("only RSA keys encrypt")),
    }
}
