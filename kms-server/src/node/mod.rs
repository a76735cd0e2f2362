//! A node: the store, the HSM group, and what is held in memory beside them. It can be rebuilt from those two.

pub mod auditing;
pub mod checkpoints;
pub mod clock;
pub mod dates;
pub mod directory;
pub mod domain_keys;
#[cfg(feature = "fault")]
pub mod fault;
pub mod forwarding;
pub mod hsm_events;
pub mod jobs;
pub mod pkcs11;
pub mod resealing;
pub mod retention;
pub mod rotation;
pub mod rotation_steps;
pub mod scrubber;
pub mod sealing;
pub mod signing;
pub mod strangers;
pub mod streams;
pub mod tickets;
pub mod witnessing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use audit::limits::MAX_DETAIL_LEN;
use audit::{LogId, Outcome, Record, bounded_text};
use keystore::{Change, DomainRow, DomainState, IdentityRow, KeyStore, Step, StoreError, Unit};
use kmip::ProtocolVersion;
use secret::DomainId;
use thiserror::Error;
use tokio::sync::{Mutex, Notify, RwLock, Semaphore};
use zeroize::Zeroizing;

use crate::authentication::CredentialChecker;
use crate::config::{Config, Digests};
use crate::dispatch;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::node::auditing::{Auditor, Told};
use crate::node::clock::Clock;
use crate::node::directory::{Directory, Domain};
use crate::node::domain_keys::DomainKeys;
use crate::node::jobs::Jobs;
use crate::node::strangers::StrangerCounts;
use crate::node::streams::Streams;
use crate::node::tickets::Tickets;
use crate::offer::Offer;
use crate::quorums::Quorums;
use crate::shell::peer::{Fingerprint, Identity, IdentityKind, Peer};
use crate::shell::service::{FrameFault, KmipService, Registered, StrangerKind, Strangers};

/// The node was started, by `serve` or by `init`.
const START: &str = "Start";
/// The node ended in order; without it, a `Start` follows a crash.
const STOP: &str = "Stop";
/// The configuration is another one than at the last start.
const CONFIGURATION_CHANGED: &str = "Configuration Changed";

/// The setting that holds the node's identifier: 16 bytes, made once.
pub(crate) const NODE_ID_SETTING: &str = "node-id";

/// The setting that holds the digests of the configuration that the last start told of.
const CONFIGURATION_SETTING: &str = "configuration";

/// Everything that answers requests.
pub struct Node {
    /// Name of the installation, the origin of its checkpoints.
    pub kms: String,
    /// Limits in force.
    pub limits: Limits,
    /// What is switched off, announced and stated.
    pub offer: Offer,
    /// How many security officers have to approve what.
    pub quorums: Quorums,
    /// Digests of the configuration, which the start tells.
    pub configuration: Digests,
    /// The folder of the backups.
    pub backup_folder: PathBuf,
    /// Held while a backup is made or read.
    pub backups: Mutex<()>,
    /// What is durable.
    pub store: Arc<dyn KeyStore>,
    /// The chain of trust.
    pub hsm: hsm::Group,
    /// Domains and identities.
    pub directory: Directory,
    /// Time.
    pub clock: Clock,
    /// Builds audit records.
    pub auditor: Auditor,
    /// Checks usernames and passwords.
    pub credentials: CredentialChecker,
    /// Failures of those who have no identity.
    pub strangers: StrangerCounts,
    /// Messages that are answered later.
    pub jobs: Jobs,
    /// What clients show in place of passwords.
    pub tickets: Tickets,
    /// Cryptographic operations that go on over several messages.
    pub streams: Streams,
    /// Wakes [`resealing`]: the rotation of a Domain Key was begun.
    pub resealing: Notify,
    /// Held while the requests of administrators are read and changed, and while one of them is executed.
    pub requests: Mutex<()>,
    /// Turns of searches over thousands of objects.
    pub long_searches: Semaphore,
    /// Read by every export while it is written, so that [`retention`] drops nothing meanwhile.
    pub exports: Arc<RwLock<()>>,
}

/// What a node is told before it opens anything.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Name of the installation.
    pub kms: String,
    /// Limits in force.
    pub limits: Limits,
    /// What is switched off, announced and stated.
    pub offer: Offer,
    /// How many security officers have to approve what.
    pub quorums: Quorums,
    /// The folder of the backups.
    pub backups: PathBuf,
    /// Digests of the configuration.
    pub configuration: Digests,
}

impl NodeSettings {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            kms: config.node.name.clone(),
            limits: config.limits.clone(),
            offer: config.offer.clone(),
            quorums: config.dual_control,
            backups: config.store.backups.clone(),
            configuration: Digests::of(config),
        }
    }
}

