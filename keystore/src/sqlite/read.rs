//! What readers do: every row is verified before it is answered, and an index is only believed as far as the rows it
//! leads to.

use std::sync::Arc;

use audit::limits::MAX_RECORD_LEN;
use audit::{Hash, LogId, Record};
use secret::DomainId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use tokio::sync::watch;

use super::columns::{Columns, domain_columns, object_columns};
use super::logs::{Heads, place};
use super::rows::Rows;
use super::statements::numbers;
use super::subtrees::Subtrees;
use crate::error::StoreError;
use crate::index::{IndexTerm, TermHash, name_hash};
use crate::limits::{MAX_PAGE, MAX_TERMS, SCAN_PAGE};
use crate::raw::{Raw, RawDomain, RawObject, hex_text, signed, sized, uuid_text};
use crate::row::{DomainRow, ObjectId, ObjectRow};
use crate::set::{ActiveDomain, Domains};
use crate::store::{Among, KeptLeaf, StoredRecord};

/// Begins at the term that leaves the fewest; the others are look-ups. An index row without its object is shown as a
/// row of nothing.
pub(super) const CANDIDATES: &str = concat!(
    "SELECT ",
    object_columns!(),
    ", one.object FROM (SELECT object FROM object_term found \
     WHERE domain = $1 AND term = $2 AND object > $3 AND NOT EXISTS (\
     SELECT 1 FROM json_each($5) other WHERE NOT EXISTS (SELECT 1 FROM object_term has \
     WHERE has.domain = $1 AND has.term = substr($4, 1 + 16 * other.value, 16) \
     AND has.object = found.object)) ORDER BY object LIMIT $6) one \
     LEFT JOIN object ON object.domain = $1 AND object.id = one.object ORDER BY one.object"
);

/// The same from the other end.
pub(super) const NEWEST: &str = concat!(
    "SELECT ",
    object_columns!(),
    ", one.object FROM (SELECT object FROM object_term found \
     WHERE domain = $1 AND term = $2 AND object < $3 AND NOT EXISTS (\
     SELECT 1 FROM json_each($5) other WHERE NOT EXISTS (SELECT 1 FROM object_term has \
     WHERE has.domain = $1 AND has.term = substr($4, 1 + 16 * other.value, 16) \
     AND has.object = found.object)) ORDER BY object DESC LIMIT $6) one \
     LEFT JOIN object ON object.domain = $1 AND object.id = one.object ORDER BY one.object DESC"
);

/// Objects in the order of their identifiers, from one identifier on.
macro_rules! walk {
    ($from:literal) => {
        concat!("SELECT ", object_columns!(), ", id FROM object WHERE domain = $1 AND id ", $from, " LIMIT $3")
    };
}

/// All objects, or the living ones by the index that has no others.
pub(super) const WALKS: [&str; 4] = [
    walk!("> $2 ORDER BY id"),
    walk!("> $2 AND destroy_date IS NULL ORDER BY id"),
    walk!("< $2 ORDER BY id DESC"),
    walk!("< $2 AND destroy_date IS NULL ORDER BY id DESC"),
];

/// Behind every identifier: one byte longer than they are, and as large as bytes get.
const BEHIND_ALL: [u8; 17] = [0xFF; 17];

/// In which order, and from where on, objects are read.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// The lowest identifiers first, those after this one.
    After(Option<ObjectId>),
    /// The highest identifiers first, those before this one.
    Before(Option<ObjectId>),
}

/// The object that an index row leads to; a row of nothing where there is none.
pub(super) const NAMED: &str = concat!(
    "SELECT ",
    object_columns!(),
    ", one.object FROM (SELECT object FROM object_name WHERE domain = $1 AND name = $2) one \
     LEFT JOIN object ON object.domain = $1 AND object.id = one.object"
);

/// The connections that read, and what is known in memory.
pub(super) struct Reader {
    pub(super) pool: SqlitePool,
    pub(super) domains: Domains,
    pub(super) heads: Heads,
    pub(super) subtrees: Subtrees,
    pub(super) rows: Rows,
    /// Why the store has failed, once it has.
    pub(super) failure: watch::Sender<Option<Arc<str>>>,
}

