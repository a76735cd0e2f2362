//! The table per profile and version, and the last line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expectations::{Judged, Verdict};
use super::play::Outcome;

/// Everything that a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// Every case that was played.
    pub judged: Vec<Judged>,
    /// Required cases that were not there.
    pub absent: Vec<String>,
}

impl Report {
    /// Whether the run is as it has to be. A folder may hold a part of the cases: what is not there is told, and no fault.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.judged.is_empty()
            && self.judged.iter().all(|case| matches!(case.verdict, Verdict::Passed | Verdict::ExpectedFailure(_)))
    }

    /// Cases that passed, and those that did not, expected or not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let passed = self.judged.iter().filter(|case| case.outcome == Outcome::Passed).count();
        (passed, self.judged.len() - passed)
    }

    /// Every case with its outcome, one a line.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut text = String::new();
        for Judged { case, outcome, verdict, .. } in &self.judged {
            text += &match (outcome, verdict) {
                (Outcome::Passed, Verdict::WrongExcuse(why)) => format!("{}: WRONG: {why}\n", case.id),
                (Outcome::Passed, _) => format!("{}: passed\n", case.id),
                (Outcome::Failed { step, why }, verdict) => {
                    let judgement = match verdict {
                        Verdict::ExpectedFailure(reason) => format!("expected failure ({reason})"),
                        Verdict::WrongExcuse(contradiction) => format!("WRONG EXCUSE ({contradiction})"),
                        Verdict::Passed | Verdict::Failed => "FAILED".to_owned(),
                    };
                    format!("{}: {judgement}: step {step}: {why}\n", case.id)
                }
            };
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: BTreeSet<&str> = self.judged.iter().map(|judged| judged.case.version.as_str()).collect();
        let mut table: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        for judged in &self.judged {
            let cell = table.entry((judged.case.profile(), &judged.case.version)).or_default();
            cell.0 += usize::from(judged.outcome == Outcome::Passed);
            cell.1 += 1;
        }
        let profiles: BTreeSet<&str> = table.keys().map(|(profile, _)| *profile).collect();
        write!(f, "{:<14}", "passed/cases")?;
        for version in &versions {
            write!(f, "{version:>10}")?;
        }
        writeln!(f)?;
        for profile in profiles {
            write!(f, "{profile:<14}")?;
            for version in &versions {
                let cell = table.get(&(profile, *version));
                write!(f, "{:>10}", cell.map_or_else(|| "-".to_owned(), |(passed, all)| format!("{passed}/{all}")))?;
            }
            writeln!(f)?;
        }
        for absent in &self.absent {
            writeln!(f, "not there, though required: {absent}")?;
        }
        for Judged { case, outcome, verdict, .. } in &self.judged {
            match (verdict, outcome) {
                (Verdict::Failed, Outcome::Failed { step, why }) => {
                    writeln!(f, "FAILED: {}: step {step}: {why}", case.id)?;
                }
                (Verdict::WrongExcuse(why), _) => writeln!(f, "WRONG EXCUSE: {}: {why}", case.id)?,
                _ => {}
            }
        }
        let expected =
            self.judged.iter().filter(|judged| matches!(judged.verdict, Verdict::ExpectedFailure(_))).count();
        let (passed, failed) = self.counts();
        writeln!(f, "of the failed, {expected} were expected, each with its reason in tests/oasis/expectations.toml")?;
        write!(f, "{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::CaseFile;
    use super::super::play::Why;
    use super::*;

    fn judged(id: &str, passed: bool, verdict: Verdict) -> Judged {
        let case = CaseFile { id: id.to_owned(), version: id.split('/').next().unwrap().to_owned(), path: id.into() };
        let failed = Outcome::Failed { step: 2, why: Why::Unbound("$X".to_owned()) };
        let outcome = if passed { Outcome::Passed } else { failed };
        Judged { case, outcome, verdict, operations: Vec::new(), protocol: None }
    }

    #[test]
    fn the_last_line_counts_every_case() {
        let report = Report {
            judged: vec![
                judged("v1.0/mandatory/SKLC-M-1-10", true, Verdict::Passed),
                judged("v1.1/mandatory/SKLC-M-1-11", false, Verdict::ExpectedFailure("why".to_owned())),
                judged("v1.1/mandatory/SKLC-M-2-11", false, Verdict::Failed),
            ],
            absent: Vec::new(),
        };
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 2 failed"));
        assert!(text.lines().any(|line| line.split_whitespace().eq(["SKLC", "1/1", "0/2"])), "{text}");
        assert!(text.contains("FAILED: v1.1/mandatory/SKLC-M-2-11: step 2: nothing was bound to $X"), "{text}");
        assert!(!report.is_good());
    }

    #[test]
    fn a_run_is_good_only_with_something_played_and_nothing_wrong() {
        let passed = judged("v1.0/mandatory/SKLC-M-1-10", true, Verdict::Passed);
        let wrong = judged("v1.0/mandatory/SKLC-M-2-10", true, Verdict::WrongExcuse("no".to_owned()));
        assert!(Report { judged: vec![passed.clone()], absent: Vec::new() }.is_good());
        assert!(!Report { judged: vec![passed.clone(), wrong], absent: Vec::new() }.is_good());
        let partly = Report { judged: vec![passed], absent: vec!["v1.0 X".to_owned()] };
        assert!(partly.is_good() && partly.to_string().contains("not there, though required: v1.0 X"));
        assert!(!Report::default().is_good());
    }
}
