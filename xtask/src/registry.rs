//! Writes the registry of the `kmip` crate from the tables of the OASIS specifications.
//!
//! Input is a folder with one JSON file per version of KMIP (tags, enumerations, masks, attribute rules as the
//! standard's own tables have them) and two files extracted by somebody else, which only serve to find mistakes:
//! a number on which both disagree stops the run. Output is Rust source, one file per enumeration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

mod fields;
mod rules;

/// Versions in order; the first one that has a name gives its `since`.
const VERSIONS: [(&str, &str); 7] = [
    ("1_0", "V1_0"),
    ("1_1", "V1_1"),
    ("1_2", "V1_2"),
    ("1_3", "V1_3"),
    ("1_4", "V1_4"),
    ("2_0", "V2_0"),
    ("2_1", "V2_1"),
];

/// Names under which an older version lists an enumeration that later got its own name.
const ENUMERATION_RENAMED: [(&str, &str); 1] =
    [("Recommended Curve Enumeration for ECDSA, ECDH, and ECMQV", "Recommended Curve")];

/// Texts that lost something on their way into the tables (a superscript, a bracket), or are a slip of the standard.
const TEXT_REPAIRED: [(&str, &str, &str); 5] = [
    ("Split Key Method", "Polynomial Sharing GF(216)", "Polynomial Sharing GF (2^16)"),
    ("Split Key Method", "Polynomial Sharing GF (216)", "Polynomial Sharing GF (2^16)"),
    ("Split Key Method", "Polynomial Sharing GF (28)", "Polynomial Sharing GF (2^8)"),
    ("Certificate Type", "(PGP", "PGP"),
    // 2.0 and 2.1 transpose the letters; RFC 8017 and KMIP 1.4 call the function MGF1.
    ("Mask Generator", "MFG1", "MGF1"),
];

/// Tags of 2.1 that the extraction missed, because the standard writes their numbers another way (KMIP 2.1 §11.56).
const TAGS_MISSED: [(&str, u32); 13] = [
    ("Rotate Interval", 0x42_016A),
    ("Rotate Automatic", 0x42_016B),
    ("Rotate Offset", 0x42_016C),
    ("Rotate Date", 0x42_016D),
    ("Rotate Generation", 0x42_016E),
    ("Rotate Name", 0x42_016F),
    ("Rotate Name Value", 0x42_0170),
    ("Rotate Name Type", 0x42_0171),
    ("Rotate Latest", 0x42_0172),
    ("Asynchronous Request", 0x42_0173),
    ("Submission Date", 0x42_0174),
    ("Processing Stage", 0x42_0175),
    ("Asynchronous Correlation Values", 0x42_0176),
];

/// Rust names where the rule of `camel_case` gives none, or a misleading one.
const RUST_NAMES: [(&str, &str); 4] = [
    ("3DES", "TripleDes"),
    // These two enumerate placeholders and would shadow the notion they stand in for.
    ("Data", "DataPlaceholder"),
    ("Unique Identifier", "UniqueIdentifierPlaceholder"),
    ("Cryptographic Usage Mask", "UsageMask"),
];

/// Enumerations that live elsewhere: `ttlv::ItemType` is the codec's own.
const ENUMERATIONS_SKIPPED: [&str; 1] = ["Item Type"];

/// Tags whose values are of an enumeration of another name.
const TAGS_OF_OTHER_NAME: [(&str, &str); 4] = [
    ("Mask Generator Hashing Algorithm", "Hashing Algorithm"),
    ("Private Key Unique Identifier", "Unique Identifier"),
    ("Public Key Unique Identifier", "Unique Identifier"),
    ("Linked Object Identifier", "Unique Identifier"),
];

/// Names that only drafts have and that still turn up: (table, name in the standard, name in the draft).
const NAMES_OF_DRAFTS: [(&str, &str, &str); 2] = [
    ("Result Reason", "Not Authorised", "Not Authorized"),
    ("Cryptographic Usage Mask", "Content Commitment (Non Repudiation)", "Content Commitment"),
];

/// Tables that refer to another standard and are written by hand: (tag and table, Rust name).
const WRITTEN_BY_HAND: [(&str, &str); 2] =
    [("PKCS#11 Function", "Pkcs11Function"), ("PKCS#11 Return Code", "Pkcs11ReturnCode")];

