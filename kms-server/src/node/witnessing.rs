//! Shows the heads of all logs to the witnesses, collects their co-signatures, and believes them about the past: a
//! store that is behind what they saw, or forked from it, does not serve.
//!
//! `peer` is the conversation with one witness. A majority has to co-sign; while there is none for
//! [`FROZEN_AFTER`], the store refuses every change. A restart needs so many answers that one of them comes from a
//! witness of the last majority, whichever that was.

mod peer;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use audit::witness::{Head, INTERVAL, Update, interval_detail, write_list};
use audit::{Hash, LogId, Record, SignedCheckpoint, consistency_ranges, inclusion_ranges};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystore::{KeyStore, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::{Checkpointer, root_at_in};

pub use peer::{Peer, WitnessAddress};

/// Without a majority for this long, nothing is changed any more.
const FROZEN_AFTER: Duration = Duration::from_secs(60);
/// Rounds of asking within one interval: the second is for a witness that turned out to stand elsewhere.
const ATTEMPTS: usize = 2;

/// Why the store is not the one that a witness saw.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Divergence {
    /// Records are missing.
    #[error("log {log} has {found} records, a witness saw {seen}: the database is an older one, or was cut")]
    Behind {
        /// The log.
        log: LogId,
        /// What the witness saw.
        seen: u64,
        /// What the store has.
        found: u64,
    },
    /// Other records are there.
    #[error("the first {seen} records of log {log} are not those that a witness saw: the log was forked")]
    Forked {
        /// The log.
        log: LogId,
        /// What the witness saw.
        seen: u64,
    },
}

/// Why a node with witnesses does not serve.
#[derive(Debug, Error)]
pub enum WitnessError {
    /// The store's past is not what a witness saw.
    #[error(
        "witness {name}: {divergence}. If the database was put back on purpose, the holders of the witnesses say so with `witness rebase`"
    )]
    Diverged {
        /// Which witness.
        name: String,
        /// How.
        divergence: Divergence,
    },
    /// Too few answer, so that nobody can say whether the store is the newest one.
    #[error("{answered} of {all} witnesses answered, {needed} are needed: {why}")]
    TooFew {
        /// How many did.
        answered: usize,
        /// How many there are.
        all: usize,
        /// How many have to.
        needed: usize,
        /// What the others said.
        why: String,
    },
    /// The store.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The witnesses of this node.
pub struct Witnesses {
    peers: Vec<Arc<Mutex<Peer>>>,
    round: Mutex<Round>,
    /// When a majority last co-signed.
    agreed: std::sync::Mutex<Instant>,
    diverged: watch::Sender<Option<String>>,
}

/// What was shown last.
#[derive(Default)]
struct Round {
    /// Sizes of the domains' logs that a majority has seen.
    seen: HashMap<LogId, u64>,
    /// Size of the system's log with the record of that.
    system: u64,
    /// The head of the system's log with the co-signatures.
    note: Option<String>,
}

/// Holds what a witness saw against a store.
///
/// # Errors
/// [`Divergence`] within `Ok` is the answer; the error is the store's.
pub async fn compare(store: &dyn KeyStore, seen: &[Head]) -> Result<Result<(), Divergence>, Failure> {
    for head in seen {
        let found = match store.tree_head(head.log).await {
            Ok((size, _)) => size,
            Err(StoreError::NotFound) => 0,
            Err(error) => return Err(error.into()),
        };
        if found < head.size {
            return Ok(Err(Divergence::Behind { log: head.log, seen: head.size, found }));
        }
        if root_at_in(store, head.log, head.size).await? != head.root {
            return Ok(Err(Divergence::Forked { log: head.log, seen: head.size }));
        }
    }
    Ok(Ok(()))
}

impl Witnesses {
    /// These witnesses; none is asked yet.
    #[must_use]
    pub fn new(peers: Vec<Peer>) -> Self {
        let peers = peers.into_iter().map(|peer| Arc::new(Mutex::new(peer))).collect();
        let (diverged, _) = watch::channel(None);
        Self { peers, round: Mutex::default(), agreed: std::sync::Mutex::new(Instant::now()), diverged }
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// How many have to co-sign: more than half.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.peers.len() / 2 + 1
    }

    /// Resolves when a witness showed that the store is not the one it saw; never before.
    pub async fn diverged(&self) -> String {
        let mut receiver = self.diverged.subscribe();
        match receiver.wait_for(Option::is_some).await.ok().and_then(|text| text.clone()) {
            Some(text) => text,
            None => std::future::pending().await,
        }
    }

