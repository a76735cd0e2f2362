//! The steps of clients that cannot succeed, each with its reason: known beforehand, held against what happened.
//!
//! A miss that does not happen is as wrong as one that nobody expected, and so is one for another cause than the file
//! gives. So the file is always true.

use serde::Deserialize;
use thiserror::Error;

use super::Step;

/// Data beside this crate.
const TEXT: &str = include_str!("../../clients/expectations.toml");

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    #[serde(default)]
    unserved: Vec<Unserved>,
    #[serde(default)]
    misses: Vec<Miss>,
}

/// A version that clients would speak and the server does not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unserved {
    version: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Miss {
    /// Which client.
    client: String,
    /// Why, a sentence.
    reason: String,
    /// Part of what the failure says.
    says: String,
    /// The protocol versions in which it happens; none where that is every one, or the client has but one.
    #[serde(default)]
    versions: Vec<String>,
    /// Which steps.
    steps: Vec<String>,
}

/// The file cannot be used.
#[derive(Debug, Error)]
pub enum ExpectationsError {
    /// Not the TOML that it should be.
    #[error("expectations.toml: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A miss without a cause, or without anything that it is about.
    #[error("expectations.toml: a miss of {0} needs a reason, what it says, and steps")]
    Empty(String),
    /// A step is excused twice.
    #[error("expectations.toml: {step} of {client} in {version:?} is excused twice")]
    Twice {
        /// Which client.
        client: String,
        /// In which version.
        version: Option<String>,
        /// Which step.
        step: String,
    },
}

