//! A DEK wrapped by the KEK: AES-256-GCM, bound to the VM, the disk and the key's name.
//!
//! ```text
//! offset  length  field
//!      0       1  format, 1
//!      1      12  nonce, random
//!     13      64  the DEK, encrypted
//!     77      16  tag
//! ```
//! Additional data: the text `esxi-sim/dek/1`, the VM's UUID (16 bytes), the disk's number (u32, big endian), the
//! length of the provider's name (u32, big endian) and the name, the key's identifier. A wrapped DEK that is moved to
//! another VM, another disk or another key's name does not open.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use ring::rand::SecureRandom;
use secret::Secret;
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::disk::{DiskKey, KeyError};
use crate::key::CryptoKeyId;

const FORMAT: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
/// Bytes of a KEK: AES-256.
pub const KEK_LEN: usize = 32;
const LABEL: &[u8] = b"esxi-sim/dek/1";

/// What a wrapped DEK is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The VM's BIOS UUID.
    pub vm: Uuid,
    /// The disk's number within the VM.
    pub disk: u32,
    /// The KEK.
    pub key: &'a CryptoKeyId,
}

/// Why a DEK was not wrapped or unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WrapError {
    /// The KEK is not an AES-256 key.
    #[error("a KEK has {KEK_LEN} bytes, not {0}")]
    KekLength(usize),
    /// The bytes are not of this format.
    #[error("not a wrapped DEK")]
    Format,
    /// Made for another purpose, under another key, or changed since.
    #[error("the key does not open this DEK")]
    DoesNotOpen,
    /// It opened, and what came out is not a disk key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The system gave no randomness.
    #[error("no randomness")]
    Random,
}

/// Wraps `dek` under `kek`.
///
/// # Errors
/// [`WrapError::KekLength`], [`WrapError::Random`].
pub fn wrap(
    dek: &DiskKey,
    kek: &Secret,
    purpose: Purpose<'_>,
    random: &dyn SecureRandom,
) -> Result<Vec<u8>, WrapError> {
    let cipher = cipher(kek)?;
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce).map_err(|_| WrapError::Random)?;
    // The buffer holds the DEK in clear until it is encrypted in place; it is wiped if that fails.
    let mut body = Zeroizing::new(dek.secret().expose().to_vec());
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(nonce), &purpose.additional_data(), body.as_mut_slice().into())
        .map_err(|_| WrapError::DoesNotOpen)?;
    Ok([&[FORMAT], &nonce[..], &body, &tag].concat())
}

/// Unwraps what [`wrap`] made for the same purpose.
///
/// # Errors
/// [`WrapError`].
pub fn unwrap(wrapped: &[u8], kek: &Secret, purpose: Purpose<'_>) -> Result<DiskKey, WrapError> {
    let cipher = cipher(kek)?;
    let Some((&[FORMAT], rest)) = wrapped.split_first_chunk() else { return Err(WrapError::Format) };
    let Some((nonce, rest)) = rest.split_first_chunk::<NONCE_LEN>() else { return Err(WrapError::Format) };
    let Some((body, tag)) = rest.split_last_chunk::<TAG_LEN>() else { return Err(WrapError::Format) };
    let dek = Secret::filled_by(body.len(), |bytes| {
        bytes.copy_from_slice(body);
        cipher.decrypt_inout_detached(&Nonce::from(*nonce), &purpose.additional_data(), bytes.into(), &Tag::from(*tag))
    });
    Ok(DiskKey::from_secret(dek.map_err(|_| WrapError::DoesNotOpen)?)?)
}

fn cipher(kek: &Secret) -> Result<Aes256Gcm, WrapError> {
    Aes256Gcm::new_from_slice(kek.expose()).map_err(|_| WrapError::KekLength(kek.len()))
}

impl Purpose<'_> {
    fn additional_data(&self) -> Vec<u8> {
        let provider = self.key.provider_id.as_str().as_bytes();
        // A provider's name has at most `MAX_NAME` bytes.
        let provider_len = u32::try_from(provider.len()).unwrap_or(u32::MAX).to_be_bytes();
        let key = self.key.key_id.as_bytes();
        [LABEL, self.vm.as_bytes(), &self.disk.to_be_bytes(), &provider_len, provider, key].concat()
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    fn key(id: &str, provider: &str) -> CryptoKeyId {
        CryptoKeyId::new(id, provider.parse().unwrap()).unwrap()
    }

    #[test]
    fn opens_for_its_purpose_and_for_no_other() {
        let random = SystemRandom::new();
        let (kek, other_kek) = (Secret::new(vec![1; KEK_LEN]), Secret::new(vec![2; KEK_LEN]));
        let dek = DiskKey::generate(&random).unwrap();
        let (name, provider, id) = (key("17", "clavis"), key("17", "other"), key("18", "clavis"));
        let purpose = Purpose { vm: Uuid::from_u128(42), disk: 0, key: &name };
        let wrapped = wrap(&dek, &kek, purpose, &random).unwrap();
        assert_eq!(wrapped.len(), 93);

        assert_eq!(unwrap(&wrapped, &kek, purpose).unwrap().secret(), dek.secret());
        let others = [
            Purpose { vm: Uuid::from_u128(43), ..purpose },
            Purpose { disk: 1, ..purpose },
            Purpose { key: &provider, ..purpose },
            Purpose { key: &id, ..purpose },
        ];
        for other in others {
            assert_eq!(unwrap(&wrapped, &kek, other).unwrap_err(), WrapError::DoesNotOpen, "{other:?}");
        }
        assert_eq!(unwrap(&wrapped, &other_kek, purpose).unwrap_err(), WrapError::DoesNotOpen);
    }

    #[test]
    fn a_change_of_any_byte_or_length_is_noticed() {
        let random = SystemRandom::new();
        let kek = Secret::new(vec![1; KEK_LEN]);
        let name = key("17", "clavis");
        let purpose = Purpose { vm: Uuid::nil(), disk: 3, key: &name };
        let wrapped = wrap(&DiskKey::generate(&random).unwrap(), &kek, purpose, &random).unwrap();
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 0x20;
            assert!(unwrap(&changed, &kek, purpose).is_err(), "byte {at}");
            assert!(unwrap(&wrapped[..at], &kek, purpose).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn the_dek_is_not_in_what_is_stored() {
        let random = SystemRandom::new();
        let kek = Secret::new(vec![1; KEK_LEN]);
        let dek = DiskKey::generate(&random).unwrap();
        let name = key("17", "clavis");
        let wrapped = wrap(&dek, &kek, Purpose { vm: Uuid::nil(), disk: 0, key: &name }, &random).unwrap();
        let windows = dek.secret().expose().windows(8);
        assert!(windows.into_iter().all(|part| !wrapped.windows(8).any(|stored| stored == part)));
    }

    #[test]
    fn a_kek_of_another_length_is_refused() {
        let random = SystemRandom::new();
        let dek = DiskKey::generate(&random).unwrap();
        let name = key("17", "clavis");
        let purpose = Purpose { vm: Uuid::nil(), disk: 0, key: &name };
        for len in [0, 16, 24, 33] {
            let kek = Secret::new(vec![1; len]);
            assert_eq!(wrap(&dek, &kek, purpose, &random).unwrap_err(), WrapError::KekLength(len));
        }
    }
}
