//! Stock keeping units: what a tenant can subscribe to. Only those that a rule asks for stand here yet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::RegionId;

/// The text of a SKU, such as `csp:fr1:iaas:vmware:encryption:hsm:v1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sku(String);

impl Sku {
    /// Takes a SKU as written in an order.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// VM encryption under HSM-guarded keys, charged per encrypted VM (R73).
    #[must_use]
    pub fn vm_encryption(region: &RegionId) -> Self {
        Self(format!("csp:{region}:iaas:vmware:encryption:hsm:v1"))
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
