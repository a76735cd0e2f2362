//! Values as XML and JSON spell them. KMIP Profiles 1.4 §5.4 (XML), §5.5 (JSON); 2.1 §5.4, §5.5.
//!
//! One spelling of a value is written, every spelling that the profiles allow is read:
//!
//! | type | written | read as well |
//! |---|---|---|
//! | Integer | decimal; a mask as names between blanks (JSON: `\|`), bits without a name as one number | `0x` and up to 8 digits, alone or among names; names in any order |
//! | Long Integer | decimal; in JSON from 2^52 on `0x` and 16 digits | `0x` and up to 16 digits |
//! | Big Integer | hexadecimal, in JSON after `0x` | in XML with `0x` too, and of any length; in JSON a number below 2^52 |
//! | Enumeration | the name; without one `0x` and 8 digits | a number in hexadecimal; in JSON in decimal too |
//! | Boolean | `true`, `false` | `0x` and up to 16 digits; in XML `1`, `0` |
//! | Byte String | hexadecimal, lower case | upper case |
//! | Date-Time (Extended) | ISO 8601 in UTC; outside its calendar `0x` and 16 digits | ISO 8601 with any offset |
//! | Interval | decimal | `0x` and up to 8 digits |
//!
//! Numbers in hexadecimal are two's complement of the width of their type. JSON has numbers and booleans of its own,
//! which stand without quotes; everything else, and every `0x`, is a string.

use std::fmt::Write as _;

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::WipedText;
use crate::names::Names;
use crate::registry::Tag;
use crate::ttlv::{DecodeError, Item, ItemType, Writer};

/// Numbers of JSON are exact up to here: whoever reads or writes them as floating point has 53 bits. The JSON profile
/// demands `0x` from 2^52 on (KMIP Profiles 2.1 §5.5), so a larger number may be one that was rounded.
const JSON_NUMBERS_BELOW: i64 = 1 << 52;

const MICROSECONDS: i128 = 1_000_000;
const NANOSECONDS: i128 = 1_000_000_000;

/// What the two encodings spell differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Every value is text between quotes.
    Xml,
    /// Numbers and booleans stand for themselves.
    Json,
}

/// A value that nobody has made sense of yet.
pub(crate) enum Scalar<'a> {
    /// Between quotes.
    Text(&'a str),
    /// A whole number of JSON.
    Number(i64),
    /// A boolean of JSON.
    Boolean(bool),
}

/// Why there is no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueFault {
    /// It has not the form of its type.
    Form,
    /// It is a name that the enumeration or mask does not have.
    Name,
}

/// Writes `value` under `tag`.
pub(crate) fn write(
    value: &Scalar<'_>,
    item_type: ItemType,
    tag: Tag,
    names: Names,
    spelling: Spelling,
    writer: &mut Writer,
) -> Result<(), ValueFault> {
    let form = ValueFault::Form;
    match item_type {
        ItemType::Structure => return Err(form),
        ItemType::Integer => writer.integer(tag, integer(value, names, spelling)?),
        ItemType::LongInteger => writer.long_integer(tag, long_integer(value, spelling).ok_or(form)?),
        ItemType::BigInteger => big_integer(value, spelling, |bytes| writer.big_integer(tag, bytes)).ok_or(form)?,
        ItemType::Enumeration => writer.enumeration(tag, enumeration(value, names)?),
        ItemType::Boolean => writer.boolean(tag, boolean(value, spelling).ok_or(form)?),
        ItemType::TextString => match value {
            Scalar::Text(text) => writer.text(tag, text),
            _ => return Err(form),
        },
        ItemType::ByteString => match value {
            Scalar::Text(text) => writer.bytes(tag, &bytes(text).ok_or(form)?),
            _ => return Err(form),
        },
        ItemType::DateTime => writer.date_time(tag, moment(value, 1).ok_or(form)?),
        ItemType::Interval => writer.interval(tag, interval(value, spelling).ok_or(form)?),
        ItemType::DateTimeExtended => writer.date_time_extended(tag, moment(value, MICROSECONDS).ok_or(form)?),
    }
    Ok(())
}

