//! Signs the heads of the audit logs in the HSM: once a second where there is news, and whenever one is asked for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use audit::{Checkpoint, Hash, LogId, PublicKey, SignedCheckpoint, TrustedKeys};
use keystore::KeyStore;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::node::witnessing::Witnesses;
use crate::node::{Node, StartError};
use crate::shell::shutdown::Stopping;

/// How often logs are looked at for news.
const INTERVAL: Duration = Duration::from_secs(1);
/// Checkpoints signed at one look; the logs that are left come at the next. Signing shares the HSM with requests.
const SIGNED_PER_INTERVAL: usize = 256;

/// With witnesses, a domain's head is signed unasked once in so many records.
const SIGNED_EVERY: u64 = 1024;

/// The size at which a log was last signed. Held while its next checkpoint is made, so that there is one at a time.
type LastSigned = Arc<Mutex<Option<u64>>>;

/// Signs checkpoints and remembers what is signed already.
pub struct Checkpointer {
    logs: std::sync::Mutex<HashMap<LogId, LastSigned>>,
    /// Those who have to see a head before it is handed out; perhaps none.
    pub witnesses: Witnesses,
}

impl Checkpointer {
    /// One that asks these witnesses.
    #[must_use]
    pub fn new(witnesses: Witnesses) -> Self {
        Self { logs: std::sync::Mutex::default(), witnesses }
    }