/// Why a node does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The store cannot be opened, or holds rows that somebody else changed.
    #[error("store")]
    Store(#[from] StoreError),
    /// The HSM group cannot be opened, or cannot open what it sealed.
    #[error("hsm")]
    Hsm(#[from] hsm::HsmError),
    /// A domain's key blob in the store is damaged.
    #[error("domain {name}: its key blob cannot be read")]
    DomainKey {
        /// The domain's name.
        name: String,
    },
    /// The key blob of a destroyed domain is back in the database: somebody put an old row there.
    #[error("domain {name} was destroyed, and its key is back: the database was tampered with")]
    DestroyedKey {
        /// The domain's name.
        name: String,
    },
    /// A log tells of a domain that has no row any more: somebody removed it.
    #[error("the log of domain {0} is there, the domain is not: the database was tampered with")]
    LostDomain(String),
    /// A stored checkpoint is not signed by a key of the trust anchor, or cannot be read.
    #[error("the checkpoint of log {log} is not to be believed: {why}")]
    Checkpoint {
        /// Which log.
        log: LogId,
        /// What is wrong.
        why: String,
    },
    /// Something inside could not be set up.
    #[error("set-up")]
    Failure(#[from] Failure),
}

impl Node {
    /// Opens every domain: its MAC secret in the HSM, its rows verified, its identities into memory. Nothing is written
    /// into any log: whoever holds the store against its witnesses does so before [`Node::record_start`].
    ///
    /// # Errors
    /// [`StartError`]; one domain that does not verify keeps the whole node from serving, because a node that serves
    /// what it could not verify would hide the damage.
    pub async fn start(settings: NodeSettings, store: Arc<dyn KeyStore>, hsm: hsm::Group) -> Result<Self, StartError> {
        let NodeSettings { kms, limits, offer, quorums, backups, configuration } = settings;
        let id = match store.setting(NODE_ID_SETTING).await?.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) {
            Some(id) => id,
            None => {
                let id = uuid::Uuid::new_v4().into_bytes();
                store.put_setting(NODE_ID_SETTING, &id).await?;
                id
            }
        };
        let long_searches = Semaphore::new(limits.long_searches.min(Semaphore::MAX_PERMITS));
        let node = Self {
            kms,
            limits,
            offer,
            quorums,
            configuration,
            backup_folder: backups,
            backups: Mutex::default(),
            store,
            hsm,
            directory: Directory::default(),
            clock: Clock::default(),
            auditor: Auditor::new(id),
            credentials: CredentialChecker::new()?,
            strangers: StrangerCounts::default(),
            jobs: Jobs::default(),
            tickets: Tickets::default(),
            streams: Streams::default(),
            resealing: Notify::new(),
            requests: Mutex::default(),
            long_searches,
            exports: Arc::default(),
        };
        let rows = node.store.domains().await?;
        for log in node.store.logs().await? {
            if let LogId::Domain(id) = log
                && !rows.iter().any(|row| row.id == id)
            {
                return Err(StartError::LostDomain(sealing::identifier_text(id)));
            }
        }
        // The administrators' domain first: it knows which domains are destroyed.
        let (system, tenants): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.system);
        for row in system {
            node.open_domain(row).await?;
        }
        for row in tenants {
            match node.is_destroyed(&row.id).await? {
                true => node.know_destroyed(row)?,
                false => node.open_domain(row).await?,
            }
        }
        checkpoints::verify_all(&node).await?;
        Ok(node)
    }

    /// Whether the domain was destroyed: the administrators' domain has its tombstone, which no row can take back.
    async fn is_destroyed(&self, id: &DomainId) -> Result<bool, StoreError> {
        match self.directory.system() {
            Some(system) => self.store.is_buried(system.row.id, *id).await,
            None => Ok(false),
        }
    }

    /// A destroyed domain is known by name and nothing else. Its rows can no longer be verified, because the key of their
    /// MACs went with its Domain Key; but that key must be gone.
    fn know_destroyed(&self, row: DomainRow) -> Result<(), StartError> {
        let name = row.name.clone();
        let domain = Domain::of(DomainRow { state: DomainState::Destroyed, system: false, ..row })
            .map_err(|_| StartError::DomainKey { name: name.clone() })?;
        if !domain.key.is_husk() {
            return Err(StartError::DestroyedKey { name });
        }
        self.hsm.shut_domain(domain.row.id);
        self.directory.put_domain(domain);
        Ok(())
    }

    async fn open_domain(&self, row: DomainRow) -> Result<(), StartError> {
        let key =
            DomainKeys::from_bytes(&row.domain_key).map_err(|_| StartError::DomainKey { name: row.name.clone() })?;
        // Until here the row is only what the database says; what its state means is decided on the verified one.
        let verified = self.verified(&row, &key).await?;
        let (id, state) = (verified.id, verified.state);
        for identity in self.store.identities(id).await? {
            self.directory.put_identity(identity);
        }
        self.directory.put_domain(Domain { key, row: verified });
        if state != DomainState::Active {
            // It is known, so that its clients are told and it can be thawed; nothing of it can be read or used.
            self.store.deactivate(id).await;
            self.hsm.close_domain(id).await;
        }
        Ok(())
    }

    /// Makes a record durable.
    ///
    /// # Errors
    /// [`StoreError`]: then whatever it tells of must not be answered.
    pub async fn record(&self, record: Record) -> Result<(), StoreError> {
        self.store.commit(Unit::records([record])).await.map(|_| ())
    }

    /// Writes one record per kind of failure that strangers caused since the last call, with its count.
    ///
    /// # Errors
    /// [`StoreError`]; the counts are kept for the next call.
    pub async fn record_strangers(&self) -> Result<(), StoreError> {
        for (kind, seen) in self.strangers.take() {
            let record = Record {
                identity: audit::Identity::None,
                source: seen.last.to_string(),
                outcome: Outcome::Failed,
                reason: Some(kind.text().to_owned()),
                count: seen.count,
                ..self.auditor.record(&self.clock, LogId::System, "Connect")
            };
            if let Err(error) = self.record(record).await {
                self.strangers.put_back(kind, seen);
                return Err(error);
            }
        }
        Ok(())
    }

    /// What a start tells: the version, the digest of the configuration, how many approvals it asks for.
    fn start_detail(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("version {version}; configuration {}; {}", self.configuration.whole(), self.quorums.text())
    }

    /// Tells of the start, and in which sections the configuration is another one than at the last start.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_start(&self) -> Result<(), StoreError> {
        let record = |operation, detail: String| {
            let detail = Some(bounded_text(&detail, MAX_DETAIL_LEN));
            Some(Record { detail, ..self.auditor.record(&self.clock, LogId::System, operation) })
        };
        let setting = CONFIGURATION_SETTING.to_owned();
        let changes = vec![Change::PutSetting { name: setting, value: self.configuration.text().into_bytes() }];
        let mut steps = vec![Step { changes, record: record(START, self.start_detail()) }];
        let last = self.store.setting(CONFIGURATION_SETTING).await?.and_then(|bytes| Digests::parse(&bytes));
        if let Some(last) = last.filter(|last| *last != self.configuration) {
            let sections = self.configuration.changed_since(&last).join(", ");
            let detail = format!("in {sections}; configuration {} before", last.whole());
            steps.push(Step { changes: Vec::new(), record: record(CONFIGURATION_CHANGED, detail) });
        }
        self.store.commit(Unit { steps }).await.map(drop)
    }

    /// Tells of an orderly end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_stop(&self) -> Result<(), StoreError> {
        self.record_strangers().await?;
        self.record(self.auditor.record(&self.clock, LogId::System, STOP)).await
    }
}

