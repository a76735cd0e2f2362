//! Backups and the policies they are made by.

use super::contract::Retention;
use super::vm::VmEncryption;
use super::{entities, states};
use crate::calendar::Timestamp;
use crate::ids::{BackupId, DiskId, KeyId, PolicyId, ServiceRequestId, TenantId, VmId, ZoneId};
use crate::units::{Bytes, Gib};

/// The one cipher of backups at rest (R57).
pub const CIPHER: &str = "aes-256-xts-plain64";

entities! {
    /// How VMs are backed up, and where to.
    pub struct BackupPolicy {
        /// Identifier and name.
        pub id: PolicyId,
        /// Whose it is.
        pub tenant: TenantId,
        /// The zone in which its backups lie: another site than that of the VM (R56).
        pub zone: ZoneId,
        /// How long they are kept.
        pub retention: Retention,
        /// What encrypts them at rest; [`CIPHER`] (R57).
        pub cipher: String,
        /// Whether it makes backups.
        pub state: PolicyState,
        /// The service request it was made under (R61).
        pub made_under: ServiceRequestId,
    }

    /// A backup of one VM. It outlives the VM.
    pub struct Backup {
        /// Identifier.
        pub id: BackupId,
        /// Whose it is.
        pub tenant: TenantId,
        /// The VM it was made of, which may be gone.
        pub vm: VmId,
        /// The policy that made it.
        pub policy: PolicyId,
        /// Where it lies.
        pub zone: ZoneId,
        /// Where the VM was when it was made.
        pub vm_zone: ZoneId,
        /// When it was made.
        pub made_at: Timestamp,
        /// What it takes of the quota (R31).
        pub size: Bytes,
        /// What encrypts it at rest (R57).
        pub cipher: String,
        /// The key it is encrypted under at rest, in the tenant's domain.
        pub key: KeyId,
        /// How the VM was encrypted when it was made, if it was (R70).
        #[serde(default)]
        pub vm_encryption: Option<VmEncryption>,
        /// The disks in it.
        pub disks: Vec<SavedDisk>,
        /// Virtual CPUs of the VM.
        pub cpus: u32,
        /// Memory of the VM.
        #[serde(rename = "memory_gib")]
        pub memory: Gib,
    }

    /// A disk in a backup.
    pub struct SavedDisk {
        /// Its identifier in the VM.
        pub id: DiskId,
        /// Its size.
        pub capacity: Bytes,
    }
}

states! {
    /// Whether a policy makes backups.
    PolicyState {
        /// It does.
        Active = "active",
        /// It does not, because nothing used it; the Console shows HELD.
        Held = "held",
    }
}
