//! A small inventory that keeps every promise: the ground on which tests break exactly one, and a start for
//! demonstrations.
//!
//! Two customers. `acme` has a vStack with a Cpool in PAR7S that works and one in TH3S that waits, three VMs, a mirrored
//! LUN and the service for encryption; `acme-lab` is its second tenant; `boreal` is another customer.

use crate::calendar::Timestamp;
use crate::catalogue::Service;
use crate::inventory::{Document, Inventory};
use crate::model::backup::{Backup, BackupPolicy, CIPHER, PolicyState, SavedDisk};
use crate::model::compute::{
    AffinityKind, AffinityRule, Cpool, Host, HostCrypto, HostState, KeyProvider, Release, VStack,
};
use crate::model::contract::{Contact, Organisation, RequestState, Retention, ServiceRequest, Tenant, Wish};
use crate::model::keys::{KeyDomain, KeyNode};
use crate::model::network::{InternetAccess, Network};
use crate::model::place::{Region, Zone};
use crate::model::storage::{Datastore, DatastoreCluster, Mirror, MirrorKind, MirrorState, Standby};
use crate::model::vm::{DiskMode, PowerState, Provisioning, SppMode, VirtualDisk, Vm};
use crate::units::{Bytes, Gb, Gib, Iops, IopsPerTib, Tib};

/// The tenant whose VM the example encrypts.
pub const TENANT: &str = "acme";
/// Its vStack.
pub const VSTACK: &str = "vc-acme";
/// Its key provider.
pub const PROVIDER: &str = "clavis";
/// The Cpool of its VMs.
pub const CPOOL: &str = "clu-par";
/// The datastore of its VM.
pub const DATASTORE: &str = "lun-acme-1";
/// A datastore of the same tenant that is replicated by Global Mirror.
pub const MIRRORED_DATASTORE: &str = "lun-acme-gm";
/// The VM: off, without snapshot, replication or mirror, two disks of together 30 GiB.
pub const VM: &str = "vm-web";
/// Another customer's tenant, without a subscription.
pub const FOREIGN_TENANT: &str = "boreal";

