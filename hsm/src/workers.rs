//! The queues of a member and the threads that work them off, each with a session of its own.
//!
//! A call takes microseconds, a pair on a curve milliseconds, an RSA pair seconds. Each kind of work has its own queue
//! and its own threads, so that the slow never holds up the quick.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{Fault, Kind};
use crate::lane::{Lane, Shared};

type Job = Box<dyn FnOnce(&mut Lane) + Send>;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Everything that a request waits for with a short deadline.
    Calls,
    /// RSA key pairs.
    RsaPairs,
    /// Key pairs on curves.
    CurvePairs,
}

/// One queue and its threads, which end when this is dropped and the queue is empty.
pub(crate) struct Workers {
    /// Bounded by `room`: every job holds a permit.
    jobs: UnboundedSender<Job>,
    room: Arc<Semaphore>,
    limit: usize,
}

impl Workers {
    /// Starts `count` threads for at most `limit` jobs in hand.
    pub fn start(name: &str, count: usize, limit: usize, shared: &Arc<Shared>) -> Result<Self, Fault> {
        let (jobs, queue) = unbounded_channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..count {
            let lane = Lane::open(Arc::clone(shared))?;
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || work(lane, &queue))
                .map_err(|error| Fault::new(Kind::Member, "start a worker", error.to_string()))?;
        }
        Ok(Self { jobs, room: Arc::new(Semaphore::new(limit)), limit })
    }

    /// Jobs that wait or were begun.
    pub fn in_hand(&self) -> usize {
        self.limit.saturating_sub(self.room.available_permits())
    }

    /// Has a worker do something and waits for the answer, for room in the queue first.
    pub async fn wait_and_do<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        let permit = Arc::clone(&self.room).acquire_owned().await.map_err(|_| gone())?;
        self.hand_over(permit, work).await
    }

    /// As [`Workers::wait_and_do`], without a wait for room.
    ///
    /// # Errors
    /// [`Kind::Full`] where there is none.
    pub async fn do_if_room<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        let full = |_| Fault::new(Kind::Full, "make a key pair", format!("{} are in hand", self.limit));
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(full)?;
        self.hand_over(permit, work).await
    }

    async fn hand_over<T, W>(&self, permit: OwnedSemaphorePermit, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |lane| {
            // Nobody waits any more: the deadline has passed or the request was dropped.
            if reply.is_closed() {
                return;
            }
            let outcome = lane.run(work);
            // Before the answer, so that who has it finds the room.
            drop(permit);
            // A caller that left meanwhile does not want the answer.
            let _ = reply.send(outcome);
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn gone() -> Fault {
    Fault::new(Kind::Member, "call", "the workers have ended")
}

/// A worker's life: one piece of work after another until nobody can send any more.
fn work(mut lane: Lane, queue: &Mutex<UnboundedReceiver<Job>>) {
    loop {
        // The lock is held while waiting: the other workers wait for it instead of for the queue.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match job {
            Some(job) => job(&mut lane),
            None => return,
        }
    }
}