    fn last_signed(&self, log: LogId) -> LastSigned {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).entry(log).or_default().clone()
    }

    /// The signed head of a log: a new checkpoint if records came since the last. Where there are witnesses, a majority
    /// of them has seen the log as it is now.
    ///
    /// # Errors
    /// As [`Checkpointer::sign_head`]; [`Failure::Busy`] where there is no majority.
    pub async fn current(&self, node: &Node, log: LogId) -> Result<String, Failure> {
        if self.witnesses.is_empty() {
            return self.sign_head(node, log).await;
        }
        self.witnesses.round(node, self).await?;
        // Others may have made records meanwhile, which no witness has seen yet.
        let size = self.witnesses.seen(log).await.ok_or(Failure::NotFound)?;
        self.sign_at(node, log, size, root_at(node, log, size).await?).await
    }

    /// As [`Checkpointer::current`], with the co-signatures of the witnesses where there are any: what is handed out to
    /// be kept.
    ///
    /// # Errors
    /// As [`Checkpointer::current`].
    pub async fn published(&self, node: &Node, log: LogId) -> Result<String, Failure> {
        let note = self.current(node, log).await?;
        if self.witnesses.is_empty() { Ok(note) } else { self.witnesses.publish(node, self, log).await }
    }

    /// The signed head of a log, whether or not the witnesses have seen it.
    ///
    /// # Errors
    /// [`Failure::Hsm`], [`Failure::Store`]; [`Failure::Internal`] for a signature that does not verify.
    pub async fn sign_head(&self, node: &Node, log: LogId) -> Result<String, Failure> {
        let (size, root) = node.store.tree_head(log).await?;
        self.sign_at(node, log, size, root).await
    }

    pub(super) async fn sign_at(&self, node: &Node, log: LogId, size: u64, root: Hash) -> Result<String, Failure> {
        let last_signed = self.last_signed(log);
        let mut signed = last_signed.lock().await;
        if *signed == Some(size)
            && let Some(note) = node.store.latest_checkpoint(log).await?
            && SignedCheckpoint::parse(&note).is_ok_and(|note| note.checkpoint.size == size)
        {
            return Ok(note);
        }
        let note = sign(node, log, size, root).await?;
        node.store.store_checkpoint(log, note.clone()).await?;
        *signed = Some(size);
        Ok(note)
    }

    async fn sign_news(&self, node: &Node) -> Result<(), Failure> {
        if !self.witnesses.is_empty() {
            // One signature covers every domain; their own heads are signed when somebody asks.
            let shown = self.witnesses.round(node, self).await;
            self.witnesses.keep_watch(node).await;
            shown?;
            return self.sign_between(node).await;
        }
        let mut signed = 0;
        for log in node.store.logs().await? {
            let (size, _) = node.store.tree_head(log).await?;
            if size > 0 && *self.last_signed(log).lock().await != Some(size) {
                self.current(node, log).await?;
                signed += 1;
                if signed >= SIGNED_PER_INTERVAL {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Signs heads of domains' logs that the witnesses have seen, one for every [`SIGNED_EVERY`] records: an export holds
    /// them, and between two of them a verifier says where a record was changed.
    async fn sign_between(&self, node: &Node) -> Result<(), Failure> {
        let mut signed = 0;
        for log in node.store.logs().await?.into_iter().filter(|log| *log != LogId::System) {
            let Some(size) = self.witnesses.seen(log).await else { continue };
            let last = *self.last_signed(log).lock().await;
            let last = match last {
                Some(last) => last,
                None => {
                    let note = node.store.latest_checkpoint(log).await?;
                    note.and_then(|note| SignedCheckpoint::parse(&note).ok()).map_or(0, |note| note.checkpoint.size)
                }
            };
            if size >= last.saturating_add(SIGNED_EVERY) {
                self.sign_at(node, log, size, root_at(node, log, size).await?).await?;
                signed += 1;
                if signed >= SIGNED_PER_INTERVAL {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Signs until told to stop. A failure is logged and tried again at the next interval.
    pub async fn run(self: Arc<Self>, node: Arc<Node>, mut stopping: Stopping) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stopping.wait() => break,
            }
            node.streams.sweep(&node.limits, node.clock.now_s());
            if let Err(error) = node.record_strangers().await {
                tracing::error!(%error, "counted failures could not be recorded");
            }
            if let Err(error) = self.sign_news(&node).await {
                tracing::error!(error = &error as &dyn std::error::Error, "checkpoints could not be signed");
            }
        }
    }
}

/// Holds the latest checkpoint of every log against the keys of the trust anchor. The store has compared its tree with
/// it already; only the signature says that nobody else wrote it.
///
/// # Errors
/// [`StartError::Checkpoint`]: a node that went on would sign the work of whoever changed the file.
pub async fn verify_all(node: &Node) -> Result<(), StartError> {
    let trusted = trusted_keys(node)?;
    for log in node.store.logs().await? {
        let Some(note) = node.store.latest_checkpoint(log).await? else { continue };
        let fault = |why: String| StartError::Checkpoint { log, why };
        let signed = SignedCheckpoint::parse(&note).map_err(|error| fault(error.to_string()))?;
        signed.verify(&trusted).map_err(|error| fault(error.to_string()))?;
        if signed.checkpoint.log(&node.kms) != Some(log) {
            return Err(fault("it belongs to another log".to_owned()));
        }
    }
    Ok(())
}

/// Root of the first `size` records of a log.
///
/// # Errors
/// Of the store; it ends before `size`.
pub async fn root_at(node: &Node, log: LogId, size: u64) -> Result<Hash, Failure> {
    root_at_in(&*node.store, log, size).await
}

/// As [`root_at`], of a store.
///
/// # Errors
/// As [`root_at`].
pub async fn root_at_in(store: &dyn KeyStore, log: LogId, size: u64) -> Result<Hash, Failure> {
    if size == 0 {
        return Ok(audit::root_of(&[]));
    }
    let mut roots = store.subtree_roots(log, std::slice::from_ref(&(0..size))).await?;
    roots.pop().ok_or(Failure::Internal("no root"))
}

/// The keys that a trust anchor pins for checkpoints; `None` if one is no point of P-256.
#[must_use]
pub fn checkpoint_keys(anchor: &hsm::TrustAnchor) -> Option<Vec<PublicKey>> {
    anchor.verifying_keys().map(|key| PublicKey::from_sec1(&key.public_key).ok()).collect()
}

/// The keys whose signatures under checkpoints count, as verifiers hold them.
///
/// # Errors
/// [`Failure::Internal`] for a trust anchor whose keys cannot be read.
pub fn trusted_keys(node: &Node) -> Result<TrustedKeys, Failure> {
    checkpoint_keys(node.hsm.trust_anchor())
        .and_then(|keys| TrustedKeys::new(&node.kms, keys).ok())
        .ok_or(Failure::Internal("the trust anchor's checkpoint keys cannot be read"))
}

async fn sign(node: &Node, log: LogId, size: u64, root: Hash) -> Result<String, Failure> {
    let bad = |_| Failure::Internal("checkpoint cannot be formed");
    let checkpoint = Checkpoint::new(&node.kms, log, size, root).map_err(|_| Failure::Internal("checkpoint origin"))?;
    let signature = node.hsm.sign(checkpoint.digest_to_sign()).await?;
    let anchor = node.hsm.trust_anchor();
    let key = anchor
        .checkpoint_key(&signature.member)
        .and_then(|point| PublicKey::from_sec1(point).ok())
        .ok_or(Failure::Internal("checkpoint key of the member is unknown"))?;
    let signed: SignedCheckpoint = checkpoint.sign(&node.kms, &key, &signature.r_s).map_err(bad)?;
    Ok(signed.format())
}
