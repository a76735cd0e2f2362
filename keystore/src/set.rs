//! The set of a domain: its own row, its identities and its tombstones, held in memory while the domain is active, and
//! the digest that ties them to the audit log.
//!
//! A row's MAC shows that the row was written by this program; it does not show that it is the newest one, or that no
//! row is missing. The digest does: each record of a change carries it, and a start compares.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use secret::DomainId;

use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::mac::{Mac, MacKey};
use crate::raw::Raw;
use crate::row::{DomainRow, Fingerprint, IdentityRow, ObjectId};

/// The sum of the MACs of a set's elements, modulo 2^256: it does not depend on their order, and an element is added
/// or taken out without looking at the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SetSum {
    sum: [u8; 32],
    count: u64,
}

impl SetSum {
    pub(crate) fn add(&mut self, element: &Mac) {
        let mut carry = 0;
        for (digit, other) in self.sum.iter_mut().zip(element).rev() {
            let (sum, over) = digit.overflowing_add(*other);
            let (sum, over_again) = sum.overflowing_add(carry);
            *digit = sum;
            carry = u8::from(over || over_again);
        }
        self.count = self.count.wrapping_add(1);
    }

    pub(crate) fn remove(&mut self, element: &Mac) {
        let mut borrow = 0;
        for (digit, other) in self.sum.iter_mut().zip(element).rev() {
            let (difference, under) = digit.overflowing_sub(*other);
            let (difference, under_again) = difference.overflowing_sub(borrow);
            *digit = difference;
            borrow = u8::from(under || under_again);
        }
        self.count = self.count.wrapping_sub(1);
    }

    /// What stands in records. The sum itself stays in memory: whoever saw it before and after a change would know the
    /// MAC of the element in between, and from enough of those could put together another set of the same sum.
    pub(crate) fn digest(&self, key: &MacKey, domain: &DomainId) -> Mac {
        key.mac(&Canonical::new("set 1").blob(domain).blob(&self.count.to_be_bytes()).blob(&self.sum).finish())
    }
}

/// The MAC of a row as an element of its domain's set. It differs from the row's own MAC, which the database shows.
pub(crate) fn element(key: &MacKey, row: &impl Raw) -> Mac {
    key.mac(&Canonical::new("set element 1").blob(&row.canonical()).finish())
}

/// An active domain.
pub(crate) struct ActiveDomain {
    pub(crate) id: DomainId,
    pub(crate) key: MacKey,
    members: RwLock<Members>,
}

/// What is known of an active domain, as committed.
pub(crate) struct Members {
    pub(crate) row: DomainRow,
    pub(crate) identities: HashMap<Fingerprint, IdentityRow>,
    pub(crate) tombstones: HashSet<ObjectId>,
}

impl ActiveDomain {
    pub(crate) fn new(key: MacKey, members: Members) -> Self {
        Self { id: members.row.id, key, members: RwLock::new(members) }
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Members) -> T) -> T {
        // Nothing panics between two changes of the members, so a poisoned lock still guards whole ones.
        look(&self.members.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Members)) {
        change(&mut self.members.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn is_tombstoned(&self, object: &ObjectId) -> bool {
        self.look(|members| members.tombstones.contains(object))
    }
}

/// All active domains.
#[derive(Default)]
pub(crate) struct Domains(RwLock<HashMap<DomainId, Arc<ActiveDomain>>>);

impl Domains {
    pub(crate) fn get(&self, id: &DomainId) -> Result<Arc<ActiveDomain>, StoreError> {
        let domains = self.0.read().unwrap_or_else(PoisonError::into_inner);
        domains.get(id).cloned().ok_or(StoreError::Inactive(*id))
    }

    pub(crate) fn put(&self, domain: Arc<ActiveDomain>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(domain.id, domain);
    }

    pub(crate) fn remove(&self, id: &DomainId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secret::Secret;

    use super::*;

    proptest! {
        #[test]
        fn the_order_of_elements_does_not_matter(elements: Vec<[u8; 32]>, seed: u64) {
            let mut shuffled = elements.clone();
            shuffled.sort_by_key(|element| digest_order(element, seed));
            let sum_of = |elements: &[[u8; 32]]| {
                let mut sum = SetSum::default();
                elements.iter().for_each(|element| sum.add(element));
                sum
            };
            prop_assert_eq!(sum_of(&elements), sum_of(&shuffled));
        }

        #[test]
        fn an_element_taken_out_leaves_nothing(start: [u8; 32], element: [u8; 32]) {
            let mut sum = SetSum::default();
            sum.add(&start);
            let before = sum;
            sum.add(&element);
            sum.remove(&element);
            prop_assert_eq!(sum, before);
        }
    }

    fn digest_order(element: &[u8; 32], seed: u64) -> u64 {
        element.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn a_carry_runs_through_all_digits() {
        let mut sum = SetSum::default();
        sum.add(&[0xff; 32]);
        let mut one = [0; 32];
        one[31] = 1;
        sum.add(&one);
        assert_eq!(sum.sum, [0; 32]);
        sum.remove(&one);
        assert_eq!(sum.sum, [0xff; 32]);
    }

    #[test]
    fn the_digest_tells_an_empty_set_from_one_that_sums_to_zero() {
        let key = MacKey::from_secret(&Secret::copy_from(&[7; 32]), [1; 16]);
        let mut zero = SetSum::default();
        zero.add(&[0; 32]);
        assert_ne!(zero.digest(&key, &[1; 16]), SetSum::default().digest(&key, &[1; 16]));
        assert_ne!(zero.digest(&key, &[1; 16]), zero.digest(&key, &[2; 16]));
    }
}