/// The example as a document, to be changed before it is built.
#[must_use]
pub fn document() -> Document {
    Document {
        regions: vec![Region { id: "fr1".into(), country: "FR".to_owned() }],
        zones: vec![zone("PAR7S", "par7"), zone("TH3S", "th3"), zone("AZ07", "data4")],
        organisations: vec![organisation("acme-group"), organisation("boreal-group")],
        tenants: vec![
            Tenant {
                subscriptions: [Service::VmEncryption.sku(&"fr1".into())].into(),
                backup_quota: Tib(10),
                ..tenant(TENANT, "acme-group")
            },
            tenant("acme-lab", "acme-group"),
            tenant(FOREIGN_TENANT, "boreal-group"),
        ],
        service_requests: vec![
            request("sr-daily", RequestState::Done, policy_wish()),
            request("sr-present", RequestState::Open, Wish::PresentMirror { mirror: "gm-1".into() }),
        ],
        key_nodes: vec![key_node("kms-1", "PAR7S"), key_node("kms-2", "TH3S"), key_node("kms-3", "AZ07")],
        key_domains: vec![
            key_domain("dom-acme", TENANT, "dk-acme", &["k-b1", "k-h1"]),
            key_domain("dom-boreal", FOREIGN_TENANT, "dk-boreal", &[]),
        ],
        vstacks: vec![
            VStack { key_provider: Some(key_provider()), ..vstack(VSTACK, TENANT) },
            vstack("vc-acme-2", TENANT),
            vstack("vc-lab", "acme-lab"),
            vstack("vc-boreal", FOREIGN_TENANT),
        ],
        cpools: vec![
            cpool(CPOOL, VSTACK, "PAR7S", 3),
            cpool("clu-th3", VSTACK, "TH3S", 2),
            cpool("clu-far", "vc-acme-2", "PAR7S", 0),
            cpool("clu-lab", "vc-lab", "PAR7S", 1),
        ],
        hosts: vec![
            Host { crypto: HostCrypto::Safe("k-h1".into()), ..host("host-1", TENANT, CPOOL, "PAR7S") },
            host("host-2", TENANT, CPOOL, "PAR7S"),
            host("host-3", TENANT, CPOOL, "PAR7S"),
            host("host-4", TENANT, "clu-th3", "TH3S"),
            host("host-5", TENANT, "clu-th3", "TH3S"),
            host("host-lab", "acme-lab", "clu-lab", "PAR7S"),
        ],
        networks: vec![network("net-web", 100, &[CPOOL, "clu-th3"]), network("net-far", 101, &["clu-far"])],
        internet_accesses: vec![InternetAccess {
            id: "www-1".into(),
            tenant: TENANT.into(),
            zone: "PAR7S".into(),
            network: "net-web".into(),
            public_addresses: 2,
            mbit_per_s: 1000,
        }],
        datastore_clusters: vec![DatastoreCluster {
            id: "sdrs-1".into(),
            vstack: VSTACK.into(),
            class: "premium".into(),
        }],
        datastores: vec![
            Datastore { cluster: Some("sdrs-1".into()), ..datastore(DATASTORE, "PAR7S", ("premium", 3000), &[CPOOL]) },
            datastore("lun-acme-2", "PAR7S", ("premium", 3000), &[CPOOL]),
            datastore(MIRRORED_DATASTORE, "PAR7S", ("medium", 1500), &[CPOOL]),
            datastore("lun-acme-gm-th3", "TH3S", ("medium", 1500), &[]),
            datastore("lun-acme-th3", "TH3S", ("premium", 3000), &["clu-th3"]),
            datastore("lun-acme-far", "PAR7S", ("live", 500), &["clu-far"]),
            Datastore { tenant: FOREIGN_TENANT.into(), ..datastore("lun-boreal-1", "PAR7S", ("ultra", 15_000), &[]) },
        ],
        mirrors: vec![Mirror {
            id: "gm-1".into(),
            kind: MirrorKind::Global,
            primary: MIRRORED_DATASTORE.into(),
            secondary: "lun-acme-gm-th3".into(),
            state: MirrorState::Consistent,
            standby: Standby { cpool: "clu-th3".into(), cpus: 4, memory: Gib(16) },
            presented_under: None,
        }],
        policies: vec![BackupPolicy {
            id: "daily".into(),
            tenant: TENANT.into(),
            zone: "AZ07".into(),
            retention: Retention { days: 7, weeks: 4, months: 12 },
            cipher: CIPHER.to_owned(),
            state: PolicyState::Active,
            made_under: "sr-daily".into(),
        }],
        vms: vec![
            Vm {
                power: PowerState::On,
                host: Some("host-1".into()),
                memory: Gib(8),
                disks: vec![disk("disk-0", DATASTORE, Gib(100))],
                ..machine("vm-db", DATASTORE)
            },
            Vm {
                disks: vec![disk("disk-0", DATASTORE, Gib(20)), disk("disk-1", DATASTORE, Gib(10))],
                ..machine(VM, DATASTORE)
            },
            Vm {
                power: PowerState::On,
                host: Some("host-2".into()),
                cpus: 4,
                memory: Gib(16),
                disks: vec![disk("disk-0", MIRRORED_DATASTORE, Gib(200))],
                networks: vec!["net-web".into()],
                ..machine("vm-erp", MIRRORED_DATASTORE)
            },
        ],
        affinity_rules: vec![AffinityRule {
            id: "apart".into(),
            name: "database and web apart".to_owned(),
            cpool: CPOOL.into(),
            kind: AffinityKind::AntiAffinity,
            enabled: true,
            vms: vec!["vm-db".into(), VM.into()],
        }],
        backups: vec![Backup {
            id: "b-1".into(),
            tenant: TENANT.into(),
            vm: VM.into(),
            policy: "daily".into(),
            zone: "AZ07".into(),
            vm_zone: "PAR7S".into(),
            made_at: Timestamp(1_793_491_200),
            size: Gib(30).bytes(),
            cipher: CIPHER.to_owned(),
            key: "k-b1".into(),
            vm_encryption: None,
            disks: vec![SavedDisk { id: "disk-0".into(), capacity: Gib(20).bytes() }],
            cpus: 2,
            memory: Gib(4),
        }],
        ..Document::default()
    }
}

