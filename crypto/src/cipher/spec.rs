//! What the Cryptographic Parameters and the key's algorithm say together.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{BlockCipherMode, CryptographicAlgorithm};
use secret::Secret;

use super::family::{Family, Mode};
use super::iv::IvRules;
use super::padding::Padding;
use crate::CryptoError;
use crate::limits::MAX_INPUT_LEN;

/// A cipher with its mode, padding, tag and IV rules: everything but the key. KMIP 1.4 §3.6.
#[derive(Clone, Copy, Debug)]
pub struct CipherSpec {
    pub(super) family: &'static Family,
    pub(super) mode: Mode,
    pub(super) padding: Padding,
    pub(super) tag_len: Option<usize>,
    pub(super) iv: IvRules,
}

/// Bytes of a tag where the parameters do not say. KMIP demands the parameter; everybody means 16.
const USUAL_TAG_LEN: usize = 16;

impl CipherSpec {
    /// Reads `parameters` for a key of `algorithm`.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`], [`CryptoError::Missing`] for a block cipher without a mode,
    /// [`CryptoError::TagLength`], [`CryptoError::InvalidInput`] for parameters that contradict each other.
    pub fn resolve(
        algorithm: CryptographicAlgorithm,
        parameters: &CryptographicParameters,
    ) -> Result<Self, CryptoError> {
        if parameters.cryptographic_algorithm.is_some_and(|other| other != algorithm) {
            return Err(CryptoError::InvalidInput("the parameters are for another algorithm than the key's"));
        }
        let family = Family::of(algorithm)?;
        let mode = mode_of(family, parameters.block_cipher_mode)?;
        let padding = if mode.pads() { Padding::from_method(parameters.padding_method)? } else { Padding::None };
        let tag_len = if mode.is_aead() { tag_len(mode, parameters.tag_length)? } else { None };
        let iv = IvRules::from_parameters(parameters, family, mode)?;
        Ok(Self { family, mode, padding, tag_len, iv })
    }

    /// Bytes of randomness that an encryption needs: for the IV, unless it `has_iv`, and for the padding.
    #[must_use]
    pub const fn random_len(&self, has_iv: bool) -> usize {
        let iv = if has_iv { 0 } else { self.iv.random_len(self.mode) };
        iv + self.padding.random_len(self.family.block)
    }

    /// Whether the mode gives and takes an authentication tag.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.mode.is_aead()
    }

    /// Length of the tag that an encryption gives, in bytes; `None` for modes without.
    #[must_use]
    pub fn tag_len(&self) -> Option<usize> {
        self.mode.is_aead().then(|| self.tag_len.unwrap_or(USUAL_TAG_LEN))
    }

    /// Whether the mode works on pieces; CCM, XTS, key wrap and the one-time pad want the whole.
    #[must_use]
    pub const fn streams(&self) -> bool {
        self.mode.streams()
    }

    /// Checks what every use checks.
    pub(super) fn check(&self, key: &Secret, aad: &[u8], data: &[u8]) -> Result<(), CryptoError> {
        if !self.family.takes_key(self.mode, key.len()) {
            return Err(CryptoError::InvalidKey("its length is not one of the algorithm's"));
        }
        if data.len() > MAX_INPUT_LEN || aad.len() > MAX_INPUT_LEN {
            return Err(CryptoError::TooLong("data"));
        }
        if !aad.is_empty() && !self.mode.is_aead() {
            return Err(CryptoError::InvalidInput("the mode does not authenticate additional data"));
        }
        Ok(())
    }

    /// The tag of a decryption, in a length that the mode has and that the parameters name.
    pub(super) fn tag_to_check<'a>(&self, tag: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, CryptoError> {
        match (tag, self.mode.is_aead()) {
            (tag, false) => {
                if tag.is_some_and(|tag| !tag.is_empty()) {
                    return Err(CryptoError::InvalidInput("the mode has no authentication tag"));
                }
                Ok(None)
            }
            (None, true) => Err(CryptoError::Missing("Authenticated Encryption Tag")),
            (Some(tag), true) => {
                if !allowed_tag(self.mode, tag.len()) || self.tag_len.is_some_and(|len| len != tag.len()) {
                    return Err(CryptoError::TagLength);
                }
                Ok(Some(tag))
            }
        }
    }
}

