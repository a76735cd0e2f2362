//! What refers to what: every field that holds another thing's id, named once, and faults that a thing has by itself.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalogue::catalogue;
use crate::ids::*;
use crate::limits;
use crate::model::backup::{Backup, BackupPolicy};
use crate::model::compute::{AffinityRule, Cpool, Host, VStack};
use crate::model::contract::{Organisation, ServiceRequest, Tenant, Wish};
use crate::model::keys::{KeyDomain, KeyNode};
use crate::model::network::{InternetAccess, Network};
use crate::model::place::{Region, Zone};
use crate::model::storage::{Datastore, DatastoreCluster, Mirror};
use crate::model::vm::Vm;

/// A kind of thing and the id it is referred to by.
macro_rules! refs {
    ($($kind:ident($id:ident) $text:literal;)+) => {
        /// A reference to a thing, which may or may not exist.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each variant is the thing of that name")]
        pub enum Ref<'a> {
            $($kind(&'a $id),)+
            /// A disk of a VM.
            Disk(&'a VmId, &'a DiskId),
            /// A snapshot of a VM.
            Snapshot(&'a VmId, &'a SnapshotId),
        }

        impl Ref<'_> {
            /// What kind of thing, in words.
            #[must_use]
            pub const fn kind(self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $text,)+
                    Self::Disk(..) => "disk",
                    Self::Snapshot(..) => "snapshot",
                }
            }

            /// Its id.
            #[must_use]
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$kind(id) => id.as_str(),)+
                    Self::Disk(_, id) => id.as_str(),
                    Self::Snapshot(_, id) => id.as_str(),
                }
            }
        }
    };
}

refs! {
    Region(RegionId) "region";
    Zone(ZoneId) "zone";
    Organisation(OrganisationId) "organisation";
    Tenant(TenantId) "tenant";
    ServiceRequest(ServiceRequestId) "service request";
    KeyNode(KeyNodeId) "key node";
    KeyDomain(KeyDomainId) "key domain";
    VStack(VStackId) "vStack";
    Cpool(CpoolId) "Cpool";
    Host(HostId) "host";
    Network(NetworkId) "network";
    InternetAccess(InternetAccessId) "internet access";
    DatastoreCluster(DatastoreClusterId) "datastore cluster";
    Datastore(DatastoreId) "datastore";
    Mirror(MirrorId) "mirror";
    BackupPolicy(PolicyId) "backup policy";
    Vm(VmId) "VM";
    AffinityRule(AffinityRuleId) "affinity rule";
    Backup(BackupId) "backup";
    CatalogueBlade(BladeId) "kind of blade";
    StorageClass(ClassId) "storage class";
    Template(TemplateId) "template";
}

impl fmt::Display for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind(), self.id())
    }
}

/// Receives a field's name and what it refers to.
pub(crate) type SeeRef<'s, 'a> = &'s mut dyn FnMut(&str, Ref<'a>);
/// Receives a field's name and what is wrong with it.
pub(crate) type SeeFault<'s> = &'s mut dyn FnMut(&str, String);

/// A thing that holds ids of others.
pub(crate) trait References {
    /// Names every field that holds another's id.
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>);

    /// Names what is wrong with the thing by itself.
    fn faults(&self, _see: SeeFault<'_>) {}
}

impl References for Region {
    fn refers_to<'a>(&'a self, _see: SeeRef<'_, 'a>) {}
}

impl References for Zone {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("region", Ref::Region(&self.region));
    }
}

impl References for Organisation {
    fn refers_to<'a>(&'a self, _see: SeeRef<'_, 'a>) {}

    fn faults(&self, see: SeeFault<'_>) {
        if self.owners.is_empty() {
            see("owners", "somebody has to own it".to_owned());
        }
    }
}

impl References for Tenant {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("organisation", Ref::Organisation(&self.organisation));
    }

    fn faults(&self, see: SeeFault<'_>) {
        if self.owners.is_empty() {
            see("owners", "somebody has to own it".to_owned());
        }
        for sku in &self.subscriptions {
            // The region is the second part of every SKU of the catalogue.
            let region = RegionId::new(sku.as_str().split(':').nth(1).unwrap_or_default());
            if !catalogue().skus(&region).any(|(sold, _)| sold == *sku) {
                see("subscriptions", format!("no catalogue sells \"{sku}\""));
            }
        }
    }
}

impl References for ServiceRequest {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        // What was wished for may be gone since, once the request is done; while it is open it has to be there.
        if self.state == crate::model::contract::RequestState::Open {
            match &self.wish {
                Wish::BackupPolicy { .. } => {}
                Wish::PresentMirror { mirror } => see("wish.mirror", Ref::Mirror(mirror)),
                Wish::KeyProvider { vstack } => see("wish.vstack", Ref::VStack(vstack)),
                Wish::ExportEncrypted { vm } => see("wish.vm", Ref::Vm(vm)),
            }
        }
    }
}

impl References for KeyNode {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("zone", Ref::Zone(&self.zone));
    }
}

impl References for KeyDomain {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
    }
}

