//! One member: its state, its workers, the keeper that probes it and brings it back.
//!
//! An *epoch* of a member is one initialized time of its module with one login, one anchor session and one set of
//! workers ([`Live`]). A member that is given up drops its `Live`; its workers answer what still waits in the queue with
//! a member fault and end, and the last of them finalizes the module, which destroys every imported Domain Key. A call
//! that never returns keeps its worker and so its epoch: then the member stays out, because finalizing under a running
//! call is undefined, while the other members serve.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::timeout;

use crate::breaker::Breaker;
use crate::closed::Closed;
use crate::config::{MemberConfig, Vendor};
use crate::error::{Doing, Fault, Kind};
use crate::lane::{Found, Lane, Shared};
use crate::limits::{CLOSE_PATIENCE, EPOCH_PATIENCE, MAX_CURVE_PAIRS_IN_HAND, MAX_QUEUED_CALLS, MAX_RSA_PAIRS_IN_HAND};
use crate::module::Module;
use crate::status::{Counters, MemberStatus};
use crate::token;
use crate::workers::{Queue, Workers};

/// Held from C_Initialize to C_Login. SoftHSM rewrites a token's file at each login, and C_Initialize reads the files of
/// all tokens: a copy of the library that reads one half-written aborts the process (SlotManager.cpp, insertToken; seen
/// under load).
static SOFTHSM_START: Mutex<()> = Mutex::new(());

/// The workers of one epoch, as seen from outside.
pub(crate) struct Live {
    epoch: u64,
    calls: Workers,
    rsa_pairs: Workers,
    curve_pairs: Workers,
    closing: Arc<AtomicBool>,
    held: Arc<AtomicUsize>,
    checkpoint_key: [u8; 65],
}

impl Live {
    pub fn checkpoint_key(&self) -> &[u8; 65] {
        &self.checkpoint_key
    }

    /// Jobs that wait in this queue or were begun.
    pub fn in_hand(&self, queue: Queue) -> usize {
        self.workers(queue).in_hand()
    }

    fn workers(&self, queue: Queue) -> &Workers {
        match queue {
            Queue::Calls => &self.calls,
            Queue::RsaPairs => &self.rsa_pairs,
            Queue::CurvePairs => &self.curve_pairs,
        }
    }
}

/// A member of the group, up or not.
pub(crate) struct Member {
    config: MemberConfig,
    call_deadline: Duration,
    pair_deadline: Duration,
    probe_interval: Duration,
    /// What the Root of Trust must be; set by the first member that opens where nothing was pinned.
    root: Arc<OnceLock<[u8; 32]>>,
    /// Domains whose keys are not used.
    closed: Arc<Closed>,
    pinned_checkpoint_key: Option<[u8; 65]>,
    breaker: Mutex<Breaker>,
    live: RwLock<Option<Arc<Live>>>,
    module: OnceLock<Arc<Module>>,
    pub counters: Counters,
    /// Wakes the keeper: the member was given up.
    wake: Notify,
    /// Tells the group that a member's state changed.
    changed: watch::Sender<u64>,
    #[cfg(feature = "fault")]
    faults: crate::fault::Faults,
}

/// What all members of a group have in common.
pub(crate) struct Common {
    pub call_deadline: Duration,
    pub pair_deadline: Duration,
    pub probe_interval: Duration,
    pub root: Arc<OnceLock<[u8; 32]>>,
    pub closed: Arc<Closed>,
    pub changed: watch::Sender<u64>,
    #[cfg(feature = "fault")]
    pub faults: crate::fault::Faults,
}

impl Member {
    pub fn new(config: MemberConfig, common: &Common, pinned_checkpoint_key: Option<[u8; 65]>) -> Self {
        Self {
            config,
            call_deadline: common.call_deadline,
            pair_deadline: common.pair_deadline,
            probe_interval: common.probe_interval,
            root: Arc::clone(&common.root),
            closed: Arc::clone(&common.closed),
            pinned_checkpoint_key,
            breaker: Mutex::new(Breaker::waiting(Instant::now())),
            live: RwLock::new(None),
            module: OnceLock::new(),
            counters: Counters::default(),
            wake: Notify::new(),
            changed: common.changed.clone(),
            #[cfg(feature = "fault")]
            faults: common.faults.clone(),
        }
    }

    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// The workers, if the member is up.
    pub fn live(&self) -> Option<Arc<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why calls do not go here.
    pub fn reason(&self) -> String {
        self.breaker().reason().unwrap_or("it has just come back").to_string()
    }

