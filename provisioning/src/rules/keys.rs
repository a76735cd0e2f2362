//! R62 to R66, R75: the hierarchy of keys, where they are and whose.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{KeyId, TenantId, VmId};
use crate::model::vm::Vm;
use crate::rule::{Rule, facts, promise, rule};

/// Zones over which the key service is spread.
pub const ZONES: usize = 3;
/// The country that keys do not leave.
pub const COUNTRY: &str = "FR";

rule! {
    /// The chain.
    R62 = promise(62), "keys-come-from-hsm-through-kmip", Fact;
    source: "HSM: Module Thales Luna S790 zertifiziert FIPS 140-3 Niveau 3. KMS: Thales CipherTrust Manager. VMware-Integration: \
        Kommunikation über das KMIP-Protokoll";
    why: "A hardware security module guards the key service, which vCenter asks by KMIP.";
    says: "";
    Built: "a key provider has key nodes as servers, and every key node has an HSM"
}

rule! {
    /// Spread.
    R63 = promise(63), "key-provider-is-in-three-zones", Reject;
    source: "Die HSM-Infrastruktur wird in drei Verfügbarkeitszonen der Region FR1 bereitgestellt";
    why: "An enabled key provider has servers in three zones, so that no site can take the keys with it.";
    says: "key provider \"{provider}\" of vStack \"{vstack}\" has servers in {count} zone(s): {zones}";
    Always: |view, found| {
        for vstack in view.inventory.vstacks() {
            let Some(provider) = vstack.key_provider.as_ref().filter(|provider| provider.enabled) else { continue };
            let nodes = provider.servers.iter().filter_map(|id| view.inventory.key_node(id));
            let zones: BTreeSet<_> = nodes.map(|node| &node.zone).collect();
            if zones.len() < ZONES {
                let count = zones.len();
                let zones: Vec<_> = zones.into_iter().collect();
                found.add(facts! { provider: &provider.id, vstack: &vstack.id, count: count, zones: zones });
            }
        }
    }
}

rule! {
    /// Which key under which.
    R64 = promise(64), "key-hierarchy-is-kept", Reject;
    source: "Domänen-Schlüssel pro Kunde (Multi-Tenant-Isolierung). Schlüsselverschlüsselungsschlüssel pro VM";
    why: "One Root of Trust for the key service, a Domain Key for each customer, a key for each VM; clones share one until \
        they are re-keyed.";
    says: "{level} \"{key}\" is shared by {holders}";
    Always: |view, found| {
        let inventory = view.inventory;
        let roots: BTreeSet<_> = inventory.key_nodes().map(|node| &node.root_of_trust).collect();
        if roots.len() > 1 {
            let level = "the place of the one Root of Trust";
            let nodes: Vec<_> = inventory.key_nodes().map(|node| format!("{} with {}", node.id, node.root_of_trust)).collect();
            found.add(facts! { key: roots.into_iter().map(KeyId::as_str).collect::<Vec<_>>(), level: level, holders: nodes });
        }
        let mut domains: BTreeMap<&KeyId, Vec<_>> = BTreeMap::new();
        inventory.key_domains().for_each(|domain| domains.entry(&domain.domain_key).or_default().push(&domain.id));
        for (key, holders) in domains.into_iter().filter(|(_, holders)| holders.len() > 1) {
            found.add(facts! { key: key, level: "Domain Key", holders: holders });
        }
        // A key's lines of clones: one line may share it.
        let mut vms: BTreeMap<(&TenantId, &KeyId), Vec<&Vm>> = BTreeMap::new();
        for vm in inventory.vms() {
            if let (Some(encryption), Some(tenant)) = (&vm.encryption, inventory.tenant_of_cpool(&vm.cpool)) {
                vms.entry((tenant, &encryption.key)).or_default().push(vm);
            }
        }
        for ((_, key), holders) in vms {
            let lines: BTreeSet<&VmId> = holders.iter().map(|vm| vm.cloned_from.as_ref().unwrap_or(&vm.id)).collect();
            if lines.len() > 1 {
                let holders: Vec<_> = holders.iter().map(|vm| &vm.id).collect();
                found.add(facts! { key: key, level: "VM key", holders: holders });
            }
        }
    }
}

