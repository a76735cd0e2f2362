//! Messages that are answered later: a bounded queue, and the answers that wait to be fetched. KMIP 1.4 §6.7, 2.1 §9.2.
//!
//! A message becomes one job and is worked out as one unit, as it would be if its client waited. Each of its items has a
//! correlation value, good in the domain that it was given to and nowhere else; an answer is fetched once. Nothing here
//! is durable: what a process has not begun is lost with it, and so are answers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use kmip::ProtocolVersion;
use kmip::message::{Outcome, RequestMessage, ResponseItem};
use kmip::registry::{CancellationResult, Operation, ProcessingStage};
use secret::DomainId;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::auditing::Told;
use super::tickets::Permit;
use crate::failure::Failure;
use crate::limits::{JOB_ANSWER_LIFETIME_S, JOBS, JOBS_PER_DOMAIN, PATIENT_POLLS};
use crate::login::Login;
use crate::shell::peer::Fingerprint;

/// Asynchronous Correlation Value: random, as guessing it would reach another client's answer within the domain.
pub type CorrelationValue = [u8; 16];

/// One message, to be worked out by whoever takes it.
#[derive(Debug)]
pub struct Work {
    /// Whose it is.
    pub client: Fingerprint,
    /// Whom it speaks for.
    pub login: Login,
    /// The domain it is for.
    pub domain: DomainId,
    /// What its audit records say about its origin.
    pub told: Told,
    /// The message. Items that were cancelled are gone from it when it is taken.
    pub message: RequestMessage,
    /// What the client's ticket lets each of its items do.
    pub permits: Vec<Permit>,
}

/// What a Poll finds.
#[derive(Debug)]
pub enum Polled {
    /// No such answer is waited for in this domain.
    Unknown,
    /// The operation has no answer yet. `awaited` where its client asked to have it finished.
    Pending {
        /// The operation that was asked for.
        operation: Operation,
        /// Whether Process was asked.
        awaited: bool,
    },
    /// The answer, kept until the fetching is durable.
    Ready(Arc<Mutex<ResponseItem>>),
}

/// An operation whose answer nobody has fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outstanding {
    /// What to ask for the answer with.
    pub value: CorrelationValue,
    /// What was asked for.
    pub operation: Operation,
    /// When it was asked for, in microseconds since 1970.
    pub submitted_us: i64,
    /// How far it is.
    pub stage: ProcessingStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its pending answers are not durable yet.
    Reserved,
    Queued,
    Running,
    Ended,
}

#[derive(Debug)]
struct Item {
    value: CorrelationValue,
    operation: Operation,
    /// The answer, once there is one.
    answer: Option<Arc<Mutex<ResponseItem>>>,
    /// The message that fetches or cancels it; the same message may do so again when it is worked out anew.
    claimed_by: Option<[u8; 16]>,
    cancelled: bool,
    awaited: bool,
}

#[derive(Debug)]
struct Job {
    domain: DomainId,
    submitted_us: i64,
    stage: Stage,
    items: Vec<Item>,
    work: Option<Box<Work>>,
    /// When its answers are forgotten, in seconds since 1970.
    forgotten_at_s: i64,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    jobs: BTreeMap<u64, Job>,
    queue: VecDeque<u64>,
    values: HashMap<CorrelationValue, (u64, usize)>,
}

/// All jobs of the node.
#[derive(Debug)]
pub struct Jobs {
    state: Mutex<State>,
    arrived: Notify,
    ended: Notify,
    patient: Semaphore,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            arrived: Notify::new(),
            ended: Notify::new(),
            patient: Semaphore::new(PATIENT_POLLS),
        }
    }
}

/// A job that was taken, to be given back with its answers.
#[derive(Debug)]
pub struct Taken {
    number: u64,
    /// What is to be done.
    pub work: Box<Work>,
}

/// Whether the operation leaves everything as it is, so that to cancel it is to drop its answer.
const fn reads_only(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Locate
            | Operation::Check
            | Operation::GetAttributes
            | Operation::GetAttributeList
            | Operation::Validate
            | Operation::GetConstraints
            | Operation::Hash
    )
}

