//! Why the host did not do what it was asked.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use super::config::ConfigError;
use super::dek::WrapError;
use crate::disk::{ImageError, Interrupted, KeyError};
use crate::key::{CryptoKeyId, VmId};

/// Why the host does not have the key of a VM. The names are those of vSphere's events and key states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "PascalCase")]
pub enum LockReason {
    /// The host was started since and nobody has brought the key.
    KeyMissingOnHost,
    /// The key server says that there is no such key.
    KeyMissingOnKms,
    /// No key server answered with the key.
    KmsClusterError {
        /// What each server said.
        detail: String,
    },
    /// The key is there, in a state in which it is not handed to a host that lacks it.
    KeyStateNotActiveOrEnabled {
        /// The state.
        state: String,
    },
    /// A key came, and it does not open the VM's DEKs.
    KeyDoesNotOpen,
}

impl fmt::Display for LockReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMissingOnHost => f.write_str("not found on the host"),
            Self::KeyMissingOnKms => f.write_str("not found"),
            Self::KmsClusterError { detail } => write!(f, "cannot be fetched: {detail}"),
            Self::KeyStateNotActiveOrEnabled { state } => write!(f, "is not active: {state}"),
            Self::KeyDoesNotOpen => f.write_str("does not open this virtual machine"),
        }
    }
}

/// Why the host did not do what it was asked.
#[derive(Debug, Error)]
pub enum HostError {
    /// No VM of that name.
    #[error("no virtual machine \"{0}\" is registered")]
    UnknownVm(VmId),
    /// A VM of that name exists.
    #[error("a virtual machine \"{0}\" is registered already")]
    VmExists(VmId),
    /// More VMs than a host carries.
    #[error("this host carries no more virtual machines")]
    TooManyVms,
    /// A VM needs a disk and has at most sixty.
    #[error("a virtual machine has 1 to 60 disks, not {0}")]
    DiskCount(usize),
    /// The VM has no disk of that number.
    #[error("virtual machine \"{vm}\" has no disk {number}")]
    UnknownDisk {
        /// The VM.
        vm: VmId,
        /// The number asked for.
        number: usize,
    },
    /// A disk file belongs to a VM already.
    #[error("{file} is a disk of virtual machine \"{vm}\" already")]
    DiskInUse {
        /// The file.
        file: PathBuf,
        /// Whose it is.
        vm: VmId,
    },
    /// Another operation on the VM is under way.
    #[error("the operation is not allowed in the current state: another one is under way on virtual machine \"{0}\"")]
    Busy(VmId),
    /// It is encrypted already.
    #[error("virtual machine \"{0}\" is encrypted already")]
    AlreadyEncrypted(VmId),
    /// It is not encrypted.
    #[error("virtual machine \"{0}\" is not encrypted")]
    NotEncrypted(VmId),
    /// Encrypted, and the key is not here.
    #[error("The operation is not allowed in the current state. Key {key} {reason}")]
    Locked {
        /// The missing key.
        key: CryptoKeyId,
        /// Why it is missing.
        reason: LockReason,
    },
    /// The encrypted copies do not fit beside the originals (`vm.crypto.NoDiskSpace`).
    #[error("not enough space beside {file}: {needed} bytes are needed, {free} are free")]
    NoDiskSpace {
        /// One of the disks.
        file: PathBuf,
        /// Bytes needed on its file system.
        needed: u64,
        /// Bytes free there.
        free: u64,
    },
    /// No free name for a new disk file.
    #[error("no free name beside {0}")]
    NoFreeName(PathBuf),
    /// Another process uses the folder.
    #[error("{0} is used by another host")]
    FolderInUse(PathBuf),
    /// A disk image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Wrapping or unwrapping a DEK.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// A new DEK.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Stopped before it was done.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The file system, elsewhere.
    #[error("{path}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl HostError {
    pub(crate) fn io(path: &std::path::Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}
