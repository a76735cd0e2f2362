//! The vCenter half: the KMIP client. It sends what vCenter 7.0.3 was seen to send, and remembers keys by name only.
//!
//! One short TLS connection per action, KMIP 1.1 in every message, keys found by identifier and by nothing else. What
//! vCenter never sends (Locate, Register, Re-key, Revoke, Destroy), this never sends: a key of a deleted VM stays at
//! the key server.

mod action;
mod counters;
mod error;
mod provider;
mod session;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use self::action::{Component, Fetched, PRODUCT_VERSION};
pub use self::counters::Counters;
pub use self::error::{Attempt, KmsError};
pub use self::provider::{Credential, Identity, Provider, ProviderStatus, Server, ServerStatus, Spec};
use crate::key::ProviderId;
use crate::limits::MAX_PROVIDERS;

/// The providers that a vCenter knows, kept in a folder.
pub struct VCenter {
    folder: PathBuf,
    providers: RwLock<BTreeMap<ProviderId, Arc<Provider>>>,
    counters: Arc<Counters>,
}

impl VCenter {
    /// A vCenter with the providers that stand in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`KmsError`] for a provider that cannot be read, and the file system's.
    pub fn open(folder: &Path) -> Result<Self, KmsError> {
        let failed = KmsError::io(folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(&failed)?;
        let counters = Arc::new(Counters::default());
        let mut providers = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(&failed)? {
            let path = entry.map_err(&failed)?.path();
            // A provider whose registration was cut off has no settings, and does not exist.
            if path.join(provider::SETTINGS).exists() {
                let provider = Provider::load(&path, Arc::clone(&counters))?;
                providers.insert(provider.id().clone(), Arc::new(provider));
            }
        }
        Ok(Self { folder: folder.to_owned(), providers: RwLock::new(providers), counters })
    }

    /// Registers a provider (`RegisterKmsCluster` and `RegisterKmipServer`) and makes or takes its client certificate.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`KmsError::ProviderExists`], [`KmsError::TooManyProviders`], [`KmsError::Settings`] for what cannot be used.
    pub fn register(&self, spec: &Spec) -> Result<Arc<Provider>, KmsError> {
        let mut providers = self.providers.write().unwrap_or_else(PoisonError::into_inner);
        if providers.contains_key(&spec.id) {
            return Err(KmsError::ProviderExists(spec.id.clone()));
        }
        if providers.len() >= MAX_PROVIDERS {
            return Err(KmsError::TooManyProviders);
        }
        let folder = self.folder.join(spec.id.as_str());
        let provider = Arc::new(Provider::register(&folder, spec, Arc::clone(&self.counters))?);
        providers.insert(spec.id.clone(), Arc::clone(&provider));
        Ok(provider)
    }

    /// The provider of that name.
    ///
    /// # Errors
    /// [`KmsError::UnknownProvider`].
    pub fn provider(&self, id: &ProviderId) -> Result<Arc<Provider>, KmsError> {
        let providers = self.providers.read().unwrap_or_else(PoisonError::into_inner);
        providers.get(id).cloned().ok_or_else(|| KmsError::UnknownProvider(id.clone()))
    }

    /// The only provider. With several, the caller has to say which.
    ///
    /// # Errors
    /// [`KmsError::NoDefaultProvider`].
    pub fn default_provider(&self) -> Result<Arc<Provider>, KmsError> {
        match &self.providers()[..] {
            [only] => Ok(Arc::clone(only)),
            _ => Err(KmsError::NoDefaultProvider),
        }
    }

    /// All providers in the order of their names.
    #[must_use]
    pub fn providers(&self) -> Vec<Arc<Provider>> {
        self.providers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// What was sent and what came of it, since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
