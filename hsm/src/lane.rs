//! One worker of a member: a session of its own, and every operation that a member can do, each with the second try
//! that its kind of fault deserves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use secret::{Algorithm, DomainId, DomainKeyVersion, Sealed, Secret};

use crate::closed::Closed;
use crate::config::Vendor;
use crate::domain_key::{CANARY_PLAIN, DomainKey};
use crate::error::{Doing, Fault, Kind};
use crate::handles::{Handles, Imported};
use crate::key_pair::{self, Recipe};
use crate::limits::{MAX_IMPORTED_KEYS, WRAPPED_KEY_LEN};
use crate::module::Epoch;
use crate::seal::{self, IV_LEN, OBJECT_KEY_LEN, ObjectKey, TAG_LEN};
use crate::{template, token};

/// Bits of every GCM tag. SoftHSM would accept fewer.
const TAG_BITS: u64 = 8 * TAG_LEN as u64;

/// What all workers of a member share in one epoch. When the last of them lets go, the epoch ends.
pub(crate) struct Shared {
    pub slot: Slot,
    vendor: Vendor,
    /// Logged in; owns every imported Domain Key. Locked for an import, so that no key is imported twice.
    anchor: Mutex<Session>,
    pub root: ObjectHandle,
    pub constant: ObjectHandle,
    pub signing_key: ObjectHandle,
    pub fingerprint: [u8; 32],
    handles: Mutex<Handles>,
    closed: Arc<Closed>,
    /// How many Domain Keys are imported, for the status.
    pub held: Arc<AtomicUsize>,
    /// Set when the member was given up: what still waits in the queue is answered, not done.
    pub closing: Arc<AtomicBool>,
    #[cfg(feature = "fault")]
    pub fault: crate::fault::MemberSwitch,
    // Last, so that it is dropped last: everything above lives in this epoch.
    epoch: Epoch,
}

/// What an epoch needs beside its handles.
pub(crate) struct Found {
    pub slot: Slot,
    pub vendor: Vendor,
    pub anchor: Session,
    pub root: ObjectHandle,
    pub constant: ObjectHandle,
    pub signing_key: ObjectHandle,
    pub fingerprint: [u8; 32],
}

impl Shared {
    pub fn new(
        epoch: Epoch,
        found: Found,
        closed: Arc<Closed>,
        #[cfg(feature = "fault")] fault: crate::fault::MemberSwitch,
    ) -> Self {
        Self {
            slot: found.slot,
            vendor: found.vendor,
            anchor: Mutex::new(found.anchor),
            root: found.root,
            constant: found.constant,
            signing_key: found.signing_key,
            fingerprint: found.fingerprint,
            handles: Mutex::new(Handles::new(MAX_IMPORTED_KEYS)),
            closed,
            held: Arc::default(),
            closing: Arc::default(),
            #[cfg(feature = "fault")]
            fault,
            epoch,
        }
    }

    fn handles(&self) -> MutexGuard<'_, Handles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the map and tells the status how many keys it holds now.
    fn change_handles<T>(&self, change: impl FnOnce(&mut Handles) -> T) -> T {
        let mut handles = self.handles();
        let result = change(&mut handles);
        self.held.store(handles.held(), Ordering::Relaxed);
        result
    }

    fn anchor(&self) -> MutexGuard<'_, Session> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's session and what it shares with the others.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    session: Session,
}

impl Lane {
    /// A worker with a new session. A read-only one: it can make session objects and use keys, and cannot create or
    /// destroy anything that stays on the token.
    pub fn open(shared: Arc<Shared>) -> Result<Self, Fault> {
        let session = open_session(&shared)?;
        Ok(Self { shared, session })
    }

