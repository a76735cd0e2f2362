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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{AttributeValue, TemplateAttribute};
    use crate::payload::{CreateRequest, GetAttributesRequest, GetAttributesResponse, LocateRequest};
    use crate::ttlv::Reader;

    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn written(version: ProtocolVersion, payload: &impl Wire) -> Vec<u8> {
        let mut w = Writer::new(version);
        payload.encode(Tag::REQUEST_PAYLOAD, &mut w);
        w.finish().to_vec()
    }

    fn read<T: Wire>(version: ProtocolVersion, bytes: &[u8]) -> Result<T, DecodeError> {
        T::decode(&Reader::new(bytes, version).next_item()?.unwrap())
    }

    fn fields(version: ProtocolVersion, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut w = Writer::new(version);
        w.structure(Tag::REQUEST_PAYLOAD, write);
        w.finish().to_vec()
    }

    #[test]
    fn an_empty_list_is_a_structure_where_2_x_requires_one() {
        let none = GetAttributesResponse { unique_identifier: String::new(), attributes: Vec::new() };
        let expected = |version| {
            fields(version, |w| {
                w.text(Tag::UNIQUE_IDENTIFIER, "");
                if version == V2_1 {
                    w.structure(Tag::ATTRIBUTES, |_| {});
                }
            })
        };
        for version in [V1_4, V2_1] {
            assert_eq!(written(version, &none), expected(version));
        }
        let without = fields(V2_1, |w| w.text(Tag::UNIQUE_IDENTIFIER, ""));
        assert_eq!(read::<GetAttributesResponse>(V2_1, &without).unwrap(), none);
    }

    #[test]
    fn a_list_of_2_x_has_no_indices_and_keeps_its_order() {
        let values = [AttributeValue::Comment("a".into()), AttributeValue::Sensitive(true)];
        let indexed = values.iter().cloned().zip(3..).map(|(value, index)| Attribute::with_index(index, value));
        let whole = GetAttributesResponse { unique_identifier: "a".into(), attributes: indexed.collect() };
        let told: GetAttributesResponse = read(V2_1, &written(V2_1, &whole)).unwrap();
        assert_eq!(told.attributes, values.map(Attribute::new));
    }

    #[test]
    fn a_newer_minor_version_may_have_attributes_that_are_not_understood() {
        let v2_9 = ProtocolVersion { major: 2, minor: 9 };
        let locate = |version| {
            fields(version, |w| {
                w.structure(Tag::ATTRIBUTES, |w| {
                    w.integer(Tag(0x42_0FFF), 1);
                    w.boolean(Tag::SENSITIVE, true);
                });
            })
        };
        let understood: LocateRequest = read(v2_9, &locate(v2_9)).unwrap();
        assert_eq!(understood.attributes, [AttributeValue::Sensitive(true).into()]);
        let refused = read::<LocateRequest>(V2_1, &locate(V2_1)).unwrap_err();
        assert_eq!((refused.kind, refused.offset), (DecodeErrorKind::UnknownAttribute, 16));
    }

    #[test]
    fn patterns_of_2_x_may_lack_fields() {
        let link = fields(V2_1, |w| {
            w.structure(Tag::ATTRIBUTES, |w| {
                w.structure(Tag::LINK, |w| w.text(Tag::LINKED_OBJECT_IDENTIFIER, "one"));
            });
        });
        let locate: LocateRequest = read(V2_1, &link).unwrap();
        assert!(matches!(locate.attributes[0].value, AttributeValue::Partial { kind: AttributeKind::Link, .. }));
        assert_eq!(written(V2_1, &locate), link);
        // What is left of the structure has another form in 1.x, but says the same.
        let told: LocateRequest = read(V1_4, &written(V1_4, &locate)).unwrap();
        assert!(matches!(told.attributes[0].value, AttributeValue::Partial { kind: AttributeKind::Link, .. }));
    }

    #[test]
    fn a_pattern_with_a_field_that_the_version_lacks_cannot_be_told() {
        let digest = fields(V2_1, |w| {
            w.structure(Tag::ATTRIBUTES, |w| {
                w.structure(Tag::DIGEST, |w| w.enumeration(Tag::KEY_FORMAT_TYPE, 1));
            });
        });
        let locate: LocateRequest = read(V2_1, &digest).unwrap();
        assert!(locate.known_in(ProtocolVersion::V1_1) && !locate.known_in(ProtocolVersion::V1_0));
    }

    #[test]
    fn a_reference_stands_once() {
        let twice = |tag: Tag| fields(V2_1, |w| (0..2).for_each(|_| w.enumeration(Tag::ATTRIBUTE_REFERENCE, tag.0)));
        let refused = read::<GetAttributesRequest>(V2_1, &twice(Tag::STATE)).unwrap_err();
        assert_eq!((refused.kind, refused.offset), (DecodeErrorKind::DuplicateField(Tag::ATTRIBUTE_REFERENCE), 24));
        let request = GetAttributesRequest::of("a", &["State", "State"]);
        assert!(request.known_in(V1_4) && !request.known_in(V2_1));
    }

    #[test]
    fn a_template_cannot_be_told_to_2_x() {
        let named = TemplateAttribute { names: vec![crate::attribute::Name::text("base")], attributes: Vec::new() };
        let create = CreateRequest::symmetric_key(named);
        assert!(create.known_in(V1_4) && !create.known_in(V2_1));
    }
}
