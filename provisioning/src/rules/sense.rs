//! What a request asks for has to make sense, and be possible.

use std::collections::BTreeSet;

use crate::command::Command;
use crate::inventory::unfit;
use crate::limits;
use crate::model::contract::RequestState;
use crate::rule::{Asked, Number, Rule, facts, rule};

rule! {
    /// The controllers' limit.
    CONTROLLERS = Number::Flow, "vm-has-room-for-its-disks", Reject;
    source: "";
    why: "A VM has at most 4 controllers with 15 disks each.";
    says: "VM \"{vm}\" would have {disks} disks";
    Always: |view, found| {
        for vm in view.inventory.vms().filter(|vm| vm.disks.len() > limits::DISKS_PER_VM) {
            found.add(facts! { vm: &vm.id, disks: vm.disks.len() });
        }
    }
}

rule! {
    /// The hypervisor's limits.
    POSSIBLE = Number::Flow, "sizes-are-possible", Reject;
    source: "";
    why: "A datastore has at most 64 TiB, a disk 62 TiB, a VM 768 CPUs and 24 TiB of memory: more the hypervisor has not.";
    says: "{what} would be larger than the hypervisor can have it";
    Always: |view, found| {
        for lun in view.inventory.datastores().filter(|lun| lun.capacity > limits::DATASTORE_SIZE) {
            found.add(facts! { what: format!("datastore \"{}\"", lun.id) });
        }
        for vm in view.inventory.vms() {
            if vm.memory > limits::VM_MEMORY || vm.cpus > limits::VM_CPUS {
                found.add(facts! { what: format!("VM \"{}\"", vm.id) });
            }
            for disk in vm.disks.iter().filter(|disk| disk.capacity > limits::DISK_SIZE.bytes()) {
                found.add(facts! { what: format!("disk \"{}\" of VM \"{}\"", disk.id, vm.id) });
            }
        }
    }
}

rule! {
    /// Only larger.
    GROWS = Number::Flow, "disk-only-grows", Reject;
    source: "";
    why: "A disk is made larger, not smaller, while the VM has no snapshots.";
    says: "disk \"{disk}\" of VM \"{vm}\" cannot be resized: {fault}";
    Asked: |asked, found| {
        let Command::ResizeDisk { vm, disk, capacity } = asked.command() else { return };
        let Some(vm) = asked.inventory.vm(vm) else { return };
        let now = vm.disk(disk).map(|disk| disk.capacity);
        if now.is_some_and(|now| capacity.bytes() < now) {
            found.add(facts! { disk: disk, vm: &vm.id, fault: "it would be smaller" });
        } else if !vm.snapshots.is_empty() {
            found.add(facts! { disk: disk, vm: &vm.id, fault: "the VM has snapshots" });
        }
    }
}

rule! {
    /// Values out of any reason.
    SENSE = Number::Flow, "request-makes-sense", Reject;
    source: "";
    why: "A VM has a CPU and memory, a disk has a size, a network a VLAN number, an access an address.";
    says: "{fault}";
    Asked: |asked, found| {
        let (is_wrong, fault) = match asked.command() {
            Command::CreateVm { vm } => {
                let ids = || vm.disks.iter().map(|disk| &disk.id);
                let unfit_id = ids().any(|id| unfit(id.as_str()).is_some());
                let nothing = vm.cpus == 0 || vm.memory.0 == 0 || vm.disks.iter().any(|disk| disk.capacity.0 == 0);
                (nothing || unfit_id || has_twice(ids()), "a VM needs a CPU, memory, and disks of different names with a size")
            }
            Command::ResizeVm { cpus, memory, .. } => (*cpus == 0 || memory.0 == 0, "a VM needs a CPU and memory"),
            Command::AddDisk { disk, .. } => (disk.capacity.0 == 0, "a disk needs a size"),
            Command::CreateNetwork { vlan, .. } => (!(1..=4094).contains(vlan), "VLAN numbers go from 1 to 4094"),
            Command::OrderInternetAccess { public_addresses, mbit_per_s, .. } => {
                (!(1..=8).contains(public_addresses) || *mbit_per_s == 0, "an access has 1 to 8 addresses and a speed")
            }
            Command::CreateCpool { hosts, .. } => {
                (hosts.is_empty() || has_twice(hosts), "a Cpool has hosts, each once")
            }
            Command::CreateAffinityRule { rule } => {
                (has_twice(&rule.vms) || rule.name.trim().is_empty(), "an affinity rule has a name, and each VM once")
            }
            Command::OrderDatastore { cpools, .. } => {
                (has_twice(cpools), "a datastore is attached to a Cpool once")
            }
            Command::Subscribe { sku } => (!is_sold(asked, sku), "no catalogue sells that"),
            Command::FileServiceRequest { request } => {
                let own = asked.request.actor.tenant() == Some(&request.tenant);
                let open = request.state == RequestState::Open;
                (!own || !open, "a service request is filed open, for the tenant that asks")
            }
            _ => return,
        };
        if is_wrong {
            found.add(facts! { fault: fault });
        }
    }
}

