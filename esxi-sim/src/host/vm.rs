//! One VM on the host: in clear, encrypted and unlocked, or encrypted and locked.
//!
//! ```text
//!  clear ─ encrypt ─► unlocked ◄─ unlock ─ locked
//!                        └──── host reboot ───►┘
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use ring::rand::SecureRandom;
use secret::Secret;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::bundle::Bundle;
use super::config::VmConfig;
use super::dek::{self, Purpose, WrapError};
use super::error::{HostError, LockReason};
use super::rewrite::{self, Paths, Rewrite, Unwatched, Watch};
use crate::disk::{DiskCipher, DiskKey, Image};
use crate::key::{CryptoKeyId, VmId};

/// A VM on this host.
pub struct Vm {
    id: VmId,
    paths: Paths,
    state: RwLock<State>,
    /// Set by whatever changes the VM, so that two cannot collide.
    changing: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

struct State {
    config: VmConfig,
    ciphers: Ciphers,
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vm({})", self.id)
    }
}

/// The ciphers of a VM's disks, by number.
type SharedCiphers = Arc<Vec<DiskCipher>>;

enum Ciphers {
    Clear,
    Unlocked(SharedCiphers),
    Locked(LockReason),
}

/// What the API tells about a VM.
#[derive(Clone, Debug, Serialize)]
pub struct VmStatus {
    /// Its name.
    pub id: VmId,
    /// BIOS UUID.
    pub uuid: Uuid,
    /// `clear`, `unlocked` or `locked`.
    pub state: &'static str,
    /// The KEK, once encrypted.
    pub key: Option<CryptoKeyId>,
    /// Why it is locked.
    pub locked: Option<LockReason>,
    /// The sentence that a person sees when it is locked.
    pub message: Option<String>,
    /// The configuration file.
    pub configuration: PathBuf,
    /// The disks, by number.
    pub disks: Vec<DiskStatus>,
    /// How far a rewrite of its disks is, while one is under way.
    pub progress: Option<Progress>,
}

/// What the API tells about a disk.
#[derive(Clone, Debug, Serialize)]
pub struct DiskStatus {
    /// The image.
    pub file: PathBuf,
    /// Bytes of the disk.
    pub bytes: u64,
    /// Whether the image is encrypted.
    pub encrypted: bool,
}

/// Bytes copied and to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Copied so far.
    pub done: u64,
    /// To be copied in all.
    pub total: u64,
}

/// What a new key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rekey {
    /// The DEKs stay and are wrapped by the new KEK; the disks are not touched.
    Shallow,
    /// New DEKs too: the disks are rewritten.
    Deep,
}

impl Vm {
    /// A VM as its configuration says. Tidies up after a crash. An encrypted one is locked.
    ///
    /// # Errors
    /// [`HostError`] for a configuration that cannot be read or leftovers that cannot be removed.
    pub fn load(id: VmId, folder: &Path) -> Result<Self, HostError> {
        let paths = Paths::in_folder(folder);
        let config = VmConfig::load(&paths.config)?;
        rewrite::tidy(&paths, &config, &Unwatched)?;
        let ciphers = match &config.key_id {
            None => Ciphers::Clear,
            Some(_) => Ciphers::Locked(LockReason::KeyMissingOnHost),
        };
        let state = RwLock::new(State { config, ciphers });
        Ok(Self {
            id,
            paths,
            state,
            changing: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &VmId {
        &self.id
    }

    /// BIOS UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.read_state().config.uuid
    }

    /// The KEK that its configuration names.
    #[must_use]
    pub fn key(&self) -> Option<CryptoKeyId> {
        self.read_state().config.key_id.clone()
    }

    /// Whether `file` is one of its disks.
    #[must_use]
    pub fn has_file(&self, file: &Path) -> bool {
        self.read_state().config.disks.iter().any(|disk| disk.file_name == file)
    }

    /// Reserves the VM for one change.
    ///
    /// # Errors
    /// [`HostError::Busy`] while another one is under way.
    pub fn begin(self: &Arc<Self>) -> Result<Change, HostError> {
        match self.changing.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(Change { vm: Arc::clone(self) }),
            Err(_) => Err(HostError::Busy(self.id.clone())),
        }
    }

    /// Notes why the VM stays locked. Does nothing to a VM that is not.
    pub fn note_lock(&self, reason: LockReason) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Ciphers::Locked(why) = &mut state.ciphers {
            *why = reason;
        }
    }

