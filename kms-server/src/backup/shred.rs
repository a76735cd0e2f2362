//! The shred check: whether anything of a domain still opens, tried in the HSM, whatever rows and tombstones say.
//!
//! It believes nothing: every Domain Key that lies anywhere in the file, also in pages that no row uses any more, is
//! imported if the HSM lets it; everything sealed is opened under every key that came in. That nothing opens means
//! something only where the HSM opens what it should, so the check begins with a key of its own.

use std::collections::BTreeMap;

use hsm::{DomainKey, Group, HsmError};
use keystore::{KeptDomain, Snapshot};
use secret::{DomainId, Sealed, Secret};
use serde::Serialize;

use super::BackupError;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing;

/// Additional data of the control's seal.
const CONTROL_FACTS: &[u8] = b"clavis shred control 1";
/// What the control seals.
const CONTROL: &[u8] = b"opens while the HSM does its work";

/// What was found of a domain, and what opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Different wrapped Domain Keys that lie in the file.
    pub domain_keys: u64,
    /// Those that the HSM imported.
    pub imported: u64,
    /// Sealed things: objects, the MAC secret, the key of the certificate authority.
    pub sealed: u64,
    /// Those that the HSM opened.
    pub opened: u64,
    /// Rows with sealed bytes that cannot be read as what they are.
    pub unreadable: u64,
}

impl Tally {
    /// Whether nothing of it comes back.
    #[must_use]
    pub const fn is_shredded(&self) -> bool {
        self.imported == 0 && self.opened == 0
    }

    /// Whether everything of it comes back.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.imported > 0 && self.opened == self.sealed && self.unreadable == 0
    }
}

/// A domain and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its identifier.
    pub id: String,
    /// Its name, as the file has it; empty where it has no row.
    pub name: String,
    /// What was found.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Seals and opens something under a new Domain Key: without this, that nothing opens would say nothing.
///
/// # Errors
/// [`BackupError::Hsm`].
pub async fn control(hsm: &Group) -> Result<(), BackupError> {
    let id = uuid::Uuid::new_v4().into_bytes();
    let key = hsm.create_domain_key(id, 1).await?;
    let sealed = hsm.seal(&key, CONTROL_FACTS, &Secret::copy_from(CONTROL)).await?;
    let opened = hsm.open_sealed(&key, CONTROL_FACTS, &sealed).await?;
    hsm.forget_version(id, 1).await;
    if opened.expose() == CONTROL { Ok(()) } else { Err(BackupError::Internal("the HSM opened something else")) }
}

/// Tries every domain of a file: those with a row by name, then those that only objects tell of.
///
/// # Errors
/// [`BackupError::Store`] where the file cannot be read, [`BackupError::Hsm`] where nobody can say what opens.
pub async fn check(hsm: &Group, snapshot: &mut Snapshot) -> Result<Vec<Checked>, BackupError> {
    let mut all = Vec::new();
    let rows = snapshot.domains().await?;
    let wrappers = wrappers(hsm, &rows);
    for domain in rows {
        let tally = check_domain(hsm, snapshot, &wrappers, domain.id, Some(&domain)).await?;
        all.push(Checked { id: sealing::identifier_text(domain.id), name: domain.name, tally });
    }
    for id in snapshot.orphaned().await? {
        let tally = check_domain(hsm, snapshot, &wrappers, id, None).await?;
        all.push(Checked { id: sealing::identifier_text(id), name: String::new(), tally });
    }
    Ok(all)
}