impl References for VStack {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        if let Some(provider) = &self.key_provider {
            see("key_provider.domain", Ref::KeyDomain(&provider.domain));
            for (index, node) in provider.servers.iter().enumerate() {
                see(&format!("key_provider.servers[{index}]"), Ref::KeyNode(node));
            }
        }
    }
}

impl References for Cpool {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("vstack", Ref::VStack(&self.vstack));
        see("zone", Ref::Zone(&self.zone));
    }
}

impl References for Host {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        see("zone", Ref::Zone(&self.zone));
        see("cpool", Ref::Cpool(&self.cpool));
        see("blade", Ref::CatalogueBlade(&self.blade));
    }
}

impl References for Network {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        self.tenants.iter().for_each(|tenant| see("tenants", Ref::Tenant(tenant)));
        self.cpools.iter().for_each(|cpool| see("cpools", Ref::Cpool(cpool)));
    }

    fn faults(&self, see: SeeFault<'_>) {
        if !(1..=4094).contains(&self.vlan) {
            see("vlan", format!("{} is no VLAN number; they go from 1 to 4094", self.vlan));
        }
    }
}

impl References for InternetAccess {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        see("zone", Ref::Zone(&self.zone));
        see("network", Ref::Network(&self.network));
    }
}

impl References for DatastoreCluster {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("vstack", Ref::VStack(&self.vstack));
        see("class", Ref::StorageClass(&self.class));
    }
}

impl References for Datastore {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        see("zone", Ref::Zone(&self.zone));
        see("class", Ref::StorageClass(&self.class));
        for (index, cpool) in self.cpools.iter().enumerate() {
            see(&format!("cpools[{index}]"), Ref::Cpool(cpool));
        }
        self.cluster.iter().for_each(|cluster| see("cluster", Ref::DatastoreCluster(cluster)));
    }

    fn faults(&self, see: SeeFault<'_>) {
        unique("cpools", "", self.cpools.iter().map(CpoolId::as_str), see);
    }
}

impl References for Mirror {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("primary", Ref::Datastore(&self.primary));
        see("secondary", Ref::Datastore(&self.secondary));
        see("standby.cpool", Ref::Cpool(&self.standby.cpool));
        self.presented_under.iter().for_each(|request| see("presented_under", Ref::ServiceRequest(request)));
    }
}

impl References for BackupPolicy {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("tenant", Ref::Tenant(&self.tenant));
        see("zone", Ref::Zone(&self.zone));
        see("made_under", Ref::ServiceRequest(&self.made_under));
    }
}

impl References for Vm {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("cpool", Ref::Cpool(&self.cpool));
        self.host.iter().for_each(|host| see("host", Ref::Host(host)));
        see("home", Ref::Datastore(&self.home));
        for (index, disk) in self.disks.iter().enumerate() {
            see(&format!("disks[{index}].datastore"), Ref::Datastore(&disk.datastore));
        }
        for (index, network) in self.networks.iter().enumerate() {
            see(&format!("networks[{index}]"), Ref::Network(network));
        }
        if let Some(replication) = &self.replication {
            see("replication.standby.cpool", Ref::Cpool(&replication.standby.cpool));
            see("replication.datastore", Ref::Datastore(&replication.datastore));
        }
        self.policies.iter().for_each(|policy| see("policies", Ref::BackupPolicy(policy)));
    }

    fn faults(&self, see: SeeFault<'_>) {
        unique("disks", ".id", self.disks.iter().map(|disk| disk.id.as_str()), see);
        unique("snapshots", ".id", self.snapshots.iter().map(|snapshot| snapshot.id.as_str()), see);
        if self.disks.len().max(self.snapshots.len()).max(self.networks.len()) > limits::PARTS {
            see("disks", format!("a VM has at most {} disks, snapshots or networks", limits::PARTS));
        }
        if self.cpus == 0 || self.memory.0 == 0 {
            see("cpus", "a VM has a CPU and memory".to_owned());
        }
    }
}

impl References for AffinityRule {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        see("cpool", Ref::Cpool(&self.cpool));
        for (index, vm) in self.vms.iter().enumerate() {
            see(&format!("vms[{index}]"), Ref::Vm(vm));
        }
    }

    fn faults(&self, see: SeeFault<'_>) {
        unique("vms", "", self.vms.iter().map(VmId::as_str), see);
    }
}

impl References for Backup {
    fn refers_to<'a>(&'a self, see: SeeRef<'_, 'a>) {
        // The VM is not among them: a backup outlives it.
        see("tenant", Ref::Tenant(&self.tenant));
        see("policy", Ref::BackupPolicy(&self.policy));
        see("zone", Ref::Zone(&self.zone));
        see("vm_zone", Ref::Zone(&self.vm_zone));
    }
}

/// Names every part whose id an earlier part has, or that is unfit.
fn unique<'i>(list: &str, field: &str, ids: impl Iterator<Item = &'i str>, see: SeeFault<'_>) {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if let Some(fault) = crate::inventory::unfit(id) {
            see(&format!("{list}[{index}]{field}"), fault.to_owned());
        } else if !seen.insert(id) {
            see(&format!("{list}[{index}]{field}"), format!("there is another \"{id}\" before it"));
        }
    }
}
