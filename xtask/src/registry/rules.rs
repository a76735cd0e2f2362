//! The rules of each attribute ("SHALL always have a value", "Modifiable by client", …) as Rust data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{VERSIONS, constant_case, generated};

/// A heading of the attribute chapter that the extraction took for an attribute.
const NO_ATTRIBUTE: &str = "Object Attributes";

/// One section for 24 attributes with the same rules (KMIP 2.1 §4.6).
const CERTIFICATE_ATTRIBUTES: &str = "Certificate Attributes";

/// The version that gave them their tags, though no section; the published test cases of 1.4 ask for them.
const CERTIFICATE_ATTRIBUTES_SINCE: usize = 4;

/// Operations after which there is a new object.
const MAKING: &[&str] =
    &["Create", "CreateKeyPair", "Register", "DeriveKey", "Certify", "ReCertify", "ReKey", "ReKeyKeyPair"];

/// Operations that put another object in the place of one.
const ROTATING: &[&str] = &["ReCertify", "ReKey", "ReKeyKeyPair"];

/// Occasions that the tables name in other words than those of an operation.
const OCCASIONS: [(&str, &[&str]); 10] = [
    ("N/A", &[]),
    ("Never", &[]),
    ("During Register operation", &["Register"]),
    ("When created or registered", MAKING),
    ("When object is created or registered", MAKING),
    ("When object is stored", MAKING),
    ("When object is rotated", ROTATING),
    ("When object is rotated by the server", ROTATING),
    // Memories of two attributes that are set with the object; afterwards they are changed, not set.
    ("When Never Extractable attribute is set or changed", MAKING),
    ("When Sensitive attribute is set or changed", MAKING),
];

/// Names of operations in the tables, and in the registry.
const OPERATIONS: [(&str, &str); 17] = [
    ("Create", "Create"),
    ("Create Key Pair", "CreateKeyPair"),
    ("Register", "Register"),
    ("Derive Key", "DeriveKey"),
    ("Certify", "Certify"),
    ("Re-certify", "ReCertify"),
    ("Re-key", "ReKey"),
    ("Re-key Key Pair", "ReKeyKeyPair"),
    ("Activate", "Activate"),
    ("Revoke", "Revoke"),
    ("Destroy", "Destroy"),
    ("Archive", "Archive"),
    ("Recover", "Recover"),
    ("Add Attribute", "AddAttribute"),
    ("Modify Attribute", "ModifyAttribute"),
    ("Delete Attribute", "DeleteAttribute"),
    ("Get Usage Allocation", "GetUsageAllocation"),
];

/// Managed Cryptographic Objects (KMIP 1.4 §2.2).
const CRYPTOGRAPHIC: &[&str] = &[
    "Certificate",
    "SymmetricKey",
    "PublicKey",
    "PrivateKey",
    "SplitKey",
    "SecretData",
    "PgpKey",
    "CertificateRequest",
];

/// Kinds of objects in the tables, and the object types that they are.
const OBJECT_TYPES: [(&str, &[&str]); 19] = [
    ("All Cryptographic Objects", CRYPTOGRAPHIC),
    ("Managed Cryptographic Objects", CRYPTOGRAPHIC),
    ("Asymmetric Keys", &["PublicKey", "PrivateKey"]),
    ("Keys", &["SymmetricKey", "PublicKey", "PrivateKey", "SplitKey", "PgpKey"]),
    ("Symmetric Keys", &["SymmetricKey"]),
    ("Symmetric Key", &["SymmetricKey"]),
    ("Private Keys", &["PrivateKey"]),
    ("Private Key", &["PrivateKey"]),
    ("Public Keys", &["PublicKey"]),
    ("Split Key", &["SplitKey"]),
    ("Split Keys of symmetric keys", &["SplitKey"]),
    ("Secret Data", &["SecretData"]),
    ("Certificates", &["Certificate"]),
    ("X.509 Certificates", &["Certificate"]),
    ("PGP keys", &["PgpKey"]),
    ("Opaque Object", &["OpaqueObject"]),
    ("Opaque Objects", &["OpaqueObject"]),
    ("Template", &["Template"]),
    ("Templates", &["Template"]),
];

/// What the tables call every type.
const ALL_OBJECTS: &str = "All Objects";

/// The rules of one attribute as 1.x has them (its latest version), or 2.x where 1.x has no such attribute.
pub(super) struct Rules {
    first: usize,
    last: usize,
    answers: BTreeMap<String, String>,
    /// What each version, in order, says of the objects that may have it.
    applies: Vec<(usize, String)>,
    /// Operations that set it without being told a value, in any version.
    implicitly: BTreeSet<&'static str>,
}

impl Rules {
    fn new(first: usize) -> Self {
        Self { first, last: first, answers: BTreeMap::new(), applies: Vec::new(), implicitly: BTreeSet::new() }
    }

