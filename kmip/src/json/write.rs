//! TTLV to JSON, item by item, without blanks.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::encoding::value::print;
use crate::encoding::{EncodingError, Spelling, WipedText, the_item};
use crate::names::{Names, attribute_of};
use crate::registry::Tag;
use crate::ttlv::{Item, ItemType};

/// One message in TTLV to JSON.
///
/// # Errors
/// [`EncodingErrorKind::Ttlv`](crate::encoding::EncodingErrorKind::Ttlv) if it is not exactly one well-formed item.
pub fn from_ttlv(ttlv: &[u8]) -> Result<Zeroizing<String>, EncodingError> {
    let mut json = WipedText::new();
    object(&the_item(ttlv)?, None, &mut json)?;
    Ok(json.finish())
}

/// Appends an item and everything inside. `attribute` is what the last attribute name among its elder siblings stands
/// for.
fn object(item: &Item<'_>, attribute: Option<Tag>, json: &mut WipedText) -> Result<(), EncodingError> {
    // Writing to memory cannot fail.
    let _ = match item.tag.xml_name() {
        Some(name) => write!(json, "{{\"tag\":\"{name}\""),
        None => write!(json, "{{\"tag\":\"{:#08x}\"", item.tag.value()),
    };
    match item.item_type {
        ItemType::Structure => {
            json.push_str(",\"value\":[");
            let mut inside = item.structure()?;
            let (mut attribute, mut separator) = (None, "");
            while let Some(child) = inside.next_item()? {
                if child.tag == Tag::ATTRIBUTE_NAME && child.item_type == ItemType::TextString {
                    attribute = attribute_of(child.text()?);
                }
                json.push_str(separator);
                separator = ",";
                object(&child, attribute, json)?;
            }
            json.push(']');
        }
        item_type => {
            let _ = write!(json, ",\"type\":\"{item_type}\",\"value\":");
            match item_type {
                ItemType::TextString => string(item.text()?, json),
                _ => print(item, Names::of(item.tag, attribute), Spelling::Json, json)?,
            }
        }
    }
    json.push('}');
    Ok(())
}

/// Appends `text` between quotes. RFC 8259 §7.
fn string(text: &str, json: &mut WipedText) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..'\u{20}' => {
                // Writing to memory cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}
