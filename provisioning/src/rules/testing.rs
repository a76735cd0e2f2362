//! The ground of the rules' tests: the clean example, of which a test breaks one thing and expects one finding.

use crate::calendar::{Month, Timestamp};
use crate::command::{Actor, Command, Request};
use crate::example;
use crate::inventory::{Document, Inventory};
use crate::plan::{findings, measured, plan};
use crate::rule::{Finding, Rule};
use crate::service_level::MonthOfService;

/// The example, changed.
pub fn build(change: impl FnOnce(&mut Document)) -> Inventory {
    let mut document = example::document();
    change(&mut document);
    Inventory::build(document).unwrap()
}

fn expect_one(rule: &'static Rule, said: &str, found: &[Finding]) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), [rule.id], "{lines:#?}");
    assert_eq!(found[0].message(), said);
}

/// Breaks the clean inventory by `spoil` and expects exactly one finding in it, of this rule, in these words.
pub fn expect_found(rule: &'static Rule, said: &str, spoil: impl FnOnce(&mut Document)) {
    assert_eq!(findings(&example::inventory()), [], "the example is clean");
    expect_one(rule, said, &findings(&build(spoil)));
}

/// The owner of the example's tenant asks and is refused for exactly one reason.
pub fn expect_refused(rule: &'static Rule, said: &str, command: Command, change: impl FnOnce(&mut Document)) {
    expect_refused_of(rule, said, Actor::owner(&example::TENANT.into()), command, change);
}

/// The same of another actor.
pub fn expect_refused_of(
    rule: &'static Rule,
    said: &str,
    actor: Actor,
    command: Command,
    change: impl FnOnce(&mut Document),
) {
    let found = plan(&build(change), &Request { actor, command }).unwrap_err();
    expect_one(rule, said, &found);
}

/// The request goes through, without a refusal.
pub fn expect_allowed(actor: Actor, command: Command, change: impl FnOnce(&mut Document)) {
    let found = plan(&build(change), &Request { actor, command }).err().unwrap_or_default();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(lines, [""; 0]);
}

/// The request goes through with exactly one warning.
pub fn expect_warned(
    rule: &'static Rule,
    said: &str,
    actor: Actor,
    command: Command,
    change: impl FnOnce(&mut Document),
) {
    expect_one(rule, said, &plan(&build(change), &Request { actor, command }).unwrap().warnings);
}

/// A month that was quiet but for one thing has exactly one finding, or none.
pub fn expect_measured(rule: &'static Rule, said: Option<&str>, happen: impl FnOnce(&mut MonthOfService)) {
    let mut service = MonthOfService::quiet(month());
    assert_eq!(measured(&service), [], "a quiet month is clean");
    happen(&mut service);
    match said {
        Some(said) => expect_one(rule, said, &measured(&service)),
        None => assert_eq!(measured(&service), []),
    }
}

fn month() -> Month {
    Month::new(2026, 11).unwrap()
}

/// The first second of the month of [`expect_measured`].
pub fn start_of_month() -> Timestamp {
    month().span().from
}
