//! One unit inside the group's transaction: its statements in a savepoint, its place in the logs, its effect on sets.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use audit::{Hash, LogId, Record, Tree};
use secret::DomainId;
use sqlx::{Row, SqliteConnection};

use super::columns::{Columns, domain_columns, identity_columns};
use super::logs::{Log, SetDigest, checkpoint_of};
use super::prepare::{Op, Prepared, PreparedRecord};
use super::retention::drop_records;
use super::statements::{create_object, put_setting, refused, restore_object, update_object};
use super::subtrees::{self, Finished};
use crate::error::StoreError;
use crate::limits::SET_DIGEST_INTERVAL;
use crate::mac::Mac;
use crate::raw::{Raw, RawDomain, RawIdentity, RawTombstone, hex_text, signed, uuid_text};
use crate::row::{DomainRow, Fingerprint, IdentityRow, ObjectId};
use crate::set::{ActiveDomain, SetSum, element};
use crate::unit::Committed;

/// Why a unit was not applied.
pub(super) enum Failure {
    /// It undoes itself; the group goes on.
    Rejected(StoreError),
    /// The database does not do what it is told; nothing more may be tried.
    Fatal(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Rejected(error)
    }
}

/// The set of an active domain as the writer needs it: elements' MACs, not rows.
pub(super) struct WriterSet {
    pub(super) sum: SetSum,
    pub(super) row: (u64, Mac),
    pub(super) identities: HashMap<Fingerprint, (u64, Mac)>,
}

/// What a unit does to one set, until the unit is known to have succeeded.
struct SetChange {
    sum: SetSum,
    row: Option<(u64, Mac)>,
    identities: HashMap<Fingerprint, Option<(u64, Mac)>>,
}

/// What readers learn after the commit.
pub(super) enum News {
    Domain(Arc<ActiveDomain>),
    Row(Arc<ActiveDomain>, DomainRow),
    Identity(Arc<ActiveDomain>, IdentityRow),
    NoIdentity(Arc<ActiveDomain>, Fingerprint),
    Tombstone(Arc<ActiveDomain>, ObjectId),
}

impl News {
    pub(super) fn tell(self, domains: &crate::set::Domains) {
        match self {
            Self::Domain(domain) => domains.put(domain),
            Self::Row(domain, row) => domain.change(|members| members.row = row),
            Self::Identity(domain, row) => domain.change(|members| {
                members.identities.insert(row.fingerprint, row);
            }),
            Self::NoIdentity(domain, fingerprint) => domain.change(|members| {
                members.identities.remove(&fingerprint);
            }),
            Self::Tombstone(domain, object) => domain.change(|members| {
                members.tombstones.insert(object);
            }),
        }
    }
}

/// A record at its place.
pub(super) struct Leaf {
    pub(super) log: i64,
    pub(super) seq: u64,
    pub(super) hash: Hash,
    pub(super) bytes: Vec<u8>,
}

/// The writer's memory: what it knows to be in the database once the running group is committed.
pub(super) struct Memory {
    pub(super) logs: HashMap<LogId, Log>,
    pub(super) sets: HashMap<DomainId, WriterSet>,
}

/// A unit being applied.
pub(super) struct Application<'m> {
    memory: &'m mut Memory,
    new_logs: HashMap<LogId, i64>,
    /// Positions given to records of this unit, so far.
    given: HashMap<LogId, u64>,
    /// Set digests that records of this unit told, so far.
    told: HashMap<LogId, Hash>,
    changes: HashMap<DomainId, SetChange>,
    leaves: Vec<(LogId, Leaf)>,
    news: Vec<News>,
}

/// What an applied unit leaves to be done.
pub(super) struct Applied {
    pub(super) committed: Committed,
    pub(super) leaves: Vec<Leaf>,
    pub(super) finished: Vec<Finished>,
    pub(super) news: Vec<News>,
}

impl<'m> Application<'m> {
    pub(super) fn new(memory: &'m mut Memory) -> Self {
        Self {
            memory,
            new_logs: HashMap::new(),
            given: HashMap::new(),
            told: HashMap::new(),
            changes: HashMap::new(),
            leaves: Vec::new(),
            news: Vec::new(),
        }
    }

    /// Runs every step. Nothing is remembered yet: [`Application::keep`] does that, and dropping forgets.
    pub(super) async fn run(&mut self, connection: &mut SqliteConnection, unit: Prepared) -> Result<(), Failure> {
        for step in unit.steps {
            // The position of the record is known before the record is complete: tombstones name it.
            let seq = match &step.record {
                Some(record) => Some(self.next_position(record.record.log, &step.ops)?),
                None => None,
            };
            let (early, late) = match step.record {
                // Only the digest of a set has to wait for what the step does.
                Some(record) if record.set_of.is_some() => (None, Some(record)),
                record => (record, None),
            };
            if let (Some(record), Some(seq)) = (early, seq) {
                self.append(Cow::Owned(record), seq)?;
            }
            for op in step.ops {
                self.op(&mut *connection, op, seq).await?;
            }
            if let (Some(record), Some(seq)) = (late, seq) {
                self.append(Cow::Owned(record), seq)?;
            }
        }
        Ok(())
    }

