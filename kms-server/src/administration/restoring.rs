//! A domain is restored from a backup: what of its objects is gone or not to be believed comes back, and nothing else.
//!
//! ```text
//!  what is damaged    rows of the running store that do not verify, are gone, or are older than the log says
//!  what is destroyed  has a tombstone, or a record of its destruction: stays destroyed
//!  what comes back    the rest, from the backup, sealed anew, under a revision of its own, each with a record
//! ```
//! The log is never touched but for what is added: it has to begin with the log of the backup, or nothing is done. Where it
//! tells of changes of an object after the backup was taken, these are lost and the object is *stale*: the request names
//! it, and because it may have been revoked meanwhile, it comes back Compromised unless the log shows that it was not. A
//! client can still get such a key and decrypt what it protects.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit::{LogId, Outcome, Record};
use keystore::{KeyStore, MacKey, ObjectId, ObjectRow, Pace, SqliteStore, StoreOptions};
use kmip::registry::State;
use uuid::Uuid;

use super::acting::AdminFailure;
use super::backups::OpenedBackup;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::checkpoints::root_at;
use crate::node::directory::Domain;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing::{self, domain_secret_facts, identifier_text};

/// Objects that one request brings back; more take several.
const MAX_RESTORED: usize = 1000;
/// Stale objects that one request names: more do not fit into its text.
const MAX_STALE: usize = 128;
/// Leaves of a log read at a time.
const PAGE: usize = 1000;
/// What a request says where it would name nothing.
const NONE: &str = "none";
/// What the record of an object that came back calls it.
pub(super) const RESTORE_OBJECT: &str = "Restore Object";

/// An object that comes back.
pub(super) struct Returning {
    /// Its row as the backup has it, with the state and the revision that it gets.
    row: ObjectRow,
    /// Whether the log tells of changes that are lost.
    is_stale: bool,
}

/// What a restoration would do.
pub(super) struct Restoration {
    /// The domain of the running store.
    pub(super) domain: Arc<Domain>,
    /// SHA-256 of the backup's file, in hex.
    sha256: String,
    keys: DomainKeys,
    back: Vec<Returning>,
}

/// What the log of a domain says of one object.
#[derive(Default)]
struct Told {
    /// Revision of the last change.
    revision: u64,
    /// Operations of the changes behind the backup's row.
    since: Vec<String>,
    destroyed: bool,
}

impl Restoration {
    /// What a request says of it.
    pub(super) fn parameters(&self, backup: Uuid) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let stale: Vec<String> =
            self.back.iter().filter(|one| one.is_stale).map(|one| identifier_text(one.row.id)).collect();
        vec![
            pair("backup", backup.to_string()),
            pair("sha256", self.sha256.clone()),
            pair("domain", identifier_text(self.domain.row.id)),
            pair("name", self.domain.row.name.clone()),
            pair("objects", self.back.len().to_string()),
            pair("stale", if stale.is_empty() { NONE.to_owned() } else { stale.join(",") }),
        ]
    }

    /// For the records.
    pub(super) fn detail(&self) -> String {
        let stale = self.back.iter().filter(|one| one.is_stale).count();
        format!("domain {}: {} objects, {stale} of them stale", self.domain.row.name, self.back.len())
    }

    /// The rows, sealed under the domain's current key.
    pub(super) async fn sealed_anew(mut self, node: &Node) -> Result<Vec<(ObjectRow, String)>, AdminFailure> {
        let mut rows = Vec::with_capacity(self.back.len());
        for Returning { mut row, is_stale } in std::mem::take(&mut self.back) {
            let version = row.sealed.as_ref().map(secret::Sealed::version);
            let opens = version.map_or(&self.keys.current, |version| self.keys.of_version(version)).clone();
            // The backup's key where the version is the same: both are the one that was made then.
            let keys = DomainKeys { current: self.domain.key.current.clone(), former: Some(opens.clone()) };
            sealing::reseal(&node.hsm, &keys, &mut row).await?;
            if self.domain.key.of_version(opens.version).version != opens.version {
                node.hsm.forget_version(opens.domain, opens.version).await;
            }
            let detail = if is_stale { "stale: later changes are lost" } else { "as its last record tells" };
            rows.push((row, detail.to_owned()));
        }
        Ok(rows)
    }
}

impl Node {
    /// Finds out what of a domain would come back from a backup. Nothing is changed.
    ///
    /// # Errors
    /// [`Failure::WrongState`] for a domain that is not active; [`AdminFailure::Unsound`] for a backup that does not fit the
    /// running store; [`AdminFailure::Exists`] where nothing is to be restored; [`Failure::Busy`] while another backup is
    /// at work.
    pub(super) async fn plan_restoration(
        &self,
        backup: Uuid,
        domain: Arc<Domain>,
    ) -> Result<Restoration, AdminFailure> {
        if !domain.is_active() {
            return Err(Failure::WrongState.into());
        }
        // Whoever takes a backup waits for the requests at its end, so that nobody may wait for it here.
        let _alone = self.backups.try_lock().map_err(|_| Failure::Busy)?;
        let opened = self.open_backup(backup).await?;
        if let Some(fault) = opened.faults.first() {
            return Err(AdminFailure::Unsound(fault.clone()));
        }
        let sha256 = opened.manifest.sha256.clone();
        let options = StoreOptions { readers: 1, kept_kib: 0, ..StoreOptions::default() };
        let copy = SqliteStore::open(&opened.database, options).await?;
        let found = self.compare(&copy, &opened, &domain).await;
        copy.close().await;
        let (keys, back) = found?;
        if back.is_empty() {
            return Err(AdminFailure::Exists("nothing of the domain is damaged that the backup could bring back"));
        }
        Ok(Restoration { domain, sha256, keys, back })
    }

