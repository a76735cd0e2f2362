//! What is shown to the witnesses in one interval: the list of all heads, the record that tells of it, the signed head
//! of the system's log.

use std::collections::HashMap;

use audit::witness::{Growth, Head, INTERVAL, Update, interval_detail, write_list};
use audit::{Hash, LogId, Record, SignedCheckpoint, consistency_ranges, inclusion_ranges};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::{KeyStore, Unit};

use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::Checkpointer;

/// The heads of all logs at one moment, as witnesses are shown them.
pub(super) struct Shown {
    heads: Vec<Head>,
    sizes: HashMap<LogId, u64>,
    list: String,
    record: String,
    index: u64,
    path: Vec<String>,
    note: SignedCheckpoint,
}

fn hexed(hashes: Vec<Hash>) -> Vec<String> {
    hashes.iter().map(hex::encode).collect()
}

/// Sizes by log.
pub(super) fn sizes_of(heads: &[Head]) -> HashMap<LogId, u64> {
    heads.iter().map(|head| (head.log, head.size)).collect()
}

impl Shown {
    /// Makes the record that tells of these heads of the domains' logs, and has the head that covers it signed.
    pub(super) async fn make(node: &Node, checkpointer: &Checkpointer, domains: &[Head]) -> Result<Self, Failure> {
        let list = write_list(domains);
        let record = Record {
            detail: Some(interval_detail(&list)),
            ..node.auditor.record(&node.clock, LogId::System, INTERVAL)
        };
        let committed = node.store.commit(Unit::records([record])).await?;
        let index = committed.positions.first().map(|(_, index)| *index).ok_or(Failure::Internal("no position"))?;
        let note = checkpointer.sign_head(node, LogId::System).await?;
        let note = SignedCheckpoint::parse(&note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
        let (size, root) = (note.checkpoint.size, note.checkpoint.root);
        let ranges =
            inclusion_ranges(index, size).map_err(|_| Failure::Internal("the head is older than its record"))?;
        let bytes = node.store.records(LogId::System, index, 1).await?.pop().ok_or(Failure::Internal("no record"))?;
        let mut heads = domains.to_vec();
        heads.push(Head { log: LogId::System, size, root });
        Ok(Self {
            heads,
            sizes: sizes_of(domains),
            list,
            record: STANDARD.encode(bytes.bytes),
            index,
            path: hexed(node.store.subtree_roots(LogId::System, &ranges).await?),
            note,
        })
    }

    /// Whether nothing was recorded since: domains' logs have these sizes, the system's has this one.
    pub(super) fn is_of(&self, domains: &HashMap<LogId, u64>, system: u64) -> bool {
        self.sizes == *domains && self.system() == system
    }

    /// Sizes of the domains' logs.
    pub(super) fn sizes(&self) -> &HashMap<LogId, u64> {
        &self.sizes
    }

    /// Size of the system's log.
    pub(super) fn system(&self) -> u64 {
        self.note.checkpoint.size
    }

    /// The heads, the system's among them.
    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The signed head of the system's log.
    pub(super) fn note(&self) -> &SignedCheckpoint {
        &self.note
    }

    /// What a witness is told that stands where `seen` says; `None` if that is beyond what this node has.
    pub(super) async fn update_from(&self, store: &dyn KeyStore, seen: &[Head]) -> Result<Option<Update>, Failure> {
        let mut growth = Vec::new();
        for old in seen {
            let new = self.heads.iter().find(|head| head.log == old.log).map_or(0, |head| head.size);
            let Ok(ranges) = consistency_ranges(old.size, new) else { return Ok(None) };
            if old.size < new {
                let path = hexed(store.subtree_roots(old.log, &ranges).await?);
                growth.push(Growth { log: old.log.to_string(), from: old.size, path });
            }
        }
        Ok(Some(Update {
            note: self.note.format(),
            index: self.index,
            record: self.record.clone(),
            path: self.path.clone(),
            list: self.list.clone(),
            growth,
        }))
    }
}