    /// Gives a record its place without looking at what it tells of.
    pub(super) fn place(&mut self, record: Cow<'_, PreparedRecord>) -> Result<(), StoreError> {
        let seq = self.next_position(record.record.log, &[])?;
        self.append(record, seq)
    }

    /// Appends the records of a unit that changes nothing.
    pub(super) fn run_records(&mut self, unit: Prepared) -> Result<(), StoreError> {
        for record in unit.steps.into_iter().filter_map(|step| step.record) {
            self.place(Cow::Owned(record))?;
        }
        Ok(())
    }

    fn next_position(&self, log: LogId, ops: &[Op]) -> Result<u64, StoreError> {
        let begins = |op: &Op| matches!(op, Op::CreateDomain { domain, .. } if LogId::Domain(domain.id) == log);
        let start = match self.memory.logs.get(&log) {
            Some(log) => log.tree.size(),
            None if self.new_logs.contains_key(&log) || ops.iter().any(begins) => 0,
            None => return Err(StoreError::NotFound),
        };
        Ok(start + self.given.get(&log).copied().unwrap_or(0))
    }

    fn append(&mut self, prepared: Cow<'_, PreparedRecord>, seq: u64) -> Result<(), StoreError> {
        let log = prepared.record.log;
        let digest = match &prepared.set_of {
            Some(domain) => {
                let digest = self.change_of(domain)?.sum.digest(&domain.key, &domain.id);
                self.told.insert(log, digest);
                Some(digest)
            }
            None if seq.is_multiple_of(SET_DIGEST_INTERVAL) => self.digest_in_force(&log),
            None => None,
        };
        let (leaf, bytes) = if digest.is_some() {
            let record = Record { set_digest: digest, ..prepared.into_owned().record };
            let bytes = record.encode().map_err(StoreError::Record)?;
            (Record::leaf_hash(&bytes), bytes)
        } else {
            let leaf = prepared.leaf;
            (
                leaf,
                match prepared {
                    Cow::Owned(prepared) => prepared.bytes,
                    Cow::Borrowed(prepared) => prepared.bytes.clone(),
                },
            )
        };
        let id = match (self.memory.logs.get(&log), self.new_logs.get(&log)) {
            (Some(log), _) => log.id,
            (None, Some(id)) => *id,
            (None, None) => return Err(StoreError::NotFound),
        };
        *self.given.entry(log).or_default() += 1;
        self.leaves.push((log, Leaf { log: id, seq, hash: leaf, bytes }));
        Ok(())
    }

    fn digest_in_force(&self, log: &LogId) -> Option<Hash> {
        let known = self.memory.logs.get(log).and_then(|log| match log.set {
            SetDigest::Known(digest) => Some(digest),
            SetDigest::None | SetDigest::Unreadable(_) => None,
        });
        self.told.get(log).copied().or(known)
    }

    /// The unit succeeded: the writer remembers what it did.
    pub(super) fn keep(self) -> Applied {
        for (log, id) in self.new_logs {
            self.memory.logs.insert(log, Log { id, tree: Tree::new(), set: SetDigest::None });
        }
        let mut applied = Applied {
            committed: Committed { positions: Vec::with_capacity(self.leaves.len()) },
            leaves: Vec::with_capacity(self.leaves.len()),
            finished: Vec::new(),
            news: self.news,
        };
        for (name, leaf) in self.leaves {
            if let Some(log) = self.memory.logs.get_mut(&name) {
                subtrees::append(&mut log.tree, log.id, leaf.hash, |one| applied.finished.push(one));
            }
            applied.committed.positions.push((name, leaf.seq));
            applied.leaves.push(leaf);
        }
        for (name, digest) in self.told {
            if let Some(log) = self.memory.logs.get_mut(&name) {
                log.set = SetDigest::Known(digest);
            }
        }
        for (domain, change) in self.changes {
            let Some(row) = change.row.or_else(|| self.memory.sets.get(&domain).map(|set| set.row)) else { continue };
            let set = self.memory.sets.entry(domain).or_insert_with(|| WriterSet {
                sum: SetSum::default(),
                row,
                identities: HashMap::new(),
            });
            set.sum = change.sum;
            set.row = row;
            for (fingerprint, identity) in change.identities {
                match identity {
                    Some(identity) => set.identities.insert(fingerprint, identity),
                    None => set.identities.remove(&fingerprint),
                };
            }
        }
        applied
    }

