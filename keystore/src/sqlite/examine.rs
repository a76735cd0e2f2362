//! Comparing a log with itself: every record with its leaf, the leaves with the stored subtrees and with the last
//! checkpoint, and every record that is gone with the one that tells that it was dropped.

use std::collections::HashMap;

use audit::limits::MAX_DROPPED_AT_ONCE;
use audit::retention::{Dropping, tells};
use audit::{Checkpoint, Hash, LogId, Record, Tree};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::logs::{checkpoint_of, place};
use super::read::believed_record;
use super::subtrees::{self, Finished};
use crate::error::StoreError;
use crate::limits::VERIFY_PAGE;
use crate::pace::Pace;
use crate::raw::{signed, sized};

/// Something that is not what was written: table, row, what about it.
pub(super) type Wrong = (&'static str, String, &'static str);

/// A pass over one log.
pub(super) struct Examination {
    log: LogId,
    id: i64,
    tree: Tree,
    /// Whether every leaf so far was there: only then the tree means anything.
    is_whole: bool,
    checkpoint: Option<Checkpoint>,
    /// Lowest and highest position that is gone, by the record that is said to tell of it.
    gone: HashMap<u64, (u64, u64)>,
    told: HashMap<u64, (u64, u64)>,
    /// Records and leaves looked at.
    pub(super) records: u64,
    /// What was found.
    pub(super) wrong: Vec<Wrong>,
}

impl Examination {
    /// Reads a log from its first leaf to its last, a page at a time.
    ///
    /// # Errors
    /// Of the database; what is wrong with the log is in [`Examination::wrong`].
    pub(super) async fn run(
        connection: &mut SqliteConnection,
        log: LogId,
        id: i64,
        pace: &mut Pace,
        mut find: impl FnMut(Wrong),
    ) -> Result<u64, StoreError> {
        let note: Option<String> =
            sqlx::query_scalar("SELECT note FROM checkpoint WHERE log = $1 ORDER BY size DESC LIMIT 1")
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
        let mut one = Self {
            log,
            id,
            tree: Tree::new(),
            is_whole: true,
            checkpoint: note.and_then(|note| checkpoint_of(log, &note).ok()),
            gone: HashMap::new(),
            told: HashMap::new(),
            records: 0,
            wrong: Vec::new(),
        };
        let mut next = 0;
        loop {
            let rows = sqlx::query(
                "SELECT seq, leaf, record, dropped FROM audit WHERE log = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
            )
            .bind(id)
            .bind(signed(next)?)
            .bind(VERIFY_PAGE)
            .fetch_all(&mut *connection)
            .await?;
            if rows.is_empty() {
                break;
            }
            let mut finished = Vec::new();
            for row in &rows {
                next = one.row(connection, next, row, &mut finished).await?;
            }
            one.subtrees(connection, &finished).await?;
            one.wrong.drain(..).for_each(&mut find);
            pace.rest().await;
        }
        one.untold();
        one.wrong.drain(..).for_each(find);
        Ok(one.records)
    }

    fn find(&mut self, seq: u64, what: &'static str) {
        self.wrong.push(("audit", place(self.log, seq), what));
    }

    /// Looks at one position; returns the next.
    async fn row(
        &mut self,
        connection: &mut SqliteConnection,
        expected: u64,
        row: &SqliteRow,
        finished: &mut Vec<Finished>,
    ) -> Result<u64, StoreError> {
        const WRONG: &str = "is not what was written";
        let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
        self.records += 1;
        if seq != expected {
            // A position that is missing; reading goes on behind it.
            self.find(expected, WRONG);
            self.is_whole = false;
        }
        match sized::<32>(&row.try_get::<Vec<u8>, _>(1)?, "leaf") {
            Ok(leaf) if self.is_whole => self.leaf(leaf, finished),
            Ok(_) => {}
            Err(_) => self.is_whole = false,
        }
        if let Some(by) = row.try_get::<Option<i64>, _>(3)? {
            let by = u64::try_from(by).unwrap_or_default();
            let range = self.gone.entry(by).or_insert((seq, seq));
            range.1 = seq;
            return Ok(seq + 1);
        }
        match believed_record(self.log, seq, row).map(|bytes| Record::decode(&bytes)) {
            Err(_) => self.find(seq, WRONG),
            Ok(Err(_)) => self.find(seq, "cannot be read"),
            Ok(Ok(record)) if tells(&record) => self.dropping(connection, seq, &record).await?,
            Ok(Ok(_)) => {}
        }
        Ok(seq + 1)
    }

