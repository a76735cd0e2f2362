//! What came out of a load: how many, how fast, what failed, and what it cost the server.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::limits::{ERROR_KINDS, LATENCY_DIGITS, MAX_LATENCY_US};

/// Ticks of a second in `/proc/<pid>/stat`; part of Linux's interface on every architecture that Rust's tier 1 knows.
const TICKS: u64 = 100;
/// Under this name go errors of more than [`ERROR_KINDS`] texts.
const OTHERS: &str = "others";

/// Answers, counted.
#[derive(Clone, Debug)]
pub struct Tally {
    latencies: Option<Histogram<u64>>,
    done: u64,
    refused: u64,
    errors: BTreeMap<String, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        // Fails for bounds that contradict each other, which these constants do not.
        Self {
            latencies: Histogram::new_with_max(MAX_LATENCY_US, LATENCY_DIGITS).ok(),
            done: 0,
            refused: 0,
            errors: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// One operation was done, `refused` of its requests in vain.
    pub fn done(&mut self, latency: Duration, refused: u64) {
        self.done += 1;
        self.refused += refused;
        let micros = u64::try_from(latency.as_micros()).unwrap_or(MAX_LATENCY_US);
        if let Some(latencies) = &mut self.latencies {
            latencies.saturating_record(micros);
        }
    }

    /// One operation failed.
    pub fn failed(&mut self, text: String) {
        self.count(text, 1);
    }

    /// Takes another's counts into this.
    pub fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.refused += other.refused;
        for (text, count) in &other.errors {
            self.count(text.clone(), *count);
        }
        if let (Some(own), Some(others)) = (&mut self.latencies, &other.latencies) {
            // Both have the same bounds, so there is room for every value.
            let _ = own.add(others);
        }
    }

    fn count(&mut self, text: String, count: u64) {
        let full = self.errors.len() >= ERROR_KINDS && !self.errors.contains_key(&text);
        *self.errors.entry(if full { OTHERS.to_owned() } else { text }).or_default() += count;
    }

    /// Operations that were done.
    #[must_use]
    pub const fn operations(&self) -> u64 {
        self.done
    }

    /// Requests that the server refused and a client does without.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Operations that failed, by what the failure says.
    #[must_use]
    pub const fn errors(&self) -> &BTreeMap<String, u64> {
        &self.errors
    }

    /// The latency that `quantile` (0 to 1) of the operations that were done did not exceed, in microseconds.
    #[must_use]
    pub fn latency_us(&self, quantile: f64) -> u64 {
        self.latencies.as_ref().map_or(0, |latencies| latencies.value_at_quantile(quantile))
    }
}

/// One load.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// What was counted.
    pub tally: Tally,
    /// Processor time of the server meanwhile.
    pub processor: Option<Duration>,
}

impl Measurement {
    /// Operations in a second; those that failed do not count.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 operations")]
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { self.tally.done as f64 / seconds } else { 0.0 }
    }
}

/// A process on this machine, for its processor time.
#[derive(Clone, Debug)]
pub struct Processor {
    folder: PathBuf,
}

impl Processor {
    /// The process of that number.
    #[must_use]
    pub fn of(process: u32) -> Self {
        Self { folder: PathBuf::from(format!("/proc/{process}")) }
    }

    /// What it has used so far with its children, of whom grandchildren do not count. `None` where Linux does not say.
    #[must_use]
    pub fn used(&self) -> Option<Duration> {
        let process = self.folder.file_name()?.to_str()?;
        let children = std::fs::read_to_string(self.folder.join(format!("task/{process}/children")));
        let children: u64 =
            children.unwrap_or_default().split_whitespace().filter_map(|child| ticks(&format!("/proc/{child}"))).sum();
        let ticks = ticks(self.folder.to_str()?)? + children;
        Some(Duration::from_millis(ticks * 1_000 / TICKS))
    }
}

/// User and system time of a process.
fn ticks(folder: &str) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("{folder}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything; utime and stime are 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// An error and its causes in one line.
#[must_use]
pub fn text_of(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_do_not_make_the_rate() {
        let mut tally = Tally::default();
        tally.done(Duration::from_millis(1), 0);
        tally.failed("gone".to_owned());
        let measurement = Measurement { elapsed: Duration::from_millis(500), tally, processor: None };
        assert!((measurement.rate() - 2.0).abs() < 1e-9);
        assert_eq!(measurement.tally.errors()["gone"], 1);
    }

    #[test]
    fn quantiles_are_those_of_all_parts_together() {
        let (mut all, mut fast, mut slow) = (Tally::default(), Tally::default(), Tally::default());
        for _ in 0..98 {
            fast.done(Duration::from_micros(100), 0);
        }
        slow.done(Duration::from_micros(5_000), 1);
        slow.done(Duration::from_micros(5_000), 1);
        all.add(&fast);
        all.add(&slow);
        assert_eq!((all.operations(), all.refused()), (100, 2));
        assert_eq!(all.latency_us(0.5), 100);
        assert!(all.latency_us(0.99) >= 4_995, "{}", all.latency_us(0.99));
    }

    #[test]
    fn texts_of_errors_are_bounded_and_none_is_lost() {
        let mut tally = Tally::default();
        for number in 0..100 {
            tally.failed(format!("no object {number}"));
        }
        assert_eq!(tally.errors().len(), ERROR_KINDS + 1);
        assert_eq!(tally.errors().values().sum::<u64>(), 100);
    }

    #[test]
    fn this_very_process_uses_processor_time() {
        let this = Processor::of(std::process::id());
        let before = this.used().unwrap();
        let mut sum = 0_u64;
        while this.used().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(this.used().unwrap() > before);
    }
}
