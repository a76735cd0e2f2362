//! Tickets: what a client shows in place of a password, and what its bearer may do. KMIP 2.1 §6.1.12, §6.1.30, §7.39.
//!
//! A ticket is good in one domain, for a while, for some requests. A ticket of Login is good for the client that logged
//! in; one of Delegated Login for every client of the domain, and lets it do less than it may do by itself. Values are
//! kept as their SHA-256: who reads this memory finds none that he could show. A restart ends every ticket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use keystore::ObjectId;
use kmip::registry::Operation;
use ring::digest::{SHA256, digest};
use secret::{DomainId, wiped_after};

use crate::failure::Failure;
use crate::limits::{TICKETS, TICKETS_PER_DOMAIN};
use crate::shell::peer::Fingerprint;

/// SHA-256 of a ticket's value.
pub type TicketId = [u8; 32];

/// Which objects a right reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// These only, where there are some named.
    pub objects: Option<Vec<ObjectId>>,
    /// Those in one of these Object Groups only, where there are some named.
    pub groups: Option<Vec<String>>,
}

impl Reach {
    /// Whether it reaches everything, objects that are to be made and found too.
    #[must_use]
    pub const fn is_everywhere(&self) -> bool {
        self.objects.is_none() && self.groups.is_none()
    }
}

/// One right of a bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRight {
    /// These operations only, where there are some named.
    pub operations: Option<Vec<Operation>>,
    /// Objects.
    pub reach: Reach,
    /// How often yet; absent means without end.
    pub uses_left: Option<i64>,
}

/// A ticket in force.
#[derive(Clone, Debug)]
pub struct Held {
    /// The domain it is good in.
    pub domain: DomainId,
    /// The client that got it from the server. Where that client is revoked, the ticket is void.
    pub giver: Fingerprint,
    /// Whether it is good for its giver alone.
    pub personal: bool,
    /// When it ends, in seconds since 1970.
    pub ends_at_s: i64,
    /// Requests it is good for yet; absent means without end.
    pub requests_left: Option<i32>,
    /// Operations it is good for yet; absent means without end.
    pub uses_left: Option<i64>,
    /// What its bearer may do; absent means everything that a client may.
    pub rights: Option<Vec<HeldRight>>,
}

/// What one item of a message may do: everything, or what one of these reaches.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Permit {
    /// No ticket restricts it.
    #[default]
    Full,
    /// A ticket does. Without any reach the item may not be done.
    Within(Arc<[Reach]>),
}

/// All tickets in force.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<TicketId, Held>>);

/// The name of a ticket that may be told.
#[must_use]
pub fn id_of(value: &[u8]) -> TicketId {
    let mut id = TicketId::default();
    id.copy_from_slice(wiped_after(|| digest(&SHA256, value)).as_ref());
    id
}

impl Tickets {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<TicketId, Held>) -> T) -> T {
        // Each change of a ticket is whole before anything can panic.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a client of the domain may have one more.
    ///
    /// # Errors
    /// [`Failure::OverLimit`].
    pub fn require_room(&self, domain: DomainId, now_s: i64) -> Result<(), Failure> {
        self.with(|tickets| {
            tickets.retain(|_, held| held.ends_at_s > now_s);
            let of_domain = tickets.values().filter(|held| held.domain == domain).count();
            if tickets.len() >= TICKETS || of_domain >= TICKETS_PER_DOMAIN {
                return Err(Failure::OverLimit("too many tickets are in force"));
            }
            Ok(())
        })
    }

    /// Puts a ticket in force. The number of tickets was looked at before; those who look at once may go over it by
    /// the requests in work.
    pub fn issue(&self, id: TicketId, held: Held) {
        self.with(|tickets| tickets.insert(id, held));
    }

    /// Whether the ticket is in force and `client` may end it.
    #[must_use]
    pub fn is_held(&self, id: &TicketId, domain: DomainId, client: Fingerprint, now_s: i64) -> bool {
        self.with(|tickets| tickets.get(id).is_some_and(|held| held.is_good_for(domain, client, now_s)))
    }

    /// Ends a ticket.
    pub fn end(&self, id: &TicketId) {
        self.with(|tickets| tickets.remove(id));
    }

    /// Shows a ticket for a message that asks for these operations (`None` for one that nobody knows), and counts the
    /// message. Gives what each item may do. What is counted stays counted, whatever becomes of the message: else a
    /// message that fails would be free.
    ///
    /// # Errors
    /// [`Failure::Authentication`] for a ticket that is not in force, or not for this client. Which, nobody is told.
    pub fn show(
        &self,
        id: &TicketId,
        domain: DomainId,
        client: Fingerprint,
        operations: &[Option<Operation>],
        now_s: i64,
        is_registered: impl FnOnce(&Fingerprint) -> bool,
    ) -> Result<Vec<Permit>, Failure> {
        const REFUSED: Failure = Failure::Authentication("ticket is not in force");
        self.with(|tickets| {
            let Some(held) = tickets.get_mut(id) else { return Err(REFUSED) };
            if !held.is_good_for(domain, client, now_s) || !is_registered(&held.giver) {
                return Err(REFUSED);
            }
            if let Some(left) = &mut held.requests_left {
                *left -= 1;
            }
            Ok(operations.iter().map(|operation| held.permit(*operation)).collect())
        })
    }
}

