//! What is broken in a request, and how far it reaches.

use secret::Secret;

use super::*;
use crate::attribute::{AttributeValue, Identifier, TemplateAttribute};
use crate::limits::MAX_ATTRIBUTE_OVERHEAD;
use crate::message::{Credential, DeviceCredential, Password, peek_version};
use crate::object::{KeyBlock, ManagedObject, SymmetricKey};
use crate::payload::{
    CreateRequest, Data, DiscoverVersionsRequest, EncryptRequest, GetRequest, QueryRequest, RegisterRequest,
};
use crate::registry::{
    AttestationType, CryptographicAlgorithm, ObjectType, QueryFunction, UniqueIdentifierPlaceholder,
};
use crate::ttlv::{DecodeErrorKind, OwnedItem};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
/// Bytes of the headers of message, header and version, of the version itself and of Batch Count, then of the first
/// batch item.
const FIRST_ITEM_AT: usize = 8 + 8 + 8 + 32 + 16;

fn get(id: &str) -> RequestPayload {
    GetRequest::of(id).into()
}

/// A message of one version with these batch items.
fn message(version: ProtocolVersion, batch_count: i32, items: impl FnOnce(&mut Writer)) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::new(version);
    w.structure(Tag::REQUEST_MESSAGE, |w| {
        RequestHeader::new(version, batch_count).encode(Tag::REQUEST_HEADER, w);
        items(w);
    });
    w.finish()
}

fn item(w: &mut Writer, operation: u32, payload: impl FnOnce(&mut Writer)) {
    w.structure(Tag::BATCH_ITEM, |w| {
        w.enumeration(Tag::OPERATION, operation);
        w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, b"mark");
        w.structure(Tag::REQUEST_PAYLOAD, payload);
    });
}

#[test]
fn a_batch_numbers_its_items_and_asks_for_order() {
    let request = RequestMessage::batch(V1_4, [get("a"), get("b")]);
    assert_eq!((request.header.batch_count, request.header.batch_order), (2, Some(true)));
    assert_eq!(request.items[1].unique_batch_item_id, Some(vec![0, 0, 0, 2]));
    assert_eq!(RequestMessage::decode(&request.encode().unwrap()).unwrap(), request);
}

#[test]
fn a_batch_count_that_lies_spoils_the_message() {
    for announced in [0, 1, 3, -1, i32::MAX] {
        let bytes = message(V1_4, announced, |w| (0..2).for_each(|_| item(w, 0x0A, |_| {})));
        let refused = RequestMessage::decode(&bytes).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::BatchCount { announced, found: 2 });
    }
    let empty = message(V1_4, 0, |_| {});
    let refused = RequestMessage::decode(&empty).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::BatchCount { announced: 0, found: 0 });
    let honest = message(V1_4, 2, |w| (0..2).for_each(|_| item(w, 0x0A, |_| {})));
    assert_eq!(RequestMessage::decode(&honest).unwrap().items.len(), 2);
}

#[test]
fn batch_items_have_a_limit() {
    let of =
        |count: usize| message(V1_4, i32::try_from(count).unwrap(), |w| (0..count).for_each(|_| item(w, 0x0A, |_| {})));
    assert_eq!(RequestMessage::decode(&of(MAX_BATCH_ITEMS)).unwrap().items.len(), MAX_BATCH_ITEMS);
    let refused = RequestMessage::decode(&of(MAX_BATCH_ITEMS + 1)).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::TooMany { what: "Batch Item", limit: MAX_BATCH_ITEMS });
}

