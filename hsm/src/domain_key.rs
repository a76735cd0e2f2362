//! The public half of a Domain Key: its wrapped blob and what proves that it is the right one.

use secret::{DomainId, DomainKeyVersion};
use thiserror::Error;

use crate::limits::WRAPPED_KEY_LEN;

const FORMAT: u8 = 1;
/// IV, sealed constant, tag.
pub(crate) const CANARY_LEN: usize = 12 + CANARY_PLAIN.len() + 16;
/// What every canary says. A constant: it proves the key, nothing else.
pub(crate) const CANARY_PLAIN: &[u8; 16] = b"clavis dk canary";

/// A Domain Key as it is stored: nothing here is secret.
///
/// ```text
/// offset  length  field
///      0       1  format, 1
///      1      16  domain, a UUID
///     17       4  version, big endian, from 1
///     21      32  fingerprint of the Root of Trust that wraps it
///     53      40  the key, wrapped by AES-KW (RFC 3394)
///     93      44  canary: IV (12), a sealed constant (16), tag (16)
/// ```
/// The canary's additional data names domain and version, so a blob swapped between two domains is noticed at its
/// import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainKey {
    /// Whose key it is.
    pub domain: DomainId,
    /// Counted from 1.
    pub version: DomainKeyVersion,
    /// The key wrapped by the Root of Trust: 40 bytes of AES-KW.
    pub wrapped: Vec<u8>,
    /// Which Root of Trust wrapped it.
    pub rot_fingerprint: [u8; 32],
    /// Opens only under this key, for this domain and version: 44 bytes.
    pub canary: Vec<u8>,
}

/// Why bytes are not a stored Domain Key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DomainKeyError {
    /// The length is not that of format 1.
    #[error("a stored Domain Key of {0} bytes")]
    Length(usize),
    /// The first byte is not a format this version reads.
    #[error("unknown format {0} of a stored Domain Key")]
    Format(u8),
}

impl DomainKey {
    /// Bytes of a stored Domain Key.
    pub const ENCODED_LEN: usize = 1 + 16 + 4 + 32 + WRAPPED_KEY_LEN + CANARY_LEN;

    /// The bytes that the store keeps: 137 of them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::ENCODED_LEN);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.domain);
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&self.rot_fingerprint);
        bytes.extend_from_slice(&self.wrapped);
        bytes.extend_from_slice(&self.canary);
        bytes
    }

    /// Reads what [`DomainKey::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DomainKeyError`] for bytes of another length or format. Whether the key is genuine shows at its import.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DomainKeyError> {
        let cut = DomainKeyError::Length(bytes.len());
        let (&format, rest) = bytes.split_first().ok_or(cut)?;
        if format != FORMAT {
            return Err(DomainKeyError::Format(format));
        }
        let (domain, rest) = rest.split_first_chunk::<16>().ok_or(cut)?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
        let (rot_fingerprint, rest) = rest.split_first_chunk::<32>().ok_or(cut)?;
        let (wrapped, canary) = rest.split_first_chunk::<WRAPPED_KEY_LEN>().ok_or(cut)?;
        if canary.len() != CANARY_LEN {
            return Err(cut);
        }
        Ok(Self {
            domain: *domain,
            version: u32::from_be_bytes(*version),
            wrapped: wrapped.to_vec(),
            rot_fingerprint: *rot_fingerprint,
            canary: canary.to_vec(),
        })
    }

    /// What is left of a key that was destroyed: whose it was and which version, and zeros where the key was.
    #[must_use]
    pub fn husk(&self) -> Self {
        Self { wrapped: vec![0; WRAPPED_KEY_LEN], canary: vec![0; CANARY_LEN], ..self.clone() }
    }

    /// Whether nothing is left of the key.
    #[must_use]
    pub fn is_husk(&self) -> bool {
        self.wrapped.iter().chain(&self.canary).all(|byte| *byte == 0)
    }

    /// The additional data of the canary.
    pub(crate) fn canary_facts(domain: &DomainId, version: DomainKeyVersion) -> Vec<u8> {
        let mut facts = b"clavis canary\0".to_vec();
        facts.extend_from_slice(domain);
        facts.extend_from_slice(&version.to_be_bytes());
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> DomainKey {
        DomainKey {
            domain: [7; 16],
            version: 3,
            wrapped: vec![1; WRAPPED_KEY_LEN],
            rot_fingerprint: [9; 32],
            canary: vec![5; CANARY_LEN],
        }
    }

    #[test]
    fn comes_back_from_its_bytes() {
        let bytes = example().to_bytes();
        assert_eq!(bytes.len(), DomainKey::ENCODED_LEN);
        assert_eq!(DomainKey::from_bytes(&bytes), Ok(example()));
    }

    #[test]
    fn every_other_length_is_refused() {
        let mut bytes = example().to_bytes();
        bytes.push(0);
        for len in (0..DomainKey::ENCODED_LEN).chain([DomainKey::ENCODED_LEN + 1]) {
            assert_eq!(DomainKey::from_bytes(&bytes[..len]), Err(DomainKeyError::Length(len)));
        }
    }

    #[test]
    fn another_format_is_named() {
        let mut bytes = example().to_bytes();
        bytes[0] = 2;
        assert_eq!(DomainKey::from_bytes(&bytes), Err(DomainKeyError::Format(2)));
    }

    #[test]
    fn canaries_of_two_domains_or_versions_never_share_facts() {
        let one = DomainKey::canary_facts(&[1; 16], 1);
        assert_ne!(one, DomainKey::canary_facts(&[2; 16], 1));
        assert_ne!(one, DomainKey::canary_facts(&[1; 16], 2));
    }
}