    /// How many records of a log the last majority has seen.
    pub async fn seen(&self, log: LogId) -> Option<u64> {
        let round = self.round.lock().await;
        if log == LogId::System { Some(round.system) } else { round.seen.get(&log).copied() }
    }

    /// Asks all of them what they saw and holds the store against it, before the node serves.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub async fn admit(&self, node: &Node) -> Result<(), WitnessError> {
        let mut asked = JoinSet::new();
        for peer in self.peers.clone() {
            asked.spawn(async move {
                let mut peer = peer.lock().await;
                (peer.name().to_owned(), peer.fetch_state().await)
            });
        }
        let (mut answered, mut faults) = (0, Vec::new());
        for (name, state) in asked.join_all().await {
            let state = match state {
                Ok(state) => state,
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            };
            if let Err(divergence) = compare(&*node.store, &state.heads).await? {
                return Err(WitnessError::Diverged { name, divergence });
            }
            if let Some(reason) = state.rebased {
                // Whoever told the witness to forget is on record here as well.
                let detail = audit::bounded_text(&format!("{name}: {reason}"), audit::limits::MAX_DETAIL_LEN);
                let record = node.auditor.record(&node.clock, LogId::System, "Witness Rebased");
                node.record(Record { detail: Some(detail), ..record }).await?;
            }
            answered += 1;
        }
        // So many that one of them is of the last majority.
        let needed = (self.peers.len() + 1).saturating_sub(self.quorum());
        if answered < needed {
            let (all, why) = (self.peers.len(), faults.join("; "));
            return Err(WitnessError::TooFew { answered, all, needed, why });
        }
        Ok(())
    }

    /// Shows what is new, if anything is. A majority has seen every log as it is now when this returns `Ok`.
    ///
    /// # Errors
    /// [`Failure::Busy`] where there is no majority; of store and HSM.
    pub async fn round(&self, node: &Node, checkpointer: &Checkpointer) -> Result<(), Failure> {
        let mut round = self.round.lock().await;
        let mut heads = Vec::new();
        for log in node.store.logs().await?.into_iter().filter(|log| *log != LogId::System) {
            let (size, root) = node.store.tree_head(log).await?;
            heads.push(Head { log, size, root });
        }
        let sizes: HashMap<LogId, u64> = heads.iter().map(|head| (head.log, head.size)).collect();
        let (system, _) = node.store.tree_head(LogId::System).await?;
        if round.seen == sizes && round.system == system {
            *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            return Ok(());
        }
        let shown = Shown::make(node, checkpointer, &heads).await?;
        let lines = self.show(node, &shown).await?;
        if lines.len() < self.quorum() {
            return Err(Failure::Busy);
        }
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let note = shown.note.format() + &lines.concat();
        *round = Round { seen: sizes, system: shown.note.checkpoint.size, note: Some(note) };
        Ok(())
    }

    /// The head of a log with the co-signatures of a majority: that of the system's log as it was shown last, that of a
    /// domain's co-signed by itself, so that a tenant need not see the heads of others.
    ///
    /// # Errors
    /// [`Failure::Busy`] where there is no majority; of store and HSM.
    pub async fn publish(&self, node: &Node, checkpointer: &Checkpointer, log: LogId) -> Result<String, Failure> {
        // Held, so that no witness is shown more meanwhile.
        let round = self.round.lock().await;
        if log == LogId::System {
            return round.note.clone().ok_or(Failure::Busy);
        }
        let size = *round.seen.get(&log).ok_or(Failure::NotFound)?;
        let note = checkpointer.sign_at(node, log, size, root_at_in(&*node.store, log, size).await?).await?;
        let signed = SignedCheckpoint::parse(&note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
        let body = signed.checkpoint.body();
        let mut asked = JoinSet::new();
        for peer in self.peers.clone() {
            let (note, body) = (note.clone(), body.clone());
            asked.spawn(async move {
                let mut peer = peer.lock().await;
                let line = peer.cosign(&note, &body).await;
                line.inspect_err(|refused| tracing::warn!(witness = peer.name(), %refused, "did not co-sign"))
            });
        }
        let lines: Vec<String> = asked.join_all().await.into_iter().flatten().collect();
        if lines.len() < self.quorum() { Err(Failure::Busy) } else { Ok(note + &lines.concat()) }
    }

    /// Freezes the store's changes while there has been no majority for long, and lets them go when there is one.
    pub fn freeze_or_thaw(&self, store: &dyn KeyStore) {
        let agreed = *self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        let frozen = agreed.elapsed() >= FROZEN_AFTER;
        if store.freeze_changes(frozen) != frozen {
            if frozen {
                tracing::error!(alarm = "witnesses", "no majority of witnesses for a minute: changes are refused");
            } else {
                tracing::warn!("a majority of witnesses again: changes are accepted");
            }
        }
    }

    /// Asks every witness to co-sign; returns the lines of those that did.
    async fn show(&self, node: &Node, shown: &Shown) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        let mut left: Vec<Arc<Mutex<Peer>>> = self.peers.clone();
        for _ in 0..ATTEMPTS {
            let mut asked = JoinSet::new();
            for peer in left.drain(..) {
                asked.spawn(async move {
                    let mut guard = peer.lock().await;
                    let ready = guard.ensure_state().await;
                    drop(guard);
                    (peer, ready)
                });
            }
            let mut updates = JoinSet::new();
            for (peer, ready) in asked.join_all().await {
                let guard = peer.lock().await;
                if let Err(error) = ready {
                    tracing::warn!(witness = guard.name(), %error, "does not answer");
                    continue;
                }
                let seen = guard.seen();
                drop(guard);
                let Some(update) = shown.update_from(node, &seen).await? else {
                    self.suspect(node, &peer).await?;
                    continue;
                };
                let (heads, body) = (shown.heads.clone(), shown.note.checkpoint.body());
                updates.spawn(async move {
                    let result = peer.lock().await.update(update, &body, heads).await;
                    (peer, result)
                });
            }
            for (peer, result) in updates.join_all().await {
                match result {
                    Ok(line) => lines.push(line),
                    Err(refused) => {
                        let name = peer.lock().await.name().to_owned();
                        tracing::warn!(witness = name, %refused, "did not co-sign");
                        if refused.diverged {
                            self.suspect(node, &peer).await?;
                        } else if refused.again {
                            left.push(peer);
                        }
                    }
                }
            }
            if left.is_empty() {
                break;
            }
        }
        Ok(lines)
    }

    /// A witness says that the past is another one. Its word alone stops nobody: its signed memory is looked at.
    async fn suspect(&self, node: &Node, peer: &Mutex<Peer>) -> Result<(), Failure> {
        let mut peer = peer.lock().await;
        match peer.fetch_state().await {
            Ok(state) => {
                if let Err(divergence) = compare(&*node.store, &state.heads).await? {
                    let text = format!("witness {}: {divergence}", peer.name());
                    tracing::error!(alarm = "diverged", "{text}");
                    self.diverged.send_replace(Some(text));
                }
            }
            Err(error) => tracing::warn!(witness = peer.name(), %error, "does not show what it saw"),
        }
        Ok(())
    }
}

