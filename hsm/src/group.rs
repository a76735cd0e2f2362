//! The group: the members in their configured order, and every operation with failover inside the call.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use secret::{Algorithm, DomainId, DomainKeyVersion, Sealed, Secret};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::closed::Closed;
use crate::config::GroupConfig;
use crate::domain_key::DomainKey;
use crate::error::{Fault, HsmError, Kind};
use crate::lane::Lane;
use crate::limits::{MAX_RANDOM_LEN, MAX_SEED_LEN};
use crate::member::{Common, Member};
use crate::seal;
use crate::status::{MemberStatus, Service};
use crate::trust::{CheckpointKey, TrustAnchor};
use crate::workers::Queue;

/// The HSM members of a node. Cheap to clone; all clones are the same group.
///
/// A call goes to the first configured member that is up. A fault of that member takes it out at once and the same call
/// goes on to the next one; altered data is returned at once, because no other member would say otherwise. A call takes
/// at most `call_deadline` per member.
///
/// Dropping the last clone ends the members in the background; [`Group::close`] waits for it.
#[derive(Clone)]
pub struct Group {
    inner: Arc<Inner>,
}

struct Inner {
    members: Vec<Arc<Member>>,
    keepers: Vec<JoinHandle<()>>,
    anchor: TrustAnchor,
    closed: Arc<Closed>,
    changed: watch::Receiver<u64>,
    #[cfg(feature = "fault")]
    faults: crate::fault::Faults,
}

/// A signature of a checkpoint's digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whose key signed; see [`TrustAnchor::checkpoint_key`].
    pub member: String,
    /// ECDSA P-256: r and s, 32 bytes each, big endian.
    pub r_s: [u8; 64],
}

/// What a member answered when it was told to destroy imported keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its label.
    pub member: String,
    /// In words.
    pub answer: &'static str,
}

const FORGOTTEN: &str = "no key of it is imported any more";
const GONE: &str = "not reachable; the keys imported there ended with its session";
const GIVEN_UP: &str = "did not answer, and its session was given up with all keys imported there";

impl Group {
    /// Opens every member of `config` and starts to probe them. Runs inside a tokio runtime, which the group needs for
    /// as long as it lives.
    ///
    /// With `expect`, members are opened side by side, and one that holds another Root of Trust or checkpoint key is
    /// stopped. Without, the first member in the configured order that opens decides what is expected of the others.
    /// A member that does not open within `open_deadline` counts as lost and is tried again in the background.
    ///
    /// # Errors
    /// [`HsmError::Config`] for a configuration that cannot be right, [`HsmError::Operator`] or
    /// [`HsmError::Unavailable`] where no member is up.
    pub async fn open(config: GroupConfig, expect: Option<&TrustAnchor>) -> Result<Self, HsmError> {
        config.check()?;
        let (changed, watch) = watch::channel(0);
        let root = Arc::new(OnceLock::new());
        if let Some(expect) = expect {
            root.get_or_init(|| expect.rot_fingerprint);
        }
        let common = Common {
            call_deadline: config.call_deadline,
            pair_deadline: config.pair_deadline,
            probe_interval: config.probe_interval,
            root: Arc::clone(&root),
            closed: Arc::default(),
            changed,
            #[cfg(feature = "fault")]
            faults: crate::fault::Faults::from_env()?,
        };
        let pinned = |label: &str| expect.and_then(|anchor| anchor.checkpoint_key(label)).copied();
        let members: Vec<Arc<Member>> = config
            .members
            .iter()
            .map(|member| Arc::new(Member::new(member.clone(), &common, pinned(&member.label))))
            .collect();

        let mut keepers = Vec::new();
        let mut first_attempts = Vec::new();
        for member in &members {
            let (attempted, first_attempt) = tokio::sync::oneshot::channel();
            let member = Arc::clone(member);
            keepers.push(tokio::spawn(async move {
                member.bring_up().await;
                // The group may have stopped waiting.
                let _ = attempted.send(());
                member.keep().await;
            }));
            if expect.is_some() {
                first_attempts.push(first_attempt);
            } else {
                // One after the other, so that the order of the configuration decides whose Root of Trust is expected.
                let _ = timeout(config.open_deadline, first_attempt).await;
            }
        }
        let all = async {
            for attempt in first_attempts {
                let _ = attempt.await;
            }
        };
        // Members that need longer come later, by their keepers.
        let _ = timeout(config.open_deadline, all).await;

        let anchor = expect.cloned().unwrap_or_else(|| anchor_of(&members, &root));
        let group = Self {
            inner: Arc::new(Inner {
                members,
                keepers,
                anchor,
                closed: common.closed,
                changed: watch,
                #[cfg(feature = "fault")]
                faults: common.faults,
            }),
        };
        if group.inner.members.iter().any(|member| member.live().is_some()) { Ok(group) } else { Err(group.nobody()) }
    }

