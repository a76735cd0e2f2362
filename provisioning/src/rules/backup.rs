//! R53 to R61: backups and the replication of VMs.

use crate::command::Command;
use crate::model::backup::{CIPHER, PolicyState};
use crate::model::contract::{Contact, Retention, Wish};
use crate::model::vm::{PowerState, SppMode, Vm};
use crate::rule::{Number, Rule, facts, part, promise, rule};

rule! {
    /// What replication needs.
    R53A = part(53, 'a'), "replica-has-what-it-needs", Reject;
    source: "erfordert, dass Rechenleistung und RAM im Standby-Modus reserviert sind. Es ist notwendig, dass der passive Standort \
        denselben Speicherplatz hat wie der aktive Standort";
    why: "A VM is replicated every 1 to 24 hours into another zone, where as much CPU, memory and storage is reserved.";
    says: "replication of VM \"{vm}\": {fault}";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            let Some(replication) = &vm.replication else { continue };
            let (standby, needed) = (&replication.standby, vm.disk_capacity());
            let zone = |id| view.inventory.cpool(id).map(|cpool| &cpool.zone);
            let storage_zone = view.inventory.datastore(&replication.datastore).map(|lun| &lun.zone);
            let fault = if !(1..=24).contains(&replication.interval_hours) {
                format!("every {} hours; it can be every 1 to 24", replication.interval_hours)
            } else if zone(&standby.cpool) == zone(&vm.cpool) {
                "the standby site is the VM's own zone".to_owned()
            } else if storage_zone != zone(&standby.cpool) {
                "storage and compute of the standby site are in different zones".to_owned()
            } else if standby.memory < vm.memory || standby.cpus < vm.cpus {
                let (cpus, memory) = (standby.cpus, standby.memory);
                format!("{cpus} CPUs and {memory} are reserved, {} and {} needed", vm.cpus, vm.memory)
            } else if replication.storage != needed {
                format!("{} of storage are reserved, {needed} needed", replication.storage)
            } else {
                continue;
            };
            found.add(facts! { vm: &vm.id, fault: fault });
        }
    }
}

rule! {
    /// A copy that may not run is no copy.
    TAKE_OVER = Number::Flow, "replicated-vm-can-be-taken-over", Warn;
    source: "";
    why: "Where the standby site is also the site of the VM's backups, the VM could not run there (R56): back it up to a \
        third site as well.";
    says: "VM \"{vm}\" could not run at its standby site {zone}: all its backups lie there";
    Always: |view, found| {
        let site = |zone| view.inventory.zone(zone).map(|zone| &zone.site);
        for vm in view.inventory.vms().filter(|vm| !vm.policies.is_empty()) {
            let standby = vm.replication.as_ref().and_then(|one| view.inventory.cpool(&one.standby.cpool));
            let Some(standby) = standby else { continue };
            let mut policies = vm.policies.iter().filter_map(|id| view.inventory.policy(id));
            if policies.all(|policy| site(&policy.zone) == site(&standby.zone)) {
                found.add(facts! { vm: &vm.id, zone: &standby.zone });
            }
        }
    }
}

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
    /// New policies are made by support.
    R61 = promise(61), "backup-policy-is-made-on-request", ServiceRequest;
    source: "Die Erstellung einer neuen Backup-Politik erfolgt über eine Serviceanfrage, die folgende Angaben enthält: Der Name \
        Ihrer Organisation, Der Name eines Kontakts mit seiner E-Mail-Adresse und Telefonnummer […], Der Name des Tenants, Der \
        Name der Backup-Politik, Die Merkmale (x Tage, y Wochen, z Monate, ...)";
    why: "A new backup policy is asked for by service request with contact (name, mail, telephone), policy name and how many \
        days, weeks and months; organisation and tenant are known.";
    says: "for the backup policy \"{policy}\": {fault}";
    Asked: |asked, found| match asked.command() {
        Command::CreateBackupPolicy { policy, .. } if !asked.by_operator() => {
            found.add(facts! { policy: policy, fault: "ask for it by service request" });
        }
        Command::FileServiceRequest { request } => {
            let Wish::BackupPolicy { policy, retention } = &request.wish else { return };
            let missing = missing(&request.contact, retention);
            if !missing.is_empty() {
                found.add(facts! { policy: policy, fault: format!("the service request lacks {}", missing.join(", ")) });
            }
        }
        _ => {}
    }
}

rule! {
    /// What is made has what was wished.
    WISHED = Number::Flow, "service-request-covers-the-act", Reject;
    source: "";
    why: "What the operator does upon a service request is what was asked for, once.";
    says: "service request \"{request}\" does not cover \"{command}\": {fault}";
    Asked: |asked, found| {
        let Some(request) = asked.command().under().and_then(|id| asked.inventory.service_request(id)) else { return };
        let covers = match (asked.command(), &request.wish) {
            (Command::PresentMirror { mirror, .. }, Wish::PresentMirror { mirror: wished }) => mirror == wished,
            (Command::ConfigureKeyProvider { vstack, .. }, Wish::KeyProvider { vstack: wished }) => vstack == wished,
            (
                Command::CreateBackupPolicy { policy, retention, .. },
                Wish::BackupPolicy { policy: wished, retention: wished_retention },
            ) => policy == wished && retention == wished_retention,
            _ => false,
        };
        let fault = if request.state != crate::model::contract::RequestState::Open {
            format!("it is {}", request.state)
        } else if !covers {
            format!("it asks for {}", request.wish.text())
        } else {
            return;
        };
        found.add(facts! { request: &request.id, command: asked.command().name(), fault: fault });
    }
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

fn missing(contact: &Contact, retention: &Retention) -> Vec<&'static str> {
    let fields = [
        (contact.name.trim().is_empty(), "the contact's name"),
        (!contact.mail.contains('@'), "the contact's e-mail address"),
        (!contact.phone.chars().any(|one| one.is_ascii_digit()), "the contact's telephone number"),
        (*retention == Retention::default(), "days, weeks or months"),
    ];
    fields.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, field)| field).collect()
}

