//! Faults of the store on purpose, for the controls of durability tests: a promise that is kept carelessly must be caught.
//!
//! Exists only with the feature `fault`, which never compiles into a release build (`keystore` and `hsm` refuse).

use keystore::{StoreOptions, Synchronous};

/// A comma-separated list of `early-answer`, `synchronous=off`, `synchronous=normal`, `failing-commit=N`.
pub const VARIABLE: &str = "CLAVIS_STORE_FAULT";

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
