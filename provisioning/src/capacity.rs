//! What is used and what is free: space of datastores, their IOPS, memory of Cpools, what waits at standby sites.
//!
//! Nothing here is stored: free space is what the size of a LUN leaves after its files, so the two cannot contradict
//! each other. Sums saturate, and a sum that saturates is refused for want of space.

use std::collections::BTreeMap;

use crate::catalogue::catalogue;
use crate::ids::{CpoolId, DatastoreId, TenantId};
use crate::inventory::Inventory;
use crate::model::compute::{Cpool, Host, VStack};
use crate::model::contract::Tenant;
use crate::model::place::Zone;
use crate::model::storage::{Datastore, Mirror, Standby};
use crate::model::vm::{Provisioning, Vm};
use crate::units::{Bytes, Gb, Gib, Iops};

/// What takes space on a datastore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Files of disks, snapshots and replicas, and files that belong to no VM.
    pub files: Bytes,
    /// Swap files of running VMs and the memory of suspended ones (R28).
    pub memory_files: Bytes,
    /// What dynamic disks may still grow by (R30).
    pub growth: Bytes,
    /// IOPS that disks have set aside (R19).
    pub reserved_iops: Iops,
}

impl Space {
    /// Everything that takes space by now.
    #[must_use]
    pub fn taken(&self) -> Bytes {
        self.files + self.memory_files
    }
}

/// What a Cpool's memory is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Of VMs that run.
    pub running: Gib,
    /// Kept free to take over mirrored LUNs and replicated VMs (R37, R53).
    pub standby: Gib,
    /// Virtual CPUs that are kept free for the same.
    pub standby_cpus: u64,
}

impl Memory {
    /// Per cent of `enabled` that is spoken for, rounded down. More than 100 where more is than was bought.
    #[must_use]
    pub fn percent_of(&self, enabled: Gb) -> u64 {
        let spoken_for = u128::from((self.running + self.standby).bytes().0) * 100;
        if spoken_for == 0 {
            return 0;
        }
        let percent = spoken_for.checked_div(u128::from(enabled.bytes().0)).unwrap_or(u128::from(u64::MAX));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}

/// An inventory with its sums, made once and read by every rule.
pub struct View<'a> {
    /// What exists.
    pub inventory: &'a Inventory,
    space: BTreeMap<&'a DatastoreId, Space>,
    memory: BTreeMap<&'a CpoolId, Memory>,
    hosts: BTreeMap<&'a CpoolId, Vec<&'a Host>>,
}

impl<'a> View<'a> {
    /// Adds everything up.
    #[must_use]
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut view = Self { inventory, space: BTreeMap::new(), memory: BTreeMap::new(), hosts: BTreeMap::new() };
        for datastore in inventory.datastores() {
            view.space.entry(&datastore.id).or_default().files = datastore.other_files;
        }
        for host in inventory.hosts() {
            view.hosts.entry(&host.cpool).or_default().push(host);
        }
        inventory.vms().for_each(|vm| view.add(vm));
        inventory.mirrors().for_each(|mirror| view.keep_free(&mirror.standby));
        view
    }

    fn add(&mut self, vm: &'a Vm) {
        for disk in &vm.disks {
            let space = self.space.entry(&disk.datastore).or_default();
            space.files = space.files + disk.taken();
            space.reserved_iops = space.reserved_iops + disk.reserved_iops;
            if let Provisioning::Dynamic(_) = disk.provisioning {
                space.growth = space.growth + disk.capacity.less(disk.taken());
            }
        }
        let home = self.space.entry(&vm.home).or_default();
        home.files = home.files + vm.snapshots.iter().map(|snapshot| snapshot.size).sum();
        if vm.power.keeps_memory_file() {
            home.memory_files = home.memory_files + vm.memory.bytes();
            let memory = self.memory.entry(&vm.cpool).or_default();
            memory.running = memory.running + vm.memory;
        }
        if let Some(replication) = &vm.replication {
            let space = self.space.entry(&replication.datastore).or_default();
            space.files = space.files + replication.storage;
            self.keep_free(&replication.standby);
        }
    }

    fn keep_free(&mut self, standby: &'a Standby) {
        let memory = self.memory.entry(&standby.cpool).or_default();
        memory.standby = memory.standby + standby.memory;
        memory.standby_cpus = memory.standby_cpus.saturating_add(standby.cpus.into());
    }

    /// What takes space on a datastore.
    #[must_use]
    pub fn space(&self, datastore: &DatastoreId) -> Space {
        self.space.get(datastore).copied().unwrap_or_default()
    }

    /// What is free on a datastore.
    #[must_use]
    pub fn free(&self, datastore: &Datastore) -> Bytes {
        datastore.capacity.bytes().less(self.space(&datastore.id).taken())
    }

    /// What a Cpool's memory is used for.
    #[must_use]
    pub fn memory(&self, cpool: &CpoolId) -> Memory {
        self.memory.get(cpool).copied().unwrap_or_default()
    }

    /// The hosts of a Cpool, in the order of their ids.
    #[must_use]
    pub fn hosts(&self, cpool: &CpoolId) -> &[&'a Host] {
        self.hosts.get(cpool).map_or(&[], Vec::as_slice)
    }
}

