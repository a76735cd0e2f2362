//! The bundle of a log or of a period of it, made while it is sent: pages of records, one after the other.

use std::ops::Range;
use std::sync::Arc;

use audit::bundle::{BundleWriter, Header, WriteError};
use audit::{Filter, Hash, LogId, PublicKey, Record, SignedCheckpoint, Tree, right_cover};
use keystore::KeptLeaf;
use tokio::sync::OwnedRwLockReadGuard;

use crate::admin::{Export, ExportSink};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::checkpoint_keys;

/// Records read from the store at a time.
pub(super) const PAGE: usize = 256;

/// Begins an export of the records of a period, out of all that the checkpoint `note` covers.
///
/// `alone` keeps records from being dropped until all are written.
pub(super) fn start(
    node: Arc<Node>,
    log: LogId,
    note: &str,
    period: Filter,
    alone: OwnedRwLockReadGuard<()>,
) -> Result<Export, Failure> {
    let signed = SignedCheckpoint::parse(note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
    let signers = signers(&node)?;
    let (sink, export) = Export::channel();
    tokio::spawn(async move {
        if let Err(error) = write(&node, log, &signers, &signed, &period, sink).await {
            // The sink was dropped unfinished, so the reader knows that it has only a part.
            tracing::warn!(%error, %log, "export was broken off");
        }
        drop(alone);
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
        let last = next + page.len() as u64;
        // The latest of this page: it narrows where a changed record may be, and the bundle does not grow by much.
        let between = node.store.checkpoint_between(log, next, last.min(size - 1)).await?;
        let between = between.and_then(|note| SignedCheckpoint::parse(&note).ok());
        for (at, kept) in (next + 1..).zip(&page) {
            match kept.dropped {
                None => writer.record(&kept.bytes, &kept.leaf)?,
                Some(by) => writer.dropped(by, &kept.leaf)?,
            }
            if let Some(signed) = between.as_ref().filter(|signed| signed.checkpoint.size == at) {
                writer.checkpoint(signed)?;
            }
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
    let mut stretch = Stretch::new(period);
    let mut next = 0;
    while next < size {
        let page = node.store.leaves_as_kept(log, next, keystore::limits::MAX_PAGE).await?;
        if page.is_empty() {
            return Err(keystore::StoreError::NotFound);
        }
        (next..size).zip(&page).for_each(|(seq, kept)| stretch.take(seq, kept));
        next += page.len() as u64;
    }
    Ok(stretch.end(size))
}

/// Looks for the records of a period, one position after the other.
struct Stretch<'a> {
    period: &'a Filter,
    found: Option<Range<u64>>,
    /// Where the dropped records begin that stand before the next one that is there.
    dropped: Option<u64>,
    last_us: i64,
}

impl<'a> Stretch<'a> {
    fn new(period: &'a Filter) -> Self {
        Self { period, found: None, dropped: None, last_us: i64::MIN }
    }

    fn take(&mut self, seq: u64, kept: &KeptLeaf) {
        if kept.dropped.is_some() {
            self.dropped.get_or_insert(seq);
            return;
        }
        // What is no record any more has no time; a bundle that left it out would hide it.
        let time_us = Record::decode(&kept.bytes).ok().map(|record| record.time_us);
        self.end_of_dropped(seq, time_us.unwrap_or(i64::MAX));
        if time_us.is_none_or(|time_us| self.period.is_in_period(time_us)) {
            self.find(seq, seq + 1);
        }
        self.last_us = time_us.unwrap_or(self.last_us);
    }

    /// Nobody knows the time of a dropped record; it lies between those of the records around it.
    fn end_of_dropped(&mut self, seq: u64, until_us: i64) {
        let Some(first) = self.dropped.take() else { return };
        let begins_before_the_end = self.period.until_us.is_none_or(|until| self.last_us < until);
        if begins_before_the_end && self.period.since_us.is_none_or(|since| since <= until_us) {
            self.find(first, seq);
        }
    }

    fn find(&mut self, first: u64, end: u64) {
        self.found = Some(self.found.take().map_or(first, |found| found.start)..end);
    }

    fn end(mut self, size: u64) -> Range<u64> {
        self.end_of_dropped(size, i64::MAX);
        self.found.unwrap_or(size..size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_takes_in_what_was_dropped_and_may_have_been_of_it() {
        // Records 4 and 8 of ten are there, of times 40 and 80.
        let of = |since_us, until_us| {
            let period = Filter { since_us, until_us, ..Filter::default() };
            let mut stretch = Stretch::new(&period);
            for seq in 0..10_u64 {
                let is_there = matches!(seq, 4 | 8);
                let auditor = crate::node::auditing::Auditor::new([1; 16]);
                let record = auditor.record(&crate::node::clock::Clock::default(), LogId::System, "Start");
                let time_us = i64::try_from(seq).unwrap() * 10;
                let bytes = if is_there { Record { time_us, ..record }.encode().unwrap() } else { Vec::new() };
                let dropped = (!is_there).then_some(20);
                stretch.take(seq, &KeptLeaf { seq, bytes, leaf: [0; 32], dropped });
            }
            stretch.end(10)
        };
        assert_eq!(of(None, Some(30)), 0..4);
        assert_eq!(of(Some(41), Some(60)), 5..8);
        assert_eq!(of(Some(40), Some(60)), 0..8);
        assert_eq!(of(Some(90), None), 9..10);
        assert_eq!(of(Some(0), Some(100)), 0..10);
    }
}
