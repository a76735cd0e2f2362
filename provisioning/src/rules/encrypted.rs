//! R69 to R74: what encrypted VMs, their backups and snapshots may and may not do afterwards.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Service;
use crate::command::{Command, Depth};
use crate::ids::{KeyId, TenantId, VmId};
use crate::inventory::Inventory;
use crate::model::compute::HostCrypto;
use crate::model::vm::PowerState;
use crate::rule::{Number, Rule, facts, promise, rule};

rule! {
    /// Before and ever after.
    R69 = promise(69), "encrypted-vm-not-mirrored", Reject;
    source: "Verschlüsselte virtuelle Maschinen sind nicht kompatibel mit der Global Mirror-Replikation";
    why: "Encrypted VMs are not compatible with Global Mirror or VM replication, and stay so.";
    says: "the encrypted VM \"{vm}\" would be replicated: {how}";
    Always: |view, found| {
        for vm in view.inventory.vms().filter(|vm| vm.encryption.is_some()) {
            let how = super::padlock::replicated(view.inventory, vm);
            if !how.is_empty() {
                found.add(facts! { vm: &vm.id, how: how });
            }
        }
    }
}

rule! {
    /// Whatever is encrypted can be read again.
    R70 = promise(70), "encrypted-data-keeps-its-key", Reject;
    source: "Verschlüsselte VM-Sicherungen behalten ihre kryptografische Schutzfunktion";
    why: "What is encrypted, a VM, a snapshot, a backup or a host's memory dumps, can be read as long as it exists: its key is \
        not destroyed, and its vStack has the key's provider.";
    says: "{what} needs {needed}";
    Always: |view, found| {
        let inventory = view.inventory;
        let mut need = |tenant: &TenantId, key: &KeyId, what: String| {
            let mut domains = inventory.key_domains().filter(|domain| domain.tenant == *tenant);
            if !domains.any(|domain| domain.keys.contains(key)) {
                found.add(facts! { what: what, needed: format!("key {key}, which its domain does not have") });
            }
        };
        for host in inventory.hosts() {
            if let HostCrypto::Safe(key) = &host.crypto {
                need(&host.tenant, key, format!("host \"{}\"", host.id));
            }
        }
        for backup in inventory.backups() {
            let keys = [&backup.key].into_iter().chain(backup.vm_encryption.iter().map(|encryption| &encryption.key));
            keys.for_each(|key| need(&backup.tenant, key, format!("backup \"{}\"", backup.id)));
        }
        for vm in inventory.vms() {
            let Some(around) = inventory.around(vm) else { continue };
            let keys: BTreeSet<&KeyId> = vm.keys().collect();
            keys.into_iter().for_each(|key| need(&around.tenant.id, key, format!("VM \"{}\"", vm.id)));
        }
        for vm in inventory.vms() {
            let Some(around) = inventory.around(vm) else { continue };
            let provider = around.vstack.key_provider.as_ref().map(|provider| &provider.id);
            if let Some(encryption) = vm.encryption.as_ref().filter(|encryption| Some(&encryption.provider) != provider) {
                let needed = format!(
                    "key provider \"{}\", which vStack \"{}\" does not have", encryption.provider, around.vstack.id,
                );
                found.add(facts! { what: format!("VM \"{}\"", vm.id), needed: needed });
            }
        }
    }
}

rule! {
    /// Out of the platform.
    R71 = promise(71), "encrypted-vm-is-not-exported", Reject;
    source: "Der Export von verschlüsselten VMs erfordert spezielle Verfahren";
    why: "An encrypted VM is not exported. Ask for it by service request: a copy is decrypted under quorum and exported.";
    says: "VM \"{vm}\" is encrypted and cannot be exported; file a service request for it";
    Asked: |asked, found| {
        if let Command::ExportOvf { vm } = asked.command()
            && let Some(vm) = asked.inventory.vm(vm).filter(|vm| vm.encryption.is_some())
        {
            found.add(facts! { vm: &vm.id });
        }
    }
}

