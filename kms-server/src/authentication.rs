//! Users and devices that a message names, and their passwords: checked whenever they come.
//!
//! vCenter opens a connection per action and sends its password again and again. Argon2id is for the first sight; then
//! an HMAC of the password under a random key of this process, compared in constant time, says that it is the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use keystore::{Device, IdentityRow, Subject};
use kmip::message::{Credential, DeviceCredential};
use ring::hmac;
use secret::wiped_after;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::node::directory::Fingerprint;

/// KMIP 2.1 §9.11 says that such a password is good once, and leaves to the server what it is compared with.
const NO_ONE_TIME_PASSWORDS: &str = "one-time passwords are not taken: there is nothing to compare them with";
/// KMIP 2.1 §9.11: to check one takes two fast, unsalted hashes of the password.
const NO_HASHED_PASSWORDS: &str = "hashed passwords are not taken: only a slow, salted hash of a password is kept";
/// Password hashes computed at once: each takes [`ARGON2_MEMORY_KIB`] and a core for tens of milliseconds.
const CONCURRENT_HASHES: usize = 2;
/// Hashes that may wait; more are refused as busy, so that guessing cannot pile up work.
const WAITING_HASHES: usize = 32;
/// Wrong passwords an identity may send before it has to reconnect to a restarted count; see [`FAILURE_WINDOW_S`].
const FAILURES_PER_WINDOW: u32 = 20;
/// Length of the window in which wrong passwords are counted, in seconds.
const FAILURE_WINDOW_S: i64 = 60;
/// Credentials whose proven password is remembered.
const REMEMBERED: usize = 10_000;
/// Longest password accepted, in bytes.
pub const MAX_PASSWORD_LEN: usize = 1024;

// OWASP's first recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
const ARGON2_PASSES: u32 = 2;
const ARGON2_LANES: u32 = 1;

#[derive(Default, Clone, Copy)]
struct Failures {
    since_s: i64,
    count: u32,
}

#[derive(Default)]
struct Memory {
    /// By identity and stored hash, which is salted, so that it tells one credential from another, and a changed one from
    /// what it was.
    proven: HashMap<(Fingerprint, String), hmac::Tag>,
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

    /// Checks every credential of a message against the identity that the TLS certificate proved. Gives the name of the
    /// registered one that they prove; none where the message brings none.
    ///
    /// # Errors
    /// [`Failure::Authentication`] if one does not agree, or two name different ones; [`Failure::Busy`] if too many wait
    /// to be checked.
    pub async fn check(
        &self,
        identity: &IdentityRow,
        credentials: &[Credential],
        now_s: i64,
    ) -> Result<Option<String>, Failure> {
        let mut proven: Option<&str> = None;
        for credential in credentials {
            let (known, password) = match credential {
                Credential::UsernameAndPassword { username, password } => {
                    let password = password.as_ref().ok_or(Failure::Authentication("no password"))?;
                    (registered_user(identity, username), Some(password.expose()))
                }
                Credential::Device(device) => {
                    let password = device.password.as_ref().map(|password| password.secret().expose());
                    (registered_device(identity, device), password)
                }
                // Tickets are looked at by who admits the message, after everything else.
                Credential::Ticket(_) => continue,
                Credential::OneTimePassword(_) => return Err(Failure::CredentialType(NO_ONE_TIME_PASSWORDS)),
                Credential::HashedPassword(_) => return Err(Failure::CredentialType(NO_HASHED_PASSWORDS)),
                // Nothing was registered with us that they could prove.
                _ => return Err(Failure::Authentication("credential type is not registered")),
            };
            if identity.credentials.is_empty() {
                return Err(Failure::Authentication("no credential is registered"));
            }
            let Some(known) = known else { return Err(self.wrong(identity.fingerprint, now_s)) };
            match (&known.argon2, password) {
                (Some(argon2), Some(password)) => {
                    self.check_password(identity.fingerprint, argon2, password, now_s).await?;
                }
                // Identifiers alone can be guessed as well.
                (None, None) => self.refuse_if_guessing(identity.fingerprint, now_s)?,
                (Some(_), None) | (None, Some(_)) => return Err(self.wrong(identity.fingerprint, now_s)),
            }
            if proven.is_some_and(|other| other != known.subject.name()) {
                return Err(Failure::Authentication("two credentials name different logins"));
            }
            proven = Some(known.subject.name());
        }
        Ok(proven.map(str::to_owned))
    }

    /// Counts a wrong credential. Which part of it was wrong is not told.
    fn wrong(&self, who: Fingerprint, now_s: i64) -> Failure {
        self.note_failure(who, now_s);
        Failure::Authentication("wrong credential")
    }

    async fn check_password(&self, who: Fingerprint, argon2: &str, password: &[u8], now_s: i64) -> Result<(), Failure> {
        if password.len() > MAX_PASSWORD_LEN {
            return Err(self.wrong(who, now_s));
        }
        if self.is_proven(who, argon2, password) {
            return Ok(());
        }
        self.refuse_if_guessing(who, now_s)?;
        let _place = self.waiting.try_acquire().map_err(|_| Failure::Busy)?;
        let _turn = self.hashing.acquire().await.map_err(|_| Failure::Busy)?;
        let (stored, given) = (argon2.to_owned(), secret::Secret::copy_from(password));
        let right = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&stored)
                .is_ok_and(|hash| wiped_after(|| argon2id().verify_password(given.expose(), &hash).is_ok()))
        })
        .await
        .map_err(|_| Failure::Internal("password check was interrupted"))?;
        if !right {
            return Err(self.wrong(who, now_s));
        }
        self.remember(who, argon2, password);
        Ok(())
    }

    fn with_memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_proven(&self, who: Fingerprint, against: &str, password: &[u8]) -> bool {
        self.with_memory(|memory| {
            // `hmac::verify` compares in constant time.
            let proven = memory.proven.get(&(who, against.to_owned()));
            proven.is_some_and(|mac| wiped_after(|| hmac::verify(&self.key, password, mac.as_ref()).is_ok()))
        })
    }

    fn remember(&self, who: Fingerprint, against: &str, password: &[u8]) {
        let mac = wiped_after(|| hmac::sign(&self.key, password));
        self.with_memory(|memory| {
            if memory.proven.len() >= REMEMBERED {
                memory.proven.clear();
            }
            memory.proven.insert((who, against.to_owned()), mac);
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

/// The user of this name.
fn registered_user<'i>(identity: &'i IdentityRow, username: &str) -> Option<&'i keystore::Credential> {
    identity.credentials.iter().find(|one| matches!(&one.subject, Subject::User(name) if name == username))
}

/// The device that has these identifiers, all of those that it was registered with and no others. KMIP 1.4 §2.1.2.
fn registered_device<'i>(identity: &'i IdentityRow, shown: &DeviceCredential) -> Option<&'i keystore::Credential> {
    let shown = Device {
        serial_number: shown.device_serial_number.clone(),
        device: shown.device_identifier.clone(),
        network: shown.network_identifier.clone(),
        machine: shown.machine_identifier.clone(),
        media: shown.media_identifier.clone(),
    };
    identity.credentials.iter().find(|one| matches!(&one.subject, Subject::Device(device) if *device == shown))
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
    wiped_after(|| argon2id().hash_password(password.expose()))
        .map(|hash| hash.to_string())
        .map_err(|_| Failure::Internal("password could not be hashed"))
}
