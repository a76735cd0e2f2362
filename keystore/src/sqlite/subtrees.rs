//! Roots of subtrees of a log, for proofs and tiles: what is asked for again and again is kept in memory, 32 bytes for
//! every 256 records.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex as Lock, PoisonError};

use audit::{Hash, LogId, Tree, root_of};
use tokio::sync::Mutex;

use super::read::Reader;
use crate::error::StoreError;
use crate::limits::MAX_RANGES;

/// Leaves of a block. A tile of the audit log has as many.
pub(super) const BLOCK: u64 = 256;
/// Height of a block's subtree.
const BLOCK_HEIGHT: u32 = BLOCK.ilog2();
/// Leaf hashes read at a time while blocks are made.
const READ: u64 = 64 * BLOCK;

/// The roots of a log's blocks, from the first on, as many as have been needed.
type Blocks = Arc<Mutex<Vec<Hash>>>;

/// The blocks of all logs.
#[derive(Default)]
pub(super) struct Subtrees(Lock<HashMap<LogId, Blocks>>);

impl Subtrees {
    /// What was found while the logs were loaded.
    pub(super) fn put(&self, log: LogId, blocks: Vec<Hash>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(log, Arc::new(Mutex::new(blocks)));
    }

    fn of(&self, log: LogId) -> Blocks {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(log).or_default().clone()
    }
}

/// Collects block roots while leaves come in, one after the other.
#[derive(Default)]
pub(super) struct BlockBuilder {
    pub(super) blocks: Vec<Hash>,
    current: Tree,
}

impl BlockBuilder {
    pub(super) fn push(&mut self, leaf: Hash) {
        self.current.append(leaf);
        if self.current.size() == BLOCK {
            self.blocks.push(std::mem::take(&mut self.current).root());
        }
    }
}

/// The roots of these ranges of leaves; see [`crate::KeyStore::subtree_roots`].
pub(super) async fn roots(reader: &Reader, log: LogId, ranges: &[Range<u64>]) -> Result<Vec<Hash>, StoreError> {
    if ranges.len() > MAX_RANGES {
        return Err(StoreError::InvalidUnit("too many ranges"));
    }
    let (_, tree) = reader.heads.get(&log).ok_or(StoreError::NotFound)?;
    if ranges.iter().any(|range| range.end > tree.size()) {
        return Err(StoreError::NotFound);
    }
    let aligned = |range: &Range<u64>| range.end - range.start < BLOCK || range.start.is_multiple_of(BLOCK);
    if ranges.iter().any(|range| range.start >= range.end || !aligned(range)) {
        return Err(StoreError::InvalidUnit("a range that is no subtree"));
    }
    let blocks = reader.subtrees.of(log);
    let mut blocks = blocks.lock().await;
    let wanted = ranges.iter().filter(|range| range.end - range.start >= BLOCK).map(|range| range.end / BLOCK).max();
    extend(reader, log, &mut blocks, wanted.unwrap_or(0)).await?;
    let mut leaves = LeafReader { reader, log, first: 0, read: Vec::new() };
    let mut roots = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (first, last) = (range.start / BLOCK, range.end / BLOCK);
        if range.end - range.start < BLOCK {
            roots.push(root_of(&leaves.get(range.clone()).await?));
            continue;
        }
        let mut tree = Tree::new();
        let whole = index(first).zip(index(last)).and_then(|(first, last)| blocks.get(first..last));
        for block in whole.ok_or(StoreError::NotFound)? {
            tree.append_subtree(*block, BLOCK_HEIGHT).map_err(|_| StoreError::InvalidUnit("a range too long"))?;
        }
        for leaf in leaves.get(last * BLOCK..range.end).await? {
            tree.append(leaf);
        }
        roots.push(tree.root());
    }
    Ok(roots)
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// Makes the blocks up to the one of this number, if they are not there yet.
async fn extend(reader: &Reader, log: LogId, blocks: &mut Vec<Hash>, wanted: u64) -> Result<(), StoreError> {
    let mut builder = BlockBuilder::default();
    let mut at = blocks.len() as u64 * BLOCK;
    let end = wanted * BLOCK;
    while at < end {
        let to = end.min(at + READ);
        for leaf in reader.leaf_hashes(log, at, to).await? {
            builder.push(leaf);
        }
        blocks.append(&mut builder.blocks);
        at = to;
    }
    Ok(())
}

/// Leaf hashes, a block at a time: the ranges of a proof lie in few of them.
struct LeafReader<'a> {
    reader: &'a Reader,
    log: LogId,
    first: u64,
    read: Vec<Hash>,
}

impl LeafReader<'_> {
    /// The leaf hashes of a range within one or two blocks.
    async fn get(&mut self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        if range.start < self.first || range.end > self.first + self.read.len() as u64 {
            let (_, tree) = self.reader.heads.get(&self.log).ok_or(StoreError::NotFound)?;
            self.first = range.start - range.start % BLOCK;
            let end = range.end.max(tree.size().min(self.first + BLOCK));
            self.read = self.reader.leaf_hashes(self.log, self.first, end).await?;
        }
        let at = index(range.start - self.first).zip(index(range.end - self.first));
        at.and_then(|(start, end)| self.read.get(start..end)).map(<[Hash]>::to_vec).ok_or(StoreError::NotFound)
    }
}