/// Whether an answer may wait to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It may.
    Allowed,
    /// It is always given at once: it is about answers, tickets or the server itself. KMIP 2.1 §6.1.38.
    Never,
    /// Key bytes or plaintext are in it. They would lie in memory, opened, until somebody comes.
    Opened,
}

/// Whether the answer to the operation may wait.
#[must_use]
pub const fn waiting(operation: Operation) -> Waiting {
    use Operation as O;
    match operation {
        O::Get | O::Export | O::Decrypt | O::RngRetrieve | O::Pkcs11 => Waiting::Opened,
        O::Poll
        | O::Cancel
        | O::Process
        | O::QueryAsynchronousRequests
        | O::Query
        | O::DiscoverVersions
        | O::Ping
        | O::Login
        | O::Logout
        | O::DelegatedLogin
        | O::SetEndpointRole
        | O::Interop
        | O::Notify
        | O::Put => Waiting::Never,
        _ => Waiting::Allowed,
    }
}

impl State {
    /// The answers that nobody fetched in time are forgotten, and what a broken commit left behind.
    fn forget(&mut self, now_s: i64) {
        let late: Vec<u64> = self
            .jobs
            .iter()
            .filter(|(_, job)| matches!(job.stage, Stage::Ended | Stage::Reserved) && job.forgotten_at_s <= now_s)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(job) = self.jobs.remove(&number) {
            for item in &job.items {
                self.values.remove(&item.value);
            }
        }
        self.queue.retain(|queued| *queued != number);
    }

    fn find(&mut self, domain: DomainId, value: &[u8]) -> Option<(u64, usize, &mut Job)> {
        let (number, at) = *self.values.get(value)?;
        let job = self.jobs.get_mut(&number)?;
        (job.domain == domain).then_some((number, at, job))
    }
}

impl Item {
    /// Whether another message than `by` has it, or nobody can have it any more.
    fn is_gone_for(&self, by: [u8; 16]) -> bool {
        self.claimed_by.is_some_and(|claimed| claimed != by)
    }
}

impl Jobs {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Each change is whole before anything in it can panic.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a place for a message, whose items get these values. Nobody works on it before [`Jobs::release`].
    ///
    /// # Errors
    /// The work itself, where the node or the domain has as many jobs as it may.
    pub fn reserve(
        &self,
        work: Box<Work>,
        items: &[(CorrelationValue, Operation)],
        now_us: i64,
    ) -> Result<u64, Box<Work>> {
        let now_s = now_us.div_euclid(1_000_000);
        self.with(|state| {
            state.forget(now_s);
            let of_domain = state.jobs.values().filter(|job| job.domain == work.domain).count();
            if state.jobs.len() >= JOBS || of_domain >= JOBS_PER_DOMAIN {
                return Err(work);
            }
            let number = state.next;
            state.next += 1;
            let items: Vec<Item> = items
                .iter()
                .map(|(value, operation)| Item {
                    value: *value,
                    operation: *operation,
                    answer: None,
                    claimed_by: None,
                    cancelled: false,
                    awaited: false,
                })
                .collect();
            for (at, item) in items.iter().enumerate() {
                state.values.insert(item.value, (number, at));
            }
            let job = Job {
                domain: work.domain,
                submitted_us: now_us,
                stage: Stage::Reserved,
                items,
                work: Some(work),
                forgotten_at_s: now_s.saturating_add(JOB_ANSWER_LIFETIME_S),
            };
            state.jobs.insert(number, job);
            Ok(number)
        })
    }

    /// The pending answers are durable: the job may be worked on.
    pub fn release(&self, number: u64) {
        self.with(|state| {
            if let Some(job) = state.jobs.get_mut(&number)
                && job.stage == Stage::Reserved
            {
                job.stage = Stage::Queued;
                state.queue.push_back(number);
            }
        });
        self.arrived.notify_one();
    }