/// What is shown in one interval: the list, the record that tells of it, the signed head.
struct Shown {
    heads: Vec<Head>,
    list: String,
    record: String,
    index: u64,
    path: Vec<String>,
    note: SignedCheckpoint,
}

fn hexed(hashes: Vec<Hash>) -> Vec<String> {
    hashes.iter().map(hex::encode).collect()
}

impl Shown {
    async fn make(node: &Node, checkpointer: &Checkpointer, domains: &[Head]) -> Result<Self, Failure> {
        let list = write_list(domains);
        let record = Record {
            detail: Some(interval_detail(&list)),
            ..node.auditor.record(&node.clock, LogId::System, INTERVAL)
        };
        let step = keystore::Step { changes: Vec::new(), record: Some(record) };
        let committed = node.store.commit(keystore::Unit { steps: vec![step] }).await?;
        let index = committed.positions.first().map(|(_, index)| *index).ok_or(Failure::Internal("no position"))?;
        let note = checkpointer.sign_head(node, LogId::System).await?;
        let note = SignedCheckpoint::parse(&note).map_err(|_| Failure::Internal("own checkpoint cannot be read"))?;
        let (size, root) = (note.checkpoint.size, note.checkpoint.root);
        let ranges =
            inclusion_ranges(index, size).map_err(|_| Failure::Internal("the head is older than its record"))?;
        let bytes = node.store.records(LogId::System, index, 1).await?.pop().ok_or(Failure::Internal("no record"))?;
        let mut heads = domains.to_vec();
        heads.push(Head { log: LogId::System, size, root });
        Ok(Self {
            heads,
            list,
            record: STANDARD.encode(bytes.bytes),
            index,
            path: hexed(node.store.subtree_roots(LogId::System, &ranges).await?),
            note,
        })
    }