#[test]
fn attributes_that_are_cheap_to_send_and_dear_to_keep_have_a_limit() {
    let of = |count: usize| {
        let create = Operation::Create.value();
        message(ProtocolVersion::V2_1, 1, |w| {
            item(w, create, |w| {
                ObjectType::SymmetricKey.encode(Tag::OBJECT_TYPE, w);
                w.structure(Tag::ATTRIBUTES, |w| {
                    (0..count).for_each(|_| w.structure(Tag::CRYPTOGRAPHIC_PARAMETERS, |_| {}));
                });
            });
        })
    };
    assert!(matches!(RequestMessage::decode(&of(50)).unwrap().items[0].payload, ItemPayload::Typed(_)));
    let refused = RequestMessage::decode(&of(500)).unwrap_err();
    assert!(matches!(refused.kind, DecodeErrorKind::TooMany { limit: MAX_ATTRIBUTE_OVERHEAD, .. }));
}

#[test]
fn a_fault_in_one_item_spoils_that_item_only() {
    let bytes = message(V1_4, 4, |w| {
        item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, "first"));
        item(w, 0x0A, |w| w.integer(Tag::UNIQUE_IDENTIFIER, 7));
        item(w, 0x0A, |w| {
            w.text(Tag::UNIQUE_IDENTIFIER, "third");
            w.text(Tag::UNIQUE_IDENTIFIER, "again");
        });
        item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, "last"));
    });
    let read = RequestMessage::decode(&bytes).unwrap();
    let [first, second, third, last] = &read.items[..] else { panic!("{read:?}") };
    assert_eq!(first.payload, ItemPayload::Typed(get("first")));
    assert_eq!(last.payload, ItemPayload::Typed(get("last")));
    let ItemPayload::Malformed(wrong_type) = second.payload else { panic!("{second:?}") };
    assert!(matches!(wrong_type.kind, DecodeErrorKind::WrongType { tag: Tag::UNIQUE_IDENTIFIER, .. }));
    let ItemPayload::Malformed(doubled) = third.payload else { panic!("{third:?}") };
    assert_eq!(doubled.kind, DecodeErrorKind::DuplicateField(Tag::UNIQUE_IDENTIFIER));
    // The answer to a broken item names its operation and its mark.
    assert_eq!((third.operation_code(), third.unique_batch_item_id.as_deref()), (Some(0x0A), Some(&b"mark"[..])));
}

#[test]
fn a_fault_of_framing_deep_inside_an_item_spoils_that_item_only() {
    let mut bytes = message(V1_4, 2, |w| {
        item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, "first"));
        item(w, 0x0A, |w| w.text(Tag::UNIQUE_IDENTIFIER, "last"));
    });
    let length_at = FIRST_ITEM_AT + 8 + 16 + 16 + 8 + 4;
    assert_eq!(bytes[length_at..length_at + 4], 5_u32.to_be_bytes());
    bytes[length_at..length_at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    let read = RequestMessage::decode(&bytes).unwrap();
    let ItemPayload::Malformed(fault) = read.items[0].payload else { panic!("{read:?}") };
    assert_eq!(fault.offset, length_at);
    assert_eq!(read.items[1].payload, ItemPayload::Typed(get("last")));
}

#[test]
fn an_item_without_operation_is_broken_and_has_no_number() {
    let bytes = message(V1_4, 1, |w| w.structure(Tag::BATCH_ITEM, |w| w.structure(Tag::REQUEST_PAYLOAD, |_| {})));
    let read = RequestMessage::decode(&bytes).unwrap();
    assert_eq!((read.items[0].operation, read.items[0].operation_code()), (Err(0), None));
    let ItemPayload::Malformed(fault) = read.items[0].payload else { panic!("{read:?}") };
    assert_eq!((fault.kind, fault.offset), (DecodeErrorKind::MissingField(Tag::OPERATION), FIRST_ITEM_AT + 8));
}

#[test]
fn an_operation_that_nobody_knows_keeps_its_number() {
    let bytes = message(V1_4, 1, |w| item(w, 0x8000_0001, |w| w.integer(Tag(0x54_0001), 1)));
    let read = RequestMessage::decode(&bytes).unwrap();
    assert_eq!((read.items[0].operation, &read.items[0].payload), (Err(0x8000_0001), &ItemPayload::Unsupported));
    assert_eq!(read.items[0].operation_code(), Some(0x8000_0001));
}

