//! The load generator: N connections, each of which sends its next request when it has the answer to the last.
//!
//! A closed loop measures what a server can do, not how long a client waits that does not care whether the server keeps
//! up: a stall holds the loop back, too, and shows as one slow answer for each connection. Rates are what to read.

mod operation;
mod population;
mod target;
mod vsphere;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

pub use operation::Operation;
pub use population::Population;
pub use target::{Target, TargetOptions, Tls};

use crate::limits::{FAILURES_IN_A_ROW, MAX_CONNECTIONS};
use crate::measurement::{Measurement, Processor, Tally, text_of};
use worker::Worker;

/// Why nothing was measured. What goes wrong while measuring is counted, see [`Measurement::errors`].
#[derive(Debug, Error)]
pub enum LoadError {
    /// A certificate or key.
    #[error("{what}: {why}")]
    Settings {
        /// Which.
        what: String,
        /// Why it cannot be used.
        why: String,
    },
    /// The keys to measure with could not be made.
    #[error("{server}: making the keys to measure with: {why}")]
    Population {
        /// The server's name.
        server: String,
        /// What it said.
        why: String,
    },
    /// More connections than there can be, or none.
    #[error("{0} connections: between 1 and {MAX_CONNECTIONS} can be asked for")]
    Connections(usize),
    /// A task of the generator ended before its time.
    #[error("the generator itself failed: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// So many requests, over all connections together.
    Requests(u64),
    /// Requests that begin within this time. The last of them are waited for.
    Time(Duration),
}

/// How to load a server.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections at one time.
    pub connections: usize,
    /// What goes before and is not measured.
    pub warm_up: Amount,
    /// What is measured.
    pub measured: Amount,
}

/// A part of a load that all connections work on together.
struct Phase {
    amount: Amount,
    begun: OnceLock<Instant>,
    taken: AtomicU64,
}

impl Phase {
    fn new(amount: Amount) -> Self {
        Self { amount, begun: OnceLock::new(), taken: AtomicU64::new(0) }
    }

    /// Starts the clock; the first call counts.
    fn begin(&self) -> Instant {
        *self.begun.get_or_init(Instant::now)
    }

    /// Whether there is one more request to send.
    fn take(&self) -> bool {
        match self.amount {
            Amount::Requests(all) => self.taken.fetch_add(1, Ordering::Relaxed) < all,
            Amount::Time(time) => self.begin().elapsed() < time,
        }
    }
}

/// Loads `target` with one operation and measures. `server` is the process that is loaded, where it is on this machine.
///
/// # Errors
/// [`LoadError`].
pub async fn run(
    target: &Arc<Target>,
    operation: Operation,
    population: &Arc<Population>,
    plan: Plan,
    server: Option<&Processor>,
) -> Result<Measurement, LoadError> {
    if plan.connections == 0 || plan.connections > MAX_CONNECTIONS {
        return Err(LoadError::Connections(plan.connections));
    }
    let run = uuid::Uuid::now_v7().simple().to_string();
    let warm_up = Arc::new(Phase::new(plan.warm_up));
    let measured = Arc::new(Phase::new(plan.measured));
    // Everyone and the clock: nobody is measured while another still connects or warms up.
    let barrier = Arc::new(Barrier::new(plan.connections + 1));
    let mut workers = JoinSet::new();
    for number in 0..plan.connections {
        let mut worker = Worker::new(Arc::clone(target), operation, Arc::clone(population), &run, number);
        let (warm_up, measured, barrier) = (Arc::clone(&warm_up), Arc::clone(&measured), Arc::clone(&barrier));
        workers.spawn(async move {
            worker.get_ready().await;
            barrier.wait().await;
            work(&mut worker, &warm_up).await;
            barrier.wait().await;
            // The clock starts between these two.
            barrier.wait().await;
            let tally = work(&mut worker, &measured).await;
            (worker, tally)
        });
    }
    barrier.wait().await;
    barrier.wait().await;
    let processor_before = server.and_then(Processor::used);
    let begun = measured.begin();
    barrier.wait().await;
    let mut tally = Tally::default();
    let mut finished = Vec::with_capacity(plan.connections);
    while let Some(ended) = workers.join_next().await {
        let (worker, part) = ended?;
        tally.add(&part);
        finished.push(worker);
    }
    let elapsed = begun.elapsed();
    let processor_after = server.and_then(Processor::used);
    for worker in finished {
        worker.close().await;
    }
    let processor = processor_before.zip(processor_after).map(|(before, after)| after.saturating_sub(before));
    Ok(Measurement { elapsed, tally, processor })
}

async fn work(worker: &mut Worker, phase: &Phase) -> Tally {
    let mut tally = Tally::default();
    let mut failures = 0;
    while failures < FAILURES_IN_A_ROW && phase.take() {
        let begun = Instant::now();
        match worker.perform().await {
            Ok(refused) => {
                failures = 0;
                tally.done(begun.elapsed(), refused);
            }
            Err(error) => {
                failures += 1;
                tally.failed(text_of(&error));
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_requests_is_shared_among_all_who_take() {
        let phase = Phase::new(Amount::Requests(3));
        let taken = std::iter::repeat_with(|| phase.take()).take(5).filter(|taken| *taken).count();
        assert_eq!(taken, 3);
    }

    #[test]
    fn no_time_is_no_request() {
        assert!(!Phase::new(Amount::Time(Duration::ZERO)).take());
    }
}
