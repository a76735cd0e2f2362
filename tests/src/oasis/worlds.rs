//! What a case presupposes of its world and does not say in its messages: data, never an answer.
//!
//! A world names its cases by the beginning of their file names, whatever their version, and says which sentence makes it
//! so. Cases that no world names are played by the one client of a fresh tenant under the policy `legacy`.

use serde::Deserialize;
use thiserror::Error;

use super::case::CaseFile;

/// Data beside this crate.
const TEXT: &str = include_str!("../../oasis/worlds.toml");

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worlds {
    worlds: Vec<World>,
}

/// One world.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// How the file names of its cases begin: `TC-Q-CAP-1-`.
    cases: Vec<String>,
    /// Why, with the place in the specification or the case.
    because: String,
    /// Whether the cases of a version are played as one tenant, in the order of their names.
    #[serde(default)]
    together: bool,
    /// Sections of the node's configuration. A world with some has a node of its own.
    #[serde(default)]
    pub configuration: String,
    /// Whether each user or device whom the cases name reaches only the objects that it makes.
    #[serde(default)]
    pub own: bool,
    /// Operations that the certificate alone may ask for once the world is as it should be; absent means all.
    pub operations: Option<Vec<String>>,
    /// What happened before, as a file of messages in the form of a case, beside `worlds.toml`.
    pub before: Option<String>,
    /// When the clock moves on. A world whose clock moves has a node of its own.
    #[serde(default)]
    pub clock: Vec<Moment>,
    /// Policy of the tenant.
    #[serde(default = "legacy")]
    pub policy: String,
}

/// The clock moves on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Number of the request before which it does, from 1.
    pub before: usize,
    /// How far it is then ahead of where it would be, in seconds.
    pub seconds: u32,
}

fn legacy() -> String {
    "legacy".to_owned()
}

/// The file cannot be used.
#[derive(Debug, Error)]
pub enum WorldsError {
    /// Not the TOML that it should be.
    #[error("worlds.toml: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A world without a reason, or a beginning of names that is in two worlds.
    #[error("worlds.toml: {0}")]
    Unclear(String),
}

impl Worlds {
    /// The worlds of this tree.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub fn of_this_tree() -> Result<Self, WorldsError> {
        Self::parse(TEXT)
    }

    /// Reads `text`.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub fn parse(text: &str) -> Result<Self, WorldsError> {
        let worlds: Self = toml::from_str(text)?;
        let mut seen: Vec<&str> = Vec::new();
        for world in &worlds.worlds {
            if world.because.split_whitespace().count() < 3 {
                return Err(WorldsError::Unclear(format!("{:?}: no sentence says why", world.cases)));
            }
            for beginning in &world.cases {
                if seen.iter().any(|other| other.starts_with(beginning.as_str()) || beginning.starts_with(other)) {
                    return Err(WorldsError::Unclear(format!("{beginning} is in two worlds")));
                }
                seen.push(beginning);
            }
        }
        Ok(worlds)
    }

    /// Each world in a sentence: its cases, what it has, and why.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.worlds.iter().map(|world| {
            let has = [
                (world.is_stated(), "stated by the operator"),
                (world.policy != legacy(), "another policy"),
                (world.together, "one tenant for all"),
                (world.own || world.operations.is_some(), "logins that reach less"),
                (world.before.is_some(), "objects that are there before"),
                (!world.clock.is_empty(), "a clock that moves on"),
            ];
            let has: Vec<&str> = has.into_iter().filter_map(|(holds, what)| holds.then_some(what)).collect();
            format!("{}* ({}): {}", world.cases.join("*, "), has.join(", "), world.because)
        })
    }

    /// The world of a case, if it has one of its own.
    #[must_use]
    pub fn of(&self, case: &CaseFile) -> Option<&World> {
        self.worlds.iter().find(|world| world.has(case))
    }

    /// Sorts cases into groups, each to be played in order as a tenant of its own.
    #[must_use]
    pub fn groups(&self, cases: Vec<CaseFile>) -> Vec<Vec<CaseFile>> {
        let mut groups: Vec<(String, Vec<CaseFile>)> = Vec::new();
        for case in cases {
            let group = match self.worlds.iter().position(|world| world.together && world.has(&case)) {
                Some(number) => format!("{}/world {number}", case.version),
                None => case.id.clone(),
            };
            match groups.iter_mut().find(|(name, _)| *name == group) {
                Some((_, members)) => members.push(case),
                None => groups.push((group, vec![case])),
            }
        }
        groups.into_iter().map(|(_, members)| members).collect()
    }
}

impl World {
    /// Whether the operator of its node states or switches something.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        !self.configuration.is_empty()
    }

    fn has(&self, case: &CaseFile) -> bool {
        self.cases.iter().any(|beginning| case.stem().starts_with(beginning.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const SAMPLE: &str = r#"
        [[worlds]]
        cases = ["SASED-M-"]
        because = "The second finds what the first made."
        together = true
        [[worlds]]
        cases = ["TC-Q-RNGS-2-"]
        because = "The operator states a generator."
        configuration = "[[hsm.generators]]"
    "#;

    fn file(id: &str) -> CaseFile {
        let version = id.split('/').next().unwrap().to_owned();
        CaseFile { id: id.to_owned(), version, path: PathBuf::new() }
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        Worlds::of_this_tree().unwrap();
    }

    #[test]
    fn cases_of_one_world_share_a_tenant_within_a_version_in_order() {
        let worlds = Worlds::parse(SAMPLE).unwrap();
        let cases = ["v1.0/m/SASED-M-1-10", "v1.0/m/SASED-M-2-10", "v1.0/m/SKLC-M-1-10", "v1.1/m/SASED-M-1-11"];
        let groups = worlds.groups(cases.map(file).to_vec());
        let names: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(CaseFile::stem).collect()).collect();
        assert_eq!(names, [vec!["SASED-M-1-10", "SASED-M-2-10"], vec!["SKLC-M-1-10"], vec!["SASED-M-1-11"]]);
    }

    #[test]
    fn a_world_is_found_in_every_version() {
        let worlds = Worlds::parse(SAMPLE).unwrap();
        for id in ["v1.4/testcases/TC-Q-RNGS-2-14", "v1.3/testcases/TC-Q-RNGS-2-13"] {
            assert_eq!(worlds.of(&file(id)).unwrap().configuration, "[[hsm.generators]]");
        }
        assert!(worlds.of(&file("v1.4/testcases/TC-Q-RNGS-1-14")).is_none());
    }

    #[test]
    fn a_world_says_why_and_shares_no_case() {
        let silent = "[[worlds]]\ncases = [\"A-\"]\nbecause = \"so\"\n";
        assert!(matches!(Worlds::parse(silent), Err(WorldsError::Unclear(_))));
        let twice = format!("{SAMPLE}\n[[worlds]]\ncases = [\"SASED-M-1-\"]\nbecause = \"It is here once more.\"\n");
        assert!(matches!(Worlds::parse(&twice), Err(WorldsError::Unclear(_))));
    }
}
