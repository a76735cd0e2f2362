//! Typed identifiers: a VM's id cannot stand where a datastore's is expected.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; the inventory decides whether it is fit and whether something of that id exists.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<&$name> for crate::rule::Value {
            fn from(id: &$name) -> Self {
                Self::Text(id.0.clone())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

ids! {
    /// A customer: the one who has the contract.
    OrganisationId;
    /// A tenant of an organisation.
    TenantId;
    /// A region, `fr1`; its text is the one inside SKUs.
    RegionId;
    /// A physical site: one data centre.
    SiteId;
    /// An availability zone, such as `PAR7S`: one room in one physical site.
    ZoneId;
    /// A vStack: one vCenter with its Cpools.
    VStackId;
    /// A Cpool: a cluster of hypervisors, such as `clu001-ucs12`.
    CpoolId;
    /// A host: one blade under ESXi.
    HostId;
    /// A kind of blade in the catalogue, such as `standard`.
    BladeId;
    /// A class of block storage in the catalogue, such as `premium`.
    ClassId;
    /// A datastore cluster (SDRS).
    DatastoreClusterId;
    /// A datastore, which is also one LUN.
    DatastoreId;
    /// A pair of LUNs of which one replicates the other.
    MirrorId;
    /// A network.
    NetworkId;
    /// An access to the internet.
    InternetAccessId;
    /// An affinity or anti-affinity rule.
    AffinityRuleId;
    /// A template or image that VMs are deployed from.
    TemplateId;
    /// A virtual machine.
    VmId;
    /// A virtual disk, unique within its VM.
    DiskId;
    /// A snapshot, unique within its VM.
    SnapshotId;
    /// A backup policy.
    PolicyId;
    /// A backup of a VM.
    BackupId;
    /// A service request to the operator's support.
    ServiceRequestId;
    /// An activity: a change that is under way.
    ActivityId;
    /// A node of the key service.
    KeyNodeId;
    /// A customer's domain in the key service.
    KeyDomainId;
    /// A key provider of a vStack: the name under which its vCenter knows a group of key servers.
    KeyProviderId;
    /// A key as its key server named it. Opaque text.
    KeyId;
}