    /// Makes a Domain Key inside an HSM. Its blob is proved on the member that made it and, where another one is up,
    /// on that one too. The caller stores it before anything is sealed under it.
    ///
    /// # Errors
    /// [`HsmError::Unavailable`], [`HsmError::Deadline`], [`HsmError::Operator`]; [`HsmError::Limit`] for version 0.
    pub async fn create_domain_key(&self, domain: DomainId, version: DomainKeyVersion) -> Result<DomainKey, HsmError> {
        if version == 0 {
            return Err(HsmError::Limit("versions of a Domain Key count from 1".into()));
        }
        let (made_by, key) =
            self.on_first(Service::Create, || move |lane: &mut Lane| lane.create_domain_key(domain, version)).await?;
        for member in self.inner.members.iter().filter(|member| !Arc::ptr_eq(member, &made_by)) {
            let Some(live) = member.live() else { continue };
            let proof = key.clone();
            match member.call(&live, move |lane| lane.prove(&proof)).await {
                Ok(()) => break,
                Err(fault) if fault.kind == Kind::Data => return Err(data(fault)),
                Err(fault) => self.blame(member, &live, &fault),
            }
        }
        Ok(key)
    }

    /// Makes sure that a stored Domain Key can be imported and is the one that its row names. It stays imported, as after
    /// a use.
    ///
    /// # Errors
    /// [`HsmError::Data`] for a Domain Key that is not genuine, or is wrapped by another Root of Trust;
    /// [`HsmError::Closed`] for a domain that is closed; the availability errors of [`Group`].
    pub async fn prove_domain_key(&self, dk: &DomainKey) -> Result<(), HsmError> {
        let attempt = || {
            let dk = dk.clone();
            move |lane: &mut Lane| lane.prove(&dk)
        };
        self.on_first(Service::Open, attempt).await.map(|_| ())
    }

    /// Seals `plain` under a Domain Key, bound to `facts`: it opens under the same key and equal facts, and not
    /// otherwise.
    ///
    /// # Errors
    /// [`HsmError::Limit`] for empty facts or a payload over 1 MiB; [`HsmError::Data`] for a Domain Key that is not
    /// genuine; the availability errors of [`Group`].
    pub async fn seal(&self, dk: &DomainKey, facts: &[u8], plain: &Secret) -> Result<Sealed, HsmError> {
        seal::check(facts, plain.len())?;
        let facts: Arc<[u8]> = facts.into();
        match seal::algorithm_for(plain.len()) {
            Algorithm::AesGcmInHsm => {
                // One copy for all attempts; the worker outlives this borrow.
                let payload = Arc::new(Secret::copy_from(plain.expose()));
                let attempt = || {
                    let (dk, facts, payload) = (dk.clone(), Arc::clone(&facts), Arc::clone(&payload));
                    move |lane: &mut Lane| lane.seal(&dk, &facts, &payload)
                };
                self.on_first(Service::Seal, attempt).await.map(|(_, sealed)| sealed)
            }
            Algorithm::AesGcmUnderObjectKey => {
                let attempt = || {
                    let (dk, facts) = (dk.clone(), Arc::clone(&facts));
                    move |lane: &mut Lane| lane.object_key(&dk, &facts)
                };
                let (_, (iv, object_key)) = self.on_first(Service::Seal, attempt).await?;
                seal::under_object_key(dk.domain, dk.version, &iv, &object_key, &facts, plain)
            }
        }
    }

