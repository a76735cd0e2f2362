//! Vendors' attributes of every type of TTLV come back as they were sent, to the byte, in every version and encoding.

use kmip::attribute::AttributeValue;
use kmip::encoding::Encoding;
use kmip::message::{Outcome, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS};
use kmip::payload::{AddAttributeRequest, GetAttributesRequest, ResponsePayload};
use kmip::ttlv::Writer;
use kmip::{ProtocolVersion, Tag};
use system_tests::asking;
use system_tests::node::{Node, Web};
use system_tests::oasis::Exchange;
use system_tests::random::Random;

const TAG: Tag = Tag::ATTRIBUTE_VALUE;
/// Random values of each type.
const EACH: usize = 6;
/// Tags of fields of a vendor's structure: of the vendors' range, and two that mean something elsewhere.
const FIELDS: [Tag; 4] = [Tag(0x54_0001), Tag(0x54_ffff), Tag::UNIQUE_IDENTIFIER, Tag::BATCH_COUNT];

/// What is odd about texts: nothing, a zero, two directions, no composed letter, an emoji of several, quotes of XML and
/// JSON, line ends, blanks around.
const TEXTS: [&str; 12] = [
    "",
    "plain",
    "zero\u{0}inside",
    "\u{202e}thgir",
    "e\u{301} and é",
    "👩\u{200d}🚀",
    "<a href=\"x\">&amp;'</a>",
    "\\u0041\\\"",
    "line\r\nend\ttab",
    "  blanks  ",
    "\u{feff}mark",
    "Ωμέγα",
];

fn odd_text(random: &mut Random) -> String {
    let mut text = (*random.one_of(&TEXTS).unwrap()).to_owned();
    text.push_str(random.one_of(&TEXTS).unwrap());
    text
}

/// One item of the type with this number; 10 types are in every version, the eleventh is in 2.x.
fn write(w: &mut Writer, tag: Tag, item_type: usize, random: &mut Random) {
    let number = random.number();
    let edges = [0, 1, i64::MIN, i64::MAX, -1, number.cast_signed()];
    let edge = *random.one_of(&edges).unwrap();
    match item_type {
        0 => w.integer(tag, i32::from_le_bytes(*edge.to_le_bytes().first_chunk().unwrap())),
        1 => w.long_integer(tag, edge),
        2 => {
            let len = 8 * (1 + random.below(8));
            w.big_integer(tag, &random.bytes(len));
        }
        3 => w.enumeration(tag, u32::from_le_bytes(*number.to_le_bytes().first_chunk().unwrap())),
        4 => w.boolean(tag, number.is_multiple_of(2)),
        5 => w.text(tag, &odd_text(random)),
        6 => {
            let len = random.below(20);
            w.bytes(tag, &random.bytes(len));
        }
        // Years of four digits, which is all that XML and JSON can write.
        7 => w.date_time(tag, edge.rem_euclid(250_000_000_000)),
        8 => w.interval(tag, u32::from_le_bytes(*number.to_le_bytes().first_chunk().unwrap())),
        9 => w.structure(tag, |w| {
            for _ in 0..random.below(6) {
                let field = *random.one_of(&FIELDS).unwrap();
                let item_type = random.below(9);
                write(w, field, item_type, random);
            }
        }),
        _ => w.date_time_extended(tag, edge.rem_euclid(250_000_000_000_000_000)),
    }
}

#[test]
fn vendors_attributes_come_back_to_the_byte_in_every_version_and_encoding() {
    let mut random = Random::announced("vendors_attributes_come_back_to_the_byte_in_every_version_and_encoding");
    let node = Node::start().unwrap();
    let tenant = node.tenant("vendors", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut webs =
        [Encoding::Ttlv, Encoding::Xml, Encoding::Json].map(|one| Web::open(&node, &tenant.identity, one).unwrap());
    let (mut compared, mut unwritable) = (0, 0);
    for version in SUPPORTED_VERSIONS {
        let types = if version.is_2_x() { 11 } else { 10 };
        for (item_type, number) in (0..types).flat_map(|one| (0..EACH).map(move |number| (one, number))) {
            let name = format!("x-{item_type}-{number}");
            let value = AttributeValue::custom(name.as_str(), |w| write(w, TAG, item_type, &mut random)).unwrap();
            // Half of them come with the object, the other half are added.
            let given = if number % 2 == 0 { vec![value.clone()] } else { Vec::new() };
            let id = client.request(version, asking::aes(given)).unwrap().unique_identifier;
            if number % 2 == 1 {
                let attribute = value.clone().into();
                let add = AddAttributeRequest { unique_identifier: Some(id.as_str().into()), attribute };
                client.request(version, add).unwrap();
            }
            let look = |version| RequestMessage::single(version, GetAttributesRequest::of(id.as_str(), &[&name]));
            let mut came = Vec::new();
            for reader in SUPPORTED_VERSIONS.into_iter().filter(|reader| item_type < 10 || reader.is_2_x()) {
                came.push((format!("TTLV in {reader}"), client.raw(&look(reader).encode().unwrap()).unwrap()));
            }
            for (web, encoding) in webs.iter_mut().zip([Encoding::Ttlv, Encoding::Xml, Encoding::Json]) {
                let answer = web.exchange(&look(version).encode().unwrap());
                // XML 1.0 has no way to write some characters; the server says so, and does not lose them.
                if encoding == Encoding::Xml && encoding.from_ttlv(&value.canonical_bytes()).is_err() {
                    assert!(answer.unwrap_err().starts_with("HTTP 406"), "{value:?}");
                    unwritable += 1;
                } else {
                    came.push((format!("HTTPS with {encoding:?}"), answer.unwrap()));
                }
            }
            for (how, answer) in came {
                let answer = ResponseMessage::decode(&answer).unwrap().items.remove(0).outcome;
                let Outcome::Success(ResponsePayload::GetAttributes(got)) = answer else { panic!("{how}: {answer:?}") };
                let bytes: Vec<_> = got.attributes.iter().map(|one| one.value.canonical_bytes()).collect();
                assert_eq!(bytes, [value.canonical_bytes()], "{value:?} of {version} by {how}");
                compared += 1;
            }
        }
    }
    println!("{compared} values compared, {unwritable} cannot be written in XML");
    assert!(compared > 3000 && unwritable > 0, "{compared}, {unwritable}");
    let log = node.log().unwrap();
    assert!(!log.contains("\"ERROR\""), "what a client says is a fault of the server");
}

/// An attribute of 2.x that is no custom attribute of 1.x is not shown to a client of 1.x, and is there all the same.
#[test]
fn a_vendors_attribute_of_2_x_is_kept_apart_from_1_x() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let value = AttributeValue::custom_text("ACME-colour", "red").unwrap();
    let id = client.request(ProtocolVersion::V2_1, asking::aes(vec![value.clone()])).unwrap().unique_identifier;
    for version in SUPPORTED_VERSIONS {
        let got = client.request(version, GetAttributesRequest::of(id.as_str(), &[])).unwrap();
        let held: Vec<_> = got.attributes.into_iter().filter(|one| one.value.vendor().is_some()).collect();
        let expected = if version.is_2_x() { vec![value.clone()] } else { Vec::new() };
        assert_eq!(held.into_iter().map(|one| one.value).collect::<Vec<_>>(), expected, "{version}");
    }
}
