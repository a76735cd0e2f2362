//! The page `docs/kmip-coverage.md`: what a running node says it offers, and which OASIS cases prove it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use kmip::ProtocolVersion;
use kmip::attribute::AttributeKind;
use kmip::payload::{DiscoverVersionsRequest, QueryRequest};
use kmip::registry::{ATTRIBUTE_RULES, AttributeRules, ObjectType, Operation, QueryFunction};

use policy::attributes::deviations;

use crate::answered::Answered;
use crate::node::{Node, Result, repository};
use crate::oasis::{Judged, Kind, Outcome, Reason, Report, Verdict, World, Worlds};

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

    /// Operations that are offered in a version, and that neither a case which passes nor a test program of ours asks.
    #[must_use]
    pub fn unasked(&self, report: &Report, own: &Answered) -> Vec<String> {
        let proofs = proofs(report);
        let mut unasked = Vec::new();
        for (version, operations) in &self.operations {
            let words = version.to_string();
            let is_asked = |operation: &Operation| {
                proofs.contains_key(&(operation.xml_name(), words.as_str()))
                    || !own.programs(*operation, *version).is_empty()
            };
            let of_version = operations.iter().filter(|operation| !is_asked(operation));
            unasked.extend(of_version.map(|operation| format!("{operation} {version}")));
        }
        unasked
    }

    fn cell<T: Ord>(offered: &BTreeMap<ProtocolVersion, BTreeSet<T>>, version: ProtocolVersion, one: &T) -> bool {
        offered.get(&version).is_some_and(|all| all.contains(one))
    }
}

/// The whole page.
///
/// # Errors
/// Of reading `tests/answered.txt`.
pub fn page(offer: &Offer, report: &Report) -> Result<String> {
    let own = Answered::of_this_tree()?;
    let mut page = String::from(
        "# KMIP coverage\n\n\
         Written by `make coverage` from a running node and the OASIS test cases; not edited by hand. A case passes \
         under the strict comparison: only what the profiles list as permitted variations may differ.\n",
    );
    cases(&mut page, report, &Worlds::of_this_tree()?);
    operations(&mut page, offer, report, &own);
    objects(&mut page, offer);
    attributes(&mut page, offer);
    failures(&mut page, report);
    let reasons = UNSUPPORTED.split_once('\n').map_or("", |(_, rest)| rest);
    let _ = write!(page, "\n## What is not supported, and why\n{reasons}");
    Ok(page)
}

/// Where the page lies.
#[must_use]
pub fn path() -> PathBuf {
    repository().join("docs/kmip-coverage.md")
}

/// Sections that are in one page and otherwise in the other, by their headings. Without the OASIS cases only those are
/// compared that do not speak of them.
#[must_use]
pub fn stale(committed: &str, fresh: &str, with_cases: bool) -> Vec<String> {
    const OF_CASES: [&str; 3] = ["OASIS cases", "Operations", "Cases that do not pass"];
    let sections = |page: &str| -> BTreeMap<String, String> {
        let sections = page.split("\n## ").filter_map(|section| section.split_once('\n'));
        // The heading of the first one counts the cases.
        let name = |heading: &str| heading.split(':').next().unwrap_or_default().to_owned();
        sections.map(|(heading, text)| (name(heading), format!("{heading}\n{text}"))).collect()
    };
    let (committed, fresh) = (sections(committed), sections(fresh));
    let all: BTreeSet<&String> = committed.keys().chain(fresh.keys()).collect();
    all.into_iter()
        .filter(|name| with_cases || !OF_CASES.contains(&name.as_str()))
        .filter(|name| committed.get(*name) != fresh.get(*name))
        .cloned()
        .collect()
}

fn cases(page: &mut String, report: &Report, worlds: &Worlds) {
    let versions: BTreeSet<&str> = report.judged.iter().map(|judged| judged.case.version.as_str()).collect();
    let mut cells: BTreeMap<(&str, &str), (usize, usize, bool)> = BTreeMap::new();
    for judged in &report.judged {
        let (passed, all, stated) = cells.entry((judged.case.profile(), &judged.case.version)).or_default();
        *passed += usize::from(judged.outcome == Outcome::Passed);
        *all += 1;
        *stated |= worlds.of(&judged.case).is_some_and(World::is_stated);
    }
    let (passed, failed) = report.counts();
    let _ = write!(page, "\n## OASIS cases: {passed} of {} pass\n\n| profile |", passed + failed);
    header(page, versions.iter().map(|version| (*version).to_owned()));
    for profile in cells.keys().map(|(profile, _)| *profile).collect::<BTreeSet<_>>() {
        let _ = write!(page, "| {profile} |");
        for version in &versions {
            let cell = cells.get(&(profile, *version));
            let _ = write!(
                page,
                " {} |",
                cell.map_or_else(String::new, |(passed, all, stated)| {
                    format!("{passed}/{all}{}", if *stated { " †" } else { "" })
                })
            );
        }
        page.push('\n');
    }
    let _ = writeln!(page, "\n†: some of them on a node whose operator states what they presuppose, see below.");
    let _ = writeln!(page, "\nTest cases (TC): {}.", report.test_cases());
    page.push_str(
        "\nCases are played as a tenant under the policy `legacy` that is allowed everything, because they use what \
         `anssi` refuses. Some presuppose more of their world, and get it (`tests/oasis/worlds.toml`). A Put of a key that the server \
         made brings that key and its digest, which whoever puts it has asked for before:\n\n",
    );
    for line in worlds.told() {
        let _ = writeln!(page, "- {line}");
    }
}

