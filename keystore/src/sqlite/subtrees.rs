//! Roots of subtrees of a log: of every 256 leaves, of every 256 of those, and so on, stored when they are finished, so
//! that neither a start nor a proof reads every leaf.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use audit::{Hash, LogId, Tree, right_cover, root_of};
use sqlx::{Row, SqliteConnection};

use super::logs::place;
use super::read::Reader;
use crate::error::StoreError;
use crate::limits::{MAX_CACHED_TILES, MAX_RANGES};
use crate::raw::{signed, sized};

/// Hashes of a tile, and leaves of a subtree of level 1. A tile of the audit log has as many.
pub(super) const WIDTH: u64 = 256;
/// Levels of the tree that one level of tiles stands for.
const LEVEL_HEIGHT: u32 = WIDTH.ilog2();

/// A finished subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    /// Key of its log in table `log`.
    pub(super) log: i64,
    /// It has 256^level leaves; 1 or more.
    pub(super) level: u32,
    /// Which of this level, from 0.
    pub(super) place: u64,
    /// Its root.
    pub(super) root: Hash,
}

/// Adds a leaf, and notes the stored subtrees that end with it.
pub(super) fn append(tree: &mut Tree, log: i64, leaf: Hash, mut note: impl FnMut(Finished)) {
    let end = tree.size() + 1;
    tree.append_noting(leaf, |height, root| {
        if height > 0 && height.is_multiple_of(LEVEL_HEIGHT) {
            note(Finished { log, level: height / LEVEL_HEIGHT, place: (end >> height) - 1, root: *root });
        }
    });
}

/// Hashes by level and tile.
type Tiles = HashMap<(u32, u64), Arc<Vec<Hash>>>;

/// Whole tiles of all logs that were asked for lately.
#[derive(Default)]
pub(super) struct Subtrees(Mutex<HashMap<LogId, Tiles>>);

impl Subtrees {
    fn get(&self, log: LogId, tile: (u32, u64)) -> Option<Arc<Vec<Hash>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&log)?.get(&tile).cloned()
    }

    fn keep(&self, log: LogId, tile: (u32, u64), hashes: &Arc<Vec<Hash>>) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.values().map(HashMap::len).sum::<usize>() >= MAX_CACHED_TILES {
            logs.clear();
        }
        logs.entry(log).or_default().insert(tile, Arc::clone(hashes));
    }
}

/// Reads the hashes of one log, a tile at a time.
pub(super) struct Hashes<'c> {
    connection: &'c mut SqliteConnection,
    log: LogId,
    id: i64,
    tiles: Tiles,
    /// Rows read so far.
    pub(super) rows: u64,
}

impl<'c> Hashes<'c> {
    pub(super) fn new(connection: &'c mut SqliteConnection, log: LogId, id: i64) -> Self {
        Self { connection, log, id, tiles: Tiles::new(), rows: 0 }
    }

    /// Hashes of a level, of leaves on level 0, by their places.
    async fn get(&mut self, level: u32, places: Range<u64>, kept: Option<&Subtrees>) -> Result<Vec<Hash>, StoreError> {
        let mut hashes = Vec::new();
        let mut at = places.start;
        while at < places.end {
            let (tile, from) = (at / WIDTH, at % WIDTH);
            let to = (places.end - tile * WIDTH).min(WIDTH);
            let found = self.tile(level, tile, to, kept).await?;
            let part = index(from).zip(index(to)).and_then(|(from, to)| found.get(from..to));
            hashes.extend_from_slice(part.ok_or_else(|| self.missing(level, at))?);
            at = tile * WIDTH + to;
        }
        Ok(hashes)
    }

    /// The first hashes of a tile: at least `width`, or it is not whole.
    async fn tile(
        &mut self,
        level: u32,
        tile: u64,
        width: u64,
        kept: Option<&Subtrees>,
    ) -> Result<Arc<Vec<Hash>>, StoreError> {
        let is_enough = |hashes: &Arc<Vec<Hash>>| hashes.len() as u64 >= width;
        if let Some(hashes) = self.tiles.get(&(level, tile)).filter(|hashes| is_enough(hashes)) {
            return Ok(Arc::clone(hashes));
        }
        if let Some(hashes) = kept.and_then(|kept| kept.get(self.log, (level, tile))) {
            return Ok(hashes);
        }
        let sql = if level == 0 {
            "SELECT seq, leaf FROM audit WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq"
        } else {
            "SELECT place, root FROM subtree WHERE log = $1 AND place >= $2 AND place < $3 AND level = $4 ORDER BY place"
        };
        let first = tile * WIDTH;
        let query = sqlx::query(sql).bind(self.id).bind(signed(first)?).bind(signed(first + WIDTH)?);
        let query = if level == 0 { query } else { query.bind(i64::from(level)) };
        let rows = query.fetch_all(&mut *self.connection).await?;
        self.rows += rows.len() as u64;
        let mut hashes = Vec::with_capacity(rows.len());
        for (expected, row) in (first..).zip(&rows) {
            let (at, hash): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let hash = sized(&hash, "hash").ok().filter(|_| u64::try_from(at) == Ok(expected));
            hashes.push(hash.ok_or_else(|| self.missing(level, expected))?);
        }
        if (hashes.len() as u64) < width {
            return Err(self.missing(level, first + hashes.len() as u64));
        }
        let hashes = Arc::new(hashes);
        self.tiles.insert((level, tile), Arc::clone(&hashes));
        if let Some(kept) = kept.filter(|_| hashes.len() as u64 == WIDTH) {
            kept.keep(self.log, (level, tile), &hashes);
        }
        Ok(hashes)
    }