rule! {
    /// The guest sees nothing.
    R72 = promise(72), "encryption-is-transparent", Fact;
    source: "Transparenz: Keine Auswirkung auf das Funktionieren der Anwendungen";
    why: "Encryption changes nothing that the guest can see.";
    says: "";
    Built: "the effect of `Command::Encrypt` on a VM"
}

rule! {
    /// What it costs.
    R73 = promise(73), "encryption-is-charged-by-vm", Fact;
    source: "Erweiterte Schutz - VM-Verschlüsselung über HSM/KMS, 1 VM, csp:(region):iaas:vmware:encryption:hsm:v1";
    why: "Encryption is charged by the encrypted VM.";
    says: "";
    Built: "data/services.toml and `metering::levels`"
}

rule! {
    /// Not part of the standard offer.
    R74 = promise(74), "encryption-is-subscribed-apart", Reject;
    source: "Der Dienst erfordert eine spezielle Abonnementsvereinbarung und ist nicht Teil des Standard-IaaS-Angebots";
    why: "A tenant with encrypted VMs has the subscription; decrypt or delete them before you give it up.";
    says: "tenant \"{tenant}\" has encrypted VMs and no subscription to {sku}: {vms}";
    Always: |view, found| {
        let mut missing: BTreeMap<(&TenantId, String), Vec<&VmId>> = BTreeMap::new();
        for vm in view.inventory.vms().filter(|vm| vm.encryption.is_some()) {
            let Some(around) = view.inventory.around(vm) else { continue };
            let sku = Service::VmEncryption.sku(&around.zone.region);
            if !around.tenant.subscriptions.contains(&sku) {
                missing.entry((&around.tenant.id, sku.to_string())).or_default().push(&vm.id);
            }
        }
        for ((tenant, sku), vms) in missing {
            found.add(facts! { tenant: tenant, sku: sku, vms: vms });
        }
    }
}

rule! {
    /// What the hypervisor needs for a new key, or none.
    AFTERWARDS = Number::Flow, "encrypted-vm-can-be-rekeyed", Reject;
    source: "";
    why: "A new key wraps the old disk key while the VM runs or not; a new disk key, and decryption, rewrite the disks of a \
        VM that is off and has no snapshots.";
    says: "VM \"{vm}\" cannot be {done}: {fault}";
    Asked: |asked, found| {
        let (vm, done, rewrites) = match asked.command() {
            Command::Decrypt { vm } => (vm, "decrypted", true),
            Command::ExportEncrypted { vm, .. } => (vm, "exported from its key", true),
            Command::Rekey { vm, depth: Depth::Deep } => (vm, "re-keyed deeply", true),
            Command::Rekey { vm, depth: Depth::Shallow } => (vm, "re-keyed", false),
            _ => return,
        };
        let Some(vm) = asked.inventory.vm(vm) else { return };
        let Some(encryption) = &vm.encryption else {
            found.add(facts! { vm: &vm.id, done: done, fault: "it is not encrypted" });
            return;
        };
        let faults = [
            (encryption.locked, "it is locked: its host cannot get its key"),
            (rewrites && vm.power != PowerState::Off, "it is not powered off"),
            (rewrites && !vm.snapshots.is_empty(), "it has snapshots"),
        ];
        for (_, fault) in faults.into_iter().filter(|(is_so, _)| *is_so) {
            found.add(facts! { vm: &vm.id, done: done, fault: fault });
        }
    }
}

rule! {
    /// A running VM's key is on its host.
    ON_SAFE_HOST = Number::Flow, "encrypted-vm-runs-on-a-host-that-holds-keys", Reject;
    source: "";
    why: "A host takes the keys of VMs once it has its host key; and a locked VM does not run.";
    says: "the encrypted VM \"{vm}\" cannot run on host \"{host}\": {fault}";
    Always: |view, found| {
        for vm in view.inventory.vms().filter(|vm| vm.power == PowerState::On) {
            let (Some(encryption), Some(host)) = (&vm.encryption, &vm.host) else { continue };
            let safe = view.inventory.host(host).is_some_and(|host| matches!(host.crypto, HostCrypto::Safe(_)));
            if encryption.locked {
                found.add(facts! { vm: &vm.id, host: host, fault: "the VM is locked" });
            } else if !safe {
                found.add(facts! { vm: &vm.id, host: host, fault: "the host holds no keys" });
            }
        }
    }
}

