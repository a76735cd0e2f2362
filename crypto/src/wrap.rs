//! Wrapping keys: Key Wrapping Specification and Key Wrapping Data. KMIP 1.4 §2.1.5, §2.1.6; 2.1 §3.14, §3.15.
//!
//! What is wrapped are bytes: the TTLV of a Key Value or bare key material, as the Encoding Option says. A MAC or
//! signature is over what stands in the Key Value in the end, or over what goes into the encryption, by the method.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{CryptographicAlgorithm, WrappingMethod};
use secret::Secret;

use crate::CryptoError;
use crate::cipher::CipherSpec;
use crate::key::{PrivateKey, PublicKey};
use crate::mac::MacSpec;
use crate::rsa_encryption::RsaEncryption;
use crate::signature::{Message, SignatureScheme};

/// The key that encrypts a key.
#[derive(Clone, Copy, Debug)]
pub enum Encrypting<'a> {
    /// A symmetric key.
    Symmetric(CryptographicAlgorithm, &'a Secret),
    /// An RSA public key.
    Public(&'a PublicKey),
}

/// The key that decrypts a key.
#[derive(Clone, Copy, Debug)]
pub enum Decrypting<'a> {
    /// A symmetric key.
    Symmetric(CryptographicAlgorithm, &'a Secret),
    /// An RSA private key.
    Private(&'a PrivateKey),
}

/// The key that authenticates a wrapped key.
#[derive(Clone, Copy, Debug)]
pub enum Authenticating<'a> {
    /// A MAC.
    Mac(MacSpec, &'a Secret),
    /// A signature.
    Sign(SignatureScheme, &'a PrivateKey),
}

/// The key that checks a wrapped key.
#[derive(Clone, Copy, Debug)]
pub enum Checking<'a> {
    /// A MAC.
    Mac(MacSpec, &'a Secret),
    /// A signature.
    Verify(SignatureScheme, &'a PublicKey),
}

/// A wrapped key.
#[derive(Debug)]
pub struct Wrapped {
    /// The Key Value: ciphertext, with the tag behind it for an authenticated mode; in clear where the method only
    /// authenticates.
    pub value: Secret,
    /// The IV, if one was made here.
    pub iv: Option<Vec<u8>>,
    /// MAC/Signature.
    pub mac_signature: Option<Vec<u8>>,
}

/// Bytes of randomness that a wrapping needs: an IV and a padding.
///
/// # Errors
/// As [`wrap`].
pub fn random_len(
    key: &Encrypting<'_>,
    parameters: &CryptographicParameters,
    has_iv: bool,
) -> Result<usize, CryptoError> {
    match key {
        Encrypting::Symmetric(algorithm, _) => Ok(CipherSpec::resolve(*algorithm, parameters)?.random_len(has_iv)),
        Encrypting::Public(_) => Ok(0),
    }
}

/// Wraps `value` as `method` says, with the keys that it needs.
///
/// # Errors
/// [`CryptoError::Missing`] for a key that the method needs; [`CryptoError::Unsupported`] for TR-31; whatever cipher, MAC
/// and signature fail with.
pub fn wrap(
    method: WrappingMethod,
    encrypting: Option<(Encrypting<'_>, &CryptographicParameters, Option<&[u8]>)>,
    authenticating: Option<Authenticating<'_>>,
    value: &Secret,
    random: &[u8],
) -> Result<Wrapped, CryptoError> {
    let encrypted = || {
        let (key, parameters, iv) = encrypting.ok_or(CryptoError::Missing("Encryption Key Information"))?;
        encrypt(key, parameters, iv, value, random)
    };
    let authenticated = |bytes: &[u8]| {
        let key = authenticating.ok_or(CryptoError::Missing("MAC/Signature Key Information"))?;
        authenticate(key, bytes).map(Some)
    };
    match method {
        WrappingMethod::Encrypt => {
            let (value, iv) = encrypted()?;
            Ok(Wrapped { value, iv, mac_signature: None })
        }
        WrappingMethod::MacSign => {
            let mac_signature = authenticated(value.expose())?;
            Ok(Wrapped { value: Secret::copy_from(value.expose()), iv: None, mac_signature })
        }
        WrappingMethod::EncryptThenMacSign => {
            let (value, iv) = encrypted()?;
            let mac_signature = authenticated(value.expose())?;
            Ok(Wrapped { value, iv, mac_signature })
        }
        WrappingMethod::MacSignThenEncrypt => {
            let mac_signature = authenticated(value.expose())?;
            let (value, iv) = encrypted()?;
            Ok(Wrapped { value, iv, mac_signature })
        }
        WrappingMethod::Tr31 => Err(CryptoError::Unsupported(method.text())),
    }
}

/// Unwraps `value` as `method` says. What is authenticated before it is encrypted is checked after it was decrypted.
///
/// # Errors
/// As [`wrap`]; [`CryptoError::Authentication`] for a value that its keys did not wrap.
pub fn unwrap(
    method: WrappingMethod,
    decrypting: Option<(Decrypting<'_>, &CryptographicParameters, Option<&[u8]>)>,
    checking: Option<(Checking<'_>, &[u8])>,
    value: &Secret,
) -> Result<Secret, CryptoError> {
    let decrypted = || {
        let (key, parameters, iv) = decrypting.ok_or(CryptoError::Missing("Encryption Key Information"))?;
        decrypt(key, parameters, iv, value.expose())
    };
    let check = |bytes: &[u8]| {
        let (key, mac_signature) = checking.ok_or(CryptoError::Missing("MAC/Signature Key Information"))?;
        if is_authentic(key, bytes, mac_signature)? { Ok(()) } else { Err(CryptoError::Authentication) }
    };
    match method {
        WrappingMethod::Encrypt => decrypted(),
        WrappingMethod::MacSign => {
            check(value.expose())?;
            Ok(Secret::copy_from(value.expose()))
        }
        WrappingMethod::EncryptThenMacSign => {
            check(value.expose())?;
            decrypted()
        }
        WrappingMethod::MacSignThenEncrypt => {
            let plain = decrypted()?;
            check(plain.expose())?;
            Ok(plain)
        }
        WrappingMethod::Tr31 => Err(CryptoError::Unsupported(method.text())),
    }
}

fn encrypt(
    key: Encrypting<'_>,
    parameters: &CryptographicParameters,
    iv: Option<&[u8]>,
    value: &Secret,
    random: &[u8],
) -> Result<(Secret, Option<Vec<u8>>), CryptoError> {
    match key {
        Encrypting::Symmetric(algorithm, key) => {
            let spec = CipherSpec::resolve(algorithm, parameters)?;
            let mut encrypted = spec.encrypt(key, iv, &[], value.expose(), random)?;
            // Key Wrapping Data has no field for a tag.
            encrypted.data.extend(encrypted.tag.unwrap_or_default());
            Ok((Secret::new(encrypted.data), encrypted.iv))
        }
        Encrypting::Public(key) => {
            Ok((Secret::new(RsaEncryption::resolve(parameters)?.encrypt(key, value.expose())?), None))
        }
    }
}

fn decrypt(
    key: Decrypting<'_>,
    parameters: &CryptographicParameters,
    iv: Option<&[u8]>,
    value: &[u8],
) -> Result<Secret, CryptoError> {
    match key {
        Decrypting::Symmetric(algorithm, key) => {
            let spec = CipherSpec::resolve(algorithm, parameters)?;
            let Some(tag_len) = spec.tag_len() else { return spec.decrypt(key, iv, &[], None, value) };
            let (data, tag) = value
                .len()
                .checked_sub(tag_len)
                .and_then(|at| value.split_at_checked(at))
                .ok_or(CryptoError::InvalidInput("the wrapped key is shorter than its tag"))?;
            spec.decrypt(key, iv, &[], Some(tag), data)
        }
        Decrypting::Private(key) => RsaEncryption::resolve(parameters)?.decrypt(key, value),
    }
}

fn authenticate(key: Authenticating<'_>, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match key {
        Authenticating::Mac(spec, key) => spec.generate(key, bytes),
        Authenticating::Sign(scheme, key) => scheme.sign(key, Message::Data(bytes)),
    }
}

fn is_authentic(key: Checking<'_>, bytes: &[u8], mac_signature: &[u8]) -> Result<bool, CryptoError> {
    match key {
        Checking::Mac(spec, key) => spec.verify(key, bytes, mac_signature),
        Checking::Verify(scheme, key) => scheme.verify(key, Message::Data(bytes), mac_signature),
    }
}

#[cfg(test)]
mod tests {
    use kmip::registry::{BlockCipherMode, HashingAlgorithm};

    use super::*;
    use crate::key::{KeyKind, random_len as key_random_len};

    fn mode(mode: BlockCipherMode) -> CryptographicParameters {
        CryptographicParameters {
            block_cipher_mode: Some(mode),
            random_iv: Some(true),
            ..CryptographicParameters::default()
        }
    }

    fn kek() -> Secret {
        Secret::new((0..16).collect())
    }

    fn value() -> Secret {
        Secret::new(hex::decode("00112233445566778899aabbccddeeff").unwrap())
    }

    #[test]
    fn nist_key_wrap_is_that_of_rfc_3394() {
        // RFC 3394 §4.1, which is the OASIS cases' as well.
        let key_wrap = mode(BlockCipherMode::NistKeyWrap);
        let kek = kek();
        let encrypting = Encrypting::Symmetric(CryptographicAlgorithm::Aes, &kek);
        let wrapped = wrap(WrappingMethod::Encrypt, Some((encrypting, &key_wrap, None)), None, &value(), &[]).unwrap();
        assert_eq!(hex::encode(wrapped.value.expose()), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
        assert_eq!(wrapped.iv, None);
        let decrypting = Decrypting::Symmetric(CryptographicAlgorithm::Aes, &kek);
        let back = unwrap(WrappingMethod::Encrypt, Some((decrypting, &key_wrap, None)), None, &wrapped.value);
        assert_eq!(back.unwrap(), value());
        let wrong = Secret::new(vec![9; 16]);
        let decrypting = Decrypting::Symmetric(CryptographicAlgorithm::Aes, &wrong);
        let refused = unwrap(WrappingMethod::Encrypt, Some((decrypting, &key_wrap, None)), None, &wrapped.value);
        assert_eq!(refused.unwrap_err(), CryptoError::Authentication);
    }

    #[test]
    fn every_method_comes_back_and_notices_a_change() {
        let gcm = mode(BlockCipherMode::Gcm);
        let (kek, mac_key) = (kek(), Secret::copy_from(b"another key"));
        let signing = PrivateKey::generate(
            KeyKind::Ed25519,
            None,
            &Secret::new(vec![5; key_random_len(KeyKind::Ed25519, None).unwrap()]),
        )
        .unwrap();
        let verifying = signing.public_key().unwrap();
        let scheme = SignatureScheme::resolve(KeyKind::Ed25519, &CryptographicParameters::default()).unwrap();
        let hmac = MacSpec::hmac(HashingAlgorithm::Sha256).unwrap();
        let pairs = [
            (Authenticating::Mac(hmac, &mac_key), Checking::Mac(hmac, &mac_key)),
            (Authenticating::Sign(scheme, &signing), Checking::Verify(scheme, &verifying)),
        ];
        let encrypting = Encrypting::Symmetric(CryptographicAlgorithm::Aes, &kek);
        let decrypting = Decrypting::Symmetric(CryptographicAlgorithm::Aes, &kek);
        let random = vec![3; random_len(&encrypting, &gcm, false).unwrap()];
        for (authenticating, checking) in pairs {
            for method in [
                WrappingMethod::Encrypt,
                WrappingMethod::MacSign,
                WrappingMethod::EncryptThenMacSign,
                WrappingMethod::MacSignThenEncrypt,
            ] {
                let wrapped =
                    wrap(method, Some((encrypting, &gcm, None)), Some(authenticating), &value(), &random).unwrap();
                let iv = wrapped.iv.as_deref();
                let code = wrapped.mac_signature.clone().unwrap_or_default();
                let open = |value: &Secret, code: &[u8]| {
                    unwrap(method, Some((decrypting, &gcm, iv)), Some((checking, code)), value)
                };
                assert_eq!(open(&wrapped.value, &code).unwrap(), value(), "{method:?}");
                let mut changed = wrapped.value.expose().to_vec();
                changed[0] ^= 1;
                assert_eq!(open(&Secret::new(changed), &code).unwrap_err(), CryptoError::Authentication);
                if !code.is_empty() {
                    let mut other = code.clone();
                    other[0] ^= 1;
                    assert_eq!(open(&wrapped.value, &other).unwrap_err(), CryptoError::Authentication);
                }
            }
        }
    }

    #[test]
    fn a_method_without_its_keys_is_refused() {
        let refused = |method| wrap(method, None, None, &value(), &[]).unwrap_err();
        assert_eq!(refused(WrappingMethod::Encrypt), CryptoError::Missing("Encryption Key Information"));
        assert_eq!(refused(WrappingMethod::MacSign), CryptoError::Missing("MAC/Signature Key Information"));
        assert_eq!(refused(WrappingMethod::Tr31), CryptoError::Unsupported("TR-31"));
    }
}
