//! The text form of a message, for people: one item a line, indented, with names. What may be secret is not shown.
//!
//! Byte strings and big numbers are shown only under tags that are known to be public, so a vendor's extension cannot
//! carry a key into a log. Text is shown unless its tag says that it is a secret or nobody knows the tag.

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::names::{Names, attribute_of};
use crate::registry::Tag;
use crate::ttlv::{DecodeError, Item, ItemType, Reader};
use crate::version::ProtocolVersion;

/// Byte strings and big integers that no secret can be in.
const PUBLIC_BYTES: [Tag; 21] = [
    Tag::APPLICATION_DATA,
    Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA,
    Tag::AUTHENTICATED_ENCRYPTION_TAG,
    Tag::CERTIFICATE_REQUEST,
    Tag::CERTIFICATE_REQUEST_VALUE,
    Tag::CERTIFICATE_SERIAL_NUMBER,
    Tag::CERTIFICATE_VALUE,
    Tag::CORRELATION_VALUE,
    Tag::DIGEST_VALUE,
    Tag::ISSUER_DISTINGUISHED_NAME,
    Tag::IV_COUNTER_NONCE,
    Tag::MAC_DATA,
    Tag::MAC_SIGNATURE,
    Tag::MODULUS,
    Tag::NONCE_ID,
    Tag::NONCE_VALUE,
    Tag::PUBLIC_EXPONENT,
    Tag::SIGNATURE_DATA,
    Tag::SUBJECT_DISTINGUISHED_NAME,
    Tag::UNIQUE_BATCH_ITEM_ID,
];

/// Items of which nothing is shown but the length, whatever their type and whatever is inside.
const SECRET: [Tag; 9] = [
    Tag::DERIVATION_DATA,
    Tag::HASHED_PASSWORD,
    Tag::KEY,
    Tag::KEY_MATERIAL,
    Tag::ONE_TIME_PASSWORD,
    Tag::OPAQUE_DATA_VALUE,
    Tag::PASSWORD,
    Tag::SERVER_HASHED_PASSWORD,
    Tag::TICKET_VALUE,
];

/// The lines of `bytes`, which may be several items. Where they stop being TTLV, the last line says why.
#[must_use]
pub fn render(bytes: &[u8]) -> String {
    let mut text = String::new();
    if let Err(error) = items(Reader::new(bytes, ProtocolVersion::V2_1), 0, &mut text) {
        let _ = writeln!(text, "! {error}");
    }
    text
}

fn items(mut reader: Reader<'_>, depth: usize, text: &mut String) -> Result<(), DecodeError> {
    let mut attribute = None;
    while let Some(item) = reader.next_item()? {
        if item.tag == Tag::ATTRIBUTE_NAME && item.item_type == ItemType::TextString {
            attribute = attribute_of(item.text()?);
        }
        for _ in 0..depth {
            text.push_str("  ");
        }
        let _ = write!(text, "{}", item.tag);
        if SECRET.contains(&item.tag) {
            // For a structure the length would be that of its encoding; it says nothing.
            match item.item_type {
                ItemType::Structure => text.push_str(": <structure>\n"),
                _ => writeln_masked(&item, text),
            }
            continue;
        }
        match item.item_type {
            ItemType::Structure => {
                text.push('\n');
                items(item.structure()?, depth + 1, text)?;
            }
            ItemType::ByteString | ItemType::BigInteger if !PUBLIC_BYTES.contains(&item.tag) => {
                writeln_masked(&item, text);
            }
            ItemType::TextString if item.tag.text().is_none() => writeln_masked(&item, text),
            _ => {
                text.push_str(": ");
                value(&item, attribute, text)?;
                text.push('\n');
            }
        }
    }
    Ok(())
}

fn writeln_masked(item: &Item<'_>, text: &mut String) {
    let _ = writeln!(text, ": <{} bytes>", item.value_bytes().len());
}

