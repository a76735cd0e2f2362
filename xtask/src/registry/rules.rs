//! The rules of each attribute ("SHALL always have a value", "Modifiable by client", …) as Rust data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{VERSIONS, generated};

/// A heading of the attribute chapter that the extraction took for an attribute.
const NO_ATTRIBUTE: &str = "Object Attributes";

/// One section for 24 attributes with the same rules (KMIP 2.1 §4.6).
const CERTIFICATE_ATTRIBUTES: &str = "Certificate Attributes";

/// The version that gave them their tags, though no section; the published test cases of 1.4 ask for them.
const CERTIFICATE_ATTRIBUTES_SINCE: usize = 4;

/// The rules of one attribute as 1.x has them (its latest version), or 2.x where 1.x has no such attribute.
pub(super) struct Rules {
    first: usize,
    last: usize,
    answers: BTreeMap<String, String>,
}

pub(super) fn collect(sources: &[Value]) -> Result<BTreeMap<String, Rules>, String> {
    let mut all: BTreeMap<String, Rules> = BTreeMap::new();
    for (version, source) in sources.iter().enumerate() {
        for (name, table) in source["attribute_rules"].as_object().ok_or("no attribute rules")? {
            if name == NO_ATTRIBUTE {
                continue;
            }
            let mut answers = BTreeMap::new();
            for (question, answer) in table.as_object().ok_or("rules are not a table")? {
                // One heading of 1.4 writes "Shall" in small letters.
                answers.insert(question.to_ascii_lowercase(), answer.as_str().unwrap_or_default().to_owned());
            }
            if name == CERTIFICATE_ATTRIBUTES {
                let items = source["structures"][name].as_array().ok_or("certificate attributes are no table")?;
                for name in items.iter().filter_map(|item| item["item"].as_str()) {
                    let rules = Rules { first: CERTIFICATE_ATTRIBUTES_SINCE, last: version, answers: answers.clone() };
                    all.insert(name.to_owned(), rules);
                }
                continue;
            }
            let rules = all.entry(name.clone()).or_insert_with(|| Rules {
                first: version,
                last: version,
                answers: BTreeMap::new(),
            });
            rules.last = version;
            // 2.x rewrote the tables; a client of 1.x is held to those of 1.4, which 2.x loosens nowhere that matters.
            if version < 5 || rules.first >= 5 {
                rules.answers = answers;
            }
        }
    }
    Ok(all)
}

/// An answer of the tables: yes or no, and the condition of a conditional yes. `No, but …` is no.
struct Answer {
    yes: bool,
    condition: Option<String>,
}

fn answer(text: &str) -> Result<Answer, String> {
    match text.strip_prefix("Yes") {
        None if text == "No" || text.starts_with("No, but") => Ok(Answer { yes: false, condition: None }),
        None => Err(format!("neither yes nor no: {text:?}")),
        Some("") => Ok(Answer { yes: true, condition: None }),
        Some(rest) => {
            let condition = rest.trim_start_matches([',', ' ', '(']).trim_end_matches(['.', ')']);
            Ok(Answer { yes: true, condition: Some(condition.to_owned()) })
        }
    }
}

pub(super) fn source(all: &BTreeMap<String, Rules>) -> Result<String, String> {
    let mut source = generated("What the specification lets server and client do with each attribute.");
    source.push_str("use crate::registry::AttributeRules;\nuse crate::version::ProtocolVersion;\n\n");
    source.push_str(
        "/// Rules of every attribute of 1.0 to 2.1, in alphabetical order. KMIP 1.4 §3, 2.1 §4.\n\
         pub static ATTRIBUTE_RULES: &[AttributeRules] = &[\n",
    );
    for (name, rules) in all {
        let get = |question: &str| {
            rules.answers.get(question).map(String::as_str).ok_or_else(|| format!("{name}: no answer to {question:?}"))
        };
        let set_by = get("initially set by")?;
        let until = if rules.last == VERSIONS.len() - 1 {
            "None".to_owned()
        } else {
            format!("Some(ProtocolVersion::{})", VERSIONS[rules.last].1)
        };
        let _ = writeln!(source, "    AttributeRules {{\n        name: {name:?},");
        let _ =
            writeln!(source, "        since: ProtocolVersion::{},\n        until: {until},", VERSIONS[rules.first].1);
        let (by_server, by_client) = (set_by.contains("Server"), set_by.contains("Client"));
        let _ = writeln!(source, "        set_by_server: {by_server},\n        set_by_client: {by_client},");
        for (field, question) in [
            ("always_has_value", "shall always have a value"),
            ("modifiable_by_server", "modifiable by server"),
            ("modifiable_by_client", "modifiable by client"),
            ("deletable_by_client", "deletable by client"),
            ("multiple_instances", "multiple instances permitted"),
        ] {
            let Answer { yes, condition } = answer(get(question)?)?;
            let _ = writeln!(source, "        {field}: {yes},\n        {field}_if: {condition:?},");
        }
        let implicitly = rules.answers.get("when implicitly set").map_or("", String::as_str);
        let _ = writeln!(source, "        implicitly_set_by: {implicitly:?},");
        let _ = writeln!(source, "        applies_to: {:?},\n    }},", get("applies to object types")?);
    }
    source.push_str("];\n");
    Ok(source)
}
