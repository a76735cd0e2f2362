//! Values between the text of an XML attribute and TTLV.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Element, XmlError};
use crate::names::Names;
use crate::registry::Tag;
use crate::ttlv::{DecodeError, Item, ItemType, Writer};

/// Writes the value of `element` under `tag`.
pub(super) fn write_value(element: &Element, tag: Tag, names: Names, writer: &mut Writer) -> Result<(), XmlError> {
    let wrong = || XmlError::Value { element: element.name.clone(), item_type: element.item_type };
    let text = element.value.as_deref().ok_or_else(wrong)?;
    match element.item_type {
        ItemType::Structure => return Err(wrong()),
        ItemType::Integer => writer.integer(tag, integer(element, text, names)?),
        ItemType::LongInteger => writer.long_integer(tag, signed(text).ok_or_else(wrong)?),
        ItemType::BigInteger => writer.big_integer(tag, &hex::decode(text).map_err(|_| wrong())?),
        ItemType::Enumeration => writer.enumeration(tag, enumeration(element, text, names)?),
        ItemType::Boolean => match text {
            "true" | "1" => writer.boolean(tag, true),
            "false" | "0" => writer.boolean(tag, false),
            _ => return Err(wrong()),
        },
        ItemType::TextString => writer.text(tag, text),
        ItemType::ByteString => writer.bytes(tag, &hex::decode(text).map_err(|_| wrong())?),
        ItemType::DateTime => writer.date_time(tag, moment(text, 1).ok_or_else(wrong)?),
        ItemType::Interval => {
            let seconds = signed(text).and_then(|seconds| u32::try_from(seconds).ok());
            writer.interval(tag, seconds.ok_or_else(wrong)?);
        }
        ItemType::DateTimeExtended => {
            writer.date_time_extended(tag, moment(text, MICROSECONDS).ok_or_else(wrong)?);
        }
    }
    Ok(())
}

/// The value of `item` as text.
pub(super) fn read_value(item: &Item<'_>, names: Names) -> Result<String, DecodeError> {
    Ok(match item.item_type {
        ItemType::Structure => String::new(),
        ItemType::Integer => {
            let value = item.integer()?;
            match names.mask() {
                Some(table) if value != 0 => table.mask_text(value.cast_unsigned(), " ", |row| row.xml_name),
                _ => value.to_string(),
            }
        }
        ItemType::LongInteger => item.long_integer()?.to_string(),
        ItemType::BigInteger | ItemType::ByteString => hex::encode(item.value_bytes()),
        ItemType::Enumeration => {
            let value = item.enumeration()?;
            names.enumeration_xml_name(value).map_or_else(|| format!("{value:#010x}"), str::to_owned)
        }
        ItemType::Boolean => item.boolean()?.to_string(),
        ItemType::TextString => item.text()?.to_owned(),
        ItemType::DateTime => {
            let seconds = item.date_time()?;
            let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
            // The calendar of ISO 8601 ends before the type does.
            date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{seconds:#018x}"))
        }
        ItemType::Interval => item.interval()?.to_string(),
        ItemType::DateTimeExtended => {
            let microseconds = item.date_time_extended()?;
            let date = OffsetDateTime::UNIX_EPOCH.checked_add(Duration::microseconds(microseconds));
            date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{microseconds:#018x}"))
        }
    })
}

/// A number, or the names of a mask's bits between blanks.
fn integer(element: &Element, text: &str, names: Names) -> Result<i32, XmlError> {
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    let mut mask = 0;
    for name in text.split_ascii_whitespace() {
        let bits = hexadecimal(name).and_then(|bits| u32::try_from(bits).ok());
        let bits = bits.or_else(|| names.mask()?.value_of_xml_name(name));
        mask |= bits.ok_or_else(|| unknown(element, name))?;
    }
    // Without any name there was no number either.
    if text.trim_ascii().is_empty() {
        return Err(XmlError::Value { element: element.name.clone(), item_type: ItemType::Integer });
    }
    Ok(mask.cast_signed())
}

fn enumeration(element: &Element, text: &str, names: Names) -> Result<u32, XmlError> {
    let number = hexadecimal(text).and_then(|number| u32::try_from(number).ok());
    number.or_else(|| names.enumeration_value(text)).ok_or_else(|| unknown(element, text))
}

fn unknown(element: &Element, name: &str) -> XmlError {
    XmlError::UnknownName { element: element.name.clone(), name: name.to_owned() }
}

/// Decimal with a sign, or hexadecimal after `0x` in two's complement.
fn signed(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| hexadecimal(text).map(u64::cast_signed))
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    // `from_str_radix` would take a sign.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, 16).ok() }
}

const MICROSECONDS: i128 = 1_000_000;

/// A date with any offset; or, in hexadecimal, units since 1970 if it is outside the calendar of ISO 8601.
fn moment(text: &str, units_per_second: i128) -> Option<i64> {
    if let Some(number) = hexadecimal(text) {
        return Some(number.cast_signed());
    }
    let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from((date.unix_timestamp_nanos() * units_per_second).div_euclid(1_000_000_000)).ok()
}
