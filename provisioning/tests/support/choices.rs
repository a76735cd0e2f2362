//! Random commands, drawn from what an inventory has: mostly sensible, often not.

use provisioning::calendar::Timestamp;
use provisioning::command::{Depth, NewDisk, NewVm};
use provisioning::crypto_state::KeyAnswer;
use provisioning::inventory::{Document, Inventory};
use provisioning::model::compute::{AffinityKind, AffinityRule, KeyProvider, Release};
use provisioning::model::contract::{Contact, RequestState, Retention, ServiceRequest, Wish};
use provisioning::model::storage::{MirrorKind, MirrorState, Standby};
use provisioning::model::vm::SppMode;
use provisioning::units::{Gb, Gib, Tib};
use provisioning::{Actor, Command, Request};

/// A source of choices that can be made again from its seed (SplitMix64).
pub struct Choices(u64);

impl Choices {
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn of_slice<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// One of the ids, now and then one that is not there.
    fn id<'a, T, I: Clone + From<&'static str> + 'a>(&mut self, things: &'a [T], id: impl Fn(&'a T) -> &'a I) -> I {
        if things.is_empty() || self.one_in(50) {
            "nowhere".into()
        } else {
            id(&things[self.below(things.len())]).clone()
        }
    }

    fn fresh<I: for<'t> From<&'t str>>(&mut self, what: &str) -> I {
        I::from(format!("{what}-{}", self.below(1_000_000)).as_str())
    }

    /// Somebody asks for something.
    pub fn request(&mut self, inventory: &Inventory) -> Request {
        let document = Document::from(inventory.clone());
        let actor = if self.one_in(4) {
            Actor::Operator
        } else {
            // Mostly the one whose VMs there are; the others' tries are refused by name.
            let tenant =
                if self.one_in(8) { self.of_slice(&document.tenants).id } else { document.tenants[0].id.clone() };
            Actor::owner(&tenant)
        };
        Request { actor, command: self.command(&document) }
    }

    fn gib(&mut self) -> Gib {
        let choices = [0, 1, 8, 10, 64, 499, 500, 501, 1024, 2048, u64::MAX];
        Gib(self.of_slice(&choices))
    }

    fn memory(&mut self) -> Gib {
        let choices = [0, 1, 2, 4, 8, 16, 64, 300, u64::MAX];
        Gib(self.of_slice(&choices))
    }

    fn standby(&mut self, from: &Document) -> Standby {
        let cpool = self.id(&from.cpools, |cpool| &cpool.id);
        Standby { cpool, cpus: self.of_slice(&[0, 1, 4, 64]), memory: self.memory() }
    }

    fn disk(&mut self, from: &Document) -> NewDisk {
        let datastore = self.id(&from.datastores, |lun| &lun.id);
        NewDisk { id: self.fresh("disk"), datastore, capacity: self.gib(), dynamic: self.one_in(2) }
    }

