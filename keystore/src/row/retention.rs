//! How long the log of a domain keeps its records, and what keeps them longer.

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_HOLD_TEXT_LEN, MAX_HOLDS};

/// Days that records are kept where nothing else was said: six months at their longest.
pub const DEFAULT_DAYS: u32 = 184;
/// Days that records are kept at least, whatever was said.
pub const LEAST_DAYS: u32 = 1;
/// Days that can be said at most: a hundred years.
pub const MOST_DAYS: u32 = 36_525;

/// The retention of a domain's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Days that records are kept, [`LEAST_DAYS`] to [`MOST_DAYS`]; [`DEFAULT_DAYS`] where nothing was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Why it is shorter than [`DEFAULT_DAYS`]: there where it is, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter: Option<String>,
    /// Legal holds: while there is one, nothing is dropped. Each name once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
}

/// A legal hold on a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Its name, such as a case number.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The administrator who set it.
    pub by: String,
    /// When, in microseconds since 1970.
    pub since_us: i64,
}

impl Retention {
    /// The days in force.
    #[must_use]
    pub fn days_in_force(&self) -> u32 {
        self.days.unwrap_or(DEFAULT_DAYS)
    }

    /// Whether it says nothing beyond the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is one that may be stored.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(LEAST_DAYS..=MOST_DAYS).contains(&self.days_in_force()) {
            return Err("a retention is 1 to 36525 days");
        }
        if self.shorter.is_some() != (self.days_in_force() < DEFAULT_DAYS) {
            return Err("a retention below six months (184 days) needs a reason, and no other has one");
        }
        if self.holds.len() > MAX_HOLDS {
            return Err("a log has at most 64 legal holds");
        }
        let texts = self.holds.iter().flat_map(|hold| [&hold.name, &hold.reason, &hold.by]).chain(&self.shorter);
        let is_text =
            |text: &String| (1..=MAX_HOLD_TEXT_LEN).contains(&text.len()) && !text.chars().any(char::is_control);
        if !texts.into_iter().all(is_text) {
            return Err("a name or reason is a line of 1 to 256 bytes");
        }
        let mut names: Vec<&str> = self.holds.iter().map(|hold| hold.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < self.holds.len() { Err("a hold of this name is set already") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(name: &str) -> Hold {
        Hold { name: name.into(), reason: "court order".into(), by: "officer".into(), since_us: 1 }
    }

    #[test]
    fn less_than_six_months_needs_a_reason() {
        let of = |days, shorter: Option<&str>| Retention { days, shorter: shorter.map(Into::into), holds: Vec::new() };
        for good in [of(None, None), of(Some(184), None), of(Some(36_525), None), of(Some(1), Some("a test"))] {
            assert_eq!(good.check(), Ok(()), "{good:?}");
        }
        for bad in [of(Some(183), None), of(Some(0), Some("none")), of(Some(36_526), None), of(None, Some("why"))] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(of(Some(2), Some("")).check().is_err() && of(Some(2), Some("a\nb")).check().is_err());
    }

    #[test]
    fn a_hold_has_a_name_of_its_own() {
        let of = |holds| Retention { holds, ..Retention::default() };
        assert_eq!(of(vec![hold("a"), hold("b")]).check(), Ok(()));
        assert!(of(vec![hold("a"), hold("a")]).check().is_err());
        assert!(of((0..=MAX_HOLDS).map(|number| hold(&number.to_string())).collect()).check().is_err());
    }
}
