//! The attribute tables of the specification, read from `tests/vectors/attributes/rules.txt`, and those the server has.

use kmip::ProtocolVersion;
use kmip::attribute::AttributeKind;
use kmip::message::SUPPORTED_VERSIONS;
use kmip::registry::{ATTRIBUTE_RULES, AttributeRules, ObjectType};

const RULES: &str = include_str!("../../vectors/attributes/rules.txt");
/// The one line of the tables that is several attributes: every part of the names of subject and issuer.
const CERTIFICATE_ATTRIBUTES: &str = "Certificate Attributes";
/// What 1.x says of them and 2.x says otherwise; the server has one row for both, and the tests below judge it by this.
const ALWAYS_IN_1_X_ONLY: [&str; 4] =
    ["Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask", "Fresh"];

/// An answer of the table; "partly" is a yes under a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Yes,
    No,
    Partly,
}

/// What the table of a version says of an attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    first: ProtocolVersion,
    last: ProtocolVersion,
    pub(crate) always: Told,
    pub(crate) by_server: bool,
    pub(crate) by_client: bool,
    pub(crate) modify: Told,
    pub(crate) delete: Told,
    pub(crate) several: Told,
}

impl Rule {
    fn read(line: &'static str) -> Self {
        let told = |text: &str| match text {
            "yes" => Told::Yes,
            "no" => Told::No,
            "partly" => Told::Partly,
            other => panic!("{other} in {line}"),
        };
        let version = |text: &str| {
            let found = SUPPORTED_VERSIONS.into_iter().find(|version| version.to_string() == text);
            found.unwrap_or_else(|| panic!("{text} in {line}"))
        };
        let fields: Vec<&'static str> = line.split(" | ").collect();
        let [name, first, last, always, by, modify, delete, several] = fields[..] else { panic!("{line}") };
        Self {
            name,
            first: version(first),
            last: version(last),
            always: told(always),
            by_server: by != "client",
            by_client: by != "server",
            modify: told(modify),
            delete: told(delete),
            several: told(several),
        }
    }
}

/// Every line.
fn rules() -> Vec<Rule> {
    RULES.lines().filter(|line| !line.starts_with('#')).map(Rule::read).collect()
}

/// What the table of `version` says of the attribute called `name`, if it has it. The parts of a certificate's names
/// stand in one line.
pub(crate) fn rule(name: &str, version: ProtocolVersion) -> Option<Rule> {
    let is_part = name.starts_with("Certificate Subject ") || name.starts_with("Certificate Issuer ");
    // 1.4 gives the parts their tags and no table.
    let (name, version) = match is_part {
        true => (CERTIFICATE_ATTRIBUTES, version.max(ProtocolVersion::V2_0)),
        false => (name, version),
    };
    // 2.x calls them vendors' attributes, and describes them without a table.
    let version = if name == "Custom Attribute" { version.min(ProtocolVersion::V1_4) } else { version };
    rules().into_iter().find(|rule| rule.name == name && (rule.first..=rule.last).contains(&version))
}

/// A type of object that may have the attribute.
pub(crate) fn host(kind: AttributeKind) -> ObjectType {
    use AttributeKind as K;
    match kind {
        K::CertificateType
        | K::CertificateLength
        | K::X509CertificateIdentifier
        | K::X509CertificateSubject
        | K::X509CertificateIssuer
        | K::CertificateIdentifier
        | K::CertificateSubject
        | K::CertificateIssuer
        | K::DigitalSignatureAlgorithm => ObjectType::Certificate,
        K::OpaqueDataType => ObjectType::OpaqueObject,
        K::CryptographicDomainParameters => ObjectType::PrivateKey,
        _ if kind.text().starts_with("Certificate ") => ObjectType::Certificate,
        _ => ObjectType::SymmetricKey,
    }
}

fn of(holds: bool, condition: Option<&str>) -> Told {
    match (holds, condition) {
        (true, Some(_)) => Told::Partly,
        (true, None) => Told::Yes,
        (false, _) => Told::No,
    }
}

#[test]
fn the_rules_that_the_server_is_built_with_are_those_of_the_tables() {
    let mut compared = 0;
    for version in SUPPORTED_VERSIONS {
        let ours = |name: &str| -> Option<&AttributeRules> {
            ATTRIBUTE_RULES.iter().find(|rule| rule.name == name && version.is_within(rule.since, rule.until))
        };
        for built in ATTRIBUTE_RULES.iter().filter(|rule| version.is_within(rule.since, rule.until)) {
            let what = format!("{} in {version}", built.name);
            let Some(rule) = rule(built.name, version) else { panic!("no table has {what}") };
            assert_eq!((built.set_by_server, built.set_by_client), (rule.by_server, rule.by_client), "{what}");
            assert_eq!(of(built.modifiable_by_client, built.modifiable_by_client_if), rule.modify, "modify {what}");
            assert_eq!(of(built.deletable_by_client, built.deletable_by_client_if), rule.delete, "delete {what}");
            assert_eq!(of(built.multiple_instances, built.multiple_instances_if), rule.several, "several {what}");
            if !ALWAYS_IN_1_X_ONLY.contains(&built.name) || version == ProtocolVersion::V1_1 {
                let always = of(built.always_has_value, built.always_has_value_if);
                // A table that leaves the field empty says nothing.
                assert!(always == rule.always || built.name == "Cryptographic Domain Parameters", "always {what}");
            }
            compared += 1;
        }
        for rule in rules().into_iter().filter(|rule| (rule.first..=rule.last).contains(&version)) {
            let is_there = ours(rule.name).is_some() || rule.name == CERTIFICATE_ATTRIBUTES;
            assert!(is_there, "{} of {version} is not in the server's rules", rule.name);
        }
    }
    assert!(compared > 300, "{compared}");
}
