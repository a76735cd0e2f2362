//! Messages of other implementations: what is well formed survives byte for byte, what is not is refused.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/rewrite.rs"]
mod rewrite;
#[path = "support/vectors.rs"]
mod vectors;

use kmip::encoding::{Encoding, EncodingError, EncodingErrorKind};
use kmip::ttlv::{DecodeError, DecodeErrorKind, ItemType, Reader};
use kmip::{ProtocolVersion, text};

/// Fewer would mean that the file was not read to its end.
const WELL_FORMED_AT_LEAST: usize = 600;

#[test]
fn well_formed_messages_survive_byte_for_byte() {
    let all = vectors::well_formed();
    assert!(all.len() >= WELL_FORMED_AT_LEAST, "{}", all.len());
    for (name, bytes) in all {
        match rewrite::rewrite(&bytes) {
            Ok(again) => assert_eq!(again, bytes, "{name}"),
            Err(error) => panic!("{name}: {error}\n{}", text::render(&bytes)),
        }
    }
}

#[test]
fn well_formed_messages_survive_xml_and_json() {
    let mut without_xml = 0;
    for (name, bytes) in vectors::well_formed() {
        let mut reader = Reader::new(&bytes, ProtocolVersion::V1_4);
        while let Some(item) = reader.next_item().unwrap() {
            for encoding in [Encoding::Xml, Encoding::Json] {
                let document = match encoding.from_ttlv(item.raw()) {
                    Ok(document) => document,
                    // Some suites put control characters into identifiers, for which XML has no form.
                    Err(EncodingError { kind: EncodingErrorKind::NotXml { .. }, .. }) => {
                        without_xml += 1;
                        continue;
                    }
                    Err(error) => panic!("{name}: {error}"),
                };
                let shown = String::from_utf8_lossy(&document);
                match encoding.to_ttlv(&document) {
                    Ok(again) => assert_eq!(again.as_slice(), item.raw(), "{name}\n{shown}"),
                    Err(error) => panic!("{name}: {error}\n{shown}"),
                }
            }
        }
    }
    assert!(without_xml <= 3, "{without_xml}");
}

#[test]
fn the_text_form_of_a_well_formed_message_reports_no_fault() {
    for (name, bytes) in vectors::well_formed() {
        let text = text::render(&bytes);
        assert!(!text.lines().any(|line| line.starts_with('!')), "{name}\n{text}");
    }
}

#[test]
fn malformed_messages_are_refused() {
    let file = vectors::file("malformed.json");
    let (mut refused, mut valid) = (0, 0);
    for entry in file["malformed"].as_array().unwrap() {
        let bytes = hex::decode(entry["hex"].as_str().unwrap()).unwrap();
        let outcome = rewrite::rewrite(&bytes);
        if entry["strict_ttlv_valid"] == true {
            assert_eq!(outcome.unwrap(), bytes, "{entry}");
            valid += 1;
        } else {
            let error = outcome.expect_err(&entry.to_string());
            assert!(error.offset <= bytes.len(), "{entry}: {error}");
            refused += 1;
        }
    }
    assert_eq!((refused, valid), (80, 2));
}

#[test]
fn the_vector_marked_as_not_well_formed_is_refused() {
    let file = vectors::file("vectors.json");
    let marked: Vec<_> =
        file["vectors"].as_array().unwrap().iter().filter(|vector| vector["wellformed"] == false).collect();
    assert_eq!(marked.len(), 1);
    let bytes = hex::decode(marked[0]["response_hex"].as_str().unwrap()).unwrap();
    assert!(rewrite::rewrite(&bytes).is_err());
}

#[test]
fn a_boolean_of_two_is_refused() {
    let error = rewrite::rewrite(&hex::decode(vectors::BOOLEAN_OF_TWO).unwrap()).unwrap_err();
    assert_eq!(error, DecodeError { kind: DecodeErrorKind::BooleanValue, offset: 8 });
}

#[test]
fn every_truncation_is_refused() {
    for (name, bytes) in vectors::well_formed() {
        // A structure is the usual message; where several items stand in a row, a cut between them leaves whole ones.
        let mut reader = Reader::new(&bytes, ProtocolVersion::V1_4);
        let first = reader.next_item().unwrap().unwrap();
        if first.item_type != ItemType::Structure || !reader.is_empty() {
            continue;
        }
        for len in 1..bytes.len() {
            assert!(rewrite::rewrite(&bytes[..len]).is_err(), "{name} cut to {len} bytes");
        }
    }
}
