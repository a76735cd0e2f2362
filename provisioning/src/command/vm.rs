//! Commands on VMs, their disks, snapshots, backups and replication.

use super::{Change, Command, Names, NewDisk};
use crate::capacity::View;
use crate::catalogue::catalogue;
use crate::ids::{CpoolId, HostId, VmId};
use crate::inventory::Inventory;
use crate::model::backup::{Backup, CIPHER, SavedDisk};
use crate::model::compute::{AffinityKind, HostState};
use crate::model::vm::{
    DiskMode, PowerState, Provisioning, Replication, Snapshot, SppMode, VirtualDisk, Vm, VmEncryption,
};
use crate::reference::Ref;
use crate::units::{Bytes, Gib, Iops};

pub(super) fn names<'a>(command: &'a Command, see: &mut Names<'_, 'a>) {
    match command {
        Command::CreateVm { vm } => {
            see.fresh(Ref::Vm(&vm.id));
            see.own(Ref::Cpool(&vm.cpool));
            see.own(Ref::Datastore(&vm.home));
            vm.disks.iter().for_each(|disk| see.own(Ref::Datastore(&disk.datastore)));
            vm.networks.iter().for_each(|network| see.customers(Ref::Network(network)));
        }
        Command::DeployTemplate { template, vm, cpool, home, .. } => {
            see.platforms(Ref::Template(template));
            see.fresh(Ref::Vm(vm));
            see.own(Ref::Cpool(cpool));
            see.own(Ref::Datastore(home));
        }
        Command::MoveVm { cpool, .. } => see.own(Ref::Cpool(cpool)),
        Command::MigrateVm { host, .. } => see.own(Ref::Host(host)),
        Command::MoveHome { to, .. } => see.own(Ref::Datastore(to)),
        Command::CloneVm { clone, .. } => see.fresh(Ref::Vm(clone)),
        Command::AddDisk { vm, disk } => {
            see.fresh(Ref::Disk(vm, &disk.id));
            see.own(Ref::Datastore(&disk.datastore));
        }
        Command::MoveDisk { vm, disk, to } => {
            see.own(Ref::Disk(vm, disk));
            see.own(Ref::Datastore(to));
        }
        Command::ResizeDisk { vm, disk, .. }
        | Command::RemoveDisk { vm, disk }
        | Command::ExcludeDisk { vm, disk, .. } => see.own(Ref::Disk(vm, disk)),
        Command::ConnectVm { network, .. } => see.customers(Ref::Network(network)),
        Command::TakeSnapshot { vm, snapshot } => see.fresh(Ref::Snapshot(vm, snapshot)),
        Command::DeleteSnapshot { vm, snapshot } => see.own(Ref::Snapshot(vm, snapshot)),
        Command::AssignPolicy { policy, .. } | Command::RemovePolicy { policy, .. } => {
            see.own(Ref::BackupPolicy(policy));
        }
        Command::BackUp { policy, backup, .. } => {
            see.own(Ref::BackupPolicy(policy));
            see.fresh(Ref::Backup(backup));
        }
        Command::DeleteBackup { backup } => see.own(Ref::Backup(backup)),
        Command::Restore { backup, vm, cpool, home, .. } => {
            see.own(Ref::Backup(backup));
            see.fresh(Ref::Vm(vm));
            see.own(Ref::Cpool(cpool));
            see.own(Ref::Datastore(home));
        }
        Command::Replicate { standby, datastore, .. } => {
            see.own(Ref::Cpool(&standby.cpool));
            see.own(Ref::Datastore(datastore));
        }
        _ => {}
    }
}

