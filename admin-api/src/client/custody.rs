//! The client's part for copies: backups, and certificates that name them.

use uuid::Uuid;

use super::{AdminClient, Effect};
use crate::error::ClientError;
use crate::types::{Backup, BackupReport, DestructionCertificate, NewBackup};

impl AdminClient {
    /// Has a backup taken and proved; it is kept on the node. For a large store that takes longer than a call may: then
    /// the backup is made all the same, and [`AdminClient::backup_list`] shows it.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState) for one domain that is not active.
    pub fn backup_create(&self, backup: &NewBackup) -> Result<Backup, ClientError> {
        self.post(&["backups"], Effect::Real, backup)
    }

    /// The backups that were taken here and are to be kept still.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn backup_list(&self) -> Result<Vec<Backup>, ClientError> {
        self.get(&["backups"], &[])
    }

    /// Has a backup restored in a throw-away place and everything in it opened.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) where its file is not on the node.
    pub fn backup_verify(&self, id: Uuid) -> Result<BackupReport, ClientError> {
        self.post(&["backups", &id.to_string(), "verify"], Effect::Real, &())
    }

    /// The certificate of a domain's destruction.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::WrongState`](crate::ErrorCode::WrongState) where it is not destroyed.
    pub fn domain_certificate(&self, domain: &str) -> Result<DestructionCertificate, ClientError> {
        self.get(&["domains", domain, "certificate"], &[])
    }

    /// The certificate of an object's destruction.
    ///
    /// # Errors
    /// [`ClientError`]; [`ErrorCode::NotFound`](crate::ErrorCode::NotFound) where no such object was destroyed.
    pub fn object_certificate(&self, domain: &str, object: Uuid) -> Result<DestructionCertificate, ClientError> {
        self.get(&["domains", domain, "objects", &object.to_string(), "certificate"], &[])
    }
}