    /// The pending answers were never given: there is no job. Gives the message back.
    pub fn withdraw(&self, number: u64) -> Option<Box<Work>> {
        self.with(|state| {
            let work = state.jobs.get_mut(&number).and_then(|job| job.work.take());
            state.remove(number);
            work
        })
    }

    /// The next job, when there is one.
    pub async fn next(&self) -> Taken {
        loop {
            let arrived = self.arrived.notified();
            if let Some(taken) = self.take() {
                return taken;
            }
            arrived.await;
        }
    }

    fn take(&self) -> Option<Taken> {
        let (taken, more) = self.with(|state| {
            let taken = state.queue.pop_front().and_then(|number| {
                let job = state.jobs.get_mut(&number)?;
                job.stage = Stage::Running;
                let mut work = job.work.take()?;
                let mut kept = job.items.iter().map(|item| !item.cancelled);
                work.message.items.retain(|_| kept.next().unwrap_or(true));
                let mut kept = job.items.iter().map(|item| !item.cancelled);
                work.permits.retain(|_| kept.next().unwrap_or(true));
                Some(Taken { number, work })
            });
            (taken, !state.queue.is_empty())
        });
        if more {
            // One call of `notify_one` may have stood for several jobs.
            self.arrived.notify_one();
        }
        taken
    }

    /// The job is done. `answers` are those of the items that were not cancelled, in order; an item that has none was
    /// not begun, because one before it failed.
    pub fn end(&self, number: u64, answers: Vec<ResponseItem>, now_s: i64) {
        self.with(|state| {
            let Some(job) = state.jobs.get_mut(&number) else { return };
            job.stage = Stage::Ended;
            job.forgotten_at_s = now_s.saturating_add(JOB_ANSWER_LIFETIME_S);
            // Every version knows this reason.
            let not_begun = Failure::Internal("the batch had ended").answer(ProtocolVersion::V1_0).reason;
            let mut answers = answers.into_iter();
            let mut wanted = false;
            for item in job.items.iter_mut().filter(|item| !item.cancelled) {
                let answer = answers.next().unwrap_or_else(|| ResponseItem {
                    operation: None,
                    unique_batch_item_id: None,
                    outcome: Outcome::failed(not_begun, "not begun: the batch had ended"),
                });
                // Whatever an answer to a whole message says, it is the answer to this operation.
                let answer = ResponseItem { operation: Some(item.operation.value()), ..answer };
                // One that was cancelled meanwhile is waited for no longer.
                if state.values.contains_key(&item.value) {
                    item.answer = Some(Arc::new(Mutex::new(answer)));
                    wanted = true;
                }
            }
            if !wanted {
                state.remove(number);
            }
        });
        self.ended.notify_waiters();
    }

    /// Looks for the answer with `value`, in the name of the message `by`.
    pub fn poll(&self, domain: DomainId, value: &[u8], by: [u8; 16], now_s: i64) -> Polled {
        self.with(|state| {
            state.forget(now_s);
            let Some((_, at, job)) = state.find(domain, value) else { return Polled::Unknown };
            let Some(item) = job.items.get_mut(at) else { return Polled::Unknown };
            if item.cancelled || item.is_gone_for(by) {
                return Polled::Unknown;
            }
            match &item.answer {
                Some(answer) => {
                    item.claimed_by = Some(by);
                    Polled::Ready(answer.clone())
                }
                None => Polled::Pending { operation: item.operation, awaited: item.awaited },
            }
        })
    }

