//! R28 to R31: room for swap files, snapshots, growing disks and backups.

use crate::rule::{Number, Rule, facts, promise, rule};
use crate::units::Bytes;

/// Per cent of a datastore that should be free for the snapshots of backups.
pub const FREE_PERCENT: u64 = 10;

rule! {
    /// What is there has to fit; the array gives no more than was ordered.
    FITS = Number::Flow, "datastore-holds-its-files", Reject;
    source: "";
    why: "A datastore holds what was ordered and no byte more.";
    says: "the files on \"{datastore}\" would take {needed}; it has {size}";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let (needed, size) = (view.space(&lun.id).files, lun.capacity.bytes());
            if needed > size {
                found.add_by(needed.less(size).0, facts! { datastore: &lun.id, needed: needed, size: size });
            }
        }
    }
}

rule! {
    /// A running VM has a swap file as large as its memory.
    R28 = promise(28), "datastore-holds-swap-files", Reject;
    source: "Wenn eine virtuelle Maschine gestartet wird, erstellt sie eine .VSWP-Datei mit der Größe ihres Arbeitsspeichers \
        auf der Festplatte";
    why: "A VM that starts makes a swap file as large as its memory, for which its datastore must have room.";
    says: "the swap files on \"{datastore}\" would take {needed}; beside its other files {room} are left";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let (space, size) = (view.space(&lun.id), lun.capacity.bytes());
            let room = size.less(space.files);
            // Where not even the files fit, that is said already.
            if space.files <= size && space.memory_files > room {
                let short = space.memory_files.less(room).0;
                found.add_by(short, facts! { datastore: &lun.id, needed: space.memory_files, room: room });
            }
        }
    }
}

rule! {
    /// Backups work with snapshots.
    R29 = promise(29), "datastore-has-room-for-snapshots", Warn;
    source: "Im Allgemeinen wird empfohlen, mindestens 10 % freien Speicherplatz für diese Operation zu reservieren";
    why: "Backups take snapshots, which grow while the VM writes; at least 10 % should be free for them.";
    says: "only {free} of {size} are free on \"{datastore}\"; keep {wanted} for snapshots of backups";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let (free, size) = (view.free(lun), lun.capacity.bytes());
            let wanted = Bytes(size.0.div_ceil(100 / FREE_PERCENT));
            if free < wanted {
                let short = wanted.less(free).0;
                found.add_by(short, facts! { datastore: &lun.id, free: free, size: size, wanted: wanted });
            }
        }
    }
}

rule! {
    /// Dynamic disks grow.
    R30 = promise(30), "dynamic-disks-can-grow", Warn;
    source: "Wenn Sie ihre Wachstumsfähigkeit nicht kontrollieren, kann ein Mangel an physischem Speicher zu einem Einfrieren \
        (Freeze) der virtuellen Maschine führen, im besten Fall";
    why: "A dynamic disk that finds no room freezes its VM at best and corrupts its data at worst.";
    says: "dynamic disks on \"{datastore}\" may grow by {growth}; only {free} are free";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let (growth, free) = (view.space(&lun.id).growth, view.free(lun));
            if growth > free {
                found.add_by(growth.less(free).0, facts! { datastore: &lun.id, growth: growth, free: free });
            }
        }
    }
}

rule! {
    /// Backups.
    R31 = promise(31), "backups-stay-within-quota", Reject;
    source: "Der dedizierte Speicher für die Sicherung Ihrer virtuellen Maschinen wird von der Plattform im Rahmen des \
        bestellten Quotas automatisch bereitgestellt";
    why: "Storage of backups is provided by itself, up to the quota that was ordered.";
    says: "the backups of tenant \"{tenant}\" would take {needed}; {quota} are ordered";
    Always: |view, found| {
        for tenant in view.inventory.tenants() {
            let own = view.inventory.backups().filter(|backup| backup.tenant == tenant.id);
            let (needed, quota) = (own.map(|backup| backup.size).sum::<Bytes>(), tenant.backup_quota.bytes());
            if needed > quota {
                found.add_by(needed.less(quota).0, facts! { tenant: &tenant.id, needed: needed, quota: quota });
            }
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 5] = [&FITS, &R28, &R29, &R30, &R31];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Command};
    use crate::example::{self, lun, vm};
    use crate::model::vm::Provisioning;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused};
    use crate::units::{Gib, Tib};

    #[test]
    fn a_disk_larger_than_its_datastore_is_refused() {
        // 1024 GiB, of which the example's disks take 100 + 20 + 10 and the swap file of vm-db 8.
        let resize =
            |capacity| Command::ResizeDisk { vm: "vm-web".into(), disk: "disk-0".into(), capacity: Gib(capacity) };
        let said = "the files on \"lun-acme-1\" would take 1025 GiB; it has 1 TiB";
        expect_refused(&FITS, said, resize(915), |_| {});
        let said = "the swap files on \"lun-acme-1\" would take 8 GiB; beside its other files 7 GiB are left";
        expect_refused(&R28, said, resize(907), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), resize(906), |_| {});
    }

    #[test]
    fn ten_vms_of_64_gib_need_640_gib_to_start() {
        // The service description's own example: the tenth finds no room on 1 TiB that holds 450 GiB of files.
        let said = "the swap files on \"lun-acme-1\" would take 648 GiB; beside its other files 574 GiB are left";
        let fill = |document: &mut crate::inventory::Document, other| {
            lun(document, "lun-acme-1").other_files = Gib(other).bytes();
            for number in 0..10 {
                let mut one = vm(document, "vm-web").clone();
                one.id = crate::ids::VmId::new(format!("vm-{number}"));
                (one.memory, one.disks) = (Gib(64), Vec::new());
                if number > 0 {
                    (one.power, one.host) = (crate::model::vm::PowerState::On, Some("host-1".into()));
                }
                document.vms.push(one);
            }
            document.cpools[0].ram_enabled = crate::units::Gb(1152);
        };
        let start = || Command::PowerOn { vm: "vm-0".into() };
        expect_refused(&R28, said, start(), |document| fill(document, 320));
        expect_allowed(Actor::owner(&example::TENANT.into()), start(), |document| fill(document, 246));
    }

    #[test]
    fn less_than_a_tenth_free_is_told() {
        // 102.4 GiB are a tenth; 138 are taken, so 783.7 more leave less.
        let said = "only 102 GiB of 1 TiB are free on \"lun-acme-1\"; keep 109951162778 bytes for snapshots of backups";
        expect_found(&R29, said, |document| lun(document, "lun-acme-1").other_files = Gib(784).bytes());
    }

    #[test]
    fn dynamic_disks_that_may_outgrow_their_datastore_are_told() {
        let said = "dynamic disks on \"lun-acme-1\" may grow by 1 TiB; only 905 GiB are free";
        expect_found(&R30, said, |document| {
            let disk = &mut vm(document, "vm-web").disks[0];
            (disk.capacity, disk.provisioning) = (Gib(1025).bytes(), Provisioning::Dynamic(Gib(1).bytes()));
        });
    }

    #[test]
    fn a_backup_beyond_the_quota_is_found() {
        let said = "the backups of tenant \"acme\" would take 1025 GiB; 1 TiB are ordered";
        expect_found(&R31, said, |document| {
            document.backups[0].size = Gib(1025).bytes();
            document.tenants[0].backup_quota = Tib(1);
        });
    }
}
