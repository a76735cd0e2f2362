//! The ESXi half: holds keys in memory and nowhere else, makes DEKs, encrypts disks and reads them back.
//!
//! Everything here blocks; the async half calls it from threads made for that. A [`Host`] lives as long as its
//! process: ending the process is rebooting the host, after which every encrypted VM is locked until its key is
//! brought again.

pub mod bundle;
pub mod config;
pub mod dek;
mod error;
mod intent;
pub mod rewrite;
mod vm;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use secret::Secret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::error::{HostError, LockReason};
pub use self::vm::{Change, DiskStatus, Progress, Rekey, Vm, VmStatus};
use crate::disk::{Image, durable};
use crate::key::{CryptoKeyId, VmId};
use crate::limits::{MAX_CONFIG, MAX_DISKS, MAX_VMS};

use self::config::VmConfig;

/// BIOS UUIDs of vSphere's VMs begin with this byte.
const VM_UUID_FIRST: u8 = 0x42;

/// What survives a reboot: who the host is, and the name of its host key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Identity {
    uuid: Uuid,
    name: String,
    #[serde(default)]
    host_key: Option<CryptoKeyId>,
}

/// A host with its VMs.
pub struct Host {
    folder: PathBuf,
    identity: Mutex<Identity>,
    /// The key cache. Keys are put in and used, never given out over the API, never written.
    keys: Mutex<BTreeMap<CryptoKeyId, Arc<Secret>>>,
    vms: RwLock<BTreeMap<VmId, Arc<Vm>>>,
    unreadable: BTreeMap<VmId, String>,
    _lock: File,
}

/// The host crypto state of the vSphere API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CryptoState {
    /// No host key yet: nothing is encrypted here.
    Incapable,
    /// A host key is named and not in memory, as after a reboot.
    Prepared,
    /// The host key is in memory.
    Safe,
}

impl Host {
    /// Boots a host whose state is in `folder`, which is made if it is not there. `name` and `uuid` count only then.
    ///
    /// # Errors
    /// [`HostError::FolderInUse`] while another process has it; those of the file system.
    pub fn boot(folder: &Path, name: &str, uuid: Option<Uuid>) -> Result<Self, HostError> {
        make_folder(folder)?;
        let lock_path = folder.join("lock");
        let mut options = OpenOptions::new();
        let lock =
            options.create(true).truncate(false).write(true).open(&lock_path).map_err(HostError::io(&lock_path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => HostError::FolderInUse(folder.to_owned()),
            TryLockError::Error(source) => HostError::Io { path: lock_path.clone(), source },
        })?;
        let identity_path = folder.join("host.json");
        durable::tidy(&identity_path).map_err(HostError::io(&identity_path))?;
        let identity = load_identity(&identity_path)?;
        let identity = match identity {
            Some(identity) => identity,
            None => Identity { uuid: uuid.unwrap_or_else(Uuid::new_v4), name: name.to_owned(), host_key: None },
        };
        let mut host = Self {
            folder: folder.to_owned(),
            identity: Mutex::new(identity),
            keys: Mutex::new(BTreeMap::new()),
            vms: RwLock::new(BTreeMap::new()),
            unreadable: BTreeMap::new(),
            _lock: lock,
        };
        host.save_identity(&host.identity())?;
        host.load_vms()?;
        Ok(host)
    }

