//! What operations need beside the promises: permissions, states from which they can start, places to run and to lie.

use crate::command::{Actor, Command};
use crate::model::compute::HostState;
use crate::model::storage::Datastore;
use crate::model::vm::{PowerState, Vm};
use crate::permission::Permission;
use crate::rule::{Number, Rule, facts, rule};

rule! {
    /// Additive, none by default.
    PERMISSION = Number::Flow, "requester-has-permission", Reject;
    source: "";
    why: "Each command takes permissions, which an owner of the tenant gives.";
    says: "missing permission: {permissions}";
    Asked: |asked, found| {
        let Actor::Tenant { permissions, .. } = &asked.request.actor else { return };
        let needed = asked.command().permissions().iter();
        let missing: Vec<&Permission> = needed.filter(|needed| !permissions.contains(needed)).collect();
        if !missing.is_empty() {
            found.add(facts! { permissions: missing });
        }
    }
}

rule! {
    /// What changes a contract is the customer's.
    TENANTS_OWN = Number::Flow, "tenant-orders-for-itself", Reject;
    source: "";
    why: "Orders, subscriptions and networks are made by the tenant that will have them, not by the operator.";
    says: "\"{command}\" is a tenant's to ask for";
    Asked: |asked, found| {
        let orders = matches!(
            asked.command(),
            Command::OrderDatastore { .. }
                | Command::OrderBackupStorage { .. }
                | Command::Subscribe { .. }
                | Command::Unsubscribe { .. }
                | Command::CreateNetwork { .. }
                | Command::OrderInternetAccess { .. }
                | Command::FileServiceRequest { .. }
        );
        if orders && asked.by_operator() {
            found.add(facts! { command: asked.command().name() });
        }
    }
}

rule! {
    /// As R61 for policies and R37a for mirrors.
    BY_OPERATOR = Number::Flow, "operator-handles-keys-on-request", ServiceRequest;
    source: "";
    why: "The operator configures key providers and exports encrypted VMs, upon a service request.";
    says: "ask for it by service request: \"{command}\"";
    Asked: |asked, found| {
        let on_request = matches!(asked.command(), Command::ConfigureKeyProvider { .. } | Command::ExportEncrypted { .. });
        if on_request && !asked.by_operator() {
            found.add(facts! { command: asked.command().name() });
        }
    }
}

rule! {
    /// One activity at a time.
    FREE = Number::Flow, "vm-is-not-held", Reject;
    source: "";
    why: "Two activities never have a VM at the same time.";
    says: "VM \"{vm}\" is held by activity \"{activity}\"";
    Asked: |asked, found| {
        let Some(vm) = asked.command().vm().and_then(|id| asked.inventory.vm(id)) else { return };
        if let Some(activity) = &vm.held_by {
            found.add(facts! { vm: &vm.id, activity: activity });
        }
    }
}

rule! {
    /// From which state an operation can start.
    STATE = Number::Flow, "vm-is-in-a-fit-state", Reject;
    source: "";
    why: "A VM is started when it stands still, stopped when it runs, and deleted or resized when it is off.";
    says: "VM \"{vm}\" is {state}: {needed}";
    Asked: |asked, found| {
        let Some(vm) = asked.command().vm().and_then(|id| asked.inventory.vm(id)) else { return };
        if let Some(needed) = unfit_for(asked.command(), vm) {
            found.add(facts! { vm: &vm.id, state: vm.power.text(), needed: needed });
        }
    }
}

rule! {
    /// A Cpool has a host for whoever starts.
    PLACE = Number::Flow, "cpool-has-a-host-for-the-vm", Reject;
    source: "";
    why: "A VM starts on a connected host that the affinity rules allow and that can hold its key.";
    says: "Cpool \"{cpool}\" has no host on which VM \"{vm}\" can run";
    Asked: |asked, found| {
        let (vm, cpool) = match asked.command() {
            Command::PowerOn { vm } => (vm, asked.inventory.vm(vm).map(|vm| &vm.cpool)),
            Command::FailOverVm { vm } => {
                let replication = asked.inventory.vm(vm).and_then(|vm| vm.replication.as_ref());
                (vm, replication.map(|replication| &replication.standby.cpool))
            }
            _ => return,
        };
        if let Some(cpool) = cpool.filter(|cpool| crate::command::host_for(asked.inventory, vm, cpool).is_none()) {
            found.add(facts! { cpool: cpool, vm: vm });
        }
    }
}

rule! {
    /// Where a VM runs.
    HOSTED = Number::Flow, "running-vm-is-on-a-connected-host", Reject;
    source: "";
    why: "A VM that runs is on a connected host of its Cpool, and one that is off is on none.";
    says: "VM \"{vm}\" {fault}";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            let host = vm.host.as_ref().and_then(|id| view.inventory.host(id));
            let fault = match host {
                None if vm.power == PowerState::On => "runs on no host".to_owned(),
                Some(host) if vm.power == PowerState::Off => format!("is off and yet on host \"{}\"", host.id),
                Some(host) if host.cpool != vm.cpool => format!("is on host \"{}\" of another Cpool", host.id),
                Some(host) if vm.power == PowerState::On && host.state != HostState::Connected => {
                    format!("runs on host \"{}\", which is in the state {}", host.id, host.state)
                }
                _ => continue,
            };
            found.add(facts! { vm: &vm.id, fault: fault });
        }
    }
}

