//! Claims about the codec that hold for all trees and all bytes.

#[path = "support/rewrite.rs"]
mod rewrite;

use kmip::encoding::{Encoding, EncodingErrorKind};
use kmip::registry::Tag;
use kmip::ttlv::Writer;
use kmip::{ProtocolVersion, json, text, xml};
use proptest::collection::vec;
use proptest::prelude::*;

/// An item of any shape.
#[derive(Clone, Debug)]
enum Tree {
    Structure(u32, Vec<Tree>),
    Integer(u32, i32),
    LongInteger(u32, i64),
    BigInteger(u32, Vec<u8>),
    Enumeration(u32, u32),
    Boolean(u32, bool),
    Text(u32, String),
    Bytes(u32, Vec<u8>),
    DateTime(u32, i64),
    Interval(u32, u32),
    DateTimeExtended(u32, i64),
}

fn write(tree: &Tree, writer: &mut Writer) {
    match tree {
        Tree::Structure(tag, children) => writer.structure(Tag(*tag), |writer| {
            for child in children {
                write(child, writer);
            }
        }),
        Tree::Integer(tag, value) => writer.integer(Tag(*tag), *value),
        Tree::LongInteger(tag, value) => writer.long_integer(Tag(*tag), *value),
        Tree::BigInteger(tag, value) => writer.big_integer(Tag(*tag), value),
        Tree::Enumeration(tag, value) => writer.enumeration(Tag(*tag), *value),
        Tree::Boolean(tag, value) => writer.boolean(Tag(*tag), *value),
        Tree::Text(tag, value) => writer.text(Tag(*tag), value),
        Tree::Bytes(tag, value) => writer.bytes(Tag(*tag), value),
        Tree::DateTime(tag, value) => writer.date_time(Tag(*tag), *value),
        Tree::Interval(tag, value) => writer.interval(Tag(*tag), *value),
        Tree::DateTimeExtended(tag, value) => writer.date_time_extended(Tag(*tag), *value),
    }
}

fn encode(tree: &Tree) -> Vec<u8> {
    let mut writer = Writer::new(ProtocolVersion::V2_1);
    write(tree, &mut writer);
    writer.finish().to_vec()
}

/// Tags with a name, and some without.
fn tags() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => proptest::sample::select(Tag::ALL).prop_map(Tag::value),
        1 => 0x54_0000..0x55_0000_u32,
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (tags(), any::<i32>()).prop_map(|(tag, value)| Tree::Integer(tag, value)),
        (tags(), any::<i64>()).prop_map(|(tag, value)| Tree::LongInteger(tag, value)),
        (tags(), vec(any::<u8>(), 0..40)).prop_map(|(tag, value)| Tree::BigInteger(tag, value)),
        (tags(), prop_oneof![0..80_u32, any::<u32>()]).prop_map(|(tag, value)| Tree::Enumeration(tag, value)),
        (tags(), any::<bool>()).prop_map(|(tag, value)| Tree::Boolean(tag, value)),
        (tags(), any::<String>()).prop_map(|(tag, value)| Tree::Text(tag, value)),
        (tags(), vec(any::<u8>(), 0..40)).prop_map(|(tag, value)| Tree::Bytes(tag, value)),
        (tags(), prop_oneof![0..4_102_444_800_i64, any::<i64>()]).prop_map(|(tag, value)| Tree::DateTime(tag, value)),
        (tags(), any::<u32>()).prop_map(|(tag, value)| Tree::Interval(tag, value)),
        (tags(), any::<i64>()).prop_map(|(tag, value)| Tree::DateTimeExtended(tag, value)),
    ];
    leaf.prop_recursive(8, 64, 8, |inner| {
        (tags(), vec(inner, 0..8)).prop_map(|(tag, children)| Tree::Structure(tag, children))
    })
}