/// The mode: named, or the only one of a stream cipher.
fn mode_of(family: &Family, named: Option<BlockCipherMode>) -> Result<Mode, CryptoError> {
    let Some(named) = named else {
        return family.only_mode().ok_or(CryptoError::Missing("Block Cipher Mode"));
    };
    let mode = match named {
        BlockCipherMode::Cbc => Mode::Cbc,
        BlockCipherMode::Ecb => Mode::Ecb,
        BlockCipherMode::Cfb => Mode::Cfb,
        BlockCipherMode::Ofb => Mode::Ofb,
        BlockCipherMode::Ctr => Mode::Ctr,
        BlockCipherMode::Ccm => Mode::Ccm,
        BlockCipherMode::Gcm => Mode::Gcm,
        BlockCipherMode::Xts => Mode::Xts,
        BlockCipherMode::NistKeyWrap => Mode::KeyWrap,
        BlockCipherMode::AesKeyWrapPadding => Mode::KeyWrapPadded,
        BlockCipherMode::Aead => Mode::ChaCha20Poly1305,
        BlockCipherMode::Pcbc
        | BlockCipherMode::Cmac
        | BlockCipherMode::CbcMac
        | BlockCipherMode::X9_102Aeskw
        | BlockCipherMode::X9_102Tdkw
        | BlockCipherMode::X9_102Akw1
        | BlockCipherMode::X9_102Akw2 => return Err(CryptoError::Unsupported(named.text())),
    };
    if family.has(mode) { Ok(mode) } else { Err(CryptoError::Unsupported(named.text())) }
}

/// Tag Length is counted in bytes. KMIP 1.4 §3.6.
fn tag_len(mode: Mode, asked: Option<i32>) -> Result<Option<usize>, CryptoError> {
    let Some(asked) = asked else { return Ok(None) };
    match usize::try_from(asked) {
        Ok(len) if allowed_tag(mode, len) => Ok(Some(len)),
        _ => Err(CryptoError::TagLength),
    }
}

/// Lengths of SP 800-38D §5.2.1.2 without those for special applications, and of SP 800-38C §A.1 from 64 bits on, below
/// which its §B.2 asks for an analysis. ChaCha20-Poly1305's tag may be cut like GCM's: the OASIS cases do.
fn allowed_tag(mode: Mode, len: usize) -> bool {
    match mode {
        Mode::Gcm | Mode::ChaCha20Poly1305 => (12..=16).contains(&len),
        Mode::Ccm => (8..=16).contains(&len) && len.is_multiple_of(2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_mode(mode: BlockCipherMode) -> CryptographicParameters {
        CryptographicParameters { block_cipher_mode: Some(mode), ..CryptographicParameters::default() }
    }

    #[test]
    fn a_block_cipher_needs_a_mode_and_a_stream_cipher_does_not() {
        let none = CryptographicParameters::default();
        assert_eq!(
            CipherSpec::resolve(CryptographicAlgorithm::Aes, &none).unwrap_err(),
            CryptoError::Missing("Block Cipher Mode")
        );
        assert!(CipherSpec::resolve(CryptographicAlgorithm::ChaCha20, &none).is_ok());
    }

    #[test]
    fn modes_that_a_cipher_does_not_have_are_refused_by_name() {
        let gcm = CipherSpec::resolve(CryptographicAlgorithm::TripleDes, &with_mode(BlockCipherMode::Gcm));
        assert_eq!(gcm.unwrap_err(), CryptoError::Unsupported("GCM"));
        let pcbc = CipherSpec::resolve(CryptographicAlgorithm::Aes, &with_mode(BlockCipherMode::Pcbc));
        assert_eq!(pcbc.unwrap_err(), CryptoError::Unsupported("PCBC"));
        let rsa = CipherSpec::resolve(CryptographicAlgorithm::Rsa, &with_mode(BlockCipherMode::Cbc));
        assert_eq!(rsa.unwrap_err(), CryptoError::Unsupported("RSA"));
    }

    #[test]
    fn tags_of_other_lengths_are_refused() {
        for len in [-1, 0, 1, 4, 8, 11, 17, 32] {
            let parameters = CryptographicParameters { tag_length: Some(len), ..with_mode(BlockCipherMode::Gcm) };
            let refused = CipherSpec::resolve(CryptographicAlgorithm::Aes, &parameters).unwrap_err();
            assert_eq!(refused, CryptoError::TagLength, "{len}");
        }
    }

    #[test]
    fn parameters_of_another_algorithm_are_refused() {
        let parameters = CryptographicParameters {
            cryptographic_algorithm: Some(CryptographicAlgorithm::Camellia),
            ..with_mode(BlockCipherMode::Cbc)
        };
        assert!(CipherSpec::resolve(CryptographicAlgorithm::Aes, &parameters).is_err());
    }
}
