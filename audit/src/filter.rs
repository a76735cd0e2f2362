//! Which records of a log somebody wants to see.

use crate::record::{Identity, Outcome, Record};

/// A choice of records. What is left out does not restrict; what is there must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// At this time or later, microseconds since 1970.
    pub since_us: Option<i64>,
    /// Before this time, microseconds since 1970.
    pub until_us: Option<i64>,
    /// Of this operation, in whatever letter case.
    pub operation: Option<String>,
    /// About this object.
    pub object: Option<String>,
    /// By this identity: a fingerprint in hex, an administrator's name, or `none`, `client`, `admin`, `node`.
    pub identity: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// For this reason, in whatever letter case.
    pub reason: Option<String>,
}

impl Filter {
    /// Whether a time lies in the period.
    #[must_use]
    pub fn is_in_period(&self, time_us: i64) -> bool {
        self.since_us.is_none_or(|since| since <= time_us) && self.until_us.is_none_or(|until| time_us < until)
    }

    /// Whether anything but the period is restricted.
    #[must_use]
    pub fn is_more_than_a_period(&self) -> bool {
        *self != Self { since_us: self.since_us, until_us: self.until_us, ..Self::default() }
    }

    /// Whether a record is wanted.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        };
        self.is_in_period(record.time_us)
            && same(&self.operation, Some(&record.operation))
            && same(&self.object, record.object.as_deref())
            && same(&self.reason, record.reason.as_deref())
            && self.outcome.is_none_or(|outcome| outcome == record.outcome)
            && self.identity.as_deref().is_none_or(|wanted| is_named(&record.identity, wanted))
    }
}

fn is_named(identity: &Identity, wanted: &str) -> bool {
    let is = |found: &str| found.eq_ignore_ascii_case(wanted);
    match identity {
        Identity::None => is("none"),
        Identity::Node => is("node"),
        Identity::Client { fingerprint } => is("client") || is(&hex::encode(fingerprint)),
        Identity::Admin { fingerprint, name } => is("admin") || is(&hex::encode(fingerprint)) || name == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::example;

    fn wants(change: impl FnOnce(&mut Filter)) -> bool {
        let mut filter = Filter::default();
        change(&mut filter);
        filter.wants(&example())
    }

    #[test]
    fn without_a_restriction_everything_is_wanted() {
        assert!(wants(|_| ()));
    }

    #[test]
    fn a_period_holds_its_beginning_and_not_its_end() {
        let time = example().time_us;
        assert!(wants(|filter| filter.since_us = Some(time)));
        assert!(!wants(|filter| filter.since_us = Some(time + 1)));
        assert!(!wants(|filter| filter.until_us = Some(time)));
        assert!(wants(|filter| filter.until_us = Some(time + 1)));
    }

    #[test]
    fn each_field_restricts() {
        assert!(wants(|filter| filter.operation = Some("create".into())));
        assert!(!wants(|filter| filter.operation = Some("Creat".into())));
        assert!(wants(|filter| filter.object = example().object));
        assert!(!wants(|filter| filter.object = Some("other".into())));
        assert!(wants(|filter| filter.outcome = Some(Outcome::Success)));
        assert!(!wants(|filter| filter.outcome = Some(Outcome::Undone)));
        assert!(!wants(|filter| filter.reason = Some("Item Not Found".into())), "a success has no reason");
        assert!(wants(|filter| filter.identity = Some("44".repeat(32))));
        assert!(wants(|filter| filter.identity = Some("client".into())));
        assert!(!wants(|filter| filter.identity = Some("admin".into())));
    }

    #[test]
    fn an_administrator_is_found_by_name() {
        let identity = Identity::Admin { fingerprint: [1; 32], name: "zoe".into() };
        let filter = Filter { identity: Some("zoe".into()), ..Filter::default() };
        assert!(filter.wants(&Record { identity, ..example() }));
        assert!(!filter.wants(&example()));
    }

    #[test]
    fn a_period_alone_is_told_apart() {
        let period = Filter { since_us: Some(1), until_us: Some(2), ..Filter::default() };
        assert!(!period.is_more_than_a_period());
        assert!(Filter { reason: Some("x".into()), ..period }.is_more_than_a_period());
    }
}
