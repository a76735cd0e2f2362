//! The layout of C2SP `tlog-tiles`: a log as files that any tool of that world can read, in tiles of 256 hashes.
//!
//! ```text
//! checkpoint                      the signed note
//! tile/<level>/<index>            256 hashes: the roots of perfect subtrees of 256^level leaves
//! tile/<level>/<index>.p/<width>  the same, not yet full
//! tile/entries/<index>[.p/<w>]    256 records, each after 2 bytes of its length
//! ```
//! An index is written in groups of three digits, all but the last after an `x`: `x001/x234/067`.

use std::ops::Range;

use crate::tree::{Hash, Tree};

/// Hashes of a full tile, and records of a full bundle of entries.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree that one level of tiles stands for.
const TILE_HEIGHT: u32 = 8;
/// Levels of tiles of the largest tree.
const LEVELS: u32 = 8;
/// Name of the file with the signed head.
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of this level; on level 0 they are leaf hashes.
    Hashes(u32),
    /// Records.
    Entries,
}

/// A file of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Its place among those of its kind, from 0.
    pub index: u64,
    /// How many hashes or records it holds, 1 to [`TILE_WIDTH`].
    pub width: u64,
}

impl Tile {
    /// Its path below the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        let kind = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.index % 1_000)];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        let part = if self.width < TILE_WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("tile/{kind}/{}{part}", groups.join("/"))
    }

    /// The tile with this path; `None` for everything that [`Tile::path`] does not write.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (whole, width) = match path.split_once(".p/") {
            Some((whole, width)) => (whole, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (path, TILE_WIDTH),
        };
        let (kind, index) = whole.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level < LEVELS)?),
        };
        let digits = |group: &str| group.trim_start_matches('x').parse::<u64>().ok().filter(|group| *group < 1_000);
        let index =
            index.split('/').try_fold(0_u64, |index, group| index.checked_mul(1_000)?.checked_add(digits(group)?))?;
        let tile = Self { kind, index, width };
        // One tile has one path.
        (tile.path() == path).then_some(tile)
    }

    /// Leaves of the subtree that one of its hashes is the root of; 1 for records.
    #[must_use]
    fn span(&self) -> u64 {
        match self.kind {
            TileKind::Hashes(level) => 1_u64.checked_shl(level * TILE_HEIGHT).unwrap_or(u64::MAX),
            TileKind::Entries => 1,
        }
    }

    /// The subtrees, as ranges of leaves, whose roots it holds; for [`TileKind::Entries`] the records one by one.
    /// `None` where a tree of `size` leaves has not all of them.
    #[must_use]
    pub fn ranges(&self, size: u64) -> Option<Vec<Range<u64>>> {
        let span = self.span();
        let first = self.index.checked_mul(TILE_WIDTH)?;
        let end = first.checked_add(self.width)?.checked_mul(span)?;
        (end <= size).then(|| (first..first + self.width).map(|at| at * span..(at + 1) * span).collect())
    }
}

/// Appends a record as a bundle of entries holds it: its length in 2 bytes, and its bytes.
///
/// Records have at most [`crate::limits::MAX_RECORD_LEN`] bytes, so that the length always fits.
pub fn append_entry(bundle: &mut Vec<u8>, record: &[u8]) {
    let len = u16::try_from(record.len()).unwrap_or(u16::MAX);
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(record.get(..usize::from(len)).unwrap_or_default());
}

/// Makes the tiles of a log while its records come in, one after the other. It holds one unfinished tile per level, and
/// the places of the bundles of entries that there are not, because a record of theirs is gone.
#[derive(Clone, Debug, Default)]
pub struct TileBuilder {
    entries: Vec<u8>,
    /// Whether a record of the bundle under way is gone.
    has_hole: bool,
    /// Indexes of the full bundles that are left out, ascending, neighbours in one range.
    skipped: Vec<Range<u64>>,
    /// Per level: the hashes of the tile that is not full yet.
    levels: Vec<Vec<Hash>>,
    tree: Tree,
}