/// The example, built.
#[must_use]
pub fn inventory() -> Inventory {
    // The parts refer only to each other, so it is built; the test below holds it to that.
    Inventory::build(document()).unwrap_or_default()
}

/// A disk of the example's kind.
#[must_use]
pub fn disk(id: &str, datastore: &str, capacity: Gib) -> VirtualDisk {
    VirtualDisk {
        id: id.into(),
        datastore: datastore.into(),
        capacity: capacity.bytes(),
        provisioning: Provisioning::StaticImmediate,
        mode: DiskMode::Persistent,
        reserved_iops: Iops(0),
        constant_writes: false,
        excluded_from_backup: false,
        key: None,
    }
}

/// A VM of the example's kind: off, backed up, without disks.
#[must_use]
pub fn machine(id: &str, home: &str) -> Vm {
    Vm {
        id: id.into(),
        name: id.to_owned(),
        cpool: CPOOL.into(),
        host: None,
        power: PowerState::Off,
        cpus: 2,
        memory: Gib(4),
        home: home.into(),
        disks: Vec::new(),
        networks: Vec::new(),
        snapshots: Vec::new(),
        replication: None,
        policies: ["daily".into()].into(),
        spp_mode: SppMode::Production,
        encryption: None,
        cloned_from: None,
        held_by: None,
    }
}

fn zone(id: &str, site: &str) -> Zone {
    Zone { id: id.into(), region: "fr1".into(), site: site.into() }
}

fn organisation(id: &str) -> Organisation {
    let owners = vec![format!("owner@{id}.example")];
    Organisation { id: id.into(), name: id.to_owned(), contract: format!("C-{id}"), owners }
}

fn tenant(id: &str, organisation: &str) -> Tenant {
    Tenant {
        id: id.into(),
        name: id.to_owned(),
        organisation: organisation.into(),
        owners: vec![format!("owner@{id}.example")],
        allowed_addresses: Vec::new(),
        subscriptions: [].into(),
        backup_quota: Tib(0),
    }
}

fn policy_wish() -> Wish {
    Wish::BackupPolicy { policy: "daily".into(), retention: Retention { days: 7, weeks: 4, months: 12 } }
}

fn request(id: &str, state: RequestState, wish: Wish) -> ServiceRequest {
    let contact = Contact {
        name: "A. Durand".to_owned(),
        mail: "a.durand@acme.example".to_owned(),
        phone: "+33 1 23 45 67 89".to_owned(),
    };
    ServiceRequest { id: id.into(), tenant: TENANT.into(), contact, wish, state }
}

fn key_node(id: &str, zone: &str) -> KeyNode {
    KeyNode { id: id.into(), zone: zone.into(), hsm: "Thales Luna S790".to_owned(), root_of_trust: "rot".into() }
}

fn key_domain(id: &str, tenant: &str, domain_key: &str, keys: &[&str]) -> KeyDomain {
    let keys = keys.iter().map(|key| (*key).into()).collect();
    KeyDomain { id: id.into(), tenant: tenant.into(), domain_key: domain_key.into(), audited: true, keys }
}

fn key_provider() -> KeyProvider {
    let servers = ["kms-1", "kms-2", "kms-3"].iter().map(|node| (*node).into()).collect();
    KeyProvider { id: PROVIDER.into(), domain: "dom-acme".into(), servers, enabled: true }
}

fn release() -> Release {
    Release { version: "7.0.3".to_owned(), build: 24_322_018 }
}

fn vstack(id: &str, tenant: &str) -> VStack {
    VStack { id: id.into(), tenant: tenant.into(), vcenter: release(), key_provider: None }
}

