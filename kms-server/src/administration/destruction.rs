//! A domain is destroyed: its Domain Keys leave the store and every HSM member, and it cannot come back.
//!
//! ```text
//!  open      the rows of a frozen domain are opened, so that its last row can be written under its MAC
//!  commit    keys replaced by zeros · tombstone of the domain among the administrators' rows · request used up · records
//!  end       no member imports its keys any more, all imported ones are destroyed · its rows are forgotten ·
//!            what the database overwrote is emptied from the write-ahead log
//! ```

use std::sync::Arc;

use keystore::{Change, DomainRow, DomainState};
use secret::DomainId;

use super::acting::AdminFailure;
use super::protected::Planned;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;

impl Node {
    /// The last row of the domain, and its tombstone.
    ///
    /// # Errors
    /// [`Failure::WrongState`] for a domain that is destroyed.
    pub(super) fn plan_destruction(&self, domain: Arc<Domain>) -> Result<Planned, AdminFailure> {
        if domain.row.state == DomainState::Destroyed {
            return Err(Failure::WrongState.into());
        }
        let (id, name) = (domain.row.id, domain.row.name.clone());
        let domain_key = domain.key.husk().to_bytes();
        let row = DomainRow { state: DomainState::Destroyed, domain_key, ..domain.row.clone() };
        let system = self.system_domain()?;
        Ok(Planned {
            in_system: vec![Change::Bury { domain: system.row.id, buried: id }],
            domain: Some((domain, row)),
            restoration: None,
            object: Some(identifier_text(id)),
            detail: format!("domain {name}"),
        })
    }

    /// Opens the rows of a frozen domain for the one commit that ends it; its clients stay refused.
    pub(super) async fn open_for_its_end(&self, domain: &Domain) -> Result<(), AdminFailure> {
        if domain.is_active() {
            return Ok(());
        }
        self.hsm.reopen_domain(&domain.row.id);
        match self.verified(&domain.row, &domain.key).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                self.leave_as_it_was(domain).await;
                Err(failure.into())
            }
        }
    }

    /// The commit failed: a frozen domain is closed again.
    pub(super) async fn leave_as_it_was(&self, domain: &Domain) {
        if !domain.is_active() {
            self.hsm.close_domain(domain.row.id).await;
            self.store.deactivate(domain.row.id).await;
        }
    }

    /// After the commit: nothing of the domain is in use when this returns.
    pub(super) async fn end_domain(&self, id: DomainId) -> Result<(), AdminFailure> {
        let domain = self.reload_domain(&id).await?;
        self.directory.forget_identities_of(&id);
        self.confirm_destruction(&domain).await?;
        self.store.deactivate(id).await;
        self.streams.end_all_of(&id);
        // The key blob stands in no free page; it may stand in the log that the database was written through.
        if let Err(error) = self.store.flush().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(domain = identifier_text(id), error, "the write-ahead log is not emptied yet");
        }
        Ok(())
    }
}
