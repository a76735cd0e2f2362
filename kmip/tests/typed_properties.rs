//! Claims about messages that hold for all of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "support/generate/mod.rs"]
mod generate;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use kmip::attribute::AttributeKind;
use kmip::message::{ItemPayload, Outcome, RequestMessage, ResponseItem, ResponseMessage, SUPPORTED_VERSIONS};
use kmip::object::ManagedObject;
use kmip::payload::TYPED_OPERATIONS;
use kmip::registry::{Operation, Row, enumeration_of, mask_of};
use kmip::ttlv::{DateTime, Item, ItemType, Reader, Wire};
use kmip::{ProtocolVersion, Tag};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Which structure and payload has which fields in which versions, from the tables of 1.0 to 2.1: written by xtask.
const FIELDS: &str = include_str!("support/fields.txt");
/// So the tables say that any object stands there.
const ANY_OBJECT: [&str; 2] = ["Any Object", "Certificate, Symmetric Key"];
/// What any object is, by its tag.
const OBJECTS: [Tag; 10] = [
    Tag::CERTIFICATE,
    Tag::SYMMETRIC_KEY,
    Tag::PUBLIC_KEY,
    Tag::PRIVATE_KEY,
    Tag::SPLIT_KEY,
    Tag::TEMPLATE,
    Tag::SECRET_DATA,
    Tag::OPAQUE_OBJECT,
    Tag::PGP_KEY,
    Tag::CERTIFICATE_REQUEST,
];

/// The fields that a container has in a version.
#[derive(Debug, Default)]
struct Listed {
    tags: BTreeSet<Tag>,
    /// Whether something stands there that the table has no tag for: then it may be anything.
    is_open: bool,
}

/// The tables by container and version.
fn listed() -> &'static HashMap<(String, ProtocolVersion), Listed> {
    static LISTED: LazyLock<HashMap<(String, ProtocolVersion), Listed>> = LazyLock::new(|| {
        let mut all: HashMap<(String, ProtocolVersion), Listed> = HashMap::new();
        for line in FIELDS.lines().filter(|line| !line.starts_with('#')) {
            let [container, field, versions] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
            for version in versions.split(' ') {
                let version = *SUPPORTED_VERSIONS.iter().find(|one| one.to_string() == version).unwrap();
                let listed = all.entry((container.to_owned(), version)).or_default();
                match Tag::from_text(field) {
                    Some(tag) => listed.tags.extend([tag]),
                    None if ANY_OBJECT.iter().any(|said| field.starts_with(said)) => listed.tags.extend(OBJECTS),
                    None => listed.is_open |= !field.is_empty(),
                }
            }
        }
        all
    });
    &LISTED
}

/// Whether a structure of this name has the field in this version, as far as the tables know the structure.
fn has_field(container: &str, field: Tag, version: ProtocolVersion) -> bool {
    listed().get(&(container.to_owned(), version)).is_none_or(|one| one.is_open || one.tags.contains(&field))
}

/// What the tables call a structure; payloads go by their operation.
fn container_of(stands_for: Tag, operation: Option<Operation>) -> String {
    let of = |side| format!("{} {side}", operation.map_or("", |operation| operation.text()));
    match stands_for {
        Tag::REQUEST_PAYLOAD => of("request"),
        Tag::RESPONSE_PAYLOAD => of("response"),
        other => other.text().unwrap_or_default().to_owned(),
    }
}

/// Structures of 2.x whose items are attributes under their own tags.
const HOLDERS: [Tag; 6] = [
    Tag::ATTRIBUTES,
    Tag::COMMON_ATTRIBUTES,
    Tag::PRIVATE_KEY_ATTRIBUTES,
    Tag::PUBLIC_KEY_ATTRIBUTES,
    Tag::NEW_ATTRIBUTE,
    Tag::CURRENT_ATTRIBUTE,
];

/// What is found in a message that its version does not know.
fn strangers(bytes: &[u8], version: ProtocolVersion) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = Reader::new(bytes, version);
    while let Some(item) = reader.next_item().unwrap() {
        look_at(&item, item.tag, None, &mut found);
    }
    found
}

