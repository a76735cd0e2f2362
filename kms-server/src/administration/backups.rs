//! Backups are taken, listed and verified. Their list stands in the row of the administrators' domain.
//!
//! A backup is in the list before the first byte of it is written, and is made when everything in it was opened: so the
//! list never lacks one that may hold sealed copies, and a certificate of destruction can name them all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use admin_api as api;
use audit::backup::{CopiedDomain, Manifest, ProvedDomain, Report, Taken};
use audit::bundle::utc;
use audit::destruction::HeldBackup;
use audit::limits::MAX_DETAIL_LEN;
use audit::paper::Paper;
use audit::{LogId, Record, bounded_text};
use keystore::{Change, DomainRow, DomainState, Step};
use secret::DomainId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::acting::{Acting, AdminFailure, unit};
use crate::backup::file::{self, Sealing};
use crate::backup::prove::{Proved, prove, state_text};
use crate::backup::{BackupError, Keys, Throwaway};
use crate::durable;
use crate::failure::Failure;
use crate::node::auditing::log_of;
use crate::node::checkpoints::trusted_keys;
use crate::node::directory::Domain;
use crate::node::sealing::identifier_text;
use crate::node::{Node, signing};

/// Ends the name of a backup's file.
const SUFFIX: &str = ".clavis-backup";
/// Backups that are kept in the list: those whose time is over go.
const MAX_BACKUPS: usize = 512;
const DAY_US: i64 = 86_400_000_000;
pub(super) const TAKE: &str = "Create Backup";
const VERIFY: &str = "Verify Backup";

/// A backup in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<Uuid>,
    taken_us: i64,
    until_us: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<u64>,
}

/// A backup that was read. Its database is there for as long as this lives.
pub(super) struct OpenedBackup {
    /// What a trusted key signed.
    pub(super) manifest: Manifest,
    /// The restored database.
    pub(super) database: PathBuf,
    /// What does not fit, in words.
    pub(super) faults: Vec<String>,
    keys: Arc<Keys>,
    sha256: [u8; 32],
    _place: Throwaway,
}

impl From<BackupError> for AdminFailure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::Hsm(error) => error.into(),
            BackupError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Self::Request(Failure::NotFound)
            }
            BackupError::Altered(_) | BackupError::Manifest(_) => Self::Unsound(error.to_string()),
            BackupError::NotApproved(why) => Self::NotApproved(why),
            error @ (BackupError::File { .. } | BackupError::Internal(_)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a backup cannot be made or read");
                Self::Request(Failure::Internal("a backup cannot be made or read; the log says more"))
            }
        }
    }
}

fn path_of(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", id.hyphenated()))
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(BackupError::Internal("a task of a backup ended badly")))
}

impl Node {
    fn listed_backups(system: &Domain) -> Result<Vec<Listed>, AdminFailure> {
        let bytes = system.row.backups.as_deref().unwrap_or(b"[]");
        serde_json::from_slice(bytes).map_err(|_| Failure::Internal("the list of backups cannot be read").into())
    }

    /// Changes the list, with a record in the system's log and, for a backup of one domain, in that domain's.
    async fn change_backups(
        &self,
        acting: &Acting,
        change: impl FnOnce(&mut Vec<Listed>) -> Result<(), AdminFailure>,
        domain: Option<DomainId>,
        detail: String,
    ) -> Result<(), AdminFailure> {
        // The list and the requests share a row.
        let _alone = self.requests.lock().await;
        let system = self.system_domain()?;
        let mut all = Self::listed_backups(&system)?;
        change(&mut all)?;
        let bytes = serde_json::to_vec(&all).map_err(|_| Failure::Internal("the list of backups cannot be written"))?;
        let row = DomainRow { backups: Some(bytes), ..system.row.clone() };
        let detail = Some(bounded_text(&detail, MAX_DETAIL_LEN));
        let told = |log| Record { detail: detail.clone(), ..acting.record(self, log, TAKE) };
        let logs = [log_of(system.row.id), LogId::System].into_iter().chain(domain.map(log_of));
        let mut changes = vec![Change::UpdateDomain(row)];
        let steps = logs.map(|log| Step { changes: std::mem::take(&mut changes), record: Some(told(log)) });
        self.store.commit(unit(steps.collect())).await?;
        self.reload_domain(&system.row.id).await?;
        Ok(())
    }

