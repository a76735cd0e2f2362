//! Everything about a unit that can be done before it is its turn: it is checked, its rows are encoded and their MACs
//! made, old rows are read and verified for the change of the index. The writer is left with what needs its place in
//! the order.

use std::collections::HashMap;
use std::sync::Arc;

use audit::retention::Dropping;
use audit::{Hash, LogId, Record};
use secret::DomainId;

use super::read::Reader;
use super::rows::Place;
use crate::canonical;
use crate::error::StoreError;
use crate::index::{TermHash, name_hash};
use crate::limits::{MAX_CHANGES, MAX_SETTING_LEN, MAX_SETTING_NAME_LEN, MAX_STEPS};
use crate::mac::{Mac, MacKey};
use crate::raw::{Raw, RawDomain, RawIdentity, RawObject, signed, sized, uuid_text};
use crate::row::{DomainRow, Fingerprint, IdentityRow, ObjectId, ObjectRow};
use crate::set::{ActiveDomain, Members};
use crate::unit::{Change, Step, Unit};

/// A unit ready for the writer.
pub(super) struct Prepared {
    pub(super) steps: Vec<PreparedStep>,
    /// Whether any row changes; if not, the unit only appends records.
    pub(super) changes: bool,
    /// About how much memory it holds, in bytes.
    pub(super) weight: usize,
}

/// A step ready for the writer.
pub(super) struct PreparedStep {
    pub(super) ops: Vec<Op>,
    pub(super) record: Option<PreparedRecord>,
}

/// A record, encoded unless the writer has to add to it.
#[derive(Clone)]
pub(super) struct PreparedRecord {
    pub(super) record: Record,
    pub(super) bytes: Vec<u8>,
    pub(super) leaf: Hash,
    /// The domain whose set the step changes.
    pub(super) set_of: Option<Arc<ActiveDomain>>,
}

/// What the writer does to the database.
pub(super) enum Op {
    CreateObject { raw: Box<RawObject>, mac: Mac, index: IndexChange },
    RestoreObject { raw: Box<RawObject>, mac: Mac, index: IndexChange },
    UpdateObject { raw: Box<RawObject>, mac: Mac, expected: i64, index: IndexChange },
    Tombstone { domain: Arc<ActiveDomain>, object: ObjectId },
    CreateDomain { domain: Arc<ActiveDomain>, raw: RawDomain },
    UpdateDomain { domain: Arc<ActiveDomain>, row: DomainRow },
    PutIdentity { domain: Arc<ActiveDomain>, row: IdentityRow },
    RemoveIdentity { domain: Arc<ActiveDomain>, fingerprint: Fingerprint },
    DropRecords { log: LogId, positions: Vec<u64> },
    PutSetting { name: String, value: Vec<u8> },
    PutCheckpoint { log: LogId, size: u64, note: String },
}

/// Index rows to add and to remove.
#[derive(Default)]
pub(super) struct IndexChange {
    pub(super) terms: Difference,
    pub(super) names: Difference,
}

/// Hashes to add and to remove.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) added: Vec<TermHash>,
    pub(super) removed: Vec<TermHash>,
}

impl Difference {
    fn between(old: &[TermHash], new: &[TermHash]) -> Self {
        let missing_in = |from: &[TermHash], other: &[TermHash]| {
            from.iter().filter(|hash| other.binary_search(hash).is_err()).copied().collect()
        };
        Self { added: missing_in(new, old), removed: missing_in(old, new) }
    }

    /// This difference and then that one.
    fn then(self, next: Self) -> Self {
        let without = |mut these: Vec<TermHash>, those: &[TermHash]| {
            these.retain(|hash| !those.contains(hash));
            these
        };
        let added = [without(self.added.clone(), &next.removed), without(next.added.clone(), &self.removed)].concat();
        let removed = [without(self.removed, &next.added), without(next.removed, &self.added)].concat();
        Self { added, removed }
    }
}