/// `stands_for` is the item's tag, or the one of the attribute whose value it is; `operation` that of the batch item.
fn look_at(item: &Item<'_>, stands_for: Tag, operation: Option<Operation>, found: &mut Vec<String>) {
    let version = item.version();
    if !item.tag.since().is_some_and(|since| version.is_within(since, item.tag.until())) {
        found.push(format!("tag {}", item.tag));
    }
    if item.item_type == ItemType::DateTimeExtended && version < ProtocolVersion::V2_0 {
        found.push(format!("type {}", item.item_type));
    }
    if item.item_type == ItemType::Enumeration
        && let Some(table) = enumeration_of(stands_for)
    {
        let value = item.enumeration().unwrap();
        if !table.row(value).is_some_and(|row| version.is_within(row.since, row.until)) {
            found.push(format!("{} {value}", table.text));
        }
    }
    if item.item_type == ItemType::Integer
        && let Some(table) = mask_of(stands_for)
    {
        let mask = item.integer().unwrap().cast_unsigned();
        let later = |row: &&Row| mask & row.value != 0 && !version.is_within(row.since, row.until);
        found.extend(table.rows.iter().filter(later).map(|row| format!("{} {}", table.text, row.text)));
    }
    if item.tag == Tag::ATTRIBUTE_REFERENCE && item.item_type == ItemType::Enumeration {
        let tag = Tag(item.enumeration().unwrap());
        if AttributeKind::from_tag(tag).is_some_and(|kind| !kind.is_known_to(version)) {
            found.push(format!("reference to {tag}"));
        }
    }
    // What vendors put there is theirs.
    if item.item_type != ItemType::Structure || [Tag::VENDOR_EXTENSION, Tag::CUSTOM_ATTRIBUTE].contains(&stands_for) {
        return;
    }
    let mut fields = item.structure().unwrap();
    let (mut attribute, mut operation) = (None, operation);
    let container = container_of(stands_for, operation);
    while let Some(field) = fields.next_item().unwrap() {
        if item.tag == Tag::BATCH_ITEM && field.tag == Tag::OPERATION {
            operation = Operation::try_from(field.enumeration().unwrap()).ok();
        }
        let is_no_attribute = HOLDERS.contains(&item.tag)
            && field.tag != Tag::ATTRIBUTE
            && AttributeKind::from_tag(field.tag).is_none_or(|kind| !kind.is_known_to(version));
        if !has_field(&container, field.tag, version) || is_no_attribute {
            found.push(format!("{} in {container}", field.tag));
        }
        if item.tag == Tag::SERVER_INFORMATION && field.tag.text().is_none() {
            continue;
        }
        if item.tag == Tag::ATTRIBUTE && field.tag == Tag::ATTRIBUTE_NAME {
            let name = field.text().unwrap();
            let kind = if version.is_2_x() { AttributeKind::Custom } else { AttributeKind::from_name(name).unwrap() };
            let is_stranger = kind == AttributeKind::Custom && !version.is_2_x() && !name.starts_with(['x', 'y']);
            if !kind.is_known_to(version) || is_stranger {
                found.push(format!("attribute {name}"));
            }
            attribute = Some(kind.tag());
        }
        let stands_for = attribute.filter(|_| field.tag == Tag::ATTRIBUTE_VALUE).unwrap_or(field.tag);
        look_at(&field, stands_for, operation, found);
    }
}

fn any_version() -> impl Strategy<Value = ProtocolVersion> {
    select(SUPPORTED_VERSIONS.as_slice())
}

/// The newest version of each form: what it has comes back whole.
fn newest() -> impl Strategy<Value = ProtocolVersion> {
    select(vec![ProtocolVersion::V1_4, ProtocolVersion::V2_1])
}

