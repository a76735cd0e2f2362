//! What the operator says about the group: its members in the order of preference, and how long to wait for them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::HsmError;
use crate::limits::{MAX_LABEL_LEN, MAX_MEMBERS, MAX_WORKERS, PAIR_DEADLINE};

/// The members of a group, in the order in which calls try them: the local zone first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// At least one, at most 16; labels and module files all differ.
    pub members: Vec<MemberConfig>,
    /// How long one member may take for one call before the next one is tried. In the file: `call_deadline_ms`.
    #[serde(rename = "call_deadline_ms", with = "millis", default = "default_call_deadline")]
    pub call_deadline: Duration,
    /// How long one member may take for a key pair before the next one is tried, the wait for others before it included.
    /// In the file: `pair_deadline_ms`.
    #[serde(rename = "pair_deadline_ms", with = "millis", default = "default_pair_deadline")]
    pub pair_deadline: Duration,
    /// Time between two probes of a member's Root of Trust. In the file: `probe_interval_ms`.
    #[serde(rename = "probe_interval_ms", with = "millis", default = "default_probe_interval")]
    pub probe_interval: Duration,
    /// How long [`crate::Group::open`] waits for a member before it counts as lost. In the file: `open_deadline_ms`.
    #[serde(rename = "open_deadline_ms", with = "millis", default = "default_open_deadline")]
    pub open_deadline: Duration,
}

/// One member: one token behind one loaded module.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberConfig {
    /// The token's label, for instance `PAR7S`; the slot is found by it, never by number.
    pub label: String,
    /// This member's own copy of the PKCS#11 library, so that it can be finalized without touching the others.
    pub module: PathBuf,
    /// A file with the PIN of the crypto user and nothing else; a trailing newline is ignored.
    pub pin_file: PathBuf,
    /// What the device is, as far as calls to it differ.
    #[serde(default)]
    pub vendor: Vendor,
}

/// What a member's device is, as far as calls to it differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vendor {
    /// SoftHSM: one worker thread, because a second one makes every call slower (measured: the library is lock-bound).
    #[default]
    #[serde(rename = "softhsm")]
    SoftHsm,
    /// A network HSM: sixteen worker threads, because a call there is mostly waiting.
    Network,
}

impl Vendor {
    /// Worker threads for calls, each with a session of its own.
    #[must_use]
    pub const fn workers(self) -> usize {
        match self {
            Self::SoftHsm => 1,
            Self::Network => 16,
        }
    }

    /// Worker threads for RSA pairs, and as many again for pairs on curves, each with a session of its own.
    #[must_use]
    pub const fn pair_workers(self) -> usize {
        match self {
            Self::SoftHsm => 1,
            Self::Network => 4,
        }
    }
}

const _: () = assert!(Vendor::Network.workers() + 2 * Vendor::Network.pair_workers() <= MAX_WORKERS);

impl GroupConfig {
    /// A group of `members` with the default deadlines: 2 s for a call, 60 s for a key pair, 1 s between probes, 10 s to open.
    #[must_use]
    pub fn new(members: Vec<MemberConfig>) -> Self {
        Self {
            members,
            call_deadline: default_call_deadline(),
            pair_deadline: default_pair_deadline(),
            probe_interval: default_probe_interval(),
            open_deadline: default_open_deadline(),
        }
    }

    /// Checks what can be checked without a device.
    ///
    /// # Errors
    /// [`HsmError::Config`] naming the first fault.
    pub fn check(&self) -> Result<(), HsmError> {
        let fault = |text: String| Err(HsmError::Config(text));
        if self.members.is_empty() || self.members.len() > MAX_MEMBERS {
            return fault(format!("a group has 1 to {MAX_MEMBERS} members, not {}", self.members.len()));
        }
        let mut labels = BTreeSet::new();
        let mut modules = BTreeSet::new();
        for member in &self.members {
            if member.label.is_empty() || member.label.len() > MAX_LABEL_LEN {
                return fault(format!("token label {:?} is not 1 to {MAX_LABEL_LEN} bytes", member.label));
            }
            if !labels.insert(&member.label) {
                return fault(format!("two members have the token label {:?}", member.label));
            }
            if !modules.insert(&member.module) {
                return fault(format!("two members share the module {}", member.module.display()));
            }
        }
        for (name, time) in [
            ("call_deadline_ms", self.call_deadline),
            ("pair_deadline_ms", self.pair_deadline),
            ("probe_interval_ms", self.probe_interval),
            ("open_deadline_ms", self.open_deadline),
        ] {
            if time.is_zero() {
                return fault(format!("{name} must not be 0"));
            }
        }
        Ok(())
    }
}

fn default_call_deadline() -> Duration {
    Duration::from_secs(2)
}

fn default_pair_deadline() -> Duration {
    PAIR_DEADLINE
}

fn default_probe_interval() -> Duration {
    Duration::from_secs(1)
}

fn default_open_deadline() -> Duration {
    Duration::from_secs(10)
}

mod millis {
    //! Durations as whole milliseconds.
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(label: &str, module: &str) -> MemberConfig {
        MemberConfig { label: label.into(), module: module.into(), pin_file: "pin".into(), vendor: Vendor::SoftHsm }
    }

    #[test]
    fn defaults_fill_what_the_file_leaves_out() {
        let config: GroupConfig = serde_json::from_str(
            r#"{"members":[{"label":"PAR7S","module":"PAR7S.so","pin_file":"pin"}],"probe_interval_ms":250}"#,
        )
        .unwrap();
        assert_eq!(config.probe_interval, Duration::from_millis(250));
        assert_eq!(config.call_deadline, Duration::from_secs(2));
        assert_eq!(config.members[0].vendor, Vendor::SoftHsm);
        config.check().unwrap();
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let text = r#"{"members":[],"call_dead_line_ms":1}"#;
        assert!(serde_json::from_str::<GroupConfig>(text).is_err());
    }

    #[test]
    fn shared_labels_modules_and_zero_times_are_refused() {
        let good = GroupConfig::new(vec![member("A", "a.so"), member("B", "b.so")]);
        good.check().unwrap();
        for spoil in [
            |c: &mut GroupConfig| c.members.clear(),
            |c: &mut GroupConfig| c.members[1].label = "A".into(),
            |c: &mut GroupConfig| c.members[1].module = "a.so".into(),
            |c: &mut GroupConfig| c.members[1].label = "x".repeat(33),
            |c: &mut GroupConfig| c.call_deadline = Duration::ZERO,
            |c: &mut GroupConfig| c.pair_deadline = Duration::ZERO,
        ] {
            let mut config = good.clone();
            spoil(&mut config);
            assert!(matches!(config.check(), Err(HsmError::Config(_))));
        }
    }
}
