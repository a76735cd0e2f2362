//! What a rewrite of disks is about to touch, written down first, so that a crash leaves nothing behind.
//!
//! Before the first new file is made, old and new names are written to `intent.json` beside the configuration. The
//! configuration alone says which of them are the VM's. Tidying up, after the rewrite or at the next start, removes
//! those that are not, and then the intent. Each part of it may be cut off by another crash and done again.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::VmConfig;
use crate::disk::durable;
use crate::limits::MAX_CONFIG;

/// The files of which only some survive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Old and new disk files.
    pub files: BTreeSet<PathBuf>,
}

impl Intent {
    /// Writes the intent; once this returns, a crash will be tidied up after.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        durable::replace(path, &serde_json::to_vec_pretty(self)?)
    }

    /// The intent that a crash left, or `None`.
    ///
    /// # Errors
    /// Those of the file system, and [`io::ErrorKind::InvalidData`] for what is not an intent.
    pub fn load(path: &Path) -> io::Result<Option<Self>> {
        match durable::read(path, MAX_CONFIG) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files that `config` does not name.
    pub fn leftovers<'a>(&'a self, config: &'a VmConfig) -> impl Iterator<Item = &'a PathBuf> {
        self.files.iter().filter(|file| !config.disks.iter().any(|disk| disk.file_name == **file))
    }
}