rule! {
    /// What one click leaves behind.
    R65 = promise(65), "encrypted-vm-is-encrypted-throughout", Reject;
    source: "Die DEK wird durch die KEK verschlüsselt […]. Die verschlüsselte DEK wird mit den VM-Konfigurationsdateien \
        gespeichert";
    why: "All disks of a VM are encrypted under the VM's key, or none is.";
    says: "disk \"{disk}\" of VM \"{vm}\" is {disk_key}, the VM {vm_key}";
    Always: |view, found| {
        for vm in view.inventory.vms() {
            let key = vm.encryption.as_ref().map(|encryption| &encryption.key);
            for disk in vm.disks.iter().filter(|disk| disk.key.as_ref() != key) {
                let text = |key: Option<&KeyId>| key.map_or("in clear".to_owned(), |key| format!("under key {key}"));
                let (disk_key, vm_key) = (text(disk.key.as_ref()), text(key));
                found.add(facts! { disk: &disk.id, vm: &vm.id, disk_key: disk_key, vm_key: vm_key });
            }
        }
    }
}

rule! {
    /// A customer's own.
    R66 = promise(66), "customer-has-its-own-domain", Reject;
    source: "Jeder Kunde verfügt über ein isoliertes KMS-Domäne. Vollständige Protokollierung der Aktionen pro Domäne";
    why: "A vStack's keys lie in its tenant's own domain, in which every act leaves a record.";
    says: "key domain \"{domain}\": {fault}";
    Always: |view, found| {
        for domain in view.inventory.key_domains() {
            if !domain.audited {
                found.add(facts! { domain: &domain.id, fault: "acts in it leave no record" });
            }
            let others = view.inventory.key_domains().filter(|other| other.tenant == domain.tenant);
            if let Some(other) = others.filter(|other| other.id < domain.id).last() {
                let fault = format!("tenant \"{}\" has \"{}\" already", domain.tenant, other.id);
                found.add(facts! { domain: &domain.id, fault: fault });
            }
        }
        for vstack in view.inventory.vstacks() {
            let Some(provider) = &vstack.key_provider else { continue };
            let owner = view.inventory.key_domain(&provider.domain).map(|domain| &domain.tenant);
            if let Some(owner) = owner.filter(|owner| **owner != vstack.tenant) {
                let fault = format!("it is tenant \"{owner}\"'s, and vStack \"{}\" is another's", vstack.id);
                found.add(facts! { domain: &provider.domain, fault: fault });
            }
        }
    }
}

rule! {
    /// Nowhere else.
    R75 = promise(75), "keys-stay-in-france", Reject;
    source: "Die Verschlüsselungsschlüssel verlassen niemals die französische und souveräne Infrastruktur";
    why: "Key nodes stand in France, and there is no way to export a key.";
    says: "key node \"{node}\" stands in region \"{region}\", in {country}";
    Always: |view, found| {
        for node in view.inventory.key_nodes() {
            let region = view.inventory.zone(&node.zone).and_then(|zone| view.inventory.region(&zone.region));
            if let Some(region) = region.filter(|region| region.country != COUNTRY) {
                found.add(facts! { node: &node.id, region: &region.id, country: region.country.as_str() });
            }
        }
    }
}

