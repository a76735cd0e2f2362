//! Which names a tag and a value have: shared by the text form, XML and JSON.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::registry::{Row, Table, Tag, enumeration_of, mask_of};

/// A document names each of its items, so a search along the table would make its length count twice.
static TAGS_BY_XML_NAME: LazyLock<HashMap<&'static str, Tag>> = LazyLock::new(|| {
    let names = |row: &'static Row| std::iter::once(&row.xml_name).chain(row.other_xml_names);
    Tag::TABLE.rows.iter().flat_map(|row| names(row).map(|name| (*name, Tag(row.value)))).collect()
});

static TAGS_BY_TEXT: LazyLock<HashMap<&'static str, Tag>> =
    LazyLock::new(|| Tag::TABLE.rows.iter().map(|row| (row.text, Tag(row.value))).collect());

/// The tag of an XML name, of any version.
pub(crate) fn tag_of(xml_name: &str) -> Option<Tag> {
    TAGS_BY_XML_NAME.get(xml_name).copied()
}

/// The tag that an `Attribute Name` stands for; none for those of vendors.
pub(crate) fn attribute_of(text: &str) -> Option<Tag> {
    TAGS_BY_TEXT.get(text).copied()
}

/// What an item's value may be called by depends on where it stands: `Attribute Value` means what the `Attribute Name`
/// before it says.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    /// The tag whose enumeration or mask the value belongs to.
    meaning: Option<Tag>,
}

impl Names {
    /// Of an item with `tag`, where `attribute` is what the last `Attribute Name` among its elder siblings stands for.
    pub(crate) fn of(tag: Tag, attribute: Option<Tag>) -> Self {
        Self { meaning: if tag == Tag::ATTRIBUTE_VALUE { attribute } else { Some(tag) } }
    }

    /// The XML name of an enumeration's value.
    pub(crate) fn enumeration_xml_name(self, value: u32) -> Option<&'static str> {
        match self.meaning? {
            Tag::ATTRIBUTE_REFERENCE => Tag(value).xml_name(),
            tag => enumeration_of(tag)?.row(value).map(|row| row.xml_name),
        }
    }

    /// The name of an enumeration's value in the standard.
    pub(crate) fn enumeration_text(self, value: u32) -> Option<&'static str> {
        match self.meaning? {
            Tag::ATTRIBUTE_REFERENCE => Tag(value).text(),
            tag => enumeration_of(tag)?.row(value).map(|row| row.text),
        }
    }

    /// The value of an enumeration's XML name.
    pub(crate) fn enumeration_value(self, name: &str) -> Option<u32> {
        match self.meaning? {
            Tag::ATTRIBUTE_REFERENCE => tag_of(name).map(Tag::value),
            tag => enumeration_of(tag)?.value_of_xml_name(name),
        }
    }

    /// The table of a mask's bits.
    pub(crate) fn mask(self) -> Option<&'static Table> {
        mask_of(self.meaning?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{ALL_TABLES, ATTRIBUTE_RULES};

    #[test]
    fn every_name_of_every_version_finds_its_tag() {
        for row in Tag::TABLE.rows {
            for name in std::iter::once(&row.xml_name).chain(row.other_xml_names) {
                assert_eq!(tag_of(name), Some(Tag(row.value)), "{name}");
            }
            assert_eq!(attribute_of(row.text), Some(Tag(row.value)));
        }
        assert_eq!((tag_of("NoSuchTag"), attribute_of("x-Product")), (None, None));
    }

    /// Names that published messages use and that no rule makes from the standard's words alone.
    #[test]
    fn names_of_published_messages_are_known() {
        for (tag, name, value) in [
            (Tag::CRYPTOGRAPHIC_ALGORITHM, "DES3", 0x02),
            (Tag::DIGITAL_SIGNATURE_ALGORITHM, "SHA_256WithRSAEncryption", 0x05),
            (Tag::DIGITAL_SIGNATURE_ALGORITHM, "SHA_256WithRSAEncryptionPKCS_1V1_5", 0x05),
            (Tag::MASK_GENERATOR, "MGF1", 0x01),
            (Tag::PKCS_11_FUNCTION, "C_Initialize", 0x01),
            (Tag::PKCS_11_RETURN_CODE, "OK", 0x00),
            (Tag::RESULT_REASON, "NotAuthorized", 0x39),
            (Tag::RESULT_REASON, "NotAuthorised", 0x39),
            (Tag::ATTRIBUTE_REFERENCE, "CryptographicUsageMask", 0x42_002C),
        ] {
            assert_eq!(Names::of(tag, None).enumeration_value(name), Some(value), "{name}");
        }
        let mask = Names::of(Tag::CRYPTOGRAPHIC_USAGE_MASK, None).mask().unwrap();
        assert_eq!(mask.value_of_xml_name("ContentCommitment"), Some(0x400));
        assert_eq!(tag_of("PKCS_11Function"), Some(Tag::PKCS_11_FUNCTION));
    }

    #[test]
    fn every_attribute_of_the_standard_is_known_by_its_name() {
        for rules in ATTRIBUTE_RULES {
            assert!(attribute_of(rules.name).is_some(), "{}", rules.name);
        }
    }

    #[test]
    fn a_name_of_the_tables_cannot_be_taken_for_a_number() {
        for table in ALL_TABLES.iter().copied().chain([&Tag::TABLE]) {
            for row in table.rows {
                for name in std::iter::once(&row.xml_name).chain(row.other_xml_names) {
                    assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{}: {name}", table.text);
                    assert!(!name.contains([' ', '|']), "{}: {name}", table.text);
                }
            }
        }
    }
}