impl Miss {
    fn is_of(&self, client: &str, version: Option<&str>) -> bool {
        let in_version =
            self.versions.is_empty() || version.is_some_and(|one| self.versions.iter().any(|of| of == one));
        self.client == client && in_version
    }
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
        for miss in &expectations.misses {
            if miss.reason.is_empty() || miss.says.is_empty() || miss.steps.is_empty() {
                return Err(ExpectationsError::Empty(miss.client.clone()));
            }
            let versions: Vec<_> = miss.versions.iter().map(|version| Some(version.as_str())).chain([None]).collect();
            for version in versions {
                expectations.is_excused_once(&miss.client, version, &miss.steps)?;
            }
        }
        Ok(expectations)
    }

    fn is_excused_once(&self, client: &str, version: Option<&str>, steps: &[String]) -> Result<(), ExpectationsError> {
        for step in steps {
            let here = self.misses.iter().filter(|miss| miss.is_of(client, version));
            if here.flat_map(|miss| &miss.steps).filter(|one| *one == step).count() > 1 {
                let version = version.map(str::to_owned);
                return Err(ExpectationsError::Twice { client: client.to_owned(), version, step: step.clone() });
            }
        }
        Ok(())
    }

    /// Whether a version is to be played, given what the server says of it.
    ///
    /// # Errors
    /// Where the server and the file do not agree, as text.
    pub fn plays(&self, version: &str, served: bool) -> Result<bool, String> {
        match (self.unserved.iter().find(|one| one.version == version), served) {
            (None, true) => Ok(true),
            (Some(_), false) => Ok(false),
            (None, false) => Err(format!("{version} is not served, and nothing says why")),
            (Some(one), true) => Err(format!("{version} is served, so this is not true any more: {}", one.reason)),
        }
    }

    /// What is wrong with what a client told, in sentences; nothing if all is as expected.
    #[must_use]
    pub fn complaints(&self, client: &str, version: Option<&str>, told: &[Step]) -> Vec<String> {
        let misses = || self.misses.iter().filter(|miss| miss.is_of(client, version));
        let mut complaints = Vec::new();
        for (number, step) in told.iter().enumerate() {
            if told.iter().take(number).any(|earlier| earlier.name == step.name) {
                complaints.push(format!("{} was told twice", step.name));
            }
            let excuse = misses().find(|miss| miss.steps.contains(&step.name));
            match (&step.failure, excuse) {
                (None, None) => {}
                (Some(failure), Some(miss)) if failure.contains(&miss.says) => {}
                (Some(failure), None) => complaints.push(format!("{} failed: {failure}", step.name)),
                (Some(failure), Some(miss)) => {
                    complaints.push(format!("{} failed, but not with {:?}: {failure}", step.name, miss.says));
                }
                (None, Some(miss)) => {
                    complaints.push(format!("{} passed, so this is not true any more: {}", step.name, miss.reason));
                }
            }
        }
        for step in misses().flat_map(|miss| &miss.steps) {
            if !told.iter().any(|one| one.name == *step) {
                complaints.push(format!("{step} is excused, but there is no such step"));
            }
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCUSES: &str = r#"
        [[misses]]
        client = "somebody"
        versions = ["1.0", "1.1"]
        reason = "Sign is of 1.2."
        says = "NOT_SUPPORTED"
        steps = ["sign", "verify"]
    "#;

    fn told(steps: &[(&str, Option<&str>)]) -> Vec<Step> {
        let step = |(name, failure): &(&str, Option<&str>)| Step {
            name: (*name).to_owned(),
            failure: failure.map(str::to_owned),
        };
        steps.iter().map(step).collect()
    }

    fn complaints(version: Option<&str>, steps: &[(&str, Option<&str>)]) -> usize {
        Expectations::parse(EXCUSES).unwrap().complaints("somebody", version, &told(steps)).len()
    }

    #[test]
    fn a_miss_that_is_expected_is_no_complaint_in_its_versions_only() {
        let steps = [("get", None), ("sign", Some("NOT_SUPPORTED: Sign")), ("verify", Some("NOT_SUPPORTED"))];
        assert_eq!(complaints(Some("1.0"), &steps), 0);
        assert_eq!(complaints(Some("1.2"), &steps), 2);
        assert_eq!(complaints(None, &steps), 2);
        let always = EXCUSES.replace("versions = [\"1.0\", \"1.1\"]", "");
        let always = Expectations::parse(&always).unwrap();
        for version in [None, Some("1.0"), Some("2.0")] {
            assert!(always.complaints("somebody", version, &told(&steps)).is_empty());
        }
        assert_eq!(Expectations::parse(EXCUSES).unwrap().complaints("other", Some("1.0"), &told(&steps)).len(), 2);
    }

    #[test]
    fn a_miss_that_does_not_happen_is_a_complaint() {
        assert_eq!(complaints(Some("1.1"), &[("sign", None), ("verify", Some("NOT_SUPPORTED"))]), 1);
    }

    #[test]
    fn a_miss_for_another_cause_is_a_complaint() {
        assert_eq!(complaints(Some("1.1"), &[("sign", Some("reset")), ("verify", Some("NOT_SUPPORTED"))]), 1);
    }

    #[test]
    fn steps_that_are_not_told_or_told_twice_are_complaints() {
        let verify = ("verify", Some("NOT_SUPPORTED"));
        assert_eq!(complaints(Some("1.1"), &[verify]), 1);
        assert_eq!(complaints(Some("1.1"), &[verify, ("sign", Some("NOT_SUPPORTED")), verify]), 1);
    }

    #[test]
    fn an_excuse_needs_a_reason_and_is_given_once() {
        assert!(matches!(
            Expectations::parse(&EXCUSES.replace("Sign is of 1.2.", "")),
            Err(ExpectationsError::Empty(_))
        ));
        assert!(matches!(
            Expectations::parse(&format!("{EXCUSES}{EXCUSES}")),
            Err(ExpectationsError::Twice { version: Some(_), .. })
        ));
        Expectations::parse(&format!("{EXCUSES}{}", EXCUSES.replace("1.1", "1.3").replace("1.0", "1.2"))).unwrap();
    }

    #[test]
    fn an_unserved_version_is_excused_until_it_is_served() {
        let text = "[[unserved]]\nversion = \"2.0\"\nreason = \"Not built.\"\n";
        let expectations = Expectations::parse(text).unwrap();
        assert_eq!(expectations.plays("2.0", false), Ok(false));
        assert!(expectations.plays("2.0", true).is_err());
        assert_eq!(expectations.plays("1.4", true), Ok(true));
        assert!(expectations.plays("1.4", false).is_err());
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        Expectations::of_this_tree().unwrap();
    }
}
