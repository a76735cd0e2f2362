//! What a comparison found, for machines: `bench/results/latest.json`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Machine, Options};
use crate::load::Operation;
use crate::measurement::{Measurement, Tally};

/// A comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When it began, in seconds since the epoch.
    pub time: u64,
    /// The commit that was measured, where the caller knew it.
    pub commit: Option<String>,
    /// The machine.
    pub machine: Machine,
    /// Seconds of each measurement.
    pub seconds: f64,
    /// Measurements of each operation on each server.
    pub rounds: usize,
    /// Keys that each server held beforehand.
    pub keys: usize,
    /// One for each operation and number of connections.
    pub rows: Vec<Row>,
}

/// One operation with one number of connections.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// Connections at one time.
    pub connections: usize,
    /// This server.
    pub ours: Side,
    /// PyKMIP's.
    pub pykmip: Side,
    /// Our rate by PyKMIP's: the median of the rounds' ratios. `None` where PyKMIP did nothing.
    pub ratio: Option<f64>,
    /// The smallest and the largest ratio of a round.
    pub ratio_between: Option<(f64, f64)>,
}

/// One server's part of a row.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Operations in a second: the median of the rounds.
    pub rate: f64,
    /// Of each round.
    pub rates: Vec<f64>,
    /// Latency of all rounds together, in microseconds: half were faster.
    pub p50_us: u64,
    /// 99 of 100 were faster.
    pub p99_us: u64,
    /// None was slower.
    pub max_us: u64,
    /// Operations done in all rounds.
    pub operations: u64,
    /// Processor time of the server for each operation, in microseconds. It counts in hundredths of a second.
    pub processor_us: Option<f64>,
    /// Requests within operations that the server refused and vCenter does without.
    pub refused: u64,
    /// Operations that failed, by what the failure says.
    pub errors: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn new(machine: Machine, options: &Options) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            time,
            commit: std::env::var("BENCH_COMMIT").ok().filter(|commit| !commit.is_empty()),
            machine,
            seconds: options.time.as_secs_f64(),
            rounds: options.rounds,
            keys: options.keys,
            rows: Vec::new(),
        }
    }

    /// Whether any operation on this server failed.
    #[must_use]
    pub fn ours_failed(&self) -> bool {
        self.rows.iter().any(|row| !row.ours.errors.is_empty() || row.ours.refused > 0)
    }
}

impl Row {
    /// `rounds`: ours, then PyKMIP's, each in the order in which they were measured.
    pub(super) fn of(operation: Operation, connections: usize, rounds: &[Vec<Measurement>]) -> Self {
        let side = |index: usize| rounds.get(index).map_or_else(|| Side::of(&[]), |rounds| Side::of(rounds));
        let (ours, pykmip) = (side(0), side(1));
        let (ratio, ratio_between) = ratios(&ours, &pykmip);
        Self { operation, connections, ratio, ratio_between, ours, pykmip }
    }
}

/// The median of the rounds' ratios of two sides, and the smallest and the largest.
pub(super) fn ratios(ours: &Side, theirs: &Side) -> (Option<f64>, Option<(f64, f64)>) {
    let pairs = ours.rates.iter().zip(&theirs.rates);
    let mut ratios: Vec<f64> = pairs.filter(|(_, theirs)| **theirs > 0.0).map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    (median(&ratios), ratios.first().copied().zip(ratios.last().copied()))
}

impl Side {
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 operations")]
    /// All rounds of one server together.
    #[must_use]
    pub fn of(rounds: &[Measurement]) -> Self {
        let rates: Vec<f64> = rounds.iter().map(Measurement::rate).collect();
        let mut all = Tally::default();
        for round in rounds {
            all.add(&round.tally);
        }
        let processor: Option<f64> = rounds.iter().map(|round| Some(round.processor?.as_secs_f64() * 1e6)).sum();
        let operations = all.operations();
        Self {
            rate: median(&rates).unwrap_or(0.0),
            rates,
            p50_us: all.latency_us(0.5),
            p99_us: all.latency_us(0.99),
            max_us: all.latency_us(1.0),
            operations,
            processor_us: processor.filter(|_| operations > 0).map(|micros| micros / operations as f64),
            refused: all.refused(),
            errors: all.errors().clone(),
        }
    }
}

/// The middle one; of an even number the mean of the middle two.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn round(operations: u64) -> Measurement {
        let mut tally = Tally::default();
        for _ in 0..operations {
            tally.done(Duration::from_micros(10), 0);
        }
        Measurement { elapsed: Duration::from_secs(1), tally, processor: Some(Duration::from_millis(operations)) }
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_ratios_and_not_of_the_rates() {
        let ours = vec![round(100), round(300), round(200)];
        let pykmip = vec![round(10), round(10), round(100)];
        let row = Row::of(Operation::Get, 1, &[ours, pykmip]);
        assert_eq!(row.ratio, Some(10.0));
        assert_eq!(row.ratio_between, Some((2.0, 30.0)));
        assert!((row.ours.rate - 200.0).abs() < 1e-9);
        assert!((row.ours.processor_us.unwrap() - 1_000.0).abs() < 1e-6);
    }

    #[test]
    fn no_ratio_to_nothing() {
        let row = Row::of(Operation::Get, 1, &[vec![round(5)], vec![round(0)]]);
        assert_eq!((row.ratio, row.pykmip.processor_us), (None, None));
    }

    #[test]
    fn a_median_of_two_lies_between_them() {
        assert_eq!(median(&[4.0, 2.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }
}