/// Appends the value of `item`, which is neither a structure nor text; in JSON with quotes where it needs them.
pub(crate) fn print(
    item: &Item<'_>,
    names: Names,
    spelling: Spelling,
    text: &mut WipedText,
) -> Result<(), DecodeError> {
    let quote = if spelling == Spelling::Json { "\"" } else { "" };
    // Writing to memory cannot fail.
    let _ = match item.item_type {
        ItemType::Structure | ItemType::TextString => Ok(()),
        ItemType::Integer => {
            let value = item.integer()?;
            match names.mask() {
                Some(table) if value != 0 => {
                    let separator = if spelling == Spelling::Json { "|" } else { " " };
                    let mask = table.mask_text(value.cast_unsigned(), separator, |row| row.xml_name);
                    write!(text, "{quote}{mask}{quote}")
                }
                _ => write!(text, "{value}"),
            }
        }
        ItemType::LongInteger => {
            let value = item.long_integer()?;
            if spelling == Spelling::Xml || is_exact(value) {
                write!(text, "{value}")
            } else {
                write!(text, "\"{value:#018x}\"")
            }
        }
        ItemType::BigInteger => {
            text.push_str(if spelling == Spelling::Json { "\"0x" } else { "" });
            text.push_hex(item.value_bytes());
            write!(text, "{quote}")
        }
        ItemType::ByteString => {
            text.push_str(quote);
            text.push_hex(item.value_bytes());
            write!(text, "{quote}")
        }
        ItemType::Enumeration => {
            let value = item.enumeration()?;
            match names.enumeration_xml_name(value) {
                Some(name) => write!(text, "{quote}{name}{quote}"),
                None => write!(text, "{quote}{value:#010x}{quote}"),
            }
        }
        ItemType::Boolean => write!(text, "{}", item.boolean()?),
        ItemType::DateTime => {
            let seconds = item.date_time()?;
            // The calendar of ISO 8601 ends before the type does.
            match OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|date| date.format(&Rfc3339).ok()) {
                Some(date) => write!(text, "{quote}{date}{quote}"),
                None => write!(text, "{quote}{seconds:#018x}{quote}"),
            }
        }
        ItemType::Interval => write!(text, "{}", item.interval()?),
        ItemType::DateTimeExtended => {
            let microseconds = item.date_time_extended()?;
            let date = OffsetDateTime::UNIX_EPOCH.checked_add(Duration::microseconds(microseconds));
            match date.and_then(|date| date.format(&Rfc3339).ok()) {
                Some(date) => write!(text, "{quote}{date}{quote}"),
                None => write!(text, "{quote}{microseconds:#018x}{quote}"),
            }
        }
    };
    Ok(())
}

/// The number of a tag: `0x` and six digits.
pub(crate) fn tag_number(text: &str) -> Option<Tag> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 6)?;
    hexadecimal(digits).and_then(|number| u32::try_from(number).ok()).map(Tag)
}

/// A number, or the names of a mask's bits.
fn integer(value: &Scalar<'_>, names: Names, spelling: Spelling) -> Result<i32, ValueFault> {
    let text = match value {
        Scalar::Text(text) => text,
        Scalar::Number(number) => return i32::try_from(*number).map_err(|_| ValueFault::Form),
        Scalar::Boolean(_) => return Err(ValueFault::Form),
    };
    match spelling {
        Spelling::Xml => match text.parse() {
            Ok(value) => Ok(value),
            Err(_) => mask(text.split_ascii_whitespace(), names),
        },
        Spelling::Json => mask(text.split('|').map(str::trim_ascii), names),
    }
}

/// The bits of all `parts`, each a name or a number.
fn mask<'a>(parts: impl Iterator<Item = &'a str>, names: Names) -> Result<i32, ValueFault> {
    let mut mask = None;
    for part in parts {
        let bits = match part.strip_prefix("0x") {
            Some(digits) => word(digits).ok_or(ValueFault::Form)?,
            None if part.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                names.mask().and_then(|table| table.value_of_xml_name(part)).ok_or(ValueFault::Name)?
            }
            None => return Err(ValueFault::Form),
        };
        mask = Some(mask.unwrap_or(0) | bits);
    }
    // Without any name there was no number either.
    mask.map(u32::cast_signed).ok_or(ValueFault::Form)
}