    /// Does one piece of work, unless the member was given up meanwhile. A panic of the binding becomes a member fault.
    pub fn run<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(Fault::new(Kind::Member, "call", "the member was given up"));
        }
        #[cfg(feature = "fault")]
        self.shared.fault.strike()?;
        let result = catch_unwind(AssertUnwindSafe(|| work(self)))
            .unwrap_or_else(|_| Err(Fault::new(Kind::Member, "call", "the PKCS#11 binding panicked")));
        self.bury();
        result
    }

    // ── what a member can do ────────────────────────────────────────────────────────────────────────────────────────

    /// Asks the Root of Trust for its fingerprint: it uses a token object, so it notices a token that has vanished.
    pub fn probe(&mut self) -> Result<(), Fault> {
        let fingerprint = self
            .steady(|lane| token::fingerprint(&lane.session, lane.shared.root, lane.shared.constant))
            // Whatever is wrong with the data of a constant is wrong with the member.
            .map_err(|fault| if fault.kind == Kind::Operator { fault } else { fault.settled(Kind::Member) })?;
        #[cfg(feature = "fault")]
        let fingerprint = self.shared.fault.garble(fingerprint);
        if fingerprint != self.shared.fingerprint {
            return Err(Fault::new(Kind::Operator, "probe", "another Root of Trust answers than at the start"));
        }
        Ok(())
    }

    /// Random bytes of the device.
    pub fn random(&mut self, len: usize) -> Result<Secret, Fault> {
        #[cfg(feature = "fault")]
        if let Some(drawn) = self.shared.fault.drawn(len) {
            return drawn.map(Secret::new);
        }
        self.steady(|lane| {
            Secret::filled_by(len, |bytes| lane.session.generate_random_slice(bytes)).doing("draw random bytes")
        })
        .map_err(unambiguous)
    }

    /// Stirs the device's generator with bytes from outside.
    pub fn seed_random(&mut self, seed: &Secret) -> Result<(), Fault> {
        self.steady(|lane| lane.session.seed_random(seed.expose()).offered("seed the generator")).map_err(unambiguous)
    }

    /// A key pair that was checked: PKCS #8 and SubjectPublicKeyInfo.
    pub fn key_pair(&mut self, recipe: Recipe) -> Result<(Secret, Vec<u8>), Fault> {
        #[cfg(feature = "fault")]
        self.shared.fault.hold_pair();
        #[cfg(feature = "fault")]
        self.shared.fault.refuse_pair()?;
        let born = self.steady(|lane| key_pair::bear(&lane.session, recipe, lane.shared.vendor));
        let newborn = match born {
            // The module does not say whether it does not do such pairs or is not well; the Root of Trust does.
            Err(fault) if matches!(fault.kind, Kind::Ambiguous | Kind::Object | Kind::Data) => {
                self.renew()?;
                self.probe()?;
                return Err(fault.settled(Kind::Refused));
            }
            other => other?,
        };
        #[cfg(feature = "fault")]
        let newborn = newborn.garbled(&self.shared.fault);
        recipe.checked(&newborn)
    }

    /// ECDSA P-256 of a SHA-256 digest: r ‖ s.
    pub fn sign(&mut self, digest: [u8; 32]) -> Result<[u8; 64], Fault> {
        const DOING: &str = "sign a checkpoint";
        let signature = self
            .steady(|lane| lane.session.sign(&Mechanism::Ecdsa, lane.shared.signing_key, &digest).doing(DOING))
            .map_err(unambiguous)?;
        let len = signature.len();
        signature.try_into().map_err(|_| Fault::new(Kind::Member, DOING, format!("a signature of {len} bytes")))
    }

    /// Makes a Domain Key: born, wrapped, destroyed, then imported from its own blob and given its canary. So the blob
    /// is known to be good before anybody relies on it.
    pub fn create_domain_key(&mut self, domain: DomainId, version: DomainKeyVersion) -> Result<DomainKey, Fault> {
        const DOING: &str = "make a Domain Key";
        let wrapped = self.steady(|lane| lane.born_and_wrapped()).map_err(unambiguous)?;
        if wrapped.len() != WRAPPED_KEY_LEN {
            return Err(Fault::new(Kind::Member, DOING, format!("a wrapped key of {} bytes", wrapped.len())));
        }
        let iv = self.iv()?;
        let facts = DomainKey::canary_facts(&domain, version);
        let anchor = self.shared.anchor();
        let handle = self.unwrap(&anchor, &domain, version, &wrapped).map_err(unambiguous)?;
        let canary = match encrypt(&anchor, handle, &iv, &facts, CANARY_PLAIN).doing(DOING) {
            Ok(ciphertext) => [&iv[..], &ciphertext[..]].concat(),
            Err(fault) => {
                destroy(&anchor, handle);
                return Err(unambiguous(fault));
            }
        };
        let key = DomainKey { domain, version, wrapped, rot_fingerprint: self.shared.fingerprint, canary };
        self.keep(&key, handle);
        Ok(key)
    }

    /// Makes sure that the key is imported and is the right one.
    pub fn prove(&mut self, key: &DomainKey) -> Result<(), Fault> {
        self.with_key(key, |lane, handle| lane.open_canary(&lane.session, handle, key))
    }

    /// Seals up to 1 KiB in the HSM.
    pub fn seal(&mut self, key: &DomainKey, facts: &[u8], plain: &Secret) -> Result<Sealed, Fault> {
        let iv = self.iv()?;
        let (_, ciphertext) = self.encrypt_bound(key, Algorithm::AesGcmInHsm, &iv, facts, plain)?;
        Sealed::assemble(Algorithm::AesGcmInHsm, key.domain, key.version, &iv, &ciphertext).map_err(misshapen)
    }

    /// Draws an object key and an IV for a long payload, and seals the object key.
    pub fn object_key(&mut self, key: &DomainKey, facts: &[u8]) -> Result<([u8; IV_LEN], ObjectKey), Fault> {
        let iv = self.iv()?;
        let payload_iv = self.iv()?;
        let object_key = self.random(OBJECT_KEY_LEN)?;
        let (header, sealed) = self.encrypt_bound(key, Algorithm::AesGcmUnderObjectKey, &iv, facts, &object_key)?;
        Ok((iv, ObjectKey { key: object_key, header, sealed, payload_iv }))
    }

    /// Opens what [`Lane::seal`] or [`Lane::object_key`] sealed.
    pub fn open_sealed(
        &mut self,
        key: &DomainKey,
        iv: &[u8],
        additional_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Secret, Fault> {
        #[cfg(feature = "fault")]
        let ciphertext = &self.shared.fault.garble_bytes(ciphertext);
        let opened = self.with_key(key, |lane, handle| {
            decrypt(&lane.session, handle, iv, additional_data, ciphertext).doing("open a sealed payload")
        });
        match opened {
            // The module does not say whether the data or the member is wrong; the canary does.
            Err(fault) if fault.kind == Kind::Ambiguous => {
                self.renew()?;
                match self.prove(key) {
                    Ok(()) => Err(fault.settled(Kind::Data)),
                    Err(canary) if canary.kind == Kind::Data => Err(canary.settled(Kind::Member)),
                    Err(canary) => Err(unambiguous(canary)),
                }
            }
            other => other,
        }
    }

    /// Destroys the imported keys of a domain.
    pub fn forget_domain(&mut self, domain: &DomainId) {
        // Behind an import that has begun, so that it leaves nothing.
        let _anchor = self.shared.anchor();
        self.shared.change_handles(|handles| handles.remove_domain(domain));
    }

    /// Destroys one imported version of a domain's key.
    pub fn forget_version(&mut self, domain: &DomainId, version: DomainKeyVersion) {
        self.shared.change_handles(|handles| handles.remove(&(*domain, version)));
    }

    // ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Does something with an imported key; a dead handle is imported again, once.
    fn with_key<T>(
        &mut self,
        key: &DomainKey,
        work: impl Fn(&Self, ObjectHandle) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let imported = self.ensure(key)?;
        match self.steady(|lane| work(lane, imported.handle)) {
            Err(fault) if fault.kind == Kind::Object => {
                self.shared.change_handles(|handles| handles.forget(&(key.domain, key.version), imported.handle));
                drop(imported);
                let imported = self.ensure(key)?;
                self.steady(|lane| work(lane, imported.handle)).map_err(|fault| match fault.kind {
                    Kind::Object => fault.settled(Kind::Member),
                    _ => fault,
                })
            }
            other => other,
        }
    }

    /// The imported key, from the map or from its blob. It is never generated: a key that cannot be imported is a
    /// fault.
    fn ensure(&mut self, key: &DomainKey) -> Result<Arc<Imported>, Fault> {
        if let Some(imported) = self.look_up(key)? {
            return Ok(imported);
        }
        if key.rot_fingerprint != self.shared.fingerprint {
            return Err(Fault::new(Kind::Data, "import a Domain Key", "it is wrapped by another Root of Trust"));
        }
        match self.import(key) {
            // An unwrap that fails without a reason: the blob is wrong if the Root of Trust is right.
            Err(fault) if matches!(fault.kind, Kind::Ambiguous | Kind::Object) => {
                self.renew()?;
                self.probe()?;
                Err(fault.settled(Kind::Data))
            }
            Err(fault) if fault.kind == Kind::Session => Err(fault.settled(Kind::Member)),
            other => other,
        }
    }

    fn look_up(&self, key: &DomainKey) -> Result<Option<Arc<Imported>>, Fault> {
        self.shared.closed.require_open(&key.domain)?;
        let Some(imported) = self.shared.handles().get(&(key.domain, key.version)) else { return Ok(None) };
        if imported.wrapped != key.wrapped || imported.canary != key.canary {
            return Err(Fault::new(Kind::Data, "find a Domain Key", "two blobs claim to be the same version"));
        }
        Ok(Some(imported))
    }

    /// Imports a key on the anchor's session, so that it lives as long as the member's login. One at a time: whoever
    /// waited for the lock finds the key in the map.
    fn import(&self, key: &DomainKey) -> Result<Arc<Imported>, Fault> {
        let anchor = self.shared.anchor();
        if let Some(imported) = self.look_up(key)? {
            return Ok(imported);
        }
        let handle = self.unwrap(&anchor, &key.domain, key.version, &key.wrapped)?;
        if let Err(fault) = self.open_canary(&anchor, handle, key) {
            destroy(&anchor, handle);
            // A fresh import whose canary does not open is another key under this name, if the Root of Trust is well:
            // the caller asks it.
            return Err(if fault.kind == Kind::Data { fault.settled(Kind::Ambiguous) } else { fault });
        }
        Ok(self.keep(key, handle))
    }

    fn unwrap(
        &self,
        anchor: &Session,
        domain: &DomainId,
        version: DomainKeyVersion,
        wrapped: &[u8],
    ) -> Result<ObjectHandle, Fault> {
        const DOING: &str = "import a Domain Key";
        if wrapped.len() != WRAPPED_KEY_LEN {
            return Err(Fault::new(Kind::Data, DOING, "the blob has the wrong length"));
        }
        let template = template::domain_key(domain, version);
        anchor.unwrap_key(&Mechanism::AesKeyWrap, self.shared.root, wrapped, &template).doing(DOING)
    }

    fn keep(&self, key: &DomainKey, handle: ObjectHandle) -> Arc<Imported> {
        let imported = Imported { handle, wrapped: key.wrapped.clone(), canary: key.canary.clone() };
        self.shared.change_handles(|handles| handles.insert((key.domain, key.version), imported))
    }

    fn open_canary(&self, session: &Session, handle: ObjectHandle, key: &DomainKey) -> Result<(), Fault> {
        const DOING: &str = "open the canary of a Domain Key";
        let damaged = || Fault::new(Kind::Data, DOING, "it says something else");
        let (iv, ciphertext) = key.canary.split_first_chunk::<IV_LEN>().ok_or_else(damaged)?;
        #[cfg(feature = "fault")]
        let ciphertext = &self.shared.fault.garble_bytes(ciphertext);
        let facts = DomainKey::canary_facts(&key.domain, key.version);
        let opened = decrypt(session, handle, iv, &facts, ciphertext).doing(DOING)?;
        if opened.expose() == CANARY_PLAIN { Ok(()) } else { Err(damaged()) }
    }

    fn born_and_wrapped(&self) -> Result<Vec<u8>, Fault> {
        let newborn =
            self.session.generate_key(&Mechanism::AesKeyGen, &template::newborn()).doing("generate a Domain Key")?;
        let wrapped = self.session.wrap_key(&Mechanism::AesKeyWrap, self.shared.root, newborn);
        let destroyed = self.session.destroy_object(newborn);
        let wrapped = wrapped.doing("wrap a Domain Key")?;
        // An extractable key that stays behind would be a copy outside our rules: then the whole epoch has to go.
        destroyed.doing("destroy the newborn of a Domain Key").map_err(|fault| fault.settled(Kind::Member))?;
        Ok(wrapped)
    }

    fn encrypt_bound(
        &mut self,
        key: &DomainKey,
        algorithm: Algorithm,
        iv: &[u8; IV_LEN],
        facts: &[u8],
        plain: &Secret,
    ) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        const DOING: &str = "seal a payload";
        let header = Sealed::header(algorithm, key.domain, key.version, iv).map_err(misshapen)?;
        let aad = seal::additional_data(&header, facts);
        let ciphertext = self
            .with_key(key, |lane, handle| encrypt(&lane.session, handle, iv, &aad, plain.expose()).doing(DOING))
            .map_err(unambiguous)?;
        if ciphertext.len() != plain.len() + TAG_LEN {
            return Err(Fault::new(Kind::Member, DOING, format!("{} bytes came back", ciphertext.len())));
        }
        Ok((header, ciphertext))
    }

    fn iv(&mut self) -> Result<[u8; IV_LEN], Fault> {
        let drawn = self.random(IV_LEN)?;
        let mut iv = [0; IV_LEN];
        iv.copy_from_slice(drawn.expose());
        Ok(iv)
    }

    /// Destroys what was taken off the map and is no longer borrowed.
    fn bury(&self) {
        let mut handles = self.shared.handles();
        if !handles.has_doomed() {
            return;
        }
        let ripe = handles.ripe();
        drop(handles);
        for handle in ripe {
            destroy(&self.session, handle);
        }
    }

    // ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Does something, and once more in a new session where the fault lies with the session.
    fn steady<T>(&mut self, work: impl Fn(&Self) -> Result<T, Fault>) -> Result<T, Fault> {
        match work(self) {
            Err(fault) if fault.kind == Kind::Session => {
                self.renew()?;
                work(self).map_err(|fault| match fault.kind {
                    Kind::Session => fault.settled(Kind::Member),
                    _ => fault,
                })
            }
            other => other,
        }
    }

    /// Another session in place of one that failed. The old one is closed by hand, within its own epoch.
    fn renew(&mut self) -> Result<(), Fault> {
        let fresh = open_session(&self.shared)?;
        let stale = std::mem::replace(&mut self.session, fresh);
        if let Err(error) = stale.close() {
            tracing::debug!(%error, "a failed session was already gone");
        }
        Ok(())
    }
}

