//! What may have become of an object between two looks at it, by what the items that succeeded do, and by nothing else.
//! KMIP 1.4 §3.22.

use std::collections::{BTreeMap, BTreeSet};

use kmip::message::{ItemPayload, Outcome, RequestMessage, ResponseMessage};
use kmip::payload::RequestPayload;
use kmip::registry::{Operation, RevocationReasonCode, State};

/// What changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Activate,
    Deactivate,
    ReportCompromise,
    Destroy,
    /// An attribute was changed, which may be a date.
    Date,
    /// Another object took its place.
    Replace,
}

/// The specification's diagram, written down again: the server's own is what is judged.
fn after(state: State, event: Event) -> Option<State> {
    use {Event as E, State as S};
    match (state, event) {
        (S::PreActive, E::Activate) => Some(S::Active),
        (S::Active, E::Deactivate) => Some(S::Deactivated),
        (S::PreActive | S::Active | S::Deactivated, E::ReportCompromise) => Some(S::Compromised),
        (S::PreActive | S::Deactivated, E::Destroy) => Some(S::Destroyed),
        (S::Compromised, E::Destroy) | (S::Destroyed, E::ReportCompromise) => Some(S::DestroyedCompromised),
        _ => None,
    }
}

/// An object as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: State,
    pub(crate) activation: Option<i64>,
    pub(crate) deactivation: Option<i64>,
}

/// What may have happened to the objects of a domain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Causes {
    of: BTreeMap<String, BTreeSet<Event>>,
    /// Of answers that wait: they may be carried out at any time from now on.
    waiting: BTreeMap<String, BTreeSet<Event>>,
}

impl Causes {
    /// Takes in what a message did to those of `ids` that it or its answer names. `request` is `None` where nobody knows
    /// what was asked.
    pub(crate) fn learn(&mut self, request: Option<&RequestMessage>, answer: &ResponseMessage, named: &[String]) {
        for item in &answer.items {
            let Some(operation) = item.operation.and_then(|number| Operation::try_from(number).ok()) else { continue };
            let events = events_of(operation, request);
            match &item.outcome {
                Outcome::Success(payload) => {
                    let said = format!("{payload:?}");
                    for id in named.iter().filter(|id| said.contains(id.as_str())) {
                        self.of.entry(id.clone()).or_default().extend(&events);
                    }
                }
                Outcome::Pending { .. } => {
                    for id in named {
                        self.waiting.entry(id.clone()).or_default().extend(&events);
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether an object that was seen as `before` may be in state `now` at the moment `now_s`. What is judged is spent.
    pub(crate) fn allow(&mut self, id: &str, before: Seen, now: State, now_s: i64) -> bool {
        let mut events = self.of.remove(id).unwrap_or_default();
        events.extend(self.waiting.get(id).into_iter().flatten());
        if events.contains(&Event::Replace) {
            return true;
        }
        let dates = events.contains(&Event::Date);
        if dates || before.activation.is_some_and(|at| at <= now_s) {
            events.insert(Event::Activate);
        }
        if dates || before.deactivation.is_some_and(|at| at <= now_s) {
            events.insert(Event::Deactivate);
        }
        let mut reached = vec![before.state];
        let mut looked = 0;
        while let Some(state) = reached.get(looked).copied() {
            reached.extend(events.iter().filter_map(|event| after(state, *event)));
            looked += 1;
        }
        reached.contains(&now)
    }
}

fn events_of(operation: Operation, request: Option<&RequestMessage>) -> Vec<Event> {
    use Operation as O;
    match operation {
        O::Activate => vec![Event::Activate],
        O::Destroy => vec![Event::Destroy],
        O::Revoke => revocations(request),
        O::AddAttribute | O::ModifyAttribute | O::SetAttribute | O::AdjustAttribute | O::DeleteAttribute => {
            vec![Event::Date]
        }
        O::Import => vec![Event::Replace],
        _ => Vec::new(),
    }
}

/// What the Revokes of a message do; a Poll may have fetched one of an earlier message.
fn revocations(request: Option<&RequestMessage>) -> Vec<Event> {
    let codes: Vec<RevocationReasonCode> = request
        .into_iter()
        .flat_map(|request| &request.items)
        .filter_map(|item| match &item.payload {
            ItemPayload::Typed(RequestPayload::Revoke(revoke)) => Some(revoke.revocation_reason.code),
            _ => None,
        })
        .collect();
    let is_compromise = |code: &RevocationReasonCode| {
        matches!(code, RevocationReasonCode::KeyCompromise | RevocationReasonCode::CaCompromise)
    };
    let mut events = Vec::new();
    if codes.is_empty() || codes.iter().any(is_compromise) {
        events.push(Event::ReportCompromise);
    }
    if codes.is_empty() || !codes.iter().all(is_compromise) {
        events.push(Event::Deactivate);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_has_brought_about_is_not_allowed() {
        let seen = |state, activation, deactivation| Seen { state, activation, deactivation };
        let idle = seen(State::PreActive, None, None);
        let mut causes = Causes::default();
        for state in [State::Active, State::Deactivated, State::Compromised, State::Destroyed] {
            assert!(!causes.allow("x", idle, state, 10), "{state}");
        }
        assert!(causes.allow("x", idle, State::PreActive, 10));
        // Dates that have come, and such that have not.
        assert!(causes.allow("x", seen(State::PreActive, Some(10), None), State::Active, 10));
        assert!(!causes.allow("x", seen(State::PreActive, Some(11), None), State::Active, 10));
        assert!(causes.allow("x", seen(State::PreActive, Some(1), Some(2)), State::Deactivated, 10));
        assert!(!causes.allow("x", seen(State::Active, Some(1), Some(2)), State::PreActive, 10));
        // What was done is spent once it was looked at, and holds for the object that it was done to.
        causes.of.insert("x".to_owned(), [Event::Destroy].into());
        assert!(!causes.allow("y", idle, State::Destroyed, 10));
        assert!(causes.allow("x", idle, State::Destroyed, 10));
        assert!(!causes.allow("x", idle, State::Destroyed, 10));
        // An Active object is not destroyed, whatever is done.
        causes.of.insert("x".to_owned(), [Event::Destroy].into());
        assert!(!causes.allow("x", seen(State::Active, None, None), State::Destroyed, 10));
        causes.waiting.insert("x".to_owned(), [Event::ReportCompromise].into());
        for _ in 0..2 {
            assert!(causes.allow("x", idle, State::Compromised, 10));
        }
    }
}
