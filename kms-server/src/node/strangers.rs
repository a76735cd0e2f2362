//! Counts what unauthenticated peers do wrong, so that they cannot fill the disk with records.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use crate::shell::service::StrangerKind;

/// How often something happened since it was last told, and who was the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Times, at least 1.
    pub count: u32,
    /// Address of the last one.
    pub last: SocketAddr,
}

/// Counters per kind of failure.
#[derive(Default)]
pub struct StrangerCounts(Mutex<BTreeMap<StrangerKind, Seen>>);

impl StrangerCounts {
    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<StrangerKind, Seen>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts one.
    pub fn note(&self, kind: StrangerKind, address: SocketAddr) {
        self.put_back(kind, Seen { count: 1, last: address });
    }

    /// Adds counts that could not be told.
    pub fn put_back(&self, kind: StrangerKind, seen: Seen) {
        self.with(|counts| {
            counts
                .entry(kind)
                .and_modify(|old| *old = Seen { count: old.count.saturating_add(seen.count), last: seen.last })
                .or_insert(seen);
        });
    }

    /// Everything counted so far; the counters start anew.
    pub fn take(&self) -> Vec<(StrangerKind, Seen)> {
        self.with(std::mem::take).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_start_anew() {
        let counts = StrangerCounts::default();
        let address: SocketAddr = "192.0.2.1:5".parse().unwrap();
        for _ in 0..3 {
            counts.note(StrangerKind::NoCertificate, address);
        }
        counts.note(StrangerKind::Expired, address);
        let taken = counts.take();
        assert!(taken.contains(&(StrangerKind::NoCertificate, Seen { count: 3, last: address })));
        assert_eq!(taken.len(), 2);
        assert!(counts.take().is_empty());
        counts.put_back(StrangerKind::Expired, Seen { count: 4, last: address });
        assert_eq!(counts.take(), [(StrangerKind::Expired, Seen { count: 4, last: address })]);
    }
}
