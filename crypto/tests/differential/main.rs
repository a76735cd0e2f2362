//! Two implementations of each primitive, on the same random inputs: this crate, which is OpenSSL inside, and another
//! one that shares no code with it. What one gives the other gives; what was cut or altered both refuse. Bar C2.
//!
//! `CLAVIS_DIFFERENTIAL` is the number of inputs of each primitive; `CLAVIS_SEED` repeats a run.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop anywhere")]

mod agreements;
mod ciphers;
mod codes;
mod modes;
mod signatures;

use std::time::{SystemTime, UNIX_EPOCH};

/// Primitives of this crate that are not compared, each with the reason. Wycheproof's vectors are what they have.
const ALONE: &[(&str, &str)] = &[
    ("RSA encryption", "no second implementation decrypts OAEP or PKCS#1 v1.5 that this tree may depend on"),
    ("DSA", "withdrawn; no second implementation"),
    ("Ed448, X448", "no second implementation in use here"),
    ("ECDSA on P-521 and the Brainpool curves", "ring has P-256 and P-384"),
    (
        "Camellia, ARIA, SM4, SEED, 3DES and other ciphers of old clients",
        "under `legacy` only; no second implementation",
    ),
];

/// Inputs of each primitive where nobody says how many: those of `make test`.
const INPUTS: usize = 300;
/// Every so many inputs a long one comes.
const LONG_ONE_IN: usize = 64;
const LONG_LEN: usize = 20_000;
const SHORT_LEN: usize = 200;

fn inputs() -> usize {
    std::env::var("CLAVIS_DIFFERENTIAL").ok().map_or(INPUTS, |count| count.parse().expect("CLAVIS_DIFFERENTIAL"))
}

/// Choices that can be made again. SplitMix64; no secret depends on it.
struct Random(u64);

impl Random {
    fn announced() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| u64::from(now.subsec_nanos()));
        let seed = std::env::var("CLAVIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
        println!("CLAVIS_SEED={seed}");
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end).unwrap()).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.number().to_le_bytes()[0]).collect()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.number().to_le_bytes()[0])
    }

    /// Bytes of a length that varies: none, short, and now and then long.
    fn data(&mut self) -> Vec<u8> {
        let end = if self.below(LONG_ONE_IN) == 0 { LONG_LEN } else { SHORT_LEN };
        let len = self.below(end);
        self.bytes(len)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// The bytes with one bit turned over.
    fn flipped(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut altered = bytes.to_vec();
        let at = self.below(altered.len());
        altered[at] ^= 1 << self.below(8);
        altered
    }

    /// A beginning of the bytes, shorter than they are.
    fn cut(&mut self, bytes: &[u8]) -> Vec<u8> {
        let len = self.below(bytes.len());
        bytes[..len].to_vec()
    }
}

/// What came of the inputs of one primitive.
struct Tally {
    what: &'static str,
    agreed: usize,
    refused: usize,
}

impl Tally {
    fn of(what: &'static str) -> Self {
        Self { what, agreed: 0, refused: 0 }
    }

    /// Both gave this.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, ours: &T, theirs: &T, input: &dyn std::fmt::Debug) {
        assert!(ours == theirs, "{}: ours {ours:?}, theirs {theirs:?}, of {input:?}", self.what);
        self.agreed += 1;
    }

    /// Neither takes what is not genuine.
    fn refused(&mut self, ours_takes: bool, theirs_takes: bool, input: &dyn std::fmt::Debug) {
        assert!(!ours_takes, "{}: taken by us: {input:?}", self.what);
        assert!(!theirs_takes, "{}: taken by the other: {input:?}", self.what);
        self.refused += 1;
    }

    /// Every input was compared, and, where the primitive refuses anything, as many altered ones.
    fn check(&self, inputs: usize, refuses: bool) {
        println!("{}: {} agreed, {} refused by both", self.what, self.agreed, self.refused);
        assert!(self.agreed >= inputs, "{}: only {} of {inputs} were compared", self.what, self.agreed);
        assert!(!refuses || self.refused >= inputs, "{}: only {} were refused", self.what, self.refused);
    }
}

#[test]
fn what_is_not_compared_has_its_reason() {
    assert!(ALONE.iter().all(|(what, why)| !what.is_empty() && !why.is_empty()));
}

/// The comparison itself: a difference does not pass.
#[test]
#[should_panic(expected = "control: ours 1, theirs 2")]
fn a_difference_is_noticed() {
    Tally::of("control").same(&1, &2, &"nothing");
}

#[test]
#[should_panic(expected = "control: taken by the other")]
fn a_forgery_that_one_side_takes_is_noticed() {
    Tally::of("control").refused(false, true, &"nothing");
}