    /// Opens what [`Group::seal`] sealed.
    ///
    /// # Errors
    /// [`HsmError::Data`] where envelope, facts and Domain Key do not belong together; the availability errors of
    /// [`Group`].
    pub async fn open_sealed(&self, dk: &DomainKey, facts: &[u8], sealed: &Sealed) -> Result<Secret, HsmError> {
        seal::check(facts, 0)?;
        if sealed.domain() != dk.domain || sealed.version() != dk.version {
            return Err(HsmError::Data {
                doing: "open a sealed payload",
                cause: "it is sealed for another domain or version".into(),
            });
        }
        let parts = seal::parts(sealed)?;
        let aad: Arc<[u8]> = seal::additional_data(sealed.header_bytes(), facts).into();
        let ciphertext: Arc<[u8]> = parts.in_hsm.into();
        let attempt = || {
            let (dk, aad, ciphertext) = (dk.clone(), Arc::clone(&aad), Arc::clone(&ciphertext));
            let iv = sealed.iv().to_vec();
            move |lane: &mut Lane| lane.open_sealed(&dk, &iv, &aad, &ciphertext)
        };
        let (_, opened) = self.on_first(Service::Open, attempt).await?;
        parts.finish(opened, sealed.header_bytes(), facts)
    }

    /// `len` random bytes of an HSM, at most 1 MiB.
    ///
    /// # Errors
    /// [`HsmError::Limit`]; the availability errors of [`Group`].
    pub async fn random(&self, len: usize) -> Result<Secret, HsmError> {
        if len > MAX_RANDOM_LEN {
            return Err(HsmError::Limit(format!("{len} random bytes; {MAX_RANDOM_LEN} are allowed")));
        }
        self.on_first(Service::Random, || move |lane: &mut Lane| lane.random(len)).await.map(|(_, bytes)| bytes)
    }

    /// Stirs the generator of every member that is up with `seed`, 1 to 4096 bytes. It adds to what the devices draw by
    /// themselves and replaces nothing, so that a caller who knows the seed knows nothing of the output.
    ///
    /// # Errors
    /// [`HsmError::Limit`]; [`HsmError::Unsupported`] where no member takes a seed; the availability errors of
    /// [`Group`]. One member that takes it is enough.
    pub async fn seed_random(&self, seed: &[u8]) -> Result<(), HsmError> {
        if seed.is_empty() || seed.len() > MAX_SEED_LEN {
            return Err(HsmError::Limit(format!("a seed of {} bytes; 1 to {MAX_SEED_LEN} are allowed", seed.len())));
        }
        let seed = Arc::new(Secret::copy_from(seed));
        let mut taken = false;
        let mut faults = Vec::new();
        for member in self.candidates() {
            let Some(live) = member.live() else { continue };
            let seed = Arc::clone(&seed);
            match member.call(&live, move |lane| lane.seed_random(&seed)).await {
                Ok(()) => taken = true,
                Err(fault) => {
                    if fault.kind != Kind::Refused {
                        self.blame(member, &live, &fault);
                    }
                    faults.push((member.label(), fault));
                }
            }
        }
        if taken { Ok(()) } else { Err(self.verdict(&faults)) }
    }

    /// Signs the SHA-256 digest of a checkpoint with the key of the first member that is up.
    ///
    /// # Errors
    /// The availability errors of [`Group`].
    pub async fn sign(&self, digest: [u8; 32]) -> Result<Signature, HsmError> {
        let (member, r_s) = self.on_first(Service::Sign, || move |lane: &mut Lane| lane.sign(digest)).await?;
        Ok(Signature { member: member.label().into(), r_s })
    }

    /// Refuses the keys of a domain from now on, for instance when it is frozen or destroyed, and destroys the imported
    /// ones on every member. When it returns, no key of the domain is in use anywhere, and calls that were on their way
    /// end with [`HsmError::Closed`]. A member that does not answer is given up, which destroys all keys imported there.
    ///
    /// What each member answered, in the configured order.
    pub async fn close_domain(&self, domain: DomainId) -> Vec<Answer> {
        self.inner.closed.close(domain);
        self.forget(move |lane| lane.forget_domain(&domain)).await
    }

