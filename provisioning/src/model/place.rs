//! Where things stand: regions, their availability zones, and the physical sites of these.

use super::entities;
use crate::ids::{RegionId, SiteId, ZoneId};

entities! {
    /// A region: several zones near enough to replicate into each other.
    pub struct Region {
        /// Identifier, the one inside SKUs.
        pub id: RegionId,
        /// The country it lies in, two letters of ISO 3166: keys do not leave France (R75).
        pub country: String,
    }

    /// An availability zone: one room. It lies in exactly one region (R2).
    pub struct Zone {
        /// Its name, such as `PAR7S`.
        pub id: ZoneId,
        /// The region it lies in.
        pub region: RegionId,
        /// The data centre it is a room of. Backups lie in another one (R56).
        pub site: SiteId,
    }
}