/// Ways from one thing to another. An inventory has no dangling reference, so `None` does not happen; a rule that gets
/// it passes over the thing.
impl Inventory {
    /// The vStack of a Cpool.
    #[must_use]
    pub fn vstack_of_cpool(&self, cpool: &CpoolId) -> Option<&VStack> {
        self.vstack(&self.cpool(cpool)?.vstack)
    }

    /// The tenant of a Cpool.
    #[must_use]
    pub fn tenant_of_cpool(&self, cpool: &CpoolId) -> Option<&TenantId> {
        self.vstack_of_cpool(cpool).map(|vstack| &vstack.tenant)
    }

    /// The Cpool, vStack, zone and tenant of a VM.
    #[must_use]
    pub fn around(&self, vm: &Vm) -> Option<Around<'_>> {
        let cpool = self.cpool(&vm.cpool)?;
        let vstack = self.vstack(&cpool.vstack)?;
        Some(Around { cpool, vstack, zone: self.zone(&cpool.zone)?, tenant: self.tenant(&vstack.tenant)? })
    }

    /// Whether two tenants belong to one customer.
    #[must_use]
    pub fn same_customer(&self, one: &TenantId, other: &TenantId) -> bool {
        let customer = |id| self.tenant(id).map(|tenant| &tenant.organisation);
        customer(one).is_some() && customer(one) == customer(other)
    }

    /// The mirrors that a LUN is a side of.
    pub fn mirrors_of<'a>(&'a self, datastore: &'a DatastoreId) -> impl Iterator<Item = &'a Mirror> {
        self.mirrors().filter(move |mirror| mirror.primary == *datastore || mirror.secondary == *datastore)
    }

    /// The VMs with a file on a LUN.
    pub fn vms_on<'a>(&'a self, datastore: &'a DatastoreId) -> impl Iterator<Item = &'a Vm> {
        self.vms().filter(move |vm| vm.datastores().contains(datastore))
    }

    /// What a LUN is limited to: class × TiB, and the ceiling of the settings; `None` without commitment.
    #[must_use]
    pub fn iops_limit(&self, datastore: &Datastore) -> Option<Iops> {
        let class = catalogue().class(&datastore.class)?.iops_per_tib?;
        Some(self.settings().iops_ceiling.limit(class, datastore.capacity))
    }
}

/// Where a VM is and whose it is.
pub struct Around<'a> {
    /// Its Cpool.
    pub cpool: &'a Cpool,
    /// Its vStack.
    pub vstack: &'a VStack,
    /// Its zone.
    pub zone: &'a Zone,
    /// Its tenant.
    pub tenant: &'a Tenant,
}
