//! R67, R68: the one click on the padlock, and everything that has to be so before it.

use std::collections::BTreeMap;

use crate::catalogue::Service;
use crate::command::{Command, Depth};
use crate::ids::DatastoreId;
use crate::inventory::Inventory;
use crate::model::vm::{PowerState, SppMode, Vm, VmEncryption};
use crate::rule::{Asked, Number, Rule, facts, part, promise, rule};
use crate::units::Bytes;

/// The VM of a request to encrypt.
fn to_encrypt<'a>(asked: &'a Asked<'_>) -> Option<&'a Vm> {
    match asked.command() {
        Command::Encrypt { vm } => asked.inventory.vm(vm),
        _ => None,
    }
}

rule! {
    /// There is nothing to choose.
    R67 = promise(67), "encryption-is-one-click", Reject;
    source: "Die Verschlüsselung von virtuellen Maschinen wird mit einem Klick über die Shiva-Konsole aktiviert";
    why: "One click encrypts the whole VM; no password, key or policy can be given with it.";
    says: "a request to encrypt names a VM and nothing else";
    Built: "`Command::Encrypt` has one field, and a request with another is not read"
}

rule! {
    /// A key provider.
    R68A = part(68, 'a'), "vstack-has-key-provider", Reject;
    source: "Konfigurierter Schlüsselanbieter: Ein HSM/KMS-Anbieter muss auf der vStack aktiviert sein";
    why: "The vStack asks its key provider for the VM's key; support configures and enables one.";
    says: "the vStack \"{vstack}\" has {fault}", speaks_for: &["encrypted-data-keeps-its-key"];
    Asked: |asked, found| {
        let Some(around) = to_encrypt(asked).and_then(|vm| asked.inventory.around(vm)) else { return };
        let fault = match &around.vstack.key_provider {
            None => "no key provider".to_owned(),
            Some(provider) if !provider.enabled => format!("the key provider \"{}\", which is not enabled", provider.id),
            Some(_) => return,
        };
        found.add(facts! { vstack: &around.vstack.id, fault: fault });
    }
}

rule! {
    /// Off.
    R68B = part(68, 'b'), "vm-powered-off", Reject;
    source: "Gelöschte virtuelle Maschine: Die VM muss vor der Verschlüsselung heruntergefahren werden";
    why: "The disks are rewritten into encrypted files, and nothing may write to them meanwhile.";
    says: "VM \"{vm}\" is {power}; power it off first", speaks_for: &["encrypted-vm-runs-on-a-host-that-holds-keys"];
    Asked: |asked, found| {
        if let Some(vm) = to_encrypt(asked).filter(|vm| vm.power != PowerState::Off) {
            found.add(facts! { vm: &vm.id, power: power_text(vm.power) });
        }
    }
}

rule! {
    /// Not replicated, in either way.
    R68C = part(68, 'c'), "vm-not-replicated", Reject;
    source: "Keine aktive Replikation: Die VM darf nicht repliziert werden (nicht kompatibel mit Global Mirror)";
    why: "Encrypted VMs are not compatible with VM replication or Global Mirror.";
    says: "VM \"{vm}\" is replicated: {how}; end that or move it first", speaks_for: &["encrypted-vm-not-mirrored"];
    Asked: |asked, found| {
        let Some(vm) = to_encrypt(asked) else { return };
        let how = replicated(asked.inventory, vm);
        if !how.is_empty() {
            found.add(facts! { vm: &vm.id, how: how });
        }
    }
}

rule! {
    /// No snapshot.
    R68D = part(68, 'd'), "vm-has-no-snapshot", Reject;
    source: "Kein Snapshot: Es darf kein Momentaufnahme vorhanden sein";
    why: "A snapshot would keep the VM's data in clear beside the encrypted disks.";
    says: "VM \"{vm}\" has snapshots: {snapshots}; delete them first";
    Asked: |asked, found| {
        if let Some(vm) = to_encrypt(asked).filter(|vm| !vm.snapshots.is_empty()) {
            let snapshots: Vec<_> = vm.snapshots.iter().map(|snapshot| &snapshot.id).collect();
            found.add(facts! { vm: &vm.id, snapshots: snapshots });
        }
    }
}

