//! Backups: a copy of the store sealed into a file, proved by opening all that is in it, and what else tries to open
//! what the store holds.
//!
//! ```text
//!  store ── copy, one instant ──► database ── chunks sealed under a key of their own ──► file ‖ manifest, signed in the HSM
//!                                                                                          │
//!  running store ◄── compared, object by object ── opened in the HSM ◄── restored in a throw-away place
//! ```
//! A backup opens with the HSM group alone: the key of the file is sealed under a Domain Key made for this one backup,
//! which stands in the file wrapped by the Root of Trust. So a backup ends with its Root of Trust, and not before.

pub mod command;
pub mod file;
pub mod prove;
pub mod rebuild;
pub mod shred;
mod throwaway;

use std::path::{Path, PathBuf};

use audit::paper::PaperError;
use hsm::{Group, HsmError};
use keystore::StoreError;
use secret::Secret;
use thiserror::Error;

pub use throwaway::Throwaway;

/// Leads the additional data of the seal of a backup's keys.
const KEY_FACTS: &[u8; 20] = b"clavis/backup-key\x00\x00\x01";
/// Bytes of each of the two keys: one seals the file, one makes the digests of what was opened.
const KEY_LEN: usize = 32;

/// Identifies a backup: a UUID.
pub type BackupId = [u8; 16];

/// Why a backup cannot be made, read or proved.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A file.
    #[error("{}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is no backup, or was changed.
    #[error("not a backup as it was written: {0}")]
    Altered(&'static str),
    /// The manifest is not to be believed.
    #[error("the manifest: {0}")]
    Manifest(#[from] PaperError),
    /// A store: the running one, or the one that was restored.
    #[error("store")]
    Store(#[from] StoreError),
    /// The HSM group.
    #[error("hsm")]
    Hsm(#[from] HsmError),
    /// Too few officers approved it, or something else.
    #[error("not approved: {0}")]
    NotApproved(String),
    /// Something inside.
    #[error("{0}")]
    Internal(&'static str),
}

impl BackupError {
    /// For `map_err`: a file that cannot be read or written.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// The two keys of a backup.
#[derive(Debug)]
pub struct Keys(Secret);

impl Keys {
    /// Draws new ones in the HSM.
    ///
    /// # Errors
    /// [`BackupError::Hsm`].
    pub async fn draw(hsm: &Group) -> Result<Self, BackupError> {
        Self::of(hsm.random(2 * KEY_LEN).await?)
    }

    fn of(both: Secret) -> Result<Self, BackupError> {
        if both.len() == 2 * KEY_LEN {
            Ok(Self(both))
        } else {
            Err(BackupError::Altered("its keys have another length"))
        }
    }

    /// Seals the chunks of the file.
    pub(crate) fn of_file(&self) -> &[u8] {
        self.0.expose().get(..KEY_LEN).unwrap_or_default()
    }

    /// Makes digests of what was opened.
    pub(crate) fn of_digests(&self) -> &[u8] {
        self.0.expose().get(KEY_LEN..).unwrap_or_default()
    }

    /// The header of a new file: a Domain Key for this one backup, and these keys sealed under it.
    ///
    /// # Errors
    /// [`BackupError::Hsm`].
    pub async fn seal(&self, hsm: &Group, id: BackupId) -> Result<file::Header, BackupError> {
        let key = hsm.create_domain_key(id, 1).await?;
        let sealed = hsm.seal(&key, &facts(id), &self.0).await;
        hsm.forget_version(id, 1).await;
        Ok(file::Header { id, key, keys: sealed? })
    }

    /// Opens the keys of a file.
    ///
    /// # Errors
    /// [`BackupError::Hsm`], where the Root of Trust that wrapped them is gone as well.
    pub async fn open(hsm: &Group, header: &file::Header) -> Result<Self, BackupError> {
        let opened = hsm.open_sealed(&header.key, &facts(header.id), &header.keys).await;
        hsm.forget_version(header.id, header.key.version).await;
        Self::of(opened?)
    }
}

fn facts(id: BackupId) -> Vec<u8> {
    [KEY_FACTS.as_slice(), &id].concat()
}
