//! R17 to R23, R25 to R27: block storage, its classes, sizes and limits, and whose it is.

use crate::ids::TenantId;
use crate::inventory::Inventory;
use crate::model::storage::Datastore;
use crate::rule::{Number, Rule, facts, promise, rule};
use crate::units::Gib;

/// The smallest LUN.
pub const SMALLEST_LUN: Gib = Gib(500);

rule! {
    /// The table.
    R17 = promise(17), "catalogue-of-storage-classes", Fact;
    source: "Mehrere Leistungsstufen sind verfügbar";
    why: "Five flash classes, charged by GiB, and mass storage, charged by TiB.";
    says: "";
    Built: "data/storage.toml, validated when it is read"
}

rule! {
    /// What a LUN performs.
    R18 = promise(18), "lun-has-its-iops", Reject;
    source: "Die tatsächliche Leistung einer Speicherklasse hängt von der tatsächlich bestellten Volumetrie ab, gemäß dem \
        Konzept \"IOPS/To\"";
    why: "A LUN is limited to the IOPS of its class times its size in TiB.";
    says: "LUN \"{datastore}\" is limited to {limit}; {size} of its class have {promised}";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let promised = view.inventory.iops_limit(lun);
            if lun.iops_limit != promised {
                let text = |limit: Option<crate::units::Iops>| limit.map_or("nothing".to_owned(), |iops| iops.to_string());
                let (limit, promised) = (text(lun.iops_limit), text(promised));
                found.add(facts! { datastore: &lun.id, limit: limit, size: lun.capacity, promised: promised });
            }
        }
    }
}

rule! {
    /// All VMs of a datastore share it.
    R19 = promise(19), "vms-share-the-iops-of-their-datastore", Reject;
    source: "Die IOPS-Grenze wird pro Volumen angewandt, also pro Datastore für eine VMware-Umgebung";
    why: "The limit is the datastore's, so what its disks set aside for themselves together stays within it.";
    says: "disks on LUN \"{datastore}\" set {reserved} aside; it has {limit} in all";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let reserved = view.space(&lun.id).reserved_iops;
            if let Some(limit) = lun.iops_limit.filter(|limit| reserved > *limit) {
                found.add_by(reserved.less(limit).0, facts! { datastore: &lun.id, reserved: reserved, limit: limit });
            }
        }
    }
}

rule! {
    /// No meter on reads and writes.
    R21 = promise(21), "reads-and-writes-are-free", Fact;
    source: "Es gibt keine Einschränkung oder Quota für Lese- oder Schreibvorgänge. Es gibt keine Abrechnung pro IOPS";
    why: "Reads and writes have no quota, and nothing is charged by IOPS.";
    says: "";
    Built: "`Unit`, by which things are charged, has no variant for IOPS"
}

rule! {
    /// Mechanical disks.
    R22 = promise(22), "mass-storage-promises-no-speed", Fact;
    source: "Es gibt keine Leistungsverpflichtung für die Klasse 'Mass Storage'";
    why: "Mass storage has no commitment on performance, and so no limit.";
    says: "";
    Built: "data/storage.toml gives the class no `iops_per_tib`"
}

rule! {
    /// The least that can be ordered.
    R23 = promise(23), "lun-has-500-gib", Reject;
    source: "Die minimale Größe einer Block-LUN beträgt 500 GiB";
    why: "A LUN has at least 500 GiB.";
    says: "LUN \"{datastore}\" would have {size}; the least is {least}";
    Always: |view, found| {
        for lun in view.inventory.datastores().filter(|lun| lun.capacity < SMALLEST_LUN) {
            found.add(facts! { datastore: &lun.id, size: lun.capacity, least: SMALLEST_LUN });
        }
    }
}

rule! {
    /// Nothing is oversold.
    R25 = promise(25), "reserved-is-physical", Fact;
    source: "Wenn Sie 10 TiB Speicher reservieren, stehen Ihnen physisch 10 TiB Speicherplatz auf den IBM-Maschinen zur \
        Verfügung";
    why: "Nothing is compressed or deduplicated: what is reserved is there.";
    says: "";
    Built: "free space is capacity less files, with no ratio between"
}

