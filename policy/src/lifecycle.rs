//! The life of a cryptographic object. KMIP 1.4 §3.22, NIST SP 800-57 part 1 §7.
//!
//! ```text
//!                 Activate               Deactivate
//!   Pre-Active ──────────────► Active ───────────────► Deactivated
//!    │      │                    │                      │      │
//!    │      │ report compromise  │ report compromise    │      │ Destroy
//!    │      └────────────────►  Compromised  ◄──────────┘      │
//!    │ Destroy                   │                             │
//!    │                           │ Destroy                     │
//!    │                           ▼                             │
//!    │                  Destroyed Compromised                  │
//!    │                           ▲                             │
//!    │                           │ report compromise           │
//!    └─────────────────────► Destroyed ◄───────────────────────┘
//! ```
//! No other transition exists; an Active object cannot be destroyed. Activation and deactivation also come about by
//! dates: the state that counts is a function of the stored state, the dates and now, see [`effective`].

use kmip::registry::{RevocationReasonCode, State};
use thiserror::Error;

/// What changes the state of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Activate, or the Activation Date is reached.
    Activate,
    /// Revoke for any reason but a compromise, or the Deactivation Date is reached.
    Deactivate,
    /// Revoke because of a compromise.
    ReportCompromise,
    /// Destroy.
    Destroy,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::Activate, Self::Deactivate, Self::ReportCompromise, Self::Destroy];

    /// The name in records and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activate => "Activate",
            Self::Deactivate => "Deactivate",
            Self::ReportCompromise => "Report Compromise",
            Self::Destroy => "Destroy",
        }
    }

    /// What a Revoke for this reason does. KMIP 1.4 §4.20.
    #[must_use]
    pub const fn of_revocation(code: RevocationReasonCode) -> Self {
        match code {
            RevocationReasonCode::KeyCompromise | RevocationReasonCode::CaCompromise => Self::ReportCompromise,
            RevocationReasonCode::Unspecified
            | RevocationReasonCode::AffiliationChanged
            | RevocationReasonCode::Superseded
            | RevocationReasonCode::CessationOfOperation
            | RevocationReasonCode::PrivilegeWithdrawn => Self::Deactivate,
        }
    }
}

/// The event is not possible in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{} is not possible in state {}", event.name(), from.text())]
pub struct WrongState {
    /// The state.
    pub from: State,
    /// The event.
    pub event: Event,
}

/// The state after `event`. KMIP 1.4 §3.22, transitions 2 to 10.
///
/// # Errors
/// [`WrongState`] for every transition that is not in the diagram.
pub const fn after(state: State, event: &Event) -> Result<State, WrongState> {
    use {Event as E, State as S};
    Ok(match (state, *event) {
        (S::PreActive, E::Activate) => S::Active,
        (S::Active, E::Deactivate) => S::Deactivated,
        (S::PreActive | S::Active | S::Deactivated, E::ReportCompromise) => S::Compromised,
        (S::PreActive | S::Deactivated, E::Destroy) => S::Destroyed,
        (S::Compromised, E::Destroy) | (S::Destroyed, E::ReportCompromise) => S::DestroyedCompromised,
        (from, event) => return Err(WrongState { from, event }),
    })
}

/// Whether the key material is gone.
#[must_use]
pub const fn is_destroyed(state: State) -> bool {
    matches!(state, State::Destroyed | State::DestroyedCompromised)
}

/// The dates that govern an object's life, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// Activation Date, KMIP 1.4 §3.24.
    pub activation: Option<i64>,
    /// Process Start Date, §3.25.
    pub process_start: Option<i64>,
    /// Protect Stop Date, §3.26.
    pub protect_stop: Option<i64>,
    /// Deactivation Date, §3.27.
    pub deactivation: Option<i64>,
}

/// A transition that a date has brought about and that is not stored yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTransition {
    /// The event.
    pub event: Event,
    /// When it fell due, in seconds since 1970.
    pub at: i64,
}

/// The state that counts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The state.
    pub state: State,
    /// The transitions that lead there from the stored state, oldest first; at most two.
    pub due: Vec<DueTransition>,
}

