//! Proofs and tiles of a log, made from the store's hashes. A proof is held against the signed head before it leaves; a
//! tile is not, because one tile alone leads to no root: whoever reads tiles holds them against the head.

use admin_api::ProofQuery;
use audit::tiles::{CHECKPOINT_FILE, Tile, TileKind, append_entry};
use audit::{Claim, LogId, Record, SignedCheckpoint, consistency_ranges, inclusion_ranges, verify_proof, write_proof};

use keystore::StoreError;

use super::acting::AdminFailure;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::{root_at, trusted_keys};

const NO_RECORD: AdminFailure = AdminFailure::Unusable("the log has no such record");
const NO_SIZE: AdminFailure = AdminFailure::Unusable("the log never had so many records, or `from` is after `to`");

/// The document that proves what `query` asks for, under the signed head `note`.
pub(super) async fn prove(node: &Node, log: LogId, query: ProofQuery, note: &str) -> Result<String, AdminFailure> {
    let signed = parse(note)?;
    let size = signed.checkpoint.size;
    let claim = match query {
        ProofQuery { record: Some(index), from: None, to: None } => {
            let ranges = inclusion_ranges(index, size).map_err(|_| NO_RECORD)?;
            let record = match node.store.records(log, index, 1).await {
                Err(StoreError::Dropped { by, leaf, .. }) => return Err(dropped(node, log, index, by, &leaf).await?),
                records => records?.pop().ok_or(NO_RECORD)?.bytes,
            };
            Claim::Inclusion { index, record, path: node.store.subtree_roots(log, &ranges).await? }
        }
        ProofQuery { record: None, from: Some(from), to } => {
            let to = to.unwrap_or(size);
            let path = consistency_ranges(from, to).map_err(|_| NO_SIZE)?;
            let to_head = consistency_ranges(to, size).map_err(|_| NO_SIZE)?;
            Claim::Consistency {
                from,
                from_root: root_at(node, log, from).await?,
                to,
                to_root: root_at(node, log, to).await?,
                path: node.store.subtree_roots(log, &path).await?,
                to_head: node.store.subtree_roots(log, &to_head).await?,
            }
        }
        _ => return Err(AdminFailure::Unusable("either `record`, or `from` and perhaps `to`")),
    };
    let document = write_proof(&node.kms, log, &claim, &signed).map_err(|_| Failure::Internal("proof"))?;
    if let Err(error) = verify_proof(&document, &trusted_keys(node)?, &[]) {
        tracing::error!(alarm = "tampered", %log, %error, "the leaves in the database do not lead to the signed root");
        return Err(Failure::Internal("the leaves do not lead to the signed root").into());
    }
    Ok(document)
}

/// What is said of a record that is gone: since when, by which record, and the leaf hash, by which whoever kept the
/// record can still show that it was in the log.
async fn dropped(node: &Node, log: LogId, index: u64, by: u64, leaf: &str) -> Result<AdminFailure, AdminFailure> {
    let telling = node.store.records(log, by, 1).await?.pop();
    let telling = telling.and_then(|stored| Record::decode(&stored.bytes).ok()).filter(audit::retention::tells);
    let on = telling.ok_or(Failure::Internal("a record is gone, and nothing tells of it"))?.time_us;
    let on = audit::bundle::utc(on);
    Ok(AdminFailure::Dropped(format!(
        "record {index} was dropped by retention on {on}, as record {by} tells; leaf hash {leaf}"
    )))
}

/// A file of the tlog-tiles layout; `None` where there is none of this name.
pub(super) async fn tile(node: &Node, log: LogId, file: &str, note: String) -> Result<Option<Vec<u8>>, AdminFailure> {
    if file == CHECKPOINT_FILE {
        return Ok(Some(note.into_bytes()));
    }
    let size = parse(&note)?.checkpoint.size;
    let Some((tile, ranges)) = Tile::parse(file).and_then(|tile| Some((tile, tile.ranges(size)?))) else {
        return Ok(None);
    };
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { return Ok(None) };
    Ok(Some(match tile.kind {
        TileKind::Hashes(0) => node.store.leaf_hashes(log, first.start, last.end).await?.concat(),
        TileKind::Hashes(_) => node.store.subtree_roots(log, &ranges).await?.concat(),
        TileKind::Entries => {
            let mut bundle = Vec::new();
            for record in node.store.records(log, first.start, ranges.len()).await? {
                append_entry(&mut bundle, &record.bytes);
            }
            bundle
        }
    }))
}

fn parse(note: &str) -> Result<SignedCheckpoint, Failure> {
    SignedCheckpoint::parse(note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))
}
