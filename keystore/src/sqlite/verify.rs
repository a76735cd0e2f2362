//! Comparing all that a domain has, beside the running work.
//!
//! Each part is read in a transaction of its own, as short as a page, so that the write-ahead log can be carried over
//! meanwhile. What the log says about an object is read after the object; where the two differ, the object is looked
//! at once more together with the end of the log, and only a difference that is still there is a finding.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use audit::{Hash, LogId, Record};
use secret::DomainId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use uuid::Uuid;

use super::activate::{compare, read_set};
use super::columns::{Columns, object_columns};
use super::examine::Examination;
use super::logs::last_set_digest;
use super::prepare::name_hashes;
use super::read::{Reader, believed_record, verified};
use super::statements::numbers;
use crate::canonical;
use crate::error::StoreError;
use crate::limits::{MAX_FINDINGS, VERIFY_OBJECTS, VERIFY_PAGE};
use crate::pace::Pace;
use crate::raw::{Raw, RawObject, signed, uuid_text};
use crate::row::{ObjectId, ObjectRow};
use crate::set::ActiveDomain;
use crate::store::{Finding, Verification};

/// What an object is, or was at some record: its revision and the digest of its row.
type Version = (u64, Hash);

/// The tables that index objects.
#[derive(Clone, Copy)]
enum Index {
    Terms,
    Names,
}

impl Index {
    const fn table(self) -> &'static str {
        match self {
            Self::Terms => "object_term",
            Self::Names => "object_name",
        }
    }

    /// Index rows of an object, as stored.
    fn of(self, row: &ObjectRow) -> Vec<[u8; 16]> {
        match self {
            Self::Terms => row.term_hashes(),
            Self::Names => name_hashes(row),
        }
    }

    /// How many of the pairs of hash and object in `$2` are there. The pairs drive: the other way round SQLite would
    /// look at every row of the domain.
    const fn count(self) -> &'static str {
        match self {
            Self::Terms => {
                "SELECT count(*) FROM json_each($3) CROSS JOIN object_term ON domain = $1 \
                 AND term = substr($2, 1 + 32 * value, 16) AND object = substr($2, 17 + 32 * value, 16)"
            }
            Self::Names => {
                "SELECT count(*) FROM json_each($3) CROSS JOIN object_name ON domain = $1 \
                 AND name = substr($2, 1 + 32 * value, 16) AND object = substr($2, 17 + 32 * value, 16)"
            }
        }
    }

    /// A page of index rows behind hash `$2` and object `$3`, each with the object it leads to.
    const fn page(self) -> &'static str {
        match self {
            Self::Terms => concat!(
                "SELECT ",
                object_columns!(),
                ", one.term, one.object FROM (SELECT term, object FROM object_term WHERE domain = $1 \
                 AND (term, object) > ($2, $3) ORDER BY term, object LIMIT $4) one \
                 LEFT JOIN object ON object.domain = $1 AND object.id = one.object ORDER BY one.term, one.object"
            ),
            Self::Names => concat!(
                "SELECT ",
                object_columns!(),
                ", one.name, one.object FROM (SELECT name, object FROM object_name WHERE domain = $1 \
                 AND (name, object) > ($2, $3) ORDER BY name, object LIMIT $4) one \
                 LEFT JOIN object ON object.domain = $1 AND object.id = one.object ORDER BY one.name, one.object"
            ),
        }
    }
}

pub(super) async fn verify(reader: &Reader, domain: DomainId, pace: Pace) -> Result<Verification, StoreError> {
    reader.check()?;
    let active = reader.domains.get(&domain)?;
    let log = LogId::Domain(domain);
    let (log_id, _) = reader.heads.get(&log).ok_or(StoreError::NotFound)?;
    let mut connection = reader.pool.acquire().await?;
    let mut verifier = Verifier { active, log, log_id, pace, report: Verification::default() };
    verifier.set(&mut connection).await?;
    verifier.log(&mut connection, log, log_id).await?;
    if let Some((system, _)) = reader.heads.get(&LogId::System).filter(|_| verifier.is_system()) {
        // The system's log has no domain; it is looked at with that of the administrators.
        verifier.log(&mut connection, LogId::System, system).await?;
    }
    verifier.objects(&mut connection).await?;
    for index in [Index::Terms, Index::Names] {
        verifier.index(&mut connection, index).await?;
    }
    Ok(verifier.report)
}

