//! The key service as the IaaS sees it: nodes in three zones, a domain per customer. Keys themselves are opaque.

use std::collections::BTreeSet;

use super::entities;
use crate::ids::{KeyDomainId, KeyId, KeyNodeId, TenantId, ZoneId};

entities! {
    /// A node of the key service with its hardware security module.
    pub struct KeyNode {
        /// Identifier.
        pub id: KeyNodeId,
        /// Where it stands (R63, R75).
        pub zone: ZoneId,
        /// Model of the HSM behind it (R62).
        pub hsm: String,
        /// Label of its Root of Trust in the HSM: one for the whole key service (R64).
        pub root_of_trust: KeyId,
    }

    /// What belongs to one customer in the key service: its Domain Key and the keys under it.
    pub struct KeyDomain {
        /// Identifier.
        pub id: KeyDomainId,
        /// Whose it is (R66).
        pub tenant: TenantId,
        /// Label of its Domain Key in the HSM; no other domain's (R64).
        pub domain_key: KeyId,
        /// Whether every act in it has an audit record (R66).
        pub audited: bool,
        /// Its keys that exist and are not destroyed.
        #[serde(default)]
        pub keys: BTreeSet<KeyId>,
    }
}