fn value(item: &Item<'_>, attribute: Option<Tag>, text: &mut String) -> Result<(), DecodeError> {
    let names = Names::of(item.tag, attribute);
    let _ = match item.item_type {
        ItemType::Structure => Ok(()),
        ItemType::Integer => match names.mask() {
            Some(table) => {
                let mask = item.integer()?.cast_unsigned();
                if mask == 0 {
                    write!(text, "0")
                } else {
                    write!(text, "{}", table.mask_text(mask, " | ", |row| row.text))
                }
            }
            None => write!(text, "{}", item.integer()?),
        },
        ItemType::LongInteger => write!(text, "{}", item.long_integer()?),
        ItemType::Enumeration => {
            let number = item.enumeration()?;
            match names.enumeration_text(number) {
                Some(name) => write!(text, "{name}"),
                None => write!(text, "{number:#010x}"),
            }
        }
        ItemType::Boolean => write!(text, "{}", item.boolean()?),
        // Escaped, so that nobody forges a line.
        ItemType::TextString => write!(text, "\"{}\"", item.text()?.escape_debug()),
        ItemType::ByteString | ItemType::BigInteger => write!(text, "{}", hex::encode(item.value_bytes())),
        ItemType::DateTime => {
            let seconds = item.date_time()?;
            match OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(&Rfc3339).ok()) {
                Some(date) => write!(text, "{date}"),
                None => write!(text, "{seconds} s"),
            }
        }
        ItemType::Interval => write!(text, "{} s", item.interval()?),
        ItemType::DateTimeExtended => write!(text, "{} µs", item.date_time_extended()?),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::Writer;

    fn rendered(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        write(&mut writer);
        render(&writer.finish())
    }

    #[test]
    fn names_stand_where_numbers_travel() {
        let text = rendered(|w| {
            w.structure(Tag::REQUEST_PAYLOAD, |w| {
                w.enumeration(Tag::OBJECT_TYPE, 2);
                w.structure(Tag::ATTRIBUTE, |w| {
                    w.text(Tag::ATTRIBUTE_NAME, "Cryptographic Usage Mask");
                    w.integer(Tag::ATTRIBUTE_VALUE, 12);
                });
                w.structure(Tag::ATTRIBUTE, |w| {
                    w.text(Tag::ATTRIBUTE_NAME, "State");
                    w.enumeration(Tag::ATTRIBUTE_VALUE, 1);
                });
                w.date_time(Tag::ACTIVATION_DATE, 1_205_495_800);
                w.enumeration(Tag::OBJECT_TYPE, 0x8000_0001);
            });
        });
        let expected = "\
Request Payload
  Object Type: Symmetric Key
  Attribute
    Attribute Name: \"Cryptographic Usage Mask\"
    Attribute Value: Encrypt | Decrypt
  Attribute
    Attribute Name: \"State\"
    Attribute Value: Pre-Active
  Activation Date: 2008-03-14T11:56:40Z
  Object Type: 0x80000001
";
        assert_eq!(text, expected);
    }

    #[test]
    fn secrets_show_their_length_and_nothing_else() {
        const MARKER: &str = "marker-7f";
        let text = rendered(|w| {
            w.bytes(Tag::KEY_MATERIAL, MARKER.as_bytes());
            w.structure(Tag::KEY_MATERIAL, |w| w.bytes(Tag::KEY, MARKER.as_bytes()));
            w.bytes(Tag::KEY_VALUE, MARKER.as_bytes());
            w.text(Tag::PASSWORD, MARKER);
            w.bytes(Tag::OPAQUE_DATA_VALUE, MARKER.as_bytes());
            w.bytes(Tag::DATA, MARKER.as_bytes());
            w.big_integer(Tag::PRIVATE_EXPONENT, MARKER.as_bytes());
            // A vendor's own items may be anything.
            w.bytes(Tag(0x54_0001), MARKER.as_bytes());
            w.text(Tag(0x54_0002), MARKER);
        });
        assert!(!text.contains(MARKER) && !text.contains(&hex::encode(MARKER)), "{text}");
        assert!(
            text.starts_with("Key Material: <9 bytes>\nKey Material: <structure>\nKey Value: <9 bytes>\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 9, "{text}");
    }

    #[test]
    fn text_cannot_forge_a_line() {
        let text = rendered(|w| w.text(Tag::UNIQUE_IDENTIFIER, "1\nState: Active\u{1b}[2J"));
        assert_eq!(text, "Unique Identifier: \"1\\nState: Active\\u{1b}[2J\"\n");
    }

    #[test]
    fn the_last_line_says_where_the_message_ends_to_be_one() {
        let mut writer = Writer::new(ProtocolVersion::V1_4);
        writer.text(Tag::UNIQUE_IDENTIFIER, "1");
        let mut bytes = writer.finish();
        bytes.extend_from_slice(&[0x42]);
        assert_eq!(render(&bytes), "Unique Identifier: \"1\"\n! header of an item cut off after 1 bytes at byte 16\n");
    }
}
