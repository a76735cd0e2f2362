//! Username and password of a message: checked whenever they come, never demanded of who was registered without.
//!
//! vCenter opens a connection per action and sends its password again and again. Argon2id is for the first sight; then
//! an HMAC of the password under a random key of this process, compared in constant time, says that it is the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use keystore::IdentityRow;
use kmip::message::Credential;
use ring::hmac;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::node::directory::Fingerprint;

/// Password hashes computed at once: each takes [`ARGON2_MEMORY_KIB`] and a core for tens of milliseconds.
const CONCURRENT_HASHES: usize = 2;
/// Hashes that may wait; more are refused as busy, so that guessing cannot pile up work.
const WAITING_HASHES: usize = 32;
/// Wrong passwords an identity may send before it has to reconnect to a restarted count; see [`FAILURE_WINDOW_S`].
const FAILURES_PER_WINDOW: u32 = 20;
/// Length of the window in which wrong passwords are counted, in seconds.
const FAILURE_WINDOW_S: i64 = 60;
/// Identities whose proven password is remembered.
const REMEMBERED: usize = 10_000;
/// Longest password accepted, in bytes.
pub const MAX_PASSWORD_LEN: usize = 1024;

// OWASP's first recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
const ARGON2_PASSES: u32 = 2;
const ARGON2_LANES: u32 = 1;

struct Proven {
    mac: hmac::Tag,
    /// The stored hash it was proven against: a changed credential makes this entry worthless.
    against: String,
}

#[derive(Default, Clone, Copy)]
struct Failures {
    since_s: i64,
    count: u32,
}

#[derive(Default)]
struct Memory {
    proven: HashMap<Fingerprint, Proven>,
    failures: HashMap<Fingerprint, Failures>,
}

/// Checks the credentials that messages carry.
pub struct CredentialChecker {
    key: hmac::Key,
    memory: Mutex<Memory>,
    hashing: Semaphore,
    waiting: Semaphore,
}

impl CredentialChecker {
    /// With a fresh random key; what was proven to another process is not believed here.
    ///
    /// # Errors
    /// [`Failure::Internal`] without system randomness.
    pub fn new() -> Result<Self, Failure> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
            .map_err(|_| Failure::Internal("no system randomness"))?;
        Ok(Self {
            key,
            memory: Mutex::default(),
            hashing: Semaphore::new(CONCURRENT_HASHES),
            waiting: Semaphore::new(WAITING_HASHES),
        })
    }

    /// Checks every credential of a message against the identity that the TLS certificate proved.
    ///
    /// # Errors
    /// [`Failure::Authentication`] if one does not agree; [`Failure::Busy`] if too many wait to be checked.
    pub async fn check(&self, identity: &IdentityRow, credentials: &[Credential], now_s: i64) -> Result<(), Failure> {
        for credential in credentials {
            match credential {
                Credential::UsernameAndPassword { username, password } => {
                    let password = password.as_ref().ok_or(Failure::Authentication("no password"))?;
                    self.check_password(identity, username, password.expose(), now_s).await?;
                }
                // Tickets are looked at by who admits the message, after everything else.
                Credential::Ticket(_) => {}
                // A device or an attestation proves nothing that was registered with us.
                _ => return Err(Failure::Authentication("credential type is not registered")),
            }
        }
        Ok(())
    }

    async fn check_password(
        &self,
        identity: &IdentityRow,
        username: &str,
        password: &[u8],
        now_s: i64,
    ) -> Result<(), Failure> {
        let registered = identity.credential.as_ref().ok_or(Failure::Authentication("no credential is registered"))?;
        if registered.username != username || password.len() > MAX_PASSWORD_LEN {
            self.note_failure(identity.fingerprint, now_s);
            return Err(Failure::Authentication("wrong username or password"));
        }
        if self.is_proven(identity.fingerprint, &registered.argon2, password) {
            return Ok(());
        }
        self.refuse_if_guessing(identity.fingerprint, now_s)?;
        let _place = self.waiting.try_acquire().map_err(|_| Failure::Busy)?;
        let _turn = self.hashing.acquire().await.map_err(|_| Failure::Busy)?;
        let (stored, given) = (registered.argon2.clone(), secret::Secret::copy_from(password));
        let right = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&stored).is_ok_and(|hash| argon2id().verify_password(given.expose(), &hash).is_ok())
        })
        .await
        .map_err(|_| Failure::Internal("password check was interrupted"))?;
        if !right {
            self.note_failure(identity.fingerprint, now_s);
            return Err(Failure::Authentication("wrong username or password"));
        }
        self.remember(identity.fingerprint, &registered.argon2, password);
        Ok(())
    }

    fn with_memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_proven(&self, who: Fingerprint, against: &str, password: &[u8]) -> bool {
        self.with_memory(|memory| {
            memory.proven.get(&who).is_some_and(|proven| {
                // `hmac::verify` compares in constant time.
                proven.against == against && hmac::verify(&self.key, password, proven.mac.as_ref()).is_ok()
            })
        })
    }

    fn remember(&self, who: Fingerprint, against: &str, password: &[u8]) {
        let proven = Proven { mac: hmac::sign(&self.key, password), against: against.to_owned() };
        self.with_memory(|memory| {
            if memory.proven.len() >= REMEMBERED {
                memory.proven.clear();
            }
            memory.proven.insert(who, proven);
            memory.failures.remove(&who);
        });
    }

    fn note_failure(&self, who: Fingerprint, now_s: i64) {
        self.with_memory(|memory| {
            if memory.failures.len() >= REMEMBERED {
                memory.failures.clear();
            }
            let failures = memory.failures.entry(who).or_default();
            if now_s - failures.since_s >= FAILURE_WINDOW_S {
                *failures = Failures { since_s: now_s, count: 0 };
            }
            failures.count = failures.count.saturating_add(1);
        });
    }

    fn refuse_if_guessing(&self, who: Fingerprint, now_s: i64) -> Result<(), Failure> {
        let failures = self.with_memory(|memory| memory.failures.get(&who).copied().unwrap_or_default());
        if failures.count >= FAILURES_PER_WINDOW && now_s - failures.since_s < FAILURE_WINDOW_S {
            return Err(Failure::Authentication("too many wrong passwords"));
        }
        Ok(())
    }
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The PHC string to store for a password. Takes tens of milliseconds: call it off the request threads.
///
/// # Errors
/// [`Failure::InvalidField`] for a password over [`MAX_PASSWORD_LEN`] or empty.
pub fn hash_password(password: &secret::Secret) -> Result<String, Failure> {
    if password.is_empty() || password.len() > MAX_PASSWORD_LEN {
        return Err(Failure::InvalidField("password length"));
    }
    argon2id()
        .hash_password(password.expose())
        .map(|hash| hash.to_string())
        .map_err(|_| Failure::Internal("password could not be hashed"))
}
