//! What is known beforehand: the cases that must pass, and those that cannot pass yet, each with its reason.
//!
//! An excuse holds for one case, at one step, for one difference: a case that fails in another way fails. The same case of
//! a version that the file does not name may fail in the same way; there it may pass as well.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::case::{Case, CaseFile};
use super::play::{Outcome, Why};

/// Data beside this crate.
const TEXT: &str = include_str!("../../oasis/expectations.toml");

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    required: Required,
    #[serde(default)]
    expected_failures: Vec<Excuse>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Required {
    versions: Vec<String>,
    cases: Vec<String>,
}

/// What kind of reason keeps a case from passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// As published, the case contradicts itself or its specification.
    Broken,
    /// The case plays what a server does not offer: a server that asks or tells a client.
    NotOffered,
    /// The specification leaves it to the server.
    Choice,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Broken, Self::NotOffered, Self::Choice];

    /// The word of the file.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::NotOffered => "not-offered",
            Self::Choice => "choice",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuse {
    kind: Kind,
    /// Why they cannot pass, a sentence.
    reason: String,
    cases: Vec<Excused>,
}

/// A case, and how it fails.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Excused {
    /// Its path below the folder of cases, without ending.
    case: String,
    /// The step at which it fails, from 1; 0 where the file cannot be read.
    step: usize,
    /// Words of what the comparison says then.
    says: String,
}

/// An excuse that holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Of which kind.
    pub kind: Kind,
    /// The sentence.
    pub text: String,
}

/// The file cannot be used.
#[derive(Debug, Error)]
pub enum ExpectationsError {
    /// Not the TOML that it should be.
    #[error("expectations.toml: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A case is excused twice, or required and excused.
    #[error("expectations.toml: {0} is there twice")]
    Twice(String),
    /// A mandatory or optional case is excused otherwise than as broken.
    #[error("expectations.toml: {0} is mandatory or optional, which is excused as broken only")]
    NotExcusable(String),
    /// Nothing is said of how a case fails.
    #[error("expectations.toml: {0} fails without a word")]
    Wordless(String),
}

/// What an outcome means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Passed, as it had to or was free to.
    Passed,
    /// Failed, and the file says why and how.
    ExpectedFailure(Reason),
    /// Failed, and nothing excuses it.
    Failed,
    /// Passed although the file says that it cannot, or failed in another way than the file says.
    WrongExcuse(String),
}

/// A case and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which.
    pub case: CaseFile,
    /// What happened.
    pub outcome: Outcome,
    /// What it means.
    pub verdict: Verdict,
    /// The operations that it asks for, by their XML names; none where it could not be read.
    pub operations: Vec<String>,
    /// The version that it speaks, such as `1.2`; none where it could not be read.
    pub protocol: Option<String>,
}

impl Expectations {
    /// The expectations of this tree.
    ///
    /// # Errors
    /// [`ExpectationsError`].
    pub fn of_this_tree() -> Result<Self, ExpectationsError> {
        Self::parse(TEXT)
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`ExpectationsError`].
    pub fn parse(text: &str) -> Result<Self, ExpectationsError> {
        let expectations: Self = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        for (Excuse { kind, .. }, Excused { case, says, .. }) in expectations.excused() {
            if !seen.insert(case) || expectations.requires_path(case) {
                return Err(ExpectationsError::Twice(case.clone()));
            }
            if *kind != Kind::Broken && !CaseFile::called(case).is_test_case() {
                return Err(ExpectationsError::NotExcusable(case.clone()));
            }
            if says.is_empty() {
                return Err(ExpectationsError::Wordless(case.clone()));
            }
        }
        Ok(expectations)
    }

    /// Whether the case must pass.
    #[must_use]
    pub fn requires(&self, case: &CaseFile) -> bool {
        self.required.versions.contains(&case.version) && self.required.cases.iter().any(|name| name == case.name())
    }

    fn requires_path(&self, path: &str) -> bool {
        self.requires(&CaseFile::called(path))
    }

