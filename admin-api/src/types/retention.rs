//! How long a log is kept, and what keeps it longer.

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_FILTER_LEN, MAX_NAME};

/// How long the records of a domain's log are kept, `GET /v1/domains/{d}/retention`. Their leaf hashes are kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// Why they are fewer than six months (184 days); absent where they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Legal holds: while there is one, nothing is dropped.
    #[serde(default)]
    pub holds: Vec<Hold>,
}

/// A legal hold on a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// The administrator who set it.
    pub by: String,
    /// When, seconds since the epoch.
    pub since: i64,
}

/// Another retention, `POST /v1/domains/{d}/retention`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRetention {
    /// Days, 1 to 36525; the default of 184 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Why fewer than 184 days; there then and only then. A line of at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A new legal hold, `POST /v1/domains/{d}/retention/holds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// A name that no other hold on this log has, such as a case number. A line of at most 64 characters.
    pub name: String,
    /// Why. A line of at most 256 bytes.
    pub reason: String,
}

impl NewRetention {
    /// Whether the reason is one.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.reason.as_deref().is_some_and(|reason| !is_line(reason)) {
            return Err("a reason is a line of 1 to 256 bytes");
        }
        Ok(())
    }
}

impl NewHold {
    /// Whether name and reason are such.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        if !is_line(&self.name) || self.name.chars().count() > MAX_NAME {
            return Err("a hold's name has 1 to 64 characters, none of them control characters");
        }
        if is_line(&self.reason) { Ok(()) } else { Err("a reason is a line of 1 to 256 bytes") }
    }
}

fn is_line(text: &str) -> bool {
    (1..=MAX_FILTER_LEN).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_are_lines() {
        let hold = |name: &str, reason: &str| NewHold { name: name.into(), reason: reason.into() }.check();
        assert_eq!(hold("case 7/é", "court order"), Ok(()));
        for (name, reason) in [("", "r"), ("n", ""), ("a\nb", "r"), ("n", "a\nb")] {
            assert!(hold(name, reason).is_err(), "{name:?} {reason:?}");
        }
        assert!(hold(&"x".repeat(65), "r").is_err() && hold("n", &"x".repeat(257)).is_err());
        let reason = |reason: &str| NewRetention { days: Some(3), reason: Some(reason.into()) }.check();
        assert!(reason("a pilot").is_ok() && reason("").is_err() && reason("a\tb").is_err());
    }
}
