//! Which records may go, and their going: the bytes of a record, never its leaf.

use std::collections::HashMap;

use audit::limits::MAX_DROPPED_AT_ONCE;
use audit::retention::{Dropping, is_kept};
use audit::{LogId, Record};
use secret::DomainId;
use sqlx::{Row, SqliteConnection};

use super::apply::Failure;
use super::logs::Log;
use super::read::{Reader, believed_record};
use super::statements::{numbers, refused};
use super::verify::version_in;
use crate::error::StoreError;
use crate::limits::{RETENTION_PAGE, SET_DIGEST_INTERVAL};
use crate::raw::signed;
use crate::row::ObjectId;
use crate::store::OldRecords;

/// The end of a log, where the digest of its domain's set is looked for: nothing is dropped from here on.
fn end_of(size: u64) -> u64 {
    size.saturating_sub(1) / SET_DIGEST_INTERVAL * SET_DIGEST_INTERVAL
}

/// A record that is there.
struct Found {
    seq: u64,
    record: Record,
}

impl Reader {
    /// See [`crate::KeyStore::old_records`].
    pub(super) async fn old_records(&self, log: LogId, from: u64, before_us: i64) -> Result<OldRecords, StoreError> {
        self.check()?;
        let (_, tree) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let end = end_of(tree.size());
        let to = from.saturating_add(RETENTION_PAGE).min(end);
        if from >= to {
            return Ok(OldRecords { positions: Vec::new(), next: from, end: true });
        }
        let found = self.records_between(log, from, to).await?;
        let kept = self.last_records(log, &found).await?;
        let may_go = |one: &Found| {
            one.record.time_us < before_us && !is_kept(&one.record) && !kept.get(&one.seq).copied().unwrap_or(false)
        };
        // Records lie in the order in which they were committed, which is that of their times but for moments.
        let all_young = !found.is_empty() && found.iter().all(|one| one.record.time_us >= before_us);
        let positions = found.iter().filter(|one| may_go(one)).map(|one| one.seq).collect();
        Ok(OldRecords { positions, next: to, end: all_young || to == end })
    }

    /// What the record of this dropping says, if all of it may go.
    pub(super) async fn droppable(
        &self,
        log: LogId,
        positions: &[u64],
        before_us: i64,
    ) -> Result<Dropping, StoreError> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
            return Err(StoreError::InvalidUnit("a dropping of nothing"));
        };
        if positions.len() > MAX_DROPPED_AT_ONCE || !positions.is_sorted_by(|a, b| a < b) {
            return Err(StoreError::InvalidUnit("a dropping of too much, or out of order"));
        }
        if last - first >= RETENTION_PAGE {
            return Err(StoreError::InvalidUnit("a dropping over more than a page"));
        }
        let old = self.old_records(log, *first, before_us).await?;
        if positions.iter().any(|position| old.positions.binary_search(position).is_err()) {
            return Err(StoreError::InvalidUnit("a dropping of records that stay"));
        }
        Dropping::of(positions, before_us).ok_or(StoreError::InvalidUnit("a dropping of nothing"))
    }

    /// Records that are there, each what its leaf is of: what was tampered with is for verification, and stays.
    async fn records_between(&self, log: LogId, from: u64, to: u64) -> Result<Vec<Found>, StoreError> {
        let (id, _) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let rows = sqlx::query(
            "SELECT seq, leaf, record FROM audit WHERE log = $1 AND seq >= $2 AND seq < $3 AND record IS NOT NULL \
             ORDER BY seq",
        )
        .bind(id)
        .bind(signed(from)?)
        .bind(signed(to)?)
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
            let Ok(bytes) = believed_record(log, seq, row) else { continue };
            if let Ok(record) = Record::decode(&bytes) {
                found.push(Found { seq, record });
            }
        }
        Ok(found)
    }

    /// Whether each record that tells of an object's row is the last that does: verification holds the row against it.
    /// That takes the row's number alone, not its MAC: whoever could change one could change the other's leaf as well, and
    /// verification names both.
    async fn last_records(&self, log: LogId, found: &[Found]) -> Result<HashMap<u64, bool>, StoreError> {
        let LogId::Domain(domain) = log else { return Ok(HashMap::new()) };
        let told: Vec<(u64, ObjectId, u64)> = found
            .iter()
            .filter_map(|one| version_in(&one.record).map(|(object, (revision, _))| (one.seq, object, revision)))
            .collect();
        let revisions = self.revisions(domain, &told).await?;
        let is_last = |object: &ObjectId, revision: u64| {
            // A row that is gone, or older than its record, was put back by somebody: what tells of it stays.
            revisions.get(object).is_none_or(|row| *row <= revision)
        };
        Ok(told.iter().map(|(seq, object, revision)| (*seq, is_last(object, *revision))).collect())
    }

    async fn revisions(
        &self,
        domain: DomainId,
        told: &[(u64, ObjectId, u64)],
    ) -> Result<HashMap<ObjectId, u64>, StoreError> {
        let objects: Vec<u8> = told.iter().flat_map(|(_, object, _)| *object).collect();
        let rows = sqlx::query(
            "SELECT object.id, object.revision FROM json_each($3) CROSS JOIN object \
             ON object.domain = $1 AND object.id = substr($2, 1 + 16 * value, 16)",
        )
        .bind(domain.to_vec())
        .bind(objects)
        .bind(numbers(told.len()))
        .fetch_all(&self.pool)
        .await?;
        let mut revisions = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (id, revision): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
            if let (Ok(id), Ok(revision)) = (ObjectId::try_from(id), u64::try_from(revision)) {
                revisions.insert(id, revision);
            }
        }
        Ok(revisions)
    }
}

/// Takes the bytes of these records out of the database; the record at `by` tells of it.
pub(super) async fn drop_records(
    connection: &mut SqliteConnection,
    log: &Log,
    positions: &[u64],
    by: u64,
) -> Result<(), Failure> {
    if positions.last().is_none_or(|last| *last >= end_of(log.tree.size())) {
        return Err(StoreError::InvalidUnit("a dropping at the end of a log").into());
    }
    let list: Vec<String> = positions.iter().map(u64::to_string).collect();
    let done = sqlx::query(
        "UPDATE audit SET record = NULL, dropped = $3 \
         WHERE log = $1 AND seq IN (SELECT value FROM json_each($2)) AND record IS NOT NULL",
    )
    .bind(log.id)
    .bind(format!("[{}]", list.join(",")))
    .bind(signed(by)?)
    .execute(connection)
    .await
    .map_err(refused)?;
    // Another dropping came first.
    if done.rows_affected() != positions.len() as u64 {
        return Err(StoreError::Conflict.into());
    }
    Ok(())
}
