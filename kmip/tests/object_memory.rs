//! What reading an object costs in memory: in proportion to what is there, never to what is announced.
//!
//! One test, because the allocator counts for the whole process.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

#[path = "support/generate/mod.rs"]
#[expect(unused_imports, reason = "objects and messages are enough here")]
mod generate;

use generate::objects::object_of;
use kmip::limits::{MAX_ATTRIBUTES, MAX_DEPTH};
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::object::{AnyObject, KeyValue, ManagedObject};
use kmip::registry::{EncodingOption, KeyFormatType, ObjectType};
use kmip::ttlv::{DecodeError, DecodeErrorKind, Reader, Wire, Writer};
use kmip::wire::{Fields, Part};
use kmip::{ProtocolVersion, Tag};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What one object may cost beyond four times its length.
const ALLOWANCE: usize = 4 << 10;

/// Bytes that `work` holds at its peak.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let kept = work();
    let peak = ALLOCATOR.peak_usage();
    drop(kept);
    peak.saturating_sub(before)
}

fn read(bytes: &[u8]) -> Result<ManagedObject, DecodeError> {
    let version = ProtocolVersion::V1_4;
    let mut fields = Fields::new(Reader::new(bytes, version), AnyObject::takes);
    let object = AnyObject::decode(&mut fields)?;
    fields.finish()?;
    Ok(object)
}

/// A private key in `format` whose Key Value is written by `value`.
fn private_key(format: KeyFormatType, value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::new(ProtocolVersion::V1_4);
    w.structure(Tag::PRIVATE_KEY, |w| {
        w.structure(Tag::KEY_BLOCK, |w| {
            format.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, value);
        });
    });
    w.finish().to_vec()
}

fn nested(depth: usize, w: &mut Writer) {
    w.structure(Tag::KEY_MATERIAL, |w| {
        if depth > 0 {
            nested(depth - 1, w);
        }
    });
}

fn small_attribute(w: &mut Writer) {
    w.structure(Tag::ATTRIBUTE, |w| {
        w.text(Tag::ATTRIBUTE_NAME, "x-");
        w.text(Tag::ATTRIBUTE_VALUE, "");
    });
}

/// Objects that were made to be expensive, and what is wrong with them.
fn hostile() -> Vec<(&'static str, Vec<u8>, Option<DecodeErrorKind>)> {
    let raw = KeyFormatType::Raw;
    let key = |w: &mut Writer| w.bytes(Tag::KEY_MATERIAL, &[7; 32]);
    let too_many = |what| Some(DecodeErrorKind::TooMany { what, limit: MAX_ATTRIBUTES });
    vec![
        ("one large key", private_key(raw, |w| w.bytes(Tag::KEY_MATERIAL, &vec![7; 1 << 20])), None),
        (
            "two large numbers",
            private_key(KeyFormatType::TransparentRsaPrivateKey, |w| {
                w.structure(Tag::KEY_MATERIAL, |w| {
                    w.big_integer(Tag::MODULUS, &vec![7; 1 << 19]);
                    w.big_integer(Tag::PRIVATE_EXPONENT, &vec![7; 1 << 19]);
                });
            }),
            None,
        ),
        (
            "as many attributes as allowed",
            private_key(raw, |w| {
                key(w);
                (0..MAX_ATTRIBUTES).for_each(|_| small_attribute(w));
            }),
            None,
        ),
        (
            "a hundred thousand attributes",
            private_key(raw, |w| {
                key(w);
                (0..100_000).for_each(|_| small_attribute(w));
            }),
            too_many("Attribute"),
        ),
        (
            "a hundred thousand numbers",
            private_key(KeyFormatType::TransparentRsaPublicKey, |w| {
                w.structure(Tag::KEY_MATERIAL, |w| (0..100_000).for_each(|_| w.big_integer(Tag::MODULUS, &[3])));
            }),
            Some(DecodeErrorKind::DuplicateField(Tag::MODULUS)),
        ),
        (
            "structures in structures",
            private_key(KeyFormatType::TransparentSymmetricKey, |w| nested(2 * MAX_DEPTH, w)),
            Some(DecodeErrorKind::UnknownField(Tag::KEY_MATERIAL)),
        ),
    ]
}

#[test]
fn reading_an_object_costs_at_most_four_times_its_length_and_4_kib() {
    for (what, bytes, fault) in hostile() {
        let used = bytes.len() + peak(|| read(&bytes));
        assert!(used <= 4 * bytes.len() + ALLOWANCE, "{what}: {used} bytes for an object of {}", bytes.len());
        assert_eq!(read(&bytes).err().map(|error| error.kind), fault, "{what}");
    }

    let mut runner = TestRunner::deterministic();
    let mut lies = 0;
    for kind in ObjectType::ALL {
        for format in KeyFormatType::ALL {
            let object = object_of(*kind, *format, ProtocolVersion::EVERY).new_tree(&mut runner).unwrap().current();
            let sealed = object.to_canonical();
            let honest = sealed.expose();
            let used = honest.len() + peak(|| ManagedObject::from_canonical(honest));
            assert!(used <= 4 * honest.len() + ALLOWANCE, "{kind} in {format}: {used} bytes for {}", honest.len());
            // A length that is a lie, wherever it stands, is believed by nobody.
            for at in (0..honest.len()).step_by(8) {
                let mut lying = honest.to_vec();
                lying[at + 4..at + 8].copy_from_slice(&0x7FFF_FFF8_u32.to_be_bytes());
                let used = peak(|| ManagedObject::from_canonical(&lying));
                assert!(used <= 4 * honest.len() + ALLOWANCE, "{kind} in {format}: {used} bytes for a lie at {at}");
                lies += usize::from(ManagedObject::from_canonical(&lying).is_err());
            }
        }
    }
    assert!(lies > 1000, "{lies}");

    // What comes out of an unwrapping is no more trusted than a message.
    let mut w = Writer::new(ProtocolVersion::V1_4);
    w.structure(Tag::KEY_VALUE, |w| {
        w.bytes(Tag::KEY_MATERIAL, &[7; 32]);
        (0..100_000).for_each(|_| small_attribute(w));
    });
    let unwrapped = w.finish();
    let read = || {
        let (option, format) = (EncodingOption::TtlvEncoding, KeyFormatType::Raw);
        KeyValue::from_wrapping_input(&unwrapped, option, format, ProtocolVersion::V1_4)
    };
    assert!(peak(read) < ALLOWANCE);

    // Messages of the version with the most objects stay in the bounds of those with the fewest.
    let version = ProtocolVersion::V2_1;
    let messages = (generate::request(version, ProtocolVersion::EVERY), generate::response(version, version));
    for _ in 0..64 {
        let (request, response) = messages.new_tree(&mut runner).unwrap().current();
        let messages = request.encode().ok().into_iter().chain([response.encode()]);
        for message in messages {
            let used = peak(|| (RequestMessage::decode(&message), ResponseMessage::decode(&message)));
            assert!(used <= 4 * message.len() + (64 << 10), "{used} bytes for a message of {}", message.len());
        }
    }

    // The control: what is announced and there does cost memory, so the allocator counts.
    let large = private_key(KeyFormatType::Raw, |w| w.bytes(Tag::KEY_MATERIAL, &vec![7; 1 << 20]));
    assert!(peak(|| self::read(&large).unwrap()) >= 1 << 20);
}
