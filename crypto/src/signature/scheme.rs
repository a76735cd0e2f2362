//! Which signature algorithm the Cryptographic Parameters mean. KMIP 1.4 §3.6, §9.1.3.2.7.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{
    CryptographicAlgorithm, DigitalSignatureAlgorithm as Named, HashingAlgorithm, MaskGenerator, PaddingMethod,
};

use crate::CryptoError;
use crate::hash::{hash_len, message_digest};
use crate::key::KeyKind;

/// A signature algorithm with its hash: everything but the key.
#[derive(Clone, Copy, Debug)]
pub struct SignatureScheme {
    pub(super) form: Form,
    /// `None`: only digests can be signed, and RSA's PKCS#1 v1.5 signs them without naming a hash.
    pub(super) hash: Option<HashingAlgorithm>,
    mask: Option<HashingAlgorithm>,
    salt_len: Option<i32>,
}

/// How a digest becomes a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    RsaPkcs1,
    RsaPss,
    Ecdsa,
    Dsa,
    Edwards,
}

/// Mask hash and salt of one PSS attempt.
#[derive(Clone, Copy)]
pub(super) struct PssForm {
    pub(super) mask: HashingAlgorithm,
    /// Length in bytes, or [`ANY_SALT`].
    pub(super) salt: i32,
}

/// The only trailer of PSS that PKCS#1 defines, 0xbc, has this number.
const USUAL_TRAILER: i32 = 1;
/// OpenSSL recovers the salt's length from the signature.
const ANY_SALT: i32 = -2;

impl SignatureScheme {
    /// Reads `parameters` for a key of `kind`: the Digital Signature Algorithm, or padding and hash.
    ///
    /// Where PSS is meant and no mask hash is named, the mask hash is the hash: the OASIS cases demand that, although the
    /// text says SHA-1. A verification takes both, and any salt unless Salt Length is given.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`]; [`CryptoError::InvalidKey`] for an algorithm of another kind of key;
    /// [`CryptoError::InvalidInput`] for parameters that contradict each other.
    pub fn resolve(kind: KeyKind, parameters: &CryptographicParameters) -> Result<Self, CryptoError> {
        let named = parameters.digital_signature_algorithm.map(form_of).transpose()?;
        let (form, hash) = match named {
            Some((form, Some(hash))) => {
                if parameters.hashing_algorithm.is_some_and(|other| other != hash) {
                    return Err(CryptoError::InvalidInput("two hashes are named"));
                }
                (form, Some(hash))
            }
            Some((form, None)) => (form, parameters.hashing_algorithm),
            None => (usual_form(kind, parameters)?, parameters.hashing_algorithm),
        };
        let scheme =
            Self { form, hash, mask: parameters.mask_generator_hashing_algorithm, salt_len: parameters.salt_length };
        scheme.check_kind(kind)?;
        for hash in [scheme.hash, scheme.mask].into_iter().flatten() {
            message_digest(hash)?;
        }
        if form == Form::RsaPss {
            scheme.check_pss(parameters)?;
        }
        Ok(scheme)
    }

    /// The hash that data is hashed with; `None` where only digests can be signed, or the algorithm hashes itself.
    #[must_use]
    pub const fn hash(&self) -> Option<HashingAlgorithm> {
        self.hash
    }

    /// Whether it signs the data itself, which then cannot be hashed beforehand: Ed25519 and Ed448.
    #[must_use]
    pub fn takes_whole_data(&self) -> bool {
        self.form == Form::Edwards
    }

    fn check_pss(&self, parameters: &CryptographicParameters) -> Result<(), CryptoError> {
        if parameters.mask_generator.is_some_and(|generator| generator != MaskGenerator::Mgf1) {
            return Err(CryptoError::Unsupported("a mask generator other than MGF1"));
        }
        if parameters.trailer_field.is_some_and(|trailer| trailer != USUAL_TRAILER) {
            return Err(CryptoError::Unsupported("a trailer field other than 1"));
        }
        if parameters.salt_length.is_some_and(|len| len < 0) {
            return Err(CryptoError::InvalidInput("Salt Length"));
        }
        if self.hash.is_none() { Err(CryptoError::Missing("Hashing Algorithm")) } else { Ok(()) }
    }

    /// How PSS signs: the salt as long as the hash, unless the parameters say otherwise.
    pub(super) fn pss_form(&self) -> Option<PssForm> {
        let hash = self.pss_hash()?;
        let len = self.salt_len.or_else(|| i32::try_from(hash_len(hash).ok()?).ok())?;
        Some(PssForm { mask: self.mask.unwrap_or(hash), salt: len })
    }

    /// How PSS verifies: each mask hash that the parameters leave open.
    pub(super) fn pss_forms_to_try(&self) -> Vec<Option<PssForm>> {
        let Some(hash) = self.pss_hash() else { return vec![None] };
        let salt = self.salt_len.unwrap_or(ANY_SALT);
        let mut masks = vec![self.mask.unwrap_or(hash)];
        if self.mask.is_none() && hash != HashingAlgorithm::Sha1 {
            masks.push(HashingAlgorithm::Sha1);
        }
        masks.into_iter().map(|mask| Some(PssForm { mask, salt })).collect()
    }

