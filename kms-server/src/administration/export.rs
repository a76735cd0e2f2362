//! The bundle of a log, made while it is sent: pages of records, one after the other.

use std::sync::Arc;

use audit::bundle::{BundleWriter, Header, WriteError};
use audit::{LogId, PublicKey, SignedCheckpoint};

use crate::admin::{Export, ExportSink};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::checkpoint_keys;

/// Records read from the store at a time.
const PAGE: usize = 256;

/// Begins an export of all records that the checkpoint `note` covers.
pub(super) fn start(node: Arc<Node>, log: LogId, note: String) -> Result<Export, Failure> {
    let signed = SignedCheckpoint::parse(&note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
    let signers = signers(&node)?;
    let header = Header::whole(&node.kms, log, signed.checkpoint.size, &signers);
    let (sink, export) = Export::channel();
    tokio::spawn(async move {
        if let Err(error) = write(&node, log, header, &signed, sink).await {
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
enum ExportError {
    #[error("bundle: {0}")]
    Bundle(#[from] WriteError),
    #[error("store: {0}")]
    Store(#[from] keystore::StoreError),
    #[error("writing: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    NobodyReads(#[from] crate::admin::NobodyReads),
}

async fn write(
    node: &Node,
    log: LogId,
    header: Header,
    signed: &SignedCheckpoint,
    sink: ExportSink,
) -> Result<(), ExportError> {
    let size = header.count;
    let mut writer = BundleWriter::new(Vec::new(), &header)?;
    let mut next = 0;
    while next < size {
        let left = usize::try_from(size - next).unwrap_or(PAGE).min(PAGE);
        // As they lie there, unjudged: it is the verifier who names the record that was changed, and a node that broke
        // off at it would hide the rest of the log with it.
        let page = node.store.leaves_as_kept(log, next, left).await?;
        if page.is_empty() {
            return Err(ExportError::Store(keystore::StoreError::NotFound));
        }
        for kept in &page {
            writer.record(&kept.bytes, &kept.leaf)?;
        }
        next += u64::try_from(page.len()).unwrap_or(u64::MAX);
        sink.send(std::mem::take(writer.get_mut())).await?;
    }
    // The checkpoint covers exactly the records that were written, so nothing stands to their right.
    let rest = writer.finish(&[], signed)?;
    sink.send(rest).await?;
    sink.finish().await?;
    Ok(())
}