/// The rules of this file.
pub static RULES: [&Rule; 12] =
    [&R53A, &TAKE_OVER, &R54, &R55, &R56, &R57, &R58, &R59, &R60, &R61, &WISHED, &BY_POLICY];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Timestamp;
    use crate::command::{Actor, Request};
    use crate::example::{self, vm};
    use crate::inventory::Document;
    use crate::model::contract::{RequestState, ServiceRequest};
    use crate::model::storage::Standby;
    use crate::plan::{apply, plan};
    use crate::rules::testing::{build, expect_allowed, expect_found, expect_refused, expect_refused_of};
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    fn replicate(interval_hours: u8, cpool: &str, memory: u64) -> Command {
        Command::Replicate {
            vm: "vm-web".into(),
            interval_hours,
            standby: Standby { cpool: cpool.into(), cpus: 2, memory: Gib(memory) },
            datastore: if cpool == "clu-par" { "lun-acme-2".into() } else { "lun-acme-th3".into() },
        }
    }

    #[test]
    fn a_replication_lacking_something_is_refused() {
        let cases = [
            (replicate(0, "clu-th3", 4), "every 0 hours; it can be every 1 to 24"),
            (replicate(25, "clu-th3", 4), "every 25 hours; it can be every 1 to 24"),
            (replicate(1, "clu-par", 4), "the standby site is the VM's own zone"),
            (replicate(1, "clu-th3", 3), "2 CPUs and 3 GiB are reserved, 2 and 4 GiB needed"),
        ];
        for (command, fault) in cases {
            expect_refused(&R53A, &format!("replication of VM \"vm-web\": {fault}"), command, |_| {});
        }
        expect_allowed(owner(), replicate(24, "clu-th3", 4), |_| {});
    }

    #[test]
    fn a_disk_that_the_standby_site_has_no_room_for_is_refused() {
        let said = "replication of VM \"vm-web\": 30 GiB of storage are reserved, 31 GiB needed";
        let resize = Command::ResizeDisk { vm: "vm-web".into(), disk: "disk-0".into(), capacity: Gib(21) };
        expect_refused(&R53A, said, resize, example::replicated);
    }

    #[test]
    fn a_standby_site_that_has_the_backups_is_told_of() {
        let said = "VM \"vm-web\" could not run at its standby site TH3S: all its backups lie there";
        expect_found(&TAKE_OVER, said, |document| {
            example::replicated(document);
            document.policies[0].zone = "TH3S".into();
        });
        expect_allowed(owner(), Command::FailOverVm { vm: "vm-web".into() }, example::replicated);
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

    fn wish(days: u32) -> Wish {
        Wish::BackupPolicy { policy: "monthly".into(), retention: Retention { days, weeks: 4, months: 0 } }
    }

    #[test]
    fn a_tenant_asks_for_a_policy_and_says_all_that_is_needed() {
        let create = || Command::CreateBackupPolicy {
            policy: "monthly".into(),
            zone: "TH3S".into(),
            retention: Retention { days: 7, weeks: 4, months: 0 },
            under: "sr-9".into(),
        };
        let filed = |document: &mut Document| document.service_requests.push(request("sr-9", wish(7)));
        let said = "for the backup policy \"monthly\": ask for it by service request";
        expect_refused(&R61, said, create(), filed);
        expect_allowed(Actor::Operator, create(), filed);

        let file = |request| Command::FileServiceRequest { request };
        expect_allowed(owner(), file(request("sr-9", wish(7))), |_| {});
        let mut nobody = request("sr-9", Wish::BackupPolicy { policy: "m".into(), retention: Retention::default() });
        nobody.contact = Contact { name: " ".to_owned(), mail: "a".to_owned(), phone: "-".to_owned() };
        let said = "for the backup policy \"m\": the service request lacks the contact's name, the contact's e-mail \
            address, the contact's telephone number, days, weeks or months";
        expect_refused(&R61, said, file(nobody), |_| {});
    }

    #[test]
    fn the_operator_makes_what_was_asked_for_and_once() {
        let create = |days| Command::CreateBackupPolicy {
            policy: "monthly".into(),
            zone: "TH3S".into(),
            retention: Retention { days, weeks: 4, months: 0 },
            under: "sr-9".into(),
        };
        let filed = |document: &mut Document| document.service_requests.push(request("sr-9", wish(7)));
        let said = "service request \"sr-9\" does not cover \"create-backup-policy\": it asks for a new backup policy";
        expect_refused_of(&WISHED, said, Actor::Operator, create(8), filed);
        let said = "service request \"sr-9\" does not cover \"create-backup-policy\": it is done";
        expect_refused_of(&WISHED, said, Actor::Operator, create(7), |document| {
            filed(document);
            document.service_requests.iter_mut().for_each(|request| request.state = RequestState::Done);
        });
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
