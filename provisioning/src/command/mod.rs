//! What can be asked for: who asks, the commands, what each names, and the permission it takes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::Timestamp;
use crate::crypto_state::KeyAnswer;
use crate::ids::*;
use crate::model::compute::{AffinityRule, KeyProvider, Release};
use crate::model::contract::{Retention, ServiceRequest};
use crate::model::storage::{MirrorKind, MirrorState, Standby};
use crate::model::vm::SppMode;
use crate::permission::{Permission, Permissions};
use crate::reference::Ref;
use crate::sku::Sku;
use crate::units::{Gb, Gib, Tib};

mod about;
mod compute;
mod encryption;
mod names;
mod storage;
mod vm;

pub use about::Plane;
pub(crate) use names::{Names, Whose};
pub(crate) use vm::{choose_host as host_for, suits};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Somebody of a tenant, through Console or API.
    Tenant {
        /// The tenant; what belongs to another does not exist for them.
        tenant: TenantId,
        /// What they may do in it.
        permissions: Permissions,
    },
    /// The operator, through a plane of their own (R3).
    Operator,
}

/// Somebody asks for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who.
    pub actor: Actor,
    /// What.
    pub command: Command,
}

/// How thoroughly an encrypted VM gets a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Depth {
    /// A new KEK wraps the same DEK.
    Shallow,
    /// A new DEK too: all disks are written anew.
    Deep,
}

/// A disk to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewDisk {
    /// Its identifier.
    pub id: DiskId,
    /// Where it is to lie.
    pub datastore: DatastoreId,
    /// Its size.
    #[serde(rename = "capacity_gib")]
    pub capacity: Gib,
    /// Whether it grows with what is written (R30).
    #[serde(default)]
    pub dynamic: bool,
}

/// A VM to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewVm {
    /// Its identifier.
    pub id: VmId,
    /// What people will call it.
    pub name: String,
    /// Where it is to run.
    pub cpool: CpoolId,
    /// The datastore of its configuration.
    pub home: DatastoreId,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Memory.
    #[serde(rename = "memory_gib")]
    pub memory: Gib,
    /// Disks.
    #[serde(default)]
    pub disks: Vec<NewDisk>,
    /// Networks.
    #[serde(default)]
    pub networks: Vec<NetworkId>,
}

