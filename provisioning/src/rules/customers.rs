//! R1 to R3, R5: what belongs to one customer stays with it, where it stands, who may touch it, how it is charged.

use crate::command::Plane;
use crate::rule::{Rule, facts, promise, rule};

rule! {
    /// Between customers; R26 and R44 say the same of the tenants of one customer.
    R1 = promise(1), "nothing-is-shared-between-customers", Reject;
    source: "Die Rechenblöcke, Speichervolumina und Software-Stacks […] werden nie zwischen Kunden geteilt";
    why: "Blades, volumes and software stacks belong to one customer.";
    says: "{what} \"{id}\" of tenant \"{owner}\" is used by {user}, which is another customer's";
    Always: |view, found| {
        let inventory = view.inventory;
        for host in inventory.hosts() {
            if let Some(user) = inventory.tenant_of_cpool(&host.cpool)
                && !inventory.same_customer(&host.tenant, user)
            {
                let cpool = format!("Cpool \"{}\"", host.cpool);
                found.add(facts! { id: &host.id, what: "blade", owner: &host.tenant, user: cpool });
            }
        }
        for (datastore, user, tenant) in super::storage::users(inventory) {
            if !inventory.same_customer(&datastore.tenant, tenant) {
                found.add(facts! { id: &datastore.id, what: "volume", owner: &datastore.tenant, user: user });
            }
        }
    }
}

rule! {
    /// Zones and regions.
    R2 = promise(2), "zone-lies-in-one-region", Fact;
    source: "ermöglicht die Auswahl der Standorte der Cluster und deren Verteilung auf verschiedene Verfügbarkeitszonen";
    why: "A zone is part of one region; the Cpools of a vStack may be spread over zones.";
    says: "";
    Built: "`Zone` has one field `region`; a Cpool names its zone itself"
}

rule! {
    /// No way around Console and API.
    R3 = promise(3), "tenant-stays-on-its-plane", Reject;
    source: "ist es dem Auftraggeber nicht möglich, direkt auf die VMware-Virtualisierungsplattform zuzugreifen \
        (kein direkter Zugriff auf den vCenter u. a.)";
    why: "Customers act through Console and API only; vCenter, hosts and firmware are on the operator's plane.";
    says: "\"{command}\" is the operator's";
    Asked: |asked, found| {
        if asked.command().plane() == Plane::Operator && !asked.by_operator() {
            found.add(facts! { command: asked.command().name() });
        }
    }
}

rule! {
    /// By what exists, in months.
    R5 = promise(5), "charged-by-monthly-consumption", Fact;
    source: "profitieren von einer klaren Abrechnung, nach monatlichem Verbrauch";
    why: "What exists is charged by its SKU's unit and by the month, in proportion to the time it existed.";
    says: "";
    Built: "`metering` knows no other charge than amount × time"
}

/// The rules of this file.
pub static RULES: [&Rule; 4] = [&R1, &R2, &R3, &R5];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Timestamp;
    use crate::command::{Actor, Command};
    use crate::example;
    use crate::rules::testing::{expect_allowed, expect_found, expect_refused};

    #[test]
    fn a_blade_of_another_customer_is_found() {
        let said = "blade \"host-3\" of tenant \"boreal\" is used by Cpool \"clu-par\", which is another customer's";
        expect_found(&R1, said, |document| document.hosts[2].tenant = example::FOREIGN_TENANT.into());
    }

    #[test]
    fn a_disk_on_another_customers_volume_is_found() {
        let said =
            "volume \"lun-boreal-1\" of tenant \"boreal\" is used by Cpool \"clu-par\", which is another customer's";
        expect_found(&R1, said, |document| {
            let lun = document.datastores.iter_mut().find(|lun| lun.id.as_str() == "lun-boreal-1").unwrap();
            lun.cpools.push("clu-par".into());
        });
    }

    #[test]
    fn the_cpools_of_a_vstack_stand_in_several_zones() {
        let _ = &R2;
        let inventory = example::inventory();
        let zones: Vec<_> = inventory
            .cpools()
            .filter(|cpool| cpool.vstack.as_str() == example::VSTACK)
            .map(|cpool| inventory.zone(&cpool.zone).unwrap())
            .collect();
        assert!(zones.len() == 2 && zones[0].id != zones[1].id && zones[0].region == zones[1].region);
    }

    #[test]
    fn a_tenant_gets_no_vcenter_and_the_operator_does() {
        let open = || Command::OpenVCenter { vstack: example::VSTACK.into() };
        expect_refused(&R3, "\"open-v-center\" is the operator's", open(), |_| {});
        expect_allowed(Actor::Operator, open(), |_| {});
    }

    #[test]
    fn half_a_month_is_half_the_charge() {
        let _ = &R5;
        let month = crate::calendar::Month::new(2026, 11).unwrap();
        let start = month.span().from;
        let half = Timestamp(start.0 + month.span().seconds() / 2);
        let consumption = |until| {
            let mut meter = crate::metering::Meter::default();
            meter.observe(start, &example::inventory());
            meter.observe(until, &crate::inventory::Inventory::default());
            meter.month(month)
        };
        let (whole, halved) = (consumption(month.span().to), consumption(half));
        assert_eq!(whole.len(), halved.len());
        assert!(!whole.is_empty());
        for (whole, halved) in whole.iter().zip(&halved) {
            assert_eq!(whole.amount_seconds, halved.amount_seconds * 2, "{}", whole.sku);
        }
    }
}