/// Where both sources disagree and the standard was consulted: (table, name in the checking file). The checking file
/// was made from a draft of 2.0, which still had the Suite B profiles and spelled a word otherwise.
const KNOWN_ERRATA: [(&str, &str); 6] = [
    ("tag", "Reserved"),
    ("Profile Name", "Suite B minLOS_128 Client"),
    ("Profile Name", "Suite B minLOS_128 Server"),
    ("Profile Name", "Suite B minLOS_192 Client"),
    ("Profile Name", "Suite B minLOS_192 Server"),
    ("Result Reason", "Not Authorized"),
];

/// Reads the tables below `tables`, writes the Rust sources below `out`, and which structure has which fields to `fields`.
pub fn generate(tables: &Path, out: &Path, fields: &Path) -> Result<String, String> {
    let sources = VERSIONS
        .iter()
        .map(|(file, _)| read_json(&tables.join(format!("kmip_tables_{file}.json"))))
        .collect::<Result<Vec<_>, _>>()?;
    let enumerations = Named::collect(&sources, "enums")?;
    let masks = Named::collect(&sources, "masks")?;
    let tags = Entries::of_tags(&sources)?;
    let rules = rules::collect(&sources)?;

    let mut disagreements = Vec::new();
    let mut sections = BTreeMap::new();
    for file in ["kmip_1_4.json", "kmip_2_0_additions.json"] {
        let other = read_json(&tables.join(file))?;
        cross_check(&other, file, &tags, &enumerations, &masks, &mut disagreements, &mut sections)?;
    }
    if !disagreements.is_empty() {
        return Err(format!("the tables disagree:\n{}", disagreements.join("\n")));
    }

    let mut files = BTreeMap::new();
    files.insert("tag.rs".to_owned(), tags_source(&tags)?);
    let mut modules = Vec::new();
    for (name, entries) in enumerations.0.iter().filter(|(name, _)| !ENUMERATIONS_SKIPPED.contains(&name.as_str())) {
        let module = snake_case(&camel_case(name));
        files.insert(format!("{module}.rs"), enumeration_source(name, entries, &sections)?);
        modules.push((module, camel_case(name)));
    }
    for (name, entries) in &masks.0 {
        let module = snake_case(&camel_case(name));
        files.insert(format!("{module}.rs"), mask_source(name, entries, &sections)?);
        modules.push((module, camel_case(name)));
    }
    files.insert("by_tag.rs".to_owned(), by_tag_source(&tags, &enumerations, &masks));
    files.insert("attribute_rules.rs".to_owned(), rules::source(&rules)?);
    modules.sort();
    files.insert("mod.rs".to_owned(), tables_source(&modules));
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    for (name, source) in &files {
        let path = out.join(name);
        fs::write(&path, source).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    fs::write(fields, fields::text(&sources)?).map_err(|error| format!("{}: {error}", fields.display()))?;
    // As `cargo fmt` leaves them, so that a second run changes nothing.
    let formatted =
        Command::new("rustfmt").args(["--edition", "2024"]).args(files.keys().map(|name| out.join(name))).status();
    if !formatted.map_err(|error| format!("rustfmt: {error}"))?.success() {
        return Err("rustfmt refuses what was written".to_owned());
    }
    Ok(format!(
        "{} tags, {} enumerations, {} masks, {} attributes in {} files",
        tags.0.len(),
        enumerations.0.len(),
        masks.0.len(),
        rules.len(),
        files.len()
    ))
}

fn read_json(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A number as the tables write it: JSON number, or hexadecimal text.
fn number(value: &Value) -> Result<u32, String> {
    let parsed = match value {
        Value::String(text) => text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    parsed.ok_or_else(|| format!("not a number: {value}"))
}

/// One value of a table over all versions.
#[derive(Default)]
struct Entry {
    /// (index into `VERSIONS`, text), in order of versions.
    texts: Vec<(usize, String)>,
}

impl Entry {
    /// The name of the latest version that has it.
    fn text(&self) -> &str {
        self.texts.last().map_or("", |(_, text)| text)
    }

    /// Names of other versions that differ from `text()` in more than capitals, each once.
    fn aliases(&self) -> BTreeSet<&str> {
        self.texts
            .iter()
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.eq_ignore_ascii_case(self.text()))
            .collect()
    }

    /// `V1_0` or `V1_0..=V1_4`.
    fn span(&self) -> String {
        let last = VERSIONS.len() - 1;
        let (first_seen, last_seen) =
            (self.texts.first().map_or(0, |(at, _)| *at), self.texts.last().map_or(last, |(at, _)| *at));
        if last_seen == last {
            VERSIONS[first_seen].1.to_owned()
        } else {
            format!("{}..={}", VERSIONS[first_seen].1, VERSIONS[last_seen].1)
        }
    }

    /// `"SHA3-256" | "SHA-3-256"`.
    fn texts_source(&self, table: &str) -> String {
        let mut source = format!("{:?}", self.text());
        for alias in self.aliases() {
            let _ = write!(source, " | {alias:?}");
        }
        for (_, _, draft) in NAMES_OF_DRAFTS.iter().filter(|(of, text, _)| *of == table && *text == self.text()) {
            let _ = write!(source, " | {draft:?}");
        }
        source
    }
}

/// A table: number to entry.
#[derive(Default)]
struct Entries(BTreeMap<u32, Entry>);

impl Entries {
    fn add(&mut self, version: usize, text: &str, number: u32) {
        self.0.entry(number).or_default().texts.push((version, text.to_owned()));
    }

    fn of_tags(sources: &[Value]) -> Result<Self, String> {
        let mut tags = Self::default();
        for (version, source) in sources.iter().enumerate() {
            for (text, value) in source["tags"].as_object().ok_or("no tags")? {
                tags.add(version, text, number(value)?);
            }
        }
        for (text, number) in TAGS_MISSED {
            if !tags.0.contains_key(&number) {
                tags.add(VERSIONS.len() - 1, text, number);
            }
        }
        Ok(tags)
    }
}

/// Tables by name.
struct Named(BTreeMap<String, Entries>);

impl Named {
    fn collect(sources: &[Value], key: &str) -> Result<Self, String> {
        let mut all: BTreeMap<String, Entries> = BTreeMap::new();
        for (version, source) in sources.iter().enumerate() {
            for (name, values) in source[key].as_object().ok_or_else(|| format!("no {key}"))? {
                let name =
                    ENUMERATION_RENAMED.iter().find(|(old, _)| old == name).map_or(name.as_str(), |(_, new)| new);
                let entries = all.entry(name.to_owned()).or_default();
                for (text, value) in values.as_object().ok_or_else(|| format!("{name} is not a table"))? {
                    let text = TEXT_REPAIRED
                        .iter()
                        .find(|(of, broken, _)| *of == name && broken == text)
                        .map_or(text.as_str(), |(_, _, repaired)| repaired);
                    entries.add(version, text, number(value)?);
                }
            }
        }
        Ok(Self(all))
    }
}

/// Holds our tables against another extraction of the same standard; remembers the section numbers it has.
fn cross_check(
    other: &Value,
    file: &str,
    tags: &Entries,
    enumerations: &Named,
    masks: &Named,
    disagreements: &mut Vec<String>,
    sections: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let loose = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let mut compare = |what: &str, entries: &Entries, text: &str, number: u32| {
        let theirs = loose(text);
        let ours = entries.0.get(&number);
        let same = ours.is_some_and(|entry| {
            entry.texts.iter().any(|(_, text)| loose(text).starts_with(&theirs) || theirs.starts_with(&loose(text)))
        });
        if !same && !KNOWN_ERRATA.contains(&(what, text.trim())) {
            let ours = ours.map_or("nothing", Entry::text);
            disagreements.push(format!("{file}: {what}: {number:#x} is {text:?}, here {ours:?}"));
        }
    };
    for (text, value) in other["tags"].as_object().ok_or("no tags")? {
        compare("tag", tags, text, number(value)?);
    }
    for (key, tables) in [("enums", enumerations), ("masks", masks)] {
        for table in other[key].as_array().ok_or("no tables")? {
            let name = table["name"].as_str().ok_or("a table without a name")?;
            if let Some(section) = table["comment"].as_str().and_then(|comment| comment.split(' ').next()) {
                let version = if section.starts_with("9.") { "1.4" } else { "2.0" };
                sections.entry(name.to_owned()).or_insert_with(|| format!("KMIP {version} §{section}"));
            }
            // The tables of the standard hold no values for some (all of them are extensions).
            let Some(entries) = tables.0.get(name) else { continue };
            for (text, value) in table["values"].as_object().ok_or("a table without values")? {
                compare(name, entries, text, number(value)?);
            }
        }
    }
    Ok(())
}

/// Words of a name: split at everything that is no letter or digit, and between `abc` and `Def`, `ABC` and `Def`.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let chars: Vec<char> = part.chars().collect();
        let mut word = String::new();
        for (at, c) in chars.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| chars.get(at));
            let after = chars.get(at + 1);
            let starts = c.is_ascii_uppercase()
                && (before.is_some_and(char::is_ascii_lowercase) || after.is_some_and(char::is_ascii_lowercase));
            if starts && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(*c);
        }
        words.push(word);
    }
    words
}