/// `None` where the command is of another family, or what it names is gone.
pub(super) fn apply(after: &mut Inventory, change: &Change<'_>) -> Option<()> {
    match &change.request.command {
        Command::CreateVm { vm } => {
            let mut made = blank(&vm.id, &vm.name, &vm.cpool, &vm.home);
            (made.cpus, made.memory, made.networks) = (vm.cpus, vm.memory, vm.networks.clone());
            made.disks = vm.disks.iter().map(|disk| made_of(disk, None)).collect();
            after.vms.insert(vm.id.clone(), made);
        }
        Command::DeployTemplate { template, vm, name, cpool, home } => {
            let template = catalogue().template(template)?;
            let mut made = blank(vm, name, cpool, home);
            (made.cpus, made.memory) = (template.cpus, template.memory);
            let disk =
                NewDisk { id: "disk-0".into(), datastore: home.clone(), capacity: template.disk, dynamic: false };
            made.disks = vec![made_of(&disk, None)];
            after.vms.insert(vm.clone(), made);
        }
        Command::DeleteVm { vm } => {
            after.vms.remove(vm)?;
            for rule in after.affinity_rules.values_mut() {
                rule.vms.retain(|member| member != vm);
            }
            // A rule about one VM says nothing.
            after.affinity_rules.retain(|_, rule| rule.vms.len() > 1);
        }
        Command::PowerOn { vm } => start(after, vm)?,
        Command::PowerOff { vm } => {
            let vm = after.vms.get_mut(vm)?;
            (vm.power, vm.host) = (PowerState::Off, None);
        }
        Command::Suspend { vm } => {
            let vm = after.vms.get_mut(vm)?;
            (vm.power, vm.host) = (PowerState::Suspended, None);
        }
        Command::ResizeVm { vm, cpus, memory } => {
            let vm = after.vms.get_mut(vm)?;
            (vm.cpus, vm.memory) = (*cpus, *memory);
        }
        Command::MoveVm { vm, cpool } => {
            let running = after.vms.get(vm)?.power == PowerState::On;
            let host = if running { choose_host(after, vm, cpool) } else { None };
            let vm = after.vms.get_mut(vm)?;
            (vm.cpool, vm.host) = (cpool.clone(), host);
        }
        Command::MigrateVm { vm, host } => after.vms.get_mut(vm)?.host = Some(host.clone()),
        Command::MoveHome { vm, to } => after.vms.get_mut(vm)?.home = to.clone(),
        Command::CloneVm { vm, clone, name } => {
            let source = after.vms.get(vm)?.clone();
            let origin = source.cloned_from.clone().unwrap_or_else(|| vm.clone());
            let copy = Vm {
                id: clone.clone(),
                name: name.clone(),
                host: None,
                power: PowerState::Off,
                snapshots: Vec::new(),
                replication: None,
                cloned_from: Some(origin),
                held_by: None,
                ..source
            };
            after.vms.insert(clone.clone(), copy);
        }
        Command::AddDisk { vm, disk } => {
            let vm = after.vms.get_mut(vm)?;
            let made = made_of(disk, vm.encryption.as_ref());
            vm.disks.push(made);
        }
        Command::ResizeDisk { vm, disk, capacity } => {
            let disk = after.vms.get_mut(vm)?.disks.iter_mut().find(|one| one.id == *disk)?;
            disk.capacity = capacity.bytes();
        }
        Command::MoveDisk { vm, disk, to } => {
            let disk = after.vms.get_mut(vm)?.disks.iter_mut().find(|one| one.id == *disk)?;
            disk.datastore = to.clone();
        }
        Command::RemoveDisk { vm, disk } => after.vms.get_mut(vm)?.disks.retain(|one| one.id != *disk),
        Command::ConnectVm { vm, network } => after.vms.get_mut(vm)?.networks.push(network.clone()),
        Command::TakeSnapshot { vm, snapshot } => {
            let vm = after.vms.get_mut(vm)?;
            let key = vm.encryption.as_ref().map(|encryption| encryption.key.clone());
            vm.snapshots.push(Snapshot { id: snapshot.clone(), size: Bytes(0), key });
        }
        Command::DeleteSnapshot { vm, snapshot } => after.vms.get_mut(vm)?.snapshots.retain(|one| one.id != *snapshot),
        // What leaves the platform leaves no trace in it.
        Command::ExportOvf { .. } => {}
        Command::AssignPolicy { vm, policy } => {
            after.vms.get_mut(vm)?.policies.insert(policy.clone());
        }
        Command::RemovePolicy { vm, policy } => {
            after.vms.get_mut(vm)?.policies.remove(policy);
        }
        Command::ExcludeDisk { vm, disk, excluded } => {
            let disk = after.vms.get_mut(vm)?.disks.iter_mut().find(|one| one.id == *disk)?;
            disk.excluded_from_backup = *excluded;
        }
        Command::BackUp { vm, policy, backup, at } => {
            let (vm, policy) = (after.vms.get(vm)?.clone(), after.policies.get(policy)?.clone());
            let made = Backup {
                id: backup.clone(),
                tenant: policy.tenant.clone(),
                vm: vm.id.clone(),
                policy: policy.id.clone(),
                zone: policy.zone.clone(),
                vm_zone: after.cpools.get(&vm.cpool)?.zone.clone(),
                made_at: *at,
                size: vm.disks.iter().filter(|disk| disk.is_backed_up()).map(VirtualDisk::taken).sum(),
                cipher: CIPHER.to_owned(),
                key: change.key(),
                vm_encryption: vm.encryption.clone(),
                disks: vm.disks.iter().filter(|disk| disk.is_backed_up()).map(saved).collect(),
                cpus: vm.cpus,
                memory: vm.memory,
            };
            super::encryption::keep_key(after, &policy.tenant, change.key());
            after.backups.insert(backup.clone(), made);
        }
        Command::DeleteBackup { backup } => {
            after.backups.remove(backup)?;
        }
        Command::Restore { backup, vm, cpool, home, mode } => {
            let backup = after.backups.get(backup)?.clone();
            let mut made = blank(vm, vm.as_str(), cpool, home);
            (made.cpus, made.memory, made.spp_mode) = (backup.cpus, backup.memory, *mode);
            // A restored VM is a clone of what was saved, and so may share its key (R64, R70).
            made.cloned_from = Some(origin(after, &backup.vm));
            made.encryption = backup.vm_encryption.clone();
            let encryption = backup.vm_encryption.as_ref();
            made.disks = backup.disks.iter().map(|disk| restored(disk, home, encryption)).collect();
            after.vms.insert(vm.clone(), made);
        }
        Command::Replicate { vm, interval_hours, standby, datastore } => {
            let vm = after.vms.get_mut(vm)?;
            vm.replication = Some(Replication {
                interval_hours: *interval_hours,
                paused: false,
                standby: standby.clone(),
                datastore: datastore.clone(),
                storage: vm.disk_capacity(),
            });
        }
        Command::PauseReplication { vm, paused } => after.vms.get_mut(vm)?.replication.as_mut()?.paused = *paused,
        Command::StopReplication { vm } => after.vms.get_mut(vm)?.replication = None,
        Command::FailOverVm { vm } => {
            let moved = after.vms.get_mut(vm)?;
            let replication = moved.replication.take()?;
            (moved.cpool, moved.home) = (replication.standby.cpool, replication.datastore.clone());
            moved.disks.iter_mut().for_each(|disk| disk.datastore = replication.datastore.clone());
            (moved.host, moved.power) = (None, PowerState::Off);
            // Rules of the Cpool that it leaves are about it no more.
            let cpool = moved.cpool.clone();
            after
                .affinity_rules
                .values_mut()
                .filter(|rule| rule.cpool != cpool)
                .for_each(|rule| rule.vms.retain(|one| one != vm));
            after.affinity_rules.retain(|_, rule| rule.vms.len() > 1);
            start(after, vm)?;
        }
        _ => return None,
    }
    Some(())
}

