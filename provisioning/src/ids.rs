//! Typed identifiers: a VM's id cannot stand where a datastore's is expected.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; the inventory decides whether something of that id exists.
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
    )+};
}

ids! {
    /// A region, `fr1`; its text is the one inside SKUs.
    RegionId;
    /// An availability zone, such as `PAR7S`: one room in one physical site.
    ZoneId;
    /// A tenant.
    TenantId;
    /// A vStack: one vCenter with its hosts.
    VStackId;
    /// A datastore, which is also one LUN.
    DatastoreId;
    /// A virtual machine.
    VmId;
    /// A virtual disk.
    DiskId;
    /// A snapshot of a VM.
    SnapshotId;
    /// A key provider of a vStack: the name under which its vCenter knows a group of key servers.
    KeyProviderId;
    /// The key of an encrypted VM as its key server named it. Opaque text.
    KeyId;
}
