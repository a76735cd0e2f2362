//! Who may connect, and as what: the domains and identities that the node holds in memory.
//!
//! They are loaded at start, each row verified, and changed only after the store has committed the change. A look-up
//! takes a read lock for the length of one hash-map access and never waits for the store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use keystore::{DomainRow, DomainState, IdentityRow};
use secret::{DomainId, DomainKeyVersion};

use crate::node::domain_keys::DomainKeys;

/// SHA-256 of the DER SubjectPublicKeyInfo of a registered certificate.
pub type Fingerprint = [u8; 32];

/// A domain as requests need it.
#[derive(Debug)]
pub struct Domain {
    /// The verified row.
    pub row: DomainRow,
    /// Its Domain Keys, wrapped under the Root of Trust.
    pub key: DomainKeys,
}

impl Domain {
    /// The domain of a verified row, with the keys that stand there.
    ///
    /// # Errors
    /// [`hsm::DomainKeyError`] where they cannot be read.
    pub fn of(row: DomainRow) -> Result<Self, hsm::DomainKeyError> {
        DomainKeys::from_bytes(&row.domain_key).map(|key| Self { row, key })
    }

    /// Whether requests are served.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.row.state == DomainState::Active
    }
}

#[derive(Default)]
struct Entries {
    domains: HashMap<DomainId, Arc<Domain>>,
    /// What requests that began before a change may still hold.
    replaced: Vec<Weak<Domain>>,
    identities: HashMap<Fingerprint, Arc<IdentityRow>>,
}

/// The node's view of domains and identities.
#[derive(Default)]
pub struct Directory(RwLock<Entries>);

impl Directory {
    fn read<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        // A poisoned lock means that a writer panicked between two map insertions; each of them is whole by itself.
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The identity registered under `fingerprint`, unless it was revoked.
    #[must_use]
    pub fn identity(&self, fingerprint: &Fingerprint) -> Option<Arc<IdentityRow>> {
        self.read(|entries| entries.identities.get(fingerprint).filter(|identity| !identity.revoked).cloned())
    }

    /// The domain with this identifier.
    #[must_use]
    pub fn domain(&self, id: &DomainId) -> Option<Arc<Domain>> {
        self.read(|entries| entries.domains.get(id).cloned())
    }

    /// The tenant's domain with this name or identifier; the system domain is not a tenant's.
    #[must_use]
    pub fn tenant(&self, name_or_id: &str) -> Option<Arc<Domain>> {
        let id = crate::node::sealing::parse_identifier(name_or_id);
        self.read(|entries| {
            entries
                .domains
                .values()
                .find(|domain| !domain.row.system && (domain.row.name == name_or_id || Some(domain.row.id) == id))
                .cloned()
        })
    }

    /// The one domain that holds the administrators.
    #[must_use]
    pub fn system(&self) -> Option<Arc<Domain>> {
        self.read(|entries| entries.domains.values().find(|domain| domain.row.system).cloned())
    }

    /// All tenants' domains, by name.
    #[must_use]
    pub fn tenants(&self) -> Vec<Arc<Domain>> {
        let mut domains: Vec<_> =
            self.read(|entries| entries.domains.values().filter(|domain| !domain.row.system).cloned().collect());
        domains.sort_by(|a, b| a.row.name.cmp(&b.row.name));
        domains
    }

    /// The identities of a domain, revoked ones too, oldest first.
    #[must_use]
    pub fn identities_of(&self, domain: &DomainId) -> Vec<Arc<IdentityRow>> {
        let mut identities: Vec<_> =
            self.read(|entries| entries.identities.values().filter(|one| one.domain == *domain).cloned().collect());
        identities.sort_by_key(|identity| (identity.created_us, identity.fingerprint));
        identities
    }

    /// Whether the fingerprint is registered at all, in any domain, revoked or not.
    #[must_use]
    pub fn is_registered(&self, fingerprint: &Fingerprint) -> bool {
        self.read(|entries| entries.identities.contains_key(fingerprint))
    }

    /// Enters or replaces a domain. Call it after the store has committed. Of two that do so at once the newer row
    /// stays, whichever comes first.
    pub fn put_domain(&self, domain: Domain) {
        self.write(|entries| {
            let is_older = |known: &Arc<Domain>| domain.row.revision < known.row.revision;
            if !entries.domains.get(&domain.row.id).is_some_and(is_older)
                && let Some(replaced) = entries.domains.insert(domain.row.id, Arc::new(domain))
            {
                entries.replaced.retain(|one| one.strong_count() > 0);
                entries.replaced.push(Arc::downgrade(&replaced));
            }
        });
    }

    /// Whether somebody still works with the domain as it was when another Domain Key than `version` was current.
    #[must_use]
    pub fn is_used_with_another_key(&self, id: &DomainId, version: DomainKeyVersion) -> bool {
        self.read(|entries| {
            let mut held = entries.replaced.iter().filter_map(Weak::upgrade);
            held.any(|domain| domain.row.id == *id && domain.key.current.version != version)
        })
    }

    /// Forgets the identities of a destroyed domain: from now on they are strangers.
    pub fn forget_identities_of(&self, domain: &DomainId) {
        self.write(|entries| entries.identities.retain(|_, identity| identity.domain != *domain));
    }

    /// Enters or replaces an identity. Call it after the store has committed.
    pub fn put_identity(&self, identity: IdentityRow) {
        self.write(|entries| entries.identities.insert(identity.fingerprint, Arc::new(identity)));
    }
}
