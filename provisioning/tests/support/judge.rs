//! An independent judge: whether a document keeps the promises, by naive loops over the whole of it, with numbers of
//! its own and nothing of the rules' code.

use std::collections::{BTreeMap, BTreeSet};

use provisioning::Document;
use provisioning::model::compute::{Cpool, HostCrypto, HostState};
use provisioning::model::storage::{Datastore, MirrorState};
use provisioning::model::vm::{PowerState, Provisioning, SppMode, Vm};

const GIB: u128 = 1024 * 1024 * 1024;
const GB: u128 = 1000 * 1000 * 1000;

/// IOPS per TiB of the classes; mass storage has no limit.
const CLASSES: [(&str, u128); 5] =
    [("live", 500), ("medium", 1500), ("premium", 3000), ("enterprise", 7500), ("ultra", 15_000)];
/// GB of the blades.
const BLADES: [(&str, u64); 7] = [
    ("eco", 384),
    ("standard", 384),
    ("advance", 768),
    ("perf1", 384),
    ("perf2", 768),
    ("perf3", 1536),
    ("perf4", 512),
];

struct Judge<'a> {
    all: &'a Document,
    broken: Vec<String>,
}

/// Every promise that the document breaks, by number and in words.
pub fn judge(all: &Document) -> Vec<String> {
    let mut judge = Judge { all, broken: Vec::new() };
    judge.compute();
    judge.storage();
    judge.mirrors();
    judge.vms();
    judge.backups();
    judge.keys();
    judge.networks_and_affinity();
    judge.broken
}