rule! {
    /// A Cpool's hosts see the datastores of its VMs.
    STORED = Number::Flow, "vm-lies-on-datastores-of-its-cpool", Reject;
    source: "";
    why: "A VM's files lie on datastores that its Cpool uses.";
    says: "VM \"{vm}\" has files on \"{datastore}\", which Cpool \"{cpool}\" does not use";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            let used = |lun: &&Datastore| lun.cpools.contains(&vm.cpool);
            let tenant = view.inventory.tenant_of_cpool(&vm.cpool);
            let luns = vm.datastores().into_iter().filter_map(|id| view.inventory.datastore(id));
            // A LUN of another tenant is R1's and R26's to speak of.
            for lun in luns.filter(|lun| !used(lun) && Some(&lun.tenant) == tenant) {
                found.add(facts! { vm: &vm.id, datastore: &lun.id, cpool: &vm.cpool });
            }
        }
    }
}

rule! {
    /// What a datastore is attached to can reach it.
    REACH = Number::Flow, "cpool-uses-datastores-of-its-zone", Reject;
    source: "";
    why: "A LUN is presented inside its region; a Cpool in another region cannot reach it.";
    says: "Cpool \"{cpool}\" is in another region than datastore \"{datastore}\"";
    Always: |view, found| {
        let region = |zone| view.inventory.zone(zone).map(|zone| &zone.region);
        for lun in view.inventory.datastores() {
            for cpool in lun.cpools.iter().filter_map(|id| view.inventory.cpool(id)) {
                if region(&cpool.zone) != region(&lun.zone) {
                    found.add(facts! { cpool: &cpool.id, datastore: &lun.id });
                }
            }
        }
    }
}

/// What the command needs of the VM's state and does not find.
fn unfit_for(command: &Command, vm: &Vm) -> Option<&'static str> {
    use PowerState as P;
    let is_snapshotted = !vm.snapshots.is_empty();
    let (fits, needed) = match command {
        Command::PowerOn { .. } => {
            (matches!(vm.power, P::Off | P::Suspended), "it can be started when it stands still")
        }
        Command::PowerOff { .. } => {
            (matches!(vm.power, P::On | P::Suspended | P::HostDisconnected), "it can be stopped when it runs")
        }
        Command::Suspend { .. } | Command::MigrateVm { .. } => (vm.power == P::On, "it has to run"),
        Command::DeleteVm { .. } | Command::ResizeVm { .. } => (vm.power == P::Off, "power it off first"),
        Command::AddDisk { .. } | Command::RemoveDisk { .. } | Command::MoveDisk { .. } | Command::MoveHome { .. } => {
            (!is_snapshotted, "delete its snapshots first")
        }
        Command::MoveVm { .. } => (matches!(vm.power, P::Off | P::On), "it has to be off or to run"),
        Command::Replicate { .. } => (vm.replication.is_none(), "it is replicated already"),
        Command::PauseReplication { .. } | Command::StopReplication { .. } | Command::FailOverVm { .. } => {
            (vm.replication.is_some(), "it is not replicated")
        }
        Command::TakeSnapshot { .. } | Command::BackUp { .. } => {
            (!matches!(vm.power, P::Processing | P::Invalid), "it cannot be read now")
        }
        Command::ConnectVm { .. } => (vm.networks.len() < 10, "it has ten network cards"),
        _ => return None,
    };
    (!fits).then_some(needed)
}

