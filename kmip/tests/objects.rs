//! Managed objects: every type, in every format, in every version.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "support/generate/mod.rs"]
#[expect(unused_imports, reason = "objects are enough here")]
mod generate;

use generate::objects::object_of;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::object::{AnyObject, KeyMaterial, KeyValue, ManagedObject};
use kmip::registry::{EncodingOption, KeyFormatType, ObjectType, enumeration_of};
use kmip::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Reader, Wire, Writer};
use kmip::wire::{Fields, Part};
use kmip::{ProtocolVersion, Tag};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Objects of each type and format.
const TRIES: usize = 8;

fn written(object: &ManagedObject, version: ProtocolVersion) -> Vec<u8> {
    let mut w = Writer::new(version);
    AnyObject::encode(object, &mut w);
    w.finish().to_vec()
}

fn read(bytes: &[u8], version: ProtocolVersion) -> Result<ManagedObject, DecodeError> {
    let mut fields = Fields::new(Reader::new(bytes, version), AnyObject::takes);
    let object = AnyObject::decode(&mut fields)?;
    fields.finish()?;
    Ok(object)
}

/// Every type with every format, each several times, with values of `v`.
fn every_object(v: ProtocolVersion, mut look_at: impl FnMut(ObjectType, KeyFormatType, ManagedObject)) {
    let mut runner = TestRunner::deterministic();
    for kind in ObjectType::ALL.iter().copied().filter(|kind| kind.known_in(v)) {
        for format in KeyFormatType::ALL.iter().copied().filter(|format| format.known_in(v)) {
            let objects = object_of(kind, format, v);
            for _ in 0..TRIES {
                look_at(kind, format, objects.new_tree(&mut runner).unwrap().current());
            }
        }
    }
}

/// Whether `version` knows every tag inside, and every enumeration that stands under its own tag.
fn is_all_known(item: &Item<'_>, version: ProtocolVersion) -> bool {
    let tag_is_known = item.tag.since().is_some_and(|since| version.is_within(since, item.tag.until()));
    match item.item_type {
        // What vendors put there is theirs.
        _ if [Tag::ATTRIBUTE, Tag::ATTRIBUTES].contains(&item.tag) => tag_is_known,
        ItemType::Structure => {
            let mut inside = item.structure().unwrap();
            tag_is_known && std::iter::from_fn(|| inside.next_item().unwrap()).all(|item| is_all_known(&item, version))
        }
        ItemType::Enumeration => {
            let known = |value| enumeration_of(item.tag)?.row(value);
            let row = known(item.enumeration().unwrap());
            // Opaque Data Type has no values but those of vendors.
            let value_is_known =
                item.tag == Tag::OPAQUE_DATA_TYPE || row.is_some_and(|row| version.is_within(row.since, row.until));
            tag_is_known && value_is_known
        }
        _ => tag_is_known,
    }
}

fn holds_only_known(bytes: &[u8], version: ProtocolVersion) -> bool {
    let item = Reader::new(bytes, version).next_item().unwrap().unwrap();
    is_all_known(&item, version)
}

#[test]
fn every_type_in_every_format_comes_back_in_every_version() {
    let mut count = 0;
    for version in ProtocolVersion::ALL {
        every_object(version, |kind, format, object| {
            assert!(object.known_in(version), "{kind} in {format}, {version}");
            assert_eq!((object.object_type(), ManagedObject::type_of(object.tag())), (kind, Some(kind)));
            let bytes = written(&object, version);
            assert!(holds_only_known(&bytes, version), "{kind} in {format}, {version}: {object:?}");
            let again = read(&bytes, version).unwrap_or_else(|error| panic!("{kind} in {format}, {version}: {error}"));
            assert_eq!(written(&again, version), bytes, "{kind} in {format}, {version}");
            // Beyond the bytes: nothing but what the version does not know is gone.
            assert_eq!(
                again.key_block().map(|block| (block.format, block.algorithm, block.length, block.material())),
                object.key_block().map(|block| (block.format, block.algorithm, block.length, block.material())),
            );
            if version >= ProtocolVersion::V1_4 {
                assert_eq!(again, object, "{kind} in {format}, {version}");
            }
            count += 1;
        });
    }
    // 8 or 9 types and 19 to 22 formats in seven versions.
    assert!(count > 8 * 19 * 7 * TRIES, "{count}");
}