rule! {
    /// Between the tenants of one customer; between customers R1 speaks.
    R26 = promise(26), "lun-is-reserved-for-its-tenant", Reject;
    source: "Die Block-LUNs sind für die Kundenumgebung reserviert";
    why: "A LUN is used by the tenant that it is reserved for.";
    says: "LUN \"{datastore}\" of tenant \"{owner}\" is used by {user} of tenant \"{tenant}\"";
    Always: |view, found| {
        for (lun, user, tenant) in users(view.inventory) {
            if *tenant != lun.tenant && view.inventory.same_customer(tenant, &lun.tenant) {
                found.add(facts! { datastore: &lun.id, owner: &lun.tenant, user: user, tenant: tenant });
            }
        }
    }
}

rule! {
    /// What it is made of.
    R27 = promise(27), "storage-is-flashsystem-behind-svc", Fact;
    source: "Die Festplatten werden von den Speicherarrays in 'Distributed Raid 6' verwendet";
    why: "Storage is IBM FlashSystem behind IBM SVC, its disks in Distributed RAID 6.";
    says: "";
    Built: "a LUN has a class and no field for its array or RAID level"
}

rule! {
    /// A cluster of datastores has one class.
    ONE_CLASS = Number::Flow, "datastore-cluster-has-one-class", Reject;
    source: "";
    why: "The hypervisor moves disks within a datastore cluster, so all of it performs alike.";
    says: "LUN \"{datastore}\" is of class \"{class}\"; its datastore cluster \"{cluster}\" is of \"{expected}\"";
    Always: |view, found| {
        for lun in view.inventory.datastores() {
            let cluster = lun.cluster.as_ref().and_then(|id| view.inventory.datastore_cluster(id));
            if let Some(cluster) = cluster.filter(|cluster| cluster.class != lun.class) {
                found.add(facts! {
                    datastore: &lun.id, class: &lun.class, cluster: &cluster.id, expected: &cluster.class,
                });
            }
        }
    }
}

/// Every use of a LUN by a Cpool or a VM: the LUN, who uses it, and that one's tenant. A VM in a Cpool that the LUN is
/// attached to is not named again.
pub(super) fn users(inventory: &Inventory) -> Vec<(&Datastore, String, &TenantId)> {
    let mut users = Vec::new();
    for lun in inventory.datastores() {
        for cpool in &lun.cpools {
            users.extend(inventory.tenant_of_cpool(cpool).map(|tenant| (lun, format!("Cpool \"{cpool}\""), tenant)));
        }
    }
    for vm in inventory.vms() {
        let Some(tenant) = inventory.tenant_of_cpool(&vm.cpool) else { continue };
        for lun in vm.datastores().into_iter().filter_map(|id| inventory.datastore(id)) {
            if !lun.cpools.contains(&vm.cpool) {
                users.push((lun, format!("VM \"{}\"", vm.id), tenant));
            }
        }
    }
    users
}

