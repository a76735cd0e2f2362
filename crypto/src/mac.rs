//! Message authentication codes: HMAC, CMAC, Poly1305; at once and as a stream. KMIP 1.4 §4.33, §4.34.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm};
use openssl::md_ctx::MdCtx;
use openssl::pkey::{Id, PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use secret::Secret;
use subtle::ConstantTimeEq;

use crate::CryptoError;
use crate::cipher::CmacCipher;
use crate::hash::message_digest;
use crate::library::Checked;
use crate::limits::{MAX_INPUT_LEN, MAX_KEY_LEN};

/// A way to authenticate: everything but the key.
#[derive(Clone, Copy, Debug)]
pub struct MacSpec(Method);

#[derive(Clone, Copy, Debug)]
enum Method {
    /// RFC 2104 with a hash.
    Hmac(HashingAlgorithm),
    /// SP 800-38B with a block cipher.
    Cmac(CmacCipher),
    /// RFC 8439 §2.5. The key is good for one message.
    Poly1305,
}

/// Bytes of a Poly1305 key (RFC 8439 §2.5).
const POLY1305_KEY_LEN: usize = 32;

/// The hash of an algorithm that is an HMAC by its name.
const fn hash_of_hmac(algorithm: CryptographicAlgorithm) -> Option<HashingAlgorithm> {
    Some(match algorithm {
        CryptographicAlgorithm::HmacMd5 => HashingAlgorithm::Md5,
        CryptographicAlgorithm::HmacSha1 => HashingAlgorithm::Sha1,
        CryptographicAlgorithm::HmacSha224 => HashingAlgorithm::Sha224,
        CryptographicAlgorithm::HmacSha256 => HashingAlgorithm::Sha256,
        CryptographicAlgorithm::HmacSha384 => HashingAlgorithm::Sha384,
        CryptographicAlgorithm::HmacSha512 => HashingAlgorithm::Sha512,
        CryptographicAlgorithm::HmacSha3_224 => HashingAlgorithm::Sha3_224,
        CryptographicAlgorithm::HmacSha3_256 => HashingAlgorithm::Sha3_256,
        CryptographicAlgorithm::HmacSha3_384 => HashingAlgorithm::Sha3_384,
        CryptographicAlgorithm::HmacSha3_512 => HashingAlgorithm::Sha3_512,
        _ => return None,
    })
}

impl MacSpec {
    /// Reads `parameters` for a key of `algorithm`. The parameters may name the algorithm: an AES key may serve for an
    /// HMAC, as the OASIS cases do.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`]; [`CryptoError::Missing`] where neither says which code is meant.
    pub fn resolve(
        algorithm: CryptographicAlgorithm,
        parameters: &CryptographicParameters,
    ) -> Result<Self, CryptoError> {
        let algorithm = parameters.cryptographic_algorithm.unwrap_or(algorithm);
        if let Some(hash) = hash_of_hmac(algorithm) {
            return Self::hmac(hash);
        }
        if algorithm == CryptographicAlgorithm::Poly1305 {
            return Ok(Self(Method::Poly1305));
        }
        match (parameters.block_cipher_mode, parameters.hashing_algorithm) {
            (Some(BlockCipherMode::Cmac), _) => Ok(Self(Method::Cmac(CmacCipher::of(algorithm)?))),
            (Some(mode), _) => Err(CryptoError::Unsupported(mode.text())),
            (None, Some(hash)) => Self::hmac(hash),
            (None, None) => Err(CryptoError::Missing("the algorithm of the code")),
        }
    }

    /// HMAC with `hash`.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`].
    pub fn hmac(hash: HashingAlgorithm) -> Result<Self, CryptoError> {
        message_digest(hash)?;
        Ok(Self(Method::Hmac(hash)))
    }

    /// CMAC with the block cipher `algorithm`.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`].
    pub fn cmac(algorithm: CryptographicAlgorithm) -> Result<Self, CryptoError> {
        Ok(Self(Method::Cmac(CmacCipher::of(algorithm)?)))
    }

    /// The code of `data`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`], [`CryptoError::TooLong`].
    pub fn generate(&self, key: &Secret, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut stream = self.stream(key)?;
        stream.update(data)?;
        stream.finish()
    }

    /// Whether `code` is the whole code of `data`. The time it takes does not depend on where they differ.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`], [`CryptoError::TooLong`].
    pub fn verify(&self, key: &Secret, data: &[u8], code: &[u8]) -> Result<bool, CryptoError> {
        let mut stream = self.stream(key)?;
        stream.update(data)?;
        stream.verify(code)
    }

    /// A code over data that comes in pieces.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`].
    pub fn stream(&self, key: &Secret) -> Result<MacStream, CryptoError> {
        let key = self.library_key(key)?;
        let digest = match self.0 {
            Method::Hmac(hash) => Some(message_digest(hash)?),
            Method::Cmac(_) | Method::Poly1305 => None,
        };
        let mut context = MdCtx::new().or_library("MAC")?;
        context.digest_sign_init(digest, &key).or_library("MAC")?;
        Ok(MacStream { context })
    }

    fn library_key(&self, key: &Secret) -> Result<PKey<Private>, CryptoError> {
        if key.len() > MAX_KEY_LEN {
            return Err(CryptoError::TooLong("the key"));
        }
        match self.0 {
            Method::Hmac(_) if key.is_empty() => Err(CryptoError::InvalidKey("it is empty")),
            Method::Hmac(_) => PKey::hmac(key.expose()).or_library("MAC key"),
            // The library notices a wrong length only later.
            Method::Poly1305 if key.len() != POLY1305_KEY_LEN => {
                Err(CryptoError::InvalidKey("its length is not one of the algorithm's"))
            }
            Method::Poly1305 => PKey::private_key_from_raw_bytes(key.expose(), Id::POLY1305).or_library("MAC key"),
            Method::Cmac(cipher) => {
                let (cipher, key) = cipher.fetch(key)?;
                let mut context = PkeyCtx::new_id(Id::CMAC).or_library("MAC key")?;
                context.keygen_init().or_library("MAC key")?;
                context.set_keygen_cipher(&cipher).or_library("MAC key")?;
                context.set_keygen_mac_key(&key).or_library("MAC key")?;
                context.keygen().or_library("MAC key")
            }
        }
    }
}

/// A code over data that comes in pieces.
pub struct MacStream {
    context: MdCtx,
}

impl MacStream {
    /// Adds a piece.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`].
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        if data.len() > MAX_INPUT_LEN {
            return Err(CryptoError::TooLong("data"));
        }
        self.context.digest_sign_update(data).or_library("MAC")
    }

    /// The code of all pieces.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn finish(mut self) -> Result<Vec<u8>, CryptoError> {
        let mut code = Vec::new();
        self.context.digest_sign_final_to_vec(&mut code).or_library("MAC")?;
        Ok(code)
    }

    /// Whether `code` is the whole code of all pieces.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn verify(self, code: &[u8]) -> Result<bool, CryptoError> {
        Ok(self.finish()?.ct_eq(code).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(hex: &str) -> Secret {
        Secret::new(hex::decode(hex).unwrap())
    }

    fn parameters() -> CryptographicParameters {
        CryptographicParameters::default()
    }

    #[test]
    fn hmac_md5_is_that_of_rfc_2202() {
        let spec = MacSpec::resolve(CryptographicAlgorithm::HmacMd5, &parameters()).unwrap();
        let code = spec.generate(&Secret::copy_from(b"Jefe"), b"what do ya want for nothing?").unwrap();
        assert_eq!(hex::encode(code), "750c783e6ab0b503eaa86e310a5db738");
    }

    #[test]
    fn cmac_with_triple_des_is_that_of_sp_800_38b() {
        // SP 800-38B §D.4 (three keys) and §D.5 (two keys), message of 20 bytes.
        let message = hex::decode("6bc1bee22e409f96e93d7e117393172aae2d8a57").unwrap();
        let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::Cmac), ..parameters() };
        let spec = MacSpec::resolve(CryptographicAlgorithm::TripleDes, &mode).unwrap();
        let three = secret("8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5");
        assert_eq!(hex::encode(spec.generate(&three, &message).unwrap()), "743ddbe0ce2dc2ed");
        let two = secret("4cf15134a2850dd58a3d10ba80570d38");
        assert_eq!(hex::encode(spec.generate(&two, &message).unwrap()), "62dd1b471902bd4e");
    }

    #[test]
    fn poly1305_is_that_of_rfc_8439() {
        // RFC 8439 §2.5.2.
        let spec = MacSpec::resolve(CryptographicAlgorithm::Poly1305, &parameters()).unwrap();
        let key = secret("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
        let code = spec.generate(&key, b"Cryptographic Forum Research Group").unwrap();
        assert_eq!(hex::encode(code), "a8061dc1305136c6c22b8baf0c0127a9");
        assert!(matches!(spec.generate(&secret("00"), b""), Err(CryptoError::InvalidKey(_))));
    }

    #[test]
    fn an_aes_key_serves_for_an_hmac_that_the_parameters_name() {
        let named = CryptographicParameters {
            cryptographic_algorithm: Some(CryptographicAlgorithm::HmacSha256),
            ..parameters()
        };
        let spec = MacSpec::resolve(CryptographicAlgorithm::Aes, &named).unwrap();
        let key = secret("0123456789abcdef0123456789abcdef");
        let data = hex::decode("01020304050607080910111213141516").unwrap();
        let code = spec.generate(&key, &data).unwrap();
        assert_eq!(hex::encode(&code), "c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9");
        assert_eq!(spec.verify(&key, &data, &code), Ok(true));
        assert_eq!(spec.verify(&key, &data, &code[..16]), Ok(false));
        assert_eq!(spec.verify(&key, &data[1..], &code), Ok(false));
    }

    #[test]
    fn pieces_make_the_same_code_as_the_whole() {
        let spec = MacSpec::cmac(CryptographicAlgorithm::Aes).unwrap();
        let key = Secret::copy_from(&[7; 32]);
        let mut stream = spec.stream(&key).unwrap();
        for piece in [&b"abc"[..], b"", b"defghijklmnopqrstuvwxyz"] {
            stream.update(piece).unwrap();
        }
        assert_eq!(stream.finish(), spec.generate(&key, b"abcdefghijklmnopqrstuvwxyz"));
    }

    #[test]
    fn a_key_that_says_nothing_about_codes_is_refused() {
        let refused = MacSpec::resolve(CryptographicAlgorithm::Aes, &parameters()).unwrap_err();
        assert_eq!(refused, CryptoError::Missing("the algorithm of the code"));
    }
}