/// The rules of this file.
pub static RULES: [&Rule; 9] =
    [&PERMISSION, &TENANTS_OWN, &BY_OPERATOR, &FREE, &STATE, &PLACE, &HOSTED, &STORED, &REACH];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{self, lun, vm};
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused, expect_refused_of};
    use crate::units::Tib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    fn start(vm: &str) -> Command {
        Command::PowerOn { vm: vm.into() }
    }

    #[test]
    fn each_missing_permission_is_named() {
        let with = |permissions: &[Permission]| Actor::Tenant {
            tenant: example::TENANT.into(),
            permissions: permissions.iter().copied().collect(),
        };
        let said = "missing permission: compute_iaas_vmware_virtual_machine_power";
        expect_refused_of(&PERMISSION, said, with(&[Permission::ComputeRead]), start("vm-web"), |_| {});
        // The right to switch a VM off is not the right to encrypt it.
        let switch = [Permission::ComputeRead, Permission::VirtualMachinePower];
        let said = "missing permission: compute_iaas_vmware_management";
        expect_refused_of(&PERMISSION, said, with(&switch), Command::Encrypt { vm: "vm-web".into() }, |_| {});
        expect_allowed(with(&switch), start("vm-web"), |_| {});
    }

    #[test]
    fn the_operator_orders_nothing_for_a_tenant() {
        let order = || Command::OrderBackupStorage { quota: Tib(20) };
        let said = "\"order-backup-storage\" is a tenant's to ask for";
        expect_refused_of(&TENANTS_OWN, said, Actor::Operator, order(), |_| {});
        expect_allowed(owner(), order(), |_| {});
    }

    #[test]
    fn a_key_provider_is_asked_for() {
        let provider = example::document().vstacks[0].key_provider.clone().unwrap();
        let configure = || Command::ConfigureKeyProvider {
            vstack: "vc-acme-2".into(),
            provider: provider.clone(),
            under: "sr-present".into(),
        };
        let filed = |document: &mut crate::inventory::Document| {
            let wish = crate::model::contract::Wish::KeyProvider { vstack: "vc-acme-2".into() };
            document.service_requests[1].wish = wish;
        };
        let said = "ask for it by service request: \"configure-key-provider\"";
        expect_refused(&BY_OPERATOR, said, configure(), filed);
        expect_allowed(Actor::Operator, configure(), filed);
    }

    #[test]
    fn a_vm_that_an_activity_holds_is_left_alone() {
        let said = "VM \"vm-web\" is held by activity \"a-1\"";
        for command in [start("vm-web"), Command::Encrypt { vm: "vm-web".into() }] {
            expect_refused(&FREE, said, command, |document| vm(document, "vm-web").held_by = Some("a-1".into()));
        }
    }

    #[test]
    fn operations_start_from_fit_states() {
        let of = |vm: &str| vm.into();
        let cases = [
            (start("vm-db"), "VM \"vm-db\" is on: it can be started when it stands still"),
            (Command::PowerOff { vm: of("vm-web") }, "VM \"vm-web\" is off: it can be stopped when it runs"),
            (Command::Suspend { vm: of("vm-web") }, "VM \"vm-web\" is off: it has to run"),
            (Command::DeleteVm { vm: of("vm-db") }, "VM \"vm-db\" is on: power it off first"),
            (Command::StopReplication { vm: of("vm-db") }, "VM \"vm-db\" is on: it is not replicated"),
        ];
        for (command, said) in cases {
            expect_refused(&STATE, said, command, |_| {});
        }
        let remove = Command::RemoveDisk { vm: of("vm-web"), disk: "disk-1".into() };
        let said = "VM \"vm-web\" is off: delete its snapshots first";
        expect_refused(&STATE, said, remove.clone(), |document| example::snapshot(document, "s"));
        expect_allowed(owner(), remove, |_| {});
    }

    #[test]
    fn a_vm_starts_where_a_host_can_take_it() {
        let said = "Cpool \"clu-par\" has no host on which VM \"vm-web\" can run";
        expect_refused(&PLACE, said, start("vm-web"), |document| {
            // Of three hosts, one carries the VM to keep away from, and two are in maintenance.
            document.hosts[1].state = HostState::Maintenance;
            document.hosts[2].state = HostState::Maintenance;
            vm(document, "vm-erp").host = Some("host-1".into());
        });
        // Only host-1 holds keys, and there runs the one to keep away from.
        expect_refused(&PLACE, said, start("vm-web"), example::encrypted);
        expect_allowed(owner(), start("vm-web"), |document| {
            example::encrypted(document);
            vm(document, "vm-db").host = Some("host-3".into());
        });
    }

    #[test]
    fn a_running_vm_is_on_a_host_that_is_there() {
        expect_found(&HOSTED, "VM \"vm-db\" runs on no host", |document| vm(document, "vm-db").host = None);
        let said = "VM \"vm-db\" runs on host \"host-1\", which is in the state off";
        expect_found(&HOSTED, said, |document| document.hosts[0].state = HostState::Off);
        let said = "VM \"vm-web\" is off and yet on host \"host-3\"";
        expect_found(&HOSTED, said, |document| vm(document, "vm-web").host = Some("host-3".into()));
        let said = "VM \"vm-db\" is on host \"host-4\" of another Cpool";
        expect_found(&HOSTED, said, |document| vm(document, "vm-db").host = Some("host-4".into()));
    }

    #[test]
    fn a_vm_lies_where_its_cpool_looks() {
        let said = "VM \"vm-web\" has files on \"lun-acme-th3\", which Cpool \"clu-par\" does not use";
        let away = |to: &str| Command::MoveDisk { vm: "vm-web".into(), disk: "disk-0".into(), to: to.into() };
        expect_refused(&STORED, said, away("lun-acme-th3"), |_| {});
        expect_allowed(owner(), away("lun-acme-2"), |_| {});
    }

    #[test]
    fn a_cpool_of_another_region_does_not_reach_a_datastore() {
        let said = "Cpool \"clu-far\" is in another region than datastore \"lun-acme-far\"";
        expect_found(&REACH, said, |document| {
            document.regions.push(crate::model::place::Region { id: "fr2".into(), country: "FR".to_owned() });
            let zone = crate::model::place::Zone { id: "LYO1".into(), region: "fr2".into(), site: "lyo".into() };
            document.zones.push(zone);
            lun(document, "lun-acme-far").zone = "LYO1".into();
        });
    }
}