fn has_twice<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    !items.into_iter().all(|item| seen.insert(item))
}

fn is_sold(asked: &Asked<'_>, sku: &crate::sku::Sku) -> bool {
    let mut regions = asked.inventory.regions();
    regions.any(|region| crate::catalogue::catalogue().skus(&region.id).any(|(sold, _)| sold == *sku))
}

/// The rules of this file.
pub static RULES: [&Rule; 4] = [&CONTROLLERS, &POSSIBLE, &GROWS, &SENSE];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, NewDisk, NewVm};
    use crate::example::{self, vm};
    use crate::rules::testing::{expect_allowed, expect_refused};
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn the_61st_disk_finds_no_place() {
        let fill = |disks: usize| {
            move |document: &mut crate::inventory::Document| {
                let all = (0..disks).map(|at| example::disk(&format!("disk-{at}"), "lun-acme-2", Gib(1)));
                vm(document, "vm-web").disks = all.collect();
            }
        };
        let disk = NewDisk { id: "one-more".into(), datastore: "lun-acme-2".into(), capacity: Gib(1), dynamic: false };
        let add = || Command::AddDisk { vm: "vm-web".into(), disk: disk.clone() };
        expect_refused(&CONTROLLERS, "VM \"vm-web\" would have 61 disks", add(), fill(60));
        expect_allowed(owner(), add(), fill(59));
    }

    #[test]
    fn what_the_hypervisor_cannot_have_is_refused() {
        let resize = |cpus, memory| Command::ResizeVm { vm: "vm-web".into(), cpus, memory };
        let said = "VM \"vm-web\" would be larger than the hypervisor can have it";
        expect_refused(&POSSIBLE, said, resize(769, Gib(1)), |_| {});
        expect_refused(&POSSIBLE, said, resize(1, Gib(u64::MAX)), |_| {});
        expect_allowed(owner(), resize(768, limits::VM_MEMORY), |_| {});
        let grow = |capacity| Command::ResizeDatastore { datastore: "lun-acme-2".into(), capacity };
        let said = "datastore \"lun-acme-2\" would be larger than the hypervisor can have it";
        expect_refused(&POSSIBLE, said, grow(Gib(65_537)), |_| {});
        expect_allowed(owner(), grow(Gib(65_536)), |_| {});
    }

    #[test]
    fn a_disk_does_not_shrink() {
        let resize =
            |capacity| Command::ResizeDisk { vm: "vm-web".into(), disk: "disk-0".into(), capacity: Gib(capacity) };
        let said = "disk \"disk-0\" of VM \"vm-web\" cannot be resized: it would be smaller";
        expect_refused(&GROWS, said, resize(19), |_| {});
        let said = "disk \"disk-0\" of VM \"vm-web\" cannot be resized: the VM has snapshots";
        expect_refused(&GROWS, said, resize(21), |document| example::snapshot(document, "s"));
        expect_allowed(owner(), resize(21), |_| {});
    }

    #[test]
    fn nonsense_is_refused() {
        let disk = |id: &str, size| NewDisk {
            id: id.into(),
            datastore: "lun-acme-2".into(),
            capacity: Gib(size),
            dynamic: false,
        };
        let create = |disks: Vec<NewDisk>| Command::CreateVm {
            vm: NewVm {
                id: "vm-new".into(),
                name: "new".to_owned(),
                cpool: "clu-par".into(),
                home: "lun-acme-2".into(),
                cpus: 1,
                memory: Gib(1),
                disks,
                networks: vec![],
            },
        };
        let said = "a VM needs a CPU, memory, and disks of different names with a size";
        for disks in [vec![disk("d", 0)], vec![disk("d", 1), disk("d", 1)], vec![disk("", 1)]] {
            expect_refused(&SENSE, said, create(disks), |_| {});
        }
        expect_allowed(owner(), create(vec![disk("d", 1), disk("e", 1)]), |_| {});
        let subscribe = Command::Subscribe { sku: crate::sku::Sku::new("csp:fr1:free:beer") };
        expect_refused(&SENSE, "no catalogue sells that", subscribe, |_| {});
        let network = Command::CreateNetwork { network: "n".into(), name: "n".to_owned(), vlan: 4095 };
        expect_refused(&SENSE, "VLAN numbers go from 1 to 4094", network, |_| {});
    }
}