/// What can be asked for. Fields are ids of what exists, unless they say "new".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of a command are what its sentence names")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Command {
    // -- virtual machines --
    /// Make a VM, switched off.
    CreateVm { vm: NewVm },
    /// Make a VM from a template of the platform (R50).
    DeployTemplate { template: TemplateId, vm: VmId, name: String, cpool: CpoolId, home: DatastoreId },
    /// Delete a VM with its disks and snapshots; its backups stay.
    DeleteVm { vm: VmId },
    /// Switch a VM on; the Cpool chooses the host.
    PowerOn { vm: VmId },
    /// Switch a VM off.
    PowerOff { vm: VmId },
    /// Keep a VM's memory on disk and stop it.
    Suspend { vm: VmId },
    /// Give a VM other CPUs and memory.
    ResizeVm {
        vm: VmId,
        cpus: u32,
        #[serde(rename = "memory_gib")]
        memory: Gib,
    },
    /// Move a VM to another Cpool.
    MoveVm { vm: VmId, cpool: CpoolId },
    /// Move a running VM to another host of its Cpool (vMotion).
    MigrateVm { vm: VmId, host: HostId },
    /// Move a VM's configuration, swap file and snapshots to another datastore.
    MoveHome { vm: VmId, to: DatastoreId },
    /// Copy a VM; an encrypted one shares its key with the copy until one of them gets a new one.
    CloneVm { vm: VmId, clone: VmId, name: String },
    /// Add a disk.
    AddDisk { vm: VmId, disk: NewDisk },
    /// Make a disk larger.
    ResizeDisk {
        vm: VmId,
        disk: DiskId,
        #[serde(rename = "capacity_gib")]
        capacity: Gib,
    },
    /// Move one disk to another datastore.
    MoveDisk { vm: VmId, disk: DiskId, to: DatastoreId },
    /// Remove a disk.
    RemoveDisk { vm: VmId, disk: DiskId },
    /// Connect a VM to a network.
    ConnectVm { vm: VmId, network: NetworkId },
    /// Take a snapshot.
    TakeSnapshot { vm: VmId, snapshot: SnapshotId },
    /// Delete a snapshot.
    DeleteSnapshot { vm: VmId, snapshot: SnapshotId },
    /// Write a VM into an OVF file that leaves the platform.
    ExportOvf { vm: VmId },
    // -- backup --
    /// Have a VM backed up by a policy.
    AssignPolicy { vm: VmId, policy: PolicyId },
    /// Have it backed up by that policy no more.
    RemovePolicy { vm: VmId, policy: PolicyId },
    /// Leave a disk out of backups, or not (R59).
    ExcludeDisk { vm: VmId, disk: DiskId, excluded: bool },
    /// Back a VM up now.
    BackUp { vm: VmId, policy: PolicyId, backup: BackupId, at: Timestamp },
    /// Delete a backup.
    DeleteBackup { backup: BackupId },
    /// Make a VM from a backup.
    Restore { backup: BackupId, vm: VmId, cpool: CpoolId, home: DatastoreId, mode: SppMode },
    /// Order so much backup storage in all (R31).
    OrderBackupStorage {
        #[serde(rename = "quota_tib")]
        quota: Tib,
    },
    // -- replication --
    /// Replicate a VM to a standby site (R53).
    Replicate { vm: VmId, interval_hours: u8, standby: Standby, datastore: DatastoreId },
    /// Hold a replication, or go on with it.
    PauseReplication { vm: VmId, paused: bool },
    /// End a replication and give up its copy.
    StopReplication { vm: VmId },
    /// Run the copy at the standby site from now on; the replication ends.
    FailOverVm { vm: VmId },
    // -- encryption --
    /// Encrypt a VM: the one click on the padlock (R67). There is nothing to choose.
    Encrypt { vm: VmId },
    /// Give an encrypted VM a new key.
    Rekey { vm: VmId, depth: Depth },
    /// Write an encrypted VM in clear again.
    Decrypt { vm: VmId },
    /// Export an encrypted VM, under a service request: a copy is decrypted under quorum and leaves; the VM stays as it is.
    ExportEncrypted { vm: VmId, under: ServiceRequestId },
    /// Destroy a key of the tenant's domain.
    DestroyKey { domain: KeyDomainId, key: KeyId },
    // -- storage --
    /// Order a LUN and present it as a datastore.
    OrderDatastore {
        datastore: DatastoreId,
        zone: ZoneId,
        class: ClassId,
        #[serde(rename = "capacity_gib")]
        capacity: Gib,
        cpools: Vec<CpoolId>,
    },
    /// Give a LUN another size.
    ResizeDatastore {
        datastore: DatastoreId,
        #[serde(rename = "capacity_gib")]
        capacity: Gib,
    },
    /// Give a LUN back.
    DeleteDatastore { datastore: DatastoreId },
    /// Let a Cpool use a datastore (R47).
    AttachDatastore { datastore: DatastoreId, cpool: CpoolId },
    /// Let it use it no more.
    DetachDatastore { datastore: DatastoreId, cpool: CpoolId },
    /// Replicate a LUN into another zone (R32).
    CreateMirror { mirror: MirrorId, kind: MirrorKind, primary: DatastoreId, secondary: DatastoreId, standby: Standby },
    /// End the replication of a LUN; both stay.
    RemoveMirror { mirror: MirrorId },
    /// Present a mirror's secondary to the standby Cpool, under a service request (R36).
    PresentMirror { mirror: MirrorId, under: ServiceRequestId },
    /// Test the recovery plan, take over, or go back (R37).
    ActivateMirror { mirror: MirrorId, state: MirrorState },
    // -- compute --
    /// Order blades and make a Cpool of them.
    CreateCpool {
        cpool: CpoolId,
        name: String,
        vstack: VStackId,
        zone: ZoneId,
        blade: BladeId,
        hosts: Vec<HostId>,
        #[serde(rename = "ram_gb")]
        ram: Gb,
    },
    /// Give an empty Cpool back with its hosts, which are in maintenance.
    DeleteCpool { cpool: CpoolId },
    /// Order a blade for a Cpool; 128 GB of it are enabled (R45).
    AddHost { cpool: CpoolId, host: HostId, blade: BladeId },
    /// Give a blade back that is in maintenance.
    RemoveHost { host: HostId },
    /// Have so much RAM of a Cpool enabled (R48).
    EnableRam {
        cpool: CpoolId,
        #[serde(rename = "ram_gb")]
        ram: Gb,
    },
    /// Have VMs of a failed host started on another, or not (R12, R13).
    SetHighAvailability { cpool: CpoolId, enabled: bool },
    /// Take a host out of work, or back into it.
    SetMaintenance { host: HostId, on: bool },
    /// Install a newer build on a host in maintenance (R51).
    UpdateHypervisor { host: HostId, esxi: Release },
    /// Let a host hold keys: it gets a host key of its own.
    EnableHostCrypto { host: HostId },
    /// Let a host hold keys no more; it forgets them when it reboots.
    DisableHostCrypto { host: HostId },
    /// What was found out when an encrypted VM was to start, move or be unlocked: whether its host has the key, and what
    /// the key servers said. It locks the VM, or unlocks it.
    ReportKey { vm: VmId, host_has_key: bool, answer: KeyAnswer },
    /// A host has started anew: an event. A host that was to hold no keys holds none from now on.
    HostRebooted { host: HostId },
    /// A host has failed: an event, which the operator's monitoring reports.
    HostFailed { host: HostId },
    /// Make an affinity rule (R52).
    CreateAffinityRule { rule: AffinityRule },
    /// Put an affinity rule into force, or out of it.
    SetAffinityRule { rule: AffinityRuleId, enabled: bool },
    /// Delete an affinity rule.
    DeleteAffinityRule { rule: AffinityRuleId },
    /// Use the vCenter itself, which is the operator's alone (R3).
    OpenVCenter { vstack: VStackId },
    /// Install firmware on a blade (R6).
    UpdateFirmware { host: HostId },
    // -- networks --
    /// Make a private network.
    CreateNetwork { network: NetworkId, name: String, vlan: u16 },
    /// Carry a network into a Cpool (R14).
    PropagateNetwork { network: NetworkId, cpool: CpoolId },
    /// Carry a network into another tenant of the organisation (R15).
    ShareNetwork { network: NetworkId, tenant: TenantId },
    /// Delete a network that nothing is connected to.
    DeleteNetwork { network: NetworkId },
    /// Order an access to the internet.
    OrderInternetAccess {
        access: InternetAccessId,
        zone: ZoneId,
        network: NetworkId,
        public_addresses: u16,
        mbit_per_s: u32,
    },
    // -- contract --
    /// Subscribe to a service.
    Subscribe { sku: Sku },
    /// Subscribe to it no more.
    Unsubscribe { sku: Sku },
    /// Ask the operator for something.
    FileServiceRequest { request: ServiceRequest },
    /// Configure a key provider on a vStack, enabled or not, under a service request (R68a).
    ConfigureKeyProvider { vstack: VStackId, provider: KeyProvider, under: ServiceRequestId },
    /// Make a backup policy, under a service request (R61).
    CreateBackupPolicy { policy: PolicyId, zone: ZoneId, retention: Retention, under: ServiceRequestId },
}

