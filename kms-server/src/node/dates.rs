//! Stores the changes of state that dates bring about, each with its record, though nobody touches the object. KMIP 1.4
//! §3.22, transitions 4 and 6.
//!
//! A reader computes the state that counts and never waits for this; what is stored here is what the log then tells. A
//! transition is stored once: its row is guarded by its revision, and the record is in the same unit, so that whoever
//! comes second, a request or this, finds nothing due any more.

use std::collections::HashMap;
use std::sync::Arc;

use keystore::{Change, DueObject, ObjectId, ObjectRow, Pace, Step, StoreError, Unit};
use secret::DomainId;
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;
use crate::lifecycle;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::sealing::identifier_text;
use crate::shell::shutdown::Stopping;

/// Objects whose transitions are one commit. Each has at most two, so that the unit stays well below what the store
/// takes, and a request that waits behind it does not wait long.
const PAGE: usize = 64;
/// Pages of one domain before the next one has its turn.
const TURN: usize = 16;
/// Seconds until an object that could not be read or stored is tried again.
const TRY_AGAIN_S: i64 = 3600;
/// Such objects that are remembered; the ones beyond are tried again in the next round.
const FAILURES_KEPT: usize = 10_000;

/// The objects that failed, and from when on they are tried again.
type Failed = HashMap<ObjectId, i64>;

/// Looks for due transitions in every domain, round after round, until told to stop.
pub async fn run(node: Arc<Node>, mut stopping: Stopping) {
    let mut rounds = tokio::time::interval(node.limits.dates_round);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = Failed::new();
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stopping.wait() => return,
        }
        tokio::select! {
            result = carry_out_all(&node, &mut failed) => {
                if let Err(error) = result {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "what is due cannot be looked for");
                }
            }
            () = stopping.wait() => return,
        }
    }
}

/// Stores everything that is due, the domains in turns.
async fn carry_out_all(node: &Node, failed: &mut Failed) -> Result<(), Failure> {
    loop {
        let now = node.clock.now_s();
        failed.retain(|_, again_at| *again_at > now);
        let mut is_more = false;
        for id in node.store.domains_due(now).await? {
            if !node.directory.domain(&id).is_some_and(|domain| domain.is_active()) {
                continue;
            }
            match turn(node, id, now, failed).await {
                Ok(Turn::Done) => {}
                Ok(Turn::More) => is_more = true,
                // The store takes no changes now: it is frozen or has enough to do.
                Err(Failure::Busy) => return Ok(()),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(domain = identifier_text(id), error, "what is due was not stored");
                }
            }
        }
        if !is_more {
            return Ok(());
        }
    }
}

/// Whether a domain has more to do than was done in its turn.
enum Turn {
    Done,
    More,
}

/// Stores some pages of what is due in a domain.
async fn turn(node: &Node, domain: DomainId, now_s: i64, failed: &mut Failed) -> Result<Turn, Failure> {
    let (mut after, mut stored) = (None, 0);
    let mut pace = Pace::of_percent(node.limits.dates_share_percent);
    for _ in 0..TURN {
        let page = node.store.due(domain, now_s, after, PAGE).await?;
        stored += store(node, domain, now_s, &page, failed).await?;
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(*last),
            _ => return Ok(Turn::Done),
        }
        pace.rest().await;
    }
    // Where a whole turn brought nothing forward, the next round is early enough.
    Ok(if stored > 0 { Turn::More } else { Turn::Done })
}

/// Stores what is due of these objects in one unit; where somebody changed one of them meanwhile, each in its own.
/// Gives how many objects were stored.
async fn store(
    node: &Node,
    domain: DomainId,
    now_s: i64,
    page: &[DueObject],
    failed: &mut Failed,
) -> Result<usize, Failure> {
    let mut steps = Vec::new();
    let mut objects = Vec::new();
    for DueObject { id, .. } in page {
        if failed.contains_key(id) {
            continue;
        }
        match steps_of(node, domain, now_s, *id).await {
            Ok(of_one) if of_one.is_empty() => {}
            Ok(of_one) => {
                steps.extend(of_one);
                objects.push(*id);
            }
            Err(error) => set_aside(node, *id, &error, failed),
        }
    }
    if objects.is_empty() {
        return Ok(0);
    }
    match node.store.commit(Unit { steps }).await {
        Ok(_) => return Ok(objects.len()),
        Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    let mut stored = 0;
    for id in objects {
        let steps = match steps_of(node, domain, now_s, id).await {
            Ok(steps) if steps.is_empty() => continue,
            Ok(steps) => steps,
            Err(error) => {
                set_aside(node, id, &error, failed);
                continue;
            }
        };
        match node.store.commit(Unit { steps }).await {
            Ok(_) => stored += 1,
            // In use at this very moment: who uses it stores the transition too, or the next round does.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(stored)
}

/// An object that cannot be read keeps none of the others.
fn set_aside(node: &Node, id: ObjectId, error: &Failure, failed: &mut Failed) {
    let error = error as &dyn std::error::Error;
    tracing::error!(object = identifier_text(id), error, "what is due of an object cannot be told");
    if failed.len() < FAILURES_KEPT {
        failed.insert(id, node.clock.now_s().saturating_add(TRY_AGAIN_S));
    }
}

/// The transitions of an object whose date has come, each a step with its record; none where the verified row is not
/// due.
async fn steps_of(node: &Node, domain: DomainId, now_s: i64, id: ObjectId) -> Result<Vec<Step>, Failure> {
    let Some(mut row) = node.store.object(domain, id).await? else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for due in lifecycle::due(&row, now_s) {
        lifecycle::apply_due(&mut row, &due);
        let record = node.auditor.due(&node.clock, log_of(domain), &due, id);
        steps.push(Step { changes: vec![Change::UpdateObject { row: row.clone() }], record: Some(record) });
        row = ObjectRow { revision: row.revision + 1, ..row };
    }
    Ok(steps)
}
