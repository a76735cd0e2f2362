//! Drops records that are older than their log is kept: the bytes of a record, never its leaf hash, so that tree,
//! proofs and tombstones stay. A record in the same log tells of every dropping.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use audit::retention::OPERATION;
use audit::{LogId, Record};
use keystore::retention::DEFAULT_DAYS;
use keystore::{Change, DomainState, Step, StoreError, Unit};
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
/// The setting with the time of the last sweep: seconds since 1970, in decimal.
const SWEPT_SETTING: &str = "retention-swept";
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// Sweeps the logs.
pub struct Sweeper {
    /// Collectors, by name: what one of them has not received stays.
    collectors: Vec<String>,
    /// Where the next sweep of a log begins.
    next: HashMap<LogId, u64>,
}

impl Sweeper {
    /// One that waits for these collectors.
    #[must_use]
    pub fn new(collectors: Vec<String>) -> Self {
        Self { collectors, next: HashMap::new() }
    }

    /// Sweeps until told to stop: some hours after the last sweep, whichever run of the node that was in. What cannot be
    /// swept is logged, and its turn comes again.
    pub async fn run(mut self, node: Arc<Node>, mut stopping: Stopping) {
        let mut last_s = match last_sweep(&node).await {
            Ok(last_s) => last_s,
            Err(error) => {
                tracing::error!(%error, "when records were last swept cannot be read; they are swept now");
                None
            }
        };
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = stopping.wait() => return,
            }
            let now_s = node.clock.now_s();
            if !is_due(last_s, now_s) {
                continue;
            }
            tokio::select! {
                () = self.sweep(&node) => {}
                // The next run sweeps what this one left.
                () = stopping.wait() => return,
            }
            last_s = Some(now_s);
            if let Err(error) = node.store.put_setting(SWEPT_SETTING, now_s.to_string().as_bytes()).await {
                tracing::error!(%error, "when records were last swept cannot be stored");
            }
        }
    }

    async fn sweep(&mut self, node: &Node) {
        for domain in node.directory.tenants().into_iter().chain(node.directory.system()) {
            let retention = &domain.row.retention;
            if !retention.holds.is_empty() {
                tracing::info!(
                    domain = domain.row.name,
                    holds = retention.holds.len(),
                    "legal hold: nothing is dropped"
                );
                continue;
            }
            let days = match domain.row.state {
                DomainState::Active | DomainState::Frozen => retention.days_in_force(),
                // Nobody can say any more whether this is what an officer decided.
                DomainState::Destroyed => retention.days_in_force().max(DEFAULT_DAYS),
            };
            let before_us = node.clock.now_us() - i64::from(days) * DAY_US;
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

/// When the last sweep was over; `None` if there was none.
async fn last_sweep(node: &Node) -> Result<Option<i64>, StoreError> {
    let stored = node.store.setting(SWEPT_SETTING).await?;
    Ok(stored.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
}

/// Whether it is time for a sweep; a last one that lies ahead of the clock counts for nothing.
fn is_due(last_s: Option<i64>, now_s: i64) -> bool {
    last_s.is_none_or(|last_s| !(0..SWEEP_EVERY_S).contains(&now_s.saturating_sub(last_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_due_six_hours_after_the_last_and_where_none_is_known() {
        let last = Some(1_000_000);
        for (now_s, due) in [(1_000_000, false), (1_021_599, false), (1_021_600, true), (999_999, true)] {
            assert_eq!(is_due(last, now_s), due, "{now_s}");
        }
        assert!(is_due(None, 0));
    }
}