    /// Refuses the keys of a domain from now on, of which none has been imported since the group was opened.
    pub fn shut_domain(&self, domain: DomainId) {
        self.inner.closed.close(domain);
    }

    /// Takes [`Group::close_domain`] back: the next call imports the key again.
    pub fn reopen_domain(&self, domain: &DomainId) {
        self.inner.closed.reopen(domain);
    }

    /// Destroys one version of a Domain Key on every member, as [`Group::close_domain`] does with all: nothing is sealed
    /// under it any more. Whoever still has its blob could have it imported again.
    pub async fn forget_version(&self, domain: DomainId, version: DomainKeyVersion) {
        let _ = self.forget(move |lane| lane.forget_version(&domain, version)).await;
    }

    async fn forget(&self, forget: impl Fn(&mut Lane) + Copy + Send + 'static) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(self.inner.members.len());
        for member in &self.inner.members {
            let mut answer = |answer| answers.push(Answer { member: member.label().to_owned(), answer });
            let Some(live) = member.live() else {
                answer(GONE);
                continue;
            };
            let forgotten = member.call(&live, move |lane| {
                forget(lane);
                Ok(())
            });
            match forgotten.await {
                Ok(()) => answer(FORGOTTEN),
                Err(fault) => {
                    answer(GIVEN_UP);
                    self.blame(member, &live, &fault);
                }
            }
        }
        answers
    }

    /// Every member as of now, in the configured order. Cheap: reads what the members know, asks no device.
    #[must_use]
    pub fn status(&self) -> Vec<MemberStatus> {
        self.inner.members.iter().map(|member| member.status()).collect()
    }

    /// Waits until the members are as `wanted` says; it is asked now and at every change of a member's state.
    pub async fn wait_until(&self, mut wanted: impl FnMut(&[MemberStatus]) -> bool) {
        let mut changed = self.inner.changed.clone();
        loop {
            // Marked as seen before the look, so that a change during the look is not missed.
            changed.mark_unchanged();
            if wanted(&self.status()) || changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// What is pinned: the Root of Trust and the checkpoint keys. Where nothing was expected at
    /// [`Group::open`], what the members showed then.
    #[must_use]
    pub fn trust_anchor(&self) -> &TrustAnchor {
        &self.inner.anchor
    }

    /// The switches of the fault injector.
    #[cfg(feature = "fault")]
    #[must_use]
    pub fn faults(&self) -> &crate::fault::Faults {
        &self.inner.faults
    }

    /// Ends all members and waits, at most 5 s each, until their modules are finalized: every imported Domain Key is
    /// destroyed then. Other clones of the group fail from now on.
    pub async fn close(self) {
        for keeper in &self.inner.keepers {
            keeper.abort();
        }
        for member in &self.inner.members {
            member.shut();
        }
        for member in &self.inner.members {
            let waited = Arc::clone(member);
            let ended = tokio::task::spawn_blocking(move || waited.wait_ended()).await;
            if !matches!(ended, Ok(true)) {
                tracing::warn!(member = member.label(), "a call to the HSM had not returned at the end");
            }
        }
    }

    // ── failover ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Tries the members in order until one has done it. `attempt` makes the work anew for each.
    async fn on_first<T, W>(&self, service: Service, attempt: impl Fn() -> W) -> Result<(Arc<Member>, T), HsmError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        self.on_any(self.candidates().iter().collect(), Queue::Calls, service, attempt).await
    }

    /// As `on_first`, beginning with the member that has the least of this work in hand.
    pub(crate) async fn on_freest<T, W>(
        &self,
        queue: Queue,
        service: Service,
        attempt: impl Fn() -> W,
    ) -> Result<(Arc<Member>, T), HsmError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        let mut members: Vec<&Arc<Member>> = self.candidates().iter().collect();
        // Stable, so that the configured order decides between equals.
        members.sort_by_cached_key(|member| member.live().map(|live| live.in_hand(queue)));
        self.on_any(members, queue, service, attempt).await
    }

