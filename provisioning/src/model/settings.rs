//! Where newer public documents contradict the service description: the description is the default, the other a switch.

use super::{entities, states};
use crate::units::{Gb, Gib, Iops, IopsPerTib};

states! {
    /// Whether a LUN's IOPS have a ceiling besides class × TiB (R18).
    IopsCeiling {
        /// None, as described: 10 TiB of Ultra perform 150 000 IOPS.
        None = "none",
        /// Since 30 April 2026: 10 000 IOPS for the class of 500 IOPS per TiB, 30 000 for the others.
        PerLun2026 = "per-lun-2026",
    }

    /// How much of a blade's RAM is switched on in a Cpool (R45, R48).
    RamActivation {
        /// As described: 128 GB per blade at first, more on demand.
        OnDemand = "on-demand",
        /// All of it, always, as the order pages say today.
        All = "all",
    }
}

entities! {
    /// The switches.
    pub struct Settings {
        /// See [`IopsCeiling`].
        #[serde(default = "described_ceiling")]
        pub iops_ceiling: IopsCeiling,
        /// See [`RamActivation`].
        #[serde(default = "described_activation")]
        pub ram_activation: RamActivation,
        /// RAM of a Cpool is enabled in multiples of this; the description names no step, so the default is 1 GB.
        #[serde(default = "described_step", rename = "ram_step_gb")]
        pub ram_step: Gb,
    }
}

const fn described_ceiling() -> IopsCeiling {
    IopsCeiling::None
}

const fn described_activation() -> RamActivation {
    RamActivation::OnDemand
}

const fn described_step() -> Gb {
    Gb(1)
}

impl Default for Settings {
    fn default() -> Self {
        Self { iops_ceiling: described_ceiling(), ram_activation: described_activation(), ram_step: described_step() }
    }
}

impl IopsCeiling {
    /// The limit of a LUN: class × TiB (R18), and the ceiling where there is one.
    #[must_use]
    pub fn limit(self, class: IopsPerTib, size: Gib) -> Iops {
        let promised = class.of(size);
        match self {
            Self::None => promised,
            Self::PerLun2026 if class == IopsPerTib(500) => promised.min(Iops(10_000)),
            Self::PerLun2026 => promised.min(Iops(30_000)),
        }
    }
}