    fn wish(&mut self, from: &Document) -> Wish {
        let retention = Retention { days: self.of_slice(&[0, 7]), weeks: 0, months: self.of_slice(&[0, 12]) };
        match self.below(4) {
            0 => Wish::BackupPolicy { policy: self.fresh("policy"), retention },
            1 => Wish::PresentMirror { mirror: self.id(&from.mirrors, |mirror| &mirror.id) },
            2 => Wish::KeyProvider { vstack: self.id(&from.vstacks, |vstack| &vstack.id) },
            _ => Wish::ExportEncrypted { vm: self.id(&from.vms, |vm| &vm.id) },
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    fn command(&mut self, from: &Document) -> Command {
        let vm = self.id(&from.vms, |vm| &vm.id);
        let of_vm = from.vms.iter().find(|one| one.id == vm);
        let disk = of_vm.map_or("none".into(), |of_vm| self.id(&of_vm.disks, |disk| &disk.id));
        let snapshot = of_vm.map_or("none".into(), |of_vm| self.id(&of_vm.snapshots, |snapshot| &snapshot.id));
        // Few VMs are replicated: what is asked of those is asked of them.
        let replicated: Vec<_> = from.vms.iter().filter(|vm| vm.replication.is_some()).collect();
        let replicated = if replicated.is_empty() { vm.clone() } else { self.id(&replicated, |vm| &vm.id) };
        let cpool = self.id(&from.cpools, |cpool| &cpool.id);
        let host = self.id(&from.hosts, |host| &host.id);
        let datastore = self.id(&from.datastores, |lun| &lun.id);
        let network = self.id(&from.networks, |network| &network.id);
        let policy = self.id(&from.policies, |policy| &policy.id);
        let zone = self.id(&from.zones, |zone| &zone.id);
        let blade = self.of_slice(&["eco", "standard", "perf4"]).into();
        match self.below(67) {
            0 => {
                let disks = (0..self.below(3)).map(|_| self.disk(from)).collect();
                let networks = if self.one_in(3) { vec![network] } else { vec![] };
                let memory = self.memory();
                let new = NewVm {
                    id: self.fresh("vm"),
                    name: "new".to_owned(),
                    cpool,
                    home: datastore,
                    cpus: 2,
                    memory,
                    disks,
                    networks,
                };
                Command::CreateVm { vm: new }
            }
            1 => {
                let template = self.of_slice(&["debian-12", "windows-2022", "none"]).into();
                let name = "deployed".to_owned();
                Command::DeployTemplate { template, vm: self.fresh("vm"), name, cpool, home: datastore }
            }
            2 => Command::DeleteVm { vm },
            3..=6 => Command::PowerOn { vm },
            7 | 8 => Command::PowerOff { vm },
            9 => Command::Suspend { vm },
            10 => Command::ResizeVm { vm, cpus: self.of_slice(&[0, 1, 2, 8]), memory: self.memory() },
            11 => Command::MoveVm { vm, cpool },
            12 => Command::MigrateVm { vm, host },
            13 => Command::MoveHome { vm, to: datastore },
            14 => Command::CloneVm { vm, clone: self.fresh("vm"), name: "clone".to_owned() },
            15 => Command::AddDisk { vm, disk: self.disk(from) },
            16 => Command::ResizeDisk { vm, disk, capacity: self.gib() },
            17 | 18 => Command::MoveDisk { vm, disk, to: datastore },
            19 => Command::RemoveDisk { vm, disk },
            20 => Command::ConnectVm { vm, network },
            21 => Command::TakeSnapshot { vm, snapshot: self.fresh("snapshot") },
            22 => Command::DeleteSnapshot { vm, snapshot },
            23 => Command::ExportOvf { vm },
            24 | 25 => Command::AssignPolicy { vm, policy },
            26 => Command::RemovePolicy { vm, policy },
            27 => Command::ExcludeDisk { vm, disk, excluded: self.one_in(2) },
            28 => Command::BackUp { vm, policy, backup: self.fresh("backup"), at: Timestamp(self.number() >> 20) },
            29 => Command::DeleteBackup { backup: self.id(&from.backups, |backup| &backup.id) },
            30 => {
                let backup = self.id(&from.backups, |backup| &backup.id);
                let mode = self.of_slice(SppMode::ALL);
                Command::Restore { backup, vm: self.fresh("vm"), cpool, home: datastore, mode }
            }
            31 => Command::OrderBackupStorage { quota: Tib(self.of_slice(&[0, 1, 10, u64::MAX])) },
            32 => self.sensible_replication(from, vm),
            33 => {
                let interval_hours = self.of_slice(&[0, 1, 12, 24, 25]);
                Command::Replicate { vm, interval_hours, standby: self.standby(from), datastore }
            }
            34 => Command::PauseReplication { vm: replicated, paused: self.one_in(2) },
            35 => Command::StopReplication { vm: replicated },
            36 => Command::FailOverVm { vm: replicated },
            37..=39 => Command::Encrypt { vm },
            40 => Command::Rekey { vm, depth: self.of_slice(&[Depth::Shallow, Depth::Deep]) },
            41 => Command::Decrypt { vm },
            42 => {
                let Some(domain) = from.key_domains.first() else { return Command::Decrypt { vm } };
                let keys: Vec<_> = domain.keys.iter().cloned().collect();
                let key = if keys.is_empty() { "none".into() } else { self.of_slice(&keys) };
                Command::DestroyKey { domain: domain.id.clone(), key }
            }
            43 => {
                let class = self.of_slice(&["live", "medium", "premium", "ultra", "mass"]).into();
                let cpools = if self.one_in(4) { vec![] } else { vec![cpool] };
                Command::OrderDatastore { datastore: self.fresh("lun"), zone, class, capacity: self.gib(), cpools }
            }
            44 => Command::ResizeDatastore { datastore, capacity: self.gib() },
            45 => Command::DeleteDatastore { datastore },
            46 => Command::AttachDatastore { datastore, cpool },
            47 => Command::DetachDatastore { datastore, cpool },
            48 => {
                let secondary = self.id(&from.datastores, |lun| &lun.id);
                let kind = if self.one_in(8) { MirrorKind::Metro } else { MirrorKind::Global };
                let standby = self.standby(from);
                Command::CreateMirror { mirror: self.fresh("gm"), kind, primary: datastore, secondary, standby }
            }
            49 => self.sensible_mirror(from),
            50 => Command::RemoveMirror { mirror: self.id(&from.mirrors, |mirror| &mirror.id) },
            51 => {
                let under = self.id(&from.service_requests, |request| &request.id);
                Command::PresentMirror { mirror: self.id(&from.mirrors, |mirror| &mirror.id), under }
            }
            52 => {
                let state = self.of_slice(MirrorState::ALL);
                Command::ActivateMirror { mirror: self.id(&from.mirrors, |mirror| &mirror.id), state }
            }
            53 => {
                let hosts: Vec<_> = (0..self.below(4)).map(|_| self.fresh("host")).collect();
                let ram = Gb(128 * u64::try_from(hosts.len()).unwrap() + self.of_slice(&[0, 0, 0, 1]));
                let vstack = self.id(&from.vstacks, |vstack| &vstack.id);
                Command::CreateCpool {
                    cpool: self.fresh("clu"),
                    name: "new".to_owned(),
                    vstack,
                    zone,
                    blade,
                    hosts,
                    ram,
                }
            }
            54 => Command::DeleteCpool { cpool },
            55 => Command::AddHost { cpool, host: self.fresh("host"), blade },
            56 => Command::RemoveHost { host },
            57 => Command::EnableRam { cpool, ram: Gb(self.of_slice(&[0, 128, 256, 384, 400, 768, 1152, 1153])) },
            58 => Command::SetHighAvailability { cpool, enabled: self.one_in(2) },
            59 => match self.below(4) {
                0 | 1 => Command::SetMaintenance { host, on: self.one_in(2) },
                2 => Command::UpdateHypervisor {
                    host,
                    esxi: Release { version: "8".to_owned(), build: self.of_slice(&[1, 30_000_000, 31_000_000]) },
                },
                _ => Command::HostFailed { host },
            },
            60 => match self.below(5) {
                0 => Command::DisableHostCrypto { host },
                1 => Command::HostRebooted { host },
                2 => {
                    let answer = self.of_slice(&[KeyAnswer::Active, KeyAnswer::Missing, KeyAnswer::Unreachable]);
                    Command::ReportKey { vm, host_has_key: self.one_in(2), answer }
                }
                _ => Command::EnableHostCrypto { host },
            },
            61 => {
                let vms = (0..self.below(4)).map(|_| self.id(&from.vms, |vm| &vm.id)).collect();
                let kind = self.of_slice(AffinityKind::ALL);
                let enabled = self.one_in(2);
                let rule = AffinityRule { id: self.fresh("rule"), name: "rule".to_owned(), cpool, kind, enabled, vms };
                Command::CreateAffinityRule { rule }
            }
            62 => {
                let rule = self.id(&from.affinity_rules, |rule| &rule.id);
                if self.one_in(3) {
                    Command::DeleteAffinityRule { rule }
                } else {
                    Command::SetAffinityRule { rule, enabled: self.one_in(2) }
                }
            }
            63 => match self.below(5) {
                0 => Command::CreateNetwork {
                    network: self.fresh("net"),
                    name: "n".to_owned(),
                    vlan: self.of_slice(&[0, 7]),
                },
                1 => Command::PropagateNetwork { network, cpool },
                2 => Command::ShareNetwork { network, tenant: self.id(&from.tenants, |tenant| &tenant.id) },
                3 => Command::DeleteNetwork { network },
                _ => {
                    let public_addresses = self.of_slice(&[0, 1, 8, 9]);
                    Command::OrderInternetAccess {
                        access: self.fresh("www"),
                        zone,
                        network,
                        public_addresses,
                        mbit_per_s: 100,
                    }
                }
            },
            64 => {
                let skus: Vec<_> =
                    provisioning::catalogue::Service::ALL.iter().map(|one| one.sku(&"fr1".into())).collect();
                let sku = self.of_slice(&skus);
                if self.one_in(2) { Command::Subscribe { sku } } else { Command::Unsubscribe { sku } }
            }
            65 => {
                let contact = Contact { name: "n".to_owned(), mail: "m@x".to_owned(), phone: "1".to_owned() };
                let tenant = from.tenants[0].id.clone();
                let wish = self.wish(from);
                let request = ServiceRequest { id: self.fresh("sr"), tenant, contact, wish, state: RequestState::Open };
                Command::FileServiceRequest { request }
            }
            _ => self.upon_request(from, zone),
        }
    }

    /// A replication to a Cpool in another zone, onto a LUN that it uses, if there is such.
    fn sensible_replication(&mut self, from: &Document, vm: provisioning::ids::VmId) -> Command {
        let of_vm = from.vms.iter().find(|one| one.id == vm);
        let own = of_vm.and_then(|of_vm| from.cpools.iter().find(|cpool| cpool.id == of_vm.cpool));
        let luns: Vec<_> = from.datastores.iter().filter(|lun| own.is_some_and(|own| own.zone != lun.zone)).collect();
        let datastore = self.id(&luns, |lun| &lun.id);
        let there = luns.iter().find(|lun| lun.id == datastore).and_then(|lun| lun.cpools.first()).cloned();
        let standby = Standby {
            cpool: there.unwrap_or_else(|| "nowhere".into()),
            cpus: of_vm.map_or(1, |of_vm| of_vm.cpus),
            memory: of_vm.map_or(Gib(1), |of_vm| of_vm.memory),
        };
        Command::Replicate { vm, interval_hours: 4, standby, datastore }
    }

    /// A mirror between two LUNs of a tenant that are alike and in different zones, if there are such.
    fn sensible_mirror(&mut self, from: &Document) -> Command {
        let mut pairs = Vec::new();
        for primary in &from.datastores {
            let alike = from.datastores.iter().filter(|other| {
                let same = other.tenant == primary.tenant && other.class == primary.class;
                same && other.capacity == primary.capacity && other.zone != primary.zone
            });
            pairs.extend(alike.map(|secondary| (primary, secondary)));
        }
        if pairs.is_empty() {
            return Command::RemoveMirror { mirror: self.id(&from.mirrors, |mirror| &mirror.id) };
        }
        let (primary, secondary) = pairs[self.below(pairs.len())];
        let there: Vec<_> = from.cpools.iter().filter(|cpool| cpool.zone == secondary.zone).collect();
        let cpool = self.id(&there, |cpool| &cpool.id);
        Command::CreateMirror {
            mirror: self.fresh("gm"),
            kind: MirrorKind::Global,
            primary: primary.id.clone(),
            secondary: secondary.id.clone(),
            standby: Standby { cpool, cpus: 4, memory: Gib(16) },
        }
    }

    /// What the operator does upon a service request: mostly what was asked.
    fn upon_request(&mut self, from: &Document, zone: provisioning::ids::ZoneId) -> Command {
        let Some(request) = from.service_requests.get(self.below(from.service_requests.len())) else {
            return Command::OpenVCenter { vstack: "none".into() };
        };
        let under = request.id.clone();
        match &request.wish {
            Wish::BackupPolicy { policy, retention } => {
                Command::CreateBackupPolicy { policy: policy.clone(), zone, retention: retention.clone(), under }
            }
            Wish::PresentMirror { mirror } => Command::PresentMirror { mirror: mirror.clone(), under },
            Wish::KeyProvider { vstack } => {
                let nodes = from.key_nodes.iter().map(|node| node.id.clone());
                let servers = nodes.take(self.of_slice(&[2, 3])).collect();
                let domain = self.id(&from.key_domains, |domain| &domain.id);
                let id = self.of_slice(&["clavis", "other"]).into();
                let provider = KeyProvider { id, domain, servers, enabled: self.one_in(2) };
                Command::ConfigureKeyProvider { vstack: vstack.clone(), provider, under }
            }
            Wish::ExportEncrypted { vm } => Command::ExportEncrypted { vm: vm.clone(), under },
        }
    }
}
