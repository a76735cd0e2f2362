//! Key bytes at rest: the envelope that an AES-GCM seal under a Domain Key leaves behind.
//!
//! ```text
//! offset  length  field
//!      0       1  format, 1
//!      1       1  algorithm, see `Algorithm`
//!      2      16  domain, a UUID
//!     18       4  Domain Key version, big endian, from 1
//!     22       1  length of the IV in bytes, 12 to 16
//!     23       n  IV
//!   23+n       …  ciphertext
//!    end      16  tag
//! ```
//! The header (everything before the ciphertext) is part of the additional data of the seal, so a changed header does
//! not open. `docs/formats.md` has the same table and the additional data byte by byte.

use thiserror::Error;

/// Identifies a domain: the 16 bytes of a UUID.
pub type DomainId = [u8; 16];

/// Version of a domain's Domain Key, counted from 1.
pub type DomainKeyVersion = u32;

const FORMAT: u8 = 1;
const DOMAIN_AT: usize = 2;
const VERSION_AT: usize = 18;
const IV_LEN_AT: usize = 22;
const IV_AT: usize = 23;
/// The only tag length: 128 bits. SoftHSM would accept shorter ones.
const TAG_LEN: usize = 16;
/// 96 bits where the caller chooses the IV.
const MIN_IV_LEN: usize = 12;
/// A Luna in FIPS mode makes an IV of 16 bytes of its own.
const MAX_IV_LEN: usize = 16;
/// An upper limit for an envelope: the largest object the protocol carries (1 MiB) and its framing.
pub const MAX_ENVELOPE_LEN: usize = (1 << 20) + 4096;

/// How the ciphertext was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// AES-256-GCM under the Domain Key, inside the HSM.
    AesGcmInHsm,
    /// A fresh 256-bit object key sealed in the HSM, the payload under that key in software. For payloads over 1 KiB.
    AesGcmUnderObjectKey,
}

impl Algorithm {
    const fn code(self) -> u8 {
        match self {
            Self::AesGcmInHsm => 1,
            Self::AesGcmUnderObjectKey => 2,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::AesGcmInHsm),
            2 => Some(Self::AesGcmUnderObjectKey),
            _ => None,
        }
    }
}

/// Why bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Fewer bytes than header and tag need.
    #[error("envelope of {0} bytes is cut off")]
    Truncated(usize),
    /// More bytes than [`MAX_ENVELOPE_LEN`].
    #[error("envelope of {0} bytes is over the limit")]
    TooLong(usize),
    /// The format byte is not one this version reads.
    #[error("unknown envelope format {0}")]
    Format(u8),
    /// The algorithm byte is not one this version reads.
    #[error("unknown envelope algorithm {0}")]
    Algorithm(u8),
    /// The IV length is outside 12 to 16 bytes.
    #[error("IV of {0} bytes")]
    IvLength(usize),
}

/// Key bytes sealed under a Domain Key. Safe to store, to log by length, to copy into backups.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
    algorithm: Algorithm,
    iv_len: usize,
}

impl Sealed {
    /// Puts an envelope together; `ciphertext_and_tag` ends with the 16 tag bytes.
    ///
    /// # Errors
    /// [`EnvelopeError`] where a part is outside its limits.
    pub fn assemble(
        algorithm: Algorithm,
        domain: DomainId,
        version: DomainKeyVersion,
        iv: &[u8],
        ciphertext_and_tag: &[u8],
    ) -> Result<Self, EnvelopeError> {
        let mut bytes = Self::header(algorithm, domain, version, iv)?;
        bytes.extend_from_slice(ciphertext_and_tag);
        Self::from_bytes(bytes)
    }

    /// The header as it goes into the additional data, before a ciphertext exists.
    ///
    /// # Errors
    /// [`EnvelopeError::IvLength`].
    pub fn header(
        algorithm: Algorithm,
        domain: DomainId,
        version: DomainKeyVersion,
        iv: &[u8],
    ) -> Result<Vec<u8>, EnvelopeError> {
        let iv_len = match u8::try_from(iv.len()) {
            Ok(len) if (MIN_IV_LEN..=MAX_IV_LEN).contains(&iv.len()) => len,
            _ => return Err(EnvelopeError::IvLength(iv.len())),
        };
        let mut header = Vec::with_capacity(IV_AT + iv.len());
        header.extend_from_slice(&[FORMAT, algorithm.code()]);
        header.extend_from_slice(&domain);
        header.extend_from_slice(&version.to_be_bytes());
        header.push(iv_len);
        header.extend_from_slice(iv);
        Ok(header)
    }

