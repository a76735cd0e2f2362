//! What the group tells about its members: who is up, why not, who served.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::breaker::BreakerState;

/// One member as of now. Counters start at zero with the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// The token's label.
    pub label: String,
    /// Whether calls go to it.
    pub up: bool,
    /// Why it is not up.
    pub reason: Option<String>,
    /// When its Root of Trust last answered, in microseconds since 1970.
    pub last_probe_us: Option<i64>,
    /// Whether it is tried again by itself.
    pub breaker: BreakerState,
    /// Payloads opened.
    pub opened: u64,
    /// Payloads sealed.
    pub sealed: u64,
    /// Domain Keys made.
    pub created: u64,
    /// Checkpoints signed.
    pub signed: u64,
    /// Key pairs made.
    pub key_pairs: u64,
    /// Calls for random bytes.
    pub random: u64,
    /// Calls that failed here through a fault of the member, not of the data.
    pub failed: u64,
    /// Domain Keys imported now.
    pub domain_keys_held: usize,
    /// How often the module was initialized for this member.
    pub epochs: u64,
}

/// What a call is counted as, on the member that served it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    Open,
    Seal,
    Create,
    Sign,
    Random,
    KeyPair,
}

#[derive(Default)]
pub(crate) struct Counters {
    opened: AtomicU64,
    sealed: AtomicU64,
    created: AtomicU64,
    signed: AtomicU64,
    random: AtomicU64,
    key_pairs: AtomicU64,
    pub failed: AtomicU64,
    pub epochs: AtomicU64,
    last_probe_us: AtomicI64,
}

impl Counters {
    pub fn served(&self, service: Service) {
        let counter = match service {
            Service::Open => &self.opened,
            Service::Seal => &self.sealed,
            Service::Create => &self.created,
            Service::Sign => &self.signed,
            Service::Random => &self.random,
            Service::KeyPair => &self.key_pairs,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The Root of Trust has just answered.
    pub fn probed(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        self.last_probe_us.store(i64::try_from(now).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// The counters under the member's label and state.
    pub fn status(
        &self,
        label: &str,
        breaker: BreakerState,
        reason: Option<String>,
        domain_keys_held: usize,
    ) -> MemberStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MemberStatus {
            label: label.into(),
            up: breaker == BreakerState::Closed,
            reason,
            last_probe_us: Some(self.last_probe_us.load(Ordering::Relaxed)).filter(|at| *at > 0),
            breaker,
            opened: read(&self.opened),
            sealed: read(&self.sealed),
            created: read(&self.created),
            signed: read(&self.signed),
            key_pairs: read(&self.key_pairs),
            random: read(&self.random),
            failed: read(&self.failed),
            domain_keys_held,
            epochs: read(&self.epochs),
        }
    }
}