struct Verifier {
    active: Arc<ActiveDomain>,
    log: LogId,
    log_id: i64,
    pace: Pace,
    report: Verification,
}

impl Verifier {
    fn is_system(&self) -> bool {
        self.active.look(|members| members.row.system)
    }

    fn find(&mut self, table: &'static str, row: String, what: &'static str) {
        tracing::error!(alarm = "tampered", table, row, what, "found by verification");
        self.report.found += 1;
        if self.report.findings.len() < MAX_FINDINGS {
            self.report.findings.push(Finding { table, row, what });
        }
    }

    /// An error about one row is a finding; any other ends the verification.
    fn believe<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Tampered { table, row }) => {
                self.find(table, row, "is not what was written");
                Ok(None)
            }
            Err(StoreError::Quarantined { table, row, .. }) => {
                self.find(table, row, "cannot be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Domain, identities and tombstones, against the digest that the log told last.
    async fn set(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut snapshot = connection.begin().await?;
        let size = self.size(&mut snapshot).await?;
        let told = last_set_digest(&mut snapshot, self.log, self.log_id, size).await?;
        let read = read_set(&mut snapshot, self.active.id, &self.active.key).await;
        snapshot.rollback().await?;
        let compared = match read {
            Ok((_, set)) => compare(&set.sum.digest(&self.active.key, &self.active.id), told, self.log),
            Err(StoreError::NotFound) => Err(StoreError::tampered("domain", uuid_text(&self.active.id))),
            Err(error) => Err(error),
        };
        self.believe(compared).map(drop)
    }

    /// Records in the log, as this transaction sees it.
    async fn size(&self, connection: &mut SqliteConnection) -> Result<u64, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM audit WHERE log = $1")
            .bind(self.log_id)
            .fetch_one(connection)
            .await?;
        Ok(last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last + 1))
    }

    /// Every object with its index rows, and with its last record.
    async fn objects(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let (rows, last) = self.read_objects(connection, after).await?;
            // Behind the last page there may still be records of objects that are gone.
            let up_to = if last { None } else { rows.keys().next_back().copied() };
            let in_part = |id: &ObjectId| after.is_none_or(|after| *id > after) && up_to.is_none_or(|end| *id <= end);
            let mut told = BTreeMap::new();
            let end = self.read_log(connection, 0, &mut told, true, in_part).await?;
            let ids: HashSet<ObjectId> = rows.keys().chain(told.keys()).copied().collect();
            for id in ids {
                // A row that cannot be believed is a finding already.
                if rows.get(&id) != Some(&None) && rows.get(&id).copied().flatten() != told.get(&id).copied() {
                    self.look_again(connection, id, told.get(&id).copied(), end).await?;
                }
            }
            match up_to {
                Some(id) => after = Some(id),
                None => return Ok(()),
            }
        }
    }

    /// Objects behind `after`, as many as are held at a time; and whether these were the last. `None` stands for a
    /// row that cannot be believed.
    async fn read_objects(
        &mut self,
        connection: &mut SqliteConnection,
        mut after: Option<ObjectId>,
    ) -> Result<(BTreeMap<ObjectId, Option<Version>>, bool), StoreError> {
        let mut objects = BTreeMap::new();
        while objects.len() < VERIFY_OBJECTS {
            let mut snapshot = connection.begin().await?;
            let rows = sqlx::query(concat!(
                "SELECT ",
                object_columns!(),
                ", EXISTS (SELECT 1 FROM tombstone WHERE tombstone.domain = $1 AND tombstone.object = id) \
                 FROM object WHERE domain = $1 AND id > $2 ORDER BY id LIMIT $3"
            ))
            .bind(self.active.id.to_vec())
            .bind(after.map_or_else(Vec::new, |id| id.to_vec()))
            .bind(VERIFY_PAGE)
            .fetch_all(&mut *snapshot)
            .await?;
            if rows.is_empty() {
                return Ok((objects, true));
            }
            let mut believed = Vec::with_capacity(rows.len());
            for row in &rows {
                // The key column has its length checked by the table.
                let Ok(id) = row.try_get::<Vec<u8>, _>(1)?.try_into() else { continue };
                self.report.objects += 1;
                let read = self.read_object(&id, row)?;
                objects.insert(id, read.as_ref().map(|(_, version)| *version));
                believed.extend(read.map(|(object, _)| object));
                after = Some(id);
            }
            for index in [Index::Terms, Index::Names] {
                if !self.has_index_rows(&mut snapshot, index, &believed).await? {
                    // One of them lacks one; which, is worth asking for each.
                    for object in &believed {
                        if !self.has_index_rows(&mut snapshot, index, std::slice::from_ref(object)).await? {
                            self.find(index.table(), uuid_text(&object.id), "is missing");
                        }
                    }
                }
            }
            snapshot.rollback().await?;
            self.pace.rest().await;
        }
        Ok((objects, false))
    }

    fn read_object(&mut self, id: &ObjectId, row: &SqliteRow) -> Result<Option<(ObjectRow, Version)>, StoreError> {
        let Some((object, version)) = self.believe(versioned(&self.active, id, row))? else { return Ok(None) };
        let tombstoned: bool = row.try_get(26)?;
        if object.is_destroyed() != tombstoned {
            let what = if tombstoned { "was destroyed and is back" } else { "is destroyed without a tombstone" };
            self.find("object", uuid_text(id), what);
        }
        Ok(Some((object, version)))
    }

    /// Whether all index rows of all these objects are there.
    async fn has_index_rows(
        &self,
        connection: &mut SqliteConnection,
        index: Index,
        objects: &[ObjectRow],
    ) -> Result<bool, StoreError> {
        let mut pairs = Vec::new();
        for object in objects {
            for hash in index.of(object) {
                pairs.extend_from_slice(&hash);
                pairs.extend_from_slice(&object.id);
            }
        }
        let expected = pairs.len() / 32;
        let count: i64 = sqlx::query_scalar(index.count())
            .bind(self.active.id.to_vec())
            .bind(pairs)
            .bind(numbers(expected))
            .fetch_one(connection)
            .await?;
        Ok(usize::try_from(count) == Ok(expected))
    }

    /// The log of the domain, compared with itself.
    async fn log(&mut self, connection: &mut SqliteConnection, log: LogId, id: i64) -> Result<(), StoreError> {
        let mut pace = std::mem::replace(&mut self.pace, Pace::full());
        let find = |(table, row, what)| self.find(table, row, what);
        let records = Examination::run(connection, log, id, &mut pace, find).await?;
        self.pace = pace;
        self.report.records += records;
        Ok(())
    }

    /// Folds the log from `from` on into what it says last about each object; returns where it ended. What is no record
    /// any more is for [`Verifier::log`]. Inside a transaction nobody rests.
    async fn read_log(
        &mut self,
        connection: &mut SqliteConnection,
        from: u64,
        told: &mut BTreeMap<ObjectId, Version>,
        paced: bool,
        wanted: impl Fn(&ObjectId) -> bool,
    ) -> Result<u64, StoreError> {
        let mut next = from;
        loop {
            let rows = sqlx::query(
                "SELECT seq, leaf, record FROM audit WHERE log = $1 AND seq >= $2 AND record IS NOT NULL \
                 ORDER BY seq LIMIT $3",
            )
            .bind(self.log_id)
            .bind(signed(next)?)
            .bind(VERIFY_PAGE)
            .fetch_all(&mut *connection)
            .await?;
            if rows.is_empty() {
                return Ok(next);
            }
            for row in &rows {
                let seq = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(next);
                next = seq + 1;
                let record = believed_record(self.log, seq, row).ok().and_then(|bytes| Record::decode(&bytes).ok());
                let version = record.as_ref().and_then(version_in).filter(|(id, _)| wanted(id));
                told.extend(version);
            }
            if paced {
                self.pace.rest().await;
            }
        }
    }

    /// Compares one object with its last record, both as of one moment.
    async fn look_again(
        &mut self,
        connection: &mut SqliteConnection,
        id: ObjectId,
        told: Option<Version>,
        read_up_to: u64,
    ) -> Result<(), StoreError> {
        let mut snapshot = connection.begin().await?;
        let mut versions: BTreeMap<ObjectId, Version> = told.into_iter().map(|version| (id, version)).collect();
        self.read_log(&mut snapshot, read_up_to, &mut versions, false, |other| *other == id).await?;
        let row = sqlx::query(concat!("SELECT ", object_columns!(), " FROM object WHERE domain = $1 AND id = $2"))
            .bind(self.active.id.to_vec())
            .bind(id.to_vec())
            .fetch_optional(&mut *snapshot)
            .await?;
        snapshot.rollback().await?;
        let told = versions.get(&id).copied();
        let found = match &row {
            Some(row) => match self.believe(versioned(&self.active, &id, row))? {
                Some((_, version)) => Some(version),
                None => return Ok(()),
            },
            None => None,
        };
        let what = match (found, told) {
            _ if found == told => return Ok(()),
            (None, _) => "is gone, but the log tells of it",
            (Some(_), None) => "is told of by no record",
            (Some((found, _)), Some((told, _))) if found < told => "is older than its last record",
            (Some(_), Some(_)) => "is not what its last record tells",
        };
        self.find("object", uuid_text(&id), what);
        Ok(())
    }

    /// Every index row leads to an object that really has what the index says.
    async fn index(&mut self, connection: &mut SqliteConnection, index: Index) -> Result<(), StoreError> {
        let (mut hash, mut object) = (Vec::new(), Vec::new());
        loop {
            // One statement sees one moment.
            let rows = sqlx::query(index.page())
                .bind(self.active.id.to_vec())
                .bind(&hash)
                .bind(&object)
                .bind(VERIFY_PAGE)
                .fetch_all(&mut *connection)
                .await?;
            for row in &rows {
                (hash, object) = (row.try_get(26)?, row.try_get(27)?);
                let wrong = match row.try_get::<Option<Vec<u8>>, _>(1)? {
                    None => true,
                    // An object that cannot be believed is a finding already.
                    Some(_) => verified(&self.active, &object, row)
                        .is_ok_and(|object| !index.of(&object).iter().any(|one| one[..] == hash[..])),
                };
                if wrong {
                    self.find(index.table(), uuid_text(&object), "says what its object does not");
                }
            }
            if rows.is_empty() {
                return Ok(());
            }
            self.pace.rest().await;
        }
    }
}

