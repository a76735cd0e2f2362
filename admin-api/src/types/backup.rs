//! Backups: what is asked for, what is known of them, and the report of a verification.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::{MAX_BACKUP_DAYS, MAX_NAME};

/// A backup to be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// Name or identifier of the one domain that it is to hold; all of them where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Days after which it is to be destroyed, 1 to [`MAX_BACKUP_DAYS`].
    pub days: u32,
}

impl NewBackup {
    /// Looks for what the server would refuse anyway.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(1..=MAX_BACKUP_DAYS).contains(&self.days) {
            return Err("a backup is kept for 1 to 3650 days");
        }
        match &self.domain {
            Some(name) if !(1..=MAX_NAME).contains(&name.len()) => Err("a domain's name has 1 to 64 characters"),
            _ => Ok(()),
        }
    }
}

/// A backup that was taken here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its identifier; the file is called so.
    pub id: Uuid,
    /// The one domain that it holds; absent where it holds all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Uuid>,
    /// When it was taken, seconds since the epoch.
    pub taken: i64,
    /// Until when it is to be kept, and destroyed then.
    pub until: i64,
    /// Where it stands.
    pub state: BackupState,
    /// The file on the node.
    pub file: String,
    /// Objects with sealed bytes in it; absent while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// SHA-256 of the file in front of its manifest, in hex; absent while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Where a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// It is being made, or the node ended before it was.
    Making,
    /// It was made and proved, and its file is there.
    Made,
    /// It was made and proved; its file is not in the node's folder, but may be elsewhere.
    Elsewhere,
}

impl BackupState {
    /// As in the JSON.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Made => "made",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// What came of verifying a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupReport {
    /// Whether it is what was taken, and everything in it opens.
    pub sound: bool,
    /// The report as it is kept and verified: two lines, signed in the HSM.
    pub document: String,
}