    /// Required cases of the versions that are there, which are not there themselves.
    #[must_use]
    pub fn absent(&self, cases: &[CaseFile]) -> Vec<String> {
        let versions: BTreeSet<&str> = cases.iter().map(|case| case.version.as_str()).collect();
        let wanted = self.required.versions.iter().filter(|version| versions.contains(version.as_str()));
        wanted
            .flat_map(|version| self.required.cases.iter().map(move |name| (version, name)))
            .filter(|(version, name)| !cases.iter().any(|case| case.version == **version && case.name() == *name))
            .map(|(version, name)| format!("{version} {name}"))
            .collect()
    }

    /// What the outcome of a case means.
    #[must_use]
    pub fn judge(&self, case: CaseFile, read: Option<&Case>, outcome: Outcome) -> Judged {
        let verdict = match (self.excuse(&case), &outcome) {
            (None, Outcome::Passed) => Verdict::Passed,
            (None, Outcome::Failed { step, why }) => {
                self.excuse_elsewhere(&case, *step, why).map_or(Verdict::Failed, Verdict::ExpectedFailure)
            }
            (Some((reason, _)), Outcome::Passed) => {
                Verdict::WrongExcuse(format!("passed, and expectations.toml says: {}", reason.text))
            }
            (Some((reason, excused)), Outcome::Failed { step, why }) => match excused.contradiction(*step, why) {
                None => Verdict::ExpectedFailure(reason),
                Some(contradiction) => Verdict::WrongExcuse(contradiction),
            },
        };
        let operations = read.map(|case| case.operations().map(str::to_owned).collect()).unwrap_or_default();
        Judged { case, outcome, verdict, operations, protocol: read.and_then(Case::version) }
    }

    /// The excuse of a case that the file names by another path, if it fails in the same way: the same case of a version
    /// of which the file knows none, or one that is played from another folder. Of a version that the file knows, each
    /// case is named or has to pass.
    fn excuse_elsewhere(&self, case: &CaseFile, step: usize, why: &Why) -> Option<Reason> {
        let is_known = self.required.versions.contains(&case.version)
            || self.excused().any(|(_, excused)| CaseFile::called(&excused.case).version == case.version);
        let is_same = |named: CaseFile| match is_known {
            true => named.version == case.version && named.stem() == case.stem(),
            false => named.family() == case.family(),
        };
        self.excused()
            .find(|(_, excused)| is_same(CaseFile::called(&excused.case)) && excused.contradiction(step, why).is_none())
            .map(|(excuse, _)| excuse.told())
    }

    fn excuse(&self, case: &CaseFile) -> Option<(Reason, &Excused)> {
        let (excuse, excused) = self.excused().find(|(_, excused)| excused.case == case.id)?;
        Some((excuse.told(), excused))
    }

    /// Every case that the file names, with its excuse.
    fn excused(&self) -> impl Iterator<Item = (&Excuse, &Excused)> {
        self.expected_failures.iter().flat_map(|excuse| excuse.cases.iter().map(move |case| (excuse, case)))
    }
}

impl Excuse {
    fn told(&self) -> Reason {
        Reason { kind: self.kind, text: self.reason.clone() }
    }
}

