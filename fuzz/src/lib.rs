//! What holds for any bytes. The fuzz targets search for bytes for which it does not; `kmip/tests/fuzz_seeds.rs` asks
//! the same of the committed seeds.

use kmip::message::{RequestMessage, ResponseMessage};
use kmip::ttlv::{DecodeError, ItemType, Reader, Writer};
use kmip::{ProtocolVersion, text, xml};

/// Bytes are either refused, or they are what a writer makes of what a reader found in them, and their XML means the
/// same.
pub fn ttlv_reader(bytes: &[u8]) {
    let read = rewrite(bytes);
    let rendered = text::render(bytes);
    match read {
        Ok(again) => {
            assert_eq!(again, bytes, "written otherwise than read");
            assert!(!rendered.contains("\n! "), "the text form reports a fault:\n{rendered}");
            let printed = match xml::from_ttlv(bytes) {
                Ok(printed) => printed,
                // Not one item, or a character for which XML has no form.
                Err(_) => return,
            };
            let back = xml::to_ttlv(&printed).expect("XML of a message is a message");
            assert_eq!(*back, bytes, "XML means another message:\n{printed}");
        }
        Err(error) => assert!(error.offset <= bytes.len(), "{error} in {} bytes", bytes.len()),
    }
}

/// A request that is understood and can be written in its version is written as something that is understood and written
/// the same. (What was read may say more: it may hold a value that only a newer version has, which is left out, or makes
/// the request impossible to write.)
pub fn request_message(bytes: &[u8]) {
    let Ok(request) = RequestMessage::decode(bytes) else { return };
    let Ok(written) = request.encode() else { return };
    let again = RequestMessage::decode(&written).expect("a written request is a request");
    assert!(again.encode().as_ref() == Ok(&written), "{request:?} was written as {again:?}");
}

/// The same of responses.
pub fn response_message(bytes: &[u8]) {
    let Ok(response) = ResponseMessage::decode(bytes) else { return };
    let written = response.encode();
    let again = ResponseMessage::decode(&written).expect("a written response is a response");
    assert!(again.encode() == written, "{response:?} was written as {again:?}");
}

/// Text is refused, or its TTLV is well formed.
pub fn xml_document(bytes: &[u8]) {
    let Ok(document) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = xml::to_ttlv(document) {
        rewrite(&message).expect("XML makes well-formed TTLV");
    }
}

/// Reads every item with the method of its type and writes what came out.
fn rewrite(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
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
