//! A loaded PKCS#11 library and its epochs: the time between one `C_Initialize` and its `C_Finalize`.
//!
//! Every handle belongs to one epoch. Numbers start again in the next one, so a handle that outlived its epoch could
//! close a stranger's session or seal under a stranger's key. Therefore whoever holds handles holds the [`Epoch`] too,
//! and the library is finalized when the last holder lets go: never under a call, never early.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};

use crate::error::{Doing, Fault, Kind};

/// Every library this process has loaded. None is ever unloaded: a call that never returned may still run in it.
static LOADED: LazyLock<Mutex<HashMap<PathBuf, Arc<Module>>>> = LazyLock::new(Mutex::default);

/// A loaded library. One per file and process.
pub(crate) struct Module {
    library: Pkcs11,
    path: PathBuf,
    /// Whether an epoch lasts.
    busy: Mutex<bool>,
    ended: Condvar,
}

impl Module {
    /// The library at `path`, loaded now or earlier.
    pub fn load(path: &Path) -> Result<Arc<Self>, Fault> {
        const DOING: &str = "load the PKCS#11 module";
        let path = path
            .canonicalize()
            .map_err(|error| Fault::new(Kind::Member, DOING, format!("{} cannot be read: {error}", path.display())))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&path) {
            return Ok(Arc::clone(module));
        }
        let library = Pkcs11::new(&path).doing(DOING)?;
        let module = Arc::new(Self { library, path: path.clone(), busy: Mutex::new(false), ended: Condvar::new() });
        loaded.insert(path, Arc::clone(&module));
        Ok(module)
    }

    /// Begins an epoch, after the one before has ended.
    ///
    /// # Errors
    /// A member fault where the one before does not end within `patience`.
    pub fn begin(self: &Arc<Self>, patience: Duration) -> Result<Epoch, Fault> {
        const DOING: &str = "initialize the PKCS#11 module";
        let mut busy = self.wait_until_free(patience).ok_or_else(|| {
            let text = format!("{} is in use: another group, or a call that has not returned", self.path.display());
            Fault::new(Kind::Member, DOING, text)
        })?;
        let initialize = || self.library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        if let Err(error) = initialize() {
            if !matches!(error, Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) {
                return Err(error).doing(DOING);
            }
            // Nobody else in this process uses this copy, so an earlier finalize of ours must have failed.
            self.library.clone().finalize().doing("finalize the PKCS#11 module")?;
            initialize().doing(DOING)?;
        }
        *busy = true;
        drop(busy);
        Ok(Epoch { module: Arc::clone(self) })
    }

    /// Waits until no epoch lasts; false where `patience` runs out first.
    pub fn wait_ended(&self, patience: Duration) -> bool {
        self.wait_until_free(patience).is_some()
    }

    fn wait_until_free(&self, patience: Duration) -> Option<std::sync::MutexGuard<'_, bool>> {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let (busy, _) =
            self.ended.wait_timeout_while(busy, patience, |busy| *busy).unwrap_or_else(PoisonError::into_inner);
        (!*busy).then_some(busy)
    }
}

/// One initialized time of a module. Dropping it finalizes the module, which ends every session and destroys every
/// session object in it.
pub(crate) struct Epoch {
    module: Arc<Module>,
}

impl Epoch {
    /// The library, for calls within this epoch.
    pub fn library(&self) -> &Pkcs11 {
        &self.module.library
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        let mut busy = self.module.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.module.library.clone().finalize() {
            tracing::warn!(module = %self.module.path.display(), %error, "the PKCS#11 module was not finalized");
        }
        *busy = false;
        self.module.ended.notify_all();
    }
}
