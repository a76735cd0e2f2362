//! A VM's configuration: the one file that says which disk files are the VM's, and under which key.
//!
//! It is JSON with the names of vSphere, readable like a `.vmx`. The DEKs stand in it only wrapped, in
//! `encryption.bundle`. The switch from clear to encrypted is one replacement of this file.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::bundle::{Bundle, BundleError};
use crate::disk::durable;
use crate::key::{CryptoKeyId, VmId};
use crate::limits::{MAX_CONFIG, MAX_DISKS};

const FORMAT: u32 = 1;
/// The I/O filter that vSphere names on every encrypted disk.
const FILTER: &str = "VMW_vmwarevmcrypt_1.0.0";

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file system refused.
    #[error("configuration {0}")]
    Io(PathBuf, #[source] io::Error),
    /// Not JSON of this form.
    #[error("configuration {0}")]
    Json(PathBuf, #[source] serde_json::Error),
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Its parts contradict each other.
    #[error("configuration contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// One disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskConfig {
    /// The raw image, an absolute path.
    pub file_name: PathBuf,
    /// Bytes of the disk.
    pub capacity: u64,
    /// The KEK that wraps this disk's DEK; absent while the disk is in clear.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_id: Option<CryptoKeyId>,
    /// The filter that encrypts, as vSphere writes it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub iofilter: Vec<String>,
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VmConfig {
    format: u32,
    /// The VM's name.
    pub display_name: VmId,
    /// BIOS UUID, `x-Identifier` at the key server.
    pub uuid: Uuid,
    /// The KEK; absent while the VM is in clear.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_id: Option<CryptoKeyId>,
    /// The wrapped DEKs; see [`Bundle`].
    #[serde(rename = "encryption.bundle", skip_serializing_if = "Option::is_none", default)]
    bundle: Option<String>,
    /// The disks, by number.
    pub disks: Vec<DiskConfig>,
}

impl VmConfig {
    /// A VM in clear.
    #[must_use]
    pub fn clear(name: VmId, uuid: Uuid, disks: Vec<(PathBuf, u64)>) -> Self {
        let disk = |(file_name, capacity)| DiskConfig { file_name, capacity, key_id: None, iofilter: Vec::new() };
        let disks = disks.into_iter().map(disk).collect();
        Self { format: FORMAT, display_name: name, uuid, key_id: None, bundle: None, disks }
    }

    /// The same VM, encrypted: its disks are now `files`, their DEKs stand wrapped in `bundle`.
    #[must_use]
    pub fn encrypted(&self, files: Vec<PathBuf>, bundle: &Bundle) -> Self {
        let disks = self.disks.iter().zip(files).map(|(disk, file_name)| DiskConfig {
            file_name,
            capacity: disk.capacity,
            key_id: Some(bundle.key.clone()),
            iofilter: vec![FILTER.to_owned()],
        });
        Self {
            disks: disks.collect(),
            key_id: Some(bundle.key.clone()),
            bundle: Some(bundle.to_text()),
            ..self.clone()
        }
    }

    /// The same VM in clear: its disks are now `files`.
    #[must_use]
    pub fn decrypted(&self, files: Vec<PathBuf>) -> Self {
        let disks = self.disks.iter().zip(files).map(|(disk, file)| (file, disk.capacity)).collect();
        Self::clear(self.display_name.clone(), self.uuid, disks)
    }

    /// The wrapped DEKs; `None` while the VM is in clear.
    ///
    /// # Errors
    /// [`ConfigError`] for a bundle that cannot be read or does not fit the rest.
    pub fn bundle(&self) -> Result<Option<Bundle>, ConfigError> {
        let bundle = self.bundle.as_deref().map(Bundle::parse).transpose()?;
        let key = bundle.as_ref().map(|bundle| &bundle.key);
        if key != self.key_id.as_ref() || self.disks.iter().any(|disk| disk.key_id.as_ref() != key) {
            return Err(ConfigError::Contradiction("its parts name different keys"));
        }
        if bundle.as_ref().is_some_and(|bundle| bundle.wrapped.len() != self.disks.len()) {
            return Err(ConfigError::Contradiction("not one wrapped DEK per disk"));
        }
        Ok(bundle)
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = durable::read(path, MAX_CONFIG).map_err(|error| ConfigError::Io(path.to_owned(), error))?;
        let config: Self = serde_json::from_slice(&bytes).map_err(|error| ConfigError::Json(path.to_owned(), error))?;
        if config.format != FORMAT {
            return Err(ConfigError::Contradiction("a format that this version does not read"));
        }
        if config.disks.is_empty() || config.disks.len() > MAX_DISKS {
            return Err(ConfigError::Contradiction("no disk, or more than a VM has"));
        }
        config.bundle()?;
        Ok(config)
    }

    /// Replaces the configuration at `path` in one step.
    ///
    /// # Errors
    /// [`ConfigError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| ConfigError::Json(path.to_owned(), error))?;
        durable::replace(path, &bytes).map_err(|error| ConfigError::Io(path.to_owned(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear() -> VmConfig {
        let disks = vec![("/data/a.raw".into(), 512), ("/data/b.raw".into(), 1024)];
        VmConfig::clear("vm-web".parse().unwrap(), Uuid::from_u128(0x42), disks)
    }

    fn encrypted() -> VmConfig {
        let key = CryptoKeyId::new("3", "clavis".parse().unwrap()).unwrap();
        let bundle = Bundle { key, wrapped: vec![vec![1; 93], vec![2; 93]] };
        clear().encrypted(vec!["/data/a_1.raw".into(), "/data/b_1.raw".into()], &bundle)
    }

    #[test]
    fn comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vm.json");
        for config in [clear(), encrypted()] {
            config.save(&path).unwrap();
            assert_eq!(VmConfig::load(&path).unwrap(), config);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for part in [r#""encryption.bundle": "vmware:key/list/("#, r#""keyId": {"#, r#""providerId": "clavis""#, FILTER]
        {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn a_configuration_that_contradicts_itself_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vm.json");
        let spoilers: [fn(&mut VmConfig); 6] = [
            |config| config.key_id = None,
            |config| config.bundle = None,
            |config| config.disks[1].key_id = None,
            |config| drop(config.disks.pop()),
            |config| config.disks.clear(),
            |config| config.format = 2,
        ];
        for spoil in spoilers {
            let mut config = encrypted();
            spoil(&mut config);
            config.save(&path).unwrap();
            assert!(VmConfig::load(&path).is_err(), "{config:?}");
        }
    }
}