    fn leaf(&mut self, leaf: Hash, finished: &mut Vec<Finished>) {
        subtrees::append(&mut self.tree, self.id, leaf, |one| finished.push(one));
        let signed = self.checkpoint.as_ref().filter(|signed| signed.size == self.tree.size());
        if signed.is_some_and(|signed| signed.root != self.tree.root()) {
            self.wrong.push((
                "audit",
                format!("{}, first {} records", self.log, self.tree.size()),
                "are not what was signed",
            ));
        }
    }

    /// The positions that are gone must be those that the record tells of, all of them and no other.
    async fn dropping(
        &mut self,
        connection: &mut SqliteConnection,
        by: u64,
        record: &Record,
    ) -> Result<(), StoreError> {
        let Some(told) = record.detail.as_deref().and_then(Dropping::parse) else {
            self.find(by, "tells of a dropping in words that are not ours");
            return Ok(());
        };
        let rows = sqlx::query(
            "SELECT seq FROM audit WHERE log = $1 AND seq >= $2 AND seq <= $3 AND dropped = $4 ORDER BY seq LIMIT $5",
        )
        .bind(self.id)
        .bind(signed(told.first)?)
        .bind(signed(told.last)?)
        .bind(signed(by)?)
        .bind(i64::try_from(MAX_DROPPED_AT_ONCE + 1).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        let mut positions = Vec::with_capacity(rows.len());
        for row in &rows {
            positions.push(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default());
        }
        let is_same = Dropping::of(&positions, 0).is_some_and(|found| {
            (found.first, found.last, found.count, found.digest) == (told.first, told.last, told.count, told.digest)
        });
        if is_same {
            self.told.insert(by, (told.first, told.last));
        } else {
            self.find(by, "tells of other records than those that are gone");
        }
        Ok(())
    }

    /// What is gone and was not told of.
    fn untold(&mut self) {
        let mut untold: Vec<u64> = Vec::new();
        for (by, range) in &self.gone {
            if self.told.get(by) != Some(range) {
                untold.push(range.0);
            }
        }
        untold.sort_unstable();
        for seq in untold {
            self.find(seq, "is gone, and the log does not tell that it was dropped");
        }
    }

    async fn subtrees(&mut self, connection: &mut SqliteConnection, finished: &[Finished]) -> Result<(), StoreError> {
        let mut levels: HashMap<u32, Vec<Finished>> = HashMap::new();
        for one in finished {
            levels.entry(one.level).or_default().push(*one);
        }
        for (level, made) in levels {
            let (Some(first), Some(last)) = (made.first(), made.last()) else { continue };
            let rows = sqlx::query(
                "SELECT place, root FROM subtree WHERE log = $1 AND level = $2 AND place >= $3 AND place <= $4",
            )
            .bind(self.id)
            .bind(i64::from(level))
            .bind(signed(first.place)?)
            .bind(signed(last.place)?)
            .fetch_all(&mut *connection)
            .await?;
            let mut stored = HashMap::with_capacity(rows.len());
            for row in &rows {
                stored.insert(row.try_get::<i64, _>(0)?, row.try_get::<Vec<u8>, _>(1)?);
            }
            for one in &made {
                if stored.get(&signed(one.place)?).is_none_or(|root| root[..] != one.root[..]) {
                    let row = place(self.log, format!("{level}/{}", one.place));
                    self.wrong.push(("subtree", row, "is not what its leaves give"));
                }
            }
        }
        Ok(())
    }
}
