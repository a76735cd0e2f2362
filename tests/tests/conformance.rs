//! The OASIS cases against a real node, and the runner itself: an expectation that is corrupted must fail.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::PathBuf;

use kmip::ttlv::ItemType;
use kmip::xml::Element;
use system_tests::node::Node;
use system_tests::oasis::{Case, Outcome, Recorder, Recording, Values, Way, equivalence, find, play, run};

/// A case of our own, so that the runner is tested where the OASIS cases are not.
const SAMPLE: &str = include_str!("../oasis/sample.xml");

/// The folder of the OASIS cases, which are not part of this tree.
fn cases() -> Option<PathBuf> {
    let dir = std::env::var_os("KMIP_CONFORMANCE_DIR").filter(|dir| !dir.is_empty());
    if dir.is_none() {
        println!("not run: KMIP_CONFORMANCE_DIR does not say where the OASIS test cases are");
    }
    dir.map(PathBuf::from)
}

#[test]
fn required_cases_pass_and_no_failure_is_unexpected() {
    let Some(dir) = cases() else { return };
    let node = Node::start().unwrap();
    let report = run::run(&node, &dir, Way::AsWritten, &|_| true).unwrap();
    println!("{report}");
    assert!(report.is_good());
    assert!(report.test_cases().is_enough(), "{}", report.test_cases());
    assert!(!report.absent.is_empty() || report.counts().0 >= 4 * 19, "fewer passed than are required");
}

#[test]
fn every_case_passes_in_every_way() {
    let Some(dir) = cases() else { return };
    let node = Node::start().unwrap();
    for way in Way::ALL.into_iter().filter(|way| *way != Way::AsWritten) {
        let report = run::run(&node, &dir, way, &|_| true).unwrap();
        assert!(report.is_good(), "{}:\n{report}", way.name());
    }
}

/// Held against each other, not against what the cases expect: cases that are expected to fail are in it, too.
#[test]
fn every_encoding_gets_the_same_answers() {
    let Some(dir) = cases() else { return };
    let node = Node::start().unwrap();
    let found = equivalence::run(&node, &dir).unwrap();
    println!("{} cases, {} answers compared", found.cases, found.answers);
    assert!(found.differences.is_empty(), "{:#?}", found.differences);
    assert!(found.answers > found.cases * 3, "{} answers of {} cases", found.answers, found.cases);
}

/// Plays a case against a node and keeps the answers.
fn recorded(node: &Node, case: &Case) -> (Outcome, Recording, Values) {
    let tenant = node.tenant("recorded", "legacy").unwrap();
    let mut connection = node.connect(&tenant.identity).unwrap();
    let mut recorder = Recorder::new(&mut connection);
    let values = Values::new();
    let outcome = play(case, &mut recorder, &mut values.clone());
    (outcome, recorder.answers, values)
}

fn replayed(case: &Case, answers: &Recording, values: &Values) -> Outcome {
    // The clock of the recording, since answers hold the dates that its requests set.
    play(case, &mut answers.clone(), &mut values.clone())
}

/// What can be wrong with an expectation.
#[derive(Clone, Copy, Debug)]
enum Corruption {
    /// Another value.
    Value,
    /// The element is not there.
    Missing,
    /// The element is there twice.
    Twice,
    /// Another type.
    Type,
}

const CORRUPTIONS: [Corruption; 4] = [Corruption::Value, Corruption::Missing, Corruption::Twice, Corruption::Type];

impl Corruption {
    /// Applies it to the child number `at` of `parent`; `false` where it does not apply.
    fn apply(self, parent: &mut Element, at: usize) -> bool {
        let child = &mut parent.children[at];
        match self {
            Self::Value => match other_value(child) {
                Some(value) => child.value = Some(value),
                None => return false,
            },
            Self::Missing => {
                parent.children.remove(at);
            }
            Self::Twice => {
                let twin = child.clone();
                parent.children.insert(at, twin);
            }
            Self::Type => {
                if child.item_type == ItemType::Structure {
                    return false;
                }
                child.item_type =
                    if child.item_type == ItemType::Interval { ItemType::LongInteger } else { ItemType::Interval };
                child.value = Some("7".to_owned());
            }
        }
        true
    }
}

