//! What the specification's tables say, in words, of the objects that may have an attribute and of the operations that
//! set it unasked: read from `tests/vectors/attributes/objects_and_operations.txt`, and what the words mean.

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::AttributeKind;
use kmip::message::SUPPORTED_VERSIONS;
use kmip::registry::{ObjectType, Operation};

const WORDS: &str = include_str!("../../vectors/attributes/objects_and_operations.txt");
/// The one line of the tables that is several attributes: every part of the names of subject and issuer.
const CERTIFICATE_ATTRIBUTES: &str = "Certificate Attributes";
/// The tables that 1.4, which has the tags of the parts, is held to.
const PARTS_SINCE: ProtocolVersion = ProtocolVersion::V1_4;

/// One line.
struct Line {
    name: &'static str,
    first: ProtocolVersion,
    last: ProtocolVersion,
    applies: &'static str,
    implicitly: &'static str,
}

fn lines() -> impl Iterator<Item = Line> {
    WORDS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let version = |text: &str| {
            let found = SUPPORTED_VERSIONS.into_iter().find(|version| version.to_string() == text);
            found.unwrap_or_else(|| panic!("{text} in {line}"))
        };
        let fields: Vec<&'static str> = line.split(" | ").collect();
        let [name, first, last, applies, implicitly] = fields[..] else { panic!("{line}") };
        Line { name, first: version(first), last: version(last), applies, implicitly }
    })
}

fn name_in_the_tables(kind: AttributeKind) -> (&'static str, Option<ProtocolVersion>) {
    let name = kind.text();
    match name.starts_with("Certificate Subject ") || name.starts_with("Certificate Issuer ") {
        true => (CERTIFICATE_ATTRIBUTES, Some(PARTS_SINCE)),
        false => (name, None),
    }
}

/// The types that the table of `version` names; none where it has no table of the attribute.
pub(crate) fn types(kind: AttributeKind, version: ProtocolVersion) -> BTreeSet<ObjectType> {
    let (name, since) = name_in_the_tables(kind);
    // The first table of the parts stands for the version before it that has them.
    let looked_up = match since {
        Some(since) if version >= since => version.max(ProtocolVersion::V2_0),
        _ => version,
    };
    let line = lines().find(|line| line.name == name && (line.first..=line.last).contains(&looked_up));
    line.map_or_else(BTreeSet::new, |line| meant(line.applies))
}

/// The operations that the table of any version names.
pub(crate) fn operations(kind: AttributeKind) -> BTreeSet<Operation> {
    let (name, _) = name_in_the_tables(kind);
    lines().filter(|line| line.name == name).flat_map(|line| named(line.implicitly)).collect()
}

fn meant(words: &str) -> BTreeSet<ObjectType> {
    use ObjectType as T;
    let of = |word: &str| -> Vec<T> {
        match word {
            "All Objects" => T::ALL.to_vec(),
            // All but what nobody knows to be a key, and what only describes objects.
            "All Cryptographic Objects" | "Managed Cryptographic Objects" => {
                T::ALL.iter().copied().filter(|one| !matches!(one, T::OpaqueObject | T::Template)).collect()
            }
            "Keys" => vec![T::SymmetricKey, T::PublicKey, T::PrivateKey, T::SplitKey, T::PgpKey],
            "Asymmetric Keys" => vec![T::PublicKey, T::PrivateKey],
            "Public Keys" => vec![T::PublicKey],
            "Private Key" | "Private Keys" => vec![T::PrivateKey],
            "Symmetric Key" | "Symmetric Keys" => vec![T::SymmetricKey],
            "Split Key" | "Split Keys of symmetric keys" => vec![T::SplitKey],
            "Secret Data" => vec![T::SecretData],
            "Certificates" | "X.509 Certificates" => vec![T::Certificate],
            "PGP keys" => vec![T::PgpKey],
            "Opaque Object" | "Opaque Objects" => vec![T::OpaqueObject],
            "Templates" => vec![T::Template],
            other => panic!("what are {other}?"),
        }
    };
    words.split(", ").flat_map(of).collect()
}

/// Operations after which there is a new object, those that the tables know.
const MAKING: [&str; 8] =
    ["Create", "Create Key Pair", "Register", "Derive Key", "Certify", "Re-certify", "Re-key", "Re-key Key Pair"];

fn named(words: &str) -> BTreeSet<Operation> {
    let operation = |name: &str| {
        let found = Operation::ALL.iter().copied().find(|operation| operation.text() == name);
        found.unwrap_or_else(|| panic!("what is {name}?"))
    };
    match words {
        "-" | "N/A" | "Never" => BTreeSet::new(),
        "During Register operation" => BTreeSet::from([Operation::Register]),
        // Created or registered, in words; Always Sensitive and Never Extractable are set with what they remember.
        words if words.starts_with("When") && !words.contains("rotated") => MAKING.map(operation).into(),
        words if words.starts_with("When") => ["Re-key", "Re-key Key Pair", "Re-certify"].map(operation).into(),
        words => {
            // A comma is missing in two of them.
            let words = words.replace("Activate Certify", "Activate, Certify");
            words.replace("Revoke Certify", "Revoke, Certify").split(", ").map(operation).collect()
        }
    }
}