rule! {
    /// Subscribed.
    R68E = part(68, 'e'), "vm-encryption-subscribed", Reject;
    source: "Abonnement des Dienstes: Der erweiterte Schutzdienst muss abonniert sein";
    why: "VM encryption is a service of its own, charged per encrypted VM.";
    says: "the tenant has not subscribed to {sku}", speaks_for: &["encryption-is-subscribed-apart"];
    Asked: |asked, found| {
        let Some(around) = to_encrypt(asked).and_then(|vm| asked.inventory.around(vm)) else { return };
        let sku = Service::VmEncryption.sku(&around.zone.region);
        if !around.tenant.subscriptions.contains(&sku) {
            found.add(facts! { sku: sku.as_str() });
        }
    }
}

rule! {
    /// Once.
    R68F = part(68, 'f'), "vm-not-encrypted-yet", Reject;
    source: "La machine virtuelle ne doit pas être déjà chiffrée";
    why: "An encrypted VM has its key already; a second encryption would not protect it better.";
    says: "VM \"{vm}\" is already encrypted, with key {key} of provider \"{provider}\"";
    Asked: |asked, found| {
        let Some(vm) = to_encrypt(asked) else { return };
        if let Some(VmEncryption { provider, key, .. }) = &vm.encryption {
            found.add(facts! { vm: &vm.id, key: key, provider: provider });
        }
    }
}

rule! {
    /// No restore test.
    R68G = part(68, 'g'), "vm-not-in-test-mode", Reject;
    source: "La machine virtuelle ne doit pas être en mode test";
    why: "A restore test runs from the backup and is thrown away; make it productive or a clone first.";
    says: "VM \"{vm}\" is a restore test";
    Asked: |asked, found| {
        if let Some(vm) = to_encrypt(asked).filter(|vm| vm.spp_mode == SppMode::Test) {
            found.add(facts! { vm: &vm.id });
        }
    }
}

rule! {
    /// Room for the copies.
    ROOM = Number::Flow, "datastore-holds-encrypted-copies", Reject;
    source: "";
    why: "Each disk is copied into a new file, and the original stays until the copy is complete.";
    says: "not enough free space for the new copies: {shortages}", speaks_for: &["datastore-holds-its-files", "datastore-holds-swap-files"];
    Asked: |asked, found| {
        let vm = match asked.command() {
            Command::Encrypt { vm } | Command::Decrypt { vm } | Command::ExportEncrypted { vm, .. } | Command::Rekey { vm, depth: Depth::Deep } => vm,
            _ => return,
        };
        let Some(vm) = asked.inventory.vm(vm) else { return };
        let mut needed: BTreeMap<&DatastoreId, Bytes> = BTreeMap::new();
        for disk in &vm.disks {
            // Every sector of an encrypted disk is written, so the copy of a dynamic disk is as large as its capacity.
            let sum = needed.entry(&disk.datastore).or_default();
            *sum = *sum + disk.capacity;
        }
        let view = crate::capacity::View::of(asked.inventory);
        let free = |id: &DatastoreId| asked.inventory.datastore(id).map_or(Bytes(0), |lun| view.free(lun));
        let shortages: Vec<String> = needed
            .into_iter()
            .filter(|(id, needed)| *needed > free(id))
            .map(|(id, needed)| format!("{id} needs {needed}, has {}", free(id)))
            .collect();
        if !shortages.is_empty() {
            found.add(facts! { shortages: shortages });
        }
    }
}

/// How a VM is replicated: by the hypervisor, or disk by disk on mirrored LUNs. Empty where it is not.
pub(super) fn replicated(inventory: &Inventory, vm: &Vm) -> Vec<String> {
    let mut how = Vec::new();
    if let Some(replication) = &vm.replication {
        how.push(if replication.paused { "VM replication, paused" } else { "VM replication" }.to_owned());
    }
    let mirrored = |lun: &DatastoreId| inventory.mirrors_of(lun).next().is_some();
    if mirrored(&vm.home) {
        how.push(format!("its configuration on mirrored LUN {}", vm.home));
    }
    let disks = vm.disks.iter().filter(|disk| mirrored(&disk.datastore));
    how.extend(disks.map(|disk| format!("{} on mirrored LUN {}", disk.id, disk.datastore)));
    how
}

