//! What is said to one witness: where does it stand, what was it told to forget, what is new.

use std::io;
use std::sync::Arc;

use audit::limits::MAX_DETAIL_LEN;
use audit::{LogId, Outcome, Record, bounded_text};
use keystore::{KeyStore, StoreError, Unit};
use tokio::sync::watch;

use super::shown::Shown;
use super::{Peer, compare};
use crate::node::Node;
use crate::node::auditing::Auditor;
use crate::node::clock::Clock;

/// A witness was told by its holders to forget what it remembered.
const REBASED: &str = "Witness Rebased";
/// A witness does not answer.
const LOST: &str = "Witness Lost";
/// A witness answers again.
const BACK: &str = "Witness Back";
/// Times that a witness is asked in one conversation: again over a new connection, and again from where it turned out to
/// stand.
const ATTEMPTS: usize = 3;

/// What a conversation needs of the node; it may outlive the request that it was begun for.
#[derive(Clone)]
pub(super) struct Talk {
    store: Arc<dyn KeyStore>,
    auditor: Auditor,
    clock: Clock,
    diverged: watch::Sender<Option<String>>,
}

impl Talk {
    pub(super) fn of(node: &Node, diverged: &watch::Sender<Option<String>>) -> Self {
        Self {
            store: node.store.clone(),
            auditor: node.auditor.clone(),
            clock: node.clock.clone(),
            diverged: diverged.clone(),
        }
    }

    /// Shows what is new, and returns the line of its co-signature.
    pub(super) async fn show(self, peer: &mut Peer, shown: &Shown) -> Option<String> {
        for _ in 0..ATTEMPTS {
            if let Err(error) = peer.ensure_state().await {
                tracing::warn!(witness = peer.name(), %error, "does not answer");
                self.tell_lost(peer, Some(&error)).await;
                return None;
            }
            self.tell_lost(peer, None).await;
            // Before it is shown anything: afterwards it does not say any more that it was told to forget.
            self.tell_rebase(peer).await.ok()?;
            let update = match shown.update_from(&*self.store, &peer.seen()).await {
                Ok(Some(update)) => update,
                Ok(None) => {
                    self.suspect(peer).await;
                    return None;
                }
                Err(error) => {
                    tracing::error!(witness = peer.name(), %error, "what is new cannot be shown");
                    return None;
                }
            };
            let body = shown.note().checkpoint.body();
            match peer.update(update, &body, shown.heads().to_vec()).await {
                Ok(line) => return Some(line),
                Err(refused) => {
                    tracing::warn!(witness = peer.name(), %refused, "did not co-sign");
                    if refused.diverged {
                        self.suspect(peer).await;
                    }
                    if !refused.again {
                        return None;
                    }
                }
            }
        }
        None
    }

    /// Records that a witness does not answer, or that it does again, where it is not on record how it is. What cannot
    /// be recorded is told the next time.
    async fn tell_lost(&self, peer: &mut Peer, error: Option<&io::Error>) {
        if peer.is_lost() == error.is_some() {
            return;
        }
        let (event, outcome) = if error.is_some() { (LOST, Outcome::Failed) } else { (BACK, Outcome::Success) };
        let why = error.map(|error| format!(": {error}")).unwrap_or_default();
        let detail = Some(bounded_text(&format!("{}{why}", peer.name()), MAX_DETAIL_LEN));
        let record = self.auditor.record(&self.clock, LogId::System, event);
        match self.store.commit(Unit::records([Record { outcome, detail, ..record }])).await {
            Ok(_) => peer.told_lost(error.is_some()),
            Err(error) => tracing::error!(witness = peer.name(), %error, event, "could not be recorded"),
        }
    }

    /// Records that the holders of a witness told it to forget, once for each time that they did.
    ///
    /// # Errors
    /// That it could not be recorded, which the log of the process says.
    pub(super) async fn tell_rebase(&self, peer: &mut Peer) -> Result<(), StoreError> {
        let recorded = self.record_rebase(peer).await;
        if let Err(error) = &recorded {
            tracing::error!(witness = peer.name(), %error, "that it was told to forget could not be recorded");
        }
        recorded
    }

    async fn record_rebase(&self, peer: &mut Peer) -> Result<(), StoreError> {
        let Some(reason) = peer.rebased() else { return Ok(()) };
        let detail = bounded_text(&format!("{}: {reason}", peer.name()), MAX_DETAIL_LEN);
        let record = self.auditor.record(&self.clock, LogId::System, REBASED);
        self.store.commit(Unit::records([Record { detail: Some(detail), ..record }])).await?;
        peer.told_rebase();
        Ok(())
    }

    /// A witness says that the past is another one. Its word alone stops nobody: its signed memory is looked at.
    async fn suspect(&self, peer: &mut Peer) {
        let state = match peer.fetch_state().await {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(witness = peer.name(), %error, "does not show what it saw");
                return;
            }
        };
        // Whether it could be recorded or not: what it remembers is looked at.
        let _ = self.tell_rebase(peer).await;
        match compare(&*self.store, &state.heads).await {
            Ok(Ok(())) => {}
            Ok(Err(divergence)) => {
                let text = format!("witness {}: {divergence}", peer.name());
                tracing::error!(alarm = "diverged", "{text}");
                self.diverged.send_replace(Some(text));
            }
            Err(error) => {
                tracing::error!(witness = peer.name(), %error, "what it saw cannot be compared");
            }
        }
    }
}