impl TileBuilder {
    /// A log without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree so far.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Adds a record, `None` where it is gone, with its leaf hash; returns the tiles that are full now, with their bytes. A
    /// bundle of entries that lacks a record is not among them: the layout has no place for a hole.
    pub fn push(&mut self, record: Option<&[u8]>, leaf: Hash) -> Vec<(Tile, Vec<u8>)> {
        match record {
            Some(record) if !self.has_hole => append_entry(&mut self.entries, record),
            Some(_) => {}
            None => {
                self.has_hole = true;
                self.entries.clear();
            }
        }
        self.tree.append(leaf);
        let mut full = Vec::new();
        if self.tree.size().is_multiple_of(TILE_WIDTH) {
            let bundle = self.tile(TileKind::Entries, TILE_WIDTH);
            if std::mem::take(&mut self.has_hole) {
                self.skip(bundle.index);
            } else {
                full.push((bundle, std::mem::take(&mut self.entries)));
            }
        }
        let mut hash = leaf;
        for level in 0..LEVELS {
            let Ok(at) = usize::try_from(level) else { break };
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            let Some(tile) = self.levels.get_mut(at) else { break };
            tile.push(hash);
            if tile.len() as u64 != TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(tile);
            hash = crate::tree::root_of(&hashes);
            full.push((self.tile(TileKind::Hashes(level), TILE_WIDTH), hashes.concat()));
        }
        full
    }

    fn skip(&mut self, index: u64) {
        match self.skipped.last_mut() {
            Some(last) if last.end == index => last.end += 1,
            _ => self.skipped.push(index..index + 1),
        }
    }

    /// The bundles of entries that there are not: first and last of each row of neighbours.
    #[must_use]
    pub fn skipped(&self) -> Vec<(Tile, Tile)> {
        let mut skipped = self.skipped.clone();
        let (full, rest) = (self.tree.size() / TILE_WIDTH, self.tree.size() % TILE_WIDTH);
        if self.has_hole {
            match skipped.last_mut() {
                Some(last) if last.end == full => last.end += 1,
                _ => skipped.push(full..full + 1),
            }
        }
        let bundle = |index| {
            let width = if index == full { rest } else { TILE_WIDTH };
            Tile { kind: TileKind::Entries, index, width }
        };
        skipped.into_iter().map(|row| (bundle(row.start), bundle(row.end - 1))).collect()
    }