    async fn compare(
        &self,
        copy: &SqliteStore,
        opened: &OpenedBackup,
        domain: &Domain,
    ) -> Result<(DomainKeys, Vec<Returning>), AdminFailure> {
        let id = domain.row.id;
        let unsound = |text: &str| AdminFailure::Unsound(text.to_owned());
        let rows = copy.domains().await?;
        let row = rows.into_iter().find(|row| row.id == id).ok_or(unsound("the backup does not hold this domain"))?;
        let named = opened.manifest.domains.iter().any(|one| one.id == identifier_text(id));
        if !named {
            return Err(unsound("the manifest does not name this domain"));
        }
        // The running log has to be what the backup's became: a store that is older than its backup is not restored into.
        let log = log_of(id);
        let (size, root) = copy.tree_head(log).await?;
        if self.store.tree_head(log).await?.0 < size || root_at(self, log, size).await? != root {
            return Err(unsound("the domain's log does not begin with the log of the backup"));
        }
        let keys = DomainKeys::from_bytes(&row.domain_key).map_err(|_| unsound("its Domain Keys cannot be read"))?;
        let facts = domain_secret_facts(id);
        let secret = self.hsm.open_sealed(keys.of_version(row.secret.version()), &facts, &row.secret).await?;
        copy.activate(id, MacKey::from_secret(&secret, id)).await?;
        let mut back = Vec::new();
        let damaged = self.damaged(domain).await?;
        let mut rows = BTreeMap::new();
        for object in damaged {
            // A destroyed row has nothing to bring back.
            if let Some(row) = copy.object(id, object).await?.filter(|row| row.sealed.is_some()) {
                rows.insert(object, row);
            }
        }
        let told = self.told_since(log, &rows).await?;
        for (object, mut row) in rows {
            let told = told.get(&object);
            let destroyed = told.is_some_and(|told| told.destroyed) || self.store.is_buried(id, object).await?;
            if destroyed || row.is_destroyed() {
                continue;
            }
            let last = told.map_or(0, |told| told.revision);
            let is_stale = last > row.revision;
            if is_stale && !told.is_some_and(|told| told.shows_no_revocation(row.revision)) {
                row.state = State::Compromised;
                row.dates.compromise = Some(self.clock.now_s());
            }
            row.revision = last.max(row.revision).saturating_add(1);
            back.push(Returning { row, is_stale });
        }
        back.truncate(MAX_RESTORED);
        if back.iter().filter(|one| one.is_stale).count() > MAX_STALE {
            return Err(unsound("more stale objects than a request can name; a later backup is needed"));
        }
        Ok((keys, back))
    }

    /// The objects of a domain that verification does not believe.
    async fn damaged(&self, domain: &Domain) -> Result<Vec<ObjectId>, AdminFailure> {
        let found = self.store.verify(domain.row.id, Pace::full()).await?;
        let of_objects = found.findings.iter().filter(|one| one.table == "object");
        let mut damaged: Vec<_> = of_objects.filter_map(|one| sealing::parse_identifier(&one.row)).collect();
        damaged.sort_unstable();
        damaged.dedup();
        Ok(damaged)
    }

    /// What a log says of these objects.
    async fn told_since(
        &self,
        log: LogId,
        rows: &BTreeMap<ObjectId, ObjectRow>,
    ) -> Result<BTreeMap<ObjectId, Told>, AdminFailure> {
        let mut told: BTreeMap<ObjectId, Told> = BTreeMap::new();
        let (size, _) = self.store.tree_head(log).await?;
        let mut next = 0;
        while next < size {
            let page = self.store.leaves_as_kept(log, next, PAGE).await?;
            next += u64::try_from(page.len().max(1)).unwrap_or(u64::MAX);
            for leaf in page.iter().filter(|leaf| leaf.dropped.is_none()) {
                let record = Record::decode(&leaf.bytes).ok();
                let record = record.filter(|_| Record::leaf_hash(&leaf.bytes) == leaf.leaf);
                let record = record.ok_or(AdminFailure::Unsound(format!("record {} cannot be believed", leaf.seq)))?;
                let object = record.object.as_deref().and_then(sealing::parse_identifier);
                let Some((object, row)) = object.and_then(|id| Some((id, rows.get(&id)?))) else { continue };
                let Some(revision) = record.revision.filter(|_| record.outcome == Outcome::Success) else { continue };
                let one = told.entry(object).or_default();
                one.revision = one.revision.max(revision);
                one.destroyed |= record.operation == audit::destruction::DESTROY_OBJECT;
                if revision > row.revision {
                    one.since.push(record.operation);
                }
            }
        }
        Ok(told)
    }
}

impl Told {
    /// Whether every change behind `revision` is told of, and none of them could have revoked the key or narrowed its use.
    fn shows_no_revocation(&self, revision: u64) -> bool {
        const HARMLESS: [&str; 3] = ["Get", "Activate", "Reseal"];
        let missing = self.revision.saturating_sub(revision) > u64::try_from(self.since.len()).unwrap_or(u64::MAX);
        !missing && self.since.iter().all(|operation| HARMLESS.contains(&operation.as_str()))
    }
}
