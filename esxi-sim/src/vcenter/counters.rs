//! How often something happened since the start, by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Named counters. The names are fixed in the code, so there is a bounded number of them.
#[derive(Debug, Default)]
pub struct Counters(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    /// Counts one more of `name`.
    pub fn count(&self, name: &'static str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(name).or_default();
        *counter = counter.saturating_add(1);
    }

    /// How often `name` happened.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    /// All of them.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