    fn load_vms(&mut self) -> Result<(), HostError> {
        let folder = self.vms_folder();
        make_folder(&folder)?;
        let mut vms = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(HostError::io(&folder))? {
            let path = entry.map_err(HostError::io(&folder))?.path();
            let Some(id) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<VmId>().ok())
            else {
                continue;
            };
            // Registering was cut off before the configuration was written: there is no such VM.
            if !path.join("vm.json").exists() {
                continue;
            }
            match Vm::load(id.clone(), &path) {
                Ok(vm) => drop(vms.insert(id, Arc::new(vm))),
                Err(error) => {
                    tracing::error!(vm = %id, error = &error as &dyn std::error::Error, "cannot be read");
                    self.unreadable.insert(id, error.to_string());
                }
            }
        }
        self.vms = RwLock::new(vms);
        Ok(())
    }

    /// Hardware UUID of the host.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.identity().uuid
    }

    /// Name of the host.
    #[must_use]
    pub fn name(&self) -> String {
        self.identity().name.clone()
    }

    /// The host key's name, if the host ever got one.
    #[must_use]
    pub fn host_key(&self) -> Option<CryptoKeyId> {
        self.identity().host_key.clone()
    }

    /// How far the host is prepared for encryption.
    #[must_use]
    pub fn crypto_state(&self) -> CryptoState {
        match self.host_key() {
            None => CryptoState::Incapable,
            Some(key) if self.cached(&key).is_some() => CryptoState::Safe,
            Some(_) => CryptoState::Prepared,
        }
    }

    /// Enables encryption on this host with the host key `key` (`CryptoManagerHostEnable`).
    ///
    /// # Errors
    /// Those of the file system.
    pub fn enable(&self, key: CryptoKeyId, secret: Arc<Secret>) -> Result<(), HostError> {
        let mut identity = self.identity();
        let changed = Identity { host_key: Some(key.clone()), ..identity.clone() };
        self.save_identity(&changed)?;
        *identity = changed;
        drop(identity);
        self.add_key(key, secret);
        Ok(())
    }

    /// Puts a key into the cache (`CryptoManager.AddKey`).
    pub fn add_key(&self, key: CryptoKeyId, secret: Arc<Secret>) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key, secret);
    }

    /// Takes a key out of the cache (`CryptoManager.RemoveKey`); what it has opened stays open.
    pub fn remove_key(&self, key: &CryptoKeyId) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// A key from the cache.
    #[must_use]
    pub fn cached(&self, key: &CryptoKeyId) -> Option<Arc<Secret>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Number of keys in the cache.
    #[must_use]
    pub fn cached_keys(&self) -> usize {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Registers a VM with raw disk images that exist, in clear. `uuid` is its BIOS UUID, made here if not given.
    ///
    /// # Errors
    /// [`HostError`] for a name or a disk in use, for what is not a disk, and those of the file system.
    pub fn register(&self, id: VmId, disks: &[PathBuf], uuid: Option<Uuid>) -> Result<Arc<Vm>, HostError> {
        if disks.is_empty() || disks.len() > MAX_DISKS {
            return Err(HostError::DiskCount(disks.len()));
        }
        let mut vms = self.vms.write().unwrap_or_else(PoisonError::into_inner);
        if vms.contains_key(&id) || self.unreadable.contains_key(&id) {
            return Err(HostError::VmExists(id));
        }
        if vms.len() >= MAX_VMS {
            return Err(HostError::TooManyVms);
        }
        let mut files: Vec<(PathBuf, u64)> = Vec::new();
        for disk in disks {
            // The true name, so that one file under two names is noticed, and a link does not move the copy elsewhere.
            let file = disk.canonicalize().map_err(HostError::io(disk))?;
            let owner = vms.values().find(|vm| vm.has_file(&file)).map(|vm| vm.id().clone());
            let twice = files.iter().any(|(other, _)| *other == file).then(|| id.clone());
            if let Some(vm) = owner.or(twice) {
                return Err(HostError::DiskInUse { file, vm });
            }
            let len = Image::open(&file)?.len();
            files.push((file, len));
        }
        let folder = self.vms_folder().join(id.as_str());
        make_folder(&folder)?;
        let config = VmConfig::clear(id.clone(), uuid.unwrap_or_else(new_vm_uuid), files);
        config.save(&rewrite::Paths::in_folder(&folder).config)?;
        durable::flush_folder_of(&folder).map_err(HostError::io(&folder))?;
        let vm = Arc::new(Vm::load(id.clone(), &folder)?);
        vms.insert(id, Arc::clone(&vm));
        Ok(vm)
    }

    /// The VM of that name.
    ///
    /// # Errors
    /// [`HostError::UnknownVm`].
    pub fn vm(&self, id: &VmId) -> Result<Arc<Vm>, HostError> {
        let vms = self.vms.read().unwrap_or_else(PoisonError::into_inner);
        vms.get(id).cloned().ok_or_else(|| HostError::UnknownVm(id.clone()))
    }

    /// All VMs in the order of their names.
    #[must_use]
    pub fn vms(&self) -> Vec<Arc<Vm>> {
        self.vms.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// VMs whose configuration cannot be read, and why.
    #[must_use]
    pub fn unreadable(&self) -> &BTreeMap<VmId, String> {
        &self.unreadable
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save_identity(&self, identity: &Identity) -> Result<(), HostError> {
        let path = self.folder.join("host.json");
        let bytes = serde_json::to_vec_pretty(identity).map_err(|error| HostError::io(&path)(error.into()))?;
        durable::replace(&path, &bytes).map_err(HostError::io(&path))
    }

    fn vms_folder(&self) -> PathBuf {
        self.folder.join("vms")
    }
}

fn load_identity(path: &Path) -> Result<Option<Identity>, HostError> {
    match durable::read(path, MAX_CONFIG) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| HostError::io(path)(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HostError::io(path)(error)),
    }
}

fn make_folder(folder: &Path) -> Result<(), HostError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(HostError::io(folder))
}

fn new_vm_uuid() -> Uuid {
    let mut bytes = Uuid::new_v4().into_bytes();
    bytes[0] = VM_UUID_FIRST;
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
