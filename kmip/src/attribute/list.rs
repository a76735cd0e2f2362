//! Lists of attributes, and of their names, inside payloads and objects, where 1.x and 2.x differ.
//!
//! 1.x repeats Attribute and Attribute Name; 2.x has one structure Attributes with the values under their own tags, and
//! repeats Attribute Reference. Payloads say only *that* attributes stand there; a version's form is decided here and
//! nowhere else.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::{Attribute, AttributeKind, AttributeReference};
use crate::limits::MAX_ATTRIBUTES;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// Attributes of an object, perhaps none: any number of Attribute, or one structure Attributes that is absent where it
/// would be empty.
pub struct AttributeList;

impl Part<Vec<Attribute>> for AttributeList {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == list_tag(version)
    }

    fn encode(attributes: &Vec<Attribute>, w: &mut Writer) {
        let version = w.version();
        if !version.is_2_x() {
            for attribute in attributes.iter().filter(|attribute| attribute.known_in(version)) {
                attribute.encode(Tag::ATTRIBUTE, w);
            }
        } else if attributes.iter().any(|attribute| attribute.known_in(version)) {
            encode_structure(Tag::ATTRIBUTES, attributes, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Attribute>, DecodeError> {
        decode_list(fields, Attribute::decode, Attribute::decode_tagged)
    }
}

/// As [`AttributeList`], but a peer of 2.x is sent the structure even if it is empty: the specification's tables
/// require it. Reading takes its absence for none, since the text below the tables may be read so (KMIP 2.1 §6.1.20).
pub struct RequiredAttributes;

impl Part<Vec<Attribute>> for RequiredAttributes {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeList::takes(tag, version)
    }

    fn encode(attributes: &Vec<Attribute>, w: &mut Writer) {
        if w.version().is_2_x() {
            encode_structure(Tag::ATTRIBUTES, attributes, w);
        } else {
            AttributeList::encode(attributes, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Attribute>, DecodeError> {
        AttributeList::decode(fields)
    }
}

/// Attributes to compare with: as [`RequiredAttributes`], but structures may lack fields. KMIP 2.1 §6.1.28.
pub struct AttributePatterns;

impl Part<Vec<Attribute>> for AttributePatterns {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeList::takes(tag, version)
    }

    fn encode(attributes: &Vec<Attribute>, w: &mut Writer) {
        RequiredAttributes::encode(attributes, w);
    }

    fn known_in(attributes: &Vec<Attribute>, version: ProtocolVersion) -> bool {
        // A pattern that is left out would make more objects match.
        attributes.iter().all(|attribute| attribute.known_in(version))
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Attribute>, DecodeError> {
        decode_list(fields, Attribute::decode_pattern, Attribute::decode_tagged_pattern)
    }
}

/// Names that are asked for: any number of Attribute Name, or of Attribute Reference.
pub struct AttributeNames;

impl Part<Vec<String>> for AttributeNames {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == name_tag(version)
    }

    fn known_in(names: &Vec<String>, version: ProtocolVersion) -> bool {
        // 1.x may ask for any text: that there is no such attribute is the answer. In 2.x no name asks for all
        // attributes, so none may be left out; and none may stand twice.
        let distinct: BTreeSet<_> = names.iter().collect();
        let is_known = |name: &String| AttributeReference::is_name_known_in(name, version);
        !version.is_2_x() || (distinct.len() == names.len() && names.iter().all(is_known))
    }

    fn encode(names: &Vec<String>, w: &mut Writer) {
        let version = w.version();
        for name in names {
            if version.is_2_x() {
                AttributeReference::encode_name(name, Tag::ATTRIBUTE_REFERENCE, w);
            } else {
                w.text(Tag::ATTRIBUTE_NAME, name);
            }
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<String>, DecodeError> {
        let tag = name_tag(fields.version());
        if fields.version().is_2_x() {
            let seen = Cell::new(0_u128);
            return fields.repeated_by(tag, MAX_ATTRIBUTES, |item| {
                let reference = AttributeReference::decode(item)?;
                if let Some(bit) = reference.kind().and_then(kind_bit) {
                    // "SHALL NOT be present more than once" (KMIP 2.1 §6.1.20). Here, because the names of attributes
                    // are longer than their references.
                    if seen.get() & bit != 0 {
                        return Err(item.error(DecodeErrorKind::DuplicateField(tag)));
                    }
                    seen.set(seen.get() | bit);
                }
                Ok(reference.0)
            });
        }
        fields.repeated_by(tag, MAX_ATTRIBUTES, String::decode)
    }
}

/// Names that are answered, each once: as [`AttributeNames`], without those that the peer does not know.
pub struct AnsweredNames;

impl Part<Vec<String>> for AnsweredNames {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeNames::takes(tag, version)
    }

    fn encode(names: &Vec<String>, w: &mut Writer) {
        let version = w.version();
        let mut told = BTreeSet::new();
        let names = names
            .iter()
            .filter(|name| AttributeReference::is_name_known_in(name, version) && told.insert(name.as_str()));
        AttributeNames::encode(&names.cloned().collect(), w);
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<String>, DecodeError> {
        AttributeNames::decode(fields)
    }
}

/// A bit for each attribute of the specification; vendors' have none.
fn kind_bit(kind: AttributeKind) -> Option<u128> {
    const _: () = assert!(AttributeKind::ALL.len() <= 128);
    if kind == AttributeKind::Custom { None } else { 1_u128.checked_shl(kind as u32) }
}

fn list_tag(version: ProtocolVersion) -> Tag {
    if version.is_2_x() { Tag::ATTRIBUTES } else { Tag::ATTRIBUTE }
}

fn name_tag(version: ProtocolVersion) -> Tag {
    if version.is_2_x() { Tag::ATTRIBUTE_REFERENCE } else { Tag::ATTRIBUTE_NAME }
}

/// How one attribute is read.
type Decode = fn(&Item<'_>) -> Result<Attribute, DecodeError>;

fn decode_list(fields: &mut Fields<'_>, of_1_x: Decode, of_2_x: Decode) -> Result<Vec<Attribute>, DecodeError> {
    if !fields.version().is_2_x() {
        return fields.repeated_by(Tag::ATTRIBUTE, MAX_ATTRIBUTES, of_1_x);
    }
    fields.take(Tag::ATTRIBUTES)?.map_or_else(|| Ok(Vec::new()), |item| decode_structure(&item, of_2_x))
}

/// Writes the structure of 2.x, with what the version knows.
pub(super) fn encode_structure(tag: Tag, attributes: &[Attribute], w: &mut Writer) {
    let version = w.version();
    w.structure(tag, |w| {
        for attribute in attributes.iter().filter(|attribute| attribute.known_in(version)) {
            attribute.value.encode_tagged(w);
        }
    });
}

/// Reads the structure of 2.x. A peer of a newer minor version may put into it what is not understood.
pub(super) fn decode_structure(item: &Item<'_>, decode: Decode) -> Result<Vec<Attribute>, DecodeError> {
    let mut inside = item.structure()?;
    let mut ahead = inside.clone();
    let mut count = 0;
    while let Some(next) = ahead.next_item()? {
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(next.error(DecodeErrorKind::TooMany { what: "Attributes", limit: MAX_ATTRIBUTES }));
        }
    }
    let mut attributes = Vec::with_capacity(count);
    while let Some(next) = inside.next_item()? {
        match decode(&next) {
            Err(DecodeError { kind: DecodeErrorKind::UnknownAttribute, .. }) if item.version().is_unheard_of() => {}
            read => attributes.push(read?),
        }
    }
    Ok(attributes)
}