/// A value of the same type that says something else.
fn other_value(element: &Element) -> Option<String> {
    let value = element.value.as_deref()?;
    Some(match element.item_type {
        ItemType::Structure | ItemType::BigInteger => return None,
        ItemType::Integer | ItemType::LongInteger | ItemType::Interval => match value.parse::<i64>() {
            Ok(number) => (number + 1).to_string(),
            // A mask: a bit less or more.
            Err(_) => "Sign".to_owned(),
        },
        ItemType::Enumeration => "0x00000063".to_owned(),
        ItemType::Boolean => (value != "true").to_string(),
        ItemType::TextString => format!("{}-corrupted", value.trim_start_matches('$')),
        ItemType::ByteString => {
            let first = if value.starts_with('f') || value.starts_with('F') { "0" } else { "f" };
            format!("{first}{}", value.get(1..).unwrap_or("0"))
        }
        ItemType::DateTime | ItemType::DateTimeExtended => "1999-12-31T23:59:59+00:00".to_owned(),
    })
}

/// What the list of permitted variations lets differ, so that corrupting it goes unnoticed, as it should.
fn is_permitted(corruption: Corruption, path: &[String], element: &Element) -> bool {
    let inside = |name: &str| path.iter().any(|part| part == name);
    let name = element.name.as_str();
    match name {
        // There or not, and with any text.
        "ResultMessage" | "ServerCorrelationValue" => true,
        "TimeStamp" => matches!(corruption, Corruption::Value),
        // A literal in the place of a placeholder stands for the server's own identifier.
        "UniqueIdentifier" => matches!(corruption, Corruption::Value),
        "VendorIdentification" | "HashingAlgorithm" | "DigestValue" | "KeyFormatType" | "KeyMaterial" => {
            matches!(corruption, Corruption::Value)
        }
        // Indexes of 0 and Query's superset: one more of the same changes nothing.
        "AttributeIndex" => element.value.as_deref() == Some("0"),
        "Operation" | "ObjectType" if inside("ResponsePayload") => {
            matches!(corruption, Corruption::Missing | Corruption::Twice)
        }
        "ServerInformation" | "ApplicationNamespace" => true,
        _ if inside("ServerInformation") => true,
        // Get Attribute List may have more names, and Get Attributes more attributes where none was named.
        "AttributeName" if !inside("Attribute") => matches!(corruption, Corruption::Missing | Corruption::Twice),
        "Attribute" => matches!(corruption, Corruption::Missing),
        // Dates that no request fixed, and identifiers as attributes.
        "AttributeValue" => {
            matches!(corruption, Corruption::Value) && element.item_type == ItemType::DateTime
                || element.value.as_deref().is_some_and(|value| value.starts_with('$'))
        }
        _ => false,
    }
}

/// Path, corruption, the element as it was, the corrupted case.
type Visit<'a> = &'a mut dyn FnMut(&[String], Corruption, &Element, &Case);

/// Every element of every expected answer, each corrupted in every way.
fn each_corruption(case: &Case, visit: Visit<'_>) {
    for step in 0..case.steps.len() {
        let mut paths: Vec<Vec<usize>> = Vec::new();
        collect(&case.steps[step].response, &mut Vec::new(), &mut paths);
        for path in paths {
            for corruption in CORRUPTIONS {
                let mut corrupted = case.clone();
                let (mut names, mut parent) = (Vec::new(), &mut corrupted.steps[step].response);
                let (last, above) = path.split_last().unwrap();
                for at in above {
                    names.push(parent.name.clone());
                    parent = &mut parent.children[*at];
                }
                names.push(parent.name.clone());
                let original = parent.children[*last].clone();
                if corruption.apply(parent, *last) {
                    visit(&names, corruption, &original, &corrupted);
                }
            }
        }
    }
}

