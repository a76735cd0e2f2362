//! The HSM group and its members.

use serde::{Deserialize, Serialize};

use super::text::Fingerprint;

/// The HSM group, `GET /v1/hsm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HsmStatus {
    /// How many members serve.
    pub state: GroupState,
    /// Fingerprint of the Root of Trust that every member must hold.
    pub root_of_trust: Fingerprint,
    /// In the order of the configuration, which is the order in which they are asked.
    pub members: Vec<HsmMember>,
}

/// How many members serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// All members are up.
    Up,
    /// Some are; everything works.
    Degraded,
    /// None is; nothing can be sealed or opened.
    Down,
}

/// One HSM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HsmMember {
    /// Label of its token.
    pub label: String,
    /// Whether its Root of Trust answered at the last probe and its breaker is closed.
    pub up: bool,
    /// Why it is not up.
    pub reason: Option<String>,
    /// Milliseconds since its last probe ended; nothing before the first.
    pub last_probe_age_ms: Option<u64>,
    /// Envelopes opened since the node started.
    pub opened: u64,
    /// Envelopes sealed since the node started.
    pub sealed: u64,
    /// Digests signed since the node started.
    pub signed: u64,
    /// Calls that failed since the node started.
    pub failed: u64,
    /// Domain Keys that it holds as session objects now.
    pub domain_keys_held: u64,
    /// State of its circuit breaker.
    pub breaker: Breaker,
}

/// State of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Requests go through.
    Closed,
    /// Requests go to other members.
    Open,
    /// A probe decides.
    HalfOpen,
    /// Not tried again before the node restarts: a wrong PIN, or another Root of Trust. A person must act.
    Stopped,
}
