//! `kms-server restore`: a node that lost its store gets one from a backup of all domains, where officers approved it.
//!
//! There is no running store then that could say what was destroyed since the backup was taken. So nobody can vouch for the
//! keys in it: they are named in a list, and the request that officers sign has its digest. What witnesses saw later keeps
//! the node from starting until officers let them forget it, as with every database that is older than they know.

use std::path::{Path, PathBuf};

use audit::backup::Manifest;
use audit::limits::{MAX_APPROVAL_LEN, MAX_DETAIL_LEN};
use audit::paper::Paper;
use audit::{LogId, Record, TrustedKeys, bounded_text};
use hsm::Group;
use keystore::{KeyStore, MacKey, SqliteStore, StoreOptions, Unit};
use quorum::{Approver, Request, SignedRequest};
use ring::digest;
use uuid::Uuid;

use super::file::Sealing;
use super::prove::prove;
use super::{BackupError, Keys, Throwaway};
use crate::administration::approver;
use crate::durable;
use crate::node::NODE_ID_SETTING;
use crate::node::auditing::Auditor;
use crate::node::checkpoints::checkpoint_keys;
use crate::node::clock::Clock;
use crate::node::domain_keys::DomainKeys;
use crate::node::sealing::{domain_secret_facts, identifier_text};

/// The act of the request.
const ACT: &str = "restore-store";
/// What the record calls it.
const OPERATION: &str = "Restore Store";
/// Seconds until a request expires: a week, as long as officers may need to meet.
const LIFETIME_S: i64 = 7 * 86_400;
/// Objects read at a time.
const PAGE: usize = 256;

/// Where a store is to be, and by whose leave.
pub struct Site<'a> {
    /// The HSM group.
    pub hsm: &'a Group,
    /// Name of the installation.
    pub kms: &'a str,
    /// The database; there may be none yet.
    pub store: &'a Path,
    /// How many officers have to approve.
    pub needed: usize,
}

/// A backup that was restored in a throw-away place and proved.
struct Examined {
    manifest: Manifest,
    database: PathBuf,
    /// Those whose approvals count, as the backup knows them.
    approvers: Vec<Approver>,
    /// Every key that nobody can vouch for: a line of domain and object each.
    keys: Vec<String>,
    _place: Throwaway,
}

/// What officers are asked, and the keys that it is about.
#[derive(Debug)]
pub struct Asked {
    /// The request, to be signed.
    pub request: SignedRequest,
    /// A line of domain and object for every key that may have been destroyed or revoked since.
    pub keys: String,
}

