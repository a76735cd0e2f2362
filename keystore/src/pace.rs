//! How fast something long goes on beside the running work.

use std::time::{Duration, Instant};

/// Lets work take a share of the time of one processor, and rest in between.
#[derive(Debug)]
pub struct Pace {
    share_percent: u32,
    since: Instant,
}

impl Pace {
    /// Work that takes so many percent of the time, 1 to 100; what is beyond is taken for the nearest.
    #[must_use]
    pub fn of_percent(share_percent: usize) -> Self {
        let share_percent = u32::try_from(share_percent).unwrap_or(100).clamp(1, 100);
        Self { share_percent, since: Instant::now() }
    }

    /// Work that rests only to let others have their turn.
    #[must_use]
    pub fn full() -> Self {
        Self::of_percent(100)
    }

    /// Rests for as long as the work since the last rest asks for. To be called between short pieces of work, outside
    /// of transactions.
    pub async fn rest(&mut self) {
        match pause_after(self.since.elapsed(), self.share_percent) {
            Duration::ZERO => tokio::task::yield_now().await,
            pause => tokio::time::sleep(pause).await,
        }
        self.since = Instant::now();
    }
}

fn pause_after(work: Duration, share_percent: u32) -> Duration {
    work * (100 - share_percent) / share_percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_work_to_rest() {
        let second = Duration::from_secs(1);
        let pause = |percent| pause_after(second, Pace::of_percent(percent).share_percent);
        assert_eq!(pause(50), second);
        assert_eq!(pause(25), 3 * second);
        assert_eq!(pause(100), Duration::ZERO);
        assert_eq!(pause(0), 99 * second);
        assert_eq!(pause(usize::MAX), Duration::ZERO);
    }
}