impl<'a> Judge<'a> {
    fn unless(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(what());
        }
    }

    fn cpool(&self, id: &impl AsRef<str>) -> &'a Cpool {
        self.all.cpools.iter().find(|one| one.id.as_str() == id.as_ref()).unwrap()
    }

    fn lun(&self, id: &impl AsRef<str>) -> &'a Datastore {
        self.all.datastores.iter().find(|one| one.id.as_str() == id.as_ref()).unwrap()
    }

    fn tenant_of(&self, cpool: &Cpool) -> &'a str {
        self.all.vstacks.iter().find(|one| one.id == cpool.vstack).unwrap().tenant.as_str()
    }

    fn customer_of(&self, tenant: &str) -> &'a str {
        self.all.tenants.iter().find(|one| one.id.as_str() == tenant).unwrap().organisation.as_str()
    }

    fn site(&self, zone: &impl AsRef<str>) -> &'a str {
        self.all.zones.iter().find(|one| one.id.as_str() == zone.as_ref()).unwrap().site.as_str()
    }

    fn region(&self, zone: &impl AsRef<str>) -> &'a str {
        self.all.zones.iter().find(|one| one.id.as_str() == zone.as_ref()).unwrap().region.as_str()
    }

    fn mirrored(&self, lun: &impl AsRef<str>) -> bool {
        let is = |side: &str| side == lun.as_ref();
        self.all.mirrors.iter().any(|one| is(one.primary.as_str()) || is(one.secondary.as_str()))
    }

    fn compute(&mut self) {
        for cpool in &self.all.cpools {
            let hosts: Vec<_> = self.all.hosts.iter().filter(|host| host.cpool == cpool.id).collect();
            let kinds: BTreeSet<_> = hosts.iter().map(|host| host.blade.as_str()).collect();
            self.unless(kinds.len() < 2, || format!("R7 {}: {kinds:?}", cpool.id));
            self.unless(hosts.len() <= 32, || format!("R46 {}", cpool.id));
            self.unless(!cpool.high_availability || hosts.len() > 1, || format!("R13 {}", cpool.id));
            let mut most = 0;
            for host in &hosts {
                let ram = BLADES.iter().find(|(kind, _)| *kind == host.blade.as_str()).unwrap().1;
                self.unless(host.ram.0 == ram, || format!("R8 {}", host.id));
                most += ram;
                let (tenant, zone) = (self.tenant_of(cpool), &cpool.zone);
                self.unless(host.tenant.as_str() == tenant && host.zone == *zone, || format!("R1 R44 {}", host.id));
            }
            let least = 128 * u64::try_from(hosts.len()).unwrap();
            let enabled = cpool.ram_enabled.0;
            self.unless(least <= enabled && enabled <= most, || format!("R48 {}: {enabled}", cpool.id));
            let mirrors = self.all.mirrors.iter().map(|mirror| &mirror.standby);
            let replicas = self.all.vms.iter().filter_map(|vm| vm.replication.as_ref()).map(|one| &one.standby);
            let here = mirrors.chain(replicas).filter(|standby| standby.cpool == cpool.id);
            let reserved: u128 = here.map(|standby| u128::from(standby.memory.0) * GIB).sum();
            self.unless(reserved <= u128::from(enabled) * GB, || format!("standby of {}", cpool.id));
        }
    }

    fn storage(&mut self) {
        for lun in &self.all.datastores {
            self.unless(lun.capacity.0 >= 500, || format!("R23 {}", lun.id));
            let class = CLASSES.iter().find(|(class, _)| *class == lun.class.as_str());
            let limit = class.map(|(_, iops)| iops * u128::from(lun.capacity.0) / 1024);
            // Absurd sizes stop at the largest number there is.
            let limit = limit.map(|limit| limit.min(u128::from(u64::MAX / 1024)));
            let actual =
                lun.iops_limit.map(|iops| u128::from(iops.0)).map(|iops| iops.min(u128::from(u64::MAX / 1024)));
            self.unless(actual == limit, || format!("R18 {}: {actual:?} {limit:?}", lun.id));
            for cpool in &lun.cpools {
                let user = self.tenant_of(self.cpool(cpool));
                self.unless(user == lun.tenant.as_str(), || format!("R1 R26 {} used by {user}", lun.id));
            }
            let (mut taken, mut iops) = (u128::from(lun.other_files.0), 0u128);
            for vm in &self.all.vms {
                for disk in vm.disks.iter().filter(|disk| disk.datastore == lun.id) {
                    iops += u128::from(disk.reserved_iops.0);
                    taken += match disk.provisioning {
                        Provisioning::Dynamic(written) => u128::from(written.0),
                        _ => u128::from(disk.capacity.0),
                    };
                }
                if vm.home == lun.id {
                    taken += vm.snapshots.iter().map(|one| u128::from(one.size.0)).sum::<u128>();
                    if !matches!(vm.power, PowerState::Off | PowerState::Invalid) {
                        taken += u128::from(vm.memory.0) * GIB;
                    }
                }
                if let Some(replication) = vm.replication.as_ref().filter(|one| one.datastore == lun.id) {
                    taken += u128::from(replication.storage.0);
                }
            }
            self.unless(taken <= u128::from(lun.capacity.0) * GIB, || format!("R28 {}: {taken}", lun.id));
            self.unless(limit.is_none_or(|limit| iops <= limit), || format!("R19 {}", lun.id));
        }
    }

    fn mirrors(&mut self) {
        for mirror in &self.all.mirrors {
            let (one, other) = (self.lun(&mirror.primary), self.lun(&mirror.secondary));
            let name = &mirror.id;
            self.unless(one.class == other.class, || format!("R24 {name}"));
            self.unless(one.capacity == other.capacity, || format!("R38 {name}"));
            let classes = ["live", "medium", "premium"];
            self.unless(classes.contains(&one.class.as_str()), || format!("R40 {name}"));
            let same_region = self.region(&one.zone) == self.region(&other.zone);
            self.unless(one.zone != other.zone && same_region, || format!("R32 {name}"));
            let standby = &mirror.standby;
            self.unless(standby.cpus > 0 && standby.memory.0 > 0, || format!("R37 {name}"));
            self.unless(self.cpool(&standby.cpool).zone == other.zone, || format!("R37 {name}: elsewhere"));
            let sides = |lun: &Datastore| {
                let count = |side: &provisioning::ids::DatastoreId| usize::from(*side == lun.id);
                self.all.mirrors.iter().map(|one| count(&one.primary) + count(&one.secondary)).sum::<usize>()
            };
            self.unless(sides(one) == 1 && sides(other) == 1, || format!("{name}: a LUN in two mirrors"));
            let active = matches!(mirror.state, MirrorState::Test | MirrorState::FailedOver);
            self.unless(!active || mirror.presented_under.is_some(), || format!("R36 {name}"));
            let is_seen = !other.cpools.is_empty();
            // A secondary that its owner used before it was one may be attached still; nothing may lie on it.
            let used = self.all.vms.iter().any(|vm| lies_on(vm, other));
            self.unless(!used || mirror.state == MirrorState::FailedOver, || format!("{name}: used, seen {is_seen}"));
        }
    }

    fn vms(&mut self) {
        for vm in &self.all.vms {
            let cpool = self.cpool(&vm.cpool);
            let tenant = self.tenant_of(cpool);
            for lun in self.all.datastores.iter().filter(|lun| lies_on(vm, lun)) {
                self.unless(lun.tenant.as_str() == tenant, || format!("R26 {} on {}", vm.id, lun.id));
                self.unless(lun.cpools.contains(&vm.cpool), || format!("{} cannot reach {}", vm.id, lun.id));
            }
            if vm.power == PowerState::On {
                let host = vm.host.as_ref().and_then(|id| self.all.hosts.iter().find(|host| host.id == *id));
                let fits = host.is_some_and(|host| host.cpool == vm.cpool && host.state == HostState::Connected);
                self.unless(fits, || format!("{} runs on {:?}", vm.id, vm.host));
                let safe = host.is_some_and(|host| matches!(host.crypto, HostCrypto::Safe(_)));
                self.unless(vm.encryption.is_none() || safe, || format!("{} runs where no keys are", vm.id));
                let locked = vm.encryption.as_ref().is_some_and(|encryption| encryption.locked);
                self.unless(!locked, || format!("{} runs locked", vm.id));
                let backed_up = self
                    .all
                    .policies
                    .iter()
                    .any(|policy| vm.policies.contains(&policy.id) && policy.state.text() == "active");
                self.unless(backed_up || vm.spp_mode == SppMode::Test, || format!("R55 {}", vm.id));
            }
            let own_site = self.site(&cpool.zone);
            for policy in self.all.policies.iter().filter(|policy| vm.policies.contains(&policy.id)) {
                self.unless(self.site(&policy.zone) != own_site, || format!("R56 {} {}", vm.id, policy.id));
            }
            if let Some(replication) = &vm.replication {
                let (standby, name) = (&replication.standby, &vm.id);
                let there = self.cpool(&standby.cpool);
                self.unless((1..=24).contains(&replication.interval_hours), || format!("R53 {name}: interval"));
                self.unless(there.zone != cpool.zone, || format!("R53 {name}: same zone"));
                self.unless(self.lun(&replication.datastore).zone == there.zone, || {
                    format!("R53 {name}: storage zone")
                });
                let enough = standby.memory >= vm.memory && standby.cpus >= vm.cpus;
                self.unless(enough, || format!("R53 {name}: compute"));
                let disks: u128 = vm.disks.iter().map(|disk| u128::from(disk.capacity.0)).sum();
                self.unless(u128::from(replication.storage.0) == disks, || format!("R53 {name}: storage"));
            }
            self.unless(vm.disks.len() <= 60, || format!("{}: disks", vm.id));
        }
    }

    fn backups(&mut self) {
        for tenant in &self.all.tenants {
            let own = self.all.backups.iter().filter(|backup| backup.tenant == tenant.id);
            let size: u128 = own.map(|backup| u128::from(backup.size.0)).sum();
            let quota = u128::from(tenant.backup_quota.0) * 1024 * GIB;
            self.unless(size <= quota, || format!("R31 {}", tenant.id));
        }
        for backup in &self.all.backups {
            self.unless(self.site(&backup.zone) != self.site(&backup.vm_zone), || format!("R56 {}", backup.id));
            self.unless(backup.cipher == "aes-256-xts-plain64", || format!("R57 {}", backup.id));
        }
        for policy in &self.all.policies {
            self.unless(policy.cipher == "aes-256-xts-plain64", || format!("R57 {}", policy.id));
            let made = self.all.service_requests.iter().find(|request| request.id == policy.made_under);
            self.unless(made.is_some_and(|request| request.state.text() == "done"), || format!("R61 {}", policy.id));
        }
    }

    fn keys(&mut self) {
        let roots: BTreeSet<_> = self.all.key_nodes.iter().map(|node| &node.root_of_trust).collect();
        self.unless(roots.len() < 2, || "R64 roots".to_owned());
        let domain_keys: BTreeSet<_> = self.all.key_domains.iter().map(|domain| &domain.domain_key).collect();
        self.unless(domain_keys.len() == self.all.key_domains.len(), || "R64 domain keys".to_owned());
        for node in &self.all.key_nodes {
            let region = self.all.regions.iter().find(|region| region.id.as_str() == self.region(&node.zone)).unwrap();
            self.unless(region.country == "FR", || format!("R75 {}", node.id));
        }
        for vstack in &self.all.vstacks {
            let Some(provider) = &vstack.key_provider else { continue };
            let nodes = self.all.key_nodes.iter().filter(|node| provider.servers.contains(&node.id));
            let zones: BTreeSet<_> = nodes.map(|node| &node.zone).collect();
            self.unless(!provider.enabled || zones.len() >= 3, || format!("R63 {}", vstack.id));
            let domain = self.all.key_domains.iter().find(|domain| domain.id == provider.domain).unwrap();
            self.unless(domain.tenant == vstack.tenant && domain.audited, || format!("R66 {}", vstack.id));
        }
        let has = |tenant: &str, key: &provisioning::ids::KeyId| {
            self.all.key_domains.iter().any(|domain| domain.tenant.as_str() == tenant && domain.keys.contains(key))
        };
        let mut broken = Vec::new();
        let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for vm in &self.all.vms {
            let cpool = self.cpool(&vm.cpool);
            let (tenant, vstack) = (self.tenant_of(cpool), cpool.vstack.as_str());
            let key = vm.encryption.as_ref().map(|encryption| &encryption.key);
            for disk in &vm.disks {
                if disk.key.as_ref() != key {
                    broken.push(format!("R65 {} {}", vm.id, disk.id));
                }
            }
            for snapshot in vm.snapshots.iter().filter_map(|snapshot| snapshot.key.as_ref()) {
                if !has(tenant, snapshot) {
                    broken.push(format!("R70 snapshot of {}", vm.id));
                }
            }
            let Some(encryption) = &vm.encryption else { continue };
            if !has(tenant, &encryption.key) {
                broken.push(format!("R70 {}", vm.id));
            }
            let mut vstacks = self.all.vstacks.iter().filter(|one| one.id.as_str() == vstack);
            let provider = vstacks.next().unwrap().key_provider.as_ref();
            if provider.is_none_or(|provider| provider.id != encryption.provider) {
                broken.push(format!("R70 {} has no provider", vm.id));
            }
            let subscribed = self.all.tenants.iter().any(|one| {
                let sku = format!("csp:{}:iaas:vmware:encryption:hsm:v1", self.region(&cpool.zone));
                one.id.as_str() == tenant && one.subscriptions.iter().any(|own| own.as_str() == sku)
            });
            if !subscribed {
                broken.push(format!("R74 {}", vm.id));
            }
            let on_mirror = self.all.datastores.iter().any(|lun| lies_on(vm, lun) && self.mirrored(&lun.id));
            if vm.replication.is_some() || on_mirror {
                broken.push(format!("R69 {}", vm.id));
            }
            users
                .entry(encryption.key.as_str())
                .or_default()
                .insert(vm.cloned_from.as_ref().unwrap_or(&vm.id).as_str());
        }
        for (key, lines) in users.into_iter().filter(|(_, lines)| lines.len() > 1) {
            broken.push(format!("R64 {key} of {lines:?}"));
        }
        for backup in &self.all.backups {
            let of_vm = backup.vm_encryption.as_ref().map(|encryption| &encryption.key);
            if [Some(&backup.key), of_vm].into_iter().flatten().any(|key| !has(backup.tenant.as_str(), key)) {
                broken.push(format!("R70 {}", backup.id));
            }
        }
        for host in &self.all.hosts {
            if let HostCrypto::Safe(key) = &host.crypto
                && !has(host.tenant.as_str(), key)
            {
                broken.push(format!("R70 {}", host.id));
            }
        }
        self.broken.append(&mut broken);
    }

    fn networks_and_affinity(&mut self) {
        for network in &self.all.networks {
            let customer = self.customer_of(network.tenant.as_str());
            for tenant in &network.tenants {
                self.unless(self.customer_of(tenant.as_str()) == customer, || format!("R15 {}", network.id));
            }
            for cpool in &network.cpools {
                let tenant = self.tenant_of(self.cpool(cpool));
                let known =
                    network.tenant.as_str() == tenant || network.tenants.iter().any(|one| one.as_str() == tenant);
                self.unless(known, || format!("R14 {} in {cpool}", network.id));
            }
            for vm in self.all.vms.iter().filter(|vm| vm.networks.contains(&network.id)) {
                self.unless(network.cpools.contains(&vm.cpool), || format!("{} not on {}", vm.id, network.id));
            }
        }
        let active: Vec<_> = self.all.affinity_rules.iter().filter(|rule| rule.enabled).collect();
        for rule in &self.all.affinity_rules {
            self.unless(rule.vms.len() > 1, || format!("R52 {}", rule.id));
            for vm in self.all.vms.iter().filter(|vm| rule.vms.contains(&vm.id)) {
                self.unless(vm.cpool == rule.cpool, || format!("R52 {} elsewhere", rule.id));
            }
        }
        for (at, one) in active.iter().enumerate() {
            for other in &active[at + 1..] {
                let shared = one.vms.iter().filter(|vm| other.vms.contains(vm)).count();
                let contradicts = shared > usize::from(one.kind != other.kind);
                self.unless(!contradicts, || format!("R52 {} and {}", one.id, other.id));
            }
        }
    }
}

fn lies_on(vm: &Vm, lun: &Datastore) -> bool {
    vm.home == lun.id || vm.disks.iter().any(|disk| disk.datastore == lun.id)
}
