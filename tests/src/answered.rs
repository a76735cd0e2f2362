//! Which operations each test program has answered with success, in which versions: noted by the servers that it starts,
//! whoever the client is, and kept as `tests/answered.txt`, which `scripts/test` holds against every whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kmip::ProtocolVersion;
use kmip::registry::Operation;

use crate::node::{Result, repository};

/// Names the folder of a whole run, with a folder for each test program.
const OF_RUN: &str = "CLAVIS_ANSWERED";
/// What a server reads.
pub(crate) const OF_SERVER: &str = "CLAVIS_ANSWERED_DIR";
/// Programs whose requests are random, and those that play the OASIS cases, which are counted for themselves.
const PASSED_OVER: [&str; 5] = ["batches", "conformance", "coverage", "hostile", "sequences"];
/// What the file says of itself.
const HEAD: &str = "# The test programs in which an operation succeeds in a version, as the servers of a whole run noted it. scripts/test\n\
                    # fails where a run does not bear that out; `coverage --answered` writes it with UPDATE_GOLDEN=1.\n";

/// Test programs, by version and operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered(BTreeMap<(String, String), BTreeSet<String>>);

impl Answered {
    /// What `tests/answered.txt` says.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn of_this_tree() -> Result<Self> {
        Self::parse(&std::fs::read_to_string(path())?)
    }

    /// What the servers of a run noted below `folder`.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn of_run(folder: &Path) -> Result<Self> {
        let mut answered = Self::default();
        for program in std::fs::read_dir(folder)? {
            let program = program?;
            for note in std::fs::read_dir(program.path())? {
                let (note, program) = (note?.file_name(), program.file_name());
                let (note, program) = (note.to_string_lossy(), program.to_string_lossy());
                let (version, operation) = note.split_once(' ').ok_or_else(|| format!("{note}: not a note"))?;
                answered.add(operation, version, &program);
            }
        }
        Ok(answered)
    }

    fn add(&mut self, operation: &str, version: &str, program: &str) {
        self.0.entry((operation.to_owned(), version.to_owned())).or_default().insert(program.to_owned());
    }

    fn parse(text: &str) -> Result<Self> {
        let mut answered = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (what, programs) = line.split_once(':').ok_or_else(|| format!("{line}: without programs"))?;
            let (operation, version) = what.rsplit_once(' ').ok_or_else(|| format!("{line}: without version"))?;
            for program in programs.split_whitespace() {
                answered.add(operation, version, program);
            }
        }
        Ok(answered)
    }

    /// As the file has it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for ((operation, version), programs) in &self.0 {
            let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
            text += &format!("{operation} {version}: {}\n", programs.join(" "));
        }
        text
    }

    /// The programs that ask the operation in this version.
    #[must_use]
    pub fn programs(&self, operation: Operation, version: ProtocolVersion) -> BTreeSet<&str> {
        let programs = self.0.get(&(operation.text().to_owned(), version.to_string()));
        programs.into_iter().flatten().map(String::as_str).collect()
    }

    /// The same without the programs whose requests are random: what succeeds in them differs from run to run.
    #[must_use]
    pub fn of_steady_programs(mut self) -> Self {
        for programs in self.0.values_mut() {
            programs.retain(|program| !PASSED_OVER.contains(&program.as_str()));
        }
        self.0.retain(|_, programs| !programs.is_empty());
        self
    }

    /// What is here and not in `other`: operation, version and program.
    #[must_use]
    pub fn without(&self, other: &Self) -> Vec<String> {
        let nothing = BTreeSet::new();
        let each = self.0.iter().flat_map(|(what, programs)| {
            let there = other.0.get(what).unwrap_or(&nothing);
            programs.difference(there).map(move |program| format!("{} {} in {program}", what.0, what.1))
        });
        each.collect()
    }
}

/// The file.
#[must_use]
pub fn path() -> PathBuf {
    repository().join("tests/answered.txt")
}

/// The folder for the notes of a server of this test program; none where nobody wants them.
pub(crate) fn folder() -> Result<Option<String>> {
    let Some(run) = std::env::var_os(OF_RUN).filter(|run| !run.is_empty()) else { return Ok(None) };
    let program = std::env::current_exe()?;
    let stem = program.file_stem().and_then(|stem| stem.to_str()).ok_or("the program has no name")?;
    // Cargo ends the name with a hash.
    let folder = PathBuf::from(run).join(stem.rsplit_once('-').map_or(stem, |(name, _)| name));
    std::fs::create_dir_all(&folder)?;
    Ok(Some(folder.to_str().ok_or("the folder is not text")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_noted_comes_back_from_the_file_and_every_difference_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (program, note) in [("batches", "1.4 Get"), ("batches", "2.1 Re-key Key Pair"), ("locate", "1.4 Get")] {
            std::fs::create_dir_all(folder.path().join(program)).unwrap();
            std::fs::write(folder.path().join(program).join(note), "").unwrap();
        }
        let run = Answered::of_run(folder.path()).unwrap();
        assert_eq!(Answered::parse(&run.to_text()).unwrap(), run);
        let programs = run.programs(Operation::Get, ProtocolVersion::V1_4);
        assert_eq!(programs.into_iter().collect::<Vec<_>>(), ["batches", "locate"]);
        assert!(run.programs(Operation::Get, ProtocolVersion::V2_1).is_empty());
        std::fs::remove_file(folder.path().join("locate/1.4 Get")).unwrap();
        let less = Answered::of_run(folder.path()).unwrap();
        assert_eq!(run.without(&less), ["Get 1.4 in locate"]);
        assert!(less.without(&run).is_empty());
        assert_eq!(run.of_steady_programs().to_text(), format!("{HEAD}Get 1.4: locate\n"));
    }
}
