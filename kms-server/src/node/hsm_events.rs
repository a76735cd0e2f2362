//! Tells in the system's log when an HSM member is lost, is stopped for an operator, or serves again.
//!
//! After each `Start` every member counts as up, so that one that is not is told of at once. The record follows the
//! event: that a member was lost must not stop a request that another one can serve.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audit::limits::{MAX_DETAIL_LEN, MAX_OBJECT_LEN};
use audit::{LogId, Outcome, Record, bounded_text};
use hsm::{BreakerState, MemberStatus};

use crate::node::Node;
use crate::shell::shutdown::Stopping;

/// A member serves again.
pub const UP: &str = "HSM Member Up";
/// A member does not answer, or answers wrongly; it is tried again by itself.
pub const LOST: &str = "HSM Member Lost";
/// A member stays out until an operator has acted.
pub const STOPPED: &str = "HSM Member Stopped";

/// Until a record that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How a member stands, as far as the log is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Up,
    Lost,
    Stopped,
}

impl Standing {
    const fn of(breaker: BreakerState) -> Self {
        match breaker {
            BreakerState::Closed => Self::Up,
            BreakerState::Open | BreakerState::HalfOpen => Self::Lost,
            BreakerState::Stopped => Self::Stopped,
        }
    }

    const fn operation(self) -> &'static str {
        match self {
            Self::Up => UP,
            Self::Lost => LOST,
            Self::Stopped => STOPPED,
        }
    }
}

/// What is to be told of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    label: String,
    standing: Standing,
    why: Option<String>,
    epoch: u64,
}

/// What was told last of each member: how it stands, and the time of its module that was told of.
#[derive(Default)]
struct Told(BTreeMap<String, (Standing, u64)>);

impl Told {
    /// What is new in `status`, in the order in which it happened.
    fn news(&self, status: &[MemberStatus]) -> Vec<Event> {
        let mut events = Vec::new();
        for member in status {
            let found = Standing::of(member.breaker);
            let (told, epoch) = self.0.get(&member.label).copied().unwrap_or((Standing::Up, member.epochs));
            let event = |standing, why: Option<&str>| Event {
                label: member.label.clone(),
                standing,
                why: why.map(str::to_owned),
                epoch: member.epochs,
            };
            if found != told {
                events.push(event(found, member.reason.as_deref()));
            } else if found == Standing::Up && member.epochs != epoch {
                // It was lost and came back between two looks.
                events.push(event(Standing::Lost, Some("it was back before anybody looked")));
                events.push(event(Standing::Up, None));
            }
        }
        events
    }

    fn tell(&mut self, event: &Event) {
        self.0.insert(event.label.clone(), (event.standing, event.epoch));
    }

    /// Remembers the time of each module whose member was never told of.
    fn begin(&mut self, status: &[MemberStatus]) {
        for member in status {
            self.0.entry(member.label.clone()).or_insert((Standing::Up, member.epochs));
        }
    }
}

impl Node {
    fn hsm_record(&self, event: &Event) -> Record {
        let lost = event.standing != Standing::Up;
        Record {
            object: Some(bounded_text(&event.label, MAX_OBJECT_LEN)),
            outcome: if lost { Outcome::Failed } else { Outcome::Success },
            reason: lost.then(|| if event.standing == Standing::Lost { "lost" } else { "stopped" }.to_owned()),
            detail: event.why.as_deref().map(|why| bounded_text(why, MAX_DETAIL_LEN)),
            ..self.auditor.record(&self.clock, LogId::System, event.standing.operation())
        }
    }
}

/// Records every change of a member's state until told to stop.
pub async fn run(node: Arc<Node>, mut stopping: Stopping) {
    let mut told = Told::default();
    told.begin(&node.hsm.status());
    loop {
        let mut found = Vec::new();
        let changed = node.hsm.wait_until(|status| {
            found = told.news(status);
            !found.is_empty()
        });
        tokio::select! {
            () = changed => {}
            () = stopping.wait() => return,
        }
        for event in found {
            if let Err(error) = node.record(node.hsm_record(&event)).await {
                tracing::error!(member = event.label, %error, "an event of the HSM group could not be recorded");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = stopping.wait() => return,
                }
                break;
            }
            told.tell(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(breaker: BreakerState, epochs: u64) -> MemberStatus {
        MemberStatus {
            label: "PAR7S".into(),
            up: breaker == BreakerState::Closed,
            reason: (breaker != BreakerState::Closed).then(|| "pulled out".into()),
            last_probe_us: None,
            breaker,
            opened: 0,
            sealed: 0,
            created: 0,
            signed: 0,
            key_pairs: 0,
            random: 0,
            failed: 0,
            domain_keys_held: 0,
            epochs,
        }
    }

    fn operations(told: &mut Told, status: &MemberStatus) -> Vec<&'static str> {
        let news = told.news(std::slice::from_ref(status));
        news.iter().for_each(|event| told.tell(event));
        news.iter().map(|event| event.standing.operation()).collect()
    }

    #[test]
    fn each_change_is_told_once_and_trying_again_is_none() {
        let mut told = Told::default();
        told.begin(&[member(BreakerState::Closed, 1)]);
        for (breaker, epochs, expected) in [
            (BreakerState::Closed, 1, &[][..]),
            (BreakerState::Open, 1, &[LOST]),
            (BreakerState::HalfOpen, 1, &[]),
            (BreakerState::Open, 2, &[]),
            (BreakerState::Closed, 3, &[UP]),
            (BreakerState::Closed, 3, &[]),
            (BreakerState::Stopped, 3, &[STOPPED]),
            (BreakerState::Stopped, 3, &[]),
        ] {
            assert_eq!(operations(&mut told, &member(breaker, epochs)), expected, "{breaker:?} {epochs}");
        }
    }

    #[test]
    fn a_member_that_was_away_between_two_looks_was_lost_and_came_back() {
        let mut told = Told::default();
        told.begin(&[member(BreakerState::Closed, 1)]);
        assert_eq!(operations(&mut told, &member(BreakerState::Closed, 2)), [LOST, UP]);
        assert_eq!(operations(&mut told, &member(BreakerState::Closed, 2)), [""; 0]);
    }

    #[test]
    fn a_member_that_is_not_there_at_the_start_is_told_of() {
        let mut told = Told::default();
        told.begin(&[member(BreakerState::Open, 0)]);
        assert_eq!(operations(&mut told, &member(BreakerState::Open, 0)), [LOST]);
    }
}
