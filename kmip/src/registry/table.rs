//! What every enumeration and mask looks like when it is data: for text, XML and tests.

use std::fmt;

use crate::version::ProtocolVersion;

/// Values from here on belong to vendors (KMIP 1.4 §9.1.3.2: "8XXXXXXX" are extensions).
pub const EXTENSION_BIT: u32 = 0x8000_0000;

/// All values of one enumeration, or all bits of one mask.
#[derive(Debug)]
pub struct Table {
    /// Its name in the standard, such as "Key Format Type".
    pub text: &'static str,
    /// Rows in rising order of value.
    pub rows: &'static [Row],
}

/// One value.
#[derive(Debug)]
pub struct Row {
    /// The number on the wire.
    pub value: u32,
    /// Its name in the newest version of the standard that has it.
    pub text: &'static str,
    /// Its name in XML and JSON.
    pub xml_name: &'static str,
    /// XML names it has in other versions of the standard.
    pub other_xml_names: &'static [&'static str],
    /// The first version that has it.
    pub since: ProtocolVersion,
    /// The last version that has it; `None` if 2.1 still does.
    pub until: Option<ProtocolVersion>,
}

impl Table {
    /// The row of a number.
    #[must_use]
    pub fn row(&self, value: u32) -> Option<&'static Row> {
        let at = self.rows.binary_search_by_key(&value, |row| row.value).ok()?;
        self.rows.get(at)
    }

    /// The number of an XML name, of any version.
    #[must_use]
    pub fn value_of_xml_name(&self, name: &str) -> Option<u32> {
        self.rows.iter().find(|row| row.xml_name == name || row.other_xml_names.contains(&name)).map(|row| row.value)
    }

    /// A mask without the bits that have a name and that `version` does not have.
    #[must_use]
    pub fn mask_in(&self, mask: u32, version: ProtocolVersion) -> u32 {
        let later = self.rows.iter().filter(|row| !version.is_within(row.since, row.until));
        later.fold(mask, |mask, row| mask & !row.value)
    }

    /// The names of a mask's bits between `separator`; bits without a name follow as one hexadecimal number. Without
    /// any bit, the text is empty.
    #[must_use]
    pub fn mask_text(&self, mask: u32, separator: &str, name: impl Fn(&Row) -> &'static str) -> String {
        let mut text = String::new();
        let mut unnamed = mask;
        for row in self.rows.iter().filter(|row| mask & row.value == row.value) {
            unnamed &= !row.value;
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(name(row));
        }
        if unnamed != 0 {
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(&format!("{unnamed:#010x}"));
        }
        text
    }
}

/// A number that an enumeration does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The enumeration's name.
    pub enumeration: &'static str,
    /// The number.
    pub value: u32,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no value {:#010x}", self.enumeration, self.value)
    }
}

impl std::error::Error for UnknownValue {}