    /// Reads from a disk, decrypted.
    ///
    /// # Errors
    /// [`HostError::Locked`] with the missing key; [`HostError::UnknownDisk`]; [`HostError::Image`] for the range.
    pub fn read_disk(&self, number: usize, offset: u64, len: u64) -> Result<Zeroizing<Vec<u8>>, HostError> {
        // Held to the end: the old file of a rewrite is removed only after the state has changed.
        let state = self.read_state();
        let (image, ciphers) = self.open_disk(&state, number)?;
        Ok(image.read(ciphers.as_ref().and_then(|ciphers| ciphers.get(number)), offset, len)?)
    }

    /// Copies a disk in clear into the new file `target`, for looking at from outside.
    ///
    /// # Errors
    /// As [`Vm::read_disk`], and those of the file system.
    pub fn decrypted_copy(&self, number: usize, target: &Path, watch: &dyn Watch) -> Result<(), HostError> {
        let (image, ciphers) = self.open_disk(&self.read_state(), number)?;
        Ok(image.copy(ciphers.as_ref().and_then(|ciphers| ciphers.get(number)), None, target, watch)?)
    }

    /// What the API tells.
    #[must_use]
    pub fn status(&self) -> VmStatus {
        let state = self.read_state();
        let config = &state.config;
        let (name, locked) = match &state.ciphers {
            Ciphers::Clear => ("clear", None),
            Ciphers::Unlocked(_) => ("unlocked", None),
            Ciphers::Locked(reason) => ("locked", Some(reason.clone())),
        };
        let disks = config.disks.iter().map(|disk| DiskStatus {
            file: disk.file_name.clone(),
            bytes: disk.capacity,
            encrypted: disk.key_id.is_some(),
        });
        let total = self.total.load(Ordering::Acquire);
        VmStatus {
            id: self.id.clone(),
            uuid: config.uuid,
            state: name,
            key: config.key_id.clone(),
            message: locked_error(&state).map(|error| error.to_string()),
            locked,
            configuration: self.paths.config.clone(),
            disks: disks.collect(),
            progress: (total > 0).then(|| Progress { done: self.done.load(Ordering::Acquire), total }),
        }
    }

    fn open_disk(&self, state: &State, number: usize) -> Result<(Image, Option<SharedCiphers>), HostError> {
        let unknown = || HostError::UnknownDisk { vm: self.id.clone(), number };
        let disk = state.config.disks.get(number).ok_or_else(unknown)?;
        let ciphers = match &state.ciphers {
            Ciphers::Clear => None,
            Ciphers::Unlocked(ciphers) => Some(Arc::clone(ciphers)),
            Ciphers::Locked(_) => return Err(locked_error(state).unwrap_or_else(unknown)),
        };
        Ok((Image::open(&disk.file_name)?, ciphers))
    }

    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked_error(state: &State) -> Option<HostError> {
    match (&state.ciphers, &state.config.key_id) {
        (Ciphers::Locked(reason), Some(key)) => Some(HostError::Locked { key: key.clone(), reason: reason.clone() }),
        _ => None,
    }
}

/// The right to change a VM; given back when dropped.
#[derive(Debug)]
pub struct Change {
    vm: Arc<Vm>,
}

impl Drop for Change {
    fn drop(&mut self) {
        self.vm.changing.store(false, Ordering::Release);
    }
}

impl Change {
    /// Whether the VM can be encrypted as far as the host can tell before there is a key.
    ///
    /// # Errors
    /// [`HostError::AlreadyEncrypted`], [`HostError::NoDiskSpace`], those of the file system.
    pub fn check_encrypt(&self) -> Result<(), HostError> {
        let config = self.vm.read_state().config.clone();
        if config.key_id.is_some() {
            return Err(HostError::AlreadyEncrypted(self.vm.id.clone()));
        }
        rewrite::check_space(&config)
    }

