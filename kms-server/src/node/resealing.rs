//! The live rotation of a Domain Key: every object of the domain is sealed anew, row by row, while requests go on.
//!
//! Where it stands is in the rows themselves: an envelope names the version that sealed it. So nothing is lost when the
//! node is killed, and the next start goes on. The former version goes when a whole pass has found nothing under it and
//! nobody is at work any more who began before the rotation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use audit::Record;
use keystore::{Change, DomainRow, ObjectId, ObjectRow, Step, StoreError, Unit};
use secret::DomainId;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::node::domain_keys::DomainKeys;
use crate::node::rotation_steps::RotationStep;
use crate::node::sealing::{self, identifier_text};
use crate::shell::shutdown::Stopping;

/// Rows that one look at the store brings; those among them that are sealed anew are one commit.
const PAGE: usize = 64;
/// Rows that are at the HSM at one time: enough that its worker has the next one at hand.
const AT_ONCE: usize = 4;
/// Until a rotation that could not go on is tried again, and the look whether anything waits that nobody told of.
const AGAIN: Duration = Duration::from_secs(10);
/// Between two looks whether the last one who began before the rotation is done.
const LAST_USE: Duration = Duration::from_millis(20);
/// What the record of a row that was sealed anew is called.
const RESEAL: &str = "Reseal";
/// What the record of the end is called.
const DESTROY: &str = "Destroy Domain Key";

/// Goes on with every rotation that was begun, until told to stop.
pub async fn run(node: Arc<Node>, mut stopping: Stopping) {
    loop {
        for domain in node.directory.tenants() {
            if !domain.is_active() || domain.key.former.is_none() {
                continue;
            }
            tokio::select! {
                result = finish_rotation(&node, domain.row.id) => {
                    if let Err(error) = result {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(domain = identifier_text(domain.row.id), error, "a rotation waits");
                    }
                }
                () = stopping.wait() => return,
            }
        }
        tokio::select! {
            () = node.resealing.notified() => {}
            () = tokio::time::sleep(AGAIN) => {}
            () = stopping.wait() => return,
        }
    }
}

/// Passes over the domain until nothing is left under the former version, then lets it go.
async fn finish_rotation(node: &Arc<Node>, id: DomainId) -> Result<(), Failure> {
    loop {
        let Some(domain) = node.directory.domain(&id).filter(|domain| domain.is_active()) else { return Ok(()) };
        let Some(former) = domain.key.former.clone() else { return Ok(()) };
        let current = domain.key.current.version;
        // Whoever began before the rotation may still seal under the former version; the pass that counts comes after.
        while node.directory.is_used_with_another_key(&id, current) {
            tokio::time::sleep(LAST_USE).await;
        }
        if pass(node, &domain).await? > 0 {
            continue;
        }
        RotationStep::PassClean.reached();
        let keys = DomainKeys::one(domain.key.current.clone());
        let row = DomainRow { domain_key: keys.to_bytes(), ..domain.row.clone() };
        let record = Record {
            detail: Some(format!("version {}", former.version)),
            ..node.auditor.record(&node.clock, log_of(id), DESTROY)
        };
        let steps = vec![Step { changes: vec![Change::UpdateDomain(row)], record: Some(record) }];
        match node.store.commit(Unit { steps }).await {
            Ok(_) => {
                RotationStep::FormerGone.reached();
                node.reload_domain(&id).await?;
                RotationStep::FormerUnknown.reached();
                node.hsm.forget_version(id, former.version).await;
                RotationStep::FormerForgotten.reached();
                tracing::info!(domain = identifier_text(id), version = former.version, "a Domain Key was destroyed");
                return Ok(());
            }
            // The domain's row was changed meanwhile, by a client's constraints for instance; the directory has it.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Seals everything anew that is under another version than the current one; gives how much that was.
async fn pass(node: &Arc<Node>, domain: &Arc<Domain>) -> Result<u64, Failure> {
    let current = domain.key.current.version;
    let (mut after, mut found) = (None, 0);
    loop {
        let began = Instant::now();
        let before = calls(node);
        let page = node.store.candidates(domain.row.id, &[], after, PAGE).await?;
        let (full, last) = (page.len() == PAGE, page.last().map(|row| row.id));
        let stale: Vec<ObjectRow> = page.into_iter().filter(|row| is_stale(row, current)).collect();
        if !stale.is_empty() {
            let rows = u64::try_from(stale.len()).unwrap_or(u64::MAX);
            found += rows;
            RotationStep::PageRead.reached();
            reseal(node, domain, stale).await?;
            // Each row costs two calls; whatever else the HSM did meanwhile was for others, who come first.
            if calls(node).saturating_sub(before) > rows.saturating_mul(2) {
                let share = u32::try_from(node.limits.reseal_share_percent).unwrap_or(100).clamp(1, 100);
                tokio::time::sleep(began.elapsed() * (100 - share) / share).await;
            }
        }
        match last {
            Some(last) if full => after = Some(last),
            _ => return Ok(found),
        }
    }
}

fn is_stale(row: &ObjectRow, current: secret::DomainKeyVersion) -> bool {
    row.sealed.as_ref().is_some_and(|sealed| sealed.version() != current)
}

/// Payloads that the members opened and sealed so far.
fn calls(node: &Node) -> u64 {
    node.hsm.status().iter().map(|member| member.opened.saturating_add(member.sealed)).sum()
}

/// Seals these rows anew in one commit; where somebody changed one of them meanwhile, each in its own.
async fn reseal(node: &Arc<Node>, domain: &Arc<Domain>, rows: Vec<ObjectRow>) -> Result<(), Failure> {
    let ids: Vec<ObjectId> = rows.iter().map(|row| row.id).collect();
    let mut waiting = rows.into_iter();
    let (mut at_hsm, mut sealed) = (JoinSet::new(), Vec::new());
    loop {
        while at_hsm.len() < AT_ONCE
            && let Some(mut row) = waiting.next()
        {
            let (node, domain) = (Arc::clone(node), Arc::clone(domain));
            at_hsm.spawn(async move { sealing::reseal(&node.hsm, &domain.key, &mut row).await.map(|()| row) });
        }
        let Some(done) = at_hsm.join_next().await else { break };
        sealed.push(done.map_err(|_| Failure::Internal("a task of the rotation ended badly"))??);
    }
    RotationStep::RowsSealed.reached();
    let steps = sealed.into_iter().map(|row| step(node, domain, row)).collect();
    match node.store.commit(Unit { steps }).await {
        Ok(_) => {
            RotationStep::RowsCommitted.reached();
            return Ok(());
        }
        Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    for id in ids {
        let Some(mut row) = node.store.object(domain.row.id, id).await? else { continue };
        if !is_stale(&row, domain.key.current.version) {
            continue;
        }
        sealing::reseal(&node.hsm, &domain.key, &mut row).await?;
        match node.store.commit(Unit { steps: vec![step(node, domain, row)] }).await {
            // Once more in the next pass.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn step(node: &Node, domain: &Domain, row: ObjectRow) -> Step {
    let record = Record {
        object: Some(identifier_text(row.id)),
        detail: Some(format!("version {}", domain.key.current.version)),
        ..node.auditor.record(&node.clock, log_of(domain.row.id), RESEAL)
    };
    Step { changes: vec![Change::UpdateObject { row }], record: Some(record) }
}
