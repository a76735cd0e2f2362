//! The table per profile and version, and the last line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expectations::{Judged, Kind, Verdict};
use super::play::Outcome;

/// Of the test cases that can pass, at least so many in a hundred have to.
const LEAST_PERCENT: usize = 95;

/// How many of the cases of the Test Cases documents pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that pass.
    pub passed: usize,
    /// All.
    pub all: usize,
    /// Those that do not pass because they are broken as published.
    pub broken: usize,
    /// Those that do not pass because they are played from the other end: a server asks or tells what is a client.
    pub not_offered: usize,
}

impl Share {
    /// Those that a server can pass.
    #[must_use]
    pub const fn possible(&self) -> usize {
        self.all.saturating_sub(self.broken).saturating_sub(self.not_offered)
    }

    /// Whether enough of them pass.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.passed * 100 >= self.possible() * LEAST_PERCENT
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, all, broken, not_offered } = self;
        let whole = all.saturating_sub(*broken);
        let possible = self.possible();
        write!(
            f,
            "{passed} of {all} pass ({}); of the {whole} that are not broken as published ({broken}), {}; of the \
             {possible} among them that are not played from the other end ({not_offered}), {}",
            percent(*passed, *all),
            percent(*passed, whole),
            percent(*passed, possible),
        )
    }
}

/// A share with one decimal.
fn percent(part: usize, whole: usize) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(1000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

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

    /// What became of the cases of the Test Cases documents.
    #[must_use]
    pub fn test_cases(&self) -> Share {
        let mut share = Share::default();
        for Judged { case, outcome, verdict, .. } in &self.judged {
            if !case.is_test_case() {
                continue;
            }
            share.all += 1;
            share.passed += usize::from(*outcome == Outcome::Passed);
            if let Verdict::ExpectedFailure(reason) = verdict {
                share.broken += usize::from(reason.kind == Kind::Broken);
                share.not_offered += usize::from(reason.kind == Kind::NotOffered);
            }
        }
        share
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
                        Verdict::ExpectedFailure(reason) => {
                            format!("expected failure ({}: {})", reason.kind.text(), reason.text)
                        }
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
        let of_kind = |kind| {
            let is = |judged: &&Judged| matches!(&judged.verdict, Verdict::ExpectedFailure(why) if why.kind == kind);
            format!("{} {}", self.judged.iter().filter(is).count(), kind.text())
        };
        let expected =
            self.judged.iter().filter(|judged| matches!(judged.verdict, Verdict::ExpectedFailure(_))).count();
        let (passed, failed) = self.counts();
        let kinds = Kind::ALL.map(of_kind).join(", ");
        writeln!(f, "of the failed, {expected} were expected ({kinds}), each for its reason in expectations.toml")?;
        writeln!(f, "test cases (TC): {}", self.test_cases())?;
        write!(f, "{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::CaseFile;
    use super::super::expectations::Reason;
    use super::super::play::Why;
    use super::*;

    fn judged(id: &str, passed: bool, verdict: Verdict) -> Judged {
        let case = CaseFile::called(id);
        let failed = Outcome::Failed { step: 2, why: Why::Unbound("$X".to_owned()) };
        let outcome = if passed { Outcome::Passed } else { failed };
        Judged { case, outcome, verdict, operations: Vec::new(), protocol: None }
    }

    fn expected(kind: Kind) -> Verdict {
        Verdict::ExpectedFailure(Reason { kind, text: "why".to_owned() })
    }

    #[test]
    fn what_cannot_pass_is_not_counted_against_the_server_and_what_it_chose_is() {
        let case = |number: usize, passed, verdict| judged(&format!("v1.0/testcases/TC_{number}"), passed, verdict);
        let mut report =
            Report { judged: (0..19).map(|number| case(number, true, Verdict::Passed)).collect(), absent: Vec::new() };
        report.judged.push(case(100, false, expected(Kind::Broken)));
        report.judged.push(case(101, false, expected(Kind::NotOffered)));
        report.judged.push(case(102, false, expected(Kind::Choice)));
        report.judged.push(judged("v1.0/optional/OMOS-O-1-10", false, expected(Kind::Broken)));
        let share = report.test_cases();
        assert_eq!(share, Share { passed: 19, all: 22, broken: 1, not_offered: 1 });
        assert_eq!((share.possible(), share.is_enough()), (20, true));
        assert!(share.to_string().starts_with("19 of 22 pass (86.3 %); "), "{share}");
        assert!(share.to_string().ends_with(", 95.0 %"), "{share}");
        report.judged.push(case(103, false, expected(Kind::Choice)));
        assert!(!report.test_cases().is_enough());
    }

    #[test]
    fn the_last_line_counts_every_case() {
        let report = Report {
            judged: vec![
                judged("v1.0/mandatory/SKLC-M-1-10", true, Verdict::Passed),
                judged("v1.1/mandatory/SKLC-M-1-11", false, expected(Kind::Broken)),
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