impl Excused {
    fn contradiction(&self, step: usize, why: &Why) -> Option<String> {
        let said = why.to_string();
        if step != self.step {
            return Some(format!("fails at step {step}, and is excused at step {}: {said}", self.step));
        }
        (!said.contains(&self.says)).then(|| format!("step {step} says no {:?}: {said}", self.says))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
        [required]
        versions = ["v1.0"]
        cases = ["SKLC-M-1"]
        [[expected_failures]]
        kind = "choice"
        reason = "no archive"
        cases = [{ case = "v1.0/testcases/TC_101", step = 1, says = "none" }]
        [[expected_failures]]
        kind = "broken"
        reason = "no end"
        cases = [{ case = "v1.0/optional/OMOS-O-1-10", step = 0, says = "at byte 7" }]
    "#;

    fn file(id: &str) -> CaseFile {
        CaseFile::called(id)
    }

    fn failed(step: usize, why: &str) -> Outcome {
        Outcome::Failed { step, why: Why::Answer(why.to_owned()) }
    }

    fn verdict(id: &str, outcome: Outcome) -> Verdict {
        Expectations::parse(SAMPLE).unwrap().judge(file(id), None, outcome).verdict
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        Expectations::of_this_tree().unwrap();
    }

    #[test]
    fn a_failure_without_excuse_fails() {
        assert_eq!(verdict("v1.0/mandatory/SKLC-M-1-10", failed(1, "none")), Verdict::Failed);
        assert_eq!(verdict("v1.0/mandatory/SKLC-M-1-10", Outcome::Passed), Verdict::Passed);
    }

    #[test]
    fn an_excuse_holds_for_its_step_and_its_words_only() {
        let id = "v1.0/testcases/TC_101";
        let expected = Verdict::ExpectedFailure(Reason { kind: Kind::Choice, text: "no archive".to_owned() });
        assert_eq!(verdict(id, failed(1, "there was none")), expected);
        for otherwise in [failed(2, "there was none"), failed(0, "none"), failed(1, "another answer"), Outcome::Passed]
        {
            assert!(matches!(verdict(id, otherwise.clone()), Verdict::WrongExcuse(_)), "{otherwise:?}");
        }
    }

    #[test]
    fn the_same_case_of_another_version_may_fail_in_the_same_way_and_may_pass() {
        let id = "v1.3/testcases/TC_101_13";
        assert!(matches!(verdict(id, failed(1, "there was none")), Verdict::ExpectedFailure(_)));
        assert_eq!(verdict(id, failed(2, "there was none")), Verdict::Failed);
        assert_eq!(verdict(id, failed(1, "another answer")), Verdict::Failed);
        assert_eq!(verdict(id, Outcome::Passed), Verdict::Passed);
        // Of a version that is known each case is named or has to pass, from whichever folder it is played.
        assert_eq!(verdict("v1.0/testcases/TC_101_10", failed(1, "there was none")), Verdict::Failed);
        let mut moved = file("testcases/TC_101");
        moved.version = "v1.0".to_owned();
        let judged = Expectations::parse(SAMPLE).unwrap().judge(moved, None, failed(1, "there was none"));
        assert!(matches!(judged.verdict, Verdict::ExpectedFailure(_)));
    }

    #[test]
    fn required_cases_must_be_there_where_their_version_is() {
        let expectations = Expectations::parse(SAMPLE).unwrap();
        assert_eq!(expectations.absent(&[file("v1.0/mandatory/SKLC-M-2-10")]), ["v1.0 SKLC-M-1"]);
        assert!(expectations.absent(&[file("v1.0/mandatory/SKLC-M-1-10")]).is_empty());
        assert!(expectations.absent(&[file("v1.3/mandatory/SKLC-M-2-13")]).is_empty());
    }

    fn with_excuse(kind: &str, case: &str, says: &str) -> Result<Expectations, ExpectationsError> {
        Expectations::parse(&format!(
            "{SAMPLE}\n[[expected_failures]]\nkind = \"{kind}\"\nreason = \"again\"\n\
             cases = [{{ case = \"{case}\", step = 1, says = \"{says}\" }}]\n"
        ))
    }

    #[test]
    fn nothing_is_excused_twice_or_both_required_and_excused() {
        for path in ["v1.0/testcases/TC_101", "v1.0/mandatory/SKLC-M-1-10"] {
            assert!(matches!(with_excuse("broken", path, "x"), Err(ExpectationsError::Twice(_))), "{path}");
        }
    }

    #[test]
    fn a_mandatory_or_optional_case_is_excused_as_broken_only() {
        for path in ["v1.2/mandatory/CS-AC-M-3-12", "v1.2/optional/OMOS-O-1-12"] {
            for kind in ["choice", "not-offered"] {
                let refused = with_excuse(kind, path, "x");
                assert!(matches!(refused, Err(ExpectationsError::NotExcusable(_))), "{path} as {kind}");
            }
            with_excuse("broken", path, "x").unwrap();
        }
        with_excuse("choice", "v1.2/testcases/TC_102", "x").unwrap();
        assert!(matches!(with_excuse("choice", "v1.2/testcases/TC_102", ""), Err(ExpectationsError::Wordless(_))));
    }
}