/// `HMAC-SHA256` to `HmacSha256`, `SHA-512/224` to `Sha512_224`.
fn camel_case(text: &str) -> String {
    if let Some((_, name)) = RUST_NAMES.iter().find(|(of, _)| *of == text) {
        return (*name).to_owned();
    }
    let mut name = String::new();
    for word in words(text) {
        if name.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit()) {
            name.push('_');
        }
        let mut chars = word.chars();
        name.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        name.extend(chars.map(|c| c.to_ascii_lowercase()));
    }
    name
}

/// `Wrap Key` to `WRAP_KEY`, `X.509 Certificate Subject` to `X_509_CERTIFICATE_SUBJECT`.
fn constant_case(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    words.join("_").to_ascii_uppercase()
}

/// `KeyFormatType` to `key_format_type`, `Fips186Variation` to `fips186_variation`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// Refuses two entries that would get one Rust name.
fn distinct<'a>(table: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{table}: two entries are called {name}"));
        }
    }
    Ok(())
}

fn generated(sentence: &str) -> String {
    format!("//! {sentence}\n//!\n//! Written by `cargo run -p xtask -- registry`; not edited by hand.\n\n")
}

fn enumeration_source(name: &str, entries: &Entries, sections: &BTreeMap<String, String>) -> Result<String, String> {
    let variants: Vec<String> = entries.0.values().map(|entry| camel_case(entry.text())).collect();
    distinct(name, variants.iter())?;
    let section = sections.get(name).map_or("KMIP 2.1 §11", String::as_str);
    let mut source = generated(&format!("The enumeration {name}."));
    let _ =
        write!(source, "wire_enum! {{\n    /// {name}. {section}.\n    pub enum {} = {name:?} {{\n", camel_case(name));
    for ((number, entry), variant) in entries.0.iter().zip(&variants) {
        let _ = writeln!(source, "        {variant} = {number:#04x}, {}, {};", entry.texts_source(name), entry.span());
    }
    source.push_str("    }\n}\n");
    Ok(source)
}

