//! The registry as text, to be held against the standard: `tests/golden/registry.txt`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use kmip::ProtocolVersion;
use kmip::registry::{
    ALL_TABLES, ATTRIBUTE_RULES, CryptographicAlgorithm, Operation, ResultReason, State, Table, Tag, UsageMask, XmlName,
};

fn print_table(table: &Table, out: &mut String) {
    let _ = writeln!(out, "\n## {}", table.text);
    for row in table.rows {
        let until = row.until.map_or(String::new(), |until| format!(" to {until}"));
        let since = row.since;
        let _ = write!(out, "{:#010x}  {:<58} {:<58} {since}{until}", row.value, row.text, row.xml_name);
        for other in row.other_xml_names {
            let _ = write!(out, "  also {other}");
        }
        out.push('\n');
    }
}

fn print_rules(out: &mut String) {
    out.push_str("\n## Attribute rules\n");
    for rules in ATTRIBUTE_RULES {
        let until = rules.until.map_or(String::new(), |until| format!(" to {until}"));
        let _ = writeln!(out, "{}  {}{until}", rules.name, rules.since);
        let set_by = match (rules.set_by_server, rules.set_by_client) {
            (true, true) => "server, client",
            (true, false) => "server",
            (false, true) => "client",
            (false, false) => "nobody",
        };
        let _ = writeln!(out, "    set by {set_by}");
        let names = |texts: Vec<&str>| if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") };
        let operations = rules.implicitly_set_by.iter().map(|operation| operation.text()).collect();
        let _ = writeln!(out, "    implicitly by {}", names(operations));
        for span in rules.applies_to {
            let until = span.until.map_or(String::new(), |until| format!(" to {until}"));
            let types = names(span.types.iter().map(|one| one.text()).collect());
            let _ = writeln!(out, "    applies {}{until} to {types}", span.since);
        }
        for (what, yes, condition) in [
            ("always has a value", rules.always_has_value, rules.always_has_value_if),
            ("modifiable by server", rules.modifiable_by_server, rules.modifiable_by_server_if),
            ("modifiable by client", rules.modifiable_by_client, rules.modifiable_by_client_if),
            ("deletable by client", rules.deletable_by_client, rules.deletable_by_client_if),
            ("multiple instances", rules.multiple_instances, rules.multiple_instances_if),
        ] {
            if yes {
                let _ = writeln!(out, "    {what}{}", condition.map_or(String::new(), |text| format!(" if: {text}")));
            }
        }
    }
}

#[test]
fn the_registry_is_the_one_that_was_reviewed() {
    let mut out = String::from("# Numbers and names of KMIP 1.0 to 2.1: value, name, name in XML, versions\n");
    print_table(&Tag::TABLE, &mut out);
    for table in ALL_TABLES {
        print_table(table, &mut out);
    }
    print_rules(&mut out);
    let out: String = out.lines().map(|line| format!("{}\n", line.trim_end())).collect();

    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/registry.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    let differing = golden.lines().zip(out.lines()).position(|(golden, now)| golden != now);
    if let Some(line) = differing {
        panic!("line {} of {} differs; UPDATE_GOLDEN=1 rewrites the file", line + 1, path.display());
    }
    assert_eq!(golden.len(), out.len(), "{} has more or fewer lines", path.display());
}

#[test]
fn a_table_gives_each_number_and_each_name_once() {
    for table in ALL_TABLES.iter().copied().chain([&Tag::TABLE]) {
        assert!(table.rows.is_sorted_by(|a, b| a.value < b.value), "{}", table.text);
        let mut names = BTreeSet::new();
        for row in table.rows {
            assert!(names.insert(row.xml_name), "{}: {} twice", table.text, row.xml_name);
            for other in row.other_xml_names {
                assert!(names.insert(other), "{}: {other} twice", table.text);
            }
            assert_eq!(table.value_of_xml_name(row.xml_name), Some(row.value));
            assert_eq!(table.row(row.value).map(|found| found.text), Some(row.text));
            assert_eq!(XmlName::of(row.text).as_str(), row.xml_name);
        }
    }
}

#[test]
fn numbers_become_variants_and_unknown_numbers_are_named() {
    for state in State::ALL {
        assert_eq!(State::try_from(state.value()), Ok(*state));
    }
    let unknown = State::try_from(7).unwrap_err();
    assert_eq!(unknown.to_string(), "State has no value 0x00000007");
    assert_eq!(CryptographicAlgorithm::from_xml_name("DES3"), Some(CryptographicAlgorithm::TripleDes));
    assert_eq!(ResultReason::GeneralFailure.value(), 0x100);
}

#[test]
fn versions_are_those_in_which_the_standard_lists_a_value() {
    assert_eq!(Operation::DiscoverVersions.since(), ProtocolVersion::V1_1);
    assert!(!Operation::Encrypt.is_known_to(ProtocolVersion::V1_1));
    assert!(Operation::Encrypt.is_known_to(ProtocolVersion::V1_2));
    assert_eq!(ResultReason::IllegalOperation.until(), Some(ProtocolVersion::V1_4));
    assert_eq!(Tag::ATTRIBUTE_INDEX.until(), Some(ProtocolVersion::V1_4));
    assert_eq!(Tag(0x54_0001).since(), None);
}

#[test]
fn masks_print_their_names_and_keep_bits_without_a_name() {
    let mask = UsageMask::ENCRYPT | UsageMask::DECRYPT;
    assert_eq!(mask.to_string(), "Encrypt | Decrypt");
    assert!(mask.contains(UsageMask::ENCRYPT) && !mask.contains(UsageMask::SIGN));
    assert_eq!(UsageMask(0x4000_0001).to_string(), "Sign | 0x40000000");
}
