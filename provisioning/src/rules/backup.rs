//! R54 to R60: backups.

use crate::command::Command;
use crate::model::backup::{CIPHER, PolicyState};
use crate::model::vm::{PowerState, SppMode, Vm};
use crate::rule::{Number, Rule, facts, promise, rule};

rule! {
    /// Constant writers.
    R54 = promise(54), "constant-writer-is-left-out", Warn;
    source: "Einige virtuelle Maschinen sind nicht mit dieser Sicherungstechnologie kompatibel […]. Dies sind typischerweise \
        Maschinen mit konstanten Schreiblasten auf der Festplatte";
    why: "A disk that is always written cannot close a snapshot without a long pause: leave it out of backups, do not \
        replicate the VM.";
    says: "disk \"{disk}\" of VM \"{vm}\" is always written, and {used} works by snapshots";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            for disk in vm.disks.iter().filter(|disk| disk.constant_writes) {
                if vm.replication.is_some() {
                    found.add(facts! { disk: &disk.id, vm: &vm.id, used: "its replication" });
                } else if !vm.policies.is_empty() && disk.is_backed_up() {
                    found.add(facts! { disk: &disk.id, vm: &vm.id, used: "its backup" });
                }
            }
        }
    }
}

rule! {
    /// Backups cannot be had off.
    R55 = promise(55), "running-vm-is-backed-up", Reject;
    source: "bietet eine native, nicht entkoppelbare Sicherungsarchitektur (sie ist in der secnumcloud-französischen \
        Zertifizierung obligatorisch)";
    why: "Backup is mandatory: a VM runs with at least one active backup policy. Assign one before you start it.";
    says: "VM \"{vm}\" cannot run: {fault}";
    Always: |view, found| {
        for vm in view.inventory.vms().filter(|vm| must_be_backed_up(vm)) {
            let state = |id| view.inventory.policy(id).map(|policy| policy.state);
            if vm.policies.is_empty() {
                found.add(facts! { vm: &vm.id, fault: "no backup policy is assigned to it" });
            } else if !vm.policies.iter().any(|id| state(id) == Some(PolicyState::Active)) {
                found.add(facts! { vm: &vm.id, fault: "its backup policies are in the state HELD" });
            }
        }
    }
}

rule! {
    /// Elsewhere.
    R56 = promise(56), "backup-lies-at-another-site", Reject;
    source: "Die Sicherungen werden in einer Verfügbarkeitszone und auf einem physischen Rechenzentrum gespeichert, das sich von \
        dem Rechenzentrum unterscheidet, das die virtuelle Maschine hostet";
    why: "A backup lies in another zone and in another data centre than the VM.";
    says: "backups of VM \"{vm}\" by \"{policy}\" would lie in {zone}, at the site of the VM itself";
    Always: |view, found| {
        let site = |zone| view.inventory.zone(zone).map(|zone| &zone.site);
        for vm in view.inventory.vms() {
            let Some(around) = view.inventory.around(vm) else { continue };
            for policy in vm.policies.iter().filter_map(|id| view.inventory.policy(id)) {
                if site(&policy.zone) == Some(&around.zone.site) {
                    found.add(facts! { vm: &vm.id, policy: &policy.id, zone: &policy.zone });
                }
            }
        }
        for backup in view.inventory.backups() {
            if site(&backup.zone) == site(&backup.vm_zone) {
                found.add(facts! { vm: &backup.vm, policy: &backup.policy, zone: &backup.zone });
            }
        }
    }
}

rule! {
    /// Encrypted at rest.
    R57 = promise(57), "backup-is-encrypted", Reject;
    source: "Sie werden mit einem symmetrischen AES-256-Bit-Algorithmus (Cipher-Modus xts-plain64) verschlüsselt";
    why: "Backups are encrypted at rest with AES-256 in the mode xts-plain64.";
    says: "{what} \"{id}\" has the cipher \"{cipher}\"; it has to be aes-256-xts-plain64";
    Always: |view, found| {
        for policy in view.inventory.policies().filter(|policy| policy.cipher != CIPHER) {
            found.add(facts! { id: &policy.id, what: "backup policy", cipher: policy.cipher.as_str() });
        }
        for backup in view.inventory.backups().filter(|backup| backup.cipher != CIPHER) {
            found.add(facts! { id: &backup.id, what: "backup", cipher: backup.cipher.as_str() });
        }
    }
}

rule! {
    /// As long as there is room.
    R58 = promise(58), "retention-is-limited-by-quota-only", Fact;
    source: "Eine begrenzte Aufbewahrungsdauer, die nur durch die Speicherkapazität begrenzt ist";
    why: "Backups start at once from mass storage, give back single files, and are kept as long as the quota has room.";
    says: "";
    Built: "`Retention` has no upper bound; a backup has no end"
}

