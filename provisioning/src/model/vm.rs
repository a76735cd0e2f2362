//! Virtual machines with their disks, snapshots, replication and encryption.

use std::collections::BTreeSet;

use super::storage::Standby;
use super::{entities, states};
use crate::ids::{
    ActivityId, CpoolId, DatastoreId, DiskId, HostId, KeyId, KeyProviderId, NetworkId, PolicyId, SnapshotId, VmId,
};
use crate::units::{Bytes, Gib, Iops};

entities! {
    /// A virtual machine.
    pub struct Vm {
        /// Identifier.
        pub id: VmId,
        /// What people call it.
        pub name: String,
        /// The Cpool it runs in, and with it its zone, vStack and tenant.
        pub cpool: CpoolId,
        /// The host that carries it; `None` while it is off.
        #[serde(default)]
        pub host: Option<HostId>,
        /// Power state.
        pub power: PowerState,
        /// Virtual CPUs.
        pub cpus: u32,
        /// Memory, and so the size of its swap file (R28).
        #[serde(rename = "memory_gib")]
        pub memory: Gib,
        /// The datastore of its configuration and swap file.
        pub home: DatastoreId,
        /// Disks in the order of the guest's controllers.
        #[serde(default)]
        pub disks: Vec<VirtualDisk>,
        /// The networks of its cards.
        #[serde(default)]
        pub networks: Vec<NetworkId>,
        /// Snapshots, oldest first: one linear chain.
        #[serde(default)]
        pub snapshots: Vec<Snapshot>,
        /// None unless VM replication is configured.
        #[serde(default)]
        pub replication: Option<Replication>,
        /// Its backup policies; while it runs at least one (R55).
        #[serde(default)]
        pub policies: BTreeSet<PolicyId>,
        /// What the backup service made it for.
        pub spp_mode: SppMode,
        /// None while the VM is in clear.
        #[serde(default)]
        pub encryption: Option<VmEncryption>,
        /// The VM that the first of its line of clones was made from, if it is a clone. Clones share a key (R64).
        #[serde(default)]
        pub cloned_from: Option<VmId>,
        /// The activity that has it, if one is under way.
        #[serde(default)]
        pub held_by: Option<ActivityId>,
    }

    /// A disk of a VM.
    pub struct VirtualDisk {
        /// Identifier, unique within the VM.
        pub id: DiskId,
        /// Where its file lies.
        pub datastore: DatastoreId,
        /// Size the guest sees, in bytes.
        pub capacity: Bytes,
        /// How its file takes space.
        #[serde(default = "thick")]
        pub provisioning: Provisioning,
        /// Whether snapshots include it.
        #[serde(default = "persistent")]
        pub mode: DiskMode,
        /// IOPS set aside for it, of those that its datastore shares among all (R19).
        #[serde(default)]
        pub reserved_iops: Iops,
        /// Whether the guest never stops writing to it, so that a snapshot cannot be closed (R54).
        #[serde(default)]
        pub constant_writes: bool,
        /// Whether backups leave it out (R59).
        #[serde(default)]
        pub excluded_from_backup: bool,
        /// The key of its file; the VM's, or none (R65).
        #[serde(default)]
        pub key: Option<KeyId>,
    }

    /// A snapshot of a VM.
    pub struct Snapshot {
        /// Identifier, unique within the VM.
        pub id: SnapshotId,
        /// What it takes on the VM's home datastore.
        #[serde(default)]
        pub size: Bytes,
        /// The key its files are encrypted under: it may be older than the VM's.
        #[serde(default)]
        pub key: Option<KeyId>,
    }

    /// Replication of a VM to a standby site (R53).
    pub struct Replication {
        /// Hours between two copies, which is how much may be lost: 1 to 24.
        pub interval_hours: u8,
        /// A paused replication still exists and still keeps a copy.
        pub paused: bool,
        /// What waits at the standby site to take over.
        pub standby: Standby,
        /// Where the copy lies.
        pub datastore: DatastoreId,
        /// Storage reserved for the copy, in bytes: as much as the VM's disks.
        pub storage: Bytes,
    }

    /// How an encrypted VM's key is found again.
    pub struct VmEncryption {
        /// The provider to ask.
        pub provider: KeyProviderId,
        /// The key's identifier there.
        pub key: KeyId,
        /// Whether its host lacks the key and cannot fetch it; the VM is then `invalid` and cannot start.
        #[serde(default)]
        pub locked: bool,
    }
}

