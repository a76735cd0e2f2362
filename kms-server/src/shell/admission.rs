//! Budgets of connections: in all, per address, per identity, and for handshakes apart from the rest.
//!
//! Strangers can only fill the places for handshakes. A place is a value; giving it back is its drop.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::Limits;
use crate::shell::peer::Fingerprint;

/// Which budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Connections in all.
    #[error("all connections are taken")]
    Connections,
    /// Connections of this address.
    #[error("all connections of this address are taken")]
    Address,
    /// Handshakes in all.
    #[error("all places for handshakes are taken")]
    Handshakes,
    /// Handshakes of this address.
    #[error("all places for handshakes of this address are taken")]
    AddressHandshakes,
    /// Connections of this identity.
    #[error("all connections of this identity are taken")]
    Identity,
}

/// The budgets of one listener.
#[derive(Debug)]
pub struct Budget {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one identity.
    pub per_identity: usize,
    /// Connections of one address.
    pub per_address: usize,
    /// Handshakes in all.
    pub handshakes: usize,
    /// Handshakes of one address.
    pub handshakes_per_address: usize,
}

impl Budget {
    /// Of the KMIP listener.
    #[must_use]
    pub fn kmip(limits: &Limits) -> Self {
        Self {
            connections: limits.connections,
            per_identity: limits.connections_per_identity,
            per_address: limits.connections_per_address,
            handshakes: limits.handshakes,
            handshakes_per_address: limits.handshakes_per_address,
        }
    }

    /// Of the admin listener: few connections, so no one address or identity is singled out.
    #[must_use]
    pub fn admin(limits: &Limits) -> Self {
        let all = limits.admin_connections;
        // Silent strangers must not be able to hold every place.
        let handshakes = all.div_ceil(2);
        Self { connections: all, per_identity: all, per_address: all, handshakes, handshakes_per_address: handshakes }
    }
}

/// Who holds how many places of one listener.
#[derive(Debug)]
pub struct Admission {
    budget: Budget,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    connections: usize,
    handshakes: usize,
    addresses: HashMap<u128, usize>,
    handshakes_of: HashMap<u128, usize>,
    identities: HashMap<Fingerprint, usize>,
}

impl Admission {
    /// With all places free.
    #[must_use]
    pub fn new(budget: Budget) -> Arc<Self> {
        Arc::new(Self { budget, taken: Mutex::default() })
    }

    /// A place for a new connection from `address`, which now shakes hands.
    ///
    /// # Errors
    /// Which budget is spent.
    pub fn knock(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let source = source_of(address);
        let budget = &self.budget;
        let mut taken = self.taken();
        if taken.connections >= budget.connections {
            return Err(Full::Connections);
        }
        if taken.handshakes >= budget.handshakes {
            return Err(Full::Handshakes);
        }
        if held(&taken.addresses, &source) >= budget.per_address {
            return Err(Full::Address);
        }
        if held(&taken.handshakes_of, &source) >= budget.handshakes_per_address {
            return Err(Full::AddressHandshakes);
        }
        taken.connections += 1;
        taken.handshakes += 1;
        take(&mut taken.addresses, source);
        take(&mut taken.handshakes_of, source);
        Ok(Place { admission: Arc::clone(self), source, identity: None })
    }

    /// Connections that hold a place now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.taken().connections
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // No code that can panic runs under the lock; a poisoned count is still a count.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    source: u128,
    identity: Option<Fingerprint>,
}

impl Place {
    /// The handshake proved `identity`: its place for handshakes becomes free.
    ///
    /// # Errors
    /// [`Full::Identity`].
    pub fn admit(&mut self, identity: Fingerprint) -> Result<(), Full> {
        let mut taken = self.admission.taken();
        if held(&taken.identities, &identity) >= self.admission.budget.per_identity {
            return Err(Full::Identity);
        }
        if self.identity.is_none() {
            taken.handshakes = taken.handshakes.saturating_sub(1);
            give_back(&mut taken.handshakes_of, &self.source);
            take(&mut taken.identities, identity);
            self.identity = Some(identity);
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.connections = taken.connections.saturating_sub(1);
        give_back(&mut taken.addresses, &self.source);
        match &self.identity {
            Some(identity) => give_back(&mut taken.identities, identity),
            None => {
                taken.handshakes = taken.handshakes.saturating_sub(1);
                give_back(&mut taken.handshakes_of, &self.source);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 one, because a single host has all of that.
fn source_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    }
}

fn held<K: Hash + Eq>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or(0)
}

fn take<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}

/// An entry that falls to nothing is removed, so the map is never larger than the number of connections.
fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission() -> Arc<Admission> {
        Admission::new(Budget {
            connections: 4,
            per_identity: 2,
            per_address: 3,
            handshakes: 3,
            handshakes_per_address: 2,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn handshakes_of_one_address_leave_places_for_others() {
        let admission = admission();
        let _held = [admission.knock(ip("10.0.0.1")).unwrap(), admission.knock(ip("10.0.0.1")).unwrap()];
        assert_eq!(admission.knock(ip("10.0.0.1")).unwrap_err(), Full::AddressHandshakes);
        let _other = admission.knock(ip("10.0.0.2")).unwrap();
        assert_eq!(admission.knock(ip("10.0.0.3")).unwrap_err(), Full::Handshakes);
    }

    #[test]
    fn an_identity_has_its_own_budget() {
        let admission = admission();
        let mut places: Vec<Place> = Vec::new();
        for address in ["10.0.0.1", "10.0.0.2"] {
            let mut place = admission.knock(ip(address)).unwrap();
            place.admit([1; 32]).unwrap();
            places.push(place);
        }
        let mut third = admission.knock(ip("10.0.0.3")).unwrap();
        assert_eq!(third.admit([1; 32]).unwrap_err(), Full::Identity);
        third.admit([2; 32]).unwrap();
    }

    #[test]
    fn all_budgets_are_whole_again_after_the_last_drop() {
        let admission = admission();
        for _ in 0..10 {
            let mut place = admission.knock(ip("10.0.0.1")).unwrap();
            place.admit([1; 32]).unwrap();
            let _unfinished = admission.knock(ip("10.0.0.1")).unwrap();
        }
        let taken = admission.taken();
        assert_eq!((taken.connections, taken.handshakes), (0, 0));
        assert!(taken.addresses.is_empty() && taken.handshakes_of.is_empty() && taken.identities.is_empty());
    }

    #[test]
    fn one_host_is_one_address() {
        assert_eq!(source_of(ip("2001:db8::1")), source_of(ip("2001:db8::ffff:2")));
        assert_ne!(source_of(ip("2001:db8::1")), source_of(ip("2001:db8:0:1::1")));
        assert_eq!(source_of(ip("::ffff:10.0.0.1")), source_of(ip("10.0.0.1")));
        assert_ne!(source_of(ip("10.0.0.1")), source_of(ip("10.0.0.2")));
    }

    #[test]
    fn connections_per_address_count_the_authenticated_too() {
        let admission = admission();
        let mut places: Vec<Place> = Vec::new();
        for identity in [[1; 32], [1; 32], [2; 32]] {
            let mut place = admission.knock(ip("10.0.0.1")).unwrap();
            place.admit(identity).unwrap();
            places.push(place);
        }
        assert_eq!(admission.knock(ip("10.0.0.1")).unwrap_err(), Full::Address);
        let _fourth = admission.knock(ip("10.0.0.2")).unwrap();
        assert_eq!(admission.knock(ip("10.0.0.3")).unwrap_err(), Full::Connections);
        assert_eq!(admission.connections(), 4);
    }
}