/// Prints an item with its properties in reverse, so that every value comes before its type and its tag.
fn values_first(item: &mut serde_json::Value, out: &mut String) {
    out.push_str("{ \"value\" :\t");
    match &mut item["value"] {
        serde_json::Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter_mut().enumerate() {
                out.push_str(if at == 0 { "\n" } else { " , " });
                values_first(item, out);
            }
            out.push(']');
        }
        value => out.push_str(&value.to_string()),
    }
    let item_type = item["type"].as_str().unwrap_or("Structure");
    out.push_str(&format!(", \"type\": \"{item_type}\",\r\n\"tag\": {} }}", item["tag"]));
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_again(tree in trees()) {
        let bytes = encode(&tree);
        prop_assert_eq!(rewrite::rewrite(&bytes).unwrap(), bytes);
    }

    #[test]
    fn what_xml_can_represent_survives_xml(tree in trees()) {
        let bytes = encode(&tree);
        match xml::from_ttlv(&bytes) {
            Ok(printed) => {
                let again = xml::to_ttlv(&printed).unwrap();
                prop_assert_eq!(again.as_slice(), bytes.as_slice(), "{}", &*printed);
                // The tree of elements says the same as the text.
                let tree = xml::Element::from_ttlv(&bytes).unwrap();
                prop_assert_eq!(&xml::Element::parse(&printed).unwrap(), &tree);
                prop_assert_eq!(&xml::Element::parse(&tree.print().unwrap()).unwrap(), &tree);
            }
            Err(error) => prop_assert!(matches!(error.kind, EncodingErrorKind::NotXml { .. }), "{}", error),
        }
    }

    #[test]
    fn everything_survives_json(tree in trees()) {
        let bytes = encode(&tree);
        let printed = json::from_ttlv(&bytes).unwrap();
        let again = json::to_ttlv(&printed).unwrap();
        prop_assert_eq!(again.as_slice(), bytes.as_slice(), "{}", &*printed);
        // It is JSON for everybody else too.
        prop_assert!(serde_json::from_str::<serde_json::Value>(&printed).is_ok());
    }

    #[test]
    fn json_means_the_same_in_any_order_and_with_blanks(tree in trees()) {
        let bytes = encode(&tree);
        let mut value = serde_json::from_str(&json::from_ttlv(&bytes).unwrap()).unwrap();
        let mut reordered = String::new();
        values_first(&mut value, &mut reordered);
        let again = json::to_ttlv(&reordered).unwrap();
        prop_assert_eq!(again.as_slice(), bytes.as_slice(), "{}", reordered);
    }

    #[test]
    fn a_changed_document_is_a_message_or_refused(
        tree in trees(),
        at in any::<proptest::sample::Index>(),
        with in proptest::sample::select(b"\"'<>/[]{}:,&;x0-9aT \n\\\xff".to_vec()),
    ) {
        let bytes = encode(&tree);
        for encoding in [Encoding::Xml, Encoding::Json] {
            let Ok(mut document) = encoding.from_ttlv(&bytes) else { continue };
            let at = at.index(document.len());
            prop_assert!(encoding.to_ttlv(&document[..at]).is_err());
            document[at] = with;
            match encoding.to_ttlv(&document) {
                Ok(message) => prop_assert!(rewrite::rewrite(&message).is_ok()),
                Err(error) => prop_assert!(error.offset <= document.len(), "{}", error),
            }
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..256)) {
        if let Ok(again) = rewrite::rewrite(&bytes) {
            prop_assert_eq!(again, bytes);
        } else {
            prop_assert!(text::render(&bytes).contains("! "));
        }
    }

    #[test]
    fn a_changed_byte_is_decoded_or_refused(tree in trees(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&tree);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        match rewrite::rewrite(&bytes) {
            Ok(again) => prop_assert_eq!(again, bytes),
            Err(error) => prop_assert!(error.offset <= bytes.len()),
        }
    }

    #[test]
    fn a_truncated_item_is_refused(tree in trees(), at in any::<proptest::sample::Index>()) {
        let bytes = encode(&tree);
        let len = at.index(bytes.len());
        prop_assume!(len > 0);
        prop_assert!(rewrite::rewrite(&bytes[..len]).is_err());
    }

    #[test]
    fn any_text_is_a_document_or_refused(text in any::<String>()) {
        for encoding in [Encoding::Xml, Encoding::Json] {
            if let Err(error) = encoding.to_ttlv(text.as_bytes()) {
                prop_assert!(error.offset <= text.len(), "{}", error);
            }
        }
    }
}