/// How a disk's file takes space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Provisioning {
    /// It grows with what the guest writes; so many bytes by now (R30).
    Dynamic(Bytes),
    /// All space at once, zeroed at once.
    StaticImmediate,
    /// All space at once, zeroed when first written.
    StaticDeferred,
}

const fn thick() -> Provisioning {
    Provisioning::StaticImmediate
}

const fn persistent() -> DiskMode {
    DiskMode::Persistent
}

states! {
    /// Whether snapshots include a disk.
    DiskMode {
        /// They do.
        Persistent = "persistent",
        /// They do not; nor do backups.
        IndependentPersistent = "independent-persistent",
        /// They do not, and what is written is gone with the power.
        IndependentNonpersistent = "independent-nonpersistent",
    }

    /// Power state as the Console shows it. Only `Off` counts as off.
    PowerState {
        /// Powered off.
        Off = "off",
        /// Running.
        On = "on",
        /// Memory kept on disk; the VM still holds its disks open in the sense of encryption.
        Suspended = "suspended",
        /// An operation of the hypervisor is under way.
        Processing = "processing",
        /// Its host does not answer.
        HostDisconnected = "host-disconnected",
        /// The hypervisor cannot read the VM's configuration; a locked VM looks like this.
        Invalid = "invalid",
    }

    /// What the backup service made a VM for.
    SppMode {
        /// An ordinary VM.
        Production = "production",
        /// A restore test, thrown away afterwards.
        Test = "test",
        /// A restored copy that stays.
        Clone = "clone",
    }
}

impl PowerState {
    /// Whether a file as large as its memory lies on its home datastore: the swap file, or the memory of a suspended VM.
    #[must_use]
    pub const fn keeps_memory_file(self) -> bool {
        !matches!(self, Self::Off | Self::Invalid)
    }
}

impl VirtualDisk {
    /// What its file takes by now.
    #[must_use]
    pub fn taken(&self) -> Bytes {
        match self.provisioning {
            Provisioning::Dynamic(written) => written.min(self.capacity),
            Provisioning::StaticImmediate | Provisioning::StaticDeferred => self.capacity,
        }
    }

    /// Whether backups hold it.
    #[must_use]
    pub fn is_backed_up(&self) -> bool {
        self.mode == DiskMode::Persistent && !self.excluded_from_backup
    }
}

impl Vm {
    /// Size of all its disks as the guest sees them.
    #[must_use]
    pub fn disk_capacity(&self) -> Bytes {
        self.disks.iter().map(|disk| disk.capacity).sum()
    }

    /// Its disk of that id.
    #[must_use]
    pub fn disk(&self, id: &DiskId) -> Option<&VirtualDisk> {
        self.disks.iter().find(|disk| disk.id == *id)
    }

    /// Every datastore that holds a file of it.
    #[must_use]
    pub fn datastores(&self) -> BTreeSet<&DatastoreId> {
        self.disks.iter().map(|disk| &disk.datastore).chain([&self.home]).collect()
    }

    /// Every key without which something of it cannot be read.
    pub fn keys(&self) -> impl Iterator<Item = &KeyId> {
        let own = self.encryption.iter().map(|encryption| &encryption.key);
        let disks = self.disks.iter().filter_map(|disk| disk.key.as_ref());
        own.chain(disks).chain(self.snapshots.iter().filter_map(|snapshot| snapshot.key.as_ref()))
    }
}
