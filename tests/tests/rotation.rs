//! The server rotates objects by itself where a client asked for it. KMIP 2.1 §4.48 to §4.54.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::{Duration, Instant};

use kmip::ProtocolVersion;
use kmip::attribute::{AttributeKind, AttributeValue, Name};
use kmip::payload::{CreateKeyPairRequest, GetAttributesRequest, LocateRequest};
use kmip::registry::{CryptographicAlgorithm, LinkType};
use kmip::ttlv::{DateTime, Interval};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use xtask::stage::StageOptions;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
/// A rotation is due after a second and looked for ten times a second; this is for a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

fn eager() -> StageOptions {
    let limits = [("rotate_interval_s", 1), ("rotation_round_ms", 100)];
    StageOptions { limits: limits.map(|(name, value)| (name.to_owned(), value)).to_vec(), ..StageOptions::default() }
}

/// Active, and to be rotated every so many seconds.
fn automatic(interval: u32) -> Vec<AttributeValue> {
    vec![
        AttributeValue::RotateAutomatic(true),
        AttributeValue::RotateInterval(Interval(interval)),
        AttributeValue::ActivationDate(DateTime(1)),
    ]
}

fn attributes(client: &mut Connection, id: &str) -> Vec<AttributeValue> {
    let request = GetAttributesRequest { unique_identifier: Some(id.into()), ..Default::default() };
    client.request(V2_1, request).unwrap().attributes.into_iter().map(|one| one.value).collect()
}

fn linked(values: &[AttributeValue], wanted: LinkType) -> Option<String> {
    values.iter().find_map(|one| match one {
        AttributeValue::Link(link) if link.link_type == wanted => {
            link.linked_object_identifier.as_text().map(str::to_owned)
        }
        _ => None,
    })
}

/// Asks until the object has a successor.
fn successor(client: &mut Connection, id: &str) -> String {
    let begin = Instant::now();
    loop {
        if let Some(new) = linked(&attributes(client, id), LinkType::ReplacementObjectLink) {
            return new;
        }
        assert!(begin.elapsed() < PATIENCE, "{id} was not rotated");
    }
}

#[test]
fn a_key_is_rotated_again_and_again_and_its_name_goes_with_the_newest() {
    let node = Node::start_with(&eager(), &[]).unwrap();
    let tenant = node.tenant("rotating", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let wishes = [automatic(1), vec![AttributeValue::Name(Name::text("current"))]].concat();
    let first = client.request(V2_1, asking::aes(wishes)).unwrap().unique_identifier;
    let still = client.request(V2_1, asking::aes(automatic(1_000_000))).unwrap().unique_identifier;
    let without_interval = asking::aes(vec![AttributeValue::RotateAutomatic(true)]);
    let never = client.request(V2_1, without_interval).unwrap().unique_identifier;
    let second = successor(&mut client, &first);
    let third = successor(&mut client, &second);

    let of_first = attributes(&mut client, &first);
    assert!(of_first.contains(&AttributeValue::RotateLatest(false)));
    assert!(of_first.contains(&AttributeValue::RotateAutomatic(false)));
    assert!(of_first.iter().any(|one| one.kind() == AttributeKind::RotateDate));
    let of_second = attributes(&mut client, &second);
    assert!(of_second.contains(&AttributeValue::RotateGeneration(1)));
    assert_eq!(linked(&of_second, LinkType::ReplacedObjectLink), Some(first.clone()));
    assert!(attributes(&mut client, &third).contains(&AttributeValue::RotateGeneration(2)));
    for not_due in [&still, &never] {
        assert_eq!(linked(&attributes(&mut client, not_due), LinkType::ReplacementObjectLink), None);
    }
    // Whoever looks for the name finds a later one.
    let named = LocateRequest { attributes: vec![asking::name("current").into()], ..Default::default() };
    let found = client.request(V2_1, named).unwrap().unique_identifiers;
    assert!(found.len() == 1 && ![first, second].contains(&found[0]), "{found:?}");
    // The domain's log tells that the node did it.
    let log = String::from_utf8(node.export(&tenant.name).unwrap()).unwrap();
    assert!(log.contains("automatic rotation"));
}

#[test]
fn a_pair_goes_together() {
    let node = Node::start_with(&eager(), &[]).unwrap();
    let tenant = node.tenant("pairs", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let common = [
        automatic(1),
        vec![
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ecdsa),
            AttributeValue::CryptographicLength(256),
        ],
    ];
    let request = CreateKeyPairRequest { common_attributes: Some(common.concat().into()), ..Default::default() };
    let made = client.request(V2_1, request).unwrap();
    let private = successor(&mut client, &made.private_key_unique_identifier);
    let public = successor(&mut client, &made.public_key_unique_identifier);
    assert_eq!(linked(&attributes(&mut client, &private), LinkType::PublicKeyLink), Some(public));
}
