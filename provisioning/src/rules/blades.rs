//! R6 to R11: the blades, which are what the catalogue says and nothing else.

use std::collections::BTreeSet;

use crate::catalogue::catalogue;
use crate::rule::{Rule, facts, promise, rule};

rule! {
    /// The platform's part.
    R6 = promise(6), "blades-are-managed", Fact;
    source: "Die von Cloud Temple bereitgestellten Lames sind vom Typ CISCO UCS B200 oder CISCO UCS X210c. \
        Sie werden vollständig von Cloud Temple verwaltet";
    why: "Blades are Cisco UCS B200 or X210c; firmware and operating system are the operator's work.";
    says: "";
    Built: "the catalogue's `models`, and `UpdateFirmware` on the operator's plane"
}

rule! {
    /// One kind in a cluster.
    R7 = promise(7), "cpool-has-one-kind-of-blade", Reject;
    source: "ist ein Hypervisor-Cluster ausschließlich aus Lames des gleichen Typs zusammengesetzt";
    why: "A Cpool is made of blades of one kind only, so that every VM can run on each of them.";
    says: "Cpool \"{cpool}\" has blades of several kinds: {kinds}";
    Always: |view, found| {
        for cpool in view.inventory.cpools() {
            let kinds: BTreeSet<_> = view.hosts(&cpool.id).iter().map(|host| &host.blade).collect();
            if kinds.len() > 1 {
                found.add(facts! { cpool: &cpool.id, kinds: kinds.into_iter().collect::<Vec<_>>() });
            }
        }
    }
}

rule! {
    /// RAM comes with the blade.
    R8 = promise(8), "blade-has-its-ram", Reject;
    source: "Es ist nicht möglich, die physische Speichermenge einer Lampe zu ändern";
    why: "The physical RAM of a blade is fixed by its kind.";
    says: "host \"{host}\" has {ram}; a blade of kind \"{kind}\" has {catalogue}";
    Always: |view, found| {
        for host in view.inventory.hosts() {
            if let Some(blade) = catalogue().blade(&host.blade).filter(|blade| blade.ram != host.ram) {
                found.add(facts! { host: &host.id, ram: host.ram, kind: &host.blade, catalogue: blade.ram });
            }
        }
    }
}

rule! {
    /// LAN and storage share it.
    R9 = promise(9), "blade-has-one-link", Fact;
    source: "Die physische Netzwerkverbindung ist für den Netzwerk- und Speicherzugriff gemeinsam genutzt";
    why: "A blade has one converged connection, for networks and storage alike.";
    says: "";
    Built: "`Blade` has one field `link`"
}

rule! {
    /// Graphics cards.
    R10 = promise(10), "perf4-has-gpus", Fact;
    source: "Standardmäßig wird die Lame PERF4 mit 2 Karten L40S mit 48 GB RAM geliefert";
    why: "A blade PERF4 has two NVIDIA L40S with 48 GB each; other blades have none.";
    says: "";
    Built: "data/blades.toml"
}

rule! {
    /// The table.
    R11 = promise(11), "catalogue-of-blades", Fact;
    source: "Es sind mehrere Kategorien von Berechnungslames im Katalog verfügbar";
    why: "Seven kinds of blade, each with its CPU, frequency, cores, RAM, connection and SKU.";
    says: "";
    Built: "data/blades.toml, validated when it is read"
}

/// The rules of this file.
pub static RULES: [&Rule; 6] = [&R6, &R7, &R8, &R9, &R10, &R11];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Plane};
    use crate::rules::testing::expect_found;
    use crate::units::Gb;

    #[test]
    fn every_blade_is_a_model_of_cisco_and_firmware_is_the_operators() {
        let _ = &R6;
        let models = ["CISCO UCS B200", "CISCO UCS X210c"];
        assert!(catalogue().blades().all(|blade| blade.models == models));
        assert_eq!(Command::UpdateFirmware { host: "host-1".into() }.plane(), Plane::Operator);
    }

    #[test]
    fn a_blade_of_another_kind_in_a_cpool_is_found() {
        let said = "Cpool \"clu-par\" has blades of several kinds: eco, standard";
        expect_found(&R7, said, |document| document.hosts[0].blade = "eco".into());
    }

    #[test]
    fn ram_that_somebody_added_is_found() {
        let said = "host \"host-1\" has 512 GB; a blade of kind \"standard\" has 384 GB";
        expect_found(&R8, said, |document| document.hosts[0].ram = Gb(512));
    }

    #[test]
    fn every_blade_has_the_link_of_the_table() {
        let _ = &R9;
        let links: Vec<_> = catalogue().blades().map(|blade| (blade.link.count, blade.link.gbit_per_s)).collect();
        assert_eq!(links, [(2, 10), (2, 25), (2, 25), (2, 25), (2, 25), (2, 25), (2, 25)]);
    }

    #[test]
    fn only_perf4_has_graphics_cards() {
        let _ = &R10;
        let cards: Vec<_> =
            catalogue().blades().filter_map(|blade| Some((blade.id.as_str(), blade.gpu.clone()?))).collect();
        let [(id, gpu)] = &cards[..] else { panic!("{cards:?}") };
        assert_eq!((*id, gpu.count, gpu.model.as_str(), gpu.memory), ("perf4", 2, "NVIDIA L40S", Gb(48)));
    }

    #[test]
    fn the_catalogue_has_the_blades_of_the_table() {
        let _ = &R11;
        let table = [
            ("eco", 384, 20, 40, 2200, 3000),
            ("standard", 384, 32, 64, 2400, 3400),
            ("advance", 768, 48, 96, 2800, 3500),
            ("perf1", 384, 16, 32, 3200, 3600),
            ("perf2", 768, 36, 72, 3000, 3600),
            ("perf3", 1536, 56, 112, 2600, 3500),
            ("perf4", 512, 32, 64, 2500, 4100),
        ];
        let blades: Vec<_> = catalogue()
            .blades()
            .map(|one| (one.id.as_str(), one.ram.0, one.cores, one.threads, one.base_mhz, one.turbo_mhz))
            .collect();
        assert_eq!(blades, table);
        for blade in catalogue().blades() {
            assert_eq!(blade.sku(&"fr1".into()).to_string(), format!("csp:fr1:iaas:vmware:{}:v3", blade.id));
        }
    }
}