    /// A place to wait in for an answer, if there is one.
    pub fn waiting_place(&self) -> Option<SemaphorePermit<'_>> {
        self.patient.try_acquire().ok()
    }

    /// Returns when some job has ended after the call of this function.
    pub fn ended(&self) -> Notified<'_> {
        self.ended.notified()
    }

    /// The answer was given, or the operation cancelled, and that is durable: it is here no longer.
    pub fn settle(&self, value: &[u8]) {
        self.with(|state| {
            let Some((number, at)) = state.values.remove(value) else { return };
            let Some(job) = state.jobs.get_mut(&number) else { return };
            if let Some(item) = job.items.get_mut(at) {
                item.answer = None;
            }
            let items: Vec<CorrelationValue> = job.items.iter().map(|item| item.value).collect();
            // A cancelled item of a queued job is taken out when the job is taken.
            let begun = job.stage == Stage::Ended;
            let all_cancelled = job.stage == Stage::Queued && job.items.iter().all(|item| item.cancelled);
            if (begun || all_cancelled) && !items.iter().any(|value| state.values.contains_key(value)) {
                state.remove(number);
            }
        });
    }

    /// The message `by` is at its end: what it claimed and did not settle is there again.
    pub fn unclaim(&self, by: [u8; 16]) {
        self.with(|state| {
            for job in state.jobs.values_mut() {
                let begun = !matches!(job.stage, Stage::Reserved | Stage::Queued);
                for item in job.items.iter_mut().filter(|item| item.claimed_by == Some(by)) {
                    item.claimed_by = None;
                    // What was taken out of a job that has begun stays out.
                    item.cancelled &= begun;
                }
            }
        });
    }

    /// What came of a wish to cancel, in the name of the message `by`; `None` for a value that nobody waits for here.
    ///
    /// What was not begun is cancelled; so is what only reads and whose answer nobody has, by dropping the answer.
    pub fn cancel(&self, domain: DomainId, value: &[u8], by: [u8; 16], now_s: i64) -> Option<CancellationResult> {
        self.with(|state| {
            state.forget(now_s);
            let (_, at, job) = state.find(domain, value)?;
            let stage = job.stage;
            let item = job.items.get_mut(at)?;
            if item.is_gone_for(by) {
                return None;
            }
            let result = match stage {
                _ if item.cancelled => CancellationResult::Canceled,
                Stage::Reserved | Stage::Queued => CancellationResult::Canceled,
                // A running one keeps its place among the items, and its answer is dropped when it comes.
                _ if reads_only(item.operation) => CancellationResult::Canceled,
                Stage::Running => CancellationResult::UnableToCancel,
                Stage::Ended => CancellationResult::Completed,
            };
            if result == CancellationResult::Canceled {
                item.claimed_by = Some(by);
                if stage == Stage::Queued || stage == Stage::Reserved {
                    item.cancelled = true;
                }
            }
            Some(result)
        })
    }

    /// Moves the operation to the front and has Polls wait for it; `false` for a value that nobody waits for here.
    /// KMIP 2.1 §6.1.39.
    pub fn hurry(&self, domain: DomainId, value: &[u8], now_s: i64) -> bool {
        self.with(|state| {
            state.forget(now_s);
            let Some((number, at, job)) = state.find(domain, value) else { return false };
            let Some(item) = job.items.get_mut(at) else { return false };
            if item.claimed_by.is_some() || item.cancelled {
                return false;
            }
            item.awaited = true;
            if job.stage == Stage::Queued {
                state.queue.retain(|queued| *queued != number);
                state.queue.push_front(number);
            }
            true
        })
    }

    /// Every operation of the domain whose answer nobody has fetched, oldest first.
    pub fn outstanding(&self, domain: DomainId, now_s: i64) -> Vec<Outstanding> {
        self.with(|state| {
            state.forget(now_s);
            let of_domain = state.jobs.values().filter(|job| job.domain == domain);
            let mut found = Vec::new();
            for job in of_domain {
                let stage = match job.stage {
                    Stage::Reserved | Stage::Queued => ProcessingStage::Submitted,
                    Stage::Running => ProcessingStage::InProcess,
                    Stage::Ended => ProcessingStage::Completed,
                };
                let open = job.items.iter().filter(|item| item.claimed_by.is_none() && !item.cancelled);
                found.extend(open.map(|item| Outstanding {
                    value: item.value,
                    operation: item.operation,
                    submitted_us: job.submitted_us,
                    stage,
                }));
            }
            found
        })
    }
}

impl Taken {
    /// To give the answers back with.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
