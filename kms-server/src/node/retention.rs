//! Drops records that are older than their log is kept: the bytes of a record, never its leaf hash, so that tree,
//! proofs and tombstones stay. A record in the same log tells of every dropping.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use audit::retention::OPERATION;
use audit::{LogId, Record};
use keystore::{Change, Step, Unit};
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;
use crate::node::Node;
use crate::node::forwarding;
use crate::shell::shutdown::Stopping;

/// How often it is looked whether a sweep is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds between two sweeps: records go within six hours of their time.
const SWEEP_EVERY_S: i64 = 6 * 60 * 60;
/// Pages that one sweep looks at in one log, a million positions; the next sweep goes on behind them.
const PAGES_PER_SWEEP: usize = 256;
/// Between two pages that were dropped, so that requests have the writer for themselves most of the time.
const PAUSE: Duration = Duration::from_millis(100);
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// Sweeps the logs.
pub struct Sweeper {
    /// Collectors, by name: what one of them has not received stays.
    collectors: Vec<String>,
    /// Where the next sweep of a log begins.
    next: HashMap<LogId, u64>,
    last_s: i64,
}

impl Sweeper {
    /// One that waits for these collectors; the first sweep comes some hours after `now_s`.
    #[must_use]
    pub fn new(collectors: Vec<String>, now_s: i64) -> Self {
        Self { collectors, next: HashMap::new(), last_s: now_s }
    }

    /// Sweeps until told to stop. What cannot be swept is logged, and its turn comes again.
    pub async fn run(mut self, node: Arc<Node>, mut stopping: Stopping) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = stopping.wait() => return,
            }
            let now_s = node.clock.now_s();
            if now_s - self.last_s < SWEEP_EVERY_S {
                continue;
            }
            self.last_s = now_s;
            tokio::select! {
                () = self.sweep(&node) => {}
                () = stopping.wait() => return,
            }
        }
    }

    async fn sweep(&mut self, node: &Node) {
        // Of domains that are not active no row can be believed; their logs stay whole until they are thawed.
        let active = node.directory.tenants().into_iter().chain(node.directory.system()).filter(|one| one.is_active());
        for domain in active {
            let retention = &domain.row.retention;
            if !retention.holds.is_empty() {
                tracing::info!(
                    domain = domain.row.name,
                    holds = retention.holds.len(),
                    "legal hold: nothing is dropped"
                );
                continue;
            }
            let before_us = node.clock.now_us() - i64::from(retention.days_in_force()) * DAY_US;
            let own = crate::node::auditing::log_of(domain.row.id);
            let logs = if domain.row.system { vec![own, LogId::System] } else { vec![own] };
            for log in logs {
                match self.sweep_log(node, log, before_us).await {
                    Ok(0) => {}
                    Ok(dropped) => tracing::info!(%log, dropped, "records were dropped by retention"),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(%log, error, "old records could not be dropped");
                    }
                }
            }
        }
    }

    /// Drops what may go of one log; returns how many records.
    async fn sweep_log(&mut self, node: &Node, log: LogId, before_us: i64) -> Result<usize, Failure> {
        let received = forwarding::received(&*node.store, &self.collectors, log).await?;
        let mut dropped = 0;
        for _ in 0..PAGES_PER_SWEEP {
            let from = self.next.get(&log).copied().unwrap_or(0);
            let mut old = node.store.old_records(log, from, before_us).await?;
            old.positions.retain(|position| received.is_none_or(|received| *position < received));
            if !old.positions.is_empty() {
                // An export is of one moment: nothing goes while one is being written.
                let _alone = node.exports.write().await;
                let count = old.positions.len();
                let record = node.auditor.record(&node.clock, log, OPERATION);
                let changes = vec![Change::DropRecords { positions: old.positions, before_us }];
                let step = Step { changes, record: Some(Record { count: 1, ..record }) };
                node.store.commit(Unit { steps: vec![step] }).await?;
                dropped += count;
            }
            if old.end {
                // What stays today may go later: the last record of an object, once there is a later one.
                self.next.remove(&log);
                return Ok(dropped);
            }
            self.next.insert(log, old.next);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(dropped)
    }
}