impl Site<'_> {
    /// Makes the request that officers sign.
    ///
    /// # Errors
    /// [`BackupError`], also where there is a store already.
    pub async fn ask(&self, file: &Path, now_s: i64) -> Result<Asked, BackupError> {
        let examined = self.examine(file).await?;
        let request = Request {
            kms: self.kms.to_owned(),
            id: Uuid::new_v4(),
            act: ACT.to_owned(),
            parameters: examined.parameters(),
            asked_by: sha256(self.kms.as_bytes()),
            asked_name: self.kms.to_owned(),
            made_s: now_s,
            expires_s: now_s.saturating_add(LIFETIME_S),
        };
        let request = SignedRequest::new(&request).map_err(|_| BackupError::Internal("the request cannot be made"))?;
        Ok(Asked { request, keys: examined.list() })
    }

    /// Puts the store in its place, if enough officers of the backup's own administrators approved exactly that. Returns
    /// the keys that nobody can vouch for.
    ///
    /// # Errors
    /// [`BackupError`]; then there is no store.
    pub async fn restore(&self, file: &Path, signed: &SignedRequest, now_s: i64) -> Result<String, BackupError> {
        let examined = self.examine(file).await?;
        let decided = signed.decide(self.kms, &examined.approvers, self.needed, now_s);
        let (request, by) = decided.map_err(|undecided| BackupError::NotApproved(undecided.to_string()))?;
        if request.act != ACT || request.parameters != examined.parameters() {
            return Err(BackupError::NotApproved("it is a request for something else".to_owned()));
        }
        let store = SqliteStore::open(&examined.database, StoreOptions::default()).await?;
        let id = store.setting(NODE_ID_SETTING).await?.and_then(|id| id.try_into().ok());
        let auditor = Auditor::new(id.ok_or(BackupError::Altered("it does not say of which node it is"))?);
        let taken = &examined.manifest.taken;
        let detail =
            format!("backup {} of {taken}, {} keys not vouched for", examined.manifest.id, examined.keys.len());
        let record = Record {
            approvals: by.iter().map(|one| bounded_text(&one.name, MAX_APPROVAL_LEN)).collect(),
            detail: Some(bounded_text(&detail, MAX_DETAIL_LEN)),
            ..auditor.record(&Clock::default(), LogId::System, OPERATION)
        };
        store.commit(Unit::records([record])).await?;
        // Carries the write-ahead log over: what is moved is one file.
        store.close().await;
        self.check_place()?;
        durable::rename(&examined.database, self.store).map_err(BackupError::file(self.store))?;
        Ok(examined.list())
    }

    fn check_place(&self) -> Result<(), BackupError> {
        if self.store.exists() {
            return Err(BackupError::Internal("there is a store already; it is not replaced"));
        }
        Ok(())
    }

    async fn examine(&self, file: &Path) -> Result<Examined, BackupError> {
        self.check_place()?;
        let folder = self.store.parent().ok_or(BackupError::Internal("the store has no folder"))?;
        let place = Throwaway::inside(folder)?;
        let (sealing, manifest) = Sealing::open(file)?;
        let trusted = checkpoint_keys(self.hsm.trust_anchor()).and_then(|keys| TrustedKeys::new(self.kms, keys).ok());
        let trusted = trusted.ok_or(BackupError::Internal("the trust anchor's checkpoint keys cannot be read"))?;
        let manifest = Manifest::believed(&manifest, &trusted)?;
        if manifest.domain.is_some() {
            return Err(BackupError::Internal("it holds one domain; a store needs a backup of all"));
        }
        let keys = Keys::open(self.hsm, &sealing.header).await?;
        let database = place.file("restored.sqlite");
        let read = sealing.restore(&keys, &database)?;
        if hex::encode(read.sha256) != manifest.sha256 {
            return Err(BackupError::Altered("it is not the file that its manifest is of"));
        }
        for one in prove(self.hsm, &database, &keys, None).await? {
            if let Some(fault) = one.proof.faults.first() {
                tracing::error!(domain = one.row.name, fault, "the backup does not prove itself");
                return Err(BackupError::Altered("something in it does not open; the log says what"));
            }
        }
        let (approvers, keys) = self.living(&database).await?;
        Ok(Examined { manifest, database, approvers, keys, _place: place })
    }

    /// The officers that a store knows, and all keys that live in it.
    async fn living(&self, database: &Path) -> Result<(Vec<Approver>, Vec<String>), BackupError> {
        let options = StoreOptions { readers: 1, kept_kib: 0, ..StoreOptions::default() };
        let store = SqliteStore::open(database, options).await?;
        let (mut approvers, mut keys) = (Vec::new(), Vec::new());
        for row in store.domains().await? {
            let domain_keys = DomainKeys::from_bytes(&row.domain_key);
            let domain_keys = domain_keys.map_err(|_| BackupError::Altered("its Domain Keys cannot be read"))?;
            if domain_keys.is_husk() {
                continue;
            }
            let key = domain_keys.of_version(row.secret.version());
            let secret = self.hsm.open_sealed(key, &domain_secret_facts(row.id), &row.secret).await?;
            let verified = store.activate(row.id, MacKey::from_secret(&secret, row.id)).await?;
            if verified.system {
                approvers = store.identities(row.id).await?.iter().filter_map(approver).collect();
            }
            let mut after = None;
            loop {
                let page = store.candidates(row.id, &[], after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                let living = page.iter().filter(|object| object.sealed.is_some());
                keys.extend(living.map(|object| format!("{} {}", identifier_text(row.id), identifier_text(object.id))));
            }
        }
        store.close().await;
        Ok((approvers, keys))
    }
}

impl Examined {
    fn list(&self) -> String {
        self.keys.iter().map(|key| format!("{key}\n")).collect()
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("backup", self.manifest.id.clone()),
            pair("sha256", self.manifest.sha256.clone()),
            pair("taken", self.manifest.taken.clone()),
            pair("keys", self.keys.len().to_string()),
            pair("list", hex::encode(sha256(self.list().as_bytes()))),
        ]
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