#[test]
fn every_object_of_any_version_comes_back_from_what_is_sealed() {
    every_object(ProtocolVersion::EVERY, |kind, format, object| {
        let sealed = object.to_canonical();
        assert_eq!(ManagedObject::from_canonical(sealed.expose()).unwrap(), object, "{kind} in {format}");
    });
}

#[test]
fn a_version_is_told_only_of_objects_that_it_knows() {
    let (mut told, mut kept) = (0, 0);
    every_object(ProtocolVersion::EVERY, |kind, format, object| {
        for version in ProtocolVersion::ALL {
            if object.known_in(version) {
                let bytes = written(&object, version);
                assert!(holds_only_known(&bytes, version), "{kind} in {format}, {version}: {object:?}");
                assert_eq!(written(&read(&bytes, version).unwrap(), version), bytes);
                told += 1;
            } else {
                kept += 1;
            }
        }
    });
    assert!(told > 1000 && kept > 1000, "{told} told, {kept} kept");
}

#[test]
fn an_object_or_format_of_another_version_is_refused_by_name() {
    let refused = |version, object: &ManagedObject| read(&written(object, version), version).unwrap_err().kind;
    every_object(ProtocolVersion::EVERY, |kind, format, object| {
        for version in ProtocolVersion::ALL {
            if !kind.known_in(version) {
                assert_eq!(refused(version, &object), DecodeErrorKind::UnsupportedObject(object.tag()), "{version}");
            } else if object.key_block().is_some() && !format.known_in(version) {
                assert_eq!(refused(version, &object), DecodeErrorKind::UnsupportedKeyFormat(format), "{version}");
            }
        }
    });
}

#[test]
fn a_key_value_comes_back_from_what_is_wrapped() {
    let (mut whole, mut bare) = (0, 0);
    every_object(ProtocolVersion::V1_4, |_, format, object| {
        let Some(value) = object.key_block().and_then(|block| block.value.as_ref()) else { return };
        let version = ProtocolVersion::V1_4;
        let option = EncodingOption::TtlvEncoding;
        if let Ok(input) = value.to_wrapping_input(option, version) {
            assert_eq!(KeyValue::from_wrapping_input(input.expose(), option, format, version).unwrap(), *value);
            whole += 1;
        }
        let option = EncodingOption::NoEncoding;
        if let Ok(input) = value.to_wrapping_input(option, version) {
            assert_eq!(KeyValue::from_wrapping_input(input.expose(), option, format, version).unwrap(), *value);
            bare += 1;
        }
    });
    assert!(whole > 100 && bare > 10, "{whole}, {bare}");
}

