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
pub mod jobs;
pub mod resealing;
pub mod rotation;
pub mod scrubber;
pub mod sealing;
pub mod strangers;
pub mod streams;
pub mod tickets;
pub mod witnessing;

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use audit::{LogId, Outcome, Record};
use keystore::{DomainRow, DomainState, IdentityRow, KeyStore, StoreError};
use kmip::ProtocolVersion;
use thiserror::Error;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::authentication::CredentialChecker;
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
use crate::shell::peer::{Fingerprint, Identity, IdentityKind, Peer};
use crate::shell::service::{FrameFault, KmipService, Registered, StrangerKind, Strangers};

/// The setting that holds the node's identifier: 16 bytes, made once.
const NODE_ID_SETTING: &str = "node-id";

/// Everything that answers requests.
pub struct Node {
    /// Name of the installation, the origin of its checkpoints.
    pub kms: String,
    /// Limits in force.
    pub limits: Limits,
    /// What is switched off, announced and stated.
    pub offer: Offer,
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
    /// Opens every domain: its MAC secret in the HSM, its rows verified, its identities into memory. Records the start.
    ///
    /// # Errors
    /// [`StartError`]; one domain that does not verify keeps the whole node from serving, because a node that serves
    /// what it could not verify would hide the damage.
    pub async fn start(
        kms: String,
        limits: Limits,
        offer: Offer,
        store: Arc<dyn KeyStore>,
        hsm: hsm::Group,
    ) -> Result<Self, StartError> {
        let id = match store.setting(NODE_ID_SETTING).await?.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) {
            Some(id) => id,
            None => {
                let id = uuid::Uuid::new_v4().into_bytes();
                store.put_setting(NODE_ID_SETTING, &id).await?;
                id
            }
        };
        let node = Self {
            kms,
            limits,
            offer,
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
        };
        let rows = node.store.domains().await?;
        for log in node.store.logs().await? {
            if let LogId::Domain(id) = log
                && !rows.iter().any(|row| row.id == id)
            {
                return Err(StartError::LostDomain(sealing::identifier_text(id)));
            }
        }
        for row in rows {
            node.open_domain(row).await?;
        }
        checkpoints::verify_all(&node).await?;
        node.record(node.auditor.record(&node.clock, LogId::System, "Start")).await?;
        Ok(node)
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
        let step = keystore::Step { changes: Vec::new(), record: Some(record) };
        self.store.commit(keystore::Unit { steps: vec![step] }).await.map(|_| ())
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

    /// Tells of an orderly end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_stop(&self) -> Result<(), StoreError> {
        self.record_strangers().await?;
        self.record(self.auditor.record(&self.clock, LogId::System, "Stop")).await
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
