//! Claims about messages that hold for all of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "support/generate/mod.rs"]
mod generate;

use std::cell::Cell;

use kmip::attribute::AttributeKind;
use kmip::message::{ItemPayload, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS};
use kmip::object::ManagedObject;
use kmip::registry::enumeration_of;
use kmip::ttlv::{Item, ItemType, Reader};
use kmip::{ProtocolVersion, Tag};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

/// Fields that came to a structure later than their tag came to the standard: structure, field, first version. From
/// the tables of 1.0 to 1.4.
const LATER_FIELDS: [(Tag, Tag, ProtocolVersion); 3] = [
    (Tag::CRYPTOGRAPHIC_PARAMETERS, Tag::CRYPTOGRAPHIC_ALGORITHM, ProtocolVersion::V1_2),
    (Tag::CRYPTOGRAPHIC_PARAMETERS, Tag::DIGITAL_SIGNATURE_ALGORITHM, ProtocolVersion::V1_2),
    (Tag::DIGEST, Tag::KEY_FORMAT_TYPE, ProtocolVersion::V1_1),
];

/// What is found in a message that its version does not know.
fn strangers(bytes: &[u8], version: ProtocolVersion) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = Reader::new(bytes, version);
    while let Some(item) = reader.next_item().unwrap() {
        look_at(&item, item.tag, &mut found);
    }
    found
}

/// `stands_for` is the item's tag, or the one of the attribute whose value it is.
fn look_at(item: &Item<'_>, stands_for: Tag, found: &mut Vec<String>) {
    let version = item.version();
    if !item.tag.since().is_some_and(|since| version.is_within(since, item.tag.until())) {
        found.push(format!("tag {}", item.tag));
    }
    if item.item_type == ItemType::Enumeration
        && let Some(table) = enumeration_of(stands_for)
    {
        let value = item.enumeration().unwrap();
        if !table.row(value).is_some_and(|row| version.is_within(row.since, row.until)) {
            found.push(format!("{} {value}", table.text));
        }
    }
    // What vendors put there is theirs.
    if item.item_type != ItemType::Structure
        || [Tag::VENDOR_EXTENSION, Tag::SERVER_INFORMATION, Tag::CUSTOM_ATTRIBUTE].contains(&stands_for)
    {
        return;
    }
    let mut fields = item.structure().unwrap();
    let mut attribute = None;
    while let Some(field) = fields.next_item().unwrap() {
        let is_later = |(structure, tag, since): &(Tag, Tag, ProtocolVersion)| {
            *structure == stands_for && *tag == field.tag && version < *since
        };
        if LATER_FIELDS.iter().any(is_later) {
            found.push(format!("{} in {stands_for}", field.tag));
        }
        if item.tag == Tag::ATTRIBUTE && field.tag == Tag::ATTRIBUTE_NAME {
            let kind = AttributeKind::from_name(field.text().unwrap()).unwrap();
            if !kind.is_known_to(version) {
                found.push(format!("attribute {}", kind.text()));
            }
            attribute = Some(kind.tag());
        }
        let stands_for = attribute.filter(|_| field.tag == Tag::ATTRIBUTE_VALUE).unwrap_or(field.tag);
        look_at(&field, stands_for, found);
    }
}

fn any_version() -> impl Strategy<Value = ProtocolVersion> {
    select(SUPPORTED_VERSIONS.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_request_comes_back_as_it_was(message in generate::request(ProtocolVersion::V1_4, ProtocolVersion::V1_4)) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(RequestMessage::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn a_response_comes_back_as_it_was(message in generate::response(ProtocolVersion::V1_4, ProtocolVersion::V1_4)) {
        let bytes = message.encode();
        prop_assert_eq!(ResponseMessage::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn an_object_of_any_version_comes_back_from_its_canonical_form(object in generate::object(ProtocolVersion::EVERY)) {
        let bytes = object.to_canonical();
        prop_assert_eq!(ManagedObject::from_canonical(bytes.expose()).unwrap(), object);
    }

    #[test]
    fn a_response_holds_nothing_that_its_version_does_not_know(
        message in any_version().prop_flat_map(|version| generate::response(version, ProtocolVersion::EVERY))
    ) {
        let bytes = message.encode();
        prop_assert_eq!(strangers(&bytes, message.header.version), Vec::<String>::new());
        prop_assert_eq!(ResponseMessage::decode(&bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn an_attribute_matches_itself_and_what_differs_does_not(
        one in generate::attribute_value(ProtocolVersion::V1_4), other in generate::attribute_value(ProtocolVersion::V1_4)
    ) {
        prop_assert!(one.matches(&one));
        prop_assert_eq!(one.matches(&other), one == other);
        prop_assert_eq!(one.name() == other.name() && one.canonical_bytes() == other.canonical_bytes(), one == other);
    }

    #[test]
    fn a_changed_byte_never_panics_and_faults_lie_inside(
        message in generate::request(ProtocolVersion::V1_4, ProtocolVersion::V1_4),
        at in any::<prop::sample::Index>(), change in 1..=255_u8
    ) {
        let mut bytes = message.encode().unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        match RequestMessage::decode(&bytes) {
            Err(error) => prop_assert!(error.offset <= bytes.len()),
            Ok(read) => for item in read.items {
                if let ItemPayload::Malformed(error) = item.payload {
                    prop_assert!(error.offset <= bytes.len());
                }
            },
        }
        let _ = ResponseMessage::decode(&bytes);
    }
}

#[test]
fn a_request_holds_nothing_that_its_version_does_not_know() {
    const CASES: u32 = 1024;
    let written = Cell::new(0);
    let requests = any_version().prop_flat_map(|version| generate::request(version, ProtocolVersion::EVERY));
    TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })
        .run(&requests, |message| {
            // One that cannot be expressed is refused before anything is written.
            let Ok(bytes) = message.encode() else { return Ok(()) };
            written.set(written.get() + 1);
            prop_assert_eq!(strangers(&bytes, message.header.version), Vec::<String>::new());
            let read = RequestMessage::decode(&bytes).unwrap();
            let typed = read.items.iter().all(|item| matches!(item.payload, ItemPayload::Typed(_)));
            prop_assert!(typed, "{:?}", read);
            prop_assert_eq!(read.encode().unwrap(), bytes);
            Ok(())
        })
        .unwrap();
    assert!(written.get() > CASES / 5, "only {} of {CASES} could be written", written.get());
}
