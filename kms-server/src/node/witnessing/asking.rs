//! Asks all witnesses at once and goes on with the first of them that will do: one that hangs costs nobody the time for
//! which it hangs.
//!
//! Each conversation is a task of its own. When enough witnesses have answered, those that were quick the last time are
//! waited for a moment longer, so that usually everybody's co-signature is there; the others finish by themselves, and
//! what they say is theirs to remember. There is one conversation with a witness at a time: the next one waits for it,
//! for as long as its answer may still be needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::Peer;

/// How much longer the quick ones are waited for when enough have answered. Who takes no longer than this is quick.
const GRACE: Duration = Duration::from_secs(1);

struct Seat {
    peer: Arc<Mutex<Peer>>,
    quick: AtomicBool,
}

/// The witnesses, each in its place.
pub(super) struct Seats {
    seats: Vec<Arc<Seat>>,
    /// Conversations, which may outlive the question that they began with. Dropped, they end.
    conversations: std::sync::Mutex<JoinSet<()>>,
}

impl Seats {
    pub(super) fn new(peers: Vec<Peer>) -> Self {
        let seat = |peer| Arc::new(Seat { peer: Arc::new(Mutex::new(peer)), quick: AtomicBool::new(true) });
        Self { seats: peers.into_iter().map(seat).collect(), conversations: std::sync::Mutex::default() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    /// Has `talk` hold a conversation with every witness, and returns what came of them, in no order: as soon as there
    /// are `enough` answers and no more are about to come, or when all conversations are over. `None` is no answer.
    pub(super) async fn ask<T, F, C>(&self, enough: usize, talk: F) -> Vec<T>
    where
        T: Send + 'static,
        F: FnOnce(OwnedMutexGuard<Peer>) -> C + Clone + Send + 'static,
        C: Future<Output = Option<T>> + Send,
    {
        let (answers, mut answered) = mpsc::channel(self.seats.len().max(1));
        // Dropped when this returns: who still waits for a witness then does not begin any more.
        let (asking, _) = watch::channel(());
        for (number, seat) in self.seats.iter().enumerate() {
            let (seat, talk, answers, mut over) = (Arc::clone(seat), talk.clone(), answers.clone(), asking.subscribe());
            self.spawn(async move {
                let peer = tokio::select! {
                    peer = Arc::clone(&seat.peer).lock_owned() => peer,
                    _ = over.changed() => return,
                };
                let begun = Instant::now();
                let answer = talk(peer).await;
                seat.quick.store(answer.is_some() && begun.elapsed() <= GRACE, Ordering::Relaxed);
                // Nobody may be left who wants to know.
                let _ = answers.send((number, answer)).await;
            });
        }
        drop(answers);
        let mut waiting: Vec<usize> = (0..self.seats.len()).collect();
        let (mut found, mut patience_ends) = (Vec::new(), None);
        loop {
            let next = if found.len() < enough {
                answered.recv().await
            } else {
                let quick =
                    |number: &usize| self.seats.get(*number).is_some_and(|seat| seat.quick.load(Ordering::Relaxed));
                if !waiting.iter().any(quick) {
                    break;
                }
                let ends = *patience_ends.get_or_insert_with(|| Instant::now() + GRACE);
                timeout_at(ends, answered.recv()).await.unwrap_or_default()
            };
            let Some((number, answer)) = next else { break };
            waiting.retain(|other| *other != number);
            found.extend(answer);
        }
        // Whoever is late now is not waited for again before it was quick once more.
        for seat in waiting.into_iter().filter_map(|number| self.seats.get(number)) {
            seat.quick.store(false, Ordering::Relaxed);
        }
        found
    }

    fn spawn(&self, conversation: impl Future<Output = ()> + Send + 'static) {
        let mut conversations = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        while conversations.try_join_next().is_some() {}
        conversations.spawn(conversation);
    }
}
