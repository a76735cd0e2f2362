//! What a rule is, and what is found when one is broken.

use std::fmt;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::capacity::View;
use crate::command::{Actor, Command, Request};
use crate::inventory::Inventory;
use crate::service_level::MonthOfService;
use crate::units::{Bytes, Gb, Gib, Iops, Tib};

/// What a broken rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The request is refused.
    Reject,
    /// The request goes through; a person is told.
    Warn,
    /// Measured over time, for service levels and billing.
    Metric,
    /// Only the operator can do it, after a service request.
    ServiceRequest,
    /// A fact of the platform that nothing can break.
    Fact,
}

impl Kind {
    /// In a word.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Warn => "warn",
            Self::Metric => "metric",
            Self::ServiceRequest => "service request",
            Self::Fact => "fact",
        }
    }

    /// Whether a request with such a finding does not go through.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Reject | Self::ServiceRequest)
    }
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// A numbered promise to the customer, such as R68b: the number, and a letter or `None`.
    Promise(u8, Option<char>),
    /// A precondition that an operation itself has, with no promise behind it.
    Flow,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promise(number, None) => write!(f, "R{number}"),
            Self::Promise(number, Some(letter)) => write!(f, "R{number}{letter}"),
            Self::Flow => f.write_str("flow"),
        }
    }
}

/// How a rule is held against the world.
#[derive(Clone, Copy)]
pub enum Check {
    /// It holds of the inventory at every moment: no request may end in an inventory that breaks it.
    Always(fn(&View<'_>, &mut Found)),
    /// It is asked of a request, before anything changes.
    Asked(fn(&Asked<'_>, &mut Found)),
    /// It is measured over a month.
    Measured(fn(&MonthOfService, &mut Found)),
    /// Nothing can break it; the text says what makes it so.
    Built(&'static str),
}

/// One rule of the platform.
pub struct Rule {
    /// A name that never changes; programs switch on it.
    pub id: &'static str,
    /// Its number.
    pub number: Number,
    /// What breaking it means.
    pub kind: Kind,
    /// The words of the service description that promise it, in their language; empty for a rule of the flow.
    pub source: &'static str,
    /// What it means and why, in a sentence for the person who is refused.
    pub why: &'static str,
    /// What that person is told; `{name}` stands for the fact of that name. Empty for a fact.
    pub says: &'static str,
    /// How it is held against the world.
    pub check: Check,
    /// Rules that say nothing more once this one has spoken: they would report the same thing from its other side.
    pub speaks_for: &'static [&'static str],
    /// The file it stands in.
    pub file: &'static str,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({} {})", self.number, self.id)
    }
}

impl PartialEq for Rule {
    /// Rules are equal when their ids are: a test makes sure that no two share one.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// For [`Rule::speaks_for`]: what would follow is not worth telling, because it would not come to that.
pub const EVERYTHING: &[&str] = &["*"];

/// Writes a rule as a table of what it is; `file!()` and an empty `speaks_for` go without saying.
macro_rules! rule {
    (
        $(#[$doc:meta])*
        $name:ident = $number:expr, $id:literal, $kind:ident;
        source: $source:literal;
        why: $why:literal;
        says: $says:literal $(, speaks_for: $other:expr)?;
        $check:ident: $body:expr
    ) => {
        $(#[$doc])*
        pub static $name: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            number: $number,
            kind: $crate::rule::Kind::$kind,
            source: $source,
            why: $why,
            says: $says,
            check: $crate::rule::Check::$check($body),
            speaks_for: rule!(@others $($other)?),
            file: file!(),
        };
    };
    (@others) => { &[] };
    (@others $other:expr) => { $other };
}

pub(crate) use rule;

/// A promise of that number.
pub(crate) const fn promise(number: u8) -> Number {
    Number::Promise(number, None)
}

/// One of the promises that share a number.
pub(crate) const fn part(number: u8, letter: char) -> Number {
    Number::Promise(number, Some(letter))
}

/// A request whose every name was looked up.
pub struct Asked<'a> {
    /// What exists before the change.
    pub inventory: &'a Inventory,
    /// What is asked, by whom.
    pub request: &'a Request,
}

impl Asked<'_> {
    /// What is asked.
    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.request.command
    }

    /// Whether the one who asks is the operator.
    #[must_use]
    pub const fn by_operator(&self) -> bool {
        matches!(self.request.actor, Actor::Operator)
    }
}

/// A fact of a finding: for people its text, for programs its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A name or a word.
    Text(String),
    /// A count or a percentage.
    Number(u64),
    /// A quantity in bytes, shown with its unit.
    Bytes(Bytes),
    /// Several names.
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::List(items) => f.write_str(&items.join(", ")),
        }
    }
}

