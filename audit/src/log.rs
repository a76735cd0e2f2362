//! Which log a record belongs to: one per domain, and one for the system.

use std::{fmt, str::FromStr};

use thiserror::Error;
use uuid::Uuid;

const SYSTEM: &str = "system";

/// A log: that of one domain, or that of the system (ceremonies, administrators, domains as a whole).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogId {
    /// Ceremonies, administrators, life of domains, start and stop.
    System,
    /// Everything that concerns one domain, the 16 bytes of its UUID.
    Domain([u8; 16]),
}

impl fmt::Display for LogId {
    /// `system`, or the domain's UUID, hyphenated and lower-case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str(SYSTEM),
            Self::Domain(id) => Uuid::from_bytes(*id).hyphenated().fmt(f),
        }
    }
}

/// The text is neither `system` nor a UUID in its usual form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a log: neither `system` nor a hyphenated lower-case UUID")]
pub struct UnknownLog;

impl FromStr for LogId {
    type Err = UnknownLog;

    fn from_str(text: &str) -> Result<Self, UnknownLog> {
        if text == SYSTEM {
            return Ok(Self::System);
        }
        let log = Self::Domain(Uuid::try_parse(text).map_err(|_| UnknownLog)?.into_bytes());
        // One log has one name: braces, upper case and missing hyphens are refused.
        if log.to_string() == text { Ok(log) } else { Err(UnknownLog) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_exactly_one_name() {
        let domain = LogId::Domain([0xab; 16]);
        assert_eq!(domain.to_string(), "abababab-abab-abab-abab-abababababab");
        assert_eq!(domain.to_string().parse(), Ok(domain));
        assert_eq!("system".parse(), Ok(LogId::System));
        for other in ["System", "", "ABABABAB-abab-abab-abab-abababababab", "abababababababababababababababab"] {
            assert_eq!(other.parse::<LogId>(), Err(UnknownLog), "{other}");
        }
    }
}