/// By operation and version, the cases that pass.
fn proofs(report: &Report) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut proofs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for judged in report.judged.iter().filter(|judged| judged.outcome == Outcome::Passed) {
        let version = judged.protocol.as_deref().unwrap_or_default();
        for operation in &judged.operations {
            proofs.entry((operation, version)).or_default().insert(&judged.case.id);
        }
    }
    proofs
}

fn operations(page: &mut String, offer: &Offer, report: &Report, own: &Answered) {
    let proofs = proofs(report);
    let _ = write!(
        page,
        "\n## Operations\n\nyes: offered, with the number of passing OASIS cases of that version that use it and, after the \
         dot, of our own test programs in which it succeeds in that version; no: the version has it and this server does \
         not offer it; empty: the version does not have it. The programs are noted by the servers of a whole test run \
         (`tests/answered.txt`); those whose requests are random are not counted.\n\n| operation |"
    );
    header(page, offer.versions.iter().map(ToString::to_string).chain(["own tests".to_owned()]));
    for operation in Operation::ALL {
        let _ = write!(page, "| {} |", operation.text());
        for version in &offer.versions {
            let cases = proofs.get(&(operation.xml_name(), version.to_string().as_str())).map_or(0, BTreeSet::len);
            let programs = own.programs(*operation, *version).len();
            let cell = match (Offer::cell(&offer.operations, *version, operation), operation.is_known_to(*version)) {
                (true, _) => format!("yes {cases} · {programs}"),
                (false, true) => "no".to_owned(),
                (false, false) => String::new(),
            };
            let _ = write!(page, " {cell} |");
        }
        let asked: BTreeSet<&str> = offer.versions.iter().flat_map(|one| own.programs(*operation, *one)).collect();
        let _ = writeln!(page, " {} |", asked.into_iter().collect::<Vec<_>>().join(", "));
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
         it, d: delete it, +: several instances, *: under a condition that the specification names, †: the server is \
         right to do otherwise in something, see below.\n\n| attribute |",
    );
    header(page, offer.versions.iter().map(ToString::to_string));
    for rules in ATTRIBUTE_RULES {
        let mark = if deviates(rules) { " †" } else { "" };
        let _ = write!(page, "| {}{mark} |", rules.name);
        for version in &offer.versions {
            let known = version.is_within(rules.since, rules.until);
            let _ = write!(page, " {} |", if known { letters(rules) } else { String::new() });
        }
        page.push('\n');
    }
    page.push_str("\nWhere the server does otherwise than the tables (`policy/src/attributes/deviations.rs`):\n\n");
    let names = |kinds: &[AttributeKind]| kinds.iter().map(|kind| kind.text()).collect::<Vec<_>>().join(", ");
    for one in deviations::TYPES {
        let _ = writeln!(page, "- objects that have {}: {}", names(one.kinds), one.why);
    }
    for one in deviations::IMPLICIT {
        let _ = writeln!(page, "- operations that set {}: {}", names(one.kinds), one.why);
    }
}

/// Whether a deviation names the attribute.
fn deviates(rules: &AttributeRules) -> bool {
    let types = deviations::TYPES.iter().flat_map(|one| one.kinds);
    let mut kinds = types.chain(deviations::IMPLICIT.iter().flat_map(|one| one.kinds));
    kinds.any(|kind| kind.text() == rules.name)
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
    let mut reasons: BTreeMap<&Reason, Vec<String>> = BTreeMap::new();
    for Judged { case, verdict, outcome, .. } in &report.judged {
        if let (Verdict::ExpectedFailure(reason), Outcome::Failed { step, .. }) = (verdict, outcome) {
            reasons.entry(reason).or_default().push(format!("{} (step {step})", case.id));
        }
    }
    page.push_str("\n## Cases that do not pass\n");
    if reasons.is_empty() {
        page.push_str("\nNone.\n");
    }
    for kind in Kind::ALL {
        let of_kind: Vec<_> = reasons.iter().filter(|(reason, _)| reason.kind == kind).collect();
        let cases: usize = of_kind.iter().map(|(_, cases)| cases.len()).sum();
        let heading = match kind {
            Kind::Broken => "Broken as published",
            Kind::NotOffered => "Played from the other end: a server asks or tells a client",
            Kind::Choice => "Left to the server by the specification",
        };
        if cases > 0 {
            let _ = writeln!(page, "\n### {heading}: {cases}\n");
        }
        for (reason, cases) in of_kind {
            let _ = writeln!(page, "- {}\n  {}", reason.text, cases.join(", "));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_stale_where_a_section_differs() {
        let page = |cases: &str, attributes: &str| {
            format!("# KMIP coverage\n\nWords.\n\n## OASIS cases: {cases} pass\n\nx\n\n## Attributes\n\n{attributes}\n")
        };
        let none: [&str; 0] = [];
        assert_eq!(stale(&page("1", "a"), &page("1", "a"), true), none);
        assert_eq!(stale(&page("1", "a"), &page("2", "a"), true), ["OASIS cases"]);
        assert_eq!(stale(&page("1", "a"), &page("2", "a"), false), none);
        assert_eq!(stale(&page("1", "a"), &page("1", "b"), false), ["Attributes"]);
    }
}
