//! What stores: datastores, clusters of them, and mirrors between two.

use super::{entities, states};
use crate::ids::{
    ClassId, CpoolId, DatastoreClusterId, DatastoreId, MirrorId, ServiceRequestId, TenantId, VStackId, ZoneId,
};
use crate::units::{Bytes, Gib, Iops};

entities! {
    /// Datastores of one class between which the hypervisor balances (SDRS).
    pub struct DatastoreCluster {
        /// Identifier.
        pub id: DatastoreClusterId,
        /// Its vCenter.
        pub vstack: VStackId,
        /// The class of all its datastores.
        pub class: ClassId,
    }

    /// A datastore, which is one LUN, which is one volume. What is reserved is physically there (R25).
    pub struct Datastore {
        /// Identifier.
        pub id: DatastoreId,
        /// Who it is reserved for (R26).
        pub tenant: TenantId,
        /// Where it stands.
        pub zone: ZoneId,
        /// Its class in the catalogue.
        pub class: ClassId,
        /// Its size; at least 500 GiB (R23).
        #[serde(rename = "capacity_gib")]
        pub capacity: Gib,
        /// What the array limits it to (R18); `None` for a class without commitment (R22).
        #[serde(default)]
        pub iops_limit: Option<Iops>,
        /// The Cpools whose hosts use it; several may share it (R47).
        #[serde(default)]
        pub cpools: Vec<CpoolId>,
        /// Its datastore cluster, if it is in one.
        #[serde(default)]
        pub cluster: Option<DatastoreClusterId>,
        /// Files that belong to no VM of the inventory, such as images.
        #[serde(default)]
        pub other_files: Bytes,
        /// Whether it is being emptied.
        #[serde(default)]
        pub maintenance: bool,
    }

    /// A pair of LUNs of which one replicates the other, active and passive (R32).
    pub struct Mirror {
        /// Identifier.
        pub id: MirrorId,
        /// How it replicates.
        pub kind: MirrorKind,
        /// The LUN that is written.
        pub primary: DatastoreId,
        /// The LUN that follows, in another zone.
        pub secondary: DatastoreId,
        /// How far it is.
        pub state: MirrorState,
        /// What waits at the standby site to take over (R37).
        pub standby: Standby,
        /// The service request under which hosts of the standby site see the secondary (R36); `None` while they do not.
        #[serde(default)]
        pub presented_under: Option<ServiceRequestId>,
    }

    /// Compute that is kept free at a standby site.
    pub struct Standby {
        /// The Cpool that keeps it.
        pub cpool: CpoolId,
        /// Virtual CPUs.
        pub cpus: u32,
        /// Memory.
        #[serde(rename = "memory_gib")]
        pub memory: Gib,
    }
}

states! {
    /// How a mirror replicates.
    MirrorKind {
        /// Asynchronously: a write is acknowledged before it is at the other site (R35).
        Global = "global",
        /// Synchronously; not sold since 1 January 2024 (R33), older ones exist.
        Metro = "metro",
    }

    /// How far a mirror is.
    MirrorState {
        /// The first copy is being made.
        InitialCopy = "initial-copy",
        /// The secondary follows.
        Consistent = "consistent",
        /// A test of the recovery plan: the standby site works on a copy.
        Test = "test",
        /// The standby site has taken over.
        FailedOver = "failed-over",
    }
}

impl MirrorKind {
    /// Whether a write is acknowledged before it is at the other site (R35); then the last ones may be missing there.
    #[must_use]
    pub const fn acknowledges_before_remote_write(self) -> bool {
        matches!(self, Self::Global)
    }
}
