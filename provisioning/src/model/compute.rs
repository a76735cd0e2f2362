//! What computes: vStacks, Cpools, hosts and the affinity rules between VMs.

use super::{entities, states};
use crate::ids::{
    AffinityRuleId, BladeId, CpoolId, HostId, KeyDomainId, KeyId, KeyNodeId, KeyProviderId, TenantId, VStackId, VmId,
    ZoneId,
};
use crate::units::Gb;

entities! {
    /// One vCenter with its Cpools. It is never shared between customers (R1).
    pub struct VStack {
        /// Identifier, such as `vc-vstack-001-t0001`.
        pub id: VStackId,
        /// Whose it is.
        pub tenant: TenantId,
        /// What its vCenter runs.
        pub vcenter: Release,
        /// None until the operator has configured one.
        #[serde(default)]
        pub key_provider: Option<KeyProvider>,
    }

    /// A product's version and build, such as 7.0.3 and 24322018.
    #[derive(PartialOrd, Ord)]
    pub struct Release {
        /// Version.
        pub version: String,
        /// Build number; a higher one is newer.
        pub build: u32,
    }

    /// The group of key servers that a vStack's vCenter asks for keys.
    pub struct KeyProvider {
        /// The provider's name in the vCenter.
        pub id: KeyProviderId,
        /// The customer's domain in which its keys lie (R66).
        pub domain: KeyDomainId,
        /// Its servers, in the order in which they are asked; one in each of three zones (R63).
        pub servers: Vec<KeyNodeId>,
        /// Whether VMs of this vStack may be encrypted with it ("Chiffrement des machines virtuelles: Activé").
        pub enabled: bool,
    }

    /// A cluster of hypervisors. A vStack may have several, spread over zones (R2).
    pub struct Cpool {
        /// Identifier.
        pub id: CpoolId,
        /// What people call it.
        pub name: String,
        /// Its vCenter, and with it the tenant it belongs to.
        pub vstack: VStackId,
        /// Where its hosts stand.
        pub zone: ZoneId,
        /// RAM that is switched on, of all its hosts together (R48).
        #[serde(rename = "ram_enabled_gb")]
        pub ram_enabled: Gb,
        /// Whether VMs of a failed host are started on another (R13).
        #[serde(default)]
        pub high_availability: bool,
        /// Whether the load is balanced between hosts.
        #[serde(default)]
        pub drs: bool,
    }

    /// One blade under ESXi, in one Cpool.
    pub struct Host {
        /// Identifier.
        pub id: HostId,
        /// What people call it.
        pub name: String,
        /// Who it is reserved for.
        pub tenant: TenantId,
        /// Where it stands.
        pub zone: ZoneId,
        /// The Cpool it computes for.
        pub cpool: CpoolId,
        /// Its kind in the catalogue.
        pub blade: BladeId,
        /// RAM that is plugged in.
        #[serde(rename = "ram_gb")]
        pub ram: Gb,
        /// What it runs.
        pub esxi: Release,
        /// Whether it can carry VMs.
        pub state: HostState,
        /// Whether it can hold keys.
        #[serde(default)]
        pub crypto: HostCrypto,
    }

    /// Which VMs are to run together, or not (R52).
    pub struct AffinityRule {
        /// Identifier.
        pub id: AffinityRuleId,
        /// What people call it.
        pub name: String,
        /// The Cpool whose hosts it is about.
        pub cpool: CpoolId,
        /// Together or apart.
        pub kind: AffinityKind,
        /// Whether it is in force.
        pub enabled: bool,
        /// The VMs; two or more.
        pub vms: Vec<VmId>,
    }
}

states! {
    /// Whether a host can carry VMs.
    HostState {
        /// It answers and carries VMs.
        Connected = "connected",
        /// It is being emptied.
        EnteringMaintenance = "entering-maintenance",
        /// It is empty and may be updated or removed.
        Maintenance = "maintenance",
        /// It is switched off.
        Off = "off",
    }

    /// Together or apart.
    AffinityKind {
        /// On one host.
        Affinity = "affinity",
        /// On different hosts.
        AntiAffinity = "anti-affinity",
    }
}

/// Whether a host can hold keys of encrypted VMs; [`crate::crypto_state`] has the transitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum HostCrypto {
    /// It takes no keys.
    #[default]
    Incapable,
    /// It is ready for its host key.
    Prepared,
    /// It has its host key, which encrypts its core dumps, and takes keys of VMs.
    Safe(KeyId),
    /// It forgets its keys with the next reboot.
    PendingIncapable,
}
