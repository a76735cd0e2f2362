//! Quantities with their unit in the type: GiB are not GB, and neither is a number of bytes.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

const BYTES_PER_GIB: u64 = 1 << 30;
const GIB_PER_TIB: u64 = 1 << 10;

/// A number of bytes. Sums saturate: an inventory with absurd sizes is refused for want of space, never wraps round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// Binary gigabytes, 2³⁰ bytes each: the unit of LUN sizes, disks and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gib(pub u64);

/// Binary terabytes, 2⁴⁰ bytes each: the unit of mass storage and of IOPS limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tib(pub u64);

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
}

impl From<Gib> for Bytes {
    fn from(amount: Gib) -> Self {
        amount.bytes()
    }
}

impl From<Tib> for Bytes {
    fn from(amount: Tib) -> Self {
        amount.gib().bytes()
    }
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
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

impl fmt::Display for Gib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} GiB", self.0)
    }
}

impl fmt::Display for Tib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} TiB", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gib_are_binary() {
        assert_eq!(Gib(1).bytes(), Bytes(1_073_741_824));
        assert_eq!(Bytes::from(Tib(2)), Bytes(2_199_023_255_552));
    }

    #[test]
    fn sums_saturate() {
        assert_eq!([Bytes(u64::MAX), Bytes(1)].into_iter().sum::<Bytes>(), Bytes(u64::MAX));
        assert_eq!(Tib(u64::MAX).gib(), Gib(u64::MAX));
    }

    #[test]
    fn text_loses_no_digit() {
        let texts = [Bytes(0), Bytes(1), Bytes(1536), Gib(3).bytes(), Gib(2048).bytes(), Bytes(64 << 20)];
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["0 bytes", "1 bytes", "1536 bytes", "3 GiB", "2 TiB", "64 MiB"]);
    }
}
