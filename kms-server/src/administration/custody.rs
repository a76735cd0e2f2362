//! What an administrator does with a domain's keys as a whole: freeze and thaw it, rotate its Domain Key.

use std::sync::Arc;

use admin_api::DomainChange;
use audit::{LogId, Record};
use keystore::{Change, DomainRow, DomainState, MacKey, Step};
use secret::{DomainId, Secret};

use super::acting::{Acting, AdminFailure, unit};
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::node::domain_keys::DomainKeys;
use crate::node::rotation_steps::RotationStep;
use crate::node::sealing;

impl Node {
    /// Freezes or thaws a domain, or begins to rotate its Domain Key.
    ///
    /// - *Freeze*: everything that clients of the domain ask for is refused from their next request on; when this
    ///   returns, none of its keys is in use in any HSM member. Freezing a frozen domain changes nothing.
    /// - *Thaw*: a frozen domain is served again. Thawing an active domain changes nothing. A domain whose rows do not
    ///   verify stays frozen.
    /// - *Rotate*: from now on objects are sealed under a new version of the Domain Key, and those that are there are
    ///   sealed anew in the background while both versions open.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded. [`Failure::WrongState`] for a destroyed domain; for the rotation of one
    /// that is not active, or whose last rotation is still going on.
    pub async fn keep_domain(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        change: DomainChange,
        dry_run: bool,
    ) -> Result<Arc<Domain>, AdminFailure> {
        let operation = change.operation();
        let kept = match change {
            DomainChange::Freeze => self.try_freeze(acting, domain, dry_run, operation).await,
            DomainChange::Thaw => self.try_thaw(acting, domain, dry_run, operation).await,
            DomainChange::RotateKey => self.try_rotate(acting, domain, dry_run, operation).await,
        };
        match kept {
            Ok(domain) => Ok(domain),
            Err(failure) => acting.refuse(self, log_of(domain.row.id), operation, failure).await,
        }
    }

    async fn try_freeze(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        dry_run: bool,
        operation: &str,
    ) -> Result<Arc<Domain>, AdminFailure> {
        if domain.row.state == DomainState::Destroyed {
            return Err(Failure::WrongState.into());
        }
        if dry_run || domain.row.state == DomainState::Frozen {
            acting.note(self, log_of(domain.row.id), operation, Some("nothing changed")).await?;
            return Ok(Arc::clone(domain));
        }
        let row = DomainRow { state: DomainState::Frozen, ..domain.row.clone() };
        let frozen = self.change_domain(acting, operation, None, vec![Change::UpdateDomain(row)], domain).await?;
        // Requests that were let in before end here: no key is imported any more, no row is read or written.
        self.hsm.close_domain(domain.row.id).await;
        self.store.deactivate(domain.row.id).await;
        self.streams.end_all_of(&domain.row.id);
        Ok(frozen)
    }

    async fn try_thaw(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        dry_run: bool,
        operation: &str,
    ) -> Result<Arc<Domain>, AdminFailure> {
        let id = domain.row.id;
        if domain.row.state == DomainState::Destroyed {
            return Err(Failure::WrongState.into());
        }
        if dry_run || domain.row.state == DomainState::Active {
            acting.note(self, log_of(id), operation, Some("nothing changed")).await?;
            return Ok(Arc::clone(domain));
        }
        self.hsm.reopen_domain(&id);
        let thawed = async {
            let verified = self.verified(&domain.row, &domain.key).await?;
            let row = DomainRow { state: DomainState::Active, ..verified };
            self.change_domain(acting, operation, None, vec![Change::UpdateDomain(row)], domain).await
        };
        match thawed.await {
            Ok(thawed) => {
                // A rotation that stopped when the domain was frozen goes on.
                self.resealing.notify_one();
                Ok(thawed)
            }
            Err(failure) => {
                self.hsm.close_domain(id).await;
                self.store.deactivate(id).await;
                Err(failure)
            }
        }
    }

    /// Opens the domain's MAC secret and hands it to the store, which verifies the rows that it holds in memory.
    pub(crate) async fn verified(&self, row: &DomainRow, keys: &DomainKeys) -> Result<DomainRow, Failure> {
        let secret = self.mac_secret(row, keys).await?;
        Ok(self.store.activate(row.id, MacKey::from_secret(&secret, row.id)).await?)
    }

    async fn mac_secret(&self, row: &DomainRow, keys: &DomainKeys) -> Result<Secret, Failure> {
        let key = keys.of_version(row.secret.version());
        Ok(self.hsm.open_sealed(key, &sealing::domain_secret_facts(row.id), &row.secret).await?)
    }

    async fn try_rotate(
        &self,
        acting: &Acting,
        domain: &Arc<Domain>,
        dry_run: bool,
        operation: &str,
    ) -> Result<Arc<Domain>, AdminFailure> {
        let id = domain.row.id;
        if !domain.is_active() || domain.key.former.is_some() {
            return Err(Failure::WrongState.into());
        }
        if dry_run {
            acting.note(self, log_of(id), operation, Some("dry run: nothing changed")).await?;
            return Ok(Arc::clone(domain));
        }
        let old = &domain.key.current;
        let version = old.version.checked_add(1).ok_or(Failure::Internal("version of a Domain Key"))?;
        let new = self.hsm.create_domain_key(id, version).await?;
        RotationStep::KeyMade.reached();
        // What there is one of goes over at once, so that only objects are left.
        let secret = self.mac_secret(&domain.row, &domain.key).await?;
        let secret = self.hsm.seal(&new, &sealing::domain_secret_facts(id), &secret).await?;
        let authority = self.resealed_authority(domain, &new).await?;
        let keys = DomainKeys { current: new, former: Some(old.clone()) };
        let row = DomainRow { domain_key: keys.to_bytes(), secret, ..domain.row.clone() };
        let changes = std::iter::once(Change::UpdateDomain(row)).chain(authority).collect();
        let detail = format!("version {} to version {version}", old.version);
        let rotating = self.change_domain(acting, operation, Some(detail), changes, domain).await?;
        RotationStep::Known.reached();
        self.resealing.notify_one();
        Ok(rotating)
    }

    /// Commits a change of the domain's row, told in its own log and in the system's, and lets the node know.
    pub(super) async fn change_domain(
        &self,
        acting: &Acting,
        operation: &str,
        detail: Option<String>,
        changes: Vec<Change>,
        domain: &Domain,
    ) -> Result<Arc<Domain>, AdminFailure> {
        let id = domain.row.id;
        let told = Record { detail: detail.clone(), ..acting.record(self, log_of(id), operation) };
        let in_system_log = Record {
            object: Some(sealing::identifier_text(id)),
            detail,
            ..acting.record(self, LogId::System, operation)
        };
        let steps = vec![Step { changes, record: Some(told) }, Step::record(in_system_log)];
        self.store.commit(unit(steps)).await?;
        if operation == DomainChange::RotateKey.operation() {
            RotationStep::Begun.reached();
        }
        Ok(self.reload_domain(&id).await?)
    }

    /// Takes the domain's row from the store, where it was just changed.
    pub(crate) async fn reload_domain(&self, id: &DomainId) -> Result<Arc<Domain>, Failure> {
        let row = self.store.domains().await?.into_iter().find(|row| row.id == *id);
        let row = row.ok_or(Failure::Internal("domain vanished from the store"))?;
        let domain = Domain::of(row).map_err(|_| Failure::Internal("the Domain Keys cannot be read"))?;
        self.directory.put_domain(domain);
        self.directory.domain(id).ok_or(Failure::Internal("domain vanished from the directory"))
    }
}
