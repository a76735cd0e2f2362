//! A realistic inventory of any size, made from a seed: the same seed makes the same inventory, and it keeps every
//! promise. For demonstrations, benchmarks, and tests that want more than the example.

use crate::catalogue::{Service, catalogue};
use crate::ids::*;
use crate::inventory::{Document, Inventory};
use crate::model::backup::{BackupPolicy, CIPHER, PolicyState};
use crate::model::compute::{Cpool, Host, HostCrypto, HostState, KeyProvider, Release, VStack};
use crate::model::contract::{Contact, Organisation, RequestState, Retention, ServiceRequest, Tenant, Wish};
use crate::model::keys::{KeyDomain, KeyNode};
use crate::model::network::Network;
use crate::model::place::{Region, Zone};
use crate::model::storage::Datastore;
use crate::model::vm::{DiskMode, PowerState, Provisioning, SppMode, VirtualDisk, Vm, VmEncryption};
use crate::rules::cpool::{MOST_HOSTS, RAM_AT_FIRST, RAM_PERCENT};
use crate::units::{Bytes, Gb, Gib, Iops, Tib};

/// Zones with their sites. VMs run in the first two; backups go to the third, so that a VM can be taken over by the other.
const ZONES: [(&str, &str); 3] = [("PAR7S", "par7"), ("TH3S", "th3"), ("AZ07", "data4")];
/// Sizes of VMs: CPUs, GiB of memory, GiB of disk, and of a hundred VMs how many.
const SIZES: [(u32, u64, u64, u64); 5] =
    [(1, 2, 20, 30), (2, 4, 40, 35), (4, 8, 100, 20), (8, 16, 250, 10), (8, 32, 500, 5)];
/// What VMs are for, which gives them their names.
const ROLES: [&str; 8] = ["web", "app", "db", "cache", "mail", "files", "proxy", "batch"];
/// VMs of one Cpool: few enough for its memory at any mix of sizes.
const VMS_PER_CPOOL: usize = 250;
/// VMs of one datastore.
const VMS_PER_DATASTORE: usize = 50;

/// Draws numbers from a seed (SplitMix64: every seed is a good one).
struct Seeded(u64);

impl Seeded {
    const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.number() % end }
    }

    fn one_of<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        let at = self.below(u64::try_from(choices.len()).unwrap_or(0));
        usize::try_from(at).ok().and_then(|at| choices.get(at)).copied().unwrap_or(otherwise)
    }

    fn size(&mut self) -> (u32, u64, u64) {
        let mut left = self.below(100);
        for (cpus, memory, disk, share) in SIZES {
            if left < share {
                return (cpus, memory, disk);
            }
            left -= share;
        }
        (1, 2, 20)
    }
}

impl Inventory {
    /// So many tenants, each of a customer of its own, with so many VMs between them, as the seed has it.
    #[must_use]
    pub fn generate(seed: u64, tenants: usize, vms: usize) -> Self {
        // What is generated keeps its references; the tests hold it to that.
        Self::build(Maker { seeded: Seeded(seed), made: platform() }.make(tenants, vms)).unwrap_or_default()
    }
}

fn platform() -> Document {
    Document {
        regions: vec![Region { id: "fr1".into(), country: "FR".to_owned() }],
        zones: ZONES.iter().map(|(id, site)| zone(id, site)).collect(),
        key_nodes: ZONES.iter().enumerate().map(|(number, (zone, _))| key_node(number + 1, zone)).collect(),
        ..Document::default()
    }
}

fn zone(id: &str, site: &str) -> Zone {
    Zone { id: id.into(), region: "fr1".into(), site: site.into() }
}

fn key_node(number: usize, zone: &str) -> KeyNode {
    let id = KeyNodeId::new(format!("kms-{number}"));
    KeyNode { id, zone: zone.into(), hsm: "Thales Luna S790".to_owned(), root_of_trust: "rot".into() }
}

struct Maker {
    seeded: Seeded,
    made: Document,
}

impl Maker {
    fn make(mut self, tenants: usize, vms: usize) -> Document {
        for number in 0..tenants {
            // The first tenants take what does not divide evenly.
            let share = vms / tenants + usize::from(number < vms % tenants);
            self.tenant(number + 1, share);
        }
        self.made
    }