    /// The tiles that are not full, with their bytes.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(Tile, Vec<u8>)> {
        let mut partial = Vec::new();
        let records = self.tree.size() % TILE_WIDTH;
        if records > 0 && !self.has_hole {
            partial.push((self.tile(TileKind::Entries, records), self.entries.clone()));
        }
        for (level, hashes) in (0..).zip(&self.levels).filter(|(_, hashes)| !hashes.is_empty()) {
            partial.push((self.tile(TileKind::Hashes(level), hashes.len() as u64), hashes.concat()));
        }
        partial
    }

    /// The last tile of a kind, of this width.
    fn tile(&self, kind: TileKind, width: u64) -> Tile {
        let span = Tile { kind, index: 0, width }.span();
        // The number of hashes of the level; a full tile has just been finished, another is under way.
        let hashes = self.tree.size() / span;
        Tile { kind, index: (hashes - width) / TILE_WIDTH, width }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tree::{leaf_hash, root_of};

    fn tile(kind: TileKind, index: u64, width: u64) -> Tile {
        Tile { kind, index, width }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let level = TileKind::Hashes;
        for (one, path) in [
            (tile(level(0), 0, 256), "tile/0/000"),
            (tile(level(1), 1_234_067, 256), "tile/1/x001/x234/067"),
            (tile(level(0), 1_000, 112), "tile/0/x001/000.p/112"),
            (tile(TileKind::Entries, 273, 112), "tile/entries/273.p/112"),
        ] {
            assert_eq!(one.path(), path);
            assert_eq!(Tile::parse(path), Some(one));
        }
    }

    #[test]
    fn other_paths_name_no_tile() {
        for path in [
            "",
            "checkpoint",
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/8/000",
            "tile/-1/000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/xx01/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/+01",
            "tile/0/000/",
            "tile/entries/../000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    /// All tiles of a log of `size` records, in the order in which they became full.
    fn build(size: u64) -> (BTreeMap<String, Vec<u8>>, Tree, Vec<Hash>) {
        let mut builder = TileBuilder::new();
        let (mut files, mut leaves) = (BTreeMap::new(), Vec::new());
        for number in 0..size {
            let record = number.to_be_bytes();
            leaves.push(leaf_hash(&record));
            for (tile, bytes) in builder.push(Some(&record), leaf_hash(&record)) {
                assert!(files.insert(tile.path(), bytes).is_none(), "{} twice", tile.path());
            }
        }
        for (tile, bytes) in builder.unfinished() {
            assert!(files.insert(tile.path(), bytes).is_none(), "{} twice", tile.path());
        }
        (files, builder.tree().clone(), leaves)
    }

    #[test]
    fn a_log_of_seventy_thousand_records_has_the_files_that_the_specification_counts() {
        // The specification's own example.
        let (files, ..) = build(70_000);
        let count = |start: &str| files.keys().filter(|path| path.starts_with(start)).count();
        assert_eq!((count("tile/0/"), count("tile/1/"), count("tile/2/"), count("tile/entries/")), (274, 2, 1, 274));
        for path in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"] {
            assert!(files.contains_key(path), "{path}");
        }
    }

    #[test]
    fn every_tile_holds_the_roots_of_its_ranges_and_every_bundle_its_records() {
        for size in [0, 1, 255, 256, 257, 511, 512, 700] {
            let (files, tree, leaves) = build(size);
            assert_eq!(tree.root(), root_of(&leaves));
            for (path, bytes) in &files {
                let tile = Tile::parse(path).unwrap();
                let ranges = tile.ranges(size).unwrap();
                assert_eq!(ranges.len() as u64, tile.width);
                let at =
                    |range: &Range<u64>| usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                let expected: Vec<u8> = match tile.kind {
                    TileKind::Hashes(_) => ranges.iter().flat_map(|range| root_of(&leaves[at(range)])).collect(),
                    TileKind::Entries => {
                        ranges.iter().flat_map(|range| [&[0, 8][..], &range.start.to_be_bytes()].concat()).collect()
                    }
                };
                assert_eq!(*bytes, expected, "{path} of {size}");
                assert!(tile.ranges(size - 1).is_none() || tile.ranges(size - 1).unwrap().len() as u64 == tile.width);
            }
        }
    }

    #[test]
    fn without_some_records_only_their_bundles_are_left_out() {
        for (size, gone, left_out) in [
            (700, vec![0], vec![("tile/entries/000", "tile/entries/000")]),
            (700, vec![255, 256], vec![("tile/entries/000", "tile/entries/001")]),
            (
                700,
                vec![3, 699],
                vec![("tile/entries/000", "tile/entries/000"), ("tile/entries/002.p/188", "tile/entries/002.p/188")],
            ),
            (700, vec![511, 512], vec![("tile/entries/001", "tile/entries/002.p/188")]),
            (512, vec![300], vec![("tile/entries/001", "tile/entries/001")]),
        ] {
            let (mut builder, mut files) = (TileBuilder::new(), BTreeMap::new());
            for number in 0_u64..size {
                let record = number.to_be_bytes();
                let kept = (!gone.contains(&number)).then_some(&record[..]);
                files.extend(
                    builder.push(kept, leaf_hash(&record)).into_iter().map(|(tile, bytes)| (tile.path(), bytes)),
                );
            }
            files.extend(builder.unfinished().into_iter().map(|(tile, bytes)| (tile.path(), bytes)));
            let skipped: Vec<_> = builder.skipped().iter().map(|(first, last)| (first.path(), last.path())).collect();
            let expected: Vec<_> =
                left_out.iter().map(|(first, last)| ((*first).to_owned(), (*last).to_owned())).collect();
            assert_eq!(skipped, expected, "{size} without {gone:?}");
            // All other files are those of the whole log, byte for byte.
            let (mut whole, ..) = build(size);
            whole.retain(|path, _| !gone.iter().any(|at| path.starts_with(&format!("tile/entries/{:03}", at / 256))));
            assert_eq!(files, whole, "{size} without {gone:?}");
        }
    }

    #[test]
    fn a_tile_beyond_the_tree_has_no_ranges() {
        assert!(tile(TileKind::Hashes(0), 0, 256).ranges(255).is_none());
        assert!(tile(TileKind::Hashes(0), 0, 255).ranges(255).is_some());
        assert!(tile(TileKind::Hashes(7), u64::MAX, 256).ranges(u64::MAX).is_none());
    }
}
