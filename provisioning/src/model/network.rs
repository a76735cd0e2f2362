//! What connects: private networks and accesses to the internet.

use std::collections::BTreeSet;

use super::entities;
use crate::ids::{CpoolId, InternetAccessId, NetworkId, TenantId, ZoneId};

entities! {
    /// A private network: a VLAN of layer 2 that VPLS carries between zones.
    pub struct Network {
        /// Identifier.
        pub id: NetworkId,
        /// What people call it.
        pub name: String,
        /// Whose it is.
        pub tenant: TenantId,
        /// VLAN number, 1 to 4094.
        pub vlan: u16,
        /// Other tenants of the same organisation into which it is propagated (R15).
        #[serde(default)]
        pub tenants: BTreeSet<TenantId>,
        /// The Cpools, in whatever zones, in which VMs can be connected to it (R14).
        #[serde(default)]
        pub cpools: BTreeSet<CpoolId>,
    }

    /// An access to the internet.
    pub struct InternetAccess {
        /// Identifier.
        pub id: InternetAccessId,
        /// Whose it is.
        pub tenant: TenantId,
        /// Where it comes in.
        pub zone: ZoneId,
        /// The network it is led into.
        pub network: NetworkId,
        /// Public addresses.
        pub public_addresses: u16,
        /// Speed in Mbit/s.
        pub mbit_per_s: u32,
    }
}
