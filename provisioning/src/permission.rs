//! What a person or token may do inside one tenant: additive, none by default; an owner has all.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// One permission, under the name that the Console gives it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl Permission {
            /// Every permission: what an owner has.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name as the Console and its API write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

permissions! {
    /// See VMs and their settings.
    ComputeRead = "compute_iaas_vmware_read",
    /// Change VMs. Encrypting one belongs here; there is no permission of its own for it.
    ComputeManagement = "compute_iaas_vmware_management",
    /// See Cpools, hosts and datastores.
    InfrastructureRead = "compute_iaas_vmware_infrastructure_read",
    /// Change them.
    InfrastructureWrite = "compute_iaas_vmware_infrastructure_write",
    /// Switch VMs on and off.
    VirtualMachinePower = "compute_iaas_vmware_virtual_machine_power",
    /// Use a VM's screen and keyboard.
    ConsoleAccess = "compute_iaas_vmware_console_access",
    /// See backups and policies.
    BackupRead = "backup_iaas_spp_read",
    /// Make backups, restore, assign policies.
    BackupWrite = "backup_iaas_spp_write",
    /// See networks.
    NetworkRead = "network_read",
    /// Change them.
    NetworkWrite = "network_write",
    /// See orders.
    OrderRead = "order_read",
    /// Order, and cancel.
    OrderWrite = "order_write",
    /// See activities.
    ActivityRead = "activity_read",
    /// See users and their permissions.
    IamRead = "iam_read",
    /// Change them.
    IamWrite = "iam_write",
}

/// The permissions of the one who asks.
pub type Permissions = BTreeSet<Permission>;

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
