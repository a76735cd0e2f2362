//! Why vCenter did not get what it wanted from a key provider.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use kmip::registry::ResultReason;
use thiserror::Error;

use crate::key::{CryptoKeyId, ProviderId};

/// What one server of a provider answered, or that it did not.
#[derive(Debug)]
pub struct Attempt {
    /// Its address.
    pub server: String,
    /// What went wrong there.
    pub error: kmip_client::Error,
}

impl Attempt {
    /// Whether the server answered that there is no such key, which is also its answer for somebody else's.
    #[must_use]
    pub fn key_is_missing(&self) -> bool {
        matches!(self.error.reason(), Some(ResultReason::ItemNotFound | ResultReason::ObjectNotFound))
    }

    /// Whether the server answered at all.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.error.reason().is_some()
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on KMS {}: {}", self.server, self.error)?;
        let mut cause = std::error::Error::source(&self.error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Why vCenter did not get what it wanted.
#[derive(Debug, Error)]
pub enum KmsError {
    /// No server of the provider did it.
    #[error("Failed to {action} on key provider {provider}: {}", list(attempts))]
    AllFailed {
        /// What was wanted, such as `generate key`.
        action: &'static str,
        /// The provider.
        provider: ProviderId,
        /// Each server's reason, in the order in which they were asked.
        attempts: Vec<Attempt>,
    },
    /// Every server that answered says that there is no such key.
    #[error("Key {0} not found")]
    KeyMissing(CryptoKeyId),
    /// The key is in a state in which it is not used for a host that lacks it.
    #[error("Key {key} is {state}, not active")]
    KeyNotActive {
        /// The key.
        key: CryptoKeyId,
        /// Its state.
        state: String,
    },
    /// No such provider.
    #[error("no key provider \"{0}\" is registered")]
    UnknownProvider(ProviderId),
    /// A provider of that name exists.
    #[error("a key provider \"{0}\" is registered already")]
    ProviderExists(ProviderId),
    /// None or several are registered, and the caller did not say which.
    #[error("the key provider has to be named: there is not exactly one")]
    NoDefaultProvider,
    /// More providers than a vCenter has.
    #[error("no more key providers can be registered")]
    TooManyProviders,
    /// A provider cannot be set up so.
    #[error("key provider \"{provider}\": {reason}")]
    Settings {
        /// The provider.
        provider: ProviderId,
        /// What cannot be used.
        reason: String,
    },
    /// The file system.
    #[error("{path}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl KmsError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
