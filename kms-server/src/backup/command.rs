//! `kms-server shred-check`: the check on a file of the database or on a backup, on a node that may serve meanwhile.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use audit::TrustedKeys;
use audit::backup::Manifest;
use audit::paper::Paper;
use hsm::Group;
use keystore::Snapshot;
use serde::Serialize;

use super::file::{MAGIC, Sealing};
use super::shred::{self, Checked, Tally};
use super::{BackupError, Keys, Throwaway};
use crate::node::checkpoints::checkpoint_keys;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The file that was looked at.
    pub file: PathBuf,
    /// Whether that is a backup, and when it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// The domain that was asked for.
    pub domain: Checked,
    /// All others in the file.
    pub others: Vec<Checked>,
}

impl Findings {
    /// Whether nothing of the domain comes back.
    #[must_use]
    pub fn is_shredded(&self) -> bool {
        self.domain.tally.is_shredded()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name:<14} {value}");
        };
        line("control", "a new Domain Key seals and opens in the HSM".to_owned());
        line("file", self.file.display().to_string());
        if let Some(taken) = &self.taken {
            line("backup", format!("taken {taken}"));
        }
        line("domain", format!("{} {}", self.domain.id, self.domain.name));
        let Tally { domain_keys, imported, sealed, opened, unreadable } = self.domain.tally;
        line("Domain Keys", format!("{domain_keys} in the file, {imported} imported"));
        line("sealed", format!("{sealed} in the file, {opened} opened, {unreadable} unreadable"));
        line("result", if self.is_shredded() { "nothing of it opens" } else { "it still opens" }.to_owned());
        for other in &self.others {
            let Tally { sealed, opened, .. } = other.tally;
            line("other domain", format!("{} {}: {opened} of {sealed} opened", other.id, other.name));
        }
        text
    }
}

/// Tries everything in `file`: a backup, or a database. `domain` is a name or an identifier; one that the file has
/// nothing of is an error where it is a name, because it may be misspelt.
///
/// # Errors
/// [`BackupError`]; [`BackupError::Hsm`] also where the control does not open.
pub async fn shred_check(
    hsm: &Group,
    kms: &str,
    file: &Path,
    scratch: &Path,
    domain: &str,
) -> Result<Findings, BackupError> {
    shred::control(hsm).await?;
    let mut folder = None;
    let (database, taken) = if is_backup(file)? {
        let place = folder.insert(Throwaway::inside(scratch)?);
        let (manifest, database) = restore(hsm, kms, file, place).await?;
        (database, Some(manifest.taken))
    } else {
        (file.to_owned(), None)
    };
    let mut snapshot = Snapshot::open(&database).await?;
    let checked = shred::check(hsm, &mut snapshot).await;
    snapshot.close().await?;
    let (mut asked, others): (Vec<_>, Vec<_>) =
        checked?.into_iter().partition(|one| one.id == domain || one.name == domain);
    let domain = match asked.pop() {
        Some(one) if asked.is_empty() => one,
        Some(_) => return Err(BackupError::Internal("several domains of that name; give the identifier")),
        None if uuid::Uuid::try_parse(domain).is_ok() => {
            Checked { id: domain.to_owned(), name: String::new(), tally: Tally::default() }
        }
        None => {
            return Err(BackupError::Internal("no such domain in the file; what has no row goes by its identifier"));
        }
    };
    Ok(Findings { file: file.to_owned(), taken, domain, others })
}

fn is_backup(file: &Path) -> Result<bool, BackupError> {
    let mut start = Vec::new();
    let opened = File::open(file).map_err(BackupError::file(file))?;
    opened.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(BackupError::file(file))?;
    Ok(start == MAGIC)
}

/// Believes a backup's manifest and restores its database into a throw-away place.
async fn restore(hsm: &Group, kms: &str, file: &Path, folder: &Throwaway) -> Result<(Manifest, PathBuf), BackupError> {
    let (sealing, manifest) = Sealing::open(file)?;
    let trusted = checkpoint_keys(hsm.trust_anchor()).and_then(|keys| TrustedKeys::new(kms, keys).ok());
    let trusted = trusted.ok_or(BackupError::Internal("the trust anchor's checkpoint keys cannot be read"))?;
    let manifest = Manifest::believed(&manifest, &trusted)?;
    let keys = Keys::open(hsm, &sealing.header).await?;
    let database = folder.file("copy.sqlite");
    let read = sealing.restore(&keys, &database)?;
    if hex::encode(read.sha256) != manifest.sha256 {
        return Err(BackupError::Altered("it is not the file that its manifest is of"));
    }
    Ok((manifest, database))
}
