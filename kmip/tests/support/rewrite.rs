//! An encoder that goes through every typed access.

use kmip::ProtocolVersion;
use kmip::ttlv::{DecodeError, ItemType, Reader, Writer};

/// Reads every item with the method of its type and writes what came out.
pub fn rewrite(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut writer = Writer::new(ProtocolVersion::V1_4);
    rewrite_items(Reader::new(bytes, ProtocolVersion::V1_4), &mut writer)?;
    Ok(writer.finish().to_vec())
}

fn rewrite_items(mut reader: Reader<'_>, writer: &mut Writer) -> Result<(), DecodeError> {
    while let Some(item) = reader.next_item()? {
        let tag = item.tag;
        match item.item_type {
            ItemType::Structure => {
                let inside = item.structure()?;
                let mut outcome = Ok(());
                writer.structure(tag, |writer| outcome = rewrite_items(inside, writer));
                outcome?;
            }
            ItemType::Integer => writer.integer(tag, item.integer()?),
            ItemType::LongInteger => writer.long_integer(tag, item.long_integer()?),
            ItemType::BigInteger => writer.big_integer(tag, item.big_integer()?),
            ItemType::Enumeration => writer.enumeration(tag, item.enumeration()?),
            ItemType::Boolean => writer.boolean(tag, item.boolean()?),
            ItemType::TextString => writer.text(tag, item.text()?),
            ItemType::ByteString => writer.bytes(tag, item.bytes()?),
            ItemType::DateTime => writer.date_time(tag, item.date_time()?),
            ItemType::Interval => writer.interval(tag, item.interval()?),
            ItemType::DateTimeExtended => writer.date_time_extended(tag, item.date_time_extended()?),
        }
    }
    reader.finish()
}
