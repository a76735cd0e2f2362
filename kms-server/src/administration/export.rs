//! The bundle of a log or of a period of it, made while it is sent: pages of records, one after the other.

use std::ops::Range;
use std::sync::Arc;

use audit::bundle::{BundleWriter, Header, WriteError};
use audit::{Filter, Hash, LogId, PublicKey, Record, SignedCheckpoint, Tree, right_cover};

use crate::admin::{Export, ExportSink};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::checkpoint_keys;

/// Records read from the store at a time.
pub(super) const PAGE: usize = 256;

/// Begins an export of the records of a period, out of all that the checkpoint `note` covers.
pub(super) fn start(node: Arc<Node>, log: LogId, note: &str, period: Filter) -> Result<Export, Failure> {
    let signed = SignedCheckpoint::parse(note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
    let signers = signers(&node)?;
    let (sink, export) = Export::channel();
    tokio::spawn(async move {
        if let Err(error) = write(&node, log, &signers, &signed, &period, sink).await {
            // The sink was dropped unfinished, so the reader knows that it has only a part.
            tracing::warn!(%error, %log, "export was broken off");
        }
    });
    Ok(export)
}

fn signers(node: &Node) -> Result<Vec<PublicKey>, Failure> {
    checkpoint_keys(node.hsm.trust_anchor()).ok_or(Failure::Internal("checkpoint key"))
}

#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error("bundle: {0}")]
    Bundle(#[from] WriteError),
    #[error("store: {0}")]
    Store(#[from] keystore::StoreError),
    #[error("writing: {0}")]
    Io(#[from] std::io::Error),
    #[error("tree: {0}")]
    Tree(#[from] audit::TreeError),
    #[error(transparent)]
    NobodyReads(#[from] crate::admin::NobodyReads),
}

async fn write(
    node: &Node,
    log: LogId,
    signers: &[PublicKey],
    signed: &SignedCheckpoint,
    period: &Filter,
    sink: ExportSink,
) -> Result<(), ExportError> {
    let size = signed.checkpoint.size;
    let Range { start, end } =
        if *period == Filter::default() { 0..size } else { within(node, log, size, period).await? };
    let before = Tree::from_parts(start, cover(node, log, 0, start).await?)?;
    let header = Header::part(&node.kms, log, &before, end - start, signers);
    let mut writer = BundleWriter::new(Vec::new(), &header)?;
    let mut next = start;
    while next < end {
        let left = usize::try_from(end - next).unwrap_or(PAGE).min(PAGE);
        // As they lie there, unjudged: it is the verifier who names the record that was changed, and a node that broke
        // off at it would hide the rest of the log with it.
        let page = node.store.leaves_as_kept(log, next, left).await?;
        if page.is_empty() {
            return Err(ExportError::Store(keystore::StoreError::NotFound));
        }
        for kept in &page {
            writer.record(&kept.bytes, &kept.leaf)?;
        }
        next += page.len() as u64;
        sink.send(std::mem::take(writer.get_mut())).await?;
    }
    let rest = writer.finish(&cover(node, log, end, size).await?, signed)?;
    sink.send(rest).await?;
    sink.finish().await?;
    Ok(())
}

/// The roots of the perfect subtrees between two positions.
async fn cover(node: &Node, log: LogId, from: u64, to: u64) -> Result<Vec<Hash>, keystore::StoreError> {
    let ranges: Vec<Range<u64>> =
        right_cover(from, to).into_iter().map(|(at, height)| at..at + (1 << height)).collect();
    node.store.subtree_roots(log, &ranges).await
}

/// The shortest stretch with all records of the period. Records lie in the order in which they were committed, which
/// is not quite that of their times, so every record is looked at.
async fn within(node: &Node, log: LogId, size: u64, period: &Filter) -> Result<Range<u64>, keystore::StoreError> {
    let mut found: Option<Range<u64>> = None;
    let mut next = 0;
    while next < size {
        let page = node.store.leaves_as_kept(log, next, keystore::limits::MAX_PAGE).await?;
        if page.is_empty() {
            return Err(keystore::StoreError::NotFound);
        }
        for (seq, kept) in (next..size).zip(&page) {
            // What is no record any more has no time; a bundle that left it out would hide it.
            if Record::decode(&kept.bytes).map_or(true, |record| period.is_in_period(record.time_us)) {
                found = Some(found.map_or(seq, |found| found.start)..seq + 1);
            }
        }
        next += page.len() as u64;
    }
    Ok(found.unwrap_or(size..size))
}