    /// Reads an envelope back from the store.
    ///
    /// # Errors
    /// [`EnvelopeError`] for bytes that cannot be an envelope. Whether they open is for the HSM to say.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE_LEN {
            return Err(EnvelopeError::TooLong(bytes.len()));
        }
        let [format, algorithm, ..] = bytes[..] else { return Err(EnvelopeError::Truncated(bytes.len())) };
        if format != FORMAT {
            return Err(EnvelopeError::Format(format));
        }
        let algorithm = Algorithm::from_code(algorithm).ok_or(EnvelopeError::Algorithm(algorithm))?;
        let iv_len = usize::from(*bytes.get(IV_LEN_AT).ok_or(EnvelopeError::Truncated(bytes.len()))?);
        if !(MIN_IV_LEN..=MAX_IV_LEN).contains(&iv_len) {
            return Err(EnvelopeError::IvLength(iv_len));
        }
        if bytes.len() < IV_AT + iv_len + TAG_LEN {
            return Err(EnvelopeError::Truncated(bytes.len()));
        }
        Ok(Self { bytes, algorithm, iv_len })
    }

    /// The envelope as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Everything before the ciphertext.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        &self.bytes[..IV_AT + self.iv_len]
    }

    /// How the ciphertext was made.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The domain whose key sealed this.
    #[must_use]
    pub fn domain(&self) -> DomainId {
        let mut domain = [0; 16];
        domain.copy_from_slice(&self.bytes[DOMAIN_AT..VERSION_AT]);
        domain
    }

    /// The version of the Domain Key that sealed this.
    #[must_use]
    pub fn version(&self) -> DomainKeyVersion {
        let mut version = [0; 4];
        version.copy_from_slice(&self.bytes[VERSION_AT..IV_LEN_AT]);
        u32::from_be_bytes(version)
    }

    /// The initialisation vector.
    #[must_use]
    pub fn iv(&self) -> &[u8] {
        &self.bytes[IV_AT..IV_AT + self.iv_len]
    }

    /// Ciphertext followed by the 16 bytes of the tag.
    #[must_use]
    pub fn ciphertext_and_tag(&self) -> &[u8] {
        &self.bytes[IV_AT + self.iv_len..]
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({:?}, key version {}, {} bytes)", self.algorithm, self.version(), self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Sealed {
        Sealed::assemble(Algorithm::AesGcmInHsm, [7; 16], 3, &[1; 12], &[9; 48]).unwrap()
    }

    #[test]
    fn parts_come_back() {
        let sealed = Sealed::from_bytes(example().as_bytes().to_vec()).unwrap();
        assert_eq!(sealed, example());
        assert_eq!((sealed.domain(), sealed.version(), sealed.iv()), ([7; 16], 3, &[1; 12][..]));
        assert_eq!(sealed.ciphertext_and_tag(), [9; 48]);
        assert_eq!(sealed.header_bytes().len() + 48, sealed.as_bytes().len());
    }

    #[test]
    fn every_cut_is_refused_or_keeps_a_whole_tag() {
        let whole = example();
        for len in 0..IV_AT + 12 + TAG_LEN {
            assert!(Sealed::from_bytes(whole.as_bytes()[..len].to_vec()).is_err(), "{len} bytes were accepted");
        }
    }

    #[test]
    fn foreign_bytes_are_named() {
        let mut bytes = example().as_bytes().to_vec();
        bytes[0] = 9;
        assert_eq!(Sealed::from_bytes(bytes.clone()), Err(EnvelopeError::Format(9)));
        bytes[0] = FORMAT;
        bytes[1] = 9;
        assert_eq!(Sealed::from_bytes(bytes.clone()), Err(EnvelopeError::Algorithm(9)));
        bytes[1] = 1;
        bytes[IV_LEN_AT] = 200;
        assert_eq!(Sealed::from_bytes(bytes), Err(EnvelopeError::IvLength(200)));
        assert_eq!(
            Sealed::from_bytes(vec![1; MAX_ENVELOPE_LEN + 1]),
            Err(EnvelopeError::TooLong(MAX_ENVELOPE_LEN + 1))
        );
    }
}