rule! {
    /// For each VM, for each disk.
    R59 = promise(59), "backup-is-set-per-vm-and-disk", Fact;
    source: "Die Sicherungspolitik ist in der Cloud Temple Console für jede virtuelle Maschine konfigurierbar. Die Lösung besteht \
        darin, die Festplatte, die dauerhaften Schreibvorgängen unterliegt, auszuschließen";
    why: "Policies are assigned to VMs, and each disk can be left out.";
    says: "";
    Built: "`Vm::policies` and `VirtualDisk::excluded_from_backup`"
}

rule! {
    /// What it costs.
    R60 = promise(60), "backup-is-charged-by-vm", Fact;
    source: "SAUVEGARDE - Zugriff auf den IBM Spectrum Protect Plus-Service, 1 VM, csp:(region):iaas:backup:vm:v1";
    why: "The backup service is charged by the VM that has a policy.";
    says: "";
    Built: "data/services.toml and `metering::levels`"
}

rule! {
    /// A backup is made by a policy that the VM has.
    BY_POLICY = Number::Flow, "backup-is-made-by-a-policy-of-the-vm", Reject;
    source: "";
    why: "A backup is made by an active policy that is assigned to the VM.";
    says: "policy \"{policy}\" makes no backup of VM \"{vm}\": {fault}";
    Asked: |asked, found| {
        let Command::BackUp { vm, policy, .. } = asked.command() else { return };
        let assigned = asked.inventory.vm(vm).is_some_and(|vm| vm.policies.contains(policy));
        let active = asked.inventory.policy(policy).is_some_and(|policy| policy.state == PolicyState::Active);
        if !assigned {
            found.add(facts! { policy: policy, vm: vm, fault: "it is not assigned to it" });
        } else if !active {
            found.add(facts! { policy: policy, vm: vm, fault: "it is HELD" });
        }
    }
}

/// Whether a VM runs, and is not a restore test that is thrown away.
fn must_be_backed_up(vm: &Vm) -> bool {
    vm.power == PowerState::On && vm.spp_mode != SppMode::Test
}

