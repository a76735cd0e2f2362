//! Signs the heads of the audit logs in the HSM: once a second where there is news, and whenever one is asked for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use audit::{Checkpoint, LogId, PublicKey, SignedCheckpoint};
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::node::Node;
use crate::shell::shutdown::Stopping;

/// How often logs are looked at for news.
const INTERVAL: Duration = Duration::from_secs(1);

/// Signs checkpoints and remembers what is signed already.
#[derive(Default)]
pub struct Checkpointer {
    /// Sizes at which the logs were last signed. The lock makes one checkpoint of a log at a time.
    signed: Mutex<HashMap<LogId, u64>>,
}

impl Checkpointer {
    /// The signed head of a log: a new checkpoint if records came since the last.
    ///
    /// # Errors
    /// [`Failure::Hsm`], [`Failure::Store`]; [`Failure::Internal`] for a signature that does not verify.
    pub async fn current(&self, node: &Node, log: LogId) -> Result<String, Failure> {
        let mut signed = self.signed.lock().await;
        let (size, root) = node.store.tree_head(log).await?;
        if signed.get(&log) == Some(&size)
            && let Some(note) = node.store.latest_checkpoint(log).await?
        {
            return Ok(note);
        }
        let note = sign(node, log, size, root).await?;
        node.store.store_checkpoint(log, note.clone()).await?;
        signed.insert(log, size);
        Ok(note)
    }

    async fn sign_news(&self, node: &Node) -> Result<(), Failure> {
        for log in node.store.logs().await? {
            let (size, _) = node.store.tree_head(log).await?;
            let known = self.signed.lock().await.get(&log).copied();
            if size > 0 && known != Some(size) {
                self.current(node, log).await?;
            }
        }
        Ok(())
    }

    /// Signs until told to stop, and once more then. A failure is logged and tried again at the next interval.
    pub async fn run(self: Arc<Self>, node: Arc<Node>, mut stopping: Stopping) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stopping.wait() => break,
            }
            if let Err(error) = node.record_strangers().await {
                tracing::error!(%error, "counted failures could not be recorded");
            }
            if let Err(error) = self.sign_news(&node).await {
                tracing::error!(error = &error as &dyn std::error::Error, "checkpoints could not be signed");
            }
        }
    }
}

async fn sign(node: &Node, log: LogId, size: u64, root: audit::Hash) -> Result<String, Failure> {
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
