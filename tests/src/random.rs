//! Random choices that can be made again: `CLAVIS_SEED` sets the seed, each test has a stream of its own, and the seed is
//! printed.

/// The seed where nobody sets one: as in `make test`, whose result is not to depend on luck.
const USUAL_SEED: u64 = 1;

/// A source of choices. No secret depends on it.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of the test called `test`, made of its name and `CLAVIS_SEED`. Prints the seed, which a failing test
    /// shows.
    #[must_use]
    pub fn announced(test: &str) -> Self {
        let seed = std::env::var("CLAVIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(USUAL_SEED);
        println!("{test}: CLAVIS_SEED={seed}");
        Self::of_test(seed, test)
    }

    /// The stream of a test: two tests do not make the same choices because they have the same seed.
    fn of_test(seed: u64, test: &str) -> Self {
        // FNV-1a: any function will do that tells names apart.
        let name = test
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(Self(seed).number() ^ name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_that_of_its_seed_and_its_test() {
        let first = |seed, test| Random::of_test(seed, test).bytes(32);
        assert_eq!(first(1, "one"), first(1, "one"));
        assert_ne!(first(1, "one"), first(1, "other"));
        assert_ne!(first(1, "one"), first(2, "one"));
    }
}
