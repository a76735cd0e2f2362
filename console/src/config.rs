//! The configuration file: where to listen, where things lie, and how the vCenters and the key service are reached.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use esxi_sim::vcenter::{Identity, Server, Spec};
use provisioning::ids::{KeyDomainId, VStackId};
use serde::Deserialize;
use thiserror::Error;

/// Bytes of a stand-in image, if the file does not say.
const IMAGE_MIB: u64 = 8;
/// The most that it may say: images of all VMs that are encrypted lie on one disk.
const IMAGE_MIB_MOST: u64 = 64 << 10;

/// The file. Paths in it are relative to its folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the console listens.
    pub listen: SocketAddr,
    /// PEM file of its certificate.
    pub certificate: PathBuf,
    /// PEM file of the certificate's private key.
    pub key: PathBuf,
    /// The SQLite file.
    pub store: PathBuf,
    /// Folder of the hypervisors' state.
    pub hypervisors: PathBuf,
    /// Size of a disk's stand-in image, in MiB.
    #[serde(default = "image_mib")]
    pub image_mib: u64,
    /// Whether addresses may ask as often as they like: for benchmarks and for tests that are about something else.
    #[serde(default)]
    pub unlimited_requests: bool,
    /// The key provider of each vStack that the console reaches.
    #[serde(default)]
    pub key_providers: Vec<KeyProvider>,
    /// The key service's admin API, for the audit page and the operator's page.
    #[serde(default)]
    pub key_service: Option<KeyServiceAt>,
    /// Where the operator's page is, if there is to be one. It speaks TLS with the console's certificate, and asks for
    /// an administrator's.
    #[serde(default)]
    pub operator_listen: Option<SocketAddr>,
}

/// The key provider of a vStack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyProvider {
    /// The vStack.
    pub vstack: VStackId,
    /// The provider's name in its vCenter.
    pub provider: String,
    /// Its servers, in the order in which they are asked.
    pub servers: Vec<Server>,
    /// PEM file of the certificates that vouch for them.
    pub roots: PathBuf,
    /// PEM file of the vCenter's client certificate.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// The admin API of the key service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyServiceAt {
    /// Its address, such as `https://127.0.0.1:9443`.
    pub url: String,
    /// PEM file of the certificates that vouch for it.
    pub roots: PathBuf,
    /// PEM file of an auditor's certificate.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
    /// What the key service calls each domain of the inventory.
    pub domains: BTreeMap<KeyDomainId, String>,
}

const fn image_mib() -> u64 {
    IMAGE_MIB
}

/// Why the configuration is none.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What stands in it.
    #[error("{}: {fault}", path.display())]
    Fault {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`], with the line where one can be named.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.into(), source })?;
        let fault = |fault: String| ConfigError::Fault { path: path.into(), fault };
        let mut config: Self = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        if !(1..=IMAGE_MIB_MOST).contains(&config.image_mib) {
            return Err(fault(format!("image_mib is a number from 1 to {IMAGE_MIB_MOST}")));
        }
        if config.operator_listen.is_some() && config.key_service.is_none() {
            return Err(fault("operator_listen wants a [key_service], which knows the administrators".to_owned()));
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        config.paths().for_each(|path| *path = folder.join(&*path));
        Ok(config)
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let own = [&mut self.certificate, &mut self.key, &mut self.store, &mut self.hypervisors];
        let providers = self.key_providers.iter_mut();
        let service = self.key_service.iter_mut();
        own.into_iter()
            .chain(providers.flat_map(|one| [&mut one.roots, &mut one.certificate, &mut one.key]))
            .chain(service.flat_map(|one| [&mut one.roots, &mut one.certificate, &mut one.key]))
    }

    /// How each vCenter is told of its key provider.
    ///
    /// # Errors
    /// [`ConfigError::Fault`] for a name that a provider cannot have.
    pub fn specs(&self) -> Result<BTreeMap<VStackId, Spec>, ConfigError> {
        let one = |provider: &KeyProvider| {
            let fault = |error: esxi_sim::key::NameError| ConfigError::Fault {
                path: PathBuf::from("key_providers"),
                fault: error.to_string(),
            };
            let spec = Spec {
                id: provider.provider.parse().map_err(fault)?,
                servers: provider.servers.clone(),
                roots: provider.roots.clone(),
                identity: Identity::Uploaded { certificate: provider.certificate.clone(), key: provider.key.clone() },
                username: None,
                password_file: None,
                timeout_seconds: None,
            };
            Ok((provider.vstack.clone(), spec))
        };
        self.key_providers.iter().map(one).collect()
    }
}