rule! {
    /// Host and VM go through their states one by one.
    CRYPTO_STATES = Number::Flow, "crypto-states-follow-each-other", Reject;
    source: "";
    why: "A host gets a host key when it has none or is to have another, and gives keys up when it holds some; only an \
        encrypted VM has a key to report on.";
    says: "{fault}";
    Asked: |asked, found| {
        let host = |id| asked.inventory.host(id).map(|host| &host.crypto);
        let fault = match asked.command() {
            Command::EnableHostCrypto { host: id } if host(id) == Some(&HostCrypto::PendingIncapable) => {
                format!("host \"{id}\" is to hold no keys; it has to reboot first")
            }
            Command::DisableHostCrypto { host: id } if !matches!(host(id), Some(HostCrypto::Safe(_))) => {
                format!("host \"{id}\" holds no keys")
            }
            Command::ReportKey { vm, .. } if asked.inventory.vm(vm).is_some_and(|vm| vm.encryption.is_none()) => {
                format!("VM \"{vm}\" is in clear")
            }
            _ => return,
        };
        found.add(facts! { fault: fault });
    }
}

/// Everything that a key opens, in words: as long as there is anything, the key is held and cannot be destroyed.
#[must_use]
pub fn holders(inventory: &Inventory, tenant: &TenantId, key: &KeyId) -> Vec<String> {
    let own = |other: Option<&TenantId>| other == Some(tenant);
    let vms = inventory.vms().filter(|vm| own(inventory.tenant_of_cpool(&vm.cpool)) && vm.keys().any(|one| one == key));
    let backups = inventory.backups().filter(|backup| {
        let of_vm = backup.vm_encryption.as_ref().is_some_and(|encryption| encryption.key == *key);
        backup.tenant == *tenant && (backup.key == *key || of_vm)
    });
    let hosts = inventory.hosts().filter(|host| host.tenant == *tenant && host.crypto == HostCrypto::Safe(key.clone()));
    vms.map(|vm| format!("VM \"{}\"", vm.id))
        .chain(backups.map(|backup| format!("backup \"{}\"", backup.id)))
        .chain(hosts.map(|host| format!("host \"{}\"", host.id)))
        .collect()
}