impl IndexChange {
    fn of_new(row: &ObjectRow) -> Self {
        Self {
            terms: Difference { added: row.term_hashes(), removed: Vec::new() },
            names: Difference { added: name_hashes(row), removed: Vec::new() },
        }
    }

    fn between(old: &ObjectRow, new: &ObjectRow) -> Self {
        Self {
            terms: Difference::between(&old.term_hashes(), &new.term_hashes()),
            names: Difference::between(&name_hashes(old), &name_hashes(new)),
        }
    }

    fn then(self, next: Self) -> Self {
        Self { terms: self.terms.then(next.terms), names: self.names.then(next.names) }
    }

    pub(super) fn is_empty(&self) -> bool {
        [&self.terms, &self.names].iter().all(|one| one.added.is_empty() && one.removed.is_empty())
    }
}

/// The names an object holds, as table `object_name` has them.
pub(super) fn name_hashes(row: &ObjectRow) -> Vec<TermHash> {
    let mut hashes: Vec<TermHash> = row.held_names().iter().map(|name| name_hash(name)).collect();
    hashes.sort_unstable();
    hashes
}

/// Makes a unit ready.
///
/// # Errors
/// [`StoreError::InvalidUnit`] for what makes no sense, [`StoreError::Conflict`] where an old row has moved on
/// already, and whatever reading old rows fails with.
pub(super) async fn prepare(reader: &Reader, unit: Unit) -> Result<Prepared, StoreError> {
    if unit.steps.len() > MAX_STEPS {
        return Err(StoreError::InvalidUnit("too many steps"));
    }
    let mut preparation = Preparation { reader, domains: HashMap::new(), objects: HashMap::new() };
    let mut prepared = Prepared { steps: Vec::with_capacity(unit.steps.len()), changes: false, weight: 0 };
    for step in unit.steps {
        prepared.changes |= !step.changes.is_empty();
        let step = preparation.step(step).await?;
        prepared.weight += step.weight();
        prepared.steps.push(step);
    }
    merge(&mut prepared.steps);
    Ok(prepared)
}

/// Makes one change of successive changes of an object: its last row, in the place of the revision that the first one
/// replaces. Each record still tells of its own.
fn merge(steps: &mut [PreparedStep]) {
    let mut held: Option<(usize, Op)> = None;
    for at in 0..steps.len() {
        let ops = steps.get_mut(at).map(|step| std::mem::take(&mut step.ops)).unwrap_or_default();
        for op in ops {
            let (first, rest) = match held.take() {
                None => (None, Some((at, op))),
                Some((place, earlier)) => match earlier.then(op) {
                    Ok(both) => (None, Some((place, both))),
                    Err((earlier, op)) => (Some((place, earlier)), Some((at, op))),
                },
            };
            put_back(steps, first);
            held = rest;
        }
    }
    put_back(steps, held);
}

fn put_back(steps: &mut [PreparedStep], op: Option<(usize, Op)>) {
    let Some((at, op)) = op else { return };
    if let Some(step) = steps.get_mut(at) {
        step.ops.push(op);
    }
}

impl Op {
    /// This change and then that one as one, if both are of the same object.
    #[expect(clippy::result_large_err, reason = "both come back where they stay two")]
    fn then(self, next: Self) -> Result<Self, (Self, Self)> {
        match (self, next) {
            (Self::CreateObject { raw: old, index: first, .. }, Self::UpdateObject { raw, mac, index, .. })
                if (&old.domain, &old.id) == (&raw.domain, &raw.id) =>
            {
                Ok(Self::CreateObject { raw, mac, index: first.then(index) })
            }
            (
                Self::UpdateObject { raw: old, expected, index: first, .. },
                Self::UpdateObject { raw, mac, index, .. },
            ) if (&old.domain, &old.id) == (&raw.domain, &raw.id) => {
                Ok(Self::UpdateObject { raw, mac, expected, index: first.then(index) })
            }
            both => Err(both),
        }
    }
}