fn mask_source(name: &str, entries: &Entries, sections: &BTreeMap<String, String>) -> Result<String, String> {
    // A qualifier in brackets explains, it does not name.
    let short = |text: &str| constant_case(text.split(" (").next().unwrap_or(text));
    let constants: Vec<String> = entries.0.values().map(|entry| short(entry.text())).collect();
    distinct(name, constants.iter())?;
    let section = sections.get(name).map_or("KMIP 2.1 §12", String::as_str);
    let mut source = generated(&format!("The bit mask {name}."));
    let _ = write!(
        source,
        "wire_mask! {{\n    /// {name}. {section}.\n    pub struct {} = {name:?} {{\n",
        camel_case(name)
    );
    for ((number, entry), constant) in entries.0.iter().zip(&constants) {
        let _ = writeln!(source, "        {constant} = {number:#x}, {}, {};", entry.texts_source(name), entry.span());
    }
    source.push_str("    }\n}\n");
    Ok(source)
}

fn tags_source(tags: &Entries) -> Result<String, String> {
    let constants: Vec<String> = tags.0.values().map(|entry| constant_case(entry.text())).collect();
    distinct("tags", constants.iter())?;
    let mut source = generated("Tags: the three bytes that say what an item is.");
    source.push_str("wire_tags! {\n");
    for ((number, entry), constant) in tags.0.iter().zip(&constants) {
        let _ = writeln!(source, "    {constant} = {number:#08X}, {}, {};", entry.texts_source("Tag"), entry.span());
    }
    source.push_str("}\n");
    Ok(source.replace("0X42", "0x42"))
}

