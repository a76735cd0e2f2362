//! What a person or token may do inside one tenant: additive, none by default.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One permission, under the name that the Console gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// See VMs and their settings.
    #[serde(rename = "compute_iaas_vmware_read")]
    ComputeRead,
    /// Change VMs. Encrypting one belongs here; there is no permission of its own for it.
    #[serde(rename = "compute_iaas_vmware_management")]
    ComputeManagement,
    /// Switch VMs on and off.
    #[serde(rename = "compute_iaas_vmware_virtual_machine_power")]
    VirtualMachinePower,
}

/// The permissions of the one who asks.
pub type Permissions = BTreeSet<Permission>;

impl Permission {
    /// The name as the Console and its API write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ComputeRead => "compute_iaas_vmware_read",
            Self::ComputeManagement => "compute_iaas_vmware_management",
            Self::VirtualMachinePower => "compute_iaas_vmware_virtual_machine_power",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
