//! Whether the node can do its work.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whether the node can do its work, `GET /v1/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The worst of the checks.
    pub state: HealthState,
    /// Identifier of the node.
    pub node: Uuid,
    /// Version of the program.
    pub version: String,
    /// When the process started, seconds since the epoch.
    pub started: i64,
    /// What was looked at.
    pub checks: Vec<HealthCheck>,
}

/// Whether something can do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// All is well.
    Ok,
    /// Requests are served; something needs a person.
    Degraded,
    /// Requests fail.
    Down,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// What, `hsm` or `store`.
    pub name: String,
    /// How it is.
    pub state: HealthState,
    /// What is wrong with it.
    pub detail: Option<String>,
}
