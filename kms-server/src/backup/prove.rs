//! Proving a copy of the store: it is opened as a store, every row is verified, and every object is opened in the HSM.
//!
//! What is opened is summed up in a keyed digest, so that the same proof of the same backup, years later, can be held
//! against the first one without anybody knowing a key from it.

use std::path::Path;

use audit::backup::DomainProof;
use hsm::{Group, HsmError};
use keystore::{DomainRow, DomainState, KeyStore, MacKey, ObjectRow, Pace, SqliteStore, StoreError, StoreOptions};
use ring::hmac;
use secret::{Secret, wiped_after};

use super::{BackupError, Keys};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing;

/// Objects read at a time.
const PAGE: usize = 256;
/// Faults told of one domain.
const MAX_FAULTS: usize = 16;
/// Leads what is hashed of an object.
const OBJECT: &[u8] = b"clavis backup object 1";

/// A domain of a copy, with what came of trying to open it.
#[derive(Clone, Debug)]
pub struct Proved {
    /// Its row, as the copy has it.
    pub row: DomainRow,
    /// Records in its log.
    pub records: u64,
    /// Root of its log's tree.
    pub root: audit::Hash,
    /// What came of it.
    pub proof: DomainProof,
}

/// Proves the copy at `copy`, domain by domain in the order of their names. With a running node, every object that did
/// not change since is compared with the node's.
///
/// # Errors
/// [`BackupError::Store`] where the copy is no store, [`BackupError::Hsm`] where nobody can say what opens. What does
/// not open is told, not failed with.
pub async fn prove(hsm: &Group, copy: &Path, keys: &Keys, node: Option<&Node>) -> Result<Vec<Proved>, BackupError> {
    let options = StoreOptions { readers: 1, kept_kib: 0, ..StoreOptions::default() };
    let store = SqliteStore::open(copy, options).await?;
    let mut all = Vec::new();
    for row in store.domains().await? {
        let (records, root) = store.tree_head(log_of(row.id)).await?;
        let mut prover = Prover { hsm, store: &store, keys, node, proof: DomainProof::default() };
        prover.domain(&row).await?;
        all.push(Proved { row, records, root, proof: prover.proof });
    }
    store.close().await;
    Ok(all)
}

struct Prover<'a> {
    hsm: &'a Group,
    store: &'a SqliteStore,
    keys: &'a Keys,
    node: Option<&'a Node>,
    proof: DomainProof,
}

/// What cannot be opened because of what it is, and what nobody can say now.
fn only_data(error: HsmError) -> Result<String, BackupError> {
    match error {
        HsmError::Data { .. } | HsmError::Envelope(_) => Ok(error.to_string()),
        other => Err(other.into()),
    }
}

