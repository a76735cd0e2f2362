//! Faults on purpose, for tests and demonstrations: failover switched off, a member that fails, hangs or answers
//! garbage, a generator that gives nothing or always the same. Exists only with the feature `fault`, and never in a build without debug assertions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Fault, HsmError, Kind};

#[cfg(not(debug_assertions))]
compile_error!("the feature `fault` breaks the HSM group on purpose and must never be in a release");

/// The variable that [`crate::Group::open`] and the ceremony read: a comma-separated list of `no-failover`,
/// `no-random`, `known-random`, `no-pairs`, `LABEL=fail`, `LABEL=hang`, `LABEL=hang-pairs`, `LABEL=garbage`,
/// `ceremony-abort=STEP`.
pub const VARIABLE: &str = "CLAVIS_HSM_FAULT";

/// How a member misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Not at all.
    #[default]
    None,
    /// Every call fails as if the device had reported an error.
    Fail,
    /// Calls do not return until the mode changes.
    Hang,
    /// Key pairs do not get ready until the mode changes; everything else goes on.
    HangPairs,
    /// Bytes change on their way to or from the device.
    Garbage,
}

/// What the generators of all members give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Generator {
    /// What they do by themselves.
    #[default]
    Real,
    /// Nothing: the call is refused, and the member is well.
    Refused,
    /// The same bytes at every call.
    Known,
}

/// The switches of one group.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    inner: Arc<Switches>,
}

#[derive(Debug, Default)]
struct Switches {
    modes: Mutex<Modes>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Modes {
    no_failover: bool,
    generator: Generator,
    /// No member makes key pairs.
    no_pairs: bool,
    members: HashMap<String, Mode>,
    /// Key pairs that [`Mode::HangPairs`] holds up now.
    held_pairs: usize,
}

impl Faults {
    /// The switches as [`VARIABLE`] sets them; all off where it is not set.
    ///
    /// # Errors
    /// [`HsmError::Config`] for a word that is none of those it may hold.
    pub fn from_env() -> Result<Self, HsmError> {
        let faults = Self::default();
        let Ok(text) = std::env::var(VARIABLE) else { return Ok(faults) };
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                None if word == "no-failover" => faults.set_failover(false),
                None if word == "no-random" => faults.modes().generator = Generator::Refused,
                None if word == "known-random" => faults.modes().generator = Generator::Known,
                None if word == "no-pairs" => faults.modes().no_pairs = true,
                Some(("ceremony-abort", step)) if step.parse::<u32>().is_ok() => {}
                Some((label, "fail")) => faults.set(label, Mode::Fail),
                Some((label, "hang")) => faults.set(label, Mode::Hang),
                Some((label, "hang-pairs")) => faults.set(label, Mode::HangPairs),
                Some((label, "garbage")) => faults.set(label, Mode::Garbage),
                _ => return Err(HsmError::Config(format!("{VARIABLE}: {word:?} is not a fault"))),
            }
        }
        Ok(faults)
    }

    fn modes(&self) -> MutexGuard<'_, Modes> {
        self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the member with this label misbehave from its next call on.
    pub fn set(&self, label: &str, mode: Mode) {
        let mut modes = self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner);
        modes.members.insert(label.into(), mode);
        self.inner.changed.notify_all();
    }

    /// Switches failover off (every call goes to the first configured member and no other) or on again.
    pub fn set_failover(&self, on: bool) {
        self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner).no_failover = !on;
    }

    /// Waits until [`Mode::HangPairs`] holds up at least `count` key pairs, of all members together. Blocks.
    pub fn wait_for_held_pairs(&self, count: usize) {
        let modes = self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner);
        // Its end is all that is wanted of the wait.
        let _held = self.inner.changed.wait_while(modes, |modes| modes.held_pairs < count);
    }

    pub(crate) fn failover(&self) -> bool {
        !self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner).no_failover
    }

    pub(crate) fn of(&self, label: &str) -> MemberSwitch {
        MemberSwitch { inner: Arc::clone(&self.inner), label: label.into() }
    }
}

/// Counts the steps of ceremonies in this process and ends the process like a kill at the step that [`VARIABLE`] names.
pub(crate) fn ceremony_step() {
    static STEPS: AtomicU32 = AtomicU32::new(0);
    let step = STEPS.fetch_add(1, Ordering::Relaxed) + 1;
    let Ok(text) = std::env::var(VARIABLE) else { return };
    if text.split(',').any(|word| word.trim().strip_prefix("ceremony-abort=") == Some(&step.to_string())) {
        std::process::abort();
    }
}

/// The switch of one member, at the place where its calls are made.
#[derive(Clone, Debug)]
pub(crate) struct MemberSwitch {
    inner: Arc<Switches>,
    label: String,
}

impl MemberSwitch {
    fn mode(modes: &Modes, label: &str) -> Mode {
        modes.members.get(label).copied().unwrap_or_default()
    }

    fn now(&self) -> Mode {
        Self::mode(&self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner), &self.label)
    }

    /// Fails or hangs, as set.
    pub fn strike(&self) -> Result<(), Fault> {
        let modes = self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner);
        let modes = self
            .inner
            .changed
            .wait_while(modes, |modes| Self::mode(modes, &self.label) == Mode::Hang)
            .unwrap_or_else(PoisonError::into_inner);
        match Self::mode(&modes, &self.label) {
            Mode::Fail => Err(Fault::new(Kind::Member, "call", "CKR_DEVICE_ERROR (fault injected)")),
            Mode::None | Mode::Hang | Mode::HangPairs | Mode::Garbage => Ok(()),
        }
    }

    /// Holds a key pair up, if set.
    pub fn hold_pair(&self) {
        let mut modes = self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner);
        if Self::mode(&modes, &self.label) != Mode::HangPairs {
            return;
        }
        modes.held_pairs += 1;
        self.inner.changed.notify_all();
        let held = |modes: &mut Modes| Self::mode(modes, &self.label) == Mode::HangPairs;
        let mut modes = self.inner.changed.wait_while(modes, held).unwrap_or_else(PoisonError::into_inner);
        modes.held_pairs -= 1;
    }

    /// What stands for `len` random bytes of the device; `None` where it is asked itself.
    pub fn drawn(&self, len: usize) -> Option<Result<Vec<u8>, Fault>> {
        let generator = self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner).generator;
        match generator {
            Generator::Real => None,
            Generator::Refused => {
                Some(Err(Fault::new(Kind::Refused, "draw random bytes", "CKR_RANDOM_NO_RNG (fault injected)")))
            }
            // Bytes that differ from each other, as splitting and X9.31 want them.
            Generator::Known => {
                Some(Ok((0..=u8::MAX).cycle().map(|byte| byte.wrapping_mul(167) ^ 0x5c).take(len).collect()))
            }
        }
    }

    /// Refuses to make a key pair, if set.
    pub fn refuse_pair(&self) -> Result<(), Fault> {
        if self.inner.modes.lock().unwrap_or_else(PoisonError::into_inner).no_pairs {
            return Err(Fault::new(Kind::Refused, "make a key pair", "CKR_FUNCTION_NOT_SUPPORTED (fault injected)"));
        }
        Ok(())
    }

    /// The bytes, altered if garbage is set.
    pub fn garble_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if self.now() == Mode::Garbage {
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        bytes
    }

    /// As [`MemberSwitch::garble_bytes`], for a fingerprint.
    pub fn garble(&self, fingerprint: [u8; 32]) -> [u8; 32] {
        if self.now() == Mode::Garbage { fingerprint.map(|byte| byte ^ 0x55) } else { fingerprint }
    }
}
