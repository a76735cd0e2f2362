//! The objects in the published OASIS test cases, read into their types and written again, whatever the operation.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/cases.rs"]
mod cases;

use std::collections::{BTreeMap, BTreeSet};

use kmip::message::peek_version;
use kmip::object::{AnyObject, KeyWrappingSpecification, ManagedObject};
use kmip::registry::ObjectType;
use kmip::ttlv::{DecodeError, ItemType, Reader, Wire, Writer};
use kmip::wire::{Fields, Part};
use kmip::xml::Element;
use kmip::{ProtocolVersion, Tag};
use ring::digest::{SHA256, digest};

/// Every structure in a message that is an object, as TTLV.
fn objects_in(element: &Element, found: &mut Vec<Vec<u8>>) {
    if element.item_type == ItemType::Structure && type_of(&element.name).is_some() {
        found.push(element.to_ttlv().unwrap().to_vec());
    }
    element.children.iter().for_each(|child| objects_in(child, found));
}

fn type_of(name: &str) -> Option<ObjectType> {
    ManagedObject::type_of(Tag::from_xml_name(name)?)
}

/// The version of a message, if this crate knows it.
fn version_of(message: &Element) -> Option<ProtocolVersion> {
    peek_version(&message.to_ttlv().unwrap()).filter(|version| ProtocolVersion::ALL.contains(version))
}

fn read(bytes: &[u8], version: ProtocolVersion) -> Result<ManagedObject, DecodeError> {
    let mut fields = Fields::new(Reader::new(bytes, version), AnyObject::takes);
    let object = AnyObject::decode(&mut fields)?;
    fields.finish()?;
    Ok(object)
}

/// Whether the object comes back, from the version's form and from what is sealed.
fn fault_of(bytes: &[u8], version: ProtocolVersion) -> Option<String> {
    let object = match read(bytes, version) {
        Ok(object) => object,
        Err(error) => return Some(error.to_string()),
    };
    let mut w = Writer::new(version);
    object.encode(object.tag(), &mut w);
    if *w.finish() != *bytes {
        return Some("written otherwise than it was read".to_owned());
    }
    if ManagedObject::from_canonical(object.to_canonical().expose()).ok().as_ref() != Some(&object) {
        return Some("sealed otherwise than it was read".to_owned());
    }
    None
}

#[test]
fn published_objects_come_back_from_their_types() {
    let Some(cases) = cases::all() else { return };
    let (mut faults, mut kinds) = (Vec::new(), BTreeMap::new());
    for case in &cases {
        for message in case.messages.iter().flatten() {
            let Some(version) = version_of(message) else { continue };
            let mut objects = Vec::new();
            objects_in(message, &mut objects);
            for bytes in objects {
                let tag = Reader::new(&bytes, version).peek_tag().unwrap().unwrap();
                *kinds.entry(tag.to_string()).or_insert(0_usize) += 1;
                faults.extend(fault_of(&bytes, version).map(|fault| format!("{}: {fault}", case.path.display())));
            }
        }
    }
    println!("{kinds:?}");
    assert!(!kinds.is_empty());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn published_key_wrapping_specifications_come_back() {
    fn find<'a>(element: &'a Element, found: &mut Vec<&'a Element>) {
        if element.name == "KeyWrappingSpecification" {
            found.push(element);
        }
        element.children.iter().for_each(|child| find(child, found));
    }
    let Some(cases) = cases::all() else { return };
    for case in &cases {
        for message in case.messages.iter().flatten() {
            let Some(version) = version_of(message) else { continue };
            let mut found = Vec::new();
            find(message, &mut found);
            for specification in found {
                let bytes = specification.to_ttlv().unwrap();
                let item = Reader::new(&bytes, version).next_item().unwrap().unwrap();
                let read = KeyWrappingSpecification::decode(&item)
                    .unwrap_or_else(|error| panic!("{}: {error}", case.path.display()));
                let mut w = Writer::new(version);
                read.encode(Tag::KEY_WRAPPING_SPECIFICATION, &mut w);
                assert_eq!(w.finish(), bytes, "{}", case.path.display());
            }
        }
    }
}

/// The values of every SHA-256 Digest in a message.
fn digests_in(element: &Element, found: &mut BTreeSet<String>) {
    let value = |name: &str| element.children.iter().find(|child| child.name == name)?.value.clone();
    if value("HashingAlgorithm").as_deref() == Some("SHA_256")
        && let Some(digest) = value("DigestValue")
    {
        found.insert(digest.to_lowercase());
    }
    element.children.iter().for_each(|child| digests_in(child, found));
}

/// The cases whose subject is the Digest of keys that the client registers.
const DIGEST_CASES: [&str; 2] = ["TC_181_", "TC_182_"];

#[test]
fn published_digests_are_those_of_the_digest_input() {
    let Some(cases) = cases::all() else { return };
    let is_about_digests = |case: &&cases::Case| {
        let name = case.path.file_name().unwrap().to_string_lossy();
        DIGEST_CASES.iter().any(|start| name.starts_with(start))
    };
    for case in cases.iter().filter(is_about_digests) {
        let (mut ours, mut published) = (BTreeSet::new(), BTreeSet::new());
        for message in case.messages.iter().flatten() {
            let Some(version) = version_of(message) else { continue };
            let mut objects = Vec::new();
            objects_in(message, &mut objects);
            for bytes in objects {
                let input = |input: &[u8]| hex::encode(digest(&SHA256, input));
                ours.extend(read(&bytes, version).unwrap().with_digest_input(input));
            }
            digests_in(message, &mut published);
        }
        assert!(!published.is_empty());
        assert_eq!(ours, published, "{}", case.path.display());
    }
}