impl Prover<'_> {
    fn fault(&mut self, text: impl Into<String>) {
        if self.proof.faults.len() < MAX_FAULTS {
            self.proof.faults.push(text.into());
        }
    }

    async fn domain(&mut self, row: &DomainRow) -> Result<(), BackupError> {
        let Ok(domain_keys) = DomainKeys::from_bytes(&row.domain_key) else {
            self.fault("its Domain Keys cannot be read");
            return Ok(());
        };
        if domain_keys.is_husk() {
            self.proof.skipped = Some("it was destroyed: there is no key of it".to_owned());
            return Ok(());
        }
        let key = domain_keys.of_version(row.secret.version());
        let facts = sealing::domain_secret_facts(row.id);
        let secret = match self.hsm.open_sealed(key, &facts, &row.secret).await {
            Ok(secret) => secret,
            Err(HsmError::Closed) => {
                self.proof.skipped = Some("it is frozen or destroyed on this node: nothing of it is opened".to_owned());
                return Ok(());
            }
            Err(error) => {
                let text = only_data(error)?;
                self.fault(format!("its MAC secret: {text}"));
                return Ok(());
            }
        };
        match self.store.activate(row.id, MacKey::from_secret(&secret, row.id)).await {
            Ok(_) => {}
            Err(error @ (StoreError::Tampered { .. } | StoreError::Quarantined { .. })) => {
                self.fault(error.to_string());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        for finding in self.store.verify(row.id, Pace::full()).await?.findings {
            self.fault(format!("{} {} {}", finding.table, finding.row, finding.what));
        }
        self.objects(row, &domain_keys).await?;
        self.store.deactivate(row.id).await;
        self.forget(&domain_keys).await;
        Ok(())
    }

    async fn objects(&mut self, row: &DomainRow, domain_keys: &DomainKeys) -> Result<(), BackupError> {
        let mut whole = hmac::Context::with_key(&self.digest_key());
        let mut after = None;
        loop {
            let page = match self.store.candidates(row.id, &[], after, PAGE).await {
                Ok(page) => page,
                // Told above, by the verification.
                Err(StoreError::Tampered { .. } | StoreError::Quarantined { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for object in &page {
                if !self.object(object, domain_keys, &mut whole).await? {
                    return Ok(());
                }
            }
        }
        self.proof.digest = Some(hex::encode(whole.sign().as_ref()));
        Ok(())
    }

    /// Opens one object; whether the domain is still open.
    async fn object(
        &mut self,
        object: &ObjectRow,
        domain_keys: &DomainKeys,
        whole: &mut hmac::Context,
    ) -> Result<bool, BackupError> {
        self.proof.objects += 1;
        if object.sealed.is_none() {
            return Ok(true);
        }
        self.proof.sealed += 1;
        let opened = match sealing::open(self.hsm, domain_keys, object).await {
            Ok(opened) => opened.to_canonical(),
            Err(Failure::Hsm(HsmError::Closed)) => {
                self.proof.skipped = Some("it was closed while it was looked at".to_owned());
                return Ok(false);
            }
            Err(Failure::Hsm(error)) => {
                let text = only_data(error)?;
                self.fault(format!("object {}: {text}", sealing::identifier_text(object.id)));
                return Ok(true);
            }
            Err(failure) => {
                self.fault(format!("object {}: {failure}", sealing::identifier_text(object.id)));
                return Ok(true);
            }
        };
        self.proof.opened += 1;
        let digest = self.digest(object, &opened);
        whole.update(&object.id);
        whole.update(digest.as_ref());
        self.compare(object, &digest).await?;
        Ok(true)
    }

    /// Holds it against the object of the running node, unless that changed meanwhile.
    async fn compare(&mut self, object: &ObjectRow, digest: &hmac::Tag) -> Result<(), BackupError> {
        let Some(node) = self.node else { return Ok(()) };
        let Some(domain) = node.directory.domain(&object.domain) else { return Ok(()) };
        let live = match node.store.object(object.domain, object.id).await {
            Ok(Some(live)) if live.revision == object.revision => live,
            Ok(_) | Err(StoreError::Inactive(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        match sealing::open(&node.hsm, &domain.key, &live).await {
            Ok(opened) if self.digest(&live, &opened.to_canonical()).as_ref() == digest.as_ref() => {
                self.proof.compared += 1;
            }
            Ok(_) => {
                self.fault(format!("object {} is another in the store", sealing::identifier_text(object.id)));
            }
            Err(Failure::Hsm(HsmError::Closed)) => {}
            Err(failure) => {
                self.fault(format!("object {} in the store: {failure}", sealing::identifier_text(object.id)));
            }
        }
        Ok(())
    }

    fn digest_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.keys.of_digests())
    }

    fn digest(&self, object: &ObjectRow, opened: &Secret) -> hmac::Tag {
        wiped_after(|| {
            let mut context = hmac::Context::with_key(&self.digest_key());
            for part in [OBJECT, &object.domain, &object.id, opened.expose()] {
                context.update(part);
            }
            context.sign()
        })
    }

    /// Destroys what was imported for the proof and is not in use by the node.
    async fn forget(&self, domain_keys: &DomainKeys) {
        for key in std::iter::once(&domain_keys.current).chain(&domain_keys.former) {
            let live = self.node.and_then(|node| node.directory.domain(&key.domain));
            let in_use = live.is_some_and(|domain| domain.key.of_version(key.version).version == key.version);
            if !in_use {
                self.hsm.forget_version(key.domain, key.version).await;
            }
        }
    }
}

/// The state of a domain, in the words of a manifest.
#[must_use]
pub fn state_text(state: DomainState) -> &'static str {
    match state {
        DomainState::Active => "active",
        DomainState::Frozen => "frozen",
        DomainState::Destroyed => "destroyed",
    }
}