    fn change_of(&mut self, domain: &ActiveDomain) -> Result<&mut SetChange, StoreError> {
        if !self.changes.contains_key(&domain.id) {
            // Deactivated while the unit waited: the writer no longer knows the set.
            let set = self.memory.sets.get(&domain.id).ok_or(StoreError::Inactive(domain.id))?;
            self.changes.insert(domain.id, SetChange { sum: set.sum, row: None, identities: HashMap::new() });
        }
        self.changes.get_mut(&domain.id).ok_or(StoreError::Inactive(domain.id))
    }

    fn domain_in_force(&self, domain: &DomainId) -> Option<(u64, Mac)> {
        let changed = self.changes.get(domain).and_then(|change| change.row);
        changed.or_else(|| self.memory.sets.get(domain).map(|set| set.row))
    }

    fn identity_in_force(&self, domain: &DomainId, fingerprint: &Fingerprint) -> Option<(u64, Mac)> {
        match self.changes.get(domain).and_then(|change| change.identities.get(fingerprint)) {
            Some(changed) => *changed,
            None => self.memory.sets.get(domain)?.identities.get(fingerprint).copied(),
        }
    }

    async fn op(&mut self, connection: &mut SqliteConnection, op: Op, seq: Option<u64>) -> Result<(), Failure> {
        match op {
            Op::CreateObject { raw, mac, index } => create_object(connection, *raw, &mac, index).await,
            Op::RestoreObject { raw, mac, index } => restore_object(connection, *raw, &mac, index).await,
            Op::UpdateObject { raw, mac, expected, index } => {
                update_object(connection, *raw, &mac, expected, index).await
            }
            Op::Tombstone { domain, object } => {
                let leaf = seq.ok_or(StoreError::InvalidUnit("a destruction without a record"))?;
                self.tombstone(connection, domain, object, leaf).await
            }
            Op::CreateDomain { domain, raw } => self.create_domain(connection, domain, raw).await,
            Op::UpdateDomain { domain, row } => self.update_domain(connection, domain, row).await,
            Op::PutIdentity { domain, row } => self.put_identity(connection, domain, row).await,
            Op::RemoveIdentity { domain, fingerprint } => self.remove_identity(connection, domain, fingerprint).await,
            Op::DropRecords { log, positions } => {
                let by = seq.ok_or(StoreError::InvalidUnit("a dropping without a record"))?;
                let log = self.memory.logs.get(&log).ok_or(StoreError::NotFound)?;
                drop_records(connection, log, &positions, by).await
            }
            Op::PutSetting { name, value } => put_setting(connection, name, value).await,
            Op::PutCheckpoint { log, size, note } => self.put_checkpoint(connection, log, size, note).await,
        }
    }

    async fn tombstone(
        &mut self,
        connection: &mut SqliteConnection,
        domain: Arc<ActiveDomain>,
        object: ObjectId,
        leaf: u64,
    ) -> Result<(), Failure> {
        let raw = RawTombstone::of(domain.id, object, leaf)?;
        let own = element(&domain.key, &raw);
        self.change_of(&domain)?.sum.add(&own);
        let mac = raw.mac(&domain.key);
        let sql = "INSERT INTO tombstone (domain, object, leaf, mac) VALUES ($1, $2, $3, $4)";
        raw.bind(sqlx::query(sql), &mac).execute(connection).await.map_err(refused)?;
        self.news.push(News::Tombstone(domain, object));
        Ok(())
    }