/// The rules of this file.
pub static RULES: [&Rule; 6] = [&R62, &R63, &R64, &R65, &R66, &R75];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Actor, Command, Outcome, Request};
    use crate::example::{self, vm};
    use crate::inventory::Document;
    use crate::plan::{apply, plan};
    use crate::rules::testing::{build, expect_found};
    use crate::units::Gib;

    fn owner() -> Actor {
        Actor::owner(&example::TENANT.into())
    }

    #[test]
    fn every_key_server_has_an_hsm() {
        let _ = &R62;
        let inventory = example::inventory();
        let provider = inventory.vstacks().find_map(|vstack| vstack.key_provider.as_ref()).unwrap();
        let hsms: Vec<_> = provider.servers.iter().map(|id| inventory.key_node(id).unwrap().hsm.as_str()).collect();
        assert_eq!(hsms, ["Thales Luna S790"; 3]);
    }

    #[test]
    fn a_provider_in_two_zones_is_found() {
        let said = "key provider \"clavis\" of vStack \"vc-acme\" has servers in 2 zone(s): PAR7S, TH3S";
        expect_found(&R63, said, |document| document.key_nodes[2].zone = "PAR7S".into());
    }

    #[test]
    fn keys_that_are_shared_are_found() {
        let said = "Domain Key \"dk-acme\" is shared by dom-acme, dom-boreal";
        expect_found(&R64, said, |document| document.key_domains[1].domain_key = "dk-acme".into());
        let said = "the place of the one Root of Trust \"rot, rot-2\" is shared by kms-1 with rot, kms-2 with rot, \
            kms-3 with rot-2";
        expect_found(&R64, said, |document| document.key_nodes[2].root_of_trust = "rot-2".into());
        let said = "VM key \"17\" is shared by vm-other, vm-web";
        let twice = |origin: Option<&str>| {
            let origin = origin.map(VmId::from);
            move |document: &mut Document| {
                example::encrypted(document);
                let mut other = vm(document, "vm-web").clone();
                (other.id, other.cloned_from) = ("vm-other".into(), origin);
                document.vms.push(other);
            }
        };
        expect_found(&R64, said, twice(None));
        // A clone shares its source's key.
        assert_eq!(crate::plan::findings(&build(twice(Some("vm-web")))), []);
    }

    #[test]
    fn a_vm_half_encrypted_is_found() {
        let said = "disk \"disk-1\" of VM \"vm-web\" is in clear, the VM under key 17";
        expect_found(&R65, said, |document| {
            example::encrypted(document);
            vm(document, "vm-web").disks[1].key = None;
        });
    }

    #[test]
    fn a_disk_added_to_an_encrypted_vm_is_encrypted() {
        let disk = crate::command::NewDisk {
            id: "disk-2".into(),
            datastore: "lun-acme-1".into(),
            capacity: Gib(1),
            dynamic: false,
        };
        let _ = &R65;
        let inventory = build(example::encrypted);
        let request = Request { actor: owner(), command: Command::AddDisk { vm: "vm-web".into(), disk } };
        let planned = plan(&inventory, &request).unwrap();
        let after = apply(&inventory, &planned, &Outcome::default()).unwrap();
        assert_eq!(after.vm(&"vm-web".into()).unwrap().disks[2].key, Some("17".into()));
    }

    #[test]
    fn a_domain_of_another_or_without_records_is_found() {
        let said = "key domain \"dom-acme\": acts in it leave no record";
        expect_found(&R66, said, |document| document.key_domains[0].audited = false);
        let said = "key domain \"dom-boreal\": it is tenant \"boreal\"'s, and vStack \"vc-acme\" is another's";
        expect_found(&R66, said, |document| {
            document.vstacks[0].key_provider.as_mut().unwrap().domain = "dom-boreal".into();
        });
        let said = "key domain \"dom-third\": tenant \"acme\" has \"dom-acme\" already";
        expect_found(&R66, said, |document| {
            let mut third = document.key_domains[0].clone();
            (third.id, third.domain_key) = ("dom-third".into(), "dk-third".into());
            document.key_domains.push(third);
        });
    }

    #[test]
    fn a_key_node_abroad_is_found() {
        let said = "key node \"kms-2\" stands in region \"de1\", in DE";
        expect_found(&R75, said, |document| {
            document.regions.push(crate::model::place::Region { id: "de1".into(), country: "DE".to_owned() });
            let zone = crate::model::place::Zone { id: "FRA1".into(), region: "de1".into(), site: "fra".into() };
            document.zones.push(zone);
            document.key_nodes[1].zone = "FRA1".into();
        });
    }
}