    /// The member as of now. Takes two short locks, neither of them held during a call to the module.
    pub fn status(&self) -> MemberStatus {
        let held = self.live().map_or(0, |live| live.held.load(Ordering::Relaxed));
        let breaker = self.breaker();
        let (state, reason) = (breaker.state(), breaker.reason().map(str::to_string));
        drop(breaker);
        self.counters.status(self.label(), state, reason, held)
    }

    /// Has a worker for calls do something and waits for the answer, both within the deadline.
    pub async fn call<T, W>(&self, live: &Live, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        within(self.call_deadline, live.calls.wait_and_do(work)).await
    }

    /// Has a worker of this queue do something, within the queue's deadline; where that is one for key pairs, only if
    /// it has room.
    pub async fn ask<T, W>(&self, live: &Live, queue: Queue, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        match queue {
            Queue::Calls => self.call(live, work).await,
            Queue::RsaPairs | Queue::CurvePairs => {
                within(self.pair_deadline, live.workers(queue).do_if_room(work)).await
            }
        }
    }

    /// Gives the member up: from now on no call goes to it, its Domain Keys are forgotten here and destroyed there.
    /// A fault of an epoch that is already over changes nothing.
    pub fn give_up(&self, live: &Live, fault: &Fault) {
        let mut breaker = self.breaker();
        let mut current = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|now| now.epoch != live.epoch) {
            return;
        }
        live.closing.store(true, Ordering::Release);
        *current = None;
        drop(current);
        if fault.kind == Kind::Operator {
            breaker.stop(fault.to_string());
        } else {
            breaker.fail(fault.to_string(), Instant::now());
        }
        drop(breaker);
        tracing::error!(member = self.label(), %fault, "HSM member given up");
        self.announce();
        self.wake.notify_one();
    }

    /// Ends the member for good, without blame.
    pub fn shut(&self) {
        self.breaker().stop("the group was closed".into());
        if let Some(live) = self.live.write().unwrap_or_else(PoisonError::into_inner).take() {
            live.closing.store(true, Ordering::Release);
        }
        self.announce();
    }

    /// Waits until the module is finalized; false where a call has not returned in time. Blocks.
    pub fn wait_ended(&self) -> bool {
        self.module.get().is_none_or(|module| module.wait_ended(CLOSE_PATIENCE))
    }

    // ── the keeper ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// One attempt to bring the member up. Does not return before the attempt is over, however long that takes: two
    /// attempts at a time would be two logins.
    pub async fn bring_up(self: &Arc<Self>) {
        self.breaker().try_now();
        let (report, outcome) = oneshot::channel();
        let member = Arc::clone(self);
        let spawned = std::thread::Builder::new().name(format!("hsm-open-{}", self.label())).spawn(move || {
            // Where nobody waits for the outcome any more, dropping it ends the epoch that was begun.
            let _ = report.send(member.begin_epoch());
        });
        let outcome = match spawned {
            Ok(_) => outcome.await.unwrap_or_else(|_| Err(Fault::new(Kind::Member, "open", "the attempt panicked"))),
            Err(error) => Err(Fault::new(Kind::Member, "open", error.to_string())),
        };
        let mut breaker = self.breaker();
        match outcome {
            Ok(live) => {
                breaker.close();
                if breaker.reason().is_none() {
                    *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(live));
                    self.counters.probed();
                    tracing::info!(member = self.label(), "HSM member up");
                }
            }
            Err(fault) if fault.kind == Kind::Operator => {
                tracing::error!(member = self.label(), %fault, "HSM member stopped: an operator must act");
                breaker.stop(fault.to_string());
            }
            Err(fault) => {
                tracing::warn!(member = self.label(), %fault, "HSM member did not open");
                breaker.fail(fault.to_string(), Instant::now());
            }
        }
        drop(breaker);
        self.announce();
    }

    /// Probes the member while it is up and brings it back when it is not, until the task is aborted.
    pub async fn keep(self: Arc<Self>) {
        loop {
            let due = self.breaker().due_in(Instant::now());
            match (self.live(), due) {
                (Some(live), _) => {
                    if timeout(self.probe_interval, self.wake.notified()).await.is_ok() {
                        continue;
                    }
                    match self.call(&live, Lane::probe).await {
                        Ok(()) => self.counters.probed(),
                        Err(fault) => self.give_up(&live, &fault),
                    }
                }
                (None, Some(pause)) => {
                    tokio::time::sleep(pause).await;
                    self.bring_up().await;
                }
                // Stopped: nothing to do until the group ends.
                (None, None) => self.wake.notified().await,
            }
        }
    }

    /// Initializes the module, logs in, finds and checks what must be on the token, starts the workers. Blocks.
    fn begin_epoch(&self) -> Result<Live, Fault> {
        let module = Module::load(&self.config.module)?;
        let module = self.module.get_or_init(|| module);
        // Other devices start independently of each other, and one that hangs must not hold up the rest.
        let alone = (self.config.vendor == Vendor::SoftHsm)
            .then(|| SOFTHSM_START.lock().unwrap_or_else(PoisonError::into_inner));
        let epoch = module.begin(EPOCH_PATIENCE)?;
        let slot = token::find_slot(epoch.library(), self.label())?;
        let anchor = epoch.library().open_ro_session_no_drop(slot).doing("open the anchor session")?;
        token::log_in(&anchor, &self.config.pin_file)?;
        drop(alone);

        let missing = |kind, what: &str| Fault::new(kind, "open", format!("the token has no {what}"));
        let root = token::find_root(&anchor)?.ok_or_else(|| {
            missing(Kind::Member, "Root of Trust: the ceremony was not held, or the token was replaced")
        })?;
        let constant = token::import_constant(&anchor)?;
        let fingerprint = token::fingerprint(&anchor, root, constant)?;
        if token::completed_mark(&anchor)?.as_deref() != Some(&fingerprint[..]) {
            return Err(missing(Kind::Operator, "mark of a completed ceremony"));
        }
        let signing_key = token::find_signing_key(&anchor)?.ok_or_else(|| missing(Kind::Operator, "checkpoint key"))?;
        let checkpoint_key =
            token::checkpoint_key(&anchor)?.ok_or_else(|| missing(Kind::Operator, "public checkpoint key"))?;
        self.check_identity(fingerprint, &checkpoint_key)?;

        let found = Found { slot, vendor: self.config.vendor, anchor, root, constant, signing_key, fingerprint };
        let shared = Arc::new(Shared::new(
            epoch,
            found,
            Arc::clone(&self.closed),
            #[cfg(feature = "fault")]
            self.faults.of(self.label()),
        ));
        let number = self.counters.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        let vendor = self.config.vendor;
        let start =
            |kind: &str, count, limit| Workers::start(&format!("hsm-{}{kind}", self.label()), count, limit, &shared);
        let calls = start("", vendor.workers(), MAX_QUEUED_CALLS)?;
        let rsa_pairs = start("-rsa", vendor.pair_workers(), MAX_RSA_PAIRS_IN_HAND)?;
        let curve_pairs = start("-ec", vendor.pair_workers(), MAX_CURVE_PAIRS_IN_HAND)?;
        Ok(Live {
            epoch: number,
            calls,
            rsa_pairs,
            curve_pairs,
            closing: Arc::clone(&shared.closing),
            held: Arc::clone(&shared.held),
            checkpoint_key,
        })
    }

    /// The Root of Trust and the signing key must be the pinned ones.
    fn check_identity(&self, fingerprint: [u8; 32], checkpoint_key: &[u8; 65]) -> Result<(), Fault> {
        let differs = |what: &str| Fault::new(Kind::Operator, "open", format!("the {what} is not the pinned one"));
        if *self.root.get_or_init(|| fingerprint) != fingerprint {
            return Err(differs("Root of Trust"));
        }
        if self.pinned_checkpoint_key.is_some_and(|pinned| pinned != *checkpoint_key) {
            return Err(differs("checkpoint key"));
        }
        Ok(())
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// The answer, or a fault where it takes longer than `deadline`.
async fn within<T>(deadline: Duration, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(deadline, answer).await.unwrap_or_else(|_| {
        Err(Fault::new(Kind::Deadline, "call", format!("no answer within {} ms", deadline.as_millis())))
    })
}
