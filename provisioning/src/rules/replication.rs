//! R53: VMs that are replicated to a standby site.

use crate::rule::{Number, Rule, facts, part, rule};

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

/// The rules of this file.
pub static RULES: [&Rule; 2] = [&R53A, &TAKE_OVER];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Command};
    use crate::example;
    use crate::model::storage::Standby;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused};
    use crate::units::Gib;

    fn replicate(interval_hours: u8, cpool: &str, memory: u64) -> Command {
        Command::Replicate {
            vm: "vm-web".into(),
            interval_hours,
            standby: Standby { cpool: cpool.into(), cpus: 2, memory: Gib(memory) },
            datastore: if cpool == "clu-par" { "lun-acme-2".into() } else { "lun-acme-th3".into() },
        }
    }

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
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
}