impl Prepared {
    /// Whether it is one statement, which undoes itself when it fails.
    pub(super) fn is_one_statement(&self) -> bool {
        match &self.steps[..] {
            [PreparedStep { ops, .. }] => match &ops[..] {
                [Op::UpdateObject { index, .. }] => index.is_empty(),
                [Op::PutSetting { .. } | Op::PutCheckpoint { .. }] => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// The objects that it changes.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.steps.iter().flat_map(|step| &step.ops).filter_map(|op| match op {
            Op::UpdateObject { raw, .. } | Op::RestoreObject { raw, .. } => {
                Some((sized(&raw.domain, "domain").ok()?, sized(&raw.id, "identifier").ok()?))
            }
            // There was nothing to be kept.
            Op::CreateObject { .. } => None,
            // It comes with the change of the row.
            Op::Tombstone { .. } => None,
            Op::CreateDomain { .. }
            | Op::UpdateDomain { .. }
            | Op::PutIdentity { .. }
            | Op::RemoveIdentity { .. }
            | Op::PutSetting { .. }
            | Op::PutCheckpoint { .. }
            | Op::DropRecords { .. } => None,
        })
    }

    /// One change of the store's own, told by no record.
    pub(super) fn of(op: Op) -> Self {
        let step = PreparedStep { ops: vec![op], record: None };
        Self { changes: true, weight: step.weight(), steps: vec![step] }
    }
}

impl PreparedStep {
    fn weight(&self) -> usize {
        let of_op = |op: &Op| match op {
            Op::CreateObject { raw, .. } | Op::UpdateObject { raw, .. } | Op::RestoreObject { raw, .. } => {
                raw.attributes.len() + raw.sealed.as_ref().map_or(0, Vec::len)
            }
            Op::PutIdentity { row, .. } => row.certificate.len(),
            Op::DropRecords { positions, .. } => positions.len() * 8,
            Op::PutSetting { value, .. } => value.len(),
            Op::PutCheckpoint { note, .. } => note.len(),
            Op::CreateDomain { .. } | Op::UpdateDomain { .. } | Op::RemoveIdentity { .. } | Op::Tombstone { .. } => 0,
        };
        self.ops.iter().map(of_op).sum::<usize>() + self.record.as_ref().map_or(0, |record| record.bytes.len())
    }
}

/// What earlier steps of the unit did, for later ones.
struct Preparation<'r> {
    reader: &'r Reader,
    domains: HashMap<DomainId, Arc<ActiveDomain>>,
    objects: HashMap<(DomainId, ObjectId), ObjectRow>,
}

/// What a step's record must tell of.
#[derive(Default)]
struct Told {
    object: Option<(DomainId, ObjectId, u64, Hash)>,
    set_of: Option<Arc<ActiveDomain>>,
    dropping: Option<Dropping>,
}

impl Told {
    fn object(&mut self, row: &RawObject, domain: DomainId, id: ObjectId, revision: u64) -> Result<(), StoreError> {
        if self.object.as_ref().is_some_and(|(told, object, ..)| (*told, *object) != (domain, id)) {
            return Err(StoreError::InvalidUnit("a step that changes two objects"));
        }
        self.object = Some((domain, id, revision, canonical::digest_of(&row.canonical())));
        Ok(())
    }

    fn set(&mut self, domain: &Arc<ActiveDomain>) -> Result<(), StoreError> {
        if self.set_of.as_ref().is_some_and(|told| told.id != domain.id) {
            return Err(StoreError::InvalidUnit("a step that changes two domains"));
        }
        self.set_of = Some(Arc::clone(domain));
        Ok(())
    }

