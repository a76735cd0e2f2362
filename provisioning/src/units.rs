//! Quantities with their unit in the type: GiB are not GB, IOPS are not IOPS per TiB, and neither is a number of bytes.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

const BYTES_PER_GB: u64 = 1_000_000_000;
const BYTES_PER_GIB: u64 = 1 << 30;
const GIB_PER_TIB: u64 = 1 << 10;

/// A quantity is a number that serializes as itself, adds up without wrapping, and cannot be mixed with another.
macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(pub u64);

        impl $name {
            /// So many times as much; saturates.
            #[must_use]
            pub const fn times(self, factor: u64) -> Self {
                Self(self.0.saturating_mul(factor))
            }

            /// What is left after taking `other` away; nothing where that is more.
            #[must_use]
            pub const fn less(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl Add for $name {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::default(), Add::add)
            }
        }
    )+};
}

macro_rules! shown_with_unit {
    ($($name:ident $unit:literal;)+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $unit), self.0)
            }
        }
    )+};
}

quantities! {
    /// A number of bytes. Sums saturate: an inventory with absurd sizes is refused for want of space, never wraps round.
    Bytes;
    /// Decimal gigabytes, 10⁹ bytes each: the unit in which the RAM of blades and Cpools is sold.
    Gb;
    /// Binary gigabytes, 2³⁰ bytes each: the unit of LUN sizes, disks and the memory of VMs.
    Gib;
    /// Binary terabytes, 2⁴⁰ bytes each: the unit of mass and backup storage, and of IOPS limits.
    Tib;
    /// Reads and writes per second.
    Iops;
    /// Reads and writes per second for each TiB of a LUN: what a storage class promises.
    IopsPerTib;
}

shown_with_unit! { Gb "GB"; Gib "GiB"; Tib "TiB"; Iops "IOPS"; IopsPerTib "IOPS per TiB"; }

impl Gb {
    /// The same amount in bytes.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(BYTES_PER_GB))
    }
}

impl Gib {
    /// The same amount in bytes.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        Bytes(self.0.saturating_mul(BYTES_PER_GIB))
    }
}

impl Tib {
    /// The same amount in GiB.
    #[must_use]
    pub const fn gib(self) -> Gib {
        Gib(self.0.saturating_mul(GIB_PER_TIB))
    }

    /// The same amount in bytes.
    #[must_use]
    pub const fn bytes(self) -> Bytes {
        self.gib().bytes()
    }
}

impl IopsPerTib {
    /// The limit of a LUN of that size, rounded down to whole IOPS: a promise is never larger than what was bought.
    #[must_use]
    pub const fn of(self, size: Gib) -> Iops {
        Iops(self.0.saturating_mul(size.0) / GIB_PER_TIB)
    }
}

impl From<Gib> for Bytes {
    fn from(amount: Gib) -> Self {
        amount.bytes()
    }
}

impl From<Tib> for Bytes {
    fn from(amount: Tib) -> Self {
        amount.bytes()
    }
}

impl fmt::Display for Bytes {
    /// In the largest binary unit that divides the amount without a remainder, so that no digit is lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
        for (shift, unit) in units {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{} {unit}", self.0 >> shift);
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gib_are_binary_and_gb_are_not() {
        assert_eq!(Gib(1).bytes(), Bytes(1_073_741_824));
        assert_eq!(Gb(1).bytes(), Bytes(1_000_000_000));
        assert_eq!(Bytes::from(Tib(2)), Bytes(2_199_023_255_552));
    }

    #[test]
    fn sums_and_products_saturate() {
        assert_eq!([Bytes(u64::MAX), Bytes(1)].into_iter().sum::<Bytes>(), Bytes(u64::MAX));
        assert_eq!(Tib(u64::MAX).gib(), Gib(u64::MAX));
        assert_eq!(Gb(u64::MAX).times(2), Gb(u64::MAX));
        assert_eq!(Gib(1).less(Gib(2)), Gib(0));
    }

    #[test]
    fn an_iops_limit_is_rounded_down() {
        assert_eq!(IopsPerTib(1500).of(Gib(513)), Iops(751));
        assert_eq!(IopsPerTib(u64::MAX).of(Gib(u64::MAX)), Iops(u64::MAX / 1024));
    }

    #[test]
    fn text_loses_no_digit() {
        let texts = [Bytes(0), Bytes(1), Bytes(1536), Gib(3).bytes(), Gib(2048).bytes(), Bytes(64 << 20)];
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["0 bytes", "1 bytes", "1536 bytes", "3 GiB", "2 TiB", "64 MiB"]);
        assert_eq!((Gb(128).to_string(), Iops(750).to_string()), ("128 GB".to_owned(), "750 IOPS".to_owned()));
    }
}