/// The VM at the beginning of a line of clones.
fn origin(inventory: &Inventory, vm: &VmId) -> VmId {
    inventory.vms.get(vm).and_then(|vm| vm.cloned_from.clone()).unwrap_or_else(|| vm.clone())
}

fn blank(id: &VmId, name: &str, cpool: &CpoolId, home: &crate::ids::DatastoreId) -> Vm {
    Vm {
        id: id.clone(),
        name: name.to_owned(),
        cpool: cpool.clone(),
        host: None,
        power: PowerState::Off,
        cpus: 1,
        memory: Gib(1),
        home: home.clone(),
        disks: Vec::new(),
        networks: Vec::new(),
        snapshots: Vec::new(),
        replication: None,
        policies: std::collections::BTreeSet::new(),
        spp_mode: SppMode::Production,
        encryption: None,
        cloned_from: None,
        held_by: None,
    }
}

fn made_of(disk: &NewDisk, encryption: Option<&VmEncryption>) -> VirtualDisk {
    VirtualDisk {
        id: disk.id.clone(),
        datastore: disk.datastore.clone(),
        capacity: disk.capacity.bytes(),
        provisioning: if disk.dynamic { Provisioning::Dynamic(Bytes(0)) } else { Provisioning::StaticImmediate },
        mode: DiskMode::Persistent,
        reserved_iops: Iops(0),
        constant_writes: false,
        excluded_from_backup: false,
        key: encryption.map(|encryption| encryption.key.clone()),
    }
}