fn long_integer(value: &Scalar<'_>, spelling: Spelling) -> Option<i64> {
    match value {
        Scalar::Text(text) => match text.strip_prefix("0x") {
            Some(digits) => hexadecimal(digits).map(u64::cast_signed),
            None if spelling == Spelling::Xml => text.parse().ok(),
            None => None,
        },
        Scalar::Number(number) => Some(*number).filter(|number| is_exact(*number)),
        Scalar::Boolean(_) => None,
    }
}

fn big_integer(value: &Scalar<'_>, spelling: Spelling, write: impl FnOnce(&[u8])) -> Option<()> {
    match value {
        Scalar::Text(text) => {
            let digits = match (text.strip_prefix("0x"), spelling) {
                (Some(digits), Spelling::Xml) => digits,
                // Whoever leaves out leading digits might mean another sign.
                (Some(digits), Spelling::Json) if digits.len() % 16 == 0 => digits,
                (None, Spelling::Xml) => text,
                (_, Spelling::Json) => return None,
            };
            write(&bytes(digits).filter(|bytes| !bytes.is_empty())?);
        }
        Scalar::Number(number) if is_exact(*number) => write(&number.to_be_bytes()),
        Scalar::Number(_) | Scalar::Boolean(_) => return None,
    }
    Some(())
}

fn enumeration(value: &Scalar<'_>, names: Names) -> Result<u32, ValueFault> {
    match value {
        Scalar::Text(text) => match text.strip_prefix("0x") {
            Some(digits) => word(digits).ok_or(ValueFault::Form),
            None => names.enumeration_value(text).ok_or(ValueFault::Name),
        },
        Scalar::Number(number) => u32::try_from(*number).map_err(|_| ValueFault::Form),
        Scalar::Boolean(_) => Err(ValueFault::Form),
    }
}

fn boolean(value: &Scalar<'_>, spelling: Spelling) -> Option<bool> {
    match value {
        Scalar::Boolean(value) => Some(*value),
        Scalar::Text(text) => match (*text, spelling) {
            ("true" | "1", Spelling::Xml) => Some(true),
            ("false" | "0", Spelling::Xml) => Some(false),
            _ => match text.strip_prefix("0x").and_then(hexadecimal)? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
        },
        Scalar::Number(_) => None,
    }
}

fn interval(value: &Scalar<'_>, spelling: Spelling) -> Option<u32> {
    match value {
        Scalar::Text(text) => match text.strip_prefix("0x") {
            Some(digits) => word(digits),
            None if spelling == Spelling::Xml => text.parse().ok(),
            None => None,
        },
        Scalar::Number(number) => u32::try_from(*number).ok(),
        Scalar::Boolean(_) => None,
    }
}

/// A date with any offset; or, in hexadecimal, units since 1970. A date without an offset would be local time of nobody
/// knows where, and is none.
fn moment(value: &Scalar<'_>, units_per_second: i128) -> Option<i64> {
    let Scalar::Text(text) = value else { return None };
    if let Some(digits) = text.strip_prefix("0x") {
        return hexadecimal(digits).map(u64::cast_signed);
    }
    let date =
        OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING)).ok()?;
    i64::try_from((date.unix_timestamp_nanos() * units_per_second).div_euclid(NANOSECONDS)).ok()
}

fn bytes(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    hex::decode(digits).ok().map(Zeroizing::new)
}

/// Up to 8 digits of hexadecimal.
fn word(digits: &str) -> Option<u32> {
    hexadecimal(digits).filter(|_| digits.len() <= 8).and_then(|number| u32::try_from(number).ok())
}

/// Up to 16 digits of hexadecimal.
fn hexadecimal(digits: &str) -> Option<u64> {
    // `from_str_radix` would take a sign, and any number of zeros.
    let plain = digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { u64::from_str_radix(digits, 16).ok() } else { None }
}

fn is_exact(number: i64) -> bool {
    -JSON_NUMBERS_BELOW < number && number < JSON_NUMBERS_BELOW
}