    /// Takes a backup of one domain or of all, proves it, and keeps it in the node's folder.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded, and nothing of a backup that was not made is left.
    /// [`Failure::WrongState`] for a domain that is not active: nothing of it could be proved.
    pub async fn take_backup(
        &self,
        acting: &Acting,
        domain: Option<&Domain>,
        days: u32,
    ) -> Result<api::Backup, AdminFailure> {
        let _alone = self.backups.lock().await;
        match self.try_take(acting, domain, days).await {
            Ok(backup) => Ok(backup),
            Err(failure) => {
                let log = domain.map_or(LogId::System, |domain| log_of(domain.row.id));
                acting.refuse(self, log, TAKE, failure).await
            }
        }
    }

    async fn try_take(&self, acting: &Acting, domain: Option<&Domain>, days: u32) -> Result<api::Backup, AdminFailure> {
        let folder = &self.backup_folder;
        if domain.is_some_and(|domain| !domain.is_active()) {
            return Err(Failure::WrongState.into());
        }
        Throwaway::sweep(folder)?;
        let id = Uuid::new_v4();
        let now = self.clock.now_us();
        let of = domain.map(|domain| domain.row.id);
        let listed = Listed {
            id,
            domain: of.map(Uuid::from_bytes),
            taken_us: now,
            until_us: now.saturating_add(i64::from(days).saturating_mul(DAY_US)),
            sha256: None,
            objects: None,
        };
        let what = domain.map_or_else(|| "all domains".to_owned(), |domain| format!("domain {}", domain.row.name));
        let text = format!("backup {id} of {what}, to be kept until {}", utc(listed.until_us));
        let entry = listed.clone();
        let begin = move |all: &mut Vec<Listed>| {
            all.retain(|one| one.until_us >= now);
            if all.len() >= MAX_BACKUPS {
                return Err(AdminFailure::Unusable("as many backups as the list may have are kept already"));
            }
            all.push(entry);
            Ok(())
        };
        self.change_backups(acting, begin, of, format!("begun: {text}")).await?;
        let made = match self.make(&listed).await {
            Ok(made) => made,
            Err(failure) => {
                let _ = std::fs::remove_file(path_of(folder, id));
                let undo = |all: &mut Vec<Listed>| {
                    all.retain(|one| one.id != id);
                    Ok(())
                };
                self.change_backups(acting, undo, of, format!("given up: {text}")).await?;
                return Err(failure);
            }
        };
        let entry = made.clone();
        let keep = move |all: &mut Vec<Listed>| {
            all.iter_mut().filter(|one| one.id == id).for_each(|one| *one = entry.clone());
            Ok(())
        };
        let hash = made.sha256.clone().unwrap_or_default();
        self.change_backups(acting, keep, of, format!("made: {text}, sha256 {hash}")).await?;
        if domain.is_none() {
            // A tenant reads in its own log that a copy was taken.
            for tenant in self.directory.tenants() {
                if tenant.row.state != DomainState::Destroyed {
                    acting.note(self, log_of(tenant.row.id), TAKE, Some(&format!("made: {text}"))).await?;
                }
            }
        }
        Ok(told(folder, &made))
    }

