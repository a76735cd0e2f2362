//! The node's clock: wall time that never runs backwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A step of the system clock larger than this is logged: key dates and audit times are judged by it. Microseconds.
const NOTEWORTHY_JUMP_US: i64 = 5_000_000;

/// Wall time in UTC that never runs backwards while the node lives.
///
/// A key that was deactivated because its date came stays deactivated when somebody turns the clock back. Clones are the
/// same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    latest_us: Arc<AtomicI64>,
}

impl Clock {
    /// Microseconds since 1970-01-01T00:00:00Z, at least as large as every earlier answer.
    pub fn now_us(&self) -> i64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        #[cfg(feature = "fault")]
        let system = system.saturating_add(super::fault::clock_shift_us());
        let before = self.latest_us.fetch_max(system, Ordering::AcqRel);
        if before - system > NOTEWORTHY_JUMP_US {
            tracing::warn!(
                behind_us = before - system,
                "system clock is behind the node's clock; time stands still until it catches up"
            );
        }
        before.max(system)
    }

    /// Seconds since the epoch, the resolution of a KMIP Date-Time.
    pub fn now_s(&self) -> i64 {
        self.now_us().div_euclid(1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let clock = Clock::default();
        let future = clock.now_us() + 3_600_000_000;
        clock.latest_us.store(future, Ordering::Release);
        assert_eq!(clock.now_us(), future);
        assert_eq!(clock.now_s(), future / 1_000_000);
    }
}
