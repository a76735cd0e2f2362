//! TTLV to XML, item by item, without blanks between elements.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::UNNAMED;
use crate::encoding::value::print;
use crate::encoding::{EncodingError, EncodingErrorKind, Spelling, WipedText, the_item};
use crate::names::{Names, attribute_of};
use crate::registry::Tag;
use crate::ttlv::{Item, ItemType};

/// One message in TTLV to XML, on one line.
///
/// # Errors
/// [`EncodingErrorKind::Ttlv`] if it is not exactly one well-formed item, [`EncodingErrorKind::NotXml`] if a text holds
/// a character that XML cannot represent.
pub fn from_ttlv(ttlv: &[u8]) -> Result<Zeroizing<String>, EncodingError> {
    let mut xml = WipedText::new();
    element(&the_item(ttlv)?, None, &mut xml)?;
    Ok(xml.finish())
}

/// Appends an item and everything inside. `attribute` is what the last attribute name among its elder siblings stands
/// for.
fn element(item: &Item<'_>, attribute: Option<Tag>, xml: &mut WipedText) -> Result<(), EncodingError> {
    let tag = item.tag;
    let name = tag.xml_name().unwrap_or(UNNAMED);
    open(name, tag.xml_name().is_none().then_some(tag), item.item_type, xml);
    if item.item_type != ItemType::Structure {
        xml.push_str(" value=\"");
        if item.item_type == ItemType::TextString {
            escape(item.text()?, xml).map_err(|NotACharacter| EncodingErrorKind::NotXml { tag }.at(item.offset))?;
        } else {
            print(item, Names::of(tag, attribute), Spelling::Xml, xml)?;
        }
        xml.push_str("\"/>");
        return Ok(());
    }
    let mut inside = item.structure()?;
    if inside.is_empty() {
        xml.push_str("/>");
        return Ok(());
    }
    xml.push('>');
    let mut attribute = None;
    while let Some(child) = inside.next_item()? {
        if child.tag == Tag::ATTRIBUTE_NAME && child.item_type == ItemType::TextString {
            attribute = attribute_of(child.text()?);
        }
        element(&child, attribute, xml)?;
    }
    close(name, xml);
    Ok(())
}

/// Appends an opening tag up to its type.
pub(super) fn open(name: &str, number: Option<Tag>, item_type: ItemType, xml: &mut WipedText) {
    xml.push('<');
    xml.push_str(name);
    // Writing to memory cannot fail.
    if let Some(tag) = number {
        let _ = write!(xml, " tag=\"{:#08x}\"", tag.value());
    }
    if item_type != ItemType::Structure {
        let _ = write!(xml, " type=\"{item_type}\"");
    }
}

/// Appends a closing tag.
pub(super) fn close(name: &str, xml: &mut WipedText) {
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

/// A text holds a character that XML cannot represent.
pub(super) struct NotACharacter;

/// Appends `text` so that it survives in an attribute between double quotes.
pub(super) fn escape(text: &str, xml: &mut WipedText) -> Result<(), NotACharacter> {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '"' => xml.push_str("&quot;"),
            // As themselves they would be read as blanks (XML 1.0 §3.3.3).
            '\t' => xml.push_str("&#9;"),
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            // What is not a Char of XML 1.0 §2.2 cannot even be referred to.
            '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => return Err(NotACharacter),
            _ => xml.push(c),
        }
    }
    Ok(())
}