/// The rules of this file.
pub static RULES: [&Rule; 8] = [&R54, &R55, &R56, &R57, &R58, &R59, &R60, &BY_POLICY];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Timestamp;
    use crate::command::{Actor, Request};
    use crate::example::{self, vm};
    use crate::inventory::Document;
    use crate::model::contract::{Contact, RequestState, Retention, ServiceRequest, Wish};
    use crate::plan::{apply, plan};
    use crate::rules::testing::{build, expect_allowed, expect_found, expect_refused};
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn a_constant_writer_is_told_of_unless_it_is_left_out() {
        let said = "disk \"disk-0\" of VM \"vm-web\" is always written, and its backup works by snapshots";
        expect_found(&R54, said, |document| vm(document, "vm-web").disks[0].constant_writes = true);
        let left_out = build(|document| {
            let disk = &mut vm(document, "vm-web").disks[0];
            (disk.constant_writes, disk.excluded_from_backup) = (true, true);
        });
        assert_eq!(crate::plan::findings(&left_out), []);
        let said = "disk \"disk-0\" of VM \"vm-web\" is always written, and its replication works by snapshots";
        expect_found(&R54, said, |document| {
            example::replicated(document);
            vm(document, "vm-web").disks[0].constant_writes = true;
        });
    }

    #[test]
    fn a_vm_without_policy_does_not_start_and_the_last_policy_stays_while_it_runs() {
        let start = || Command::PowerOn { vm: "vm-web".into() };
        let said = "VM \"vm-web\" cannot run: no backup policy is assigned to it";
        expect_refused(&R55, said, start(), |document| vm(document, "vm-web").policies.clear());
        expect_allowed(owner(), start(), |_| {});
        let said = "VM \"vm-db\" cannot run: no backup policy is assigned to it";
        let remove = |of: &str| Command::RemovePolicy { vm: of.into(), policy: "daily".into() };
        expect_refused(&R55, said, remove("vm-db"), |_| {});
        expect_allowed(owner(), remove("vm-web"), |_| {});
    }

    #[test]
    fn a_vm_whose_only_policy_is_held_does_not_start() {
        let said = "VM \"vm-web\" cannot run: its backup policies are in the state HELD";
        let start = || Command::PowerOn { vm: "vm-web".into() };
        let hold = |document: &mut Document| {
            let mut held = document.policies[0].clone();
            (held.id, held.state) = ("weekly".into(), PolicyState::Held);
            document.policies.push(held);
            vm(document, "vm-web").policies = ["weekly".into()].into();
        };
        expect_refused(&R55, said, start(), hold);
        expect_allowed(owner(), start(), |document| {
            hold(document);
            vm(document, "vm-web").policies.insert("daily".into());
        });
    }

    #[test]
    fn a_backup_at_the_site_of_the_vm_is_found() {
        let said = "backups of VM \"vm-web\" by \"near\" would lie in PAR7S, at the site of the VM itself";
        expect_found(&R56, said, |document| {
            let mut near = document.policies[0].clone();
            (near.id, near.zone) = ("near".into(), "PAR7S".into());
            document.policies.push(near);
            vm(document, "vm-web").policies.insert("near".into());
        });
        // Another zone in the same building is no other site.
        let said = "backups of VM \"vm-far\" by \"daily\" would lie in AZ07, at the site of the VM itself";
        expect_found(&R56, said, |document| {
            let zone = crate::model::place::Zone { id: "AZ08".into(), region: "fr1".into(), site: "data4".into() };
            document.zones.push(zone);
            let mut backup = document.backups[0].clone();
            (backup.id, backup.vm, backup.vm_zone) = ("b-2".into(), "vm-far".into(), "AZ08".into());
            document.backups.push(backup);
        });
    }

    #[test]
    fn another_cipher_is_found() {
        let said = "backup policy \"daily\" has the cipher \"aes-128-cbc\"; it has to be aes-256-xts-plain64";
        expect_found(&R57, said, |document| document.policies[0].cipher = "aes-128-cbc".to_owned());
        let said = "backup \"b-1\" has the cipher \"none\"; it has to be aes-256-xts-plain64";
        expect_found(&R57, said, |document| document.backups[0].cipher = "none".to_owned());
    }

    #[test]
    fn a_thousand_years_of_backups_are_a_policy() {
        let _ = &R58;
        let retention = Retention { days: 0, weeks: 0, months: 12_000 };
        let wish = build(|document| {
            let asked = Wish::BackupPolicy { policy: "forever".into(), retention: retention.clone() };
            document.service_requests.push(request("sr-9", asked));
        });
        let command = Command::CreateBackupPolicy {
            policy: "forever".into(),
            zone: "TH3S".into(),
            retention: retention.clone(),
            under: "sr-9".into(),
        };
        let planned = plan(&wish, &Request { actor: Actor::Operator, command }).unwrap();
        let after = apply(&wish, &planned, &crate::command::Outcome::default()).unwrap();
        assert_eq!(after.policy(&"forever".into()).unwrap().retention, retention);
        assert_eq!(after.service_request(&"sr-9".into()).unwrap().state, RequestState::Done);
    }

    #[test]
    fn a_disk_that_is_left_out_is_not_in_the_backup() {
        let _ = &R59;
        let inventory = build(|document| vm(document, "vm-web").disks[1].excluded_from_backup = true);
        let command = Command::BackUp {
            vm: "vm-web".into(),
            policy: "daily".into(),
            backup: "b-2".into(),
            at: Timestamp(1_793_500_000),
        };
        let planned = plan(&inventory, &Request { actor: owner(), command }).unwrap();
        let after = apply(&inventory, &planned, &crate::command::Outcome::key("k-b2".into())).unwrap();
        let backup = after.backup(&"b-2".into()).unwrap();
        assert_eq!(backup.disks.iter().map(|disk| disk.id.as_str()).collect::<Vec<_>>(), ["disk-0"]);
        assert_eq!((backup.size, backup.cipher.as_str()), (Gib(20).bytes(), CIPHER));
    }

    #[test]
    fn each_vm_with_a_policy_is_charged() {
        let _ = &R60;
        let levels = crate::metering::levels(&example::inventory());
        let sku = crate::catalogue::Service::VmBackup.sku(&"fr1".into());
        assert_eq!(sku.to_string(), "csp:fr1:iaas:backup:vm:v1");
        assert_eq!(levels.get(&(example::TENANT.into(), sku)).copied(), Some(3));
    }

    fn request(id: &str, wish: Wish) -> ServiceRequest {
        let contact =
            Contact { name: "A. Durand".to_owned(), mail: "a@acme.example".to_owned(), phone: "+33 1".to_owned() };
        ServiceRequest { id: id.into(), tenant: example::TENANT.into(), contact, wish, state: RequestState::Open }
    }

    #[test]
    fn a_policy_that_is_not_the_vms_makes_no_backup() {
        let back_up =
            || Command::BackUp { vm: "vm-web".into(), policy: "daily".into(), backup: "b-2".into(), at: Timestamp(0) };
        let said = "policy \"daily\" makes no backup of VM \"vm-web\": it is not assigned to it";
        expect_refused(&BY_POLICY, said, back_up(), |document| vm(document, "vm-web").policies.clear());
        expect_allowed(owner(), back_up(), |_| {});
    }
}
