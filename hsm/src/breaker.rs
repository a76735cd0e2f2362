//! When a lost member may be tried again: at once, then with a growing pause, or never without a person.

use std::time::{Duration, Instant};

use crate::limits::{FIRST_BACK_OFF, LONGEST_BACK_OFF};

/// ```text
///            fault                     try_at reached
///  Closed ──────────► Open { try_at } ───────────────► Open { trying }
///    ▲                 ▲                                  │   │   │
///    │                 └──────────── attempt failed ──────┘   │   │ operator fault
///    └────────────────────────────── attempt succeeded ───────┘   ▼
///                                                              Stopped
///
/// ```
#[derive(Debug)]
pub(crate) enum Breaker {
    /// The member serves.
    Closed,
    /// The member is lost; the next attempt is due at `try_at`, or is being made.
    Open { reason: String, failures: u32, try_at: Instant, trying: bool },
    /// The member stays out until the node is started again.
    Stopped { reason: String },
}

/// What a reader of the status sees of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// The member serves.
    Closed,
    /// The member is lost and is tried again by itself.
    Open,
    /// The member is lost and is being tried at this moment; no call goes to it yet.
    HalfOpen,
    /// The member stays out until a person has acted and the node is started again.
    Stopped,
}

impl Breaker {
    /// A member that was never reached: the first attempt is due.
    pub fn waiting(now: Instant) -> Self {
        Self::Open { reason: "not opened yet".into(), failures: 0, try_at: now, trying: false }
    }

    /// A fault that time may heal. `Stopped` stays.
    pub fn fail(&mut self, reason: String, now: Instant) {
        let failures = match self {
            Self::Closed => 0,
            Self::Open { failures, .. } => failures.saturating_add(1),
            Self::Stopped { .. } => return,
        };
        *self = Self::Open { reason, failures, try_at: now + back_off(failures), trying: false };
    }

    /// An attempt to bring the member back begins.
    pub fn try_now(&mut self) {
        if let Self::Open { trying, .. } = self {
            *trying = true;
        }
    }

    /// A fault that only a person can heal.
    pub fn stop(&mut self, reason: String) {
        *self = Self::Stopped { reason };
    }

    /// The member answers again.
    pub fn close(&mut self) {
        if !matches!(self, Self::Stopped { .. }) {
            *self = Self::Closed;
        }
    }

    /// How long until the next attempt: zero when it is due, `None` when there is none to make.
    pub fn due_in(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::Open { try_at, .. } => Some(try_at.saturating_duration_since(now)),
            Self::Closed | Self::Stopped { .. } => None,
        }
    }

    pub fn state(&self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { trying: false, .. } => BreakerState::Open,
            Self::Open { trying: true, .. } => BreakerState::HalfOpen,
            Self::Stopped { .. } => BreakerState::Stopped,
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Closed => None,
            Self::Open { reason, .. } | Self::Stopped { reason } => Some(reason),
        }
    }
}

/// Doubles with each failure, up to a limit.
fn back_off(failures: u32) -> Duration {
    FIRST_BACK_OFF.checked_mul(1 << failures.min(16)).map_or(LONGEST_BACK_OFF, |pause| pause.min(LONGEST_BACK_OFF))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let now = Instant::now();
        let mut breaker = Breaker::Closed;
        let mut pauses = Vec::new();
        for _ in 0..12 {
            breaker.fail("lost".into(), now);
            pauses.push(breaker.due_in(now).unwrap());
        }
        assert_eq!(pauses[0], FIRST_BACK_OFF);
        assert_eq!(pauses[1], FIRST_BACK_OFF * 2);
        assert_eq!(pauses[11], LONGEST_BACK_OFF);
        assert!(pauses.is_sorted());
    }

    #[test]
    fn a_success_starts_the_pauses_anew() {
        let now = Instant::now();
        let mut breaker = Breaker::Closed;
        breaker.fail("lost".into(), now);
        breaker.fail("lost".into(), now);
        breaker.close();
        assert_eq!(breaker.due_in(now), None);
        breaker.fail("lost".into(), now);
        assert_eq!(breaker.due_in(now), Some(FIRST_BACK_OFF));
    }

    #[test]
    fn a_stopped_member_is_never_tried_again() {
        let now = Instant::now();
        let mut breaker = Breaker::Closed;
        breaker.stop("CKR_PIN_INCORRECT".into());
        breaker.fail("lost".into(), now);
        breaker.close();
        assert_eq!(breaker.state(), BreakerState::Stopped);
        assert_eq!(breaker.reason(), Some("CKR_PIN_INCORRECT"));
        assert_eq!(breaker.due_in(now + Duration::from_secs(3600)), None);
    }

    #[test]
    fn an_attempt_shows_while_it_is_made() {
        let now = Instant::now();
        let mut breaker = Breaker::waiting(now);
        assert_eq!(breaker.state(), BreakerState::Open);
        breaker.try_now();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.fail("lost".into(), now);
        assert_eq!(breaker.state(), BreakerState::Open);
        breaker.close();
        breaker.try_now();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn the_first_attempt_is_due_at_once() {
        let now = Instant::now();
        assert_eq!(Breaker::waiting(now).due_in(now), Some(Duration::ZERO));
    }
}
