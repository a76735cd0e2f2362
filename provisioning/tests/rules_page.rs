//! docs/rules.md is what the rules say of themselves; UPDATE_GOLDEN=1 writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use provisioning::rule::{Check, Number, Rule};
use provisioning::rules;

const HEAD: &str = "\
# The rules

Made from the rules themselves (`UPDATE_GOLDEN=1 cargo nextest run -p provisioning -E 'binary(rules_page)'`); do not edit.

A number with a letter is one of several rules that a promise was taken apart into; a rule without a number is what an
operation itself needs. **reject**: the request is refused. **warn**: it goes through, and a person is told. **metric**: it
is measured over a month. **service request**: only the operator does it, when asked. **fact**: nothing can break it.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tests of a file, each with its text: from one `fn` behind `#[test]` to the next.
fn tests_in(text: &str) -> Vec<(&str, &str)> {
    let of = |part: &'_ str| -> Option<usize> { part.find("fn ") };
    text.split("#[test]\n")
        .skip(1)
        .filter_map(|part| {
            let name = part.get(of(part)? + 3..)?.split('(').next()?;
            Some((name, part))
        })
        .collect()
}

/// The name of the `static` of a rule, by which its tests name it.
fn static_of<'a>(text: &'a str, rule: &Rule) -> &'a str {
    let line = text.lines().find(|line| line.contains(&format!("\"{}\"", rule.id)) && line.contains(" = "));
    line.and_then(|line| line.trim().split(' ').next()).unwrap_or_default()
}

fn tests_of<'a>(text: &'a str, rule: &Rule) -> Vec<&'a str> {
    let name = format!("&{}", static_of(text, rule));
    let names = |body: &str| {
        body.match_indices(&name).any(|(at, _)| {
            let after = body[at + name.len()..].chars().next();
            !after.is_some_and(|one| one.is_alphanumeric() || one == '_')
        })
    };
    let mut tests = tests_in(text);
    tests.retain(|(_, body)| names(body));
    tests.into_iter().map(|(name, _)| name).collect()
}

/// What stands in a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn row(rule: &Rule, text: &str) -> String {
    let number = match rule.number {
        Number::Flow => "–".to_owned(),
        number => number.to_string(),
    };
    let built = match rule.check {
        Check::Built(by) => format!(" *Kept by: {}.*", cell(by)),
        _ => String::new(),
    };
    let file = rule.file.rsplit('/').next().unwrap_or_default();
    let tests: Vec<String> = tests_of(text, rule).iter().map(|test| format!("`{test}`")).collect();
    format!(
        "| {number} | `{}` | {} | {} | {}{built} | [{file}](../{}) | {} |\n",
        rule.id,
        rule.kind.text(),
        cell(rule.source),
        cell(rule.why),
        rule.file,
        tests.join(", "),
    )
}

fn page() -> String {
    let mut sorted: Vec<&Rule> = rules::all().to_vec();
    sorted.sort_by_key(|rule| rule.number);
    let mut sources = BTreeMap::new();
    for rule in &sorted {
        sources.insert(rule.file, fs::read_to_string(root().join(rule.file)).unwrap_or_default());
    }
    let promises = sorted.iter().filter(|rule| rule.number != Number::Flow);
    let flow = sorted.iter().filter(|rule| rule.number == Number::Flow);
    let table = "\n| number | rule | kind | the words that promise it | meaning | file | tests |\n|---|---|---|---|---|---|---|\n";
    let mut text = format!("{HEAD}\n## Promises\n{table}");
    promises.for_each(|rule| text.push_str(&row(rule, &sources[rule.file])));
    text.push_str(&format!("\n## What operations need\n{table}"));
    flow.for_each(|rule| text.push_str(&row(rule, &sources[rule.file])));
    text
}

#[test]
fn the_page_is_what_the_rules_say() {
    let path = root().join("docs/rules.md");
    let fresh = page();
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        fs::write(&path, &fresh).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == fresh, "docs/rules.md is not what the rules say");
}

#[test]
fn every_rule_has_a_test_that_names_it() {
    let mut untested = Vec::new();
    for rule in rules::all() {
        let text = fs::read_to_string(root().join(rule.file)).unwrap();
        assert!(!static_of(&text, rule).is_empty(), "{rule:?} has no static in {}", rule.file);
        if tests_of(&text, rule).is_empty() {
            untested.push(rule.id);
        }
    }
    assert_eq!(untested, [""; 0]);
}