/// The state that `stored` has become by its dates. A date is reached in its first second. KMIP 1.4 §3.22,
/// transitions 4 and 6.
///
/// With [`State::PreActive`] for `stored` it is also the state of an object that is being made (transition 1).
#[must_use]
pub fn effective(stored: State, dates: &Dates, now: i64) -> Effective {
    let mut state = stored;
    let mut due = Vec::new();
    let mut at_earliest = i64::MIN;
    for (event, date) in [(Event::Activate, dates.activation), (Event::Deactivate, dates.deactivation)] {
        let Some(date) = date.filter(|date| *date <= now) else { continue };
        // An object in another state than the date presumes has gone a way of its own; the date means nothing any more.
        let Ok(next) = after(state, &event) else { continue };
        // Dates may stand in the wrong order; transitions happen in theirs.
        at_earliest = at_earliest.max(date);
        due.push(DueTransition { event, at: at_earliest });
        state = next;
    }
    Effective { state, due }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn dates(activation: Option<i64>, deactivation: Option<i64>) -> Dates {
        Dates { activation, deactivation, ..Dates::default() }
    }

    #[test]
    fn an_active_object_cannot_be_destroyed() {
        let refused = after(State::Active, &Event::Destroy).unwrap_err();
        assert_eq!(refused, WrongState { from: State::Active, event: Event::Destroy });
        assert_eq!(refused.to_string(), "Destroy is not possible in state Active");
    }

    #[test]
    fn a_date_is_reached_in_its_first_second() {
        assert_eq!(effective(State::PreActive, &dates(Some(10), None), 9).state, State::PreActive);
        let reached = effective(State::PreActive, &dates(Some(10), None), 10);
        assert_eq!(reached.state, State::Active);
        assert_eq!(reached.due, [DueTransition { event: Event::Activate, at: 10 }]);
    }

    #[test]
    fn both_dates_may_pass_unnoticed() {
        let due =
            [DueTransition { event: Event::Activate, at: 10 }, DueTransition { event: Event::Deactivate, at: 20 }];
        let passed = effective(State::PreActive, &dates(Some(10), Some(20)), 30);
        assert_eq!(passed, Effective { state: State::Deactivated, due: due.to_vec() });
    }

    #[test]
    fn an_object_that_was_never_activated_is_not_deactivated_by_its_date() {
        assert_eq!(effective(State::PreActive, &dates(None, Some(20)), 30).state, State::PreActive);
    }

    #[test]
    fn dates_in_the_wrong_order_still_give_transitions_in_order() {
        let passed = effective(State::PreActive, &dates(Some(20), Some(10)), 30);
        assert_eq!(passed.due.iter().map(|due| due.at).collect::<Vec<_>>(), [20, 20]);
    }

    #[test]
    fn compromise_is_the_reason_of_two_codes() {
        let compromises: Vec<_> = RevocationReasonCode::ALL
            .iter()
            .filter(|code| Event::of_revocation(**code) == Event::ReportCompromise)
            .collect();
        assert_eq!(compromises, [&RevocationReasonCode::KeyCompromise, &RevocationReasonCode::CaCompromise]);
    }

    proptest! {
        #[test]
        fn storing_what_is_due_changes_nothing(
            stored in select(State::ALL.to_vec()),
            activation in any::<Option<i64>>(), deactivation in any::<Option<i64>>(), now in any::<i64>()
        ) {
            let dates = dates(activation, deactivation);
            let effective_now = effective(stored, &dates, now);
            let mut replayed = stored;
            for due in &effective_now.due {
                prop_assert!(due.at <= now);
                replayed = after(replayed, &due.event).unwrap();
            }
            prop_assert_eq!(replayed, effective_now.state);
            let again = effective(replayed, &dates, now);
            prop_assert_eq!(again, Effective { state: replayed, due: vec![] });
        }

        #[test]
        fn nothing_comes_back_from_destruction(
            start in select(State::ALL.to_vec()), events in prop::collection::vec(select(Event::ALL.to_vec()), 0..50)
        ) {
            let (mut state, mut destroyed, mut compromised) = (start, false, false);
            for event in events {
                if let Ok(next) = after(state, &event) {
                    state = next;
                }
                destroyed |= is_destroyed(state);
                compromised |= matches!(state, State::Compromised | State::DestroyedCompromised);
                prop_assert_eq!(is_destroyed(state), destroyed);
                prop_assert_eq!(matches!(state, State::Compromised | State::DestroyedCompromised), compromised);
            }
        }
    }
}
