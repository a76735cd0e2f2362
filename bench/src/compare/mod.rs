//! This server and PyKMIP's, side by side: each operation by turns on the one and the other, so that what else the
//! machine does slows both alike.

mod cost;
mod machine;
mod report;
mod servers;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::limits::{CONNECTIONS, WARM_UP};
use crate::load::{self, Amount, LoadError, Operation, Plan, Population, Target};
use crate::measurement::{Measurement, Processor};
pub use cost::{Cost, CostOptions, cost, demand_unaudited};
pub use machine::Machine;
pub use report::{Report, Row, Side};
pub use servers::Ours;
use servers::{Folder, PyKmip};

/// Why there is no comparison.
#[derive(Debug, Error)]
pub enum CompareError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another benchmark runs.
    #[error("another benchmark is running in {}; together they would measure each other", .0.display())]
    Running(PathBuf),
    /// The server whose records should go nowhere keeps them.
    #[error("{} was not built with the feature unaudited-bench", .0.display())]
    NotUnaudited(PathBuf),
    /// This server's set-up.
    #[error(transparent)]
    Stage(#[from] xtask::stage::StageError),
    /// The tenant could not be made.
    #[error("the tenant: {0}")]
    Tenant(#[from] admin_api::ClientError),
    /// PyKMIP's server.
    #[error("PyKMIP's server: {0}")]
    PyKmip(String),
    /// Nothing could be measured.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// Python of the environment that PyKMIP is installed in.
    pub python: PathBuf,
    /// The script that starts its server.
    pub script: PathBuf,
    /// Folder for both servers' data. It is emptied first, and again after a comparison that went well.
    pub folder: PathBuf,
    /// Time of each measurement.
    pub time: Duration,
    /// Measurements of each operation on each server.
    pub rounds: usize,
    /// Keys that each server holds beforehand.
    pub keys: usize,
    /// What to measure.
    pub operations: Vec<Operation>,
}

/// A server that is measured.
struct Contestant {
    target: Arc<Target>,
    population: Arc<Population>,
    processor: Processor,
}

/// Starts both servers, measures, stops them. `tell` hears of each step.
///
/// # Errors
/// [`CompareError`].
pub async fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> Result<Report, CompareError> {
    let folder = Folder::take(&options.folder)?;
    let machine = Machine::look(folder.path());
    tell(&machine.to_string());
    tell("starting both servers (this one holds its ceremony first) …");
    let ours = Ours::start(folder.path())?;
    let pykmip = PyKmip::start(folder.path(), ours.pki(), &options.python, &options.script)?;
    let mut contestants = Vec::new();
    for (name, reached, processor) in
        [("Clavis", ours.options(), ours.processor()), ("PyKMIP", pykmip.options(ours.pki()), pykmip.processor())]
    {
        let target = Target::new(name, &reached)?;
        tell(&format!("{}: making {} keys …", target.name, options.keys));
        let population = Arc::new(Population::make(&target, options.keys).await?);
        contestants.push(Contestant { target: Arc::new(target), population, processor });
    }
    let mut report = Report::new(machine, options);
    for operation in &options.operations {
        for connections in CONNECTIONS {
            tell(&format!("{operation}, connections: {connections}, rounds: {} …", options.rounds));
            report.rows.push(measure(&contestants, *operation, connections, options).await?);
        }
    }
    ours.stop()?;
    drop(pykmip);
    folder.give_back()?;
    Ok(report)
}

async fn measure(
    contestants: &[Contestant],
    operation: Operation,
    connections: usize,
    options: &Options,
) -> Result<Row, CompareError> {
    let warm_up = Amount::Time(options.time.mul_f64(WARM_UP));
    let plan = Plan { connections, warm_up, measured: Amount::Time(options.time) };
    let mut rounds: Vec<Vec<Measurement>> = contestants.iter().map(|_| Vec::new()).collect();
    for _ in 0..options.rounds {
        for (contestant, rounds) in contestants.iter().zip(&mut rounds) {
            let Contestant { target, population, processor } = contestant;
            rounds.push(load::run(target, operation, population, plan, Some(processor)).await?);
        }
    }
    Ok(Row::of(operation, connections, &rounds))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> CompareError {
    let path = path.to_owned();
    |source| CompareError::File { path, source }
}