impl Held {
    fn is_good_for(&self, domain: DomainId, client: Fingerprint, now_s: i64) -> bool {
        self.domain == domain
            && (!self.personal || self.giver == client)
            && self.ends_at_s > now_s
            && self.requests_left.is_none_or(|left| left > 0)
    }

    fn permit(&mut self, operation: Option<Operation>) -> Permit {
        let nothing = || Permit::Within(Arc::from([]));
        if !spend(&mut self.uses_left) {
            return nothing();
        }
        let Some(rights) = &mut self.rights else { return Permit::Full };
        // Who may do only some things may not get himself a ticket for all of them.
        let Some(operation) =
            operation.filter(|operation| !matches!(operation, Operation::Login | Operation::DelegatedLogin))
        else {
            return nothing();
        };
        let reaches = rights
            .iter_mut()
            .filter(|right| right.operations.as_ref().is_none_or(|list| list.contains(&operation)))
            .filter_map(|right| spend(&mut right.uses_left).then(|| right.reach.clone()))
            .collect();
        Permit::Within(reaches)
    }
}

/// Takes one of what is left; `false` if nothing is.
fn spend(left: &mut Option<i64>) -> bool {
    match left {
        None => true,
        Some(count @ 1..) => {
            *count -= 1;
            true
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: DomainId = [1; 16];
    const ALICE: Fingerprint = [2; 32];
    const BOB: Fingerprint = [3; 32];

    fn held() -> Held {
        Held {
            domain: DOMAIN,
            giver: ALICE,
            personal: true,
            ends_at_s: 100,
            requests_left: None,
            uses_left: None,
            rights: None,
        }
    }

    fn show(tickets: &Tickets, value: &[u8], client: Fingerprint, now_s: i64) -> Result<Vec<Permit>, Failure> {
        tickets.show(&id_of(value), DOMAIN, client, &[Some(Operation::Get)], now_s, |_| true)
    }

    #[test]
    fn a_ticket_is_good_for_its_client_in_its_domain_in_its_time() {
        let tickets = Tickets::default();
        tickets.issue(id_of(b"a"), held());
        assert_eq!(show(&tickets, b"a", ALICE, 99).unwrap(), [Permit::Full]);
        assert!(show(&tickets, b"a", ALICE, 100).is_err(), "too late");
        assert!(show(&tickets, b"a", BOB, 99).is_err(), "another client");
        assert!(show(&tickets, b"b", ALICE, 99).is_err(), "another ticket");
        let elsewhere = tickets.show(&id_of(b"a"), [9; 16], ALICE, &[None], 99, |_| true);
        assert!(elsewhere.is_err(), "another domain");
        assert!(tickets.show(&id_of(b"a"), DOMAIN, ALICE, &[None], 99, |_| false).is_err(), "a revoked giver");
        tickets.end(&id_of(b"a"));
        assert!(show(&tickets, b"a", ALICE, 99).is_err(), "ended");
    }

    #[test]
    fn requests_are_counted_to_the_last() {
        let tickets = Tickets::default();
        tickets.issue(id_of(b"a"), Held { requests_left: Some(2), ..held() });
        assert!(show(&tickets, b"a", ALICE, 1).is_ok() && show(&tickets, b"a", ALICE, 1).is_ok());
        assert!(show(&tickets, b"a", ALICE, 1).is_err());
    }

    #[test]
    fn a_delegated_ticket_permits_what_a_right_says_and_no_more() {
        let everywhere = Reach { objects: None, groups: None };
        let one = Reach { objects: Some(vec![[7; 16]]), groups: None };
        let right = |operation, reach, uses_left| HeldRight { operations: Some(vec![operation]), reach, uses_left };
        let rights = vec![
            right(Operation::Get, one.clone(), Some(1)),
            right(Operation::Locate, everywhere.clone(), None),
            right(Operation::Login, everywhere.clone(), None),
        ];
        let mut held = Held { personal: false, rights: Some(rights), ..held() };
        assert!(held.is_good_for(DOMAIN, BOB, 1));
        assert_eq!(held.permit(Some(Operation::Get)), Permit::Within([one].into()));
        assert_eq!(held.permit(Some(Operation::Get)), Permit::Within([].into()), "used up");
        assert_eq!(held.permit(Some(Operation::Locate)), Permit::Within([everywhere].into()));
        assert_eq!(held.permit(Some(Operation::Destroy)), Permit::Within([].into()));
        assert_eq!(held.permit(Some(Operation::Login)), Permit::Within([].into()), "no ticket for more than it may");
    }

    #[test]
    fn a_domain_has_so_many_tickets_and_ended_ones_do_not_count() {
        let tickets = Tickets::default();
        for number in 0..TICKETS_PER_DOMAIN {
            tickets.require_room(DOMAIN, 1).unwrap();
            tickets.issue(id_of(&number.to_be_bytes()), held());
        }
        assert!(tickets.require_room(DOMAIN, 99).is_err());
        assert!(tickets.require_room([9; 16], 99).is_ok());
        assert!(tickets.require_room(DOMAIN, 100).is_ok());
    }
}
