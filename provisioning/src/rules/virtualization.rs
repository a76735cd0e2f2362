//! R43, R50, R51: what the virtualization is made of, its templates, its updates.

use crate::command::Command;
use crate::model::compute::HostState;
use crate::rule::{Rule, facts, promise, rule};

rule! {
    /// What it is made of.
    R43 = promise(43), "vsphere-without-nsx-and-vsan", Fact;
    source: "Die eingesetzten Produkte sind VMware ESXi, VMware Vcenter und VMware Replication";
    why: "ESXi, vCenter and VMware Replication; networks without NSX, storage without vSAN, by Fibre Channel 32G.";
    says: "";
    Built: "a network has a VLAN and no overlay; a datastore is a LUN and no part of hosts"
}

rule! {
    /// Ready to use.
    R50 = promise(50), "templates-are-there", Fact;
    source: "Der Katalog umfasst derzeit mehrere Dutzende von Templates und Bildern, die auf Ihren virtuellen Maschinen montiert \
        werden können";
    why: "The platform has a catalogue of templates, several dozen, which every tenant may deploy.";
    says: "";
    Built: "data/templates.toml; templates have no tenant"
}

rule! {
    /// Updates are the customer's duty, and automatic.
    R51 = promise(51), "hypervisor-is-updated-beside-another", Reject;
    source: "sind mindestens zwei Hypervisoren pro Cluster während der Aktualisierung erforderlich";
    why: "A host is updated in maintenance while another of its Cpool carries the VMs.";
    says: "host \"{host}\" cannot be updated: {fault}";
    Asked: |asked, found| {
        let Command::UpdateHypervisor { host, esxi } = asked.command() else { return };
        let Some(host) = asked.inventory.host(host) else { return };
        let others = asked.inventory.hosts().filter(|other| other.cpool == host.cpool && other.id != host.id);
        let fault = if others.count() == 0 {
            "its Cpool has no other host".to_owned()
        } else if host.state != HostState::Maintenance {
            format!("it is {}, not in maintenance", host.state)
        } else if esxi.build <= host.esxi.build {
            format!("build {} is not newer than its build {}", esxi.build, host.esxi.build)
        } else {
            return;
        };
        found.add(facts! { host: &host.id, fault: fault });
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 3] = [&R43, &R50, &R51];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;
    use crate::command::Actor;
    use crate::example;
    use crate::model::compute::Release;
    use crate::rules::testing::{expect_allowed, expect_refused};
    use crate::units::Gb;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn neither_overlay_nor_local_storage_can_be_written_down() {
        let _ = &R43;
        let text = serde_json::to_string(&example::document()).unwrap().to_lowercase();
        assert!(text.contains("\"vlan\"") && !text.contains("nsx") && !text.contains("vsan"));
    }

    #[test]
    fn there_are_two_dozen_templates_and_every_tenant_may_deploy_them() {
        let _ = &R50;
        assert!(catalogue().templates().count() >= 24);
        let deploy = Command::DeployTemplate {
            template: "debian-12".into(),
            vm: "vm-new".into(),
            name: "new".to_owned(),
            cpool: "clu-par".into(),
            home: "lun-acme-1".into(),
        };
        expect_allowed(owner(), deploy, |_| {});
    }

    #[test]
    fn a_host_is_updated_in_maintenance_beside_another() {
        let update = |build| Command::UpdateHypervisor {
            host: "host-1".into(),
            esxi: Release { version: "8.0.1".to_owned(), build },
        };
        let maintain = |document: &mut crate::inventory::Document| document.hosts[0].state = HostState::Maintenance;
        let said = "host \"host-1\" cannot be updated: it is connected, not in maintenance";
        expect_refused(&R51, said, update(30_000_000), |_| {});
        let said = "host \"host-1\" cannot be updated: build 24322018 is not newer than its build 24322018";
        expect_refused(&R51, said, update(24_322_018), maintain);
        let said = "host \"host-1\" cannot be updated: its Cpool has no other host";
        expect_refused(&R51, said, update(30_000_000), |document| {
            maintain(document);
            document.hosts.retain(|host| host.id.as_str() == "host-1" || host.cpool.as_str() != "clu-par");
            document.cpools[0].ram_enabled = Gb(128);
            document.vms.retain(|vm| vm.cpool.as_str() != "clu-par");
            document.affinity_rules.clear();
        });
        expect_allowed(owner(), update(30_000_000), maintain);
    }
}