#[test]
fn an_operation_of_a_later_version_is_unsupported() {
    let discover = |version| {
        let bytes = message(version, 1, |w| item(w, Operation::DiscoverVersions.value(), |_| {}));
        RequestMessage::decode(&bytes).unwrap().items.remove(0).payload
    };
    assert_eq!(discover(ProtocolVersion::V1_0), ItemPayload::Unsupported);
    assert_eq!(discover(ProtocolVersion::V1_1), ItemPayload::Typed(DiscoverVersionsRequest::default().into()));
}

#[test]
fn other_major_versions_are_refused_by_name() {
    for (major, minor) in [(0, 9), (3, 0), (3, 1), (-1, 4), (1, -1), (i32::MAX, i32::MAX)] {
        let version = ProtocolVersion { major, minor };
        let bytes = message(version, 1, |w| item(w, 0x0A, |_| {}));
        let refused = RequestMessage::decode(&bytes).unwrap_err();
        assert_eq!((refused.kind, refused.offset), (DecodeErrorKind::UnsupportedVersion(version), 16));
        assert_eq!(peek_version(&bytes), Some(version));
    }
}

#[test]
fn a_newer_minor_version_is_read_as_far_as_it_is_understood() {
    let version = ProtocolVersion { major: 1, minor: 9 };
    let bytes = message(version, 1, |w| {
        item(w, 0x0A, |w| {
            w.text(Tag::UNIQUE_IDENTIFIER, "a");
            w.integer(Tag(0x42_0FFF), 1);
        });
    });
    let read = RequestMessage::decode(&bytes).unwrap();
    assert_eq!((read.header.version, &read.items[0].payload), (version, &ItemPayload::Typed(get("a"))));
}

#[test]
fn the_version_of_a_broken_message_can_still_be_read() {
    let whole = RequestMessage::single(ProtocolVersion::V1_2, get("a")).encode().unwrap();
    assert_eq!(peek_version(&whole), Some(ProtocolVersion::V1_2));
    assert_eq!(peek_version(&whole[..56]), Some(ProtocolVersion::V1_2));
    for len in 0..56 {
        assert_eq!(peek_version(&whole[..len]), None, "{len}");
    }
    assert_eq!(peek_version(&[0xFF; 64]), None);
}

#[test]
fn every_truncation_of_a_message_is_refused() {
    let whole = RequestMessage::batch(V1_4, [get("a"), get("b")]).encode().unwrap();
    for len in 0..whole.len() {
        let refused = RequestMessage::decode(&whole[..len]).unwrap_err();
        assert!(refused.offset <= len, "{refused}");
    }
    let mut longer = whole.to_vec();
    longer.extend_from_slice(&[0; 8]);
    assert_eq!(RequestMessage::decode(&longer).unwrap_err().kind, DecodeErrorKind::TrailingBytes(8));
}

#[test]
fn what_a_version_cannot_express_is_not_written() {
    let discover = RequestMessage::single(ProtocolVersion::V1_0, DiscoverVersionsRequest::default());
    let refused =
        EncodeError::UnknownToVersion { operation: Operation::DiscoverVersions, version: ProtocolVersion::V1_0 };
    assert_eq!(discover.encode(), Err(refused));
    assert_eq!(refused.to_string(), "KMIP 1.0 cannot express this Discover Versions");

    let mut attested = RequestMessage::single(ProtocolVersion::V1_1, get("a"));
    attested.header.authentication.push(Credential::Attestation(crate::message::AttestationCredential {
        nonce: crate::message::Nonce { nonce_id: vec![1], nonce_value: vec![2] },
        attestation_type: AttestationType::TpmQuote,
        attestation_measurement: None,
        attestation_assertion: None,
    }));
    assert_eq!(attested.encode(), Err(EncodeError::Header(ProtocolVersion::V1_1)));
    attested.header.version = ProtocolVersion::V1_2;
    assert!(attested.encode().is_ok());

    let mut miscounted = RequestMessage::single(V1_4, get("a"));
    miscounted.header.batch_count = 2;
    assert_eq!(miscounted.encode(), Err(EncodeError::BatchCount { announced: 2, found: 1 }));

    let unread = message(V1_4, 1, |w| item(w, 0x0A, |w| w.integer(Tag::UNIQUE_IDENTIFIER, 7)));
    assert_eq!(RequestMessage::decode(&unread).unwrap().encode(), Err(EncodeError::NoPayload(0)));
}