    fn missing(&self, level: u32, at: u64) -> StoreError {
        if level == 0 {
            StoreError::tampered("audit", place(self.log, at))
        } else {
            StoreError::tampered("subtree", place(self.log, format!("{level}/{at}")))
        }
    }

    /// Takes `tree`, of the leaves from `origin` on, up to the leaf before `end`.
    async fn grow(
        &mut self,
        tree: &mut Tree,
        origin: u64,
        end: u64,
        kept: Option<&Subtrees>,
    ) -> Result<(), StoreError> {
        for (at, height) in right_cover(tree.size(), end - origin) {
            let at = origin + at;
            // The highest level that both the subtree and its place allow.
            let level = height.min(at.trailing_zeros()) / LEVEL_HEIGHT;
            let bits = level * LEVEL_HEIGHT;
            let first = at >> bits;
            let roots = self.get(level, first..first + (1 << (height - bits)), kept).await?;
            tree.append_subtree(root_of(&roots), height).map_err(|_| StoreError::InvalidUnit("a range too long"))?;
        }
        Ok(())
    }

    /// Takes the tree of a log up to `size` leaves.
    pub(super) async fn extend(&mut self, tree: &mut Tree, size: u64) -> Result<(), StoreError> {
        self.grow(tree, 0, size, None).await
    }
}

/// The roots of these ranges of leaves; see [`crate::KeyStore::subtree_roots`].
pub(super) async fn roots(reader: &Reader, log: LogId, ranges: &[Range<u64>]) -> Result<Vec<Hash>, StoreError> {
    if ranges.len() > MAX_RANGES {
        return Err(StoreError::InvalidUnit("too many ranges"));
    }
    let (id, tree) = reader.heads.get(&log).ok_or(StoreError::NotFound)?;
    if ranges.iter().any(|range| range.end > tree.size()) {
        return Err(StoreError::NotFound);
    }
    let aligned = |range: &Range<u64>| range.end - range.start < WIDTH || range.start.is_multiple_of(WIDTH);
    if ranges.iter().any(|range| range.start >= range.end || !aligned(range)) {
        return Err(StoreError::InvalidUnit("a range that is no subtree"));
    }
    let mut connection = reader.pool.acquire().await?;
    let mut hashes = Hashes::new(&mut connection, log, id);
    let mut roots = Vec::with_capacity(ranges.len());
    for range in ranges {
        let mut tree = Tree::new();
        if range.end - range.start < WIDTH {
            tree_of(&mut tree, &hashes.get(0, range.clone(), Some(&reader.subtrees)).await?);
        } else {
            hashes.grow(&mut tree, range.start, range.end, Some(&reader.subtrees)).await?;
        }
        roots.push(tree.root());
    }
    Ok(roots)
}

fn tree_of(tree: &mut Tree, leaves: &[Hash]) {
    leaves.iter().for_each(|leaf| tree.append(*leaf));
}

fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// Finished subtrees for one INSERT: a list of log, level and place, and one blob of roots.
pub(super) async fn insert(connection: &mut SqliteConnection, finished: &[Finished]) -> Result<(), StoreError> {
    let mut places = String::new();
    let mut roots = Vec::with_capacity(finished.len() * 32);
    for one in finished {
        let separator = if places.is_empty() { '[' } else { ',' };
        places.push_str(&format!("{separator}[{},{},{},{}]", one.log, one.level, one.place, roots.len() + 1));
        roots.extend_from_slice(&one.root);
    }
    places.push(']');
    // What stands where nothing has been finished yet was put there by somebody else.
    sqlx::query(
        "INSERT OR REPLACE INTO subtree (log, level, place, root) \
         SELECT value ->> 0, value ->> 1, value ->> 2, substr($2, value ->> 3, 32) FROM json_each($1)",
    )
    .bind(places)
    .bind(roots)
    .execute(connection)
    .await?;
    Ok(())
}