#[test]
fn a_changed_byte_never_panics_and_faults_lie_inside() {
    let change = (any::<prop::sample::Index>(), 1..=255_u8);
    let objects = (generate::object(ProtocolVersion::EVERY), change);
    cases(4)
        .run(&objects, |(object, (at, change))| {
            let mut bytes = object.to_canonical().expose().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            for version in ProtocolVersion::ALL.into_iter().chain([ProtocolVersion::EVERY]) {
                if let Err(error) = read(&bytes, version) {
                    prop_assert!(error.offset <= bytes.len());
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_changed_byte_in_a_message_of_any_version_never_panics() {
    let every = ProtocolVersion::EVERY;
    let messages = select(ProtocolVersion::ALL.as_slice())
        .prop_flat_map(move |version| (generate::request(version, every), generate::response(version, every)));
    let change = (any::<prop::sample::Index>(), 1..=255_u8);
    cases(1)
        .run(&(messages, change), |((request, response), (at, change))| {
            for bytes in request.encode().ok().into_iter().chain([response.encode()]) {
                let mut bytes = bytes.to_vec();
                let at = at.index(bytes.len());
                bytes[at] ^= change;
                for error in [RequestMessage::decode(&bytes).err(), ResponseMessage::decode(&bytes).err()] {
                    prop_assert!(error.is_none_or(|error| error.offset <= bytes.len()));
                }
            }
            Ok(())
        })
        .unwrap();
}

/// So many times the number of cases that a property test has (`PROPTEST_CASES`).
fn cases(factor: u32) -> TestRunner {
    let usual = ProptestConfig::default();
    TestRunner::new(ProptestConfig { cases: usual.cases.saturating_mul(factor), failure_persistence: None, ..usual })
}

/// What earlier releases sealed, byte for byte.
#[test]
fn what_was_sealed_before_stays_readable() {
    const ATTRIBUTES: &str = "\
        420008010000004842000a07000000044e616d65000000004200090200000004000000000000000042000b010000002042005507000000066\
        1206e616d65000042005405000000040000000100000000420008010000003042000a0700000006782d6e6f7465000042000902000000040\
        00000010000000042000b07000000056e6f746564000000420008010000003042000a070000001843727970746f677261706869632055736\
        16765204d61736b42000b02000000040000000c00000000420008010000003842000a07000000044c696e6b0000000042000b01000000204\
        2004b0500000004000001020000000042004c07000000013700000000000000420008010000002842000a070000000f41637469766174696\
        f6e20446174650042000b09000000080000000047da67f8420008010000004842000a070000001843727970746f677261706869632050617\
        2616d657465727342000b0100000020420011050000000400000001000000004200c506000000080000000000000001420008010000005042\
        000a0700000019582e353039204365727469666963617465205375626a6563740000000000000042000b01000000204200b40800000002010\
        20000000000004200b308000000010300000000000000";
    let transparent = [
        "42008f01000002384200400100000230420042050000000400000007000000004200450100\
         0001f8420043010000001842003f080000001007070707070707070707070707070707",
        ATTRIBUTES,
        "4200280500000004000000030000000042002a02000000040000008000000000",
    ]
    .concat();
    let template = ["42009001000001d8", ATTRIBUTES].concat();
    for (sealed, kind, attributes) in [
        (
            "42008f010000005842004001000000504200420500000004000000010000000042004501000000184200430800000010070707070707\
             070707070707070707074200280500000004000000030000000042002a02000000040000008000000000",
            ObjectType::SymmetricKey,
            0,
        ),
        (&transparent, ObjectType::SymmetricKey, 7),
        (
            "42008f01000000c042004001000000b84200420500000004000000010000000042004508000000180909090909090909090909090909\
             090909090909090909094200280500000004000000030000000042002a02000000040000008000000000420046010000006042009e05\
             000000040000000100000000420036010000002842009407000000036b656b000000000042002b010000001042001105000000040000\
             000d0000000042003d080000000101000000000000004200a305000000040000000100000000",
            ObjectType::SymmetricKey,
            0,
        ),
        (
            "4200850100000040420086050000000400000001000000004200400100000028420042050000000400000002000000004200450100000\
             010420043080000000768756e7465723200",
            ObjectType::SecretData,
            0,
        ),
        (
            "42005b01000000204200590500000004800000010000000042005a08000000030102030000000000",
            ObjectType::OpaqueObject,
            0,
        ),
        (&template, ObjectType::Template, 7),
    ] {
        let sealed = hex::decode(sealed).unwrap();
        let object = ManagedObject::from_canonical(&sealed).unwrap();
        assert_eq!(object.object_type(), kind);
        let found = match &object {
            ManagedObject::Template(template) => template.attributes.len(),
            _ => match object.key_block().and_then(|block| block.value.as_ref()) {
                Some(KeyValue::Plain { attributes, .. }) => attributes.len(),
                _ => 0,
            },
        };
        assert_eq!(found, attributes);
        assert_eq!(object.to_canonical().expose(), sealed);
    }
}

#[test]
fn formats_are_those_that_can_be_read() {
    every_object(ProtocolVersion::EVERY, |_, format, object| {
        if let Some(material) = object.key_block().and_then(|block| block.material()) {
            assert!(material.fits(format));
            assert_eq!(material.secret().is_some(), matches!(material, KeyMaterial::Bytes(_)) || format_is_key(format));
        }
    });
}

fn format_is_key(format: KeyFormatType) -> bool {
    format == KeyFormatType::TransparentSymmetricKey
}