/// Conversions into a fact by the text that a type has.
macro_rules! text_values {
    ($($type:ty),+) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Text(value.to_string())
            }
        }
    )+};
}

text_values!(&str, String, Gb, Gib, Tib, Iops);

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: fmt::Display> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.iter().map(ToString::to_string).collect())
    }
}

/// The facts that break a rule, by name: `facts! { vm: &vm.id, size: vm.memory }`. Ids are facts by their text.
macro_rules! facts {
    ($($name:ident: $value:expr),+ $(,)?) => {
        vec![$((stringify!($name), $crate::rule::Value::from($value))),+]
    };
}

pub(crate) use facts;

/// Collects what one rule finds.
pub struct Found {
    rule: &'static Rule,
    findings: Vec<Finding>,
}

impl Found {
    /// Nothing found yet by `rule`.
    #[must_use]
    pub const fn by(rule: &'static Rule) -> Self {
        Self { rule, findings: Vec::new() }
    }

    /// Adds a finding with its facts, which the rule's sentence names.
    pub fn add(&mut self, facts: Vec<(&'static str, Value)>) {
        self.add_by(0, facts);
    }

    /// Adds a finding of which there can be more and less: `amount` says how far the rule is broken.
    pub fn add_by(&mut self, amount: u64, facts: Vec<(&'static str, Value)>) {
        self.findings.push(Finding { rule: self.rule, facts, amount });
    }

    /// What was found.
    #[must_use]
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// A rule that is broken, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The facts that break it, by name.
    pub facts: Vec<(&'static str, Value)>,
    /// How far the rule is broken, where there can be more and less; otherwise 0.
    pub amount: u64,
}

impl Finding {
    /// Whether `before` says the same already, or worse: whoever did not break a rule need not mend it first.
    #[must_use]
    pub fn is_no_worse_than(&self, before: &Self) -> bool {
        if self.rule != before.rule {
            return false;
        }
        if self.amount > 0 && before.amount > 0 {
            // The first fact names what the finding is about.
            return self.facts.first() == before.facts.first() && self.amount <= before.amount;
        }
        self.facts == before.facts
    }

    /// The sentence for a person: what the rule says, with the facts in it.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = String::new();
        let mut rest = self.rule.says;
        while let Some((before, from_name)) = rest.split_once('{') {
            message.push_str(before);
            let (name, after) = from_name.split_once('}').unwrap_or((from_name, ""));
            match self.facts.iter().find(|(fact, _)| *fact == name) {
                Some((_, value)) => message.push_str(&value.to_string()),
                None => message.push_str(&format!("{{{name}}}")),
            }
            rest = after;
        }
        message.push_str(rest);
        message
    }

    /// The fact of that name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Value> {
        self.facts.iter().find(|(fact, _)| *fact == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule.number {
            Number::Flow => write!(f, "{}: {}", self.rule.id, self.message()),
            number => write!(f, "{number} {}: {}", self.rule.id, self.message()),
        }
    }
}

struct Evidence<'a>(&'a [(&'static str, Value)]);

impl Serialize for Evidence<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 6)?;
        fields.serialize_field("rule", self.rule.id)?;
        fields.serialize_field("number", &self.rule.number.to_string())?;
        fields.serialize_field("kind", &self.rule.kind)?;
        fields.serialize_field("message", &self.message())?;
        fields.serialize_field("why", self.rule.why)?;
        fields.serialize_field("evidence", &Evidence(&self.facts))?;
        fields.end()
    }
}
