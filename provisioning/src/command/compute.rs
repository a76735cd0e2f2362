//! Commands on Cpools, hosts, affinity rules and networks.

use super::{Change, Command, Names};
use crate::catalogue::catalogue;
use crate::ids::{CpoolId, HostId};
use crate::inventory::Inventory;
use crate::model::compute::{Cpool, Host, HostCrypto, HostState, Release};
use crate::model::network::{InternetAccess, Network};
use crate::model::settings::RamActivation;
use crate::model::vm::PowerState;
use crate::reference::Ref;
use crate::rules::cpool::RAM_AT_FIRST;
use crate::units::Gb;

pub(super) fn names<'a>(command: &'a Command, see: &mut Names<'_, 'a>) {
    match command {
        Command::CreateCpool { cpool, vstack, zone, blade, hosts, .. } => {
            see.fresh(Ref::Cpool(cpool));
            see.own(Ref::VStack(vstack));
            see.platforms(Ref::Zone(zone));
            see.platforms(Ref::CatalogueBlade(blade));
            hosts.iter().for_each(|host| see.fresh(Ref::Host(host)));
        }
        Command::DeleteCpool { cpool }
        | Command::EnableRam { cpool, .. }
        | Command::SetHighAvailability { cpool, .. } => see.own(Ref::Cpool(cpool)),
        Command::AddHost { cpool, host, blade } => {
            see.own(Ref::Cpool(cpool));
            see.fresh(Ref::Host(host));
            see.platforms(Ref::CatalogueBlade(blade));
        }
        Command::RemoveHost { host }
        | Command::SetMaintenance { host, .. }
        | Command::UpdateHypervisor { host, .. }
        | Command::HostFailed { host }
        | Command::UpdateFirmware { host } => see.own(Ref::Host(host)),
        Command::CreateAffinityRule { rule } => {
            see.fresh(Ref::AffinityRule(&rule.id));
            see.own(Ref::Cpool(&rule.cpool));
            rule.vms.iter().for_each(|vm| see.own(Ref::Vm(vm)));
        }
        Command::SetAffinityRule { rule, .. } | Command::DeleteAffinityRule { rule } => {
            see.own(Ref::AffinityRule(rule));
        }
        Command::OpenVCenter { vstack } => see.own(Ref::VStack(vstack)),
        Command::CreateNetwork { network, .. } => see.fresh(Ref::Network(network)),
        Command::PropagateNetwork { network, cpool } => {
            see.own(Ref::Network(network));
            see.customers(Ref::Cpool(cpool));
        }
        Command::ShareNetwork { network, tenant } => {
            see.own(Ref::Network(network));
            see.platforms(Ref::Tenant(tenant));
        }
        Command::DeleteNetwork { network } => see.own(Ref::Network(network)),
        Command::OrderInternetAccess { access, zone, network, .. } => {
            see.fresh(Ref::InternetAccess(access));
            see.platforms(Ref::Zone(zone));
            see.own(Ref::Network(network));
        }
        _ => {}
    }
}

