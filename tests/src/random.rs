//! Random choices that can be made again: the seed is printed, and `CLAVIS_SEED` sets it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of choices. No secret depends on it.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// From `CLAVIS_SEED`, else from the clock. Prints the seed, which a failing test shows.
    #[must_use]
    pub fn announced() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| u64::from(now.subsec_nanos()));
        let seed = std::env::var("CLAVIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
        println!("CLAVIS_SEED={seed}");
        Self::from_seed(seed)
    }

    /// From this seed.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number. (SplitMix64: every seed is a good one.)
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    /// Bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.number().to_le_bytes()[0]).collect()
    }

    /// One of several; `None` where there is none.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }
}

/// How often a counted test repeats: the environment variable of `tests/counts.toml`, else what `make test` uses.
#[must_use]
pub fn count(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}
