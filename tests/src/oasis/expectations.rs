//! What is known beforehand: the cases that must pass, and those that cannot pass yet, each with its reason.
//!
//! A reason that rests on an operation is checked: the case has to ask for that operation, and the server must not
//! list it. So an excuse ends by itself when the operation comes.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::case::{Case, CaseFile};
use super::play::Outcome;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuse {
    /// Why they cannot pass, a sentence.
    reason: String,
    /// The operation that is missing, in the spelling of the cases.
    operation: Option<String>,
    /// Paths below the folder of cases, without ending; one that ends with `*` stands for all that begin so.
    cases: Vec<String>,
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
}

/// What an outcome means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Passed, as it had to or was free to.
    Passed,
    /// Failed, and the file says why.
    ExpectedFailure(String),
    /// Failed, and nothing excuses it.
    Failed,
    /// Passed although the file says that it cannot, or excused by what is not so.
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
        for case in expectations.expected_failures.iter().flat_map(|excuse| &excuse.cases) {
            if !seen.insert(case) || expectations.requires_path(case) {
                return Err(ExpectationsError::Twice(case.clone()));
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
        let version = path.split('/').next().unwrap_or_default().to_owned();
        self.requires(&CaseFile { id: path.to_owned(), version, path: path.into() })
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

    /// What the outcome of a case means. `offered` are the operations that the server lists.
    #[must_use]
    pub fn judge(&self, case: CaseFile, read: Option<&Case>, outcome: Outcome, offered: &[String]) -> Judged {
        let verdict = match (self.excuse(&case), &outcome) {
            (None, Outcome::Passed) => Verdict::Passed,
            (None, Outcome::Failed { .. }) => Verdict::Failed,
            (Some(excuse), Outcome::Passed) => {
                Verdict::WrongExcuse(format!("passed, and expectations.toml says: {}", excuse.reason))
            }
            (Some(excuse), Outcome::Failed { .. }) => match excuse.contradiction(read, offered) {
                None => Verdict::ExpectedFailure(excuse.reason.clone()),
                Some(contradiction) => Verdict::WrongExcuse(contradiction),
            },
        };
        let operations = read.map(|case| case.operations().map(str::to_owned).collect()).unwrap_or_default();
        Judged { case, outcome, verdict, operations, protocol: read.and_then(Case::version) }
    }

    fn excuse(&self, case: &CaseFile) -> Option<&Excuse> {
        // A case that is named goes before a pattern that covers it.
        let named = |excuse: &&Excuse| excuse.cases.contains(&case.id);
        let covered = |excuse: &&Excuse| {
            excuse.cases.iter().any(|path| path.strip_suffix('*').is_some_and(|stem| case.id.starts_with(stem)))
        };
        self.expected_failures.iter().find(named).or_else(|| self.expected_failures.iter().find(covered))
    }
}

impl Excuse {
    fn contradiction(&self, read: Option<&Case>, offered: &[String]) -> Option<String> {
        let operation = self.operation.as_ref()?;
        if offered.contains(operation) {
            return Some(format!("excused by {operation}, which the server offers"));
        }
        match read {
            Some(case) if !case.operations().any(|asked| asked == operation) => {
                Some(format!("excused by {operation}, for which it does not ask"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oasis::play::Why;

    const SAMPLE: &str = r#"
        [required]
        versions = ["v1.0"]
        cases = ["SKLC-M-1"]
        [[expected_failures]]
        reason = "no archive"
        operation = "Archive"
        cases = ["v1.0/testcases/TC_101"]
        [[expected_failures]]
        reason = "another protocol"
        cases = ["v2.1/*"]
    "#;

    fn file(id: &str) -> CaseFile {
        CaseFile { id: id.to_owned(), version: id.split('/').next().unwrap().to_owned(), path: id.into() }
    }

    fn failed() -> Outcome {
        Outcome::Failed { step: 1, why: Why::Answer("none".to_owned()) }
    }

    fn asks_for(operation: &str) -> Case {
        let xml = format!(
            "<KMIP><RequestMessage><BatchItem><Operation type=\"Enumeration\" value=\"{operation}\"/></BatchItem>\
             </RequestMessage><ResponseMessage/></KMIP>"
        );
        Case::parse("x", &xml).unwrap()
    }

    fn verdict(id: &str, read: Option<&Case>, outcome: Outcome, offered: &[String]) -> Verdict {
        Expectations::parse(SAMPLE).unwrap().judge(file(id), read, outcome, offered).verdict
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        Expectations::of_this_tree().unwrap();
    }

    #[test]
    fn a_failure_without_excuse_fails() {
        assert_eq!(verdict("v1.0/mandatory/SKLC-M-1-10", None, failed(), &[]), Verdict::Failed);
        assert_eq!(verdict("v1.0/mandatory/SKLC-M-1-10", None, Outcome::Passed, &[]), Verdict::Passed);
    }

    #[test]
    fn an_excuse_holds_while_its_operation_is_not_offered() {
        let (id, case) = ("v1.0/testcases/TC_101", asks_for("Archive"));
        let expected = Verdict::ExpectedFailure("no archive".to_owned());
        assert_eq!(verdict(id, Some(&case), failed(), &["Get".to_owned()]), expected);
        assert!(matches!(verdict(id, Some(&case), failed(), &["Archive".to_owned()]), Verdict::WrongExcuse(_)));
        assert!(matches!(verdict(id, Some(&asks_for("Get")), failed(), &[]), Verdict::WrongExcuse(_)));
    }

    #[test]
    fn passing_against_the_excuse_is_wrong() {
        let passed = |id| verdict(id, Some(&asks_for("Archive")), Outcome::Passed, &[]);
        assert!(matches!(passed("v1.0/testcases/TC_101"), Verdict::WrongExcuse(_)));
        assert!(matches!(passed("v2.1/mandatory/BL-M-1-21"), Verdict::WrongExcuse(_)));
    }

    #[test]
    fn required_cases_must_be_there_where_their_version_is() {
        let expectations = Expectations::parse(SAMPLE).unwrap();
        assert_eq!(expectations.absent(&[file("v1.0/mandatory/SKLC-M-2-10")]), ["v1.0 SKLC-M-1"]);
        assert!(expectations.absent(&[file("v1.0/mandatory/SKLC-M-1-10")]).is_empty());
        assert!(expectations.absent(&[file("v1.3/mandatory/SKLC-M-2-13")]).is_empty());
    }

    #[test]
    fn nothing_is_excused_twice_or_both_required_and_excused() {
        for path in ["v1.0/testcases/TC_101", "v1.0/mandatory/SKLC-M-1-10"] {
            let text = format!("{SAMPLE}\n[[expected_failures]]\nreason = \"again\"\ncases = [\"{path}\"]\n");
            assert!(matches!(Expectations::parse(&text), Err(ExpectationsError::Twice(_))), "{path}");
        }
    }
}
