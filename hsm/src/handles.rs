//! Which Domain Keys are imported on a member, under which handle; the least recently used one goes first.
//!
//! A handle may be in use by one worker while another evicts its key. It must not be destroyed then: a module may give
//! the number to the next key, and the worker would seal under that. So handles are lent by `Arc`, and a key that was
//! taken off the map is destroyed when nobody borrows it any more.

use std::collections::HashMap;
use std::sync::Arc;

use cryptoki::object::ObjectHandle;
use secret::{DomainId, DomainKeyVersion};

type Id = (DomainId, DomainKeyVersion);

/// An imported key: its handle, the blob that it came from and the canary that it opened.
pub(crate) struct Imported {
    pub handle: ObjectHandle,
    pub wrapped: Vec<u8>,
    pub canary: Vec<u8>,
}

struct Entry {
    key: Arc<Imported>,
    used: u64,
}

/// The keys that are imported, and those that wait to be destroyed.
pub(crate) struct Handles {
    limit: usize,
    clock: u64,
    held: HashMap<Id, Entry>,
    doomed: Vec<Arc<Imported>>,
}

impl Handles {
    pub fn new(limit: usize) -> Self {
        Self { limit, clock: 0, held: HashMap::new(), doomed: Vec::new() }
    }

    /// The key, marked as used just now.
    pub fn get(&mut self, id: &Id) -> Option<Arc<Imported>> {
        self.clock += 1;
        let entry = self.held.get_mut(id)?;
        entry.used = self.clock;
        Some(Arc::clone(&entry.key))
    }

    /// Adds a key that was imported just now; the least recently used one is doomed where the limit is passed.
    pub fn insert(&mut self, id: Id, key: Imported) -> Arc<Imported> {
        self.clock += 1;
        let key = Arc::new(key);
        if let Some(old) = self.held.insert(id, Entry { key: Arc::clone(&key), used: self.clock }) {
            self.doomed.push(old.key);
        }
        if self.held.len() > self.limit {
            // A scan of a thousand entries, next to an import that costs a hundred times as much.
            if let Some(oldest) = self.held.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id) {
                self.remove(&oldest);
            }
        }
        key
    }

    /// Takes the key off the map and dooms it.
    pub fn remove(&mut self, id: &Id) {
        if let Some(entry) = self.held.remove(id) {
            self.doomed.push(entry.key);
        }
    }

    /// Takes the key off the map without destroying it: its handle is dead already.
    pub fn forget(&mut self, id: &Id, handle: ObjectHandle) {
        if self.held.get(id).is_some_and(|entry| entry.key.handle == handle) {
            self.held.remove(id);
        }
    }

    /// Dooms every key of a domain.
    pub fn remove_domain(&mut self, domain: &DomainId) {
        for (_, entry) in self.held.extract_if(|id, _| id.0 == *domain) {
            self.doomed.push(entry.key);
        }
    }

    /// The doomed keys that nobody borrows, for the caller to destroy.
    pub fn ripe(&mut self) -> Vec<ObjectHandle> {
        self.doomed.extract_if(.., |key| Arc::strong_count(key) == 1).map(|key| key.handle).collect()
    }

    pub fn held(&self) -> usize {
        self.held.len()
    }

    pub fn has_doomed(&self) -> bool {
        !self.doomed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Imported {
        Imported { handle: crate::raw::made_up_handle(number), wrapped: vec![], canary: vec![] }
    }

    fn id(number: u8) -> Id {
        ([number; 16], 1)
    }

    #[test]
    fn the_least_recently_used_key_goes_first() {
        let mut handles = Handles::new(2);
        handles.insert(id(1), key(1));
        handles.insert(id(2), key(2));
        assert!(handles.get(&id(1)).is_some());
        handles.insert(id(3), key(3));
        assert_eq!(handles.held(), 2);
        assert!(handles.get(&id(2)).is_none());
        assert!(handles.get(&id(1)).is_some());
        assert_eq!(handles.ripe(), [key(2).handle]);
        assert!(!handles.has_doomed());
    }

    #[test]
    fn a_borrowed_key_is_not_destroyed() {
        let mut handles = Handles::new(2);
        let borrowed = handles.insert(id(1), key(1));
        handles.remove_domain(&[1; 16]);
        assert!(handles.get(&id(1)).is_none());
        assert_eq!(handles.ripe(), []);
        drop(borrowed);
        assert_eq!(handles.ripe(), [key(1).handle]);
    }

    #[test]
    fn only_the_dead_handle_is_forgotten() {
        let mut handles = Handles::new(2);
        handles.insert(id(1), key(1));
        handles.forget(&id(1), key(9).handle);
        assert_eq!(handles.held(), 1);
        handles.forget(&id(1), key(1).handle);
        assert_eq!(handles.held(), 0);
        assert!(!handles.has_doomed());
    }

    #[test]
    fn freezing_one_domain_leaves_the_others() {
        let mut handles = Handles::new(4);
        handles.insert(([1; 16], 1), key(1));
        handles.insert(([1; 16], 2), key(2));
        handles.insert(([2; 16], 1), key(3));
        handles.remove_domain(&[1; 16]);
        assert_eq!(handles.held(), 1);
        assert_eq!(handles.ripe().len(), 2);
    }
}