fn saved(disk: &VirtualDisk) -> SavedDisk {
    SavedDisk { id: disk.id.clone(), capacity: disk.capacity }
}

fn restored(disk: &SavedDisk, home: &crate::ids::DatastoreId, encryption: Option<&VmEncryption>) -> VirtualDisk {
    let made = NewDisk { id: disk.id.clone(), datastore: home.clone(), capacity: Gib(0), dynamic: false };
    VirtualDisk { capacity: disk.capacity, ..made_of(&made, encryption) }
}

/// Starts a VM on a host of its Cpool; without one it stays as it is, and a rule says so.
fn start(after: &mut Inventory, vm: &VmId) -> Option<()> {
    let cpool = after.vms.get(vm)?.cpool.clone();
    let host = choose_host(after, vm, &cpool);
    let vm = after.vms.get_mut(vm)?;
    if host.is_some() {
        (vm.power, vm.host) = (PowerState::On, host);
    }
    Some(())
}

/// The connected host of a Cpool with the least memory in use that the affinity rules allow; of equals the first.
/// An encrypted VM runs only where its key can be held.
pub(crate) fn choose_host(inventory: &Inventory, vm: &VmId, cpool: &CpoolId) -> Option<HostId> {
    let view = View::of(inventory);
    let encrypted = inventory.vm(vm)?.encryption.is_some();
    let load = |host: &HostId| -> Gib {
        let carried = inventory.vms().filter(|one| one.host.as_ref() == Some(host) && one.id != *vm);
        carried.map(|one| one.memory).sum()
    };
    let usable = view.hosts(cpool).iter().filter(|host| {
        let takes_keys = matches!(host.crypto, crate::model::compute::HostCrypto::Safe(_));
        host.state == HostState::Connected && (takes_keys || !encrypted) && suits(inventory, vm, &host.id)
    });
    usable.min_by_key(|host| (load(&host.id), &host.id)).map(|host| host.id.clone())
}

/// Whether the affinity rules in force let a VM run on a host, given where the others run.
pub(crate) fn suits(inventory: &Inventory, vm: &VmId, host: &HostId) -> bool {
    inventory.affinity_rules().filter(|rule| rule.enabled && rule.vms.contains(vm)).all(|rule| {
        let others = rule.vms.iter().filter(|other| *other != vm).filter_map(|other| inventory.vm(other));
        let mut hosts = others.filter_map(|other| other.host.as_ref());
        match rule.kind {
            AffinityKind::Affinity => hosts.all(|other| other == host),
            AffinityKind::AntiAffinity => hosts.all(|other| other != host),
        }
    })
}
