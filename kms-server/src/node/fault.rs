//! Faults on purpose: of the store, for the controls of durability tests, where a promise that is kept carelessly must be
//! caught; of the clock, which a test moves on to see what happens when a date has come; and a note of what was answered,
//! so that nobody has to believe a test's own word for what it asks.
//!
//! Exists only with the feature `fault`, which never compiles into a release build (`keystore` and `hsm` refuse).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use keystore::{StoreOptions, Synchronous};
use kmip::ProtocolVersion;
use kmip::registry::Operation;

/// A comma-separated list of `early-answer`, `synchronous=off`, `synchronous=normal`, `failing-commit=N`,
/// `stalled-by=FILE`.
pub const VARIABLE: &str = "CLAVIS_STORE_FAULT";

/// Names a file with the seconds that the node's clock is ahead of the system's. It is read whenever the clock is.
pub const CLOCK_VARIABLE: &str = "CLAVIS_CLOCK_FILE";

/// Names a folder in which an empty file `<version> <operation>` is made for each operation that succeeds in a version.
pub const ANSWERED_VARIABLE: &str = "CLAVIS_ANSWERED_DIR";

/// Names a step of a rotation (`node/rotation_steps.txt`) at which the process kills itself, as `kill -9` would.
pub const DIE_VARIABLE: &str = "CLAVIS_DIE_AT";

/// Ends the process where the environment names this step.
pub fn die_at(step: &str) {
    if std::env::var(DIE_VARIABLE).is_ok_and(|wanted| wanted == step) {
        tracing::warn!(step, "the process is killed on purpose");
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Notes that an item of a message succeeded, where a test wants to know.
pub fn note_answered(operation: Option<Operation>, version: ProtocolVersion) {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    static NOTED: Mutex<BTreeSet<(u32, ProtocolVersion)>> = Mutex::new(BTreeSet::new());
    let Some(folder) = FOLDER.get_or_init(|| std::env::var_os(ANSWERED_VARIABLE).map(PathBuf::from)) else { return };
    let Some(operation) = operation else { return };
    if !NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert((operation.value(), version)) {
        return;
    }
    if let Err(error) = std::fs::File::create(folder.join(format!("{version} {}", operation.text()))) {
        tracing::error!(%error, "what was answered cannot be noted");
    }
}

/// How far the clock is ahead, in microseconds; not at all where no file says so.
#[must_use]
pub fn clock_shift_us() -> i64 {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(path) = FILE.get_or_init(|| std::env::var_os(CLOCK_VARIABLE).map(PathBuf::from)) else { return 0 };
    let seconds: i64 = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    seconds.saturating_mul(1_000_000)
}

/// The options as [`VARIABLE`] spoils them. A word that is none of those it may hold spoils nothing and is logged.
#[must_use]
pub fn weaken(mut options: StoreOptions) -> StoreOptions {
    let Ok(text) = std::env::var(VARIABLE) else { return options };
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None if word == "early-answer" => options.faults.early_answer = true,
            Some(("synchronous", "off")) => weaken_synchronous(&mut options, Synchronous::Off),
            Some(("synchronous", "normal")) => weaken_synchronous(&mut options, Synchronous::Normal),
            Some(("failing-commit", number)) => options.faults.failing_commit = number.parse().ok(),
            Some(("stalled-by", file)) => options.faults.stalled_by = Some(PathBuf::from(file)),
            _ => tracing::error!(word, "not a fault of the store"),
        }
    }
    tracing::warn!(faults = ?options.faults, "the store is weakened on purpose");
    options
}

fn weaken_synchronous(options: &mut StoreOptions, synchronous: Synchronous) {
    options.synchronous = synchronous;
    options.faults.weak_synchronous = true;
}
