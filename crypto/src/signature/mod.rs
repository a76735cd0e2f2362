//! Signatures: what Sign and Signature Verify do. KMIP 1.4 §4.31, §4.32; 2.1 §6.1.57, §6.1.58.
//!
//! ECDSA and DSA signatures are DER, as the OASIS cases have them; RSA and Edwards signatures are bare.

mod scheme;
mod stream;

use kmip::attribute::CryptographicParameters;
use openssl::md_ctx::MdCtx;
use openssl::pkey_ctx::{PkeyCtx, PkeyCtxRef};
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;

use crate::CryptoError;
use crate::hash::{hash, hash_len, message_digest};
use crate::key::{KeyKind, PrivateKey, PublicKey};
use crate::library::Checked;
use crate::limits::MAX_INPUT_LEN;

pub use scheme::SignatureScheme;
use scheme::{Form, PssForm};
pub use stream::SignatureStream;

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// Data, hashed here.
    Data(&'a [u8]),
    /// Data that was hashed already: KMIP's Digested Data.
    Digest(&'a [u8]),
}

/// Whether `signature` is one of `message` by `key`, as `parameters` say. Parameters of another kind of key are no error:
/// no signature of that algorithm is the key's, so it is not valid, which the OASIS cases demand.
///
/// # Errors
/// As [`SignatureScheme::resolve`] and [`SignatureScheme::verify`] otherwise.
pub fn verify(
    key: &PublicKey,
    parameters: &CryptographicParameters,
    message: Message<'_>,
    signature: &[u8],
) -> Result<bool, CryptoError> {
    match SignatureScheme::resolve(key.kind(), parameters) {
        Ok(scheme) => scheme.verify(key, message, signature),
        Err(CryptoError::InvalidKey(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

impl SignatureScheme {
    /// Signs.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key of another kind, or too short for hash and salt;
    /// [`CryptoError::InvalidInput`] for a digest of another length; [`CryptoError::Missing`] for data without a hash.
    pub fn sign(&self, key: &PrivateKey, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        self.check_kind(key.kind())?;
        let short = CryptoError::InvalidKey("it does not sign that digest");
        let mut signature = Vec::new();
        if self.form == Form::Edwards {
            let mut context = MdCtx::new().or_library("signature")?;
            context.digest_sign_init(None, key.pkey()).or_library("signature")?;
            context.digest_sign_to_vec(edwards_data(message)?, &mut signature).or_refuse(short)?;
            return Ok(signature);
        }
        let digest = self.digest(message)?;
        let mut context = PkeyCtx::new(key.pkey()).or_library("signature")?;
        context.sign_init().or_library("signature")?;
        self.configure(&mut context, self.pss_form()).or_refuse(short)?;
        context.sign_to_vec(&digest, &mut signature).or_refuse(short)?;
        Ok(signature)
    }

    /// Whether `signature` is one of `message` by the private half of `key`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKey`] for a key of another kind; [`CryptoError::InvalidInput`] for a digest of another
    /// length; [`CryptoError::Missing`] for data without a hash. A signature that cannot be read is not valid, no error.
    pub fn verify(&self, key: &PublicKey, message: Message<'_>, signature: &[u8]) -> Result<bool, CryptoError> {
        self.check_kind(key.kind())?;
        if signature.len() > MAX_INPUT_LEN {
            return Err(CryptoError::TooLong("the signature"));
        }
        if self.form == Form::Edwards {
            let mut context = MdCtx::new().or_library("signature")?;
            context.digest_verify_init(None, key.pkey()).or_library("signature")?;
            return Ok(context.digest_verify(edwards_data(message)?, signature).unwrap_or(false));
        }
        let digest = self.digest(message)?;
        for pss in self.pss_forms_to_try() {
            if self.verify_digest(key, &digest, signature, pss)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn verify_digest(
        &self,
        key: &PublicKey,
        digest: &[u8],
        signature: &[u8],
        pss: Option<PssForm>,
    ) -> Result<bool, CryptoError> {
        let mut context = PkeyCtx::new(key.pkey()).or_library("signature")?;
        context.verify_init().or_library("signature")?;
        self.configure(&mut context, pss).or_refuse(CryptoError::InvalidKey("it does not verify that digest"))?;
        Ok(context.verify(digest, signature).unwrap_or(false))
    }

    /// Tells the context padding, hashes and salt.
    fn configure<T>(
        &self,
        context: &mut PkeyCtxRef<T>,
        pss: Option<PssForm>,
    ) -> Result<(), openssl::error::ErrorStack> {
        let digest = self.hash.and_then(|hash| message_digest(hash).ok());
        match (self.form, pss) {
            (Form::RsaPss, Some(pss)) => {
                context.set_rsa_padding(Padding::PKCS1_PSS)?;
                if let Some(digest) = digest {
                    context.set_signature_md(digest)?;
                }
                if let Ok(mask) = message_digest(pss.mask) {
                    context.set_rsa_mgf1_md(mask)?;
                }
                context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(pss.salt))
            }
            (Form::RsaPkcs1, _) => {
                context.set_rsa_padding(Padding::PKCS1)?;
                digest.map_or(Ok(()), |digest| context.set_signature_md(digest))
            }
            // The hash only tells how long the digest is, which was checked; OpenSSL refuses some hashes here.
            _ => Ok(()),
        }
    }

    /// The digest of `message`, of the length that the scheme's hash has.
    fn digest(&self, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        match message {
            Message::Data(data) => hash(self.hash.ok_or(CryptoError::Missing("Hashing Algorithm"))?, data),
            Message::Digest(digest) => {
                if digest.is_empty() || digest.len() > MAX_INPUT_LEN {
                    return Err(CryptoError::InvalidInput("the digest has another length"));
                }
                match self.hash {
                    Some(algorithm) if hash_len(algorithm)? != digest.len() => {
                        Err(CryptoError::InvalidInput("the digest has another length than its hash"))
                    }
                    _ => Ok(digest.to_vec()),
                }
            }
        }
    }

    fn check_kind(&self, kind: KeyKind) -> Result<(), CryptoError> {
        let fits = match self.form {
            Form::RsaPkcs1 | Form::RsaPss => kind == KeyKind::Rsa,
            Form::Ecdsa => kind == KeyKind::Ec,
            Form::Dsa => kind == KeyKind::Dsa,
            Form::Edwards => matches!(kind, KeyKind::Ed25519 | KeyKind::Ed448),
        };
        if fits { Ok(()) } else { Err(CryptoError::InvalidKey("it is of another kind than the signature algorithm")) }
    }
}

/// Ed25519 and Ed448 hash the data twice, with the key in between.
const fn edwards_data(message: Message<'_>) -> Result<&[u8], CryptoError> {
    match message {
        Message::Data(data) if data.len() <= MAX_INPUT_LEN => Ok(data),
        Message::Data(_) => Err(CryptoError::TooLong("data")),
        Message::Digest(_) => Err(CryptoError::Unsupported("an Edwards signature of a digest")),
    }
}