    /// Takes what the table of `version` says.
    fn take(&mut self, version: usize, answers: &BTreeMap<String, String>) -> Result<(), String> {
        self.last = version;
        // 2.x rewrote the tables; a client of 1.x is held to those of 1.4, which 2.x loosens nowhere that matters.
        if version < 5 || self.first >= 5 {
            self.answers.clone_from(answers);
        }
        let applies = answers.get("applies to object types").ok_or("no object types")?;
        self.applies.push((version, applies.clone()));
        self.implicitly.extend(operations(answers.get("when implicitly set").map_or("", String::as_str))?);
        Ok(())
    }
}

/// The operations that the words of a table mean. Two commas are missing in the standard's.
fn operations(words: &str) -> Result<Vec<&'static str>, String> {
    if let Some((_, operations)) = OCCASIONS.iter().find(|(occasion, _)| *occasion == words) {
        return Ok(operations.to_vec());
    }
    let words = words.replace("Activate Certify", "Activate, Certify").replace("Revoke Certify", "Revoke, Certify");
    let names = words.split(',').map(str::trim).filter(|name| !name.is_empty());
    let find = |name: &str| OPERATIONS.iter().find(|(text, _)| *text == name).map(|(_, operation)| *operation);
    names.map(|name| find(name).ok_or_else(|| format!("no operation is called {name:?}"))).collect()
}

/// The object types that the words of a table mean; `None` where they mean all.
fn object_types(words: &str) -> Result<Option<Vec<&'static str>>, String> {
    if words == ALL_OBJECTS {
        return Ok(None);
    }
    let mut types = Vec::new();
    for name in words.split(',').map(str::trim) {
        let found = OBJECT_TYPES.iter().find(|(text, _)| *text == name);
        types.extend(found.ok_or_else(|| format!("no objects are called {name:?}"))?.1);
    }
    Ok(Some(types))
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
                    let new = || Rules::new(CERTIFICATE_ATTRIBUTES_SINCE);
                    let rules = all.entry(name.to_owned()).or_insert_with(new);
                    rules.take(version, &answers).map_err(|error| format!("{name}: {error}"))?;
                    rules.answers.clone_from(&answers);
                }
                continue;
            }
            let rules = all.entry(name.clone()).or_insert_with(|| Rules::new(version));
            rules.take(version, &answers).map_err(|error| format!("{name}: {error}"))?;
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
    source.push_str(
        "use crate::registry::{AppliesTo, AttributeRules, ObjectType, Operation};\n\
         use crate::version::ProtocolVersion;\n\n",
    );
    // Types by the words that mean them; the same types in other words are the same constant.
    let mut constants: BTreeMap<Vec<&'static str>, String> = BTreeMap::new();
    for (_, words) in all.values().flat_map(|rules| &rules.applies) {
        let Some(types) = object_types(words)? else { continue };
        constants.entry(types).or_insert_with(|| constant_case(words));
    }
    for (types, name) in &constants {
        let types: Vec<String> = types.iter().map(|name| format!("ObjectType::{name}")).collect();
        let _ = writeln!(source, "const {name}: &[ObjectType] = &[{}];", types.join(", "));
    }
    source.push('\n');
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
        let implicitly: Vec<String> = rules.implicitly.iter().map(|name| format!("Operation::{name}")).collect();
        let _ = writeln!(source, "        implicitly_set_by: &[{}],", implicitly.join(", "));
        let _ = writeln!(source, "        applies_to: &[{}],\n    }},", applies_source(rules, &constants)?);
    }
    source.push_str("];\n");
    Ok(source)
}

/// One entry for the versions in a row that say the same of the objects that may have the attribute.
fn applies_source(rules: &Rules, constants: &BTreeMap<Vec<&'static str>, String>) -> Result<String, String> {
    let mut spans: Vec<(usize, usize, String)> = Vec::new();
    for (version, words) in &rules.applies {
        let types = match object_types(words)? {
            None => "ObjectType::ALL".to_owned(),
            Some(types) => constants.get(&types).cloned().ok_or("object types without a name")?,
        };
        match spans.last_mut() {
            Some((_, last, said)) if *said == types => *last = *version,
            _ => spans.push((*version, *version, types)),
        }
    }
    if let Some((first, ..)) = spans.first_mut() {
        *first = rules.first;
    }
    let entries = spans.iter().map(|(first, last, types)| {
        let until = if *last == VERSIONS.len() - 1 {
            "None".to_owned()
        } else {
            format!("Some(ProtocolVersion::{})", VERSIONS[*last].1)
        };
        format!("AppliesTo {{ since: ProtocolVersion::{}, until: {until}, types: {types} }}", VERSIONS[*first].1)
    });
    Ok(entries.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_tables_become_operations_and_types() {
        assert_eq!(operations("Activate Certify, Re-key").unwrap(), ["Activate", "Certify", "ReKey"]);
        assert_eq!(operations("Never").unwrap(), [""; 0]);
        assert_eq!(operations("When object is rotated").unwrap(), ROTATING);
        assert!(operations("Create, Something").is_err());
        assert_eq!(object_types("Public Keys, Private Keys").unwrap().unwrap(), ["PublicKey", "PrivateKey"]);
        assert_eq!(object_types("All Objects").unwrap(), None);
        assert!(object_types("Some Objects").is_err());
    }
}