pub(super) fn apply(after: &mut Inventory, change: &Change<'_>) -> Option<()> {
    match &change.request.command {
        Command::CreateCpool { cpool, name, vstack, zone, blade, hosts, ram } => {
            let made = Cpool {
                id: cpool.clone(),
                name: name.clone(),
                vstack: vstack.clone(),
                zone: zone.clone(),
                ram_enabled: *ram,
                high_availability: false,
                drs: false,
            };
            after.cpools.insert(cpool.clone(), made);
            hosts.iter().try_for_each(|host| install(after, cpool, host, blade))?;
        }
        Command::DeleteCpool { cpool } => {
            after.cpools.remove(cpool)?;
            after.hosts.retain(|_, host| host.cpool != *cpool);
            after.affinity_rules.retain(|_, rule| rule.cpool != *cpool);
            after.datastores.values_mut().for_each(|datastore| datastore.cpools.retain(|one| one != cpool));
            after.networks.values_mut().for_each(|network| network.cpools.retain(|one| one != cpool));
        }
        Command::AddHost { cpool, host, blade } => {
            install(after, cpool, host, blade)?;
            let physical = catalogue().blade(blade)?.ram;
            let more = if after.settings.ram_activation == RamActivation::All { physical } else { RAM_AT_FIRST };
            let cpool = after.cpools.get_mut(cpool)?;
            cpool.ram_enabled = cpool.ram_enabled + more;
        }
        Command::RemoveHost { host } => {
            let gone = after.hosts.remove(host)?;
            // What was enabled of it goes with it, as far as the others can have less.
            let left = after.hosts.values().filter(|host| host.cpool == gone.cpool);
            let most: Gb = left.clone().map(|host| host.ram).sum();
            let least = RAM_AT_FIRST.times(u64::try_from(left.count()).unwrap_or(u64::MAX));
            let cpool = after.cpools.get_mut(&gone.cpool)?;
            cpool.ram_enabled = match after.settings.ram_activation {
                RamActivation::All => most,
                RamActivation::OnDemand => cpool.ram_enabled.less(RAM_AT_FIRST).max(least).min(most),
            };
        }
        Command::EnableRam { cpool, ram } => after.cpools.get_mut(cpool)?.ram_enabled = *ram,
        Command::SetHighAvailability { cpool, enabled } => after.cpools.get_mut(cpool)?.high_availability = *enabled,
        Command::SetMaintenance { host, on } => set_maintenance(after, host, *on)?,
        Command::UpdateHypervisor { host, esxi } => after.hosts.get_mut(host)?.esxi = esxi.clone(),
        Command::HostFailed { host } => fail(after, host)?,
        Command::CreateAffinityRule { rule } => {
            after.affinity_rules.insert(rule.id.clone(), rule.clone());
        }
        Command::SetAffinityRule { rule, enabled } => after.affinity_rules.get_mut(rule)?.enabled = *enabled,
        Command::DeleteAffinityRule { rule } => {
            after.affinity_rules.remove(rule)?;
        }
        // Both are the operator's and change nothing that is modelled here.
        Command::OpenVCenter { .. } | Command::UpdateFirmware { .. } => {}
        Command::CreateNetwork { network, name, vlan } => {
            let made = Network {
                id: network.clone(),
                name: name.clone(),
                tenant: change.request.actor.tenant()?.clone(),
                vlan: *vlan,
                tenants: [].into(),
                cpools: [].into(),
            };
            after.networks.insert(network.clone(), made);
        }
        Command::PropagateNetwork { network, cpool } => {
            after.networks.get_mut(network)?.cpools.insert(cpool.clone());
        }
        Command::ShareNetwork { network, tenant } => {
            after.networks.get_mut(network)?.tenants.insert(tenant.clone());
        }
        Command::DeleteNetwork { network } => {
            after.networks.remove(network)?;
        }
        Command::OrderInternetAccess { access, zone, network, public_addresses, mbit_per_s } => {
            let made = InternetAccess {
                id: access.clone(),
                tenant: change.request.actor.tenant()?.clone(),
                zone: zone.clone(),
                network: network.clone(),
                public_addresses: *public_addresses,
                mbit_per_s: *mbit_per_s,
            };
            after.internet_accesses.insert(access.clone(), made);
        }
        _ => return None,
    }
    Some(())
}

fn install(after: &mut Inventory, cpool: &CpoolId, host: &HostId, blade: &crate::ids::BladeId) -> Option<()> {
    let (zone, tenant) = (after.cpools.get(cpool)?.zone.clone(), after.tenant_of_cpool(cpool)?.clone());
    let made = Host {
        id: host.clone(),
        name: host.to_string(),
        tenant,
        zone,
        cpool: cpool.clone(),
        blade: blade.clone(),
        ram: catalogue().blade(blade)?.ram,
        esxi: Release { version: "7.0.3".to_owned(), build: 0 },
        state: HostState::Connected,
        crypto: HostCrypto::Incapable,
    };
    after.hosts.insert(host.clone(), made);
    Some(())
}

/// A host that goes into maintenance gives its VMs to others of its Cpool; one that finds no place keeps the host from
/// getting there, and a rule says so.
fn set_maintenance(after: &mut Inventory, host: &HostId, on: bool) -> Option<()> {
    after.hosts.get_mut(host)?.state = if on { HostState::Maintenance } else { HostState::Connected };
    if on {
        move_away(after, host);
    }
    Some(())
}

/// With high availability the VMs of a failed host start on another; without, they stay with it.
fn fail(after: &mut Inventory, host: &HostId) -> Option<()> {
    let failed = after.hosts.get_mut(host)?;
    failed.state = HostState::Off;
    if let HostCrypto::PendingIncapable = failed.crypto {
        failed.crypto = HostCrypto::Incapable;
    }
    let cpool = failed.cpool.clone();
    if after.cpools.get(&cpool)?.high_availability {
        move_away(after, host);
    }
    for vm in after.vms.values_mut().filter(|vm| vm.host.as_ref() == Some(host)) {
        vm.power = PowerState::HostDisconnected;
    }
    Some(())
}

fn move_away(after: &mut Inventory, host: &HostId) {
    let carried: Vec<_> = after.vms().filter(|vm| vm.host.as_ref() == Some(host)).map(|vm| vm.id.clone()).collect();
    for id in carried {
        let Some(cpool) = after.vm(&id).map(|vm| vm.cpool.clone()) else { continue };
        if let Some(other) = super::vm::choose_host(after, &id, &cpool)
            && let Some(vm) = after.vms.get_mut(&id)
        {
            vm.host = Some(other);
        }
    }
}
