//! The page `docs/kmip-coverage.md`: what a running node says it offers, and which OASIS cases prove it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use kmip::ProtocolVersion;
use kmip::payload::{DiscoverVersionsRequest, QueryRequest};
use kmip::registry::{ATTRIBUTE_RULES, AttributeRules, ObjectType, Operation, QueryFunction};

use crate::node::{Node, Result};
use crate::oasis::{Judged, Outcome, Report, Verdict};

/// Where the reasons stand why something is not offered.
const UNSUPPORTED: &str = include_str!("../../UNSUPPORTED.md");

/// What a node offers, asked version by version.
pub struct Offer {
    versions: Vec<ProtocolVersion>,
    operations: BTreeMap<ProtocolVersion, BTreeSet<Operation>>,
    objects: BTreeMap<ProtocolVersion, BTreeSet<ObjectType>>,
}

impl Offer {
    /// Asks `node`.
    ///
    /// # Errors
    /// Of the node or the connection.
    pub fn of(node: &Node) -> Result<Self> {
        let tenant = node.tenant("coverage", "legacy")?;
        let mut connection = node.connect(&tenant.identity)?;
        let mut versions =
            connection.request(ProtocolVersion::V1_4, DiscoverVersionsRequest::default())?.protocol_versions;
        versions.sort();
        let mut offer = Self { versions: versions.clone(), operations: BTreeMap::new(), objects: BTreeMap::new() };
        for version in versions {
            let functions = vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects];
            let answer = connection.request(version, QueryRequest::of(functions))?;
            offer.operations.insert(version, answer.operations.into_iter().collect());
            offer.objects.insert(version, answer.object_types.into_iter().collect());
        }
        Ok(offer)
    }

    fn cell<T: Ord>(offered: &BTreeMap<ProtocolVersion, BTreeSet<T>>, version: ProtocolVersion, one: &T) -> bool {
        offered.get(&version).is_some_and(|all| all.contains(one))
    }
}

/// The whole page.
#[must_use]
pub fn page(offer: &Offer, report: &Report) -> String {
    let mut page = String::from(
        "# KMIP coverage\n\n\
         Written by `make coverage` from a running node and the OASIS test cases; not edited by hand. A case passes \
         under the strict comparison: only what the profiles list as permitted variations may differ.\n",
    );
    cases(&mut page, report);
    operations(&mut page, offer, report);
    objects(&mut page, offer);
    attributes(&mut page, offer);
    failures(&mut page, report);
    let reasons = UNSUPPORTED.split_once('\n').map_or("", |(_, rest)| rest);
    let _ = write!(page, "\n## What is not supported, and why\n{reasons}");
    page
}

fn cases(page: &mut String, report: &Report) {
    let versions: BTreeSet<&str> = report.judged.iter().map(|judged| judged.case.version.as_str()).collect();
    let mut cells: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for judged in &report.judged {
        let cell = cells.entry((judged.case.profile(), &judged.case.version)).or_default();
        cell.0 += usize::from(judged.outcome == Outcome::Passed);
        cell.1 += 1;
    }
    let (passed, failed) = report.counts();
    let _ = write!(page, "\n## OASIS cases: {passed} of {} pass\n\n| profile |", passed + failed);
    header(page, versions.iter().map(|version| (*version).to_owned()));
    for profile in cells.keys().map(|(profile, _)| *profile).collect::<BTreeSet<_>>() {
        let _ = write!(page, "| {profile} |");
        for version in &versions {
            let cell = cells.get(&(profile, *version));
            let _ = write!(page, " {} |", cell.map_or_else(String::new, |(passed, all)| format!("{passed}/{all}")));
        }
        page.push('\n');
    }
}

fn operations(page: &mut String, offer: &Offer, report: &Report) {
    let mut proofs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for judged in report.judged.iter().filter(|judged| judged.outcome == Outcome::Passed) {
        for operation in &judged.operations {
            proofs.entry(operation).or_default().insert(&judged.case.id);
        }
    }
    page.push_str(
        "\n## Operations\n\nyes: offered; no: the version has it and this server does not offer it; empty: the version \
         does not have it. The last column counts the passing OASIS cases that use it.\n\n| operation |",
    );
    header(page, offer.versions.iter().map(ToString::to_string).chain(["cases".to_owned()]));
    for operation in Operation::ALL {
        let _ = write!(page, "| {} |", operation.text());
        for version in &offer.versions {
            let cell = match (Offer::cell(&offer.operations, *version, operation), operation.is_known_to(*version)) {
                (true, _) => "yes",
                (false, true) => "no",
                (false, false) => "",
            };
            let _ = write!(page, " {cell} |");
        }
        let _ = writeln!(page, " {} |", proofs.get(operation.xml_name()).map_or(0, BTreeSet::len));
    }
}

fn objects(page: &mut String, offer: &Offer) {
    page.push_str("\n## Object types\n\n| object type |");
    header(page, offer.versions.iter().map(ToString::to_string));
    for object in ObjectType::ALL {
        let _ = write!(page, "| {} |", object.text());
        for version in &offer.versions {
            let cell = match (Offer::cell(&offer.objects, *version, object), object.is_known_to(*version)) {
                (true, _) => "yes",
                (false, true) => "no",
                (false, false) => "",
            };
            let _ = write!(page, " {cell} |");
        }
        page.push('\n');
    }
}

fn attributes(page: &mut String, offer: &Offer) {
    page.push_str(
        "\n## Attributes\n\nThe server obeys these rules as data; a test walks them. c: a client may set it, m: modify \
         it, d: delete it, +: several instances, *: under a condition that the specification names.\n\n| attribute |",
    );
    header(page, offer.versions.iter().map(ToString::to_string));
    for rules in ATTRIBUTE_RULES {
        let _ = write!(page, "| {} |", rules.name);
        for version in &offer.versions {
            let known = version.is_within(rules.since, rules.until);
            let _ = write!(page, " {} |", if known { letters(rules) } else { String::new() });
        }
        page.push('\n');
    }
}

fn letters(rules: &AttributeRules) -> String {
    let marks = [
        (rules.set_by_client, None, "c"),
        (rules.modifiable_by_client, rules.modifiable_by_client_if, "m"),
        (rules.deletable_by_client, rules.deletable_by_client_if, "d"),
        (rules.multiple_instances, rules.multiple_instances_if, "+"),
    ];
    let mut text = String::new();
    for (holds, condition, letter) in marks {
        if holds || condition.is_some() {
            text.push_str(letter);
            text.push_str(if condition.is_some() { "*" } else { "" });
        }
    }
    if text.is_empty() { "server".to_owned() } else { text }
}

fn failures(page: &mut String, report: &Report) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Judged { case, verdict, .. } in &report.judged {
        if let Verdict::ExpectedFailure(reason) = verdict {
            reasons.entry(reason).or_default().push(&case.id);
        }
    }
    page.push_str("\n## Cases that do not pass\n\n");
    if reasons.is_empty() {
        page.push_str("None.\n");
    }
    for (reason, cases) in reasons {
        let _ = writeln!(page, "- {reason}\n  {}", cases.join(", "));
    }
}

/// The rest of a table's first line, and the line under it.
fn header(page: &mut String, columns: impl Iterator<Item = String>) {
    let mut rule = String::from("|---|");
    for column in columns {
        let _ = write!(page, " {column} |");
        rule.push_str("---|");
    }
    let _ = writeln!(page, "\n{rule}");
}