    async fn create_domain(
        &mut self,
        connection: &mut SqliteConnection,
        domain: Arc<ActiveDomain>,
        raw: RawDomain,
    ) -> Result<(), Failure> {
        let (own, mac) = (element(&domain.key, &raw), raw.mac(&domain.key));
        let revision = domain.look(|members| members.row.revision);
        let sql = concat!(
            "INSERT INTO domain (",
            domain_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17); \
             INSERT INTO log (domain) VALUES ($1) RETURNING id"
        );
        let row = raw.bind(sqlx::query(sql), &mac).fetch_all(connection).await.map_err(refused)?;
        let id = row.first().ok_or_else(no_row)?.try_get(0).map_err(|error| Failure::Fatal(error.into()))?;
        let mut sum = SetSum::default();
        sum.add(&own);
        let change = SetChange { sum, row: Some((revision, own)), identities: HashMap::new() };
        self.changes.insert(domain.id, change);
        self.new_logs.insert(LogId::Domain(domain.id), id);
        self.news.push(News::Domain(domain));
        Ok(())
    }

    async fn update_domain(
        &mut self,
        connection: &mut SqliteConnection,
        domain: Arc<ActiveDomain>,
        mut row: DomainRow,
    ) -> Result<(), Failure> {
        let (revision, old) = self.domain_in_force(&domain.id).ok_or(StoreError::Inactive(domain.id))?;
        if revision != row.revision {
            return Err(StoreError::Conflict.into());
        }
        row.revision += 1;
        let raw = RawDomain::of(&row, row.revision)?;
        let (own, mac) = (element(&domain.key, &raw), raw.mac(&domain.key));
        let sql = "UPDATE domain SET name = $2, state = $3, revision = $4, created_us = $5, domain_key = $6, \
                   secret = $7, policy = $8, system = $9, authority = $10, permissions = $11, \
                   defaults = $12, constraints = $13, requests = $14, retention = $15, \
                   backups = $16, mac = $17 \
                   WHERE id = $1 AND revision = $4 - 1";
        let done = raw.bind(sqlx::query(sql), &mac).execute(connection).await.map_err(refused)?;
        if done.rows_affected() != 1 {
            // The writer is the only one who changes this table, and knows better.
            return Err(StoreError::tampered("domain", uuid_text(&domain.id)).into());
        }
        let change = self.change_of(&domain)?;
        change.sum.remove(&old);
        change.sum.add(&own);
        change.row = Some((row.revision, own));
        self.news.push(News::Row(domain, row));
        Ok(())
    }

    async fn put_identity(
        &mut self,
        connection: &mut SqliteConnection,
        domain: Arc<ActiveDomain>,
        mut row: IdentityRow,
    ) -> Result<(), Failure> {
        let old = self.identity_in_force(&domain.id, &row.fingerprint);
        match old {
            Some((revision, _)) if revision != row.revision => return Err(StoreError::Conflict.into()),
            Some(_) => row.revision += 1,
            None => {}
        }
        let raw = RawIdentity::of(&row, row.revision)?;
        let (own, mac) = (element(&domain.key, &raw), raw.mac(&domain.key));
        let sql = match old {
            None => concat!(
                "INSERT INTO identity (",
                identity_columns!(),
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            ),
            Some(_) => {
                "UPDATE identity SET name = $3, kind = $4, role = $5, certificate = $6, rights = $7, \
                 created_us = $8, revoked = $9, revision = $10, mac = $11 \
                 WHERE fingerprint = $1 AND domain = $2 AND revision = $10 - 1"
            }
        };
        let done = raw.bind(sqlx::query(sql), &mac).execute(connection).await.map_err(refused)?;
        if done.rows_affected() != 1 {
            return Err(StoreError::tampered("identity", hex_text(&row.fingerprint)).into());
        }
        let change = self.change_of(&domain)?;
        if let Some((_, old)) = old {
            change.sum.remove(&old);
        }
        change.sum.add(&own);
        change.identities.insert(row.fingerprint, Some((row.revision, own)));
        self.news.push(News::Identity(domain, row));
        Ok(())
    }

    async fn remove_identity(
        &mut self,
        connection: &mut SqliteConnection,
        domain: Arc<ActiveDomain>,
        fingerprint: Fingerprint,
    ) -> Result<(), Failure> {
        let (_, old) = self.identity_in_force(&domain.id, &fingerprint).ok_or(StoreError::NotFound)?;
        let done = sqlx::query("DELETE FROM identity WHERE fingerprint = $1 AND domain = $2")
            .bind(fingerprint.to_vec())
            .bind(domain.id.to_vec())
            .execute(connection)
            .await
            .map_err(refused)?;
        if done.rows_affected() != 1 {
            return Err(StoreError::tampered("identity", hex_text(&fingerprint)).into());
        }
        let change = self.change_of(&domain)?;
        change.sum.remove(&old);
        change.identities.insert(fingerprint, None);
        self.news.push(News::NoIdentity(domain, fingerprint));
        Ok(())
    }

    async fn put_checkpoint(
        &mut self,
        connection: &mut SqliteConnection,
        name: LogId,
        size: u64,
        note: String,
    ) -> Result<(), Failure> {
        let log = self.memory.logs.get(&name).ok_or(StoreError::NotFound)?;
        let checkpoint = checkpoint_of(name, &note)?;
        let grown = log.tree.size() > size;
        if !grown && (log.tree.size() < size || log.tree.root() != checkpoint.root) {
            return Err(StoreError::InvalidUnit("a checkpoint of another tree").into());
        }
        sqlx::query(
            "INSERT INTO checkpoint (log, size, note) VALUES ($1, $2, $3) \
             ON CONFLICT (log, size) DO UPDATE SET note = excluded.note",
        )
        .bind(log.id)
        .bind(signed(size)?)
        .bind(note)
        .execute(connection)
        .await
        .map_err(refused)?;
        Ok(())
    }
}

fn no_row() -> Failure {
    Failure::Fatal(StoreError::io("a statement returned no row"))
}