fn collect(element: &Element, here: &mut Vec<usize>, paths: &mut Vec<Vec<usize>>) {
    for (at, child) in element.children.iter().enumerate() {
        here.push(at);
        paths.push(here.clone());
        collect(child, here, paths);
        here.pop();
    }
}

#[test]
fn a_corrupted_expectation_fails_on_the_wire() {
    let node = Node::start().unwrap();
    let sample = Case::parse("sample", SAMPLE).unwrap();
    assert_eq!(recorded(&node, &sample).0, Outcome::Passed);
    // By hand, on a node that answers anew, what a server could get wrong.
    type Corrupt = fn(&mut Case);
    let corrupt: [(&str, Corrupt); 8] = [
        ("a value", |case| *attribute(case, "x-Colour") = "red".to_owned()),
        ("a mask", |case| *attribute(case, "Cryptographic Usage Mask") = "Encrypt".to_owned()),
        ("a date that was sent", |case| *attribute(case, "Activation Date") = "$NOW-61".to_owned()),
        ("key material", |case| {
            let payload = &mut case.steps[1].response.children[1].children[3];
            let material = &mut payload.children[2].children[0].children[1].children[0];
            assert_eq!(material.name, "KeyMaterial");
            material.value = Some("000102030405060708090a0b0c0d0e10".to_owned());
        }),
        ("a status", |case| item(case, 0).children[2].value = Some("OperationFailed".to_owned())),
        ("a reason", |case| item(case, 2).children[2].value = Some("ItemNotFound".to_owned())),
        ("a missing element", |case| {
            item(case, 0).children.pop();
        }),
        ("an extra batch item", |case| {
            let twin = item(case, 0).clone();
            case.steps[0].response.children.push(twin);
        }),
    ];
    for (what, corrupt) in corrupt {
        let mut case = sample.clone();
        corrupt(&mut case);
        let (outcome, ..) = recorded(&node, &case);
        assert!(matches!(outcome, Outcome::Failed { step: 1.., .. }), "{what}: {outcome:?}");
    }
}

fn item(case: &mut Case, step: usize) -> &mut Element {
    &mut case.steps[step].response.children[1]
}

fn attribute<'a>(case: &'a mut Case, name: &str) -> &'a mut String {
    let payload = &mut case.steps[1].response.children[2].children[3];
    assert_eq!(payload.name, "ResponsePayload");
    let attribute = payload
        .children
        .iter_mut()
        .find(|child| child.child("AttributeName").is_some_and(|child| child.value.as_deref() == Some(name)))
        .unwrap();
    attribute.children[1].value.as_mut().unwrap()
}

#[test]
fn every_corruption_of_every_element_is_noticed_unless_it_is_permitted() {
    let node = Node::start().unwrap();
    let mut all = vec![Case::parse("sample", SAMPLE).unwrap()];
    // With the OASIS cases at hand, those that pass too.
    if let Some(dir) = cases() {
        let wanted = ["SKLC-M-3-11", "SKFF-M-9-14", "OMOS-M-1-12", "TL-M-1-10", "SASED-M-1-14"];
        let files = find(&dir).unwrap();
        all.extend(files.iter().filter(|file| wanted.contains(&file.stem())).map(|file| file.read().unwrap()));
    }
    let (mut noticed, mut permitted) = (0, 0);
    for case in &all {
        let (outcome, answers, values) = recorded(&node, case);
        assert_eq!(outcome, Outcome::Passed, "{}", case.id);
        assert_eq!(replayed(case, &answers, &values), Outcome::Passed, "{}", case.id);
        each_corruption(
            case,
            &mut |path, corruption, element, corrupted| match replayed(corrupted, &answers, &values) {
                Outcome::Failed { .. } => noticed += 1,
                Outcome::Passed if is_permitted(corruption, path, element) => permitted += 1,
                Outcome::Passed => {
                    panic!("{}: {corruption:?} of {}/{} went unnoticed", case.id, path.join("/"), element.name);
                }
            },
        );
    }
    println!("{noticed} corruptions noticed, {permitted} permitted");
    assert!(noticed > 150 && noticed > 4 * permitted, "{noticed} noticed, {permitted} permitted");
}
