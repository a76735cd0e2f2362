//! What holds for any bytes. The fuzz targets search for bytes for which it does not; `kmip/tests/fuzz_seeds.rs` asks
//! the same of the committed seeds.

use kmip::encoding::Encoding;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::ttlv::{DecodeError, ItemType, Reader, Writer};
use kmip::{ProtocolVersion, text, xml};

/// Bytes are either refused, or they are what a writer makes of what a reader found in them, and their XML and JSON mean the
/// same.
pub fn ttlv_reader(bytes: &[u8]) {
    let read = rewrite(bytes);
    let rendered = text::render(bytes);
    match read {
        Ok(again) => {
            assert_eq!(again, bytes, "written otherwise than read");
            assert!(!rendered.contains("\n! "), "the text form reports a fault:\n{rendered}");
            for encoding in [Encoding::Xml, Encoding::Json] {
                // Not one item, or a character for which XML has no form.
                let Ok(document) = encoding.from_ttlv(bytes) else { continue };
                let back = encoding.to_ttlv(&document).expect("a document of a message is a message");
                let shown = String::from_utf8_lossy(&document);
                assert_eq!(*back, bytes, "{encoding:?} means another message:\n{shown}");
            }
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

/// A document is refused, or its TTLV is well formed and the tree of its elements means the same.
pub fn xml_document(bytes: &[u8]) {
    let by_tree = std::str::from_utf8(bytes).ok().map(|text| xml::Element::parse(text).and_then(|tree| tree.to_ttlv()));
    if let Some(message) = document(Encoding::Xml, bytes) {
        assert_eq!(by_tree, Some(Ok(message.into())), "the tree means another message");
    }
}

/// A document is refused, or its TTLV is well formed.
pub fn json_document(bytes: &[u8]) {
    document(Encoding::Json, bytes);
}

/// The message that a document is, if it is one; the same message comes of the document that is made of it.
fn document(encoding: Encoding, bytes: &[u8]) -> Option<Vec<u8>> {
    let message = match encoding.to_ttlv(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= bytes.len(), "{error} in {} bytes", bytes.len());
            return None;
        }
    };
    rewrite(&message).expect("a document makes well-formed TTLV");
    if let Ok(again) = encoding.from_ttlv(&message) {
        assert_eq!(encoding.to_ttlv(&again).as_ref(), Ok(&message), "written as another message");
    }
    Some(message.to_vec())
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
