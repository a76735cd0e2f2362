//! The rules, one file for each family, and the order in which they are asked.
//!
//! The order is part of the promise: a person who corrects a VM sees the reasons in the order in which they would
//! correct them, from what only a contract changes to what they change themselves. docs/rules.md lists them all.

use std::sync::LazyLock;

use crate::rule::Rule;

pub mod affinity;
pub mod backup;
pub mod blades;
pub mod cpool;
pub mod customers;
pub mod encrypted;
pub mod flow;
pub mod keys;
pub mod levels;
pub mod mirrors;
pub mod names;
pub mod networks;
pub mod on_request;
pub mod padlock;
pub mod replication;
pub mod sense;
pub mod space;
pub mod storage;
pub mod unused;
pub mod virtualization;

#[cfg(test)]
pub(crate) mod testing;

static IN_ORDER: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let [subscription, then @ ..] = padlock::IN_ORDER;
    let mut rules = vec![subscription, &flow::PERMISSION];
    rules.extend(then);
    let families: [&[&'static Rule]; 20] = [
        &names::RULES,
        &flow::RULES,
        &sense::RULES,
        &unused::RULES,
        &customers::RULES,
        &levels::RULES,
        &blades::RULES,
        &networks::RULES,
        &storage::RULES,
        &space::RULES,
        &mirrors::RULES,
        &cpool::RULES,
        &virtualization::RULES,
        &affinity::RULES,
        &replication::RULES,
        &backup::RULES,
        &on_request::RULES,
        &padlock::RULES,
        &keys::RULES,
        &encrypted::RULES,
    ];
    for rule in families.into_iter().flatten() {
        if !rules.contains(rule) {
            rules.push(rule);
        }
    }
    rules
});

/// Every rule there is, in the order in which they are asked.
#[must_use]
pub fn all() -> &'static [&'static Rule] {
    &IN_ORDER
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rule::{Check, EVERYTHING, Kind, Number};

    #[test]
    fn no_two_rules_share_an_id_or_a_number() {
        let ids: BTreeSet<&str> = all().iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), all().len());
        let promises: Vec<Number> =
            all().iter().map(|rule| rule.number).filter(|number| *number != Number::Flow).collect();
        assert_eq!(promises.iter().collect::<BTreeSet<_>>().len(), promises.len());
    }

    #[test]
    fn every_promise_from_1_to_75_has_its_rule() {
        let numbers = all().iter().filter_map(|rule| match rule.number {
            Number::Promise(number, _) => Some(number),
            Number::Flow => None,
        });
        assert_eq!(numbers.collect::<BTreeSet<u8>>(), (1..=75).collect());
    }

    #[test]
    fn every_promise_quotes_its_source_and_every_rule_explains_itself() {
        for rule in all() {
            assert_eq!(rule.source.is_empty(), rule.number == Number::Flow, "{rule:?}");
            assert!(rule.why.ends_with('.'), "{rule:?}");
            assert_eq!(rule.says.is_empty(), rule.kind == Kind::Fact, "{rule:?}");
        }
    }

    #[test]
    fn only_what_is_measured_is_a_metric_and_facts_are_built() {
        for rule in all() {
            assert_eq!(matches!(rule.check, Check::Measured(_)), rule.kind == Kind::Metric, "{rule:?}");
            assert!(rule.kind != Kind::Fact || matches!(rule.check, Check::Built(_)), "{rule:?}");
        }
    }

    #[test]
    fn whom_a_rule_speaks_for_exists() {
        for rule in all() {
            for other in rule.speaks_for.iter().filter(|_| rule.speaks_for != EVERYTHING) {
                assert!(all().iter().any(|rule| rule.id == *other), "{rule:?} speaks for {other}");
            }
        }
    }
}
