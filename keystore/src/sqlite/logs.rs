//! The audit logs as the writer holds them: the right edge of each tree, taken up from the stored subtrees at every
//! start.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use audit::{Hash, LogId, Record, SignedCheckpoint, Tree};
use sqlx::{Row, SqliteConnection};

use super::subtrees::Hashes;
use crate::error::StoreError;
use crate::limits::SET_DIGEST_INTERVAL;
use crate::raw::sized;

/// Key of the system's log in table `log`.
const SYSTEM_LOG: i64 = 1;

/// One log.
pub(super) struct Log {
    /// Its key in table `log`.
    pub(super) id: i64,
    /// Its tree.
    pub(super) tree: Tree,
    /// The set digest in force at its end.
    pub(super) set: SetDigest,
}

/// What the last record that carries a set digest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetDigest {
    /// There is no such record.
    None,
    /// The digest.
    Known(Hash),
    /// A record that had to be looked at is not what was written.
    Unreadable(u64),
}

/// The logs with what has been committed, for readers.
#[derive(Default)]
pub(super) struct Heads(RwLock<HashMap<LogId, (i64, Tree)>>);

impl Heads {
    /// Key and tree of a log.
    pub(super) fn get(&self, log: &LogId) -> Option<(i64, Tree)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(log).cloned()
    }

    pub(super) fn put(&self, log: LogId, id: i64, tree: Tree) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(log, (id, tree));
    }

    /// All logs, the system's first.
    pub(super) fn all(&self) -> Vec<LogId> {
        let mut logs: Vec<LogId> = self.0.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        logs.sort_unstable();
        logs
    }
}

/// A record's place, for errors.
pub(super) fn place(log: LogId, seq: impl std::fmt::Display) -> String {
    format!("{log}/{seq}")
}

/// Takes up every log from the database: its right edge from the stored subtrees and from the leaves behind them.
/// Returns how many rows of leaves and subtrees that took, at most
/// [`MAX_ROWS_PER_LOG`](crate::limits::MAX_ROWS_PER_LOG) for each log.
///
/// # Errors
/// [`StoreError::Tampered`] where leaves or subtrees are missing, or the latest checkpoint of a log is not of this tree.
pub(super) async fn load(connection: &mut SqliteConnection) -> Result<(HashMap<LogId, Log>, u64), StoreError> {
    let mut by_id = read_logs(connection).await?;
    let checkpoints = read_checkpoints(connection, &by_id).await?;
    let mut rows = 0;
    for (name, log) in by_id.values_mut() {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM audit WHERE log = $1")
            .bind(log.id)
            .fetch_one(&mut *connection)
            .await?;
        let size = last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last.saturating_add(1));
        let signed = checkpoints.get(&log.id);
        if signed.is_some_and(|checkpoint| size < checkpoint.size) {
            return Err(StoreError::tampered("audit", place(*name, size)));
        }
        let mut hashes = Hashes::new(connection, *name, log.id);
        if let Some(checkpoint) = signed {
            hashes.extend(&mut log.tree, checkpoint.size).await?;
            if checkpoint.root != log.tree.root() {
                return Err(StoreError::tampered("audit", format!("{name}, first {} records", checkpoint.size)));
            }
        }
        hashes.extend(&mut log.tree, size).await?;
        rows += hashes.rows;
        log.set = last_set_digest(connection, *name, log.id, log.tree.size()).await?;
    }
    Ok((by_id.into_values().collect(), rows))
}

async fn read_logs(connection: &mut SqliteConnection) -> Result<HashMap<i64, (LogId, Log)>, StoreError> {
    let rows = sqlx::query("SELECT id, domain FROM log").fetch_all(connection).await?;
    let mut logs = HashMap::with_capacity(rows.len());
    for row in rows {
        let (id, domain): (i64, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
        let name = match (id, domain) {
            (SYSTEM_LOG, None) => LogId::System,
            (_, Some(domain)) => LogId::Domain(sized(&domain, "domain").map_err(|_| StoreError::tampered("log", id))?),
            (_, None) => return Err(StoreError::tampered("log", id)),
        };
        logs.insert(id, (name, Log { id, tree: Tree::new(), set: SetDigest::None }));
    }
    match logs.get(&SYSTEM_LOG) {
        Some((LogId::System, _)) => Ok(logs),
        _ => Err(StoreError::tampered("log", SYSTEM_LOG)),
    }
}

async fn read_checkpoints(
    connection: &mut SqliteConnection,
    logs: &HashMap<i64, (LogId, Log)>,
) -> Result<HashMap<i64, audit::Checkpoint>, StoreError> {
    let rows = sqlx::query(
        "SELECT one.log, one.size, one.note FROM checkpoint one \
         JOIN (SELECT log, max(size) AS size FROM checkpoint GROUP BY log) last \
         ON last.log = one.log AND last.size = one.size",
    )
    .fetch_all(connection)
    .await?;
    let mut checkpoints = HashMap::with_capacity(rows.len());
    for row in rows {
        let (log, size): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let note: String = row.try_get(2)?;
        let checkpoint = logs.get(&log).and_then(|(name, _)| checkpoint_of(*name, &note).ok());
        match checkpoint {
            Some(checkpoint) if u64::try_from(size) == Ok(checkpoint.size) => checkpoints.insert(log, checkpoint),
            _ => return Err(StoreError::tampered("checkpoint", format!("{log}/{size}"))),
        };
    }
    Ok(checkpoints)
}

/// Reads a signed note as a checkpoint of `log`, whatever the KMS is called. Its signature is the caller's business.
pub(super) fn checkpoint_of(log: LogId, note: &str) -> Result<audit::Checkpoint, StoreError> {
    let signed = SignedCheckpoint::parse(note).map_err(|_| StoreError::InvalidUnit("not a signed checkpoint"))?;
    match signed.checkpoint.origin.rsplit_once('/') {
        Some((_, name)) if name.parse() == Ok(log) => Ok(signed.checkpoint),
        _ => Err(StoreError::InvalidUnit("a checkpoint of another log")),
    }
}

/// Goes back from a log's end to the last record with a set digest. One stands at least at every multiple of
/// [`SET_DIGEST_INTERVAL`], if there is any; no marker in the database is trusted to say where.
pub(super) async fn last_set_digest(
    connection: &mut SqliteConnection,
    name: LogId,
    id: i64,
    size: u64,
) -> Result<SetDigest, StoreError> {
    if name == LogId::System || size == 0 {
        return Ok(SetDigest::None);
    }
    let last = size - 1;
    let first = last - last % SET_DIGEST_INTERVAL;
    let bound = |value: u64| i64::try_from(value).map_err(|_| StoreError::tampered("audit", place(name, value)));
    let rows =
        sqlx::query("SELECT seq, leaf, record FROM audit WHERE log = $1 AND seq >= $2 ORDER BY seq DESC LIMIT $3")
            .bind(id)
            .bind(bound(first)?)
            .bind(bound(SET_DIGEST_INTERVAL)?)
            .fetch_all(connection)
            .await?;
    for row in rows {
        let (seq, leaf, bytes): (i64, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let record = Record::decode(&bytes).ok().filter(|_| Record::leaf_hash(&bytes)[..] == leaf[..]);
        match record {
            None => return Ok(SetDigest::Unreadable(u64::try_from(seq).unwrap_or_default())),
            Some(Record { set_digest: Some(digest), .. }) => return Ok(SetDigest::Known(digest)),
            Some(_) => {}
        }
    }
    Ok(SetDigest::None)
}