    /// What a witness is told that stands where `seen` says; `None` if that is beyond what this node has.
    async fn update_from(&self, node: &Node, seen: &[Head]) -> Result<Option<Update>, Failure> {
        let mut growth = Vec::new();
        for old in seen {
            let new = self.heads.iter().find(|head| head.log == old.log).map_or(0, |head| head.size);
            let Ok(ranges) = consistency_ranges(old.size, new) else { return Ok(None) };
            if old.size < new {
                let path = hexed(node.store.subtree_roots(old.log, &ranges).await?);
                growth.push(audit::witness::Growth { log: old.log.to_string(), from: old.size, path });
            }
        }
        Ok(Some(Update {
            note: self.note.format(),
            index: self.index,
            record: self.record.clone(),
            path: self.path.clone(),
            list: self.list.clone(),
            growth,
        }))
    }
}

#[cfg(test)]
mod tests {
    use keystore::{SqliteStore, StoreOptions};

    use super::*;

    #[tokio::test]
    async fn a_minute_without_a_majority_freezes_and_the_next_majority_thaws() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("store.db"), StoreOptions::default()).await.unwrap();
        let witnesses = Witnesses::new(Vec::new());
        let is_frozen = || {
            let frozen = store.freeze_changes(false);
            store.freeze_changes(frozen);
            frozen
        };
        let agreed_before = |ago: Duration| {
            let at = Instant::now().checked_sub(ago).unwrap();
            *witnesses.agreed.lock().unwrap() = at;
            witnesses.freeze_or_thaw(&store);
        };
        agreed_before(Duration::from_secs(59));
        assert!(!is_frozen());
        agreed_before(FROZEN_AFTER);
        assert!(is_frozen());
        agreed_before(Duration::from_secs(3600));
        assert!(is_frozen(), "it stays so");
        agreed_before(Duration::ZERO);
        assert!(!is_frozen());
    }

    #[tokio::test]
    async fn more_than_half_is_a_majority() {
        for (all, quorum) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let peer = || {
                let key = audit::witness::WitnessKey::new("w", [0; 32]).unwrap();
                let roots = rustls::RootCertStore::empty();
                let tls = rustls::ClientConfig::builder_with_provider(crate::shell::tls::provider())
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                let server_name = "localhost".try_into().unwrap();
                Peer::new(WitnessAddress { address: String::new(), tls: Arc::new(tls), server_name, key })
            };
            assert_eq!(Witnesses::new((0..all).map(|_| peer()).collect()).quorum(), quorum);
        }
    }

    #[tokio::test]
    async fn a_store_that_has_what_was_seen_is_the_one_and_no_other_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("store.db"), StoreOptions::default()).await.unwrap();
        let clock = crate::node::clock::Clock::default();
        let auditor = crate::node::auditing::Auditor::new([1; 16]);
        let mut heads = Vec::new();
        for _ in 0..5 {
            let record = Some(auditor.record(&clock, LogId::System, "Start"));
            let step = keystore::Step { changes: Vec::new(), record };
            store.commit(keystore::Unit { steps: vec![step] }).await.unwrap();
            let (size, root) = store.tree_head(LogId::System).await.unwrap();
            heads.push(Head { log: LogId::System, size, root });
        }
        for head in &heads {
            assert_eq!(compare(&store, &[*head]).await.unwrap(), Ok(()));
        }
        let longer = Head { size: 6, ..heads[4] };
        let behind = compare(&store, &[longer]).await.unwrap();
        assert_eq!(behind, Err(Divergence::Behind { log: LogId::System, seen: 6, found: 5 }));
        let other = Head { root: [9; 32], ..heads[2] };
        let forked = compare(&store, &[heads[1], other]).await.unwrap();
        assert_eq!(forked, Err(Divergence::Forked { log: LogId::System, seen: 3 }));
        let lost = Head { log: LogId::Domain([3; 16]), ..heads[0] };
        let gone = compare(&store, &[lost]).await.unwrap();
        assert_eq!(gone, Err(Divergence::Behind { log: lost.log, seen: 1, found: 0 }));
    }
}