    fn tenant(&mut self, number: usize, vms: usize) {
        let name = format!("t{number:04}");
        let tenant = TenantId::new(name.clone());
        let owners = vec![format!("owner@{name}.example")];
        self.made.organisations.push(Organisation {
            id: OrganisationId::new(format!("org-{name}")),
            name: format!("Organisation {number}"),
            contract: format!("C-{number:06}"),
            owners: owners.clone(),
        });
        self.made.tenants.push(Tenant {
            id: tenant.clone(),
            name: name.clone(),
            organisation: OrganisationId::new(format!("org-{name}")),
            owners,
            allowed_addresses: Vec::new(),
            subscriptions: [Service::VmEncryption.sku(&"fr1".into())].into(),
            backup_quota: Tib(100),
        });
        self.made.key_domains.push(KeyDomain {
            id: KeyDomainId::new(format!("dom-{name}")),
            tenant: tenant.clone(),
            domain_key: KeyId::new(format!("dk-{name}")),
            audited: true,
            keys: [].into(),
        });
        self.made.vstacks.push(VStack {
            id: VStackId::new(format!("vc-vstack-{number:03}-{name}")),
            tenant: tenant.clone(),
            vcenter: release(),
            key_provider: Some(KeyProvider {
                id: "clavis".into(),
                domain: KeyDomainId::new(format!("dom-{name}")),
                servers: self.made.key_nodes.iter().map(|node| node.id.clone()).collect(),
                enabled: true,
            }),
        });
        self.policy(&tenant, zone_at(2));
        let mut left = vms;
        let mut cpool = 0;
        while left > 0 {
            let here = left.min(VMS_PER_CPOOL);
            self.cpool(&tenant, cpool, here);
            left -= here;
            cpool += 1;
        }
    }

    /// The policy of a tenant: its backups lie in `zone`.
    fn policy(&mut self, tenant: &TenantId, zone: &str) {
        let id = PolicyId::new(format!("{tenant}-daily"));
        let retention = Retention { days: 7, weeks: 4, months: 12 };
        let request = ServiceRequestId::new(format!("sr-{id}"));
        self.made.service_requests.push(ServiceRequest {
            id: request.clone(),
            tenant: tenant.clone(),
            contact: Contact {
                name: "Support contact".to_owned(),
                mail: format!("it@{tenant}.example"),
                phone: "+33 1 00 00 00 00".to_owned(),
            },
            wish: Wish::BackupPolicy { policy: id.clone(), retention: retention.clone() },
            state: RequestState::Done,
        });
        self.made.policies.push(BackupPolicy {
            id,
            tenant: tenant.clone(),
            zone: zone.into(),
            retention,
            cipher: CIPHER.to_owned(),
            state: PolicyState::Active,
            made_under: request,
        });
    }

    fn cpool(&mut self, tenant: &TenantId, number: usize, vms: usize) {
        let zone = zone_at(number % 2);
        let id = CpoolId::new(format!("clu{:03}-{tenant}", number + 1));
        let mut own: Vec<Vm> = (0..vms).map(|at| self.vm(tenant, &id, number * VMS_PER_CPOOL + at)).collect();
        let blade = self.seeded.one_of(&["standard", "advance", "perf3"], "standard");
        let physical = catalogue().blade(&blade.into()).map_or(Gb(0), |blade| blade.ram);
        // As many hosts as keep the memory of all VMs, running or not, under the percentage that a person is told of.
        let needed: u64 = own.iter().map(|vm| vm.memory.bytes().0).sum();
        let needed = Gb(needed.saturating_mul(100).div_ceil(RAM_PERCENT * Gb(1).bytes().0));
        let hosts = usize::try_from(needed.0.div_ceil(physical.0.max(1))).unwrap_or(MOST_HOSTS).clamp(2, MOST_HOSTS);
        let count = u64::try_from(hosts).unwrap_or(u64::MAX);
        let vstack = self.made.vstacks.last().map(|vstack| vstack.id.clone()).unwrap_or_default();
        self.made.cpools.push(Cpool {
            id: id.clone(),
            name: id.to_string(),
            vstack,
            zone: zone.into(),
            ram_enabled: needed.max(RAM_AT_FIRST.times(count)).min(physical.times(count)),
            high_availability: true,
            drs: true,
        });
        for at in 0..hosts {
            self.host(tenant, &id, zone, blade, physical, at);
        }
        self.made.networks.push(Network {
            id: NetworkId::new(format!("net-{id}")),
            name: format!("Private network {}", number + 1),
            tenant: tenant.clone(),
            vlan: u16::try_from(100 + number % 3900).unwrap_or(100),
            tenants: [].into(),
            cpools: [id.clone()].into(),
        });
        for (at, vms) in own.chunks_mut(VMS_PER_DATASTORE).enumerate() {
            self.datastore(tenant, &id, zone, at, vms);
        }
        for (at, vm) in own.iter_mut().enumerate() {
            if vm.power == PowerState::On {
                vm.host = Some(host_id(&id, at % hosts));
            }
        }
        self.made.vms.append(&mut own);
    }

    fn host(&mut self, tenant: &TenantId, cpool: &CpoolId, zone: &str, blade: &str, ram: Gb, at: usize) {
        let id = host_id(cpool, at);
        let key = KeyId::new(format!("key-of-{id}"));
        self.keep_key(&key);
        self.made.hosts.push(Host {
            name: id.to_string(),
            id,
            tenant: tenant.clone(),
            zone: zone.into(),
            cpool: cpool.clone(),
            blade: blade.into(),
            ram,
            esxi: release(),
            state: HostState::Connected,
            crypto: HostCrypto::Safe(key),
        });
    }

