//! OpenSSL itself: its providers, its errors.

use std::sync::LazyLock;

use openssl::error::ErrorStack;
use openssl::provider::Provider;

use crate::CryptoError;

/// Whether the provider of old algorithms could be loaded. It is loaded once, beside the default one, and stays: MD4,
/// Whirlpool, DES, Blowfish, CAST5, RC2, RC4 and SEED are in KMIP's enumerations, and old PKCS#12 files use RC2.
/// Who may use them is for the policy to say.
static LEGACY: LazyLock<bool> = LazyLock::new(|| match Provider::try_load(None, "legacy", true) {
    Ok(provider) => {
        // Dropping it would unload it.
        std::mem::forget(provider);
        true
    }
    Err(_) => false,
});

/// Makes the old algorithms known, where the system has them.
pub(crate) fn with_legacy() -> bool {
    *LEGACY
}

/// What OpenSSL says, turned into an error of ours. Its texts are dropped: they tell nothing that a caller could act on.
pub(crate) trait Checked<T> {
    /// The failure is the library's.
    fn or_library(self, step: &'static str) -> Result<T, CryptoError>;

    /// The failure has one cause in the caller's hands.
    fn or_refuse(self, error: CryptoError) -> Result<T, CryptoError>;
}

impl<T> Checked<T> for Result<T, ErrorStack> {
    fn or_library(self, step: &'static str) -> Result<T, CryptoError> {
        self.map_err(|_| CryptoError::Library(step))
    }

    fn or_refuse(self, error: CryptoError) -> Result<T, CryptoError> {
        self.map_err(|_| error)
    }
}
