//! Domains whose keys are not used, whoever asks: frozen and destroyed ones.
//!
//! A request that was let in before its domain was closed must not import the key again behind the closing. So it is
//! asked here under the lock of the import, and not only where requests come in.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use secret::DomainId;

use crate::error::{Fault, Kind};

/// The set; one for all members of a group.
#[derive(Debug, Default)]
pub(crate) struct Closed(RwLock<HashSet<DomainId>>);

impl Closed {
    /// From now on the domain's keys are refused.
    pub fn close(&self, domain: DomainId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(domain);
    }

    /// They are used again.
    pub fn reopen(&self, domain: &DomainId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(domain);
    }

    /// A fault that blames nobody where the domain is closed.
    pub fn require_open(&self, domain: &DomainId) -> Result<(), Fault> {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).contains(domain) {
            return Err(Fault::new(Kind::Closed, "use a Domain Key", "the domain is closed"));
        }
        Ok(())
    }
}