    /// Fills in what the record has to say, and encodes it.
    fn into_record(self, mut record: Record) -> Result<PreparedRecord, StoreError> {
        record.row_digest = None;
        record.set_digest = None;
        if let Some((domain, id, revision, digest)) = self.object {
            if record.log != LogId::Domain(domain) {
                return Err(StoreError::InvalidUnit("a change of an object told in another log"));
            }
            let id = uuid_text(&id);
            if record.object.get_or_insert_with(|| id.clone()) != &id {
                return Err(StoreError::InvalidUnit("a record of another object"));
            }
            record.revision = Some(revision);
            record.row_digest = Some(digest);
        }
        if self.set_of.as_ref().is_some_and(|domain| record.log != LogId::Domain(domain.id)) {
            return Err(StoreError::InvalidUnit("a change of a domain told in another log"));
        }
        if let Some(dropping) = self.dropping {
            record.detail = Some(dropping.detail());
        }
        let bytes = record.encode().map_err(StoreError::Record)?;
        let leaf = Record::leaf_hash(&bytes);
        Ok(PreparedRecord { record, bytes, leaf, set_of: self.set_of })
    }
}

impl Preparation<'_> {
    async fn step(&mut self, step: Step) -> Result<PreparedStep, StoreError> {
        if step.changes.len() > MAX_CHANGES {
            return Err(StoreError::InvalidUnit("too many changes"));
        }
        let mut ops = Vec::with_capacity(step.changes.len());
        let mut told = Told::default();
        for change in step.changes {
            match change {
                Change::DropRecords { positions, before_us } => {
                    let record = step.record.as_ref().filter(|record| audit::retention::tells(record));
                    let log = record.ok_or(StoreError::InvalidUnit("a dropping that no record tells of"))?.log;
                    told.dropping = Some(self.reader.droppable(log, &positions, before_us).await?);
                    ops.push(Op::DropRecords { log, positions });
                }
                change => self.change(change, &mut ops, &mut told).await?,
            }
        }
        if told.dropping.is_some() != step.record.as_ref().is_some_and(audit::retention::tells) {
            return Err(StoreError::InvalidUnit("a record of a dropping that is none"));
        }
        let record = match step.record {
            Some(record) => Some(told.into_record(record)?),
            None if ops.is_empty() => None,
            None => return Err(StoreError::InvalidUnit("a change without a record")),
        };
        Ok(PreparedStep { ops, record })
    }

    async fn change(&mut self, change: Change, ops: &mut Vec<Op>, told: &mut Told) -> Result<(), StoreError> {
        match change {
            Change::CreateObject(row) => ops.push(self.create_object(row, told)?),
            Change::RestoreObject(row) => ops.push(self.restore_object(row, told)?),
            Change::UpdateObject { row } => ops.push(self.update_object(row, told, false).await?),
            Change::DestroyObject { row } => {
                let (domain, object) = (self.domain(&row.domain)?, row.id);
                ops.push(self.update_object(row, told, true).await?);
                told.set(&domain)?;
                ops.push(Op::Tombstone { domain, object });
            }
            Change::CreateDomain(row, key) => ops.push(self.create_domain(row, key, told)?),
            Change::UpdateDomain(row) => {
                let domain = self.domain(&row.id)?;
                told.set(&domain)?;
                RawDomain::of(&row, row.revision)?;
                ops.push(Op::UpdateDomain { domain, row });
            }
            Change::Bury { domain, buried } => {
                let domain = self.domain(&domain)?;
                told.set(&domain)?;
                ops.push(Op::Tombstone { domain, object: buried });
            }
            Change::PutIdentity(row) => {
                let domain = self.domain(&row.domain)?;
                told.set(&domain)?;
                RawIdentity::of(&row, row.revision)?;
                ops.push(Op::PutIdentity { domain, row });
            }
            Change::RemoveIdentity { domain, fingerprint } => {
                let domain = self.domain(&domain)?;
                told.set(&domain)?;
                ops.push(Op::RemoveIdentity { domain, fingerprint });
            }
            Change::DropRecords { .. } => return Err(StoreError::InvalidUnit("a dropping in another step")),
            Change::PutSetting { name, value } => ops.push(put_setting(name, value)?),
        }
        Ok(())
    }

    fn domain(&self, id: &DomainId) -> Result<Arc<ActiveDomain>, StoreError> {
        match self.domains.get(id) {
            Some(domain) => Ok(Arc::clone(domain)),
            None => self.reader.domains.get(id),
        }
    }

    fn create_domain(&mut self, row: DomainRow, key: MacKey, told: &mut Told) -> Result<Op, StoreError> {
        let raw = RawDomain::of(&row, row.revision)?;
        let members = Members { row, identities: HashMap::new(), tombstones: Default::default() };
        let domain = Arc::new(ActiveDomain::new(key, members));
        told.set(&domain)?;
        self.domains.insert(domain.id, Arc::clone(&domain));
        Ok(Op::CreateDomain { domain, raw })
    }

    fn create_object(&mut self, row: ObjectRow, told: &mut Told) -> Result<Op, StoreError> {
        if row.is_destroyed() {
            return Err(StoreError::InvalidUnit("a new object that is destroyed"));
        }
        let raw = RawObject::of(&row, row.revision)?;
        let mac = raw.mac(&self.domain(&row.domain)?.key);
        told.object(&raw, row.domain, row.id, row.revision)?;
        let index = IndexChange::of_new(&row);
        self.objects.insert((row.domain, row.id), row);
        Ok(Op::CreateObject { raw: Box::new(raw), mac, index })
    }

    fn restore_object(&mut self, row: ObjectRow, told: &mut Told) -> Result<Op, StoreError> {
        if self.domain(&row.domain)?.is_tombstoned(&row.id) {
            return Err(StoreError::InvalidUnit("a destroyed object brought back"));
        }
        match self.create_object(row, told)? {
            Op::CreateObject { raw, mac, index } => Ok(Op::RestoreObject { raw, mac, index }),
            other => Ok(other),
        }
    }

    async fn update_object(&mut self, mut row: ObjectRow, told: &mut Told, destroy: bool) -> Result<Op, StoreError> {
        let domain = self.domain(&row.domain)?;
        let place = (row.domain, row.id);
        let old = match self.objects.remove(&place) {
            Some(old) => old,
            None => self.reader.object(row.domain, row.id).await?.ok_or(StoreError::NotFound)?,
        };
        // The old row decides which index rows go, so it must be the one that the change is made to.
        if old.revision != row.revision {
            return Err(StoreError::Conflict);
        }
        check_destruction(&old, &row, destroy)?;
        let expected = signed(row.revision)?;
        row.revision += 1;
        let raw = RawObject::of(&row, row.revision)?;
        let mac = raw.mac(&domain.key);
        told.object(&raw, row.domain, row.id, row.revision)?;
        let index = IndexChange::between(&old, &row);
        self.objects.insert(place, row);
        Ok(Op::UpdateObject { raw: Box::new(raw), mac, expected, index })
    }
}

/// Key bytes go with a tombstone, and never come back.
fn check_destruction(old: &ObjectRow, new: &ObjectRow, destroy: bool) -> Result<(), StoreError> {
    match (old.is_destroyed(), new.is_destroyed(), destroy) {
        (false, false, false) => Ok(()),
        (false, true, true) | (true, true, false) if new.sealed.is_none() => Ok(()),
        (_, true, _) if new.sealed.is_some() => Err(StoreError::InvalidUnit("a destroyed object with key bytes")),
        (true, false, _) => Err(StoreError::InvalidUnit("a destroyed object revived")),
        (true, true, _) => Err(StoreError::InvalidUnit("an object destroyed twice")),
        (false, true, _) => Err(StoreError::InvalidUnit("an object destroyed by an update")),
        (false, false, true) => Err(StoreError::InvalidUnit("a destruction that does not destroy")),
    }
}

pub(super) fn put_setting(name: String, value: Vec<u8>) -> Result<Op, StoreError> {
    if name.is_empty() || name.len() > MAX_SETTING_NAME_LEN || value.len() > MAX_SETTING_LEN {
        return Err(StoreError::InvalidUnit("a setting over its limit"));
    }
    Ok(Op::PutSetting { name, value })
}