const fn power_text(power: PowerState) -> &'static str {
    match power {
        PowerState::Off => "powered off",
        PowerState::On => "powered on",
        PowerState::Suspended => "suspended",
        PowerState::Processing => "being processed",
        PowerState::HostDisconnected => "on a host that does not answer",
        PowerState::Invalid => "invalid",
    }
}

/// The rules of this file that are asked of the one who clicks, in the order in which one would correct what they find:
/// from what only a contract changes to what a person changes alone. Permission comes second, from another file.
pub static IN_ORDER: [&Rule; 8] = [&R68E, &R68A, &R68F, &R68G, &R68B, &R68D, &R68C, &ROOM];

/// The rules of this file.
pub static RULES: [&Rule; 9] = [&R67, &R68A, &R68B, &R68C, &R68D, &R68E, &R68F, &R68G, &ROOM];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Request};
    use crate::example::{self, lun, vm};
    use crate::rules::testing::{expect_allowed, expect_refused};
    use crate::units::Gib;

    fn encrypt() -> Command {
        Command::Encrypt { vm: example::VM.into() }
    }

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn a_request_with_a_password_is_not_read() {
        let _ = &R67;
        let read = |text: &str| serde_json::from_str::<Command>(text);
        assert_eq!(read(r#"{"command":"encrypt","vm":"vm-web"}"#).unwrap(), encrypt());
        for more in ["password", "key", "policy", "disks"] {
            let text = format!(r#"{{"command":"encrypt","vm":"vm-web","{more}":"x"}}"#);
            assert!(read(&text).unwrap_err().to_string().contains("unknown field"), "{more}");
        }
    }

    #[test]
    fn a_vstack_without_provider_is_refused() {
        expect_refused(&R68A, "the vStack \"vc-acme\" has no key provider", encrypt(), |document| {
            document.vstacks[0].key_provider = None;
        });
        let said = "the vStack \"vc-acme\" has the key provider \"clavis\", which is not enabled";
        expect_refused(&R68A, said, encrypt(), |document| {
            document.vstacks[0].key_provider.as_mut().unwrap().enabled = false;
        });
    }

    #[test]
    fn only_off_is_off() {
        for power in PowerState::ALL.iter().filter(|power| **power != PowerState::Off) {
            let said = format!("VM \"vm-web\" is {}; power it off first", power_text(*power));
            expect_refused(&R68B, &said, encrypt(), |document| {
                let vm = vm(document, "vm-web");
                (vm.power, vm.host) = (*power, Some("host-2".into()));
            });
        }
        expect_allowed(owner(), encrypt(), |_| {});
    }

    #[test]
    fn a_replicated_vm_is_refused_paused_or_not() {
        let said = "VM \"vm-web\" is replicated: VM replication; end that or move it first";
        expect_refused(&R68C, said, encrypt(), example::replicated);
        let said = "VM \"vm-web\" is replicated: VM replication, paused; end that or move it first";
        expect_refused(&R68C, said, encrypt(), |document| {
            example::replicated(document);
            vm(document, "vm-web").replication.as_mut().unwrap().paused = true;
        });
    }

    #[test]
    fn a_vm_with_one_disk_on_a_mirrored_lun_is_refused() {
        let said = "VM \"vm-web\" is replicated: disk-1 on mirrored LUN lun-acme-gm; end that or move it first";
        expect_refused(&R68C, said, encrypt(), |document| {
            vm(document, "vm-web").disks[1].datastore = "lun-acme-gm".into();
            let standby = &mut document.mirrors[0].standby;
            (standby.cpus, standby.memory) = (8, Gib(32));
        });
    }

    #[test]
    fn a_snapshot_is_refused() {
        let said = "VM \"vm-web\" has snapshots: before-update; delete them first";
        expect_refused(&R68D, said, encrypt(), |document| example::snapshot(document, "before-update"));
    }

    #[test]
    fn a_tenant_without_the_subscription_of_the_region_is_refused() {
        let said = "the tenant has not subscribed to csp:fr1:iaas:vmware:encryption:hsm:v1";
        expect_refused(&R68E, said, encrypt(), |document| document.tenants[0].subscriptions.clear());
        expect_refused(&R68E, said, encrypt(), |document| {
            document.tenants[0].subscriptions = [Service::VmEncryption.sku(&"fr2".into())].into();
        });
    }

    #[test]
    fn an_encrypted_vm_is_refused_and_its_key_named() {
        let said = "VM \"vm-web\" is already encrypted, with key 17 of provider \"clavis\"";
        expect_refused(&R68F, said, encrypt(), example::encrypted);
    }

    #[test]
    fn a_restore_test_is_refused_and_a_clone_is_a_vm_like_any_other() {
        let said = "VM \"vm-web\" is a restore test";
        expect_refused(&R68G, said, encrypt(), |document| vm(document, "vm-web").spp_mode = SppMode::Test);
        expect_allowed(owner(), encrypt(), |document| vm(document, "vm-web").spp_mode = SppMode::Clone);
    }

    #[test]
    fn one_byte_less_than_both_disks_need_is_refused() {
        // 1024 GiB hold vm-db with 100 + 8 and vm-web with 30; both disks once more are 30.
        let fill = |less| {
            move |document: &mut crate::inventory::Document| {
                lun(document, "lun-acme-1").other_files = Bytes(Gib(1024 - 138 - 30).bytes().0 + less);
            }
        };
        let said = "not enough free space for the new copies: lun-acme-1 needs 30 GiB, has 32212254719 bytes";
        expect_refused(&ROOM, said, encrypt(), fill(1));
        expect_allowed(owner(), encrypt(), fill(0));
    }

    /// For each rule asked of who clicks, in the promised order, a way to break it and no other.
    fn breakers() -> [fn(&mut crate::inventory::Document); 8] {
        [
            |document| document.tenants[0].subscriptions.clear(),
            |document| document.vstacks[0].key_provider = None,
            example::encrypted,
            |document| vm(document, "vm-web").spp_mode = SppMode::Test,
            |document| vm(document, "vm-web").power = PowerState::Suspended,
            |document| example::snapshot(document, "before"),
            example::replicated,
            |document| lun(document, "lun-acme-1").other_files = Gib(870).bytes(),
        ]
    }

    #[test]
    fn all_findings_come_at_once_in_the_promised_order() {
        let mut document = example::document();
        breakers().into_iter().for_each(|spoil| spoil(&mut document));
        let actor = Actor::Tenant { tenant: example::TENANT.into(), permissions: [].into() };
        let inventory = Inventory::build(document).unwrap();
        let findings = crate::plan::plan(&inventory, &Request { actor, command: encrypt() }).unwrap_err();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let expected = [
            "R68e vm-encryption-subscribed: the tenant has not subscribed to csp:fr1:iaas:vmware:encryption:hsm:v1",
            "requester-has-permission: missing permission: compute_iaas_vmware_read, compute_iaas_vmware_management",
            "R68a vstack-has-key-provider: the vStack \"vc-acme\" has no key provider",
            "R68f vm-not-encrypted-yet: VM \"vm-web\" is already encrypted, with key 17 of provider \"clavis\"",
            "R68g vm-not-in-test-mode: VM \"vm-web\" is a restore test",
            "R68b vm-powered-off: VM \"vm-web\" is suspended; power it off first",
            "R68d vm-has-no-snapshot: VM \"vm-web\" has snapshots: before; delete them first",
            "R68c vm-not-replicated: VM \"vm-web\" is replicated: VM replication; end that or move it first",
            "datastore-holds-encrypted-copies: not enough free space for the new copies: \
             lun-acme-1 needs 30 GiB, has 12 GiB",
        ];
        assert_eq!(lines, expected);
    }

    proptest::proptest! {
        /// Whatever is broken: exactly those rules are found, in the promised order.
        #[test]
        fn findings_are_complete_and_ordered(broken in proptest::bits::u8::ANY) {
            let mut document = example::document();
            let chosen: Vec<usize> = (0..8).filter(|index| broken & (1 << index) != 0).collect();
            chosen.iter().for_each(|index| breakers()[*index](&mut document));
            let request = Request { actor: owner(), command: encrypt() };
            let expected: Vec<&str> = chosen.iter().map(|index| IN_ORDER[*index].id).collect();
            let found = crate::plan::plan(&Inventory::build(document).unwrap(), &request);
            let found: Vec<&str> =
                found.err().unwrap_or_default().iter().map(|finding| finding.rule.id).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