    /// Copies, seals, restores, opens everything, signs. Only a backup that was proved gets its name.
    async fn make(&self, listed: &Listed) -> Result<Listed, AdminFailure> {
        let folder = &self.backup_folder;
        let place = Throwaway::inside(folder)?;
        let id = listed.id.into_bytes();
        let copy = place.file("copy.sqlite");
        self.store.copy(&copy, listed.domain.map(Uuid::into_bytes)).await?;
        let keys = Arc::new(Keys::draw(&self.hsm).await?);
        let header = keys.seal(&self.hsm, id).await?;
        let sealed = place.file("sealed");
        let (from, to, with) = (copy, sealed.clone(), keys.clone());
        let written = blocking(move || file::write(&from, &to, &header, &with)).await?;

        // From here on only what was written is looked at: its keys are opened anew from its own header.
        let (from, restored) = (Sealing::open_unfinished(&sealed)?, place.file("restored.sqlite"));
        let (keys, to) = (Arc::new(Keys::open(&self.hsm, &from.header).await?), restored.clone());
        let with = keys.clone();
        let read = blocking(move || from.restore(&with, &to)).await?;
        if read != written {
            return Err(AdminFailure::Unsound("what was read is not what was written".to_owned()));
        }
        let proved = prove(&self.hsm, &restored, &keys, Some(self)).await?;
        if let Some(fault) = proved.iter().flat_map(|one| &one.proof.faults).next() {
            return Err(AdminFailure::Unsound(format!("the copy does not prove itself: {fault}")));
        }
        let objects = proved.iter().map(|one| one.proof.sealed).sum();
        let manifest = Manifest::of(Taken {
            kms: self.kms.clone(),
            id: listed.id.to_string(),
            domain: listed.domain.map(|domain| domain.to_string()),
            taken: utc(listed.taken_us),
            until: utc(listed.until_us),
            root_of_trust: self.hsm.trust_anchor().rot_fingerprint,
            bytes: written.bytes,
            sha256: written.sha256,
            domains: proved.into_iter().map(copied).collect(),
        });
        let manifest = signing::sign(self, &manifest).await?;
        file::append_manifest(&sealed, &manifest)?;
        let path = path_of(folder, listed.id);
        durable::rename(&sealed, &path).map_err(BackupError::file(&path))?;
        Ok(Listed { sha256: Some(hex::encode(written.sha256)), objects: Some(objects), ..listed.clone() })
    }

    /// The backups that were taken here and whose time is not over.
    ///
    /// # Errors
    /// [`AdminFailure`].
    pub async fn list_backups(&self, acting: &Acting) -> Result<Vec<api::Backup>, AdminFailure> {
        acting.note(self, LogId::System, "List Backups", None).await?;
        let all = Self::listed_backups(&*self.system_domain()?)?;
        let now = self.clock.now_us();
        Ok(all.iter().filter(|one| one.until_us >= now).map(|one| told(&self.backup_folder, one)).collect())
    }

    /// Reads a backup from the node's folder, restores it in a throw-away place, opens everything in it, and holds what
    /// came of it against its manifest. The report is signed.
    ///
    /// # Errors
    /// [`AdminFailure`]; every refusal is recorded. [`Failure::NotFound`] where there is no such file,
    /// [`AdminFailure::Unsound`] for one that is no backup of this installation.
    pub async fn verify_backup(&self, acting: &Acting, id: Uuid) -> Result<api::BackupReport, AdminFailure> {
        let _alone = self.backups.lock().await;
        match self.try_verify(acting, id).await {
            Ok(report) => Ok(report),
            Err(failure) => acting.refuse(self, LogId::System, VERIFY, failure).await,
        }
    }

    /// Reads a backup from the node's folder and restores its database in a throw-away place.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`AdminFailure::Unsound`] for one that is no backup of this installation. A file that is not
    /// the one of its manifest is told of.
    pub(super) async fn open_backup(&self, id: Uuid) -> Result<OpenedBackup, AdminFailure> {
        let folder = &self.backup_folder;
        Throwaway::sweep(folder)?;
        let place = Throwaway::inside(folder)?;
        let path = path_of(folder, id);
        let (sealing, manifest) = blocking(move || Sealing::open(&path)).await?;
        let manifest = Manifest::believed(&manifest, &trusted_keys(self)?).map_err(BackupError::from)?;
        let mut faults = Vec::new();
        if manifest.id != id.to_string() || Uuid::from_bytes(sealing.header.id) != id {
            faults.push("the file has the name of another backup".to_owned());
        }
        let keys = Arc::new(Keys::open(&self.hsm, &sealing.header).await?);
        let (database, with) = (place.file("restored.sqlite"), keys.clone());
        let to = database.clone();
        let read = blocking(move || sealing.restore(&with, &to)).await?;
        if hex::encode(read.sha256) != manifest.sha256 || read.bytes != manifest.bytes {
            faults.push("the file is not the one that its manifest is of".to_owned());
        }
        Ok(OpenedBackup { manifest, database, faults, keys, sha256: read.sha256, _place: place })
    }