#[test]
fn a_password_that_is_not_text_is_not_sent() {
    let mut request = RequestMessage::single(V1_4, get("a"));
    request.header.authentication.push(Credential::UsernameAndPassword {
        username: "kmip".into(),
        password: Some(Secret::copy_from(&[0xFF, 0xFE])),
    });
    assert_eq!(request.encode(), Err(EncodeError::Header(V1_4)));
    assert!(Password::new(Secret::copy_from(&[0xFF])).is_none());
}

#[test]
fn a_query_asks_something() {
    let bytes = message(V1_4, 1, |w| item(w, Operation::Query.value(), |_| {}));
    let read = RequestMessage::decode(&bytes).unwrap();
    let ItemPayload::Malformed(fault) = read.items[0].payload else { panic!("{read:?}") };
    assert_eq!(fault.kind, DecodeErrorKind::MissingField(Tag::QUERY_FUNCTION));
    let request = RequestMessage::single(
        V1_4,
        QueryRequest { functions: vec![QueryFunction::QueryOperations], ..QueryRequest::default() },
    );
    assert!(RequestMessage::decode(&request.encode().unwrap()).is_ok());
}

#[test]
fn an_extension_tells_whether_it_may_be_passed_over() {
    let mut request = RequestMessage::single(V1_4, get("a"));
    let mut vendor = Writer::new(V1_4);
    vendor.structure(Tag::VENDOR_EXTENSION, |w| w.text(Tag(0x54_0001), "na"));
    request.items[0].message_extensions.push(MessageExtension {
        vendor_identification: "Acme".into(),
        criticality_indicator: true,
        vendor_extension: OwnedItem::from_bytes(&vendor.finish()).unwrap(),
    });
    let read = RequestMessage::decode(&request.encode().unwrap()).unwrap();
    assert_eq!(read, request);
    assert!(read.items[0].message_extensions[0].criticality_indicator);
}

#[test]
fn what_2_x_may_say_around_a_payload_is_refused_in_1_x() {
    let extension = || {
        let mut vendor = Writer::new(V1_4);
        vendor.structure(Tag::VENDOR_EXTENSION, |_| {});
        MessageExtension {
            vendor_identification: "Acme".into(),
            criticality_indicator: false,
            vendor_extension: OwnedItem::from_bytes(&vendor.finish()).unwrap(),
        }
    };
    let around = |version, ephemeral, extensions: usize| {
        let mut request = RequestMessage::single(version, get("a"));
        request.items[0].ephemeral = ephemeral;
        request.items[0].message_extensions = (0..extensions).map(|_| extension()).collect();
        request.encode().ok().map(|bytes| RequestMessage::decode(&bytes).unwrap().items.remove(0))
    };
    let whole = around(ProtocolVersion::V2_0, Some(true), 2).unwrap();
    assert_eq!((whole.ephemeral, whole.message_extensions.len()), (Some(true), 2));
    assert_eq!(around(V1_4, Some(true), 0), None);
    assert_eq!(around(V1_4, None, 2), None);
    assert_eq!(around(V1_4, Some(false), 1).unwrap().ephemeral, None);
}