fn cpool(id: &str, vstack: &str, zone: &str, hosts: u64) -> Cpool {
    Cpool {
        id: id.into(),
        name: id.to_owned(),
        vstack: vstack.into(),
        zone: zone.into(),
        ram_enabled: Gb(128).times(hosts),
        high_availability: false,
        drs: false,
    }
}

fn host(id: &str, tenant: &str, cpool: &str, zone: &str) -> Host {
    Host {
        id: id.into(),
        name: id.to_owned(),
        tenant: tenant.into(),
        zone: zone.into(),
        cpool: cpool.into(),
        blade: "standard".into(),
        ram: Gb(384),
        esxi: release(),
        state: HostState::Connected,
        crypto: HostCrypto::Incapable,
    }
}

fn network(id: &str, vlan: u16, cpools: &[&str]) -> Network {
    Network {
        id: id.into(),
        name: id.to_owned(),
        tenant: TENANT.into(),
        vlan,
        tenants: [].into(),
        cpools: cpools.iter().map(|cpool| (*cpool).into()).collect(),
    }
}

/// A LUN of 1 TiB, of a class and its IOPS per TiB.
fn datastore(id: &str, zone: &str, (class, iops): (&str, u64), cpools: &[&str]) -> Datastore {
    let capacity = Gib(1024);
    Datastore {
        id: id.into(),
        tenant: TENANT.into(),
        zone: zone.into(),
        class: class.into(),
        capacity,
        iops_limit: Some(IopsPerTib(iops).of(capacity)),
        cpools: cpools.iter().map(|cpool| (*cpool).into()).collect(),
        cluster: None,
        other_files: Bytes(0),
        maintenance: false,
    }
}

/// Ways to change the example that several tests take.
#[cfg(test)]
mod changes {
    use super::*;
    use crate::model::vm::{Replication, Snapshot, VmEncryption};

    /// The VM of that id in the document.
    pub fn vm<'a>(document: &'a mut Document, id: &str) -> &'a mut Vm {
        document.vms.iter_mut().find(|vm| vm.id.as_str() == id).unwrap()
    }

    /// The LUN of that id in the document.
    pub fn lun<'a>(document: &'a mut Document, id: &str) -> &'a mut Datastore {
        document.datastores.iter_mut().find(|lun| lun.id.as_str() == id).unwrap()
    }

    /// How [`VM`] is encrypted after [`encrypted`].
    pub fn encryption() -> VmEncryption {
        VmEncryption { provider: PROVIDER.into(), key: "17".into(), locked: false }
    }

    /// Encrypts [`VM`] under the key 17.
    pub fn encrypted(document: &mut Document) {
        document.key_domains[0].keys.insert("17".into());
        let vm = vm(document, VM);
        vm.encryption = Some(encryption());
        vm.disks.iter_mut().for_each(|disk| disk.key = Some("17".into()));
    }

    /// Gives [`VM`] a snapshot, under its key if it has one.
    pub fn snapshot(document: &mut Document, id: &str) {
        let vm = vm(document, VM);
        let key = vm.encryption.as_ref().map(|encryption| encryption.key.clone());
        vm.snapshots.push(Snapshot { id: id.into(), size: Bytes(0), key });
    }

    /// Replicates [`VM`] to TH3S.
    pub fn replicated(document: &mut Document) {
        let vm = vm(document, VM);
        vm.replication = Some(Replication {
            interval_hours: 2,
            paused: false,
            standby: Standby { cpool: "clu-th3".into(), cpus: 2, memory: Gib(4) },
            datastore: "lun-acme-th3".into(),
            storage: vm.disk_capacity(),
        });
    }
}

#[cfg(test)]
pub use changes::{encrypted, encryption, lun, replicated, snapshot, vm};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_whole_and_keeps_every_promise() {
        let inventory = Inventory::build(document()).unwrap();
        assert_eq!(inventory.vms().count(), 3);
        let found: Vec<String> = crate::plan::findings(&inventory).iter().map(ToString::to_string).collect();
        assert_eq!(found, [""; 0]);
    }
}