/// The rules of this file.
pub static RULES: [&Rule; 9] = [&R69, &R70, &R71, &R72, &R73, &R74, &AFTERWARDS, &ON_SAFE_HOST, &CRYPTO_STATES];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Outcome, Request};
    use crate::crypto_state::KeyAnswer;
    use crate::example::{self, vm};
    use crate::inventory::Document;
    use crate::model::contract::Wish;
    use crate::model::storage::{MirrorKind, Standby};
    use crate::plan::{apply, plan};
    use crate::rules::testing::{build, expect_allowed, expect_found, expect_refused, expect_refused_of};
    use crate::saga::Step;
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    /// Ways to replicate vm-web: by moving a disk, by mirroring its LUN, by VM replication.
    fn replications() -> [(Command, &'static str); 3] {
        let standby = |memory| Standby { cpool: "clu-th3".into(), cpus: 16, memory: Gib(memory) };
        [
            (
                Command::MoveDisk { vm: "vm-web".into(), disk: "disk-1".into(), to: "lun-acme-gm".into() },
                "disk-1 on mirrored LUN lun-acme-gm",
            ),
            (
                Command::CreateMirror {
                    mirror: "gm-2".into(),
                    kind: MirrorKind::Global,
                    primary: "lun-acme-1".into(),
                    secondary: "lun-acme-th3".into(),
                    standby: standby(64),
                },
                "its configuration on mirrored LUN lun-acme-1, disk-0 on mirrored LUN lun-acme-1, \
                 disk-1 on mirrored LUN lun-acme-1",
            ),
            (
                Command::Replicate {
                    vm: "vm-web".into(),
                    interval_hours: 1,
                    standby: standby(4),
                    datastore: "lun-acme-th3".into(),
                },
                "VM replication",
            ),
        ]
    }

    #[test]
    fn an_encrypted_vm_is_not_replicated_afterwards_and_one_in_clear_may_be() {
        for (command, how) in replications() {
            let said = format!("the encrypted VM \"vm-web\" would be replicated: {how}");
            expect_refused(&R69, &said, command.clone(), example::encrypted);
            expect_allowed(owner(), command, |_| {});
        }
    }

    #[test]
    fn an_encrypted_vm_may_move_to_a_lun_without_mirror() {
        let away = Command::MoveDisk { vm: "vm-web".into(), disk: "disk-0".into(), to: "lun-acme-2".into() };
        expect_allowed(owner(), away, example::encrypted);
    }

    #[test]
    fn a_key_that_something_needs_is_not_destroyed() {
        let destroy = |key: &str| Command::DestroyKey { domain: "dom-acme".into(), key: key.into() };
        let said = "VM \"vm-web\" needs key 17, which its domain does not have";
        expect_refused(&R70, said, destroy("17"), example::encrypted);
        let said = "backup \"b-1\" needs key k-b1, which its domain does not have";
        expect_refused(&R70, said, destroy("k-b1"), |_| {});
        let said = "host \"host-1\" needs key k-h1, which its domain does not have";
        expect_refused(&R70, said, destroy("k-h1"), |_| {});
        expect_allowed(owner(), destroy("17"), |document| {
            document.key_domains[0].keys.insert("17".into());
        });
    }

    #[test]
    fn a_snapshot_and_a_backup_hold_the_key_that_the_vm_has_given_up() {
        let rekeyed = build(|document| {
            example::encrypted(document);
            example::snapshot(document, "old");
            let web = vm(document, "vm-web");
            web.encryption.as_mut().unwrap().key = "18".into();
            web.disks.iter_mut().for_each(|disk| disk.key = Some("18".into()));
            document.key_domains[0].keys.insert("18".into());
        });
        let _ = &R70;
        let tenant = example::TENANT.into();
        assert_eq!(holders(&rekeyed, &tenant, &"17".into()), ["VM \"vm-web\""]);
        assert_eq!(holders(&rekeyed, &tenant, &"18".into()), ["VM \"vm-web\""]);
        assert_eq!(holders(&rekeyed, &tenant, &"k-b1".into()), ["backup \"b-1\""]);
        assert_eq!(holders(&rekeyed, &tenant, &"k-h1".into()), ["host \"host-1\""]);
        assert_eq!(holders(&rekeyed, &tenant, &"none".into()), [""; 0]);
    }

    #[test]
    fn an_encrypted_backup_is_restored_only_where_its_provider_is() {
        let restore = |cpool: &str, home: &str| Command::Restore {
            backup: "b-1".into(),
            vm: "vm-back".into(),
            cpool: cpool.into(),
            home: home.into(),
            mode: crate::model::vm::SppMode::Clone,
        };
        let saved = |document: &mut Document| {
            document.backups[0].vm_encryption = Some(example::encryption());
            document.key_domains[0].keys.insert("17".into());
        };
        let said = "VM \"vm-back\" needs key provider \"clavis\", which vStack \"vc-acme-2\" does not have";
        expect_refused(&R70, said, restore("clu-far", "lun-acme-far"), saved);
        expect_allowed(owner(), restore("clu-par", "lun-acme-1"), saved);
    }

    #[test]
    fn an_encrypted_vm_is_not_exported() {
        let said = "VM \"vm-web\" is encrypted and cannot be exported; file a service request for it";
        let export = || Command::ExportOvf { vm: "vm-web".into() };
        expect_refused(&R71, said, export(), example::encrypted);
        expect_allowed(owner(), export(), |_| {});
    }

    #[test]
    fn an_encrypted_vm_is_exported_by_the_operator_as_a_copy_under_quorum() {
        let _ = &R71;
        let inventory = build(|document| {
            example::encrypted(document);
            document.service_requests[1].wish = Wish::ExportEncrypted { vm: "vm-web".into() };
        });
        let command = Command::ExportEncrypted { vm: "vm-web".into(), under: "sr-present".into() };
        let by_tenant = plan(&inventory, &Request { actor: owner(), command: command.clone() }).unwrap_err();
        assert_eq!(by_tenant[0].message(), "ask for it by service request: \"export-encrypted\"");
        let planned = plan(&inventory, &Request { actor: Actor::Operator, command: command.clone() }).unwrap();
        assert!(planned.steps.starts_with(&[Step::HoldVm, Step::AskQuorum, Step::GiveKeyToHost]));
        let exported = apply(&inventory, &planned, &Outcome::default()).unwrap();
        // The VM stays encrypted, and what was asked for once is done once.
        assert_eq!(exported.vm(&"vm-web".into()), inventory.vm(&"vm-web".into()));
        assert!(plan(&exported, &Request { actor: Actor::Operator, command }).is_err());
    }

    fn encrypt_example() -> (Inventory, Inventory) {
        let before = example::inventory();
        let request = Request { actor: owner(), command: Command::Encrypt { vm: "vm-web".into() } };
        let planned = plan(&before, &request).unwrap();
        let after = apply(&before, &planned, &Outcome::key("17".into())).unwrap();
        (before, after)
    }

    #[test]
    fn encryption_changes_nothing_that_the_guest_sees() {
        let _ = &R72;
        let (before, after) = encrypt_example();
        let (before, mut after) =
            (before.vm(&"vm-web".into()).unwrap().clone(), after.vm(&"vm-web".into()).unwrap().clone());
        assert_eq!(after.encryption, Some(example::encryption()));
        assert!(after.disks.iter().all(|disk| disk.key == Some("17".into())));
        after.encryption = None;
        after.disks.iter_mut().for_each(|disk| disk.key = None);
        assert_eq!(before, after);
    }

    #[test]
    fn an_encrypted_vm_is_charged_as_one() {
        let _ = &R73;
        let sku = Service::VmEncryption.sku(&"fr1".into());
        assert_eq!(sku.to_string(), "csp:fr1:iaas:vmware:encryption:hsm:v1");
        let (before, after) = encrypt_example();
        let level = |inventory| crate::metering::levels(inventory).get(&(example::TENANT.into(), sku.clone())).copied();
        assert_eq!((level(&before), level(&after)), (None, Some(1)));
    }

    #[test]
    fn the_subscription_is_kept_while_there_are_encrypted_vms() {
        let give_up = || Command::Unsubscribe { sku: Service::VmEncryption.sku(&"fr1".into()) };
        let said = "tenant \"acme\" has encrypted VMs and no subscription to \
            csp:fr1:iaas:vmware:encryption:hsm:v1: vm-web";
        expect_refused(&R74, said, give_up(), example::encrypted);
        expect_allowed(owner(), give_up(), |_| {});
    }

    #[test]
    fn rekeying_and_decrypting_have_the_hypervisors_preconditions() {
        let deep = || Command::Rekey { vm: "vm-web".into(), depth: Depth::Deep };
        let shallow = || Command::Rekey { vm: "vm-web".into(), depth: Depth::Shallow };
        let decrypt = || Command::Decrypt { vm: "vm-web".into() };
        expect_refused(&AFTERWARDS, "VM \"vm-web\" cannot be decrypted: it is not encrypted", decrypt(), |_| {});
        let snapshot = |document: &mut Document| {
            example::encrypted(document);
            example::snapshot(document, "old");
        };
        expect_refused(&AFTERWARDS, "VM \"vm-web\" cannot be re-keyed deeply: it has snapshots", deep(), snapshot);
        expect_refused(&AFTERWARDS, "VM \"vm-web\" cannot be decrypted: it has snapshots", decrypt(), snapshot);
        expect_allowed(owner(), shallow(), snapshot);
        for command in [deep(), shallow(), decrypt()] {
            expect_allowed(owner(), command, example::encrypted);
        }
        let said = "VM \"vm-web\" cannot be re-keyed: it is locked: its host cannot get its key";
        expect_refused(&AFTERWARDS, said, shallow(), |document| {
            example::encrypted(document);
            vm(document, "vm-web").encryption.as_mut().unwrap().locked = true;
        });
    }

    #[test]
    fn a_running_encrypted_vm_on_a_host_without_keys_is_found() {
        let said = "the encrypted VM \"vm-web\" cannot run on host \"host-2\": the host holds no keys";
        expect_found(&ON_SAFE_HOST, said, |document| {
            example::encrypted(document);
            let web = vm(document, "vm-web");
            (web.power, web.host) = (PowerState::On, Some("host-2".into()));
        });
    }

    #[test]
    fn a_host_goes_through_its_states_and_a_vm_in_clear_has_no_key() {
        let enable = || Command::EnableHostCrypto { host: "host-1".into() };
        let disable = |host: &str| Command::DisableHostCrypto { host: host.into() };
        let said = "host \"host-1\" is to hold no keys; it has to reboot first";
        expect_refused_of(&CRYPTO_STATES, said, Actor::Operator, enable(), |document| {
            document.hosts[0].crypto = HostCrypto::PendingIncapable;
        });
        let said = "host \"host-2\" holds no keys";
        expect_refused_of(&CRYPTO_STATES, said, Actor::Operator, disable("host-2"), |_| {});
        let report = Command::ReportKey { vm: "vm-web".into(), host_has_key: false, answer: KeyAnswer::Unreachable };
        expect_refused_of(&CRYPTO_STATES, "VM \"vm-web\" is in clear", Actor::Operator, report, |_| {});
        expect_allowed(Actor::Operator, enable(), |_| {});
        expect_allowed(Actor::Operator, disable("host-1"), |_| {});
    }

    /// The inventory after the operator's command.
    fn after(inventory: &Inventory, command: Command) -> Inventory {
        let planned = plan(inventory, &Request { actor: Actor::Operator, command }).unwrap();
        apply(inventory, &planned, &Outcome::key("new-key".into())).unwrap()
    }

    #[test]
    fn a_vm_is_locked_when_neither_host_nor_server_has_its_key_and_unlocked_again() {
        let report = |host_has_key, answer| Command::ReportKey { vm: "vm-web".into(), host_has_key, answer };
        let state = |inventory: &Inventory| {
            let vm = inventory.vm(&"vm-web".into()).unwrap();
            (vm.power, vm.encryption.as_ref().unwrap().locked)
        };
        let unlocked = build(example::encrypted);
        let kept = after(&unlocked, report(true, KeyAnswer::Unreachable));
        assert_eq!(state(&kept), (PowerState::Off, false));
        let locked = after(&unlocked, report(false, KeyAnswer::Missing));
        assert_eq!(state(&locked), (PowerState::Invalid, true));
        let start = Request { actor: owner(), command: Command::PowerOn { vm: "vm-web".into() } };
        let refused = plan(&locked, &start).unwrap_err();
        assert_eq!(refused[0].message(), "VM \"vm-web\" is invalid: it can be started when it stands still");
        assert_eq!(state(&after(&locked, report(false, KeyAnswer::Active))), (PowerState::Off, false));
    }

    #[test]
    fn a_host_that_gave_up_its_keys_takes_a_new_one_after_a_reboot() {
        let on = |inventory: &Inventory| inventory.host(&"host-1".into()).unwrap().crypto.clone();
        let disabled = after(&example::inventory(), Command::DisableHostCrypto { host: "host-1".into() });
        assert_eq!(on(&disabled), HostCrypto::PendingIncapable);
        let rebooted = after(&disabled, Command::HostRebooted { host: "host-1".into() });
        assert_eq!(on(&rebooted), HostCrypto::Incapable);
        let safe = after(&rebooted, Command::EnableHostCrypto { host: "host-1".into() });
        assert_eq!(on(&safe), HostCrypto::Safe("new-key".into()));
    }

    #[test]
    fn a_host_with_a_running_encrypted_vm_does_not_give_up_its_keys() {
        let said = "the encrypted VM \"vm-web\" cannot run on host \"host-1\": the host holds no keys";
        let disable = Command::DisableHostCrypto { host: "host-1".into() };
        expect_refused_of(&ON_SAFE_HOST, said, Actor::Operator, disable, |document| {
            example::encrypted(document);
            let web = vm(document, "vm-web");
            (web.power, web.host) = (PowerState::On, Some("host-1".into()));
        });
    }
}