    async fn on_any<T, W>(
        &self,
        members: Vec<&Arc<Member>>,
        queue: Queue,
        service: Service,
        attempt: impl Fn() -> W,
    ) -> Result<(Arc<Member>, T), HsmError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Lane) -> Result<T, Fault> + Send + 'static,
    {
        let mut faults = Vec::new();
        for member in members {
            let Some(live) = member.live() else { continue };
            match member.ask(&live, queue, attempt()).await {
                Ok(done) => {
                    member.counters.served(service);
                    return Ok((Arc::clone(member), done));
                }
                Err(fault) => {
                    match fault.kind {
                        Kind::Data => return Err(data(fault)),
                        Kind::Closed => return Err(HsmError::Closed),
                        Kind::Refused | Kind::Full => {}
                        // A slow pair says nothing of a member that seals and opens meanwhile; its probe does.
                        Kind::Deadline if queue != Queue::Calls => {
                            member.counters.failed.fetch_add(1, Ordering::Relaxed);
                            tracing::warn!(member = member.label(), %fault, "a key pair was not ready in time");
                        }
                        _ => self.blame(member, &live, &fault),
                    }
                    faults.push((member.label(), fault));
                }
            }
        }
        Err(self.verdict(&faults))
    }

    /// What is left to say when no member has done it.
    fn verdict(&self, faults: &[(&str, Fault)]) -> HsmError {
        if let Some((_, fault)) = faults.iter().find(|(_, fault)| fault.kind == Kind::Full) {
            return HsmError::Busy { doing: fault.doing };
        }
        match faults.last() {
            Some((member, fault)) if fault.kind == Kind::Deadline => HsmError::Deadline { member: (*member).into() },
            _ => unsupported(faults).unwrap_or_else(|| self.nobody()),
        }
    }

    fn candidates(&self) -> &[Arc<Member>] {
        #[cfg(feature = "fault")]
        if !self.inner.faults.failover() {
            return self.inner.members.get(..1).unwrap_or_default();
        }
        &self.inner.members
    }

    #[expect(clippy::unused_self, reason = "reads as what the group does")]
    fn blame(&self, member: &Member, live: &crate::member::Live, fault: &Fault) {
        member.counters.failed.fetch_add(1, Ordering::Relaxed);
        member.give_up(live, fault);
    }

    /// Why no member can serve: an operator's matter where every member is stopped.
    fn nobody(&self) -> HsmError {
        let reasons: Vec<(String, String)> =
            self.candidates().iter().map(|member| (member.label().into(), member.reason())).collect();
        let stopped = self.status().iter().all(|member| member.breaker == crate::breaker::BreakerState::Stopped);
        match reasons.first() {
            Some((member, reason)) if stopped => HsmError::Operator { member: member.clone(), reason: reason.clone() },
            _ => HsmError::Unavailable { reasons },
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for keeper in &self.keepers {
            keeper.abort();
        }
        for member in &self.members {
            member.shut();
        }
    }
}

fn anchor_of(members: &[Arc<Member>], root: &OnceLock<[u8; 32]>) -> TrustAnchor {
    let checkpoint_keys = members
        .iter()
        .filter_map(|member| {
            let live = member.live()?;
            Some(CheckpointKey { member: member.label().into(), public_key: *live.checkpoint_key() })
        })
        .collect();
    TrustAnchor { rot_fingerprint: root.get().copied().unwrap_or_default(), checkpoint_keys, retired_keys: Vec::new() }
}

/// The refusals among the faults.
fn unsupported(faults: &[(&str, Fault)]) -> Option<HsmError> {
    let refusals = faults.iter().filter(|(_, fault)| fault.kind == Kind::Refused);
    let reasons: Vec<_> =
        refusals.clone().map(|(member, fault)| ((*member).to_string(), fault.cause.clone())).collect();
    let (_, first) = refusals.clone().next()?;
    Some(HsmError::Unsupported { doing: first.doing, reasons })
}

fn data(fault: Fault) -> HsmError {
    HsmError::Data { doing: fault.doing, cause: fault.cause }
}
