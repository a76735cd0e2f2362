//! What one message would change, before anything is committed: rows over the store, and the steps of the unit.
//!
//! Items of a batch see what the items before them did. An item that fails leaves nothing behind. The whole draft is
//! one atomic unit for the store, each row guarded by its revision: whoever else changed a row meanwhile makes the
//! commit fail, and the message is worked out anew.

use std::collections::BTreeMap;

use keystore::{Change, DomainRow, IdentityRow, ObjectId, ObjectRow, Step, Unit};

use crate::effect::Effect;
use crate::node::streams::Hand;
use crate::shell::peer::Fingerprint;

/// The pending effects of one message.
#[derive(Default)]
pub struct Draft {
    rows: BTreeMap<ObjectId, ObjectRow>,
    domain: Option<DomainRow>,
    steps: Vec<Step>,
    effects: Vec<Effect>,
    item: ItemDraft,
    /// Operations in parts that the message goes on with.
    pub streams: Hand,
}

/// The pending effects of the batch item being worked on.
#[derive(Default)]
struct ItemDraft {
    rows: BTreeMap<ObjectId, ObjectRow>,
    domain: Option<DomainRow>,
    effects: Vec<Effect>,
    /// Steps with records of their own: transitions that became due.
    due: Vec<Step>,
    changes: Vec<Change>,
}

impl Draft {
    /// The row as the current item sees it, if any item of this message touched it.
    #[must_use]
    pub fn row(&self, id: &ObjectId) -> Option<&ObjectRow> {
        self.item.rows.get(id).or_else(|| self.rows.get(id))
    }

    /// Every row that this message created or changed, as the current item sees it.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<ObjectId, &ObjectRow> {
        self.rows.iter().chain(&self.item.rows).map(|(id, row)| (*id, row)).collect()
    }

    /// The domain's row as the current item sees it, if any item of this message changed it.
    #[must_use]
    pub fn domain(&self) -> Option<&DomainRow> {
        self.item.domain.as_ref().or(self.domain.as_ref())
    }

    /// A changed domain; `row.revision` is the revision it was read at.
    pub fn update_domain(&mut self, row: DomainRow) {
        let seen = DomainRow { revision: row.revision + 1, ..row.clone() };
        self.item.effects.push(Effect::DomainChanged(Box::new(seen.clone())));
        self.item.domain = Some(seen);
        self.item.changes.push(Change::UpdateDomain(row));
    }

    /// An identity that gives way to another one; `old` is revoked, its revision the one it was read at.
    pub fn replace_identity(&mut self, old: IdentityRow, new: IdentityRow) {
        let seen = IdentityRow { revision: old.revision + 1, ..old.clone() };
        self.after(Effect::IdentityChanged(Box::new(seen)));
        self.after(Effect::IdentityChanged(Box::new(new.clone())));
        self.item.changes.extend([Change::PutIdentity(old), Change::PutIdentity(new)]);
    }

    /// Whether an item of this message changed the identity with this fingerprint.
    #[must_use]
    pub fn has_changed_identity(&self, fingerprint: &Fingerprint) -> bool {
        let mut effects = self.effects.iter().chain(&self.item.effects);
        effects.any(|effect| matches!(effect, Effect::IdentityChanged(row) if row.fingerprint == *fingerprint))
    }

    /// What is to happen in memory once everything is durable.
    pub fn after(&mut self, effect: Effect) {
        self.item.effects.push(effect);
    }

    /// A new object.
    pub fn create(&mut self, row: ObjectRow) {
        self.item.rows.insert(row.id, row.clone());
        self.item.changes.push(Change::CreateObject(row));
    }

    /// A changed object; `row.revision` is the revision it was read at.
    pub fn update(&mut self, row: ObjectRow) {
        self.item.remember_changed(&row);
        self.item.changes.push(Change::UpdateObject { row });
    }

    /// An object whose key bytes go; `row.sealed` is `None`.
    pub fn destroy(&mut self, row: ObjectRow) {
        self.item.remember_changed(&row);
        self.item.changes.push(Change::DestroyObject { row });
    }

    /// A transition that became due by a date, told by a record of its own.
    pub fn due(&mut self, row: ObjectRow, record: audit::Record) {
        self.item.remember_changed(&row);
        self.item.due.push(Step { changes: vec![Change::UpdateObject { row }], record: Some(record) });
    }

    /// The current item succeeded: its changes join the message's. `object` is what the item was about; each object that
    /// it made or changed is told by a record of its own, which `record` makes of the object and what becomes of it.
    pub fn keep_item(
        &mut self,
        object: Option<ObjectId>,
        mut record: impl FnMut(Option<ObjectId>, &[Change]) -> audit::Record,
    ) {
        let item = std::mem::take(&mut self.item);
        self.rows.extend(item.rows);
        if item.domain.is_some() {
            self.domain = item.domain;
        }
        self.effects.extend(item.effects);
        self.steps.extend(item.due);
        // In the order in which the item changed them: a name is given up before another object takes it.
        let mut by_object: Vec<(Option<ObjectId>, Vec<Change>)> = Vec::new();
        for change in item.changes {
            let of = changed_object(&change).or(object);
            match by_object.iter_mut().find(|(id, _)| *id == of) {
                Some((_, changes)) => changes.push(change),
                None => by_object.push((of, vec![change])),
            }
        }
        if !by_object.iter().any(|(of, _)| *of == object) {
            by_object.push((object, Vec::new()));
        }
        for (of, changes) in by_object {
            let record = record(of, &changes);
            self.steps.push(Step { changes, record: Some(record) });
        }
        self.streams.keep_item();
    }

    /// The current item failed: its changes are forgotten, told by `record`.
    pub fn drop_item(&mut self, record: audit::Record) {
        self.item = ItemDraft::default();
        self.streams.drop_item();
        self.steps.push(Step::record(record));
    }

    /// Takes back every change of every item, for a batch with the Undo option; `retell` changes the record of each
    /// step that had succeeded.
    pub fn undo_all(&mut self, mut retell: impl FnMut(&mut audit::Record)) {
        self.rows.clear();
        self.domain = None;
        self.effects.clear();
        self.item = ItemDraft::default();
        self.streams.drop_all();
        for step in &mut self.steps {
            step.changes.clear();
            if let Some(record) = &mut step.record {
                retell(record);
            }
        }
    }

    /// Everything as one unit for the store, and what follows once it is committed.
    #[must_use]
    pub fn into_parts(self) -> (Unit, Vec<Effect>) {
        (Unit { steps: self.steps }, self.effects)
    }

    /// Everything as one unit for the store, of a draft without effects.
    #[must_use]
    pub fn into_unit(self) -> Unit {
        Unit { steps: self.steps }
    }
}

/// The object that a change is about; `None` for changes of something else.
fn changed_object(change: &Change) -> Option<ObjectId> {
    match change {
        Change::CreateObject(row)
        | Change::RestoreObject(row)
        | Change::UpdateObject { row }
        | Change::DestroyObject { row } => Some(row.id),
        Change::CreateDomain(..)
        | Change::UpdateDomain(_)
        | Change::Bury { .. }
        | Change::PutIdentity(_)
        | Change::RemoveIdentity { .. }
        | Change::DropRecords { .. }
        | Change::PutSetting { .. } => None,
    }
}

impl ItemDraft {
    /// The store adds one to the revision of a row it changes; later items must expect that.
    fn remember_changed(&mut self, row: &ObjectRow) {
        let mut seen = row.clone();
        seen.revision += 1;
        self.rows.insert(row.id, seen);
    }
}
