//! Which names the value of an item has: shared by the text form, XML and JSON.

use crate::registry::{Table, Tag, enumeration_of, mask_of};

/// What an item's value may be called by depends on where it stands: `Attribute Value` means what the `Attribute Name`
/// before it says.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    /// The tag whose enumeration or mask the value belongs to.
    meaning: Option<Tag>,
}

impl Names {
    /// Of an item with `tag`, where the last `Attribute Name` among its elder siblings is `attribute`.
    pub(crate) fn of(tag: Tag, attribute: Option<&str>) -> Self {
        Self { meaning: if tag == Tag::ATTRIBUTE_VALUE { attribute.and_then(Tag::from_text) } else { Some(tag) } }
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
            Tag::ATTRIBUTE_REFERENCE => Tag::from_xml_name(name).map(Tag::value),
            tag => enumeration_of(tag)?.value_of_xml_name(name),
        }
    }

    /// The table of a mask's bits.
    pub(crate) fn mask(self) -> Option<&'static Table> {
        mask_of(self.meaning?)
    }
}