/// So many times the number of cases that a property test has (`PROPTEST_CASES`): what is drawn here is of many kinds.
fn times(factor: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.saturating_mul(factor), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(times(2))]

    #[test]
    fn a_request_comes_back_as_it_was(message in newest().prop_flat_map(|version| generate::request(version, version))) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(RequestMessage::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn a_response_comes_back_as_it_was(message in newest().prop_flat_map(|version| generate::response(version, version))) {
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
        one in generate::attribute_value(ProtocolVersion::V2_1), other in generate::attribute_value(ProtocolVersion::V2_1)
    ) {
        prop_assert!(one.matches(&one));
        prop_assert_eq!(one.matches(&other), one == other);
        prop_assert_eq!(one.name() == other.name() && one.canonical_bytes() == other.canonical_bytes(), one == other);
    }

    #[test]
    fn a_changed_byte_never_panics_and_faults_lie_inside(
        message in newest().prop_flat_map(|version| generate::request(version, version)),
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
    let config = times(4);
    let (cases, written) = (config.cases, Cell::new(0));
    let requests = any_version().prop_flat_map(|version| generate::request(version, ProtocolVersion::EVERY));
    TestRunner::new(config)
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
    assert!(written.get() > cases / 5, "only {} of {cases} could be written", written.get());
}

/// Every operation in every version that has it, so that none is left to chance.
#[test]
fn each_payload_is_written_in_the_words_of_each_version() {
    // Each of some hundred payloads in each of seven versions.
    let cases = times(1).cases.div_ceil(10);
    let mut runner = TestRunner::new(times(1));
    for version in ProtocolVersion::ALL {
        for operation in TYPED_OPERATIONS.iter().copied().filter(|operation| operation.known_in(version)) {
            let asked = generate::request_of(operation, version);
            // Poll has no answer of its own.
            let answered = (operation != Operation::Poll).then(|| generate::response_of(operation, version));
            let mut written = 0;
            for _ in 0..cases {
                let request = RequestMessage::single(version, asked.new_tree(&mut runner).unwrap().current());
                if let Ok(bytes) = request.encode() {
                    assert_eq!(strangers(&bytes, version), Vec::<String>::new(), "{version} {request:?}");
                    let read = RequestMessage::decode(&bytes).unwrap();
                    let typed = matches!(read.items[0].payload, ItemPayload::Typed(_));
                    assert!(typed, "{version} {request:?} was read as {read:?}");
                    assert_eq!(read.encode().unwrap(), bytes, "{version} {request:?}");
                    written += 1;
                }
                let Some(answered) = &answered else { continue };
                let payload = answered.new_tree(&mut runner).unwrap().current();
                let is_known = payload.known_in(version);
                let item = ResponseItem::success(None, payload);
                let response = ResponseMessage::new(version, DateTime(0), vec![item]);
                let bytes = response.encode();
                assert_eq!(strangers(&bytes, version), Vec::<String>::new(), "{version} {response:?}");
                let read = ResponseMessage::decode(&bytes).unwrap();
                assert_eq!(matches!(read.items[0].outcome, Outcome::Success(_)), is_known, "{version} {response:?}");
                assert_eq!(read.encode(), bytes, "{version} {response:?}");
            }
            assert!(written > 0, "no {operation} of {version} could be written");
        }
    }
}

/// What is known of the standard by heart, against the tables: a field that came later, one that went, one that moved.
#[test]
fn the_tables_of_fields_say_what_the_standard_says() {
    use ProtocolVersion as V;
    for (container, field, first, last) in [
        ("Cryptographic Parameters", Tag::CRYPTOGRAPHIC_ALGORITHM, V::V1_2, V::V2_1),
        ("Digest", Tag::KEY_FORMAT_TYPE, V::V1_1, V::V2_1),
        ("Key Value", Tag::ATTRIBUTE, V::V1_0, V::V1_4),
        ("Locate request", Tag::OFFSET_ITEMS, V::V1_3, V::V2_1),
        ("Locate request", Tag::ATTRIBUTE, V::V1_0, V::V1_4),
        ("Locate response", Tag::LOCATED_ITEMS, V::V1_3, V::V2_1),
        ("Get Attributes response", Tag::ATTRIBUTE, V::V1_0, V::V1_4),
        ("Response Header", Tag::SERVER_CORRELATION_VALUE, V::V1_4, V::V2_1),
    ] {
        for version in SUPPORTED_VERSIONS.into_iter().filter(|one| listed().contains_key(&(container.to_owned(), *one)))
        {
            let has = version.is_within(first, Some(last));
            assert_eq!(has_field(container, field, version), has, "{field} in {container} of {version}");
        }
    }
    // A message that holds such a field is found out: what the properties above look for is seen when it is there.
    let mut response = ResponseMessage::new(V::V1_4, DateTime(0), Vec::new());
    response.header.server_correlation_value = Some("x".to_owned());
    let mut bytes = response.encode().to_vec();
    assert_eq!(strangers(&bytes, V::V1_4), Vec::<String>::new());
    let minor = [0x42, 0x00, 0x6b, 0x02, 0, 0, 0, 4, 0, 0, 0, 4];
    let at = bytes.windows(minor.len()).position(|window| window == minor).unwrap();
    bytes[at + 11] = 3;
    assert!(strangers(&bytes, V::V1_3).contains(&"Server Correlation Value in Response Header".to_owned()));
}