/// Tries everything that a file has of one domain.
async fn check_domain(
    hsm: &Group,
    snapshot: &mut Snapshot,
    wrappers: &[[u8; 32]],
    id: DomainId,
    row: Option<&KeptDomain>,
) -> Result<Tally, BackupError> {
    let mut check = Check { hsm, id, tally: Tally::default(), imported: BTreeMap::new() };
    for key in keys_of(snapshot, wrappers, id, row)? {
        check.import(key).await?;
    }
    if let Some(secret) = row.map(|row| row.secret.clone()) {
        check.open(secret, &sealing::domain_secret_facts(id)).await?;
    }
    if let Some(authority) = snapshot.setting(&sealing::authority_setting(id)).await? {
        check.open(authority, &sealing::authority_facts(id)).await?;
    }
    let mut after = None;
    loop {
        let page = snapshot.sealed_objects(id, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for object in &page {
            match object.row.as_ref().and_then(|row| Some((row, row.sealed.clone()?))) {
                Some((row, sealed)) => check.open_sealed(&sealed, &sealing::object_facts(row)).await?,
                None => check.tally.unreadable += 1,
            }
        }
    }
    for version in check.imported.keys() {
        check.forget(*version).await;
    }
    Ok(check.tally)
}

/// The Roots of Trust that keys in the file were wrapped by: this one, and those that its rows name.
fn wrappers(hsm: &Group, rows: &[KeptDomain]) -> Vec<[u8; 32]> {
    let keys = rows.iter().filter_map(|row| DomainKeys::from_bytes(&row.domain_key).ok());
    let named = keys.flat_map(|keys| std::iter::once(keys.current).chain(keys.former)).map(|key| key.rot_fingerprint);
    let mut wrappers: Vec<_> = named.chain([hsm.trust_anchor().rot_fingerprint]).collect();
    wrappers.sort_unstable();
    wrappers.dedup();
    wrappers
}

/// Every wrapped Domain Key of a domain: those of its row, and whatever looks like one anywhere in the file.
fn keys_of(
    snapshot: &Snapshot,
    wrappers: &[[u8; 32]],
    id: DomainId,
    row: Option<&KeptDomain>,
) -> Result<Vec<DomainKey>, BackupError> {
    let mut keys = Vec::new();
    let mut add = |key: DomainKey| {
        if key.domain == id && !key.is_husk() && !keys.contains(&key) {
            keys.push(key);
        }
    };
    if let Some(of_row) = row.and_then(|row| DomainKeys::from_bytes(&row.domain_key).ok()) {
        std::iter::once(of_row.current).chain(of_row.former).for_each(&mut add);
    }
    // A stored Domain Key begins with its format and its domain.
    let start = [&[1], id.as_slice()].concat();
    let is_key = |stretch: &[u8]| {
        DomainKey::from_bytes(stretch).is_ok_and(|key| key.version > 0 && wrappers.contains(&key.rot_fingerprint))
    };
    for stretch in snapshot.stretches(&start, DomainKey::ENCODED_LEN, is_key)? {
        if let Ok(key) = DomainKey::from_bytes(&stretch) {
            add(key);
        }
    }
    Ok(keys)
}

struct Check<'a> {
    hsm: &'a Group,
    id: DomainId,
    tally: Tally,
    imported: BTreeMap<u32, Vec<DomainKey>>,
}

/// Whether it worked. That the bytes are wrong is an answer; that no member can say so is none.
fn answered<T>(result: Result<T, HsmError>) -> Result<bool, BackupError> {
    match result {
        Ok(_) => Ok(true),
        Err(HsmError::Data { .. } | HsmError::Envelope(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Check<'_> {
    async fn import(&mut self, key: DomainKey) -> Result<(), BackupError> {
        self.tally.domain_keys += 1;
        // The fingerprint beside the key is only a note of who wrapped it; the HSM is asked whatever it says.
        let key = DomainKey { rot_fingerprint: self.hsm.trust_anchor().rot_fingerprint, ..key };
        if answered(self.hsm.prove_domain_key(&key).await)? {
            self.tally.imported += 1;
            self.forget(key.version).await;
            self.imported.entry(key.version).or_default().push(key);
        }
        Ok(())
    }

    /// Two blobs of one version are tried one after the other: a member holds one at a time under its version.
    async fn forget(&self, version: u32) {
        self.hsm.forget_version(self.id, version).await;
    }

    async fn open(&mut self, sealed: Vec<u8>, facts: &[u8]) -> Result<(), BackupError> {
        match Sealed::from_bytes(sealed) {
            Ok(sealed) => self.open_sealed(&sealed, facts).await,
            Err(_) => {
                self.tally.unreadable += 1;
                Ok(())
            }
        }
    }

    async fn open_sealed(&mut self, sealed: &Sealed, facts: &[u8]) -> Result<(), BackupError> {
        self.tally.sealed += 1;
        let keys = self.imported.get(&sealed.version()).map_or(&[][..], Vec::as_slice);
        for key in keys {
            if keys.len() > 1 {
                self.forget(key.version).await;
            }
            if answered(self.hsm.open_sealed(key, facts, sealed).await)? {
                self.tally.opened += 1;
                return Ok(());
            }
        }
        Ok(())
    }
}