fn versioned(active: &ActiveDomain, id: &ObjectId, row: &SqliteRow) -> Result<(ObjectRow, Version), StoreError> {
    let (raw, _) = RawObject::read(row).map_err(|_| StoreError::tampered("object", uuid_text(id)))?;
    let digest = canonical::digest_of(&raw.canonical());
    let object = verified(active, id, row)?;
    let revision = object.revision;
    Ok((object, (revision, digest)))
}

/// What a record says about an object, if it tells of a change.
pub(super) fn version_in(record: &Record) -> Option<(ObjectId, Version)> {
    let id = Uuid::try_parse(record.object.as_deref()?).ok()?.into_bytes();
    Some((id, (record.revision?, record.row_digest?)))
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions};

    use super::super::{open, read, statements};
    use super::*;

    /// Statements that touch many rows if SQLite takes the wrong way, and how each must find them.
    #[tokio::test]
    async fn every_index_is_used_to_its_last_column() {
        let mut connection = SqliteConnectOptions::new().connect().await.unwrap();
        open::MIGRATIONS.run(&mut connection).await.unwrap();
        let others = [
            Index::Terms.count(),
            Index::Names.count(),
            Index::Terms.page(),
            Index::Names.page(),
            statements::UPDATE_INDEX,
            read::CANDIDATES,
            read::NEWEST,
            read::NAMED,
        ];
        for sql in others.into_iter().chain(read::WALKS) {
            for statement in sql.split(';') {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
                let plan: Vec<String> = sqlx::query(explain)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap()
                    .iter()
                    .map(|row| row.get("detail"))
                    .collect();
                for line in plan.iter().filter(|line| !line.contains("json_each") && !line.contains("VIRTUAL TABLE")) {
                    let whole = !line.starts_with("SCAN") || line == "SCAN one";
                    let narrow = !line.contains("(domain=?)");
                    assert!(whole && narrow, "{statement}\n{plan:#?}");
                    let living = statement.contains("destroy_date IS NULL");
                    assert_eq!(line.contains("object_living"), living, "{statement}\n{plan:#?}");
                }
            }
        }
    }
}
