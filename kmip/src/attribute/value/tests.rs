//! Names, types, versions and comparison of attributes.

use super::*;
use crate::attribute::Attribute;
use crate::registry::{LinkType, NameType};
use crate::ttlv::Reader;

fn read(bytes: &[u8], version: ProtocolVersion) -> Result<Attribute, DecodeError> {
    Attribute::decode(&Reader::new(bytes, version).next_item()?.unwrap())
}

fn attribute(version: ProtocolVersion, name: &str, value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::new(version);
    w.structure(Tag::ATTRIBUTE, |w| {
        w.text(Tag::ATTRIBUTE_NAME, name);
        value(w);
    });
    w.finish().to_vec()
}

#[test]
fn names_and_versions_are_those_of_the_tags_and_rules() {
    for kind in AttributeKind::ALL {
        assert_eq!(kind.tag().text(), Some(kind.text()));
        assert!(kind.tag().since().unwrap() <= kind.since(), "{}", kind.text());
        assert_eq!(kind.rules().name, kind.text());
        if *kind != AttributeKind::Custom {
            assert_eq!(AttributeKind::from_name(kind.text()), Some(*kind));
            assert_eq!(AttributeKind::from_tag(kind.tag()), Some(*kind));
        }
    }
}

#[test]
fn every_attribute_of_the_specification_has_a_type() {
    for rules in ATTRIBUTE_RULES {
        assert!(AttributeKind::ALL.iter().any(|kind| kind.text() == rules.name), "{}", rules.name);
    }
    assert_eq!(AttributeKind::ALL.len(), ATTRIBUTE_RULES.len());
}

#[test]
fn names_are_compared_byte_for_byte() {
    assert_eq!(AttributeKind::from_name("cryptographic length"), None);
    assert_eq!(AttributeKind::from_name("Custom Attribute"), None);
    assert_eq!(AttributeKind::from_name("x-"), Some(AttributeKind::Custom));
    assert_eq!(AttributeKind::from_name("y-Server"), Some(AttributeKind::Custom));
    assert_eq!(AttributeKind::from_name("z-other"), Some(AttributeKind::Custom));
    assert_eq!(AttributeKind::from_name("two words-other"), None);
}

#[test]
fn an_attribute_that_the_version_does_not_have_is_refused_at_its_name() {
    let sensitive = |version| {
        let bytes = attribute(version, "Sensitive", |w| w.boolean(Tag::ATTRIBUTE_VALUE, true));
        read(&bytes, version).map(|attribute| attribute.value)
    };
    assert_eq!(sensitive(ProtocolVersion::V1_4), Ok(AttributeValue::Sensitive(true)));
    let refused = DecodeError { kind: DecodeErrorKind::UnknownAttribute, offset: 8 };
    assert_eq!(sensitive(ProtocolVersion::V1_3), Err(refused));
    let unheard_of = attribute(ProtocolVersion::V1_4, "Colour", |w| w.text(Tag::ATTRIBUTE_VALUE, "red"));
    assert_eq!(read(&unheard_of, ProtocolVersion::V1_4), Err(refused));
}

#[test]
fn a_value_of_the_wrong_type_is_refused_at_the_value() {
    let bytes = attribute(ProtocolVersion::V1_4, "Cryptographic Length", |w| w.text(Tag::ATTRIBUTE_VALUE, "256"));
    let refused = read(&bytes, ProtocolVersion::V1_4).unwrap_err();
    assert_eq!(refused.offset, 8 + 8 + 24);
    assert!(matches!(refused.kind, DecodeErrorKind::WrongType { tag: Tag::ATTRIBUTE_VALUE, .. }));
}

#[test]
fn an_attribute_has_a_value() {
    let bytes = attribute(ProtocolVersion::V1_4, "Comment", |_| {});
    let refused = read(&bytes, ProtocolVersion::V1_4).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::MissingField(Tag::ATTRIBUTE_VALUE));
}

#[test]
fn custom_attributes_keep_their_bytes() {
    let bytes = attribute(ProtocolVersion::V1_1, "x-Vendor", |w| {
        w.structure(Tag::ATTRIBUTE_VALUE, |w| {
            w.big_integer(Tag(0x54_0001), &[0x80]);
            w.interval(Tag(0x54_0002), 7);
        });
    });
    let read = read(&bytes, ProtocolVersion::V1_1).unwrap();
    let mut w = Writer::new(ProtocolVersion::V1_0);
    read.encode(Tag::ATTRIBUTE, &mut w);
    assert_eq!(*w.finish(), bytes);
}

#[test]
fn custom_attributes_are_made_only_with_a_vendor_and_their_tag() {
    assert_eq!(AttributeValue::custom_text("x-Product", "VMware vSphere").unwrap().name(), "x-Product");
    assert_eq!(AttributeValue::custom_text("Product", "VMware vSphere"), None);
    assert_eq!(AttributeValue::custom("x-", |w| w.text(Tag::NAME_VALUE, "")), None);
    assert_eq!(AttributeValue::custom("x-", |_| {}), None);
    let twice = |w: &mut Writer| (0..2).for_each(|_| w.boolean(Tag::ATTRIBUTE_VALUE, true));
    assert_eq!(AttributeValue::custom("x-", twice), None);
}