/// A session that is not closed when it is dropped: by then its number may be somebody else's.
fn open_session(shared: &Shared) -> Result<Session, Fault> {
    shared
        .epoch
        .library()
        .open_ro_session_no_drop(shared.slot)
        .doing("open a session")
        .map_err(|fault| if fault.kind == Kind::Operator { fault } else { fault.settled(Kind::Member) })
}

fn encrypt(
    session: &Session,
    key: ObjectHandle,
    iv: &[u8; IV_LEN],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, cryptoki::error::Error> {
    let mut iv = *iv;
    let params = GcmParams::new(&mut iv, aad, TAG_BITS.into())?;
    session.encrypt(&Mechanism::AesGcm(params), key, plain)
}

fn decrypt(
    session: &Session,
    key: ObjectHandle,
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Secret, cryptoki::error::Error> {
    let mut iv = iv.to_vec();
    let params = GcmParams::new(&mut iv, aad, TAG_BITS.into())?;
    session.decrypt(&Mechanism::AesGcm(params), key, ciphertext).map(Secret::new)
}

fn destroy(session: &Session, handle: ObjectHandle) {
    if let Err(error) = session.destroy_object(handle) {
        tracing::debug!(%error, "a session object was already gone");
    }
}

/// Where no data from outside is involved, an unclear fault is the member's.
fn unambiguous(fault: Fault) -> Fault {
    match fault.kind {
        Kind::Ambiguous | Kind::Object | Kind::Session => fault.settled(Kind::Member),
        Kind::Data | Kind::Member | Kind::Deadline | Kind::Operator | Kind::Refused | Kind::Full | Kind::Closed => {
            fault
        }
    }
}

fn misshapen(error: secret::EnvelopeError) -> Fault {
    Fault::new(Kind::Data, "put an envelope together", error.to_string())
}
