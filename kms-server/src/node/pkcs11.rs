//! What a client of PKCS#11 has between C_Initialize and C_Finalize: sessions, and the digest that each has begun.
//!
//! It lives in a stream (`streams.rs`), so it is one client's, bounded, and gone with its domain, its idleness or the node.

use std::collections::BTreeMap;

use crypto::hash::HashStream;
use kmip::registry::HashingAlgorithm;

use crate::limits::PKCS11_SESSIONS;

/// An initialised library.
#[derive(Default)]
pub struct Library {
    sessions: BTreeMap<u64, Session>,
    /// The last handle that was given; none is given twice.
    last: u64,
}

/// A session.
pub struct Session {
    /// Flags that it was opened with, `CKF_…`.
    pub flags: u64,
    /// The digest that was begun.
    pub digest: Option<Digest>,
}

/// A digest between C_DigestInit and its end.
pub struct Digest {
    /// The hash.
    pub algorithm: HashingAlgorithm,
    /// What went into it.
    pub stream: HashStream,
    /// Whether a part went into it, after which only C_DigestFinal ends it.
    pub in_parts: bool,
}

impl Library {
    /// Opens a session and gives its handle; `None` where there are as many as may be.
    pub fn open(&mut self, flags: u64) -> Option<u64> {
        if self.sessions.len() >= PKCS11_SESSIONS {
            return None;
        }
        self.last = self.last.checked_add(1)?;
        self.sessions.insert(self.last, Session { flags, digest: None });
        Some(self.last)
    }

    /// Closes a session; `false` where there is none.
    pub fn close(&mut self, handle: u64) -> bool {
        self.sessions.remove(&handle).is_some()
    }

    /// Closes every session.
    pub fn close_all(&mut self) {
        self.sessions.clear();
    }

    /// The session of this handle.
    pub fn session(&mut self, handle: u64) -> Option<&mut Session> {
        self.sessions.get_mut(&handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_given_once_and_sessions_are_counted() {
        let mut library = Library::default();
        let first = library.open(4).unwrap();
        for _ in 1..PKCS11_SESSIONS {
            library.open(4).unwrap();
        }
        assert_eq!(library.open(4), None);
        assert!(library.close(first) && !library.close(first));
        assert_ne!(library.open(4), Some(first));
        library.close_all();
        assert!(library.session(2).is_none() && library.open(4).is_some());
    }
}