#[test]
fn a_vendor_attribute_is_the_custom_attribute_of_1_x_in_another_form() {
    let named = |name: &str| AttributeValue::custom_text(name, "7").unwrap();
    let tagged = |value: &AttributeValue| {
        let mut w = Writer::new(ProtocolVersion::V2_1);
        value.encode_tagged(&mut w);
        w.finish()
    };
    let mut expected = Writer::new(ProtocolVersion::V2_1);
    expected.structure(Tag::ATTRIBUTE, |w| {
        w.text(Tag::VENDOR_IDENTIFICATION, "x");
        w.text(Tag::ATTRIBUTE_NAME, "rack-row");
        w.text(Tag::ATTRIBUTE_VALUE, "7");
    });
    let bytes = tagged(&named("x-rack-row"));
    assert_eq!(*bytes, *expected.finish());
    let item = Reader::new(&bytes, ProtocolVersion::V2_1).next_item().unwrap().unwrap();
    assert_eq!(AttributeValue::decode_tagged(&item), Ok(named("x-rack-row")));
    assert_eq!(named("ACME-rack").vendor(), Some("ACME"));
    assert!(named("ACME-rack").known_in(ProtocolVersion::V2_0) && !named("ACME-rack").known_in(ProtocolVersion::V1_4));
    let of_1_4 = attribute(ProtocolVersion::V1_4, "ACME-rack", |w| w.text(Tag::ATTRIBUTE_VALUE, "7"));
    assert_eq!(read(&of_1_4, ProtocolVersion::V1_4).unwrap_err().kind, DecodeErrorKind::UnknownAttribute);
}

#[test]
fn a_value_of_a_type_that_1_x_lacks_is_not_told_to_it() {
    let bare = AttributeValue::custom("x-at", |w| w.date_time_extended(Tag::ATTRIBUTE_VALUE, 1)).unwrap();
    let nested = AttributeValue::custom("x-at", |w| {
        w.structure(Tag::ATTRIBUTE_VALUE, |w| w.structure(Tag(0x54_0001), |w| w.date_time_extended(Tag(0x54_0002), 1)));
    });
    for value in [bare, nested.unwrap()] {
        assert!(value.known_in(ProtocolVersion::V2_0) && !value.known_in(ProtocolVersion::V1_4));
    }
}

#[test]
fn in_2_x_the_tag_is_the_name() {
    let read = |version, tag| {
        let mut w = Writer::new(version);
        w.boolean(tag, true);
        let bytes = w.finish();
        let item = Reader::new(&bytes, version).next_item().unwrap().unwrap();
        AttributeValue::decode_tagged(&item)
    };
    assert_eq!(read(ProtocolVersion::V2_1, Tag::ROTATE_LATEST), Ok(AttributeValue::RotateLatest(true)));
    for (version, tag) in [
        (ProtocolVersion::V2_0, Tag::ROTATE_LATEST),
        (ProtocolVersion::V2_1, Tag::OPERATION_POLICY_NAME),
        (ProtocolVersion::V2_1, Tag::BATCH_ORDER_OPTION),
        (ProtocolVersion::V2_1, Tag(0x54_0001)),
    ] {
        assert_eq!(read(version, tag).unwrap_err().kind, DecodeErrorKind::UnknownAttribute, "{version} {tag}");
    }
}

#[test]
fn a_pattern_may_lack_fields_and_matches_what_has_the_others() {
    let bytes = attribute(ProtocolVersion::V1_4, "Link", |w| {
        w.structure(Tag::ATTRIBUTE_VALUE, |w| w.text(Tag::LINKED_OBJECT_IDENTIFIER, "one"));
    });
    let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
    let whole = Attribute::decode(&item).unwrap_err();
    assert_eq!(whole.kind, DecodeErrorKind::MissingField(Tag::LINK_TYPE));
    let pattern = Attribute::decode_pattern(&item).unwrap().value;
    let link = |link_type, id: &str| {
        AttributeValue::Link(crate::attribute::Link { link_type, linked_object_identifier: id.into() })
    };
    assert!(pattern.matches(&link(LinkType::PublicKeyLink, "one")));
    assert!(pattern.matches(&link(LinkType::ParentLink, "one")));
    assert!(!pattern.matches(&link(LinkType::ParentLink, "two")));
    assert!(!pattern.matches(&AttributeValue::Comment("one".into())));
    let mut w = Writer::new(ProtocolVersion::V1_4);
    Attribute::new(pattern).encode(Tag::ATTRIBUTE, &mut w);
    assert_eq!(*w.finish(), bytes);
}

#[test]
fn a_pattern_has_only_fields_of_its_structure() {
    let bytes = attribute(ProtocolVersion::V1_4, "Name", |w| {
        w.structure(Tag::ATTRIBUTE_VALUE, |w| w.integer(Tag::BATCH_COUNT, 1));
    });
    let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item().unwrap().unwrap();
    let refused = Attribute::decode_pattern(&item).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::UnknownField(Tag::BATCH_COUNT));
}

#[test]
fn canonical_bytes_do_not_depend_on_versions_and_leave_nothing_out() {
    let of_one_version = AttributeValue::ObjectType(ObjectType::Template);
    let mut expected = Writer::new(ProtocolVersion::V1_4);
    expected.enumeration(Tag::ATTRIBUTE_VALUE, ObjectType::Template.value());
    assert_eq!(of_one_version.canonical_bytes(), **expected.finish());
    let name = AttributeValue::Name(Name { value: "vm-1".into(), name_type: NameType::UninterpretedTextString });
    let mut of_1_0 = Writer::new(ProtocolVersion::V1_0);
    name.encode_value(&mut of_1_0);
    assert_eq!(name.canonical_bytes(), **of_1_0.finish());
}

#[test]
fn an_attribute_is_small_enough_for_the_memory_bar() {
    // Beside the message itself, three times its length may be used. The smallest attributes on the wire have 16 bytes
    // in 2.x; what others cost is counted, see `MAX_ATTRIBUTE_OVERHEAD`.
    assert!(size_of::<Attribute>() <= 3 * 16, "{}", size_of::<Attribute>());
}