    fn pss_hash(&self) -> Option<HashingAlgorithm> {
        if self.form == Form::RsaPss { self.hash } else { None }
    }
}

/// The form and hash of a Digital Signature Algorithm.
const fn form_of(named: Named) -> Result<(Form, Option<HashingAlgorithm>), CryptoError> {
    use HashingAlgorithm as H;
    Ok(match named {
        Named::Md2WithRsaEncryption => return Err(CryptoError::Unsupported("MD2")),
        Named::Md5WithRsaEncryption => (Form::RsaPkcs1, Some(H::Md5)),
        Named::Sha1WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha1)),
        Named::Sha224WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha224)),
        Named::Sha256WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha256)),
        Named::Sha384WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha384)),
        Named::Sha512WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha512)),
        Named::RsassaPss => (Form::RsaPss, None),
        Named::DsaWithSha1 => (Form::Dsa, Some(H::Sha1)),
        Named::DsaWithSha224 => (Form::Dsa, Some(H::Sha224)),
        Named::DsaWithSha256 => (Form::Dsa, Some(H::Sha256)),
        Named::EcdsaWithSha1 => (Form::Ecdsa, Some(H::Sha1)),
        Named::EcdsaWithSha224 => (Form::Ecdsa, Some(H::Sha224)),
        Named::EcdsaWithSha256 => (Form::Ecdsa, Some(H::Sha256)),
        Named::EcdsaWithSha384 => (Form::Ecdsa, Some(H::Sha384)),
        Named::EcdsaWithSha512 => (Form::Ecdsa, Some(H::Sha512)),
        Named::Sha3_256WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha3_256)),
        Named::Sha3_384WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha3_384)),
        Named::Sha3_512WithRsaEncryption => (Form::RsaPkcs1, Some(H::Sha3_512)),
    })
}

/// The form that a kind of key has, where no Digital Signature Algorithm is named.
fn usual_form(kind: KeyKind, parameters: &CryptographicParameters) -> Result<Form, CryptoError> {
    use CryptographicAlgorithm as A;
    let fits = |allowed: &[A]| parameters.cryptographic_algorithm.is_none_or(|named| allowed.contains(&named));
    let (form, fits) = match kind {
        KeyKind::Rsa => {
            let form = match parameters.padding_method {
                Some(PaddingMethod::Pss) => Form::RsaPss,
                None | Some(PaddingMethod::Pkcs1V1_5) => Form::RsaPkcs1,
                Some(other) => return Err(CryptoError::Unsupported(other.text())),
            };
            (form, fits(&[A::Rsa]))
        }
        KeyKind::Ec => (Form::Ecdsa, fits(&[A::Ec, A::Ecdsa])),
        KeyKind::Dsa => (Form::Dsa, fits(&[A::Dsa])),
        KeyKind::Ed25519 => (Form::Edwards, fits(&[A::Ed25519, A::Ec])),
        KeyKind::Ed448 => (Form::Edwards, fits(&[A::Ed448, A::Ec])),
        KeyKind::Dh | KeyKind::X25519 | KeyKind::X448 => {
            return Err(CryptoError::InvalidKey("it is for agreement, not for signatures"));
        }
    };
    if fits { Ok(form) } else { Err(CryptoError::InvalidKey("the parameters are for another kind of key")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> CryptographicParameters {
        CryptographicParameters::default()
    }

    fn named(algorithm: Named) -> CryptographicParameters {
        CryptographicParameters { digital_signature_algorithm: Some(algorithm), ..parameters() }
    }

    #[test]
    fn every_digital_signature_algorithm_is_read_or_refused_by_name() {
        for algorithm in Named::ALL {
            let kind = match algorithm.text() {
                text if text.contains("ECDSA") => KeyKind::Ec,
                text if text.contains("DSA") && !text.contains("RSA") => KeyKind::Dsa,
                _ => KeyKind::Rsa,
            };
            let scheme = SignatureScheme::resolve(kind, &named(*algorithm));
            match algorithm {
                Named::Md2WithRsaEncryption => assert!(matches!(scheme, Err(CryptoError::Unsupported("MD2")))),
                Named::RsassaPss => {
                    assert!(matches!(scheme, Err(CryptoError::Missing("Hashing Algorithm"))));
                }
                _ => assert!(scheme.unwrap().hash().is_some(), "{}", algorithm.text()),
            }
        }
    }

    #[test]
    fn an_algorithm_of_another_kind_of_key_is_refused() {
        for (kind, algorithm) in [
            (KeyKind::Ec, Named::Sha256WithRsaEncryption),
            (KeyKind::Rsa, Named::EcdsaWithSha256),
            (KeyKind::Ed25519, Named::EcdsaWithSha256),
            (KeyKind::Dsa, Named::EcdsaWithSha256),
        ] {
            assert!(matches!(SignatureScheme::resolve(kind, &named(algorithm)), Err(CryptoError::InvalidKey(_))));
        }
        assert!(SignatureScheme::resolve(KeyKind::X25519, &parameters()).is_err());
    }

    #[test]
    fn two_hashes_are_a_contradiction() {
        let both = CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::Sha1),
            ..named(Named::Sha256WithRsaEncryption)
        };
        assert!(matches!(SignatureScheme::resolve(KeyKind::Rsa, &both), Err(CryptoError::InvalidInput(_))));
    }
}