    /// Encrypts a VM in clear under `kek`, which `key` names.
    ///
    /// # Errors
    /// [`HostError`]; the VM is as it was, in clear.
    pub fn encrypt(
        &self,
        key: &CryptoKeyId,
        kek: &Secret,
        random: &dyn SecureRandom,
        watch: &dyn Watch,
    ) -> Result<(), HostError> {
        let old = self.vm.read_state().config.clone();
        if old.key_id.is_some() {
            return Err(HostError::AlreadyEncrypted(self.vm.id.clone()));
        }
        self.rewrite(&old, &[], key, kek, random, watch)
    }

    /// Takes the KEK that somebody brought, and with it the DEKs.
    ///
    /// # Errors
    /// [`HostError::NotEncrypted`]; [`HostError::Locked`] where the key does not open them.
    pub fn unlock(&self, kek: &Secret) -> Result<(), HostError> {
        let config = self.vm.read_state().config.clone();
        let Some(bundle) = config.bundle()? else { return Err(HostError::NotEncrypted(self.vm.id.clone())) };
        match open_all(&config, &bundle, kek) {
            Ok(deks) => {
                self.adopt(config, &deks);
                Ok(())
            }
            Err(WrapError::DoesNotOpen | WrapError::KekLength(_)) => {
                self.vm.note_lock(LockReason::KeyDoesNotOpen);
                Err(HostError::Locked { key: bundle.key, reason: LockReason::KeyDoesNotOpen })
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Puts an encrypted VM under a new KEK.
    ///
    /// # Errors
    /// [`HostError`]; the VM is as it was, under the old KEK.
    pub fn rekey(
        &self,
        how: Rekey,
        old_kek: &Secret,
        key: &CryptoKeyId,
        kek: &Secret,
        random: &dyn SecureRandom,
        watch: &dyn Watch,
    ) -> Result<(), HostError> {
        let old = self.vm.read_state().config.clone();
        let Some(bundle) = old.bundle()? else { return Err(HostError::NotEncrypted(self.vm.id.clone())) };
        let deks = open_all(&old, &bundle, old_kek)?;
        match how {
            Rekey::Shallow => {
                let files = old.disks.iter().map(|disk| disk.file_name.clone()).collect();
                let new = old.encrypted(files, &wrap_all(&old, &deks, key, kek, random)?);
                new.save(&self.vm.paths.config)?;
                self.adopt(new, &deks);
                Ok(())
            }
            Rekey::Deep => {
                let from: Vec<DiskCipher> = deks.iter().map(DiskKey::cipher).collect();
                self.rewrite(&old, &from, key, kek, random, watch)
            }
        }
    }

    /// Writes an encrypted VM in clear again.
    ///
    /// # Errors
    /// [`HostError`]; the VM is as it was, under its key.
    pub fn decrypt(&self, kek: &Secret, watch: &dyn Watch) -> Result<(), HostError> {
        let old = self.vm.read_state().config.clone();
        let Some(bundle) = old.bundle()? else { return Err(HostError::NotEncrypted(self.vm.id.clone())) };
        let from: Vec<DiskCipher> = open_all(&old, &bundle, kek)?.iter().map(DiskKey::cipher).collect();
        let new = old.decrypted(rewrite::new_names(&old)?);
        self.switch(&old, new, &from, &[], watch)
    }

    fn rewrite(
        &self,
        old: &VmConfig,
        from: &[DiskCipher],
        key: &CryptoKeyId,
        kek: &Secret,
        random: &dyn SecureRandom,
        watch: &dyn Watch,
    ) -> Result<(), HostError> {
        // One DEK per disk: under a shared one, equal sectors at equal places of two disks would look alike.
        let deks = old.disks.iter().map(|_| DiskKey::generate(random)).collect::<Result<Vec<_>, _>>()?;
        let new = old.encrypted(rewrite::new_names(old)?, &wrap_all(old, &deks, key, kek, random)?);
        self.switch(old, new, from, &deks, watch)
    }

    /// Copies the disks into the files that `new` names, under `deks` or, without any, in clear.
    fn switch(
        &self,
        old: &VmConfig,
        new: VmConfig,
        from: &[DiskCipher],
        deks: &[DiskKey],
        watch: &dyn Watch,
    ) -> Result<(), HostError> {
        rewrite::check_space(old)?;
        let to: Vec<DiskCipher> = deks.iter().map(DiskKey::cipher).collect();
        let _progress = Counted::begin(&self.vm, old);
        let counting = Counting { vm: &self.vm, watch };
        let switched = Rewrite { paths: &self.vm.paths, old, new: &new, from, to: &to }.switch(&counting);
        // An error says what went wrong, not on which side of the switch; the configuration on disk does.
        let now = VmConfig::load(&self.vm.paths.config)?;
        let (is_new, outcome) = if now == new { (true, Ok(())) } else { (false, switched) };
        if is_new {
            self.adopt(new, deks);
        }
        if let Err(error) = rewrite::tidy(&self.vm.paths, &now, &Unwatched) {
            tracing::warn!(vm = %self.vm.id, %error, "leftovers stay until the next start");
        }
        outcome
    }

    fn adopt(&self, config: VmConfig, deks: &[DiskKey]) {
        let ciphers = match config.key_id {
            None => Ciphers::Clear,
            Some(_) => Ciphers::Unlocked(Arc::new(deks.iter().map(DiskKey::cipher).collect())),
        };
        *self.vm.state.write().unwrap_or_else(PoisonError::into_inner) = State { config, ciphers };
    }
}

fn wrap_all(
    config: &VmConfig,
    deks: &[DiskKey],
    key: &CryptoKeyId,
    kek: &Secret,
    random: &dyn SecureRandom,
) -> Result<Bundle, WrapError> {
    let wrapped = (0..).zip(deks).map(|(disk, dek)| {
        let purpose = Purpose { vm: config.uuid, disk, key };
        dek::wrap(dek, kek, purpose, random)
    });
    Ok(Bundle { key: key.clone(), wrapped: wrapped.collect::<Result<_, _>>()? })
}

fn open_all(config: &VmConfig, bundle: &Bundle, kek: &Secret) -> Result<Vec<DiskKey>, WrapError> {
    let each = (0..).zip(&bundle.wrapped);
    each.map(|(disk, wrapped)| dek::unwrap(wrapped, kek, Purpose { vm: config.uuid, disk, key: &bundle.key })).collect()
}

/// Shows the progress of a rewrite for as long as it lives.
struct Counted<'a>(&'a Vm);

impl<'a> Counted<'a> {
    fn begin(vm: &'a Vm, config: &VmConfig) -> Self {
        let total = config.disks.iter().fold(0_u64, |sum, disk| sum.saturating_add(disk.capacity));
        vm.done.store(0, Ordering::Release);
        vm.total.store(total, Ordering::Release);
        Self(vm)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.total.store(0, Ordering::Release);
    }
}

struct Counting<'a> {
    vm: &'a Vm,
    watch: &'a dyn Watch,
}

impl crate::disk::Pace for Counting<'_> {
    fn copied(&self, bytes: u64) -> Result<(), crate::disk::Interrupted> {
        self.vm.done.fetch_add(bytes, Ordering::AcqRel);
        self.watch.copied(bytes)
    }
}

impl Watch for Counting<'_> {
    fn reached(&self, step: rewrite::Step) -> Result<(), crate::disk::Interrupted> {
        self.watch.reached(step)
    }
}