#[test]
fn an_extension_lacks_nothing() {
    let bytes = message(V1_4, 1, |w| {
        w.structure(Tag::BATCH_ITEM, |w| {
            w.enumeration(Tag::OPERATION, 0x0A);
            w.structure(Tag::REQUEST_PAYLOAD, |_| {});
            w.structure(Tag::MESSAGE_EXTENSION, |w| w.text(Tag::VENDOR_IDENTIFICATION, "Acme"));
        });
    });
    let read = RequestMessage::decode(&bytes).unwrap();
    let ItemPayload::Malformed(fault) = read.items[0].payload else { panic!("{read:?}") };
    assert_eq!(fault.kind, DecodeErrorKind::MissingField(Tag::CRITICALITY_INDICATOR));
}

#[test]
fn debug_shows_neither_keys_nor_passwords() {
    const MARKER: &[u8] = b"marker-key-bytes-of-32-characters";
    let marker = || Secret::copy_from(MARKER);
    let key_block = KeyBlock::raw(marker(), CryptographicAlgorithm::Aes, 256);
    let object = ManagedObject::SymmetricKey(SymmetricKey { key_block });
    let mut request = RequestMessage::single(V1_4, RegisterRequest::new(object, TemplateAttribute::default()));
    request.header.authentication = vec![
        Credential::UsernameAndPassword { username: "kmip".into(), password: Some(marker()) },
        Credential::Device(DeviceCredential { password: Password::new(marker()), ..DeviceCredential::default() }),
    ];
    let decimal: Vec<String> = MARKER.iter().map(u8::to_string).collect();
    for shown in [format!("{request:?}"), format!("{request:#?}")] {
        assert!(shown.contains("Secret(33 bytes)"), "{shown}");
        let flat: String = shown.split_whitespace().collect();
        for form in [String::from_utf8_lossy(MARKER).into_owned(), hex::encode(MARKER), decimal.join(",")] {
            assert!(!flat.contains(&form), "{shown}");
        }
    }
}

#[test]
fn what_vcenter_sends_is_what_the_types_write() {
    // The order of the attributes is the client's and is kept.
    let create = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: vec![
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
            AttributeValue::CryptographicUsageMask(crate::registry::UsageMask(12)),
            AttributeValue::CryptographicLength(256),
        ]
        .into(),
        protection_storage_masks: None,
    };
    let text = crate::text::render(&RequestMessage::single(ProtocolVersion::V1_1, create).encode().unwrap());
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| line.starts_with("Attribute ")).collect();
    assert_eq!(
        lines,
        [
            "Attribute Name: \"Cryptographic Algorithm\"",
            "Attribute Value: AES",
            "Attribute Name: \"Cryptographic Usage Mask\"",
            "Attribute Value: Encrypt | Decrypt",
            "Attribute Name: \"Cryptographic Length\"",
            "Attribute Value: 256",
        ]
    );
}

#[test]
fn an_item_about_another_object_is_the_same_item_otherwise() {
    let place = Identifier::Placeholder(UniqueIdentifierPlaceholder::Locate);
    let data = Some(Data::Bytes(Secret::copy_from(b"marker")));
    let request = EncryptRequest { unique_identifier: Some(place), data, ..EncryptRequest::default() };
    let mut item = RequestItem::new(request);
    item.unique_batch_item_id = Some(vec![7]);
    item.ephemeral = Some(true);
    let about = item.about("one", ProtocolVersion::V2_1).unwrap();
    let ItemPayload::Typed(RequestPayload::Encrypt(request)) = &about.payload else { panic!("{about:?}") };
    assert_eq!(request.unique_identifier, Some("one".into()));
    assert!(matches!(&request.data, Some(Data::Bytes(data)) if data.expose() == b"marker"));
    assert_eq!((about.unique_batch_item_id, about.ephemeral), (Some(vec![7]), Some(true)));
    // What is about no object, or about several, is not about another one.
    assert!(RequestItem::new(QueryRequest::default()).about("one", ProtocolVersion::V2_1).is_none());
}