impl Actor {
    /// A tenant's owner, who has every permission in it.
    #[must_use]
    pub fn owner(tenant: &TenantId) -> Self {
        Self::Tenant { tenant: tenant.clone(), permissions: Permission::ALL.iter().copied().collect::<BTreeSet<_>>() }
    }

    /// The tenant of the one who asks.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Tenant { tenant, .. } => Some(tenant),
            Self::Operator => None,
        }
    }
}

/// What the world answered while a plan was carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The key that the key service made, where the command needs one.
    pub key: Option<KeyId>,
    /// The activity that carries the plan out, where it holds the VM meanwhile.
    pub activity: Option<ActivityId>,
}

impl Outcome {
    /// The same, while this activity holds the VM.
    #[must_use]
    pub fn of(self, activity: ActivityId) -> Self {
        Self { activity: Some(activity), ..self }
    }

    /// The key service made this key.
    #[must_use]
    pub const fn key(key: KeyId) -> Self {
        Self { key: Some(key), activity: None }
    }
}

/// Everything that a command names, for the check that it exists.
pub(crate) fn names<'a>(command: &'a Command, see: &mut Names<'_, 'a>) {
    vm::names(command, see);
    encryption::names(command, see);
    storage::names(command, see);
    compute::names(command, see);
    if let Some(vm) = command.vm() {
        see.own(Ref::Vm(vm));
    }
    if let Some(request) = command.under() {
        see.own(Ref::ServiceRequest(request));
    }
}

/// The inventory after the command: a total function, which the rules judge by its result.
pub(crate) fn effect(
    inventory: &crate::inventory::Inventory,
    request: &Request,
    outcome: &Outcome,
) -> crate::inventory::Inventory {
    let mut after = inventory.clone();
    let change = Change { request, outcome };
    // Each family knows its commands; `None` says that something named is gone, and then nothing changes.
    let _done = vm::apply(&mut after, &change)
        .or_else(|| encryption::apply(&mut after, &change))
        .or_else(|| storage::apply(&mut after, &change))
        .or_else(|| compute::apply(&mut after, &change));
    after
}

/// A command on its way into the inventory.
pub(crate) struct Change<'a> {
    pub(crate) request: &'a Request,
    pub(crate) outcome: &'a Outcome,
}

impl Change<'_> {
    /// The key that was made; while only asking whether it may be, one that stands in for it.
    pub(crate) fn key(&self) -> KeyId {
        self.outcome.key.clone().unwrap_or_else(|| KeyId::new("(a key to be made)"))
    }
}