    /// A datastore for these VMs, on which a fifth stays free.
    fn datastore(&mut self, tenant: &TenantId, cpool: &CpoolId, zone: &str, at: usize, vms: &mut [Vm]) {
        let id = DatastoreId::new(format!("lun{:03}-{cpool}", at + 1));
        let class = self.seeded.one_of(&["medium", "premium", "enterprise"], "medium");
        let iops = catalogue().class(&class.into()).and_then(|class| class.iops_per_tib);
        let needed: u64 = vms.iter().map(|vm| (vm.disk_capacity() + vm.memory.bytes()).0).sum();
        let capacity = Gib(needed.div_ceil(Gib(1).bytes().0).saturating_mul(5).div_ceil(4).max(500));
        self.made.datastores.push(Datastore {
            id: id.clone(),
            tenant: tenant.clone(),
            zone: zone.into(),
            class: class.into(),
            capacity,
            iops_limit: iops.map(|iops| iops.of(capacity)),
            cpools: vec![cpool.clone()],
            cluster: None,
            other_files: Bytes(0),
            maintenance: false,
        });
        for vm in vms {
            vm.home = id.clone();
            vm.disks.iter_mut().for_each(|disk| disk.datastore = id.clone());
        }
    }

    /// A VM that has no datastore yet: four of five run, one of ten is encrypted.
    fn vm(&mut self, tenant: &TenantId, cpool: &CpoolId, number: usize) -> Vm {
        let (cpus, memory, disk) = self.seeded.size();
        let role = self.seeded.one_of(&ROLES, "app");
        let id = VmId::new(format!("vm-{tenant}-{:05}", number + 1));
        let runs = self.seeded.below(5) > 0;
        let encryption = (self.seeded.below(10) == 0).then(|| VmEncryption {
            provider: "clavis".into(),
            key: KeyId::new(format!("key-of-{id}")),
            locked: false,
        });
        encryption.iter().for_each(|encryption| self.keep_key(&encryption.key));
        let dynamic = encryption.is_none() && self.seeded.below(3) == 0;
        let written = Gib(disk / 2).bytes();
        let disk = VirtualDisk {
            id: "disk-0".into(),
            datastore: "".into(),
            capacity: Gib(disk).bytes(),
            provisioning: if dynamic { Provisioning::Dynamic(written) } else { Provisioning::StaticImmediate },
            mode: DiskMode::Persistent,
            reserved_iops: Iops(0),
            constant_writes: false,
            excluded_from_backup: false,
            key: encryption.as_ref().map(|encryption| encryption.key.clone()),
        };
        Vm {
            id,
            name: format!("{role}-{:05}", number + 1),
            cpool: cpool.clone(),
            host: None,
            power: if runs { PowerState::On } else { PowerState::Off },
            cpus,
            memory: Gib(memory),
            home: "".into(),
            disks: vec![disk],
            networks: vec![NetworkId::new(format!("net-{cpool}"))],
            snapshots: Vec::new(),
            replication: None,
            policies: [PolicyId::new(format!("{tenant}-daily"))].into(),
            spp_mode: SppMode::Production,
            encryption,
            cloned_from: None,
            held_by: None,
        }
    }

    /// Notes a key in the domain of the tenant that is being made.
    fn keep_key(&mut self, key: &KeyId) {
        if let Some(domain) = self.made.key_domains.last_mut() {
            domain.keys.insert(key.clone());
        }
    }
}

fn zone_at(number: usize) -> &'static str {
    ZONES.get(number).map_or("PAR7S", |(id, _)| id)
}

fn host_id(cpool: &CpoolId, at: usize) -> HostId {
    HostId::new(format!("esx{:02}-{cpool}", at + 1))
}

fn release() -> Release {
    Release { version: "7.0.3".to_owned(), build: 24_322_018 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_keeps_every_promise_at_any_size() {
        for (seed, tenants, vms) in
            [(0, 1, 1), (1, 2, 12), (2, 3, 40), (3, 1, 251), (4, 3, 1000), (5, 7, 3), (6, 3, 5000)]
        {
            let inventory = Inventory::generate(seed, tenants, vms);
            assert_eq!((inventory.tenants().count(), inventory.vms().count()), (tenants, vms), "seed {seed}");
            let found: Vec<String> = crate::plan::findings(&inventory).iter().map(ToString::to_string).collect();
            assert_eq!(found, [""; 0], "seed {seed}");
        }
    }

    #[test]
    fn a_seed_makes_one_inventory_and_another_seed_another() {
        assert_eq!(Inventory::generate(7, 2, 30), Inventory::generate(7, 2, 30));
        assert_ne!(Inventory::generate(7, 2, 30), Inventory::generate(8, 2, 30));
    }

    #[test]
    fn a_large_one_has_some_of_everything() {
        let inventory = Inventory::generate(1, 2, 400);
        let count = |of: &dyn Fn(&Vm) -> bool| inventory.vms().filter(|vm| of(vm)).count();
        assert!(count(&|vm| vm.encryption.is_some()) > 10);
        assert!(count(&|vm| vm.power == PowerState::Off) > 10);
        assert!(count(&|vm| vm.power == PowerState::On) > 100);
        assert!(inventory.zones().all(|zone| zone.site.as_str() != ""));
    }

    #[test]
    fn nothing_is_an_inventory_too() {
        assert_eq!(Inventory::generate(1, 0, 10).vms().count(), 0);
    }
}
