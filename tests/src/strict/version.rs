//! What in a message its version does not know: tags, types, values of enumerations and masks, names of attributes.

use kmip::registry::{ATTRIBUTE_RULES, EXTENSION_BIT, Table, enumeration_of, mask_of};
use kmip::{ProtocolVersion, Tag};

use super::{Kind, Tree};

/// Attributes that a client or a vendor made up begin so in 1.x. KMIP 1.4 §3.
const CUSTOM: [&str; 2] = ["x-", "y-"];

/// Everything in a message that this version does not know, as text.
#[must_use]
pub fn strangers(message: &Tree, version: ProtocolVersion) -> Vec<String> {
    let mut strangers = Vec::new();
    message.walk(&mut |item| {
        if !knows_tag(item.tag, version) {
            strangers.push(format!("tag {}", named(item.tag)));
        }
        if item.kind == Kind::DateTimeExtended && version < ProtocolVersion::V2_0 {
            strangers.push(format!("the type of {}", named(item.tag)));
        }
        value_of(item, item.tag, version, &mut strangers);
        // In 1.x the name says which values an attribute has.
        if let (Some(name), Some(value)) = (item.child(Tag::ATTRIBUTE_NAME), item.child(Tag::ATTRIBUTE_VALUE))
            && let Some(tag) = name.text().and_then(Tag::from_text)
        {
            value_of(value, tag.value(), version, &mut strangers);
        }
        // In 2.x only vendor attributes have a name.
        if item.tag == Tag::ATTRIBUTE_NAME.value() && version < ProtocolVersion::V2_0 {
            attribute(item.text().unwrap_or_default(), version, &mut strangers);
        }
    });
    strangers
}

fn knows_tag(tag: u32, version: ProtocolVersion) -> bool {
    let row = Tag::TABLE.row(tag);
    row.is_some_and(|row| version.is_within(row.since, row.until))
}

fn named(tag: u32) -> String {
    Tag::TABLE.row(tag).map_or_else(|| format!("{tag:06x}"), |row| row.text.to_owned())
}

/// Whether a number among an enumeration's or a mask's is one that the version has.
fn value_of(item: &Tree, tag: u32, version: ProtocolVersion, strangers: &mut Vec<String>) {
    let tag = Tag(tag);
    let Some(number) = item.number() else { return };
    let table = match item.kind {
        Kind::Enumeration => enumeration_of(tag),
        Kind::Integer => mask_of(tag),
        _ => None,
    };
    let Some(table) = table else { return };
    let values: Vec<u32> = match item.kind {
        Kind::Enumeration => vec![number],
        // Bits that no version names are a vendor's.
        _ => table.rows.iter().map(|row| row.value).filter(|bit| number & bit != 0).collect(),
    };
    for value in values {
        if value < EXTENSION_BIT && !has(table, value, version) {
            strangers.push(format!("{} {value:#x}", table.text));
        }
    }
}

fn has(table: &Table, value: u32, version: ProtocolVersion) -> bool {
    table.row(value).is_some_and(|row| version.is_within(row.since, row.until))
}

fn attribute(name: &str, version: ProtocolVersion, strangers: &mut Vec<String>) {
    let mut rules = ATTRIBUTE_RULES.iter().filter(|rule| rule.name == name);
    let known = rules.any(|rule| version.is_within(rule.since, rule.until));
    if !known && !CUSTOM.iter().any(|prefix| name.starts_with(prefix)) {
        strangers.push(format!("attribute {name:?}"));
    }
}

#[cfg(test)]
mod tests {
    use kmip::registry::{KeyFormatType, UsageMask};
    use kmip::ttlv::Writer;

    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Tree {
        let mut writer = Writer::new(ProtocolVersion::EVERY);
        writer.structure(Tag::RESPONSE_PAYLOAD, write);
        Tree::read(&writer.finish()).unwrap()
    }

    fn attribute(name: &'static str, value: impl FnOnce(&mut Writer)) -> Tree {
        written(|w| {
            w.structure(Tag::ATTRIBUTE, |w| {
                w.text(Tag::ATTRIBUTE_NAME, name);
                value(w);
            });
        })
    }

    #[test]
    fn what_came_later_is_a_stranger() {
        use ProtocolVersion as V;
        for (tree, since) in [
            (written(|w| w.integer(Tag::LOCATED_ITEMS, 1)), V::V1_3),
            (written(|w| w.text(Tag::SERVER_CORRELATION_VALUE, "x")), V::V1_4),
            (written(|w| w.enumeration(Tag::KEY_FORMAT_TYPE, KeyFormatType::Pkcs12.value())), V::V1_4),
            (written(|w| w.text(Tag::ATTRIBUTE_NAME, "Fresh")), V::V1_1),
            (attribute("Fresh", |w| w.boolean(Tag::ATTRIBUTE_VALUE, true)), V::V1_1),
            (attribute("Cryptographic Algorithm", |w| w.enumeration(Tag::ATTRIBUTE_VALUE, 0x1b)), V::V1_3),
        ] {
            let stranger_before = V::ALL.into_iter().rfind(|version| *version < since).unwrap();
            assert_eq!(strangers(&tree, since), [""; 0], "{tree:?}");
            assert_eq!(strangers(&tree, stranger_before).len(), 1, "{tree:?}");
        }
        let mask = |bits: UsageMask| written(|w| w.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, bits.0.cast_signed()));
        assert!(strangers(&mask(UsageMask::ENCRYPT), V::V1_0).is_empty());
        // A vendor's, of whichever version.
        assert!(strangers(&mask(UsageMask(0x4000_0000)), V::V1_4).is_empty());
    }

    #[test]
    fn what_nobody_knows_is_a_stranger_and_what_is_custom_is_none() {
        let version = ProtocolVersion::V1_4;
        assert_eq!(strangers(&attribute("x-tag", |w| w.text(Tag::ATTRIBUTE_VALUE, "v")), version), [""; 0]);
        assert_eq!(strangers(&attribute("Tag", |w| w.text(Tag::ATTRIBUTE_VALUE, "v")), version).len(), 1);
        assert_eq!(strangers(&written(|w| w.text(Tag(0x42_7fff), "v")), version).len(), 1);
    }
}