/// An identity as the listeners know it.
fn presented(row: &IdentityRow) -> Identity {
    Identity {
        fingerprint: row.fingerprint,
        domain: row.domain,
        name: row.name.clone(),
        kind: match &row.kind {
            keystore::IdentityKind::Client => IdentityKind::Client,
            keystore::IdentityKind::Admin { role } => IdentityKind::Admin { role: role.clone() },
        },
    }
}

impl Node {
    /// The administrator registered under `fingerprint`.
    #[must_use]
    pub fn find_admin(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
        let row = self.directory.identity(fingerprint)?;
        matches!(row.kind, keystore::IdentityKind::Admin { .. }).then(|| Arc::new(presented(&row)))
    }
}

impl Registered for Node {
    /// Clients only: an administrator's certificate opens nothing on the KMIP port.
    fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
        let row = self.directory.identity(fingerprint)?;
        matches!(row.kind, keystore::IdentityKind::Client).then(|| Arc::new(presented(&row)))
    }
}

impl Strangers for Node {
    fn note_stranger(&self, kind: StrangerKind, address: SocketAddr) {
        self.strangers.note(kind, address);
    }
}

#[async_trait]
impl KmipService for Node {
    async fn answer(&self, peer: &Peer, frame: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        dispatch::answer(self, peer, frame).await
    }

    async fn refuse(&self, peer: &Peer, fault: FrameFault, start: &[u8]) -> Zeroizing<Vec<u8>> {
        let told = Told::of_client(peer.identity.domain, peer.fingerprint, peer.address);
        let version: Option<ProtocolVersion> = kmip::message::peek_version(start);
        let failure = match fault {
            FrameFault::NotARequest => Failure::Contradiction("not a request message"),
            FrameFault::TooLong { .. } => Failure::Contradiction("message is over the limit"),
            FrameFault::Unaligned { .. } => Failure::Contradiction("message length is not a multiple of 8"),
            FrameFault::Late => Failure::Contradiction("message did not arrive in time"),
        };
        dispatch::refuse(self, told, dispatch::spoken_or_newest(version), failure).await
    }
}
