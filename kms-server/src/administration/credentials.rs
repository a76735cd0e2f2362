//! Users and devices that may speak through a client, and what each of them reaches.

use std::sync::Arc;

use admin_api as api;
use keystore::{Access, Credential, Device, IdentityRow, Subject};
use kmip::registry::Operation;
use secret::Secret;

use super::acting::{Acting, AdminFailure};
use crate::authentication;
use crate::failure::Failure;
use crate::node::Node;
use crate::node::auditing::log_of;
use crate::node::directory::Domain;
use crate::shell::peer::Fingerprint;

/// What is done to a client's rights.
pub enum RightsChange {
    /// One more user or device may speak through it.
    Add(api::NewCredential),
    /// This user or device may no longer.
    Remove(String),
    /// What it reaches by its certificate alone.
    Alone(api::ClientAccess),
}

impl RightsChange {
    /// What the audit log calls it.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Add(_) => "Add Credential",
            Self::Remove(_) => "Remove Credential",
            Self::Alone(_) => "Set Access",
        }
    }
}

impl Node {
    /// Changes what may be done through a client, from its next request on. A dry run decides everything, and tells what
    /// would be.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded.
    pub async fn change_rights(
        &self,
        acting: &Acting,
        domain: &Domain,
        fingerprint: &Fingerprint,
        change: RightsChange,
        dry_run: bool,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        let operation = change.operation();
        match self.try_change(acting, domain, fingerprint, change, dry_run).await {
            Ok(client) => Ok(client),
            Err(failure) => acting.refuse(self, log_of(domain.row.id), operation, failure).await,
        }
    }

    async fn try_change(
        &self,
        acting: &Acting,
        domain: &Domain,
        fingerprint: &Fingerprint,
        change: RightsChange,
        dry_run: bool,
    ) -> Result<Arc<IdentityRow>, AdminFailure> {
        let operation = change.operation();
        let known = self.directory.identity(fingerprint).filter(|known| known.domain == domain.row.id);
        let known = known.ok_or(AdminFailure::Request(Failure::NotFound))?;
        let mut row = IdentityRow::clone(&known);
        match change {
            RightsChange::Add(new) => {
                if row.credentials.len() >= api::limits::MAX_CREDENTIALS {
                    return Err(AdminFailure::Unusable("the client has as many credentials as it may have"));
                }
                let subject = subject(&new)?;
                if row.credentials.iter().any(|one| one.subject.name() == subject.name()) {
                    return Err(AdminFailure::Exists("the client has a credential of that name"));
                }
                let argon2 = match new.password {
                    Some(password) => Some(hashed(Secret::copy_from(password.expose().as_bytes())).await?),
                    None => None,
                };
                row.credentials.push(Credential { subject, argon2, access: access(&new.access)? });
            }
            RightsChange::Remove(name) => {
                let before = row.credentials.len();
                row.credentials.retain(|one| one.subject.name() != name);
                if row.credentials.len() == before {
                    return Err(AdminFailure::Request(Failure::NotFound));
                }
            }
            RightsChange::Alone(alone) => {
                row.access = access(&alone.access)?;
                row.credential_demanded = alone.credential_demanded;
            }
        }
        if dry_run {
            acting.note(self, log_of(domain.row.id), operation, Some("dry run: nothing changed")).await?;
            return Ok(Arc::new(row));
        }
        self.put_identity(acting, domain, row, operation).await
    }
}

/// The stored form of a password.
pub(super) async fn hashed(password: Secret) -> Result<String, AdminFailure> {
    let hashing = tokio::task::spawn_blocking(move || authentication::hash_password(&password));
    Ok(hashing.await.map_err(|_| Failure::Internal("password hashing was interrupted"))??)
}

fn subject(new: &api::NewCredential) -> Result<Subject, AdminFailure> {
    match (&new.username, &new.device) {
        (Some(name), None) => Ok(Subject::User(name.clone())),
        (None, Some(device)) => Ok(Subject::Device(Device {
            serial_number: device.serial_number.clone(),
            device: device.device.clone(),
            network: device.network.clone(),
            machine: device.machine.clone(),
            media: device.media.clone(),
        })),
        _ => Err(AdminFailure::Unusable("a credential is that of a user or that of a device")),
    }
}

fn access(asked: &api::Access) -> Result<Access, AdminFailure> {
    let named = |name: &String| {
        let found = Operation::ALL.iter().find(|operation| operation.text() == name);
        found
            .copied()
            .ok_or(AdminFailure::Unusable("an operation is none of the specification's, as in Get Attributes"))
    };
    let operations = asked.operations.as_ref().map(|names| names.iter().map(named).collect()).transpose()?;
    Ok(Access { own: asked.own, operations })
}

/// An access as administrators read it.
pub(super) fn told_access(access: &Access) -> api::Access {
    let names = |operations: &Vec<Operation>| operations.iter().map(|one| one.text().to_owned()).collect();
    api::Access { own: access.own, operations: access.operations.as_ref().map(names) }
}

/// A credential as administrators read it.
pub(super) fn told_credential(credential: &Credential) -> api::RegisteredCredential {
    let device = match &credential.subject {
        Subject::User(_) => None,
        Subject::Device(device) => Some(api::Device {
            serial_number: device.serial_number.clone(),
            device: device.device.clone(),
            network: device.network.clone(),
            machine: device.machine.clone(),
            media: device.media.clone(),
        }),
    };
    api::RegisteredCredential {
        name: credential.subject.name().to_owned(),
        device,
        has_password: credential.argon2.is_some(),
        access: told_access(&credential.access),
    }
}
