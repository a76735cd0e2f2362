//! The rules, one file each, and the order in which they are asked.
//!
//! The order is part of the promise: a person who corrects a VM sees the reasons in the order in which they would
//! correct them, from what only a contract changes to what they change themselves.

use crate::rule::Rule;

pub mod disk_space;
pub mod known;
pub mod permission;
pub mod r68a_key_provider;
pub mod r68b_powered_off;
pub mod r68c_no_replication;
pub mod r68d_no_snapshot;
pub mod r68e_subscription;
pub mod r68f_not_encrypted;
pub mod r68g_not_test_mode;
pub mod r69_no_global_mirror;

#[cfg(test)]
pub(crate) mod testing;

/// Asked before a VM is encrypted, in this order.
pub static ENCRYPTION: [&Rule; 10] = [
    &r68e_subscription::RULE,
    &permission::RULE,
    &r68a_key_provider::RULE,
    &r68f_not_encrypted::RULE,
    &r68g_not_test_mode::RULE,
    &r68b_powered_off::RULE,
    &r68d_no_snapshot::RULE,
    &r68c_no_replication::RULE,
    &r69_no_global_mirror::RULE,
    &disk_space::RULE,
];

/// Asked before the inventory changes.
pub static CHANGE: [&Rule; 1] = [&r69_no_global_mirror::RULE];

/// Every rule there is.
pub static ALL: [&Rule; 11] = [
    &known::RULE,
    &r68e_subscription::RULE,
    &permission::RULE,
    &r68a_key_provider::RULE,
    &r68f_not_encrypted::RULE,
    &r68g_not_test_mode::RULE,
    &r68b_powered_off::RULE,
    &r68d_no_snapshot::RULE,
    &r68c_no_replication::RULE,
    &r69_no_global_mirror::RULE,
    &disk_space::RULE,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rule::Number;

    #[test]
    fn no_two_rules_share_an_id_or_a_number() {
        let ids: BTreeSet<&str> = ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), ALL.len());
        let promises: Vec<String> =
            ALL.iter().filter(|rule| rule.number != Number::Flow).map(|rule| rule.number.to_string()).collect();
        assert_eq!(promises.iter().collect::<BTreeSet<_>>().len(), promises.len());
    }

    #[test]
    fn every_promise_quotes_its_source_and_every_rule_explains_itself() {
        for rule in ALL {
            assert_eq!(rule.source.is_empty(), rule.number == Number::Flow, "{rule:?}");
            assert!(rule.why.ends_with('.'), "{rule:?}");
        }
    }

    #[test]
    fn whatever_is_asked_is_listed() {
        for rule in ENCRYPTION.iter().chain(&CHANGE) {
            assert!(ALL.contains(rule), "{rule:?}");
        }
    }
}
