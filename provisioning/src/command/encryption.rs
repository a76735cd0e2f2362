//! Commands on keys: encrypt, re-key, decrypt, destroy. The key service makes the keys; here they are names.

use super::{Change, Command, Names};
use crate::crypto_state::{HostEvent, host_after, locks};
use crate::ids::{HostId, KeyId, TenantId};
use crate::inventory::Inventory;
use crate::model::compute::HostCrypto;
use crate::model::vm::{PowerState, Provisioning, VmEncryption};
use crate::reference::Ref;

pub(super) fn names<'a>(command: &'a Command, see: &mut Names<'_, 'a>) {
    match command {
        Command::DestroyKey { domain, .. } => see.own(Ref::KeyDomain(domain)),
        Command::ConfigureKeyProvider { vstack, provider, .. } => {
            see.own(Ref::VStack(vstack));
            see.own(Ref::KeyDomain(&provider.domain));
            provider.servers.iter().for_each(|node| see.platforms(Ref::KeyNode(node)));
        }
        Command::EnableHostCrypto { host } | Command::DisableHostCrypto { host } | Command::HostRebooted { host } => {
            see.own(Ref::Host(host))
        }
        _ => {}
    }
}

pub(super) fn apply(after: &mut Inventory, change: &Change<'_>) -> Option<()> {
    match &change.request.command {
        Command::Encrypt { vm } => {
            let cpool = after.vms.get(vm)?.cpool.clone();
            let vstack = after.vstack_of_cpool(&cpool)?.clone();
            let provider = vstack.key_provider?.id;
            keep_key(after, &vstack.tenant, change.key());
            let vm = after.vms.get_mut(vm)?;
            vm.encryption = Some(VmEncryption { provider, key: change.key(), locked: false });
            for disk in &mut vm.disks {
                disk.key = Some(change.key());
                // Every sector of an encrypted disk is written: it takes all of its capacity from now on.
                if let Provisioning::Dynamic(_) = disk.provisioning {
                    disk.provisioning = Provisioning::Dynamic(disk.capacity);
                }
            }
        }
        Command::Rekey { vm, .. } => {
            let cpool = after.vms.get(vm)?.cpool.clone();
            let tenant = after.tenant_of_cpool(&cpool)?.clone();
            keep_key(after, &tenant, change.key());
            let vm = after.vms.get_mut(vm)?;
            vm.encryption.as_mut()?.key = change.key();
            // Snapshots keep the key they were taken under; the old one is destroyed by nobody.
            vm.disks.iter_mut().for_each(|disk| disk.key = Some(change.key()));
        }
        Command::Decrypt { vm } => {
            let vm = after.vms.get_mut(vm)?;
            vm.encryption = None;
            vm.disks.iter_mut().for_each(|disk| disk.key = None);
        }
        Command::DestroyKey { domain, key } => {
            after.key_domains.get_mut(domain)?.keys.remove(key);
        }
        Command::ConfigureKeyProvider { vstack, provider, under } => {
            after.vstacks.get_mut(vstack)?.key_provider = Some(provider.clone());
            super::storage::fulfil(after, under)?;
        }
        Command::ExportEncrypted { under, .. } => super::storage::fulfil(after, under)?,
        Command::EnableHostCrypto { host } => {
            let tenant = after.hosts.get(host)?.tenant.clone();
            keep_key(after, &tenant, change.key());
            let key = change.key();
            if after.hosts.get(host)?.crypto == HostCrypto::Incapable {
                crypto_event(after, host, HostEvent::Prepare, &key)?;
            }
            crypto_event(after, host, HostEvent::HostKey, &key)?;
        }
        Command::DisableHostCrypto { host } => crypto_event(after, host, HostEvent::Disable, &change.key())?,
        Command::HostRebooted { host } => crypto_event(after, host, HostEvent::Reboot, &change.key())?,
        Command::ReportKey { vm, host_has_key, answer } => {
            let vm = after.vms.get_mut(vm)?;
            let encryption = vm.encryption.as_mut()?;
            encryption.locked = locks(*host_has_key, *answer);
            if encryption.locked {
                (vm.power, vm.host) = (PowerState::Invalid, None);
            } else if vm.power == PowerState::Invalid {
                vm.power = PowerState::Off;
            }
        }
        _ => return None,
    }
    Some(())
}

/// Leads a host through the states of its crypto; an event that cannot happen changes nothing.
fn crypto_event(after: &mut Inventory, host: &HostId, event: HostEvent, key: &KeyId) -> Option<()> {
    let host = after.hosts.get_mut(host)?;
    if let Some(state) = host_after(&host.crypto, event, key) {
        host.crypto = state;
    }
    Some(())
}

/// Notes that the tenant's domain has the key.
pub(super) fn keep_key(after: &mut Inventory, tenant: &TenantId, key: KeyId) {
    if let Some(domain) = after.key_domains.values_mut().find(|domain| domain.tenant == *tenant) {
        domain.keys.insert(key);
    }
}
