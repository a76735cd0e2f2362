//! Shows the heads of all logs to the witnesses, collects their co-signatures, and believes them about the past: a
//! store that is behind what they saw, or forked from it, does not serve.
//!
//! `peer` is the conversation with one witness, `talk` what is said in it, `asking` the side-by-side of all of them,
//! `shown` what is new. A majority has to co-sign; while there is none for as long as `limits.witness_patience_ms` says,
//! the store refuses every change. That a majority went, that changes are refused, and that both is over, is on record.
//! A restart needs so many answers that one of them comes from a witness of the last majority, whichever that was.

mod asking;
mod peer;
mod shown;
mod talk;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use audit::witness::Head;
use audit::{LogId, Outcome, Record, SignedCheckpoint};
use keystore::{KeyStore, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::node::Node;
use crate::node::checkpoints::{Checkpointer, root_at_in};
use asking::Seats;
use shown::{Shown, sizes_of};
use talk::Talk;

pub use peer::{Peer, WitnessAddress};

/// There is no majority of witnesses any more.
const LOST: &str = "Witnesses Lost";
/// There is a majority again.
const BACK: &str = "Witnesses Back";
/// There was none for so long that changes are refused.
const FROZEN: &str = "Changes Frozen";
/// Changes are accepted again.
const THAWED: &str = "Changes Thawed";

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
    seats: Seats,
    round: Mutex<Round>,
    /// When a majority last co-signed.
    agreed: std::sync::Mutex<Instant>,
    /// Without a majority for this long, nothing is changed any more.
    patience: Duration,
    frozen: AtomicBool,
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
    /// What no majority has co-signed: while nothing is new, it is shown again, and no other record is made for it.
    unsigned: Option<Arc<Shown>>,
    /// How many co-signed, where they were too few the last time.
    too_few: Option<usize>,
    /// What is on record: that there is no majority, that changes are refused.
    told: (bool, bool),
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
    /// These witnesses, of which none is asked yet; without a majority of them for `patience`, nothing is changed.
    #[must_use]
    pub fn new(peers: Vec<Peer>, patience: Duration) -> Self {
        let (diverged, _) = watch::channel(None);
        Self {
            seats: Seats::new(peers),
            round: Mutex::default(),
            agreed: std::sync::Mutex::new(Instant::now()),
            patience,
            frozen: AtomicBool::new(false),
            diverged,
        }
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seats.len() == 0
    }

    /// How many have to co-sign: more than half.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.seats.len() / 2 + 1
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

    /// Asks all of them what they saw and holds the store against it, before the node serves and before it writes.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub async fn admit(&self, node: &Node) -> Result<(), WitnessError> {
        let all = self.seats.len();
        let asked = self.seats.ask(all, |mut peer| async move {
            let state = peer.fetch_state().await;
            Some((peer, state))
        });
        let (mut answered, mut faults) = (Vec::new(), Vec::new());
        for (peer, state) in asked.await {
            let name = peer.name().to_owned();
            match state {
                Ok(state) => {
                    if let Err(divergence) = compare(&*node.store, &state.heads).await? {
                        return Err(WitnessError::Diverged { name, divergence });
                    }
                    answered.push(peer);
                }
                Err(error) => faults.push(format!("{name}: {error}")),
            }
        }
        // So many that one of them is of the last majority.
        let needed = (all + 1).saturating_sub(self.quorum());
        if answered.len() < needed {
            return Err(WitnessError::TooFew { answered: answered.len(), all, needed, why: faults.join("; ") });
        }
        // Whoever told a witness to forget is on record here as well.
        let talk = Talk::of(node, &self.diverged);
        for mut peer in answered {
            talk.tell_rebase(&mut peer).await?;
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
        let sizes = sizes_of(&heads);
        let (system, _) = node.store.tree_head(LogId::System).await?;
        if round.seen == sizes && round.system == system {
            self.agree();
            return Ok(());
        }
        let shown = match round.unsigned.take().filter(|shown| shown.is_of(&sizes, system)) {
            Some(shown) => shown,
            None => Arc::new(Shown::make(node, checkpointer, &heads).await?),
        };
        let lines = self.show(node, &shown).await;
        if lines.len() < self.quorum() {
            round.unsigned = Some(shown);
            round.too_few = Some(lines.len());
            self.tell(node, &mut round).await;
            return Err(Failure::Busy);
        }
        self.agree();
        round.seen = shown.sizes().clone();
        round.system = shown.system();
        round.note = Some(shown.note().format() + &lines.concat());
        round.too_few = None;
        self.tell(node, &mut round).await;
        Ok(())
    }

    fn agree(&self) {
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
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
        let asked = (note.clone(), signed.checkpoint.body());
        let lines = self.seats.ask(self.quorum(), async move |mut peer| {
            let line = peer.cosign(&asked.0, &asked.1).await;
            line.inspect_err(|refused| tracing::warn!(witness = peer.name(), %refused, "did not co-sign")).ok()
        });
        let lines = lines.await;
        if lines.len() < self.quorum() { Err(Failure::Busy) } else { Ok(note + &lines.concat()) }
    }

    /// Freezes the store's changes while there has been no majority for long, and lets them go when there is one.
    fn freeze_or_thaw(&self, store: &dyn KeyStore) {
        let agreed = *self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        let frozen = agreed.elapsed() >= self.patience;
        self.frozen.store(frozen, Ordering::Relaxed);
        if store.freeze_changes(frozen) != frozen {
            if frozen {
                tracing::error!(alarm = "witnesses", "no majority of witnesses for long: changes are refused");
            } else {
                tracing::warn!("a majority of witnesses again: changes are accepted");
            }
        }
    }

    /// Freezes or thaws as it is time for, and tells of it; and of everything that could not be told before.
    pub async fn keep_watch(&self, node: &Node) {
        self.freeze_or_thaw(&*node.store);
        self.tell(node, &mut *self.round.lock().await).await;
    }

    /// Records what is not on record: that there is a majority or none, that changes are refused or not. What cannot be
    /// recorded is told the next time.
    async fn tell(&self, node: &Node, round: &mut Round) {
        let lost = round.too_few.is_some();
        if round.told.0 != lost {
            let detail = match round.too_few {
                Some(few) => format!("{few} of {} co-signed, {} are needed", self.seats.len(), self.quorum()),
                None => format!("at least {} of {} co-signed", self.quorum(), self.seats.len()),
            };
            round.told.0 ^= note(node, if lost { LOST } else { BACK }, !lost, detail).await;
        }
        let frozen = self.frozen.load(Ordering::Relaxed);
        if round.told.1 != frozen {
            let detail = if frozen {
                format!("no majority of witnesses for {} ms", self.patience.as_millis())
            } else {
                "a majority of witnesses again".to_owned()
            };
            round.told.1 ^= note(node, if frozen { FROZEN } else { THAWED }, !frozen, detail).await;
        }
    }

    /// Asks every witness to co-sign; returns the lines of those that did.
    async fn show(&self, node: &Node, shown: &Arc<Shown>) -> Vec<String> {
        let (talk, shown) = (Talk::of(node, &self.diverged), Arc::clone(shown));
        self.seats.ask(self.quorum(), async move |mut peer| talk.show(&mut peer, &shown).await).await
    }
}

/// Records an event of the witnesses; says whether it is on record.
async fn note(node: &Node, operation: &str, good: bool, detail: String) -> bool {
    let outcome = if good { Outcome::Success } else { Outcome::Failed };
    let record = node.auditor.record(&node.clock, LogId::System, operation);
    let recorded = node.record(Record { outcome, detail: Some(detail), ..record }).await;
    let recorded = recorded.inspect_err(|error| tracing::error!(%error, operation, "could not be recorded"));
    recorded.is_ok()
}

#[cfg(test)]
mod tests {
    use keystore::{SqliteStore, StoreOptions};

    use super::*;

    #[tokio::test]
    async fn long_without_a_majority_freezes_and_the_next_majority_thaws() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("store.db"), StoreOptions::default()).await.unwrap();
        let patience = Duration::from_secs(60);
        let witnesses = Witnesses::new(Vec::new(), patience);
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
        agreed_before(patience);
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
                let deadline = Duration::from_secs(1);
                Peer::new(WitnessAddress { address: String::new(), tls: Arc::new(tls), server_name, key, deadline })
            };
            assert_eq!(Witnesses::new((0..all).map(|_| peer()).collect(), Duration::ZERO).quorum(), quorum);
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