fn by_tag_source(tags: &Entries, enumerations: &Named, masks: &Named) -> String {
    let mut source = generated("Which enumeration or mask the value of a tag belongs to.");
    source.push_str("use super::*;\nuse crate::registry::table::Table;\n\n");
    for (function, what, named) in [("enumeration_of", "enumeration", enumerations), ("mask_of", "bit mask", masks)] {
        let _ = write!(
            source,
            "/// The {what} that values of `tag` are taken from.\n#[must_use]\n\
             pub fn {function}(tag: Tag) -> Option<&'static Table> {{\n    Some(match tag {{\n"
        );
        for entry in tags.0.values() {
            let name = TAGS_OF_OTHER_NAME
                .iter()
                .find(|(tag, _)| *tag == entry.text())
                .map_or(entry.text(), |(_, enumeration)| enumeration);
            if named.0.contains_key(name) && !ENUMERATIONS_SKIPPED.contains(&name) {
                let _ =
                    writeln!(source, "        Tag::{} => &{}::TABLE,", constant_case(entry.text()), camel_case(name));
            }
        }
        if what == "enumeration" {
            for (tag, name) in WRITTEN_BY_HAND {
                let _ = writeln!(source, "        Tag::{} => &{name}::TABLE,", constant_case(tag));
            }
        }
        source.push_str("        _ => return None,\n    })\n}\n\n");
    }
    source.trim_end().to_owned() + "\n"
}

fn tables_source(modules: &[(String, String)]) -> String {
    let mut source = generated("All tables of the specification; each enumeration and mask is a file.");
    let by_hand: Vec<&str> = WRITTEN_BY_HAND.iter().map(|(_, name)| *name).collect();
    let _ = writeln!(source, "use super::table::Table;\nuse super::{{{}}};\n", by_hand.join(", "));
    for (module, _) in modules {
        let _ = writeln!(source, "mod {module};");
    }
    source.push_str("mod attribute_rules;\nmod by_tag;\nmod tag;\n\n");
    for (module, name) in modules {
        let _ = writeln!(source, "pub use {module}::{name};");
    }
    source.push_str(
        "pub use attribute_rules::ATTRIBUTE_RULES;\npub use by_tag::{enumeration_of, mask_of};\npub use tag::Tag;\n",
    );
    source
        .push_str("\n/// Every enumeration and mask, in alphabetical order.\npub static ALL_TABLES: &[&Table] = &[\n");
    let by_hand = WRITTEN_BY_HAND.iter().map(|(_, name)| *name);
    for name in modules.iter().map(|(_, name)| name.as_str()).chain(by_hand) {
        let _ = writeln!(source, "    &{name}::TABLE,");
    }
    source.push_str("];\n");
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_rust_names() {
        for (text, name) in [
            ("Pre-Active", "PreActive"),
            ("AES", "Aes"),
            ("3DES", "TripleDes"),
            ("HMAC-SHA256", "HmacSha256"),
            ("SHA-512/224", "Sha512_224"),
            ("ECPrivateKey", "EcPrivateKey"),
            ("ChaCha20Poly1305", "ChaCha20Poly1305"),
            ("X.509", "X509"),
        ] {
            assert_eq!(camel_case(text), name);
        }
        assert_eq!(constant_case("X.509 Certificate Subject"), "X_509_CERTIFICATE_SUBJECT");
        assert_eq!(snake_case("Fips186Variation"), "fips186_variation");
    }

    #[test]
    fn a_value_spans_the_versions_that_list_it_and_is_called_as_in_the_last() {
        let mut entries = Entries::default();
        entries.add(4, "SHA-3-256", 15);
        entries.add(5, "SHA3-256", 15);
        entries.add(6, "SHA3-256", 15);
        entries.add(0, "Old", 16);
        entries.add(4, "Old", 16);
        let entry = &entries.0[&15];
        assert_eq!((entry.texts_source("").as_str(), entry.span().as_str()), ("\"SHA3-256\" | \"SHA-3-256\"", "V1_4"));
        assert_eq!(entries.0[&16].span(), "V1_0..=V1_4");
    }

    #[test]
    fn two_entries_of_one_name_stop_the_run() {
        assert!(distinct("t", ["A".to_owned(), "B".to_owned()].iter()).is_ok());
        assert!(distinct("t", ["A".to_owned(), "A".to_owned()].iter()).is_err());
    }
}
