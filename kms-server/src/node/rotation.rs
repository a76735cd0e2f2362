//! Rotates the objects for which a client asked it: Rotate Automatic, every Rotate Interval. KMIP 2.1 §4.48 to §4.54.
//!
//! A rotation is the operation that the client would have sent, Re-key, Re-key Key Pair or Re-certify, worked out and
//! recorded like one; the record names the node. What was rotated is no longer rotated automatically: its successor is.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use keystore::{IndexTerm, ObjectId, ObjectRow};
use kmip::attribute::AttributeValue;
use kmip::payload::{ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest, RequestPayload};
use kmip::registry::{ObjectType, State};
use kmip::ttlv::Interval;
use policy::access::Actor;
use tokio::time::MissedTickBehavior;

use crate::dispatch;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::Node;
use crate::node::auditing::{Told, log_of};
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;
use crate::shell::shutdown::Stopping;

/// Objects that one look at the store brings.
const PAGE: usize = 256;
/// Seconds until an object whose rotation failed is tried again: the reason is rarely gone at once, and each try is a
/// record.
const TRY_AGAIN_S: i64 = 3600;
/// Objects whose failed rotation is remembered; the ones beyond are tried again in the next round.
const FAILURES_KEPT: usize = 10_000;

/// Looks for due rotations in every domain, round after round, until told to stop.
pub async fn run(node: Arc<Node>, mut stopping: Stopping) {
    let mut rounds = tokio::time::interval(node.limits.rotation_round);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = HashMap::new();
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stopping.wait() => return,
        }
        let now = node.clock.now_s();
        failed.retain(|_, again_at| *again_at > now);
        for domain in node.directory.tenants().iter().filter(|domain| domain.is_active()) {
            tokio::select! {
                result = rotate_due(&node, domain, &mut failed) => {
                    if let Err(error) = result {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(domain = identifier_text(domain.row.id), error, "due rotations cannot be read");
                    }
                }
                () = stopping.wait() => return,
            }
        }
    }
}

/// Rotates what is due in one domain. The failure of one object is recorded and keeps none of the others.
async fn rotate_due(node: &Node, domain: &Arc<Domain>, failed: &mut HashMap<ObjectId, i64>) -> Result<(), Failure> {
    let terms: Vec<IndexTerm> = IndexTerm::of(&AttributeValue::RotateAutomatic(true)).into_iter().collect();
    let mut after = None;
    loop {
        let page = node.store.candidates(domain.row.id, &terms, after, PAGE).await?;
        for row in &page {
            let now = node.clock.now_s();
            if failed.contains_key(&row.id) {
                continue;
            }
            let Some(request) = due(row, now, node.limits.rotate_interval_s) else { continue };
            let told = Told {
                log: log_of(domain.row.id),
                identity: audit::Identity::Node,
                source: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                request_id: uuid::Uuid::new_v4().into_bytes(),
                correlation: None,
                version: "automatic rotation".to_owned(),
            };
            // In the name of the client whose object it is: it asked for this when it made the object.
            let done = dispatch::perform(node, domain, row.owner, told, Actor::Client, &request, false).await;
            if let Err(error) = done {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(object = identifier_text(row.id), error, "an object was not rotated");
                if failed.len() < FAILURES_KEPT {
                    failed.insert(row.id, now.saturating_add(TRY_AGAIN_S));
                }
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

/// The operation by which the object is to be rotated now; `None` where it is not: it gives no interval, or there is no
/// operation that rotates objects of its type. The public half of a pair goes with the private one.
fn due(row: &ObjectRow, now_s: i64, shortest_s: usize) -> Option<RequestPayload> {
    let mut row = row.clone();
    lifecycle::bring_up_to(&mut row, now_s);
    let (mut automatic, mut interval, mut offset) = (false, None, None);
    for one in &row.attributes {
        match one.value {
            AttributeValue::RotateAutomatic(value) => automatic = value,
            AttributeValue::RotateInterval(Interval(value)) => interval = Some(value),
            AttributeValue::RotateOffset(value) => offset = Some(value),
            _ => {}
        }
    }
    let is_in_use = matches!(row.state, State::PreActive | State::Active) && row.dates.archive.is_none();
    let interval = i64::from(interval?).max(i64::try_from(shortest_s).unwrap_or(i64::MAX));
    if !automatic || !is_in_use || row.dates.initial.saturating_add(interval) > now_s {
        return None;
    }
    let id = Some(identifier_text(row.id).into());
    Some(match row.object_type {
        ObjectType::SymmetricKey => ReKeyRequest { unique_identifier: id, offset, ..Default::default() }.into(),
        ObjectType::PrivateKey => {
            ReKeyKeyPairRequest { private_key_unique_identifier: id, offset, ..Default::default() }.into()
        }
        ObjectType::Certificate => ReCertifyRequest { unique_identifier: id, offset, ..Default::default() }.into(),
        _ => return None,
    })
}
