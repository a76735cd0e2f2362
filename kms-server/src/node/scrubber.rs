//! Compares all that the store has with what the logs tell, one domain after the other, all day long.
//!
//! A read notices a row that was edited. It does not notice an older row put back in the place of a newer one: both
//! were written by this node. Only the log tells them apart, and reading all of it is what happens here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use audit::limits::{MAX_DETAIL_LEN, MAX_OBJECT_LEN};
use audit::{Outcome, Record, bounded_text};
use keystore::{DomainState, Pace, Unit, Verification};
use secret::DomainId;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;
use crate::shell::shutdown::Stopping;

/// Every domain has its turn once within this time; one that is made meanwhile, in the next round. A rollback is
/// noticed no later than this, and a day's share of the disk's time is small.
const ROUND: Duration = Duration::from_secs(24 * 60 * 60);
/// From the start to the first turn: the clients that come back come first.
const AFTER_START: Duration = Duration::from_secs(60);
/// Of the time of one processor, while nobody waits for it: a million objects take some half an hour.
const SHARE_PERCENT: usize = 5;
/// Findings that have a record of their own; the others are counted, and named in the node's log.
const FINDINGS_TOLD: usize = 16;
/// What the records of it are called.
pub const OPERATION: &str = "Verify Domain";
/// Result Reason of a verification that found something.
const NOT_AS_WRITTEN: &str = "not as written";

/// Verifies domains, one at a time: each reads everything there is.
#[derive(Default)]
pub struct Scrubber {
    turn: Mutex<()>,
}

impl Scrubber {
    /// Verifies a domain for somebody who asks, and records what was found, or that nothing was. `record` begins the
    /// records.
    ///
    /// # Errors
    /// [`Failure::Busy`] while another domain is being verified; [`Failure::Store`].
    pub async fn verify(
        &self,
        node: &Node,
        domain: DomainId,
        record: impl Fn() -> Record,
    ) -> Result<Verification, Failure> {
        let _turn = self.turn.try_lock().map_err(|_| Failure::Busy)?;
        let verification = examine(node, domain, Pace::full()).await?;
        tell(node, &verification, record).await?;
        Ok(verification)
    }

    /// Verifies domain after domain until told to stop, evenly over the round. Where a verification cannot be made,
    /// that is logged, and the domain has its turn in the next round.
    pub async fn run(self: Arc<Self>, node: Arc<Node>, mut stopping: Stopping) {
        let mut turns = VecDeque::new();
        let mut next = Instant::now() + AFTER_START;
        let mut pause = ROUND;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = stopping.wait() => return,
            }
            if turns.is_empty() {
                turns = round(&node);
                pause = ROUND / u32::try_from(turns.len()).unwrap_or(u32::MAX).max(1);
            }
            next += pause;
            let Some(domain) = turns.pop_front() else { continue };
            tokio::select! {
                () = self.scrub(&node, domain) => {}
                () = stopping.wait() => return,
            }
        }
    }

    async fn scrub(&self, node: &Node, domain: DomainId) {
        let _turn = self.turn.lock().await;
        let result = async {
            let verification = examine(node, domain, Pace::of_percent(SHARE_PERCENT)).await?;
            if verification.found > 0 {
                tell(node, &verification, || node.auditor.record(&node.clock, log_of(domain), OPERATION)).await?;
            }
            Ok::<_, Failure>(verification)
        };
        let name = identifier_text(domain);
        match result.await {
            Ok(Verification { objects, records, found, .. }) => {
                tracing::info!(domain = name, objects, records, found, "verified");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(domain = name, error, "a domain could not be verified");
            }
        }
    }
}

/// All domains, beginning anywhere: a node that is restarted often would otherwise never come to the last ones.
fn round(node: &Node) -> VecDeque<DomainId> {
    // The rows of a destroyed domain can be verified by nobody any more.
    let lives = |domain: &&Arc<Domain>| domain.row.state != DomainState::Destroyed;
    let mut domains: VecDeque<DomainId> =
        node.directory.tenants().iter().filter(lives).map(|domain| domain.row.id).collect();
    domains.extend(node.directory.system().map(|system| system.row.id));
    let [first, second, ..] = uuid::Uuid::new_v4().into_bytes();
    let len = domains.len().max(1);
    domains.rotate_left(usize::from(u16::from_be_bytes([first, second])) % len);
    domains
}

async fn examine(node: &Node, domain: DomainId, pace: Pace) -> Result<Verification, Failure> {
    let verification = node.store.verify(domain, pace).await?;
    if verification.found > 0 {
        let (domain, found) = (identifier_text(domain), verification.found);
        tracing::error!(alarm = "tampered", domain, found, "the database is not what this node wrote");
    }
    Ok(verification)
}

async fn tell(node: &Node, verification: &Verification, record: impl Fn() -> Record) -> Result<(), Failure> {
    node.store.commit(Unit::records(records_of(verification, record))).await?;
    Ok(())
}

/// One record for each of the first findings, and one for the whole.
fn records_of(verification: &Verification, record: impl Fn() -> Record) -> Vec<Record> {
    let Verification { objects, records, findings, found } = verification;
    let reason = || Some(NOT_AS_WRITTEN.to_owned());
    let mut told: Vec<Record> = findings
        .iter()
        .take(FINDINGS_TOLD)
        .map(|finding| Record {
            outcome: Outcome::Failed,
            reason: reason(),
            object: Some(bounded_text(&finding.row, MAX_OBJECT_LEN)),
            detail: Some(bounded_text(&format!("{}: {}", finding.table, finding.what), MAX_DETAIL_LEN)),
            ..record()
        })
        .collect();
    let whole = format!("{objects} objects, {records} records, {found} findings");
    told.push(Record {
        outcome: if *found == 0 { Outcome::Success } else { Outcome::Failed },
        reason: (*found > 0).then(reason).flatten(),
        detail: Some(bounded_text(&whole, MAX_DETAIL_LEN)),
        ..record()
    });
    told
}

#[cfg(test)]
mod tests {
    use audit::LogId;
    use keystore::Finding;

    use super::*;
    use crate::node::auditing::Auditor;
    use crate::node::clock::Clock;

    #[test]
    fn every_record_of_a_verification_can_be_written_however_much_it_found() {
        let (auditor, clock) = (Auditor::new([1; 16]), Clock::default());
        let record = || auditor.record(&clock, LogId::System, OPERATION);
        let finding = Finding { table: "object", row: "x".repeat(1000), what: "is older than its last record" };
        for (findings, outcome) in [(0, Outcome::Success), (1, Outcome::Failed), (1000, Outcome::Failed)] {
            let found = u64::try_from(findings).unwrap();
            let verification =
                Verification { objects: 7, records: 9, findings: vec![finding.clone(); findings], found };
            let told = records_of(&verification, record);
            assert_eq!(told.len(), findings.min(FINDINGS_TOLD) + 1);
            let (whole, each) = told.split_last().unwrap();
            assert_eq!(whole.outcome, outcome);
            assert_eq!(whole.detail.as_deref(), Some(format!("7 objects, 9 records, {found} findings").as_str()));
            assert!(each.iter().all(|one| one.outcome == Outcome::Failed));
            for one in &told {
                one.encode().unwrap();
            }
        }
    }
}