/// The rules of this file.
pub static RULES: [&Rule; 10] = [&R17, &R18, &R19, &R21, &R22, &R23, &R25, &R26, &R27, &ONE_CLASS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::View;
    use crate::catalogue::{Unit, catalogue};
    use crate::command::{Actor, Command};
    use crate::example::{self, lun};
    use crate::model::settings::IopsCeiling;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused};
    use crate::units::{Bytes, Iops, IopsPerTib, Tib};

    #[test]
    fn the_catalogue_has_the_classes_of_the_table() {
        let _ = &R17;
        let classes: Vec<_> = catalogue()
            .classes()
            .map(|class| (class.id.as_str(), class.iops_per_tib.map_or(0, |iops| iops.0), class.unit))
            .collect();
        let table = [
            ("live", 500, Unit::Gib),
            ("medium", 1500, Unit::Gib),
            ("premium", 3000, Unit::Gib),
            ("enterprise", 7500, Unit::Gib),
            ("ultra", 15000, Unit::Gib),
            ("mass", 0, Unit::Tib),
        ];
        assert_eq!(classes, table);
        for class in catalogue().classes() {
            assert_eq!(class.sku(&"fr1".into()).to_string(), format!("csp:fr1:iaas:storage:bloc:{}:v1", class.id));
        }
    }

    #[test]
    fn a_lun_limited_to_something_else_is_found() {
        let said = "LUN \"lun-acme-1\" is limited to 5000 IOPS; 1024 GiB of its class have 3000 IOPS";
        expect_found(&R18, said, |document| lun(document, "lun-acme-1").iops_limit = Some(Iops(5000)));
    }

    #[test]
    fn limits_are_those_of_the_examples() {
        let _ = &R18;
        let limit = |ceiling: IopsCeiling, class, size| ceiling.limit(IopsPerTib(class), size);
        // "0,5 TiB in der Leistungsklasse Standard: 750 IOPS"; "10 TiB in der Leistungsklasse Ultra: 150.000 IOPS".
        assert_eq!(limit(IopsCeiling::None, 1500, Gib(512)), Iops(750));
        assert_eq!(limit(IopsCeiling::None, 15_000, Tib(10).gib()), Iops(150_000));
        assert_eq!(limit(IopsCeiling::PerLun2026, 15_000, Tib(10).gib()), Iops(30_000));
        assert_eq!(limit(IopsCeiling::PerLun2026, 500, Tib(30).gib()), Iops(10_000));
        assert_eq!(limit(IopsCeiling::PerLun2026, 1500, Gib(512)), Iops(750));
    }

    #[test]
    fn disks_that_set_more_aside_than_the_datastore_has_are_found() {
        let said = "disks on LUN \"lun-acme-1\" set 3001 IOPS aside; it has 3000 IOPS in all";
        expect_found(&R19, said, |document| {
            example::vm(document, "vm-web").disks[0].reserved_iops = Iops(1000);
            example::vm(document, "vm-db").disks[0].reserved_iops = Iops(2001);
        });
    }

    #[test]
    fn nothing_is_charged_by_iops() {
        let _ = &R21;
        let units: Vec<Unit> = catalogue().skus(&"fr1".into()).map(|(_, unit)| unit).collect();
        assert_eq!(units.len(), 18);
        assert!(units.iter().all(|unit| matches!(unit, Unit::Blade | Unit::Gib | Unit::Tib | Unit::Vm)));
    }

    #[test]
    fn mass_storage_has_no_limit() {
        let _ = &R22;
        let mut document = example::document();
        let mass = lun(&mut document, "lun-acme-1");
        (mass.class, mass.iops_limit) = ("mass".into(), None);
        let inventory = Inventory::build(document).unwrap();
        assert_eq!(inventory.iops_limit(inventory.datastore(&"lun-acme-1".into()).unwrap()), None);
    }

    #[test]
    fn a_lun_of_499_gib_is_refused() {
        let order = |capacity| Command::OrderDatastore {
            datastore: "lun-new".into(),
            zone: "PAR7S".into(),
            class: "medium".into(),
            capacity,
            cpools: vec!["clu-par".into()],
        };
        expect_refused(&R23, "LUN \"lun-new\" would have 499 GiB; the least is 500 GiB", order(Gib(499)), |_| {});
        expect_allowed(Actor::owner(&example::TENANT.into()), order(Gib(500)), |_| {});
    }

    #[test]
    fn free_space_is_what_files_leave() {
        let _ = &R25;
        let inventory = example::inventory();
        let view = View::of(&inventory);
        for lun in inventory.datastores() {
            assert_eq!(view.free(lun) + view.space(&lun.id).taken(), lun.capacity.bytes(), "{}", lun.id);
        }
        assert_ne!(view.space(&"lun-acme-1".into()).taken(), Bytes(0));
    }

    #[test]
    fn a_lun_used_by_a_sister_tenant_is_found() {
        let said = "LUN \"lun-acme-1\" of tenant \"acme\" is used by Cpool \"clu-lab\" of tenant \"acme-lab\"";
        expect_found(&R26, said, |document| lun(document, "lun-acme-1").cpools.push("clu-lab".into()));
    }

    #[test]
    fn a_lun_says_nothing_of_its_array() {
        let _ = &R27;
        let text = serde_json::to_value(&example::document().datastores[0]).unwrap();
        let fields: Vec<&str> = text.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(fields.contains(&"class") && !fields.iter().any(|field| field.contains("raid")), "{fields:?}");
    }

    #[test]
    fn a_lun_of_another_class_in_a_datastore_cluster_is_found() {
        let said = "LUN \"lun-acme-1\" is of class \"premium\"; its datastore cluster \"sdrs-1\" is of \"medium\"";
        expect_found(&ONE_CLASS, said, |document| document.datastore_clusters[0].class = "medium".into());
    }
}
