//! What the audit log costs: this server beside the same server with records that go nowhere, Get by turns on both.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use xtask::stage::Programs;

use super::report::{Side, ratios};
use super::servers::{Folder, Ours};
use super::{CompareError, Machine};
use crate::limits::{MOST_LOST, WARM_UP};
use crate::load::{self, Amount, Operation, Plan, Population, Target};
use crate::measurement::Processor;

/// Connections at which the cost is measured.
const CONNECTIONS: usize = 16;

/// What to measure.
#[derive(Clone, Debug)]
pub struct CostOptions {
    /// Folder with the `kms-server` that was built with the feature `unaudited-bench`.
    pub unaudited: PathBuf,
    /// Folder for both servers' data.
    pub folder: PathBuf,
    /// Time of each measurement.
    pub time: Duration,
    /// Measurements on each server.
    pub rounds: usize,
    /// Keys that each server holds.
    pub keys: usize,
}

/// Both, side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// The machine.
    pub machine: Machine,
    /// Connections at one time.
    pub connections: usize,
    /// As it is delivered.
    pub audited: Side,
    /// With records that go nowhere.
    pub unaudited: Side,
    /// The rate with the log by the rate without: the median of the rounds' ratios.
    pub ratio: Option<f64>,
    /// The smallest and the largest ratio of a round.
    pub ratio_between: Option<(f64, f64)>,
    /// The part of the rate that may be lost.
    pub may_lose: f64,
}

impl Cost {
    /// Whether the log costs no more than it may, and nothing failed.
    #[must_use]
    pub fn is_within_the_bar(&self) -> bool {
        let failed = [&self.audited, &self.unaudited].iter().any(|side| !side.errors.is_empty());
        !failed && self.ratio.is_some_and(|ratio| ratio >= 1.0 - self.may_lose)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:16}{:>5}{:>10}{:>10}{:>10}{:>12}", "get", "conn", "req/s", "p50 ms", "p99 ms", "CPU ms/req")?;
        for (name, side) in [("with the log", &self.audited), ("without", &self.unaudited)] {
            writeln!(f, "{name:16}{:>5}{side}", self.connections)?;
            for (error, count) in &side.errors {
                writeln!(f, "    FAILED: {count} × {error}")?;
            }
        }
        let (Some(ratio), Some((least, most))) = (self.ratio, self.ratio_between) else {
            return writeln!(f, "no ratio");
        };
        let verdict = if self.is_within_the_bar() { "within" } else { "BEYOND" };
        write!(
            f,
            "ratio {ratio:.2} ({least:.2} to {most:.2}): the log takes {:.0} % of Get, {verdict} the {:.0} % it may",
            (1.0 - ratio) * 100.0,
            self.may_lose * 100.0
        )
    }
}

/// Starts both, measures, stops them. `tell` hears of each step.
///
/// # Errors
/// [`CompareError`].
pub async fn cost(options: &CostOptions, tell: &mut dyn FnMut(&str)) -> Result<Cost, CompareError> {
    let folder = Folder::take(&options.folder)?;
    let machine = Machine::look(folder.path());
    tell("starting this server twice, with its log and with records that go nowhere …");
    let audited = Ours::start(folder.path())?;
    let unaudited = Ours::of(folder.path(), "unaudited", &Programs { dir: options.unaudited.clone() })?;
    let mut sides = Vec::new();
    for (name, server) in [("with", &audited), ("without", &unaudited)] {
        let target = Arc::new(Target::new(name, &server.options())?);
        let population = Arc::new(Population::make(&target, options.keys).await?);
        sides.push((target, population, server.processor(), Vec::new()));
    }
    let plan = Plan {
        connections: CONNECTIONS,
        warm_up: Amount::Time(options.time.mul_f64(WARM_UP)),
        measured: Amount::Time(options.time),
    };
    for round in 1..=options.rounds {
        tell(&format!("get, connections: {CONNECTIONS}, round {round} of {} …", options.rounds));
        for (target, population, processor, rounds) in &mut sides {
            let processor: &Processor = processor;
            rounds.push(load::run(target, Operation::Get, population, plan, Some(processor)).await?);
        }
    }
    let measured: Vec<Side> = sides.iter().map(|(.., rounds)| Side::of(rounds)).collect();
    audited.stop()?;
    unaudited.stop()?;
    folder.give_back()?;
    let [with, without] = <[Side; 2]>::try_from(measured).map_err(|_| CompareError::Running(options.folder.clone()))?;
    let (ratio, ratio_between) = ratios(&with, &without);
    Ok(Cost {
        machine,
        connections: CONNECTIONS,
        audited: with,
        unaudited: without,
        ratio,
        ratio_between,
        may_lose: MOST_LOST,
    })
}

/// The folder of the unaudited server must hold one that says what it is, so that the two are not the same by mistake.
///
/// # Errors
/// [`CompareError::Stage`], [`CompareError::NotUnaudited`].
pub fn demand_unaudited(dir: &Path) -> Result<(), CompareError> {
    let programs = Programs { dir: dir.to_owned() };
    let server = programs.path("kms-server");
    let version = xtask::stage::finish(std::process::Command::new(&server).arg("--version"))?.stdout;
    if version.trim_end().ends_with("+unaudited") { Ok(()) } else { Err(CompareError::NotUnaudited(server)) }
}