    async fn try_verify(&self, acting: &Acting, id: Uuid) -> Result<api::BackupReport, AdminFailure> {
        let OpenedBackup { manifest, database, mut faults, keys, sha256, _place } = self.open_backup(id).await?;
        let proved = prove(&self.hsm, &database, &keys, Some(self)).await?;
        faults.extend(differences(&manifest, &proved));
        let domains = proved.into_iter().map(|one| ProvedDomain {
            id: identifier_text(one.row.id),
            name: one.row.name,
            proof: one.proof,
        });
        let report = Report::on(&manifest, utc(self.clock.now_us()), sha256, domains.collect(), faults);
        let document = signing::sign(self, &report).await?;
        let sound = report.faults.is_empty();
        let said = if sound { "sound".to_owned() } else { format!("{} faults", report.faults.len()) };
        acting.note(self, LogId::System, VERIFY, Some(&format!("backup {id}: {said}"))).await?;
        Ok(api::BackupReport { sound, document })
    }

    /// The backups that may hold sealed copies of what a domain had, and was destroyed at `destroyed_us`.
    pub(super) fn backups_with(&self, domain: &Domain, destroyed_us: i64) -> Result<Vec<HeldBackup>, AdminFailure> {
        let now = self.clock.now_us();
        let holds = |one: &&Listed| {
            one.until_us >= now
                && (domain.row.created_us..=destroyed_us).contains(&one.taken_us)
                && one.domain.is_none_or(|of| of.into_bytes() == domain.row.id)
        };
        let all = Self::listed_backups(&*self.system_domain()?)?;
        let held = all.iter().filter(holds).map(|one| HeldBackup {
            backup: one.id.to_string(),
            taken: utc(one.taken_us),
            until: Some(utc(one.until_us)),
        });
        Ok(held.collect())
    }
}

fn copied(one: Proved) -> CopiedDomain {
    CopiedDomain {
        id: identifier_text(one.row.id),
        name: one.row.name,
        state: state_text(one.row.state).to_owned(),
        records: one.records,
        root: hex::encode(one.root),
        proof: one.proof,
    }
}

/// What a proof found that its manifest does not say.
fn differences(manifest: &Manifest, proved: &[Proved]) -> Vec<String> {
    let mut faults = Vec::new();
    if manifest.domains.len() != proved.len() {
        faults.push(format!("{} domains instead of {}", proved.len(), manifest.domains.len()));
    }
    for one in proved {
        let id = identifier_text(one.row.id);
        let mut fault = |text: &str| faults.push(format!("domain {id}: {text}"));
        let Some(then) = manifest.domains.iter().find(|then| then.id == id) else {
            fault("the manifest does not know it");
            continue;
        };
        if (then.records, &then.root) != (one.records, &hex::encode(one.root)) {
            fault("another log than when it was taken");
        }
        // What was closed since is not opened, then or now; its rows lie in the file that was hashed.
        if let (Some(then), Some(now)) = (&then.proof.digest, &one.proof.digest)
            && then != now
        {
            fault("what opens is not what opened when it was taken");
        }
        one.proof.faults.iter().for_each(|text| fault(text));
    }
    faults
}

fn told(folder: &Path, one: &Listed) -> api::Backup {
    let path = path_of(folder, one.id);
    let state = match &one.sha256 {
        None => api::BackupState::Making,
        Some(_) if path.is_file() => api::BackupState::Made,
        Some(_) => api::BackupState::Elsewhere,
    };
    api::Backup {
        id: one.id,
        domain: one.domain,
        taken: one.taken_us.div_euclid(1_000_000),
        until: one.until_us.div_euclid(1_000_000),
        state,
        file: path.display().to_string(),
        objects: one.objects,
        sha256: one.sha256.clone(),
    }
}