impl Reader {
    /// # Errors
    /// [`StoreError::Failed`] once the store has failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.failure.borrow().as_ref() {
            Some(reason) => Err(StoreError::Failed(Arc::clone(reason))),
            None => Ok(()),
        }
    }

    pub(super) async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        self.check()?;
        let sql = concat!("SELECT ", domain_columns!(), " FROM domain ORDER BY name");
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(|row| self.domain_row(row)).collect()
    }

    fn domain_row(&self, row: &SqliteRow) -> Result<DomainRow, StoreError> {
        let id: Vec<u8> = row.try_get(0).map_err(|_| StoreError::tampered("domain", "?"))?;
        // Of an active domain the verified row is in memory.
        if let Some(active) = sized(&id, "id").ok().and_then(|id| self.domains.get(&id).ok()) {
            return Ok(active.look(|members| members.row.clone()));
        }
        let (raw, _) = RawDomain::read(row).map_err(|_| StoreError::tampered("domain", uuid_text(&id)))?;
        raw.decode().map_err(|why| StoreError::quarantined("domain", uuid_text(&id), why))
    }

    pub(super) async fn object(&self, domain: DomainId, id: ObjectId) -> Result<Option<ObjectRow>, StoreError> {
        self.check()?;
        let active = self.domains.get(&domain)?;
        // Asked before the row is read: a row read later shows the destruction that the tombstone tells of.
        let tombstoned = active.is_tombstoned(&id);
        match self.rows.get((domain, id), self.object_on_disk(&active, id)).await? {
            Some(row) if !tombstoned || row.is_destroyed() => Ok(Some(Arc::unwrap_or_clone(row))),
            None if !tombstoned => Ok(None),
            // Destroyed, and back again or gone without a trace.
            Some(_) | None => Err(StoreError::tampered("object", uuid_text(&id))),
        }
    }

    async fn object_on_disk(&self, active: &ActiveDomain, id: ObjectId) -> Result<Option<ObjectRow>, StoreError> {
        let row = sqlx::query(concat!("SELECT ", object_columns!(), " FROM object WHERE domain = $1 AND id = $2"))
            .bind(active.id.to_vec())
            .bind(id.to_vec())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| verified(active, &id, &row)).transpose()
    }

    pub(super) async fn object_named(&self, domain: DomainId, name: &str) -> Result<Option<ObjectRow>, StoreError> {
        self.check()?;
        let active = self.domains.get(&domain)?;
        let hash = name_hash(name);
        let query = sqlx::query(NAMED).bind(domain.to_vec()).bind(hash.to_vec());
        let Some(row) = query.fetch_optional(&self.pool).await? else { return Ok(None) };
        let id: Vec<u8> = row.try_get(26).map_err(|_| StoreError::tampered("object_name", "?"))?;
        let row = verified(&active, &id, &row)?;
        if !row.held_names().iter().any(|held| held == name) {
            return Err(StoreError::tampered("object_name", uuid_text(&id)));
        }
        if active.is_tombstoned(&row.id) {
            // Destroyed since the row was read, or revived by somebody: reading it again tells.
            return Ok(self.object(domain, row.id).await?.filter(|row| !row.is_destroyed()));
        }
        Ok(Some(row))
    }

    pub(super) async fn count_objects(&self, domain: DomainId) -> Result<u64, StoreError> {
        self.check()?;
        self.domains.get(&domain)?;
        let row = sqlx::query("SELECT count(*) FROM object WHERE domain = $1")
            .bind(domain.to_vec())
            .fetch_one(&self.pool)
            .await?;
        let count: i64 = row.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    pub(super) async fn search(
        &self,
        domain: DomainId,
        among: Among<'_>,
        start: Start,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.check()?;
        let terms = match among {
            Among::Living(terms) => terms,
            Among::All => &[],
        };
        if terms.len() > MAX_TERMS {
            return Err(StoreError::InvalidUnit("too many terms"));
        }
        let active = self.domains.get(&domain)?;
        let limit = i64::try_from(limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
        let (bound, with_terms) = match start {
            // The empty blob is before every identifier.
            Start::After(after) => (after.map_or_else(Vec::new, |id| id.to_vec()), CANDIDATES),
            Start::Before(before) => (before.map_or_else(|| BEHIND_ALL.to_vec(), |id| id.to_vec()), NEWEST),
        };
        let [upwards, living_upwards, downwards, living_downwards] = WALKS;
        let without_terms = match (start, among) {
            (Start::After(_), Among::All) => upwards,
            (Start::After(_), Among::Living(_)) => living_upwards,
            (Start::Before(_), Among::All) => downwards,
            (Start::Before(_), Among::Living(_)) => living_downwards,
        };
        let mut ordered: Vec<&IndexTerm> = terms.iter().collect();
        ordered.sort_by_key(|term| term.rank());
        let hashes: Vec<TermHash> = ordered.iter().map(|term| term.hash()).collect();
        let rows = match hashes.split_first() {
            None => {
                let query = sqlx::query(without_terms).bind(domain.to_vec()).bind(bound).bind(limit);
                query.fetch_all(&self.pool).await?
            }
            Some((first, others)) => {
                sqlx::query(with_terms)
                    .bind(domain.to_vec())
                    .bind(first.to_vec())
                    .bind(bound)
                    .bind(others.concat())
                    .bind(numbers(others.len()))
                    .bind(limit)
                    .fetch_all(&self.pool)
                    .await?
            }
        };
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: Vec<u8> = row.try_get(26).map_err(|_| StoreError::tampered("object", "?"))?;
            let mut row = verified(&active, &id, row)?;
            let has = row.term_hashes();
            if hashes.iter().any(|hash| has.binary_search(hash).is_err()) {
                return Err(StoreError::tampered("object_term", uuid_text(&id)));
            }
            if !row.is_destroyed() && active.is_tombstoned(&row.id) {
                // Destroyed since the rows were read, or revived by somebody: reading it again tells.
                let again = self.object(domain, row.id).await?;
                row = again.ok_or_else(|| StoreError::tampered("object", uuid_text(&id)))?;
            }
            found.push(row);
        }
        Ok(found)
    }

    pub(super) async fn records(&self, log: LogId, from: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        self.check()?;
        let (id, tree) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let limit = u64::try_from(limit.min(MAX_PAGE)).unwrap_or_default().min(tree.size().saturating_sub(from));
        let rows = sqlx::query(
            "SELECT seq, leaf, record, dropped FROM audit WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
        )
        .bind(id)
        .bind(signed(from)?)
        .bind(signed(from.saturating_add(limit))?)
        .fetch_all(&self.pool)
        .await?;
        let mut records = Vec::with_capacity(rows.len());
        for (seq, row) in (from..).zip(&rows) {
            if let Some(by) = row.try_get::<Option<i64>, _>(3)? {
                let by = u64::try_from(by).map_err(|_| StoreError::tampered("audit", place(log, seq)))?;
                let leaf = hex_text(&row.try_get::<Vec<u8>, _>(1)?);
                return Err(StoreError::Dropped { log, position: seq, by, leaf });
            }
            let bytes = believed_record(log, seq, row)?;
            records.push(StoredRecord { seq, bytes });
        }
        match u64::try_from(records.len()) {
            Ok(len) if len == limit => Ok(records),
            _ => Err(StoreError::tampered("audit", place(log, from.saturating_add(limit)))),
        }
    }

    pub(super) async fn leaves_as_kept(
        &self,
        log: LogId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<KeptLeaf>, StoreError> {
        self.check()?;
        let (id, tree) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let limit = u64::try_from(limit.min(MAX_PAGE)).unwrap_or_default().min(tree.size().saturating_sub(from));
        if limit == 0 {
            return Ok(Vec::new());
        }
        let to = from.saturating_add(limit);
        // Cut, because whoever can write to the file may have put anything there.
        let rows = sqlx::query(
            "SELECT seq, substr(leaf, 1, 33), coalesce(substr(record, 1, $4), x''), dropped FROM audit \
             WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq",
        )
        .bind(id)
        .bind(signed(from)?)
        .bind(signed(to)?)
        .bind(i64::try_from(MAX_RECORD_LEN + 1).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let mut leaves: Vec<KeptLeaf> =
            (from..to).map(|seq| KeptLeaf { seq, bytes: Vec::new(), leaf: Hash::default(), dropped: None }).collect();
        for row in &rows {
            let seq: i64 = row.try_get(0)?;
            let at = u64::try_from(seq).ok().and_then(|seq| usize::try_from(seq.checked_sub(from)?).ok());
            let Some(kept) = at.and_then(|at| leaves.get_mut(at)) else { continue };
            kept.leaf = sized(&row.try_get::<Vec<u8>, _>(1)?, "leaf").unwrap_or_default();
            kept.bytes = row.try_get(2)?;
            kept.dropped = row.try_get::<Option<i64>, _>(3)?.and_then(|by| u64::try_from(by).ok());
        }
        Ok(leaves)
    }

    pub(super) async fn leaf_hashes(&self, log: LogId, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        self.check()?;
        let (id, tree) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        if to > tree.size() {
            return Err(StoreError::NotFound);
        }
        let mut hashes = Vec::new();
        let mut next = from;
        while next < to {
            let rows = sqlx::query(
                "SELECT seq, leaf FROM audit WHERE log = $1 AND seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4",
            )
            .bind(id)
            .bind(signed(next)?)
            .bind(signed(to)?)
            .bind(SCAN_PAGE)
            .fetch_all(&self.pool)
            .await?;
            if rows.is_empty() {
                return Err(StoreError::tampered("audit", place(log, next)));
            }
            for row in &rows {
                let wrong = |_| StoreError::tampered("audit", place(log, next));
                let (seq, leaf): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                hashes.push(sized(&leaf, "leaf").map_err(wrong)?);
                if u64::try_from(seq) != Ok(next) {
                    return Err(StoreError::tampered("audit", place(log, next)));
                }
                next += 1;
            }
        }
        Ok(hashes)
    }

    pub(super) async fn latest_checkpoint(&self, log: LogId) -> Result<Option<String>, StoreError> {
        self.check()?;
        let (id, _) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let note = sqlx::query_scalar("SELECT note FROM checkpoint WHERE log = $1 ORDER BY size DESC LIMIT 1");
        Ok(note.bind(id).fetch_optional(&self.pool).await?)
    }

    pub(super) async fn checkpoint_between(
        &self,
        log: LogId,
        after: u64,
        up_to: u64,
    ) -> Result<Option<String>, StoreError> {
        self.check()?;
        let (id, _) = self.heads.get(&log).ok_or(StoreError::NotFound)?;
        let sql = "SELECT note FROM checkpoint WHERE log = $1 AND size > $2 AND size <= $3 ORDER BY size DESC LIMIT 1";
        let note = sqlx::query_scalar(sql).bind(id).bind(signed(after)?).bind(signed(up_to)?);
        Ok(note.fetch_optional(&self.pool).await?)
    }

    pub(super) async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.check()?;
        let value = sqlx::query_scalar("SELECT value FROM setting WHERE name = $1").bind(name.to_owned());
        Ok(value.fetch_optional(&self.pool).await?)
    }
}

/// A row of `object`, verified; `id` names it in errors.
pub(super) fn verified(active: &ActiveDomain, id: &[u8], row: &SqliteRow) -> Result<ObjectRow, StoreError> {
    let (raw, mac) = RawObject::read(row).map_err(|_| StoreError::tampered("object", uuid_text(id)))?;
    raw.verified(&active.key, &mac)
}

/// A row of `seq, leaf, record`: at its place, and the record that its leaf is of.
pub(super) fn believed_record(log: LogId, seq: u64, row: &SqliteRow) -> Result<Vec<u8>, StoreError> {
    let wrong = |_| StoreError::tampered("audit", place(log, seq));
    let (at, leaf): (i64, Vec<u8>) = (row.try_get(0).map_err(wrong)?, row.try_get(1).map_err(wrong)?);
    let bytes: Vec<u8> = row.try_get(2).map_err(wrong)?;
    if u64::try_from(at) != Ok(seq) || Record::leaf_hash(&bytes)[..] != leaf[..] {
        return Err(StoreError::tampered("audit", place(log, seq)));
    }
    Ok(bytes)
}
