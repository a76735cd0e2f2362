//! Attributes and their names inside payloads, where 1.x and 2.x differ.
//!
//! 1.x repeats Attribute and Attribute Name, or wraps the former in Template-Attribute; 2.x has one structure
//! Attributes with the values under their own tags. Payloads say only *that* attributes stand there; a version's form
//! is decided here and nowhere else.

use super::{Attribute, AttributeValue, Name};
use crate::limits::MAX_ATTRIBUTES;
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

/// Attributes of an object: any number of Attribute.
pub struct AttributeList;

impl Part<Vec<Attribute>> for AttributeList {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::ATTRIBUTE
    }

    fn encode(attributes: &Vec<Attribute>, w: &mut Writer) {
        let version = w.version();
        for attribute in attributes.iter().filter(|attribute| attribute.known_in(version)) {
            attribute.encode(Tag::ATTRIBUTE, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Attribute>, DecodeError> {
        fields.repeated_by(Tag::ATTRIBUTE, MAX_ATTRIBUTES, Attribute::decode)
    }
}

/// Attributes to compare with: as [`AttributeList`], but structures may lack fields.
pub struct AttributePatterns;

impl Part<Vec<Attribute>> for AttributePatterns {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeList::takes(tag, version)
    }

    fn encode(attributes: &Vec<Attribute>, w: &mut Writer) {
        AttributeList::encode(attributes, w);
    }

    fn known_in(attributes: &Vec<Attribute>, version: ProtocolVersion) -> bool {
        // A pattern that is left out would make more objects match.
        attributes.iter().all(|attribute| attribute.known_in(version))
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Attribute>, DecodeError> {
        fields.repeated_by(Tag::ATTRIBUTE, MAX_ATTRIBUTES, Attribute::decode_pattern)
    }
}

/// Names of attributes: any number of Attribute Name.
pub struct AttributeNames;

impl Part<Vec<String>> for AttributeNames {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::ATTRIBUTE_NAME
    }

    fn encode(names: &Vec<String>, w: &mut Writer) {
        for name in names {
            w.text(Tag::ATTRIBUTE_NAME, name);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<String>, DecodeError> {
        fields.repeated_by(Tag::ATTRIBUTE_NAME, MAX_ATTRIBUTES, String::decode)
    }
}

structure! {
    /// Attributes of an object to be made, given one by one and by the names of templates. KMIP 1.4 §2.1.8.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct TemplateAttribute {
        /// Names of templates; deprecated since 1.3, gone in 2.0.
        repeated names: Name = Tag::NAME,
        /// Attributes given one by one.
        part attributes: Vec<Attribute> = AttributeList,
    }
}

impl From<Vec<Attribute>> for TemplateAttribute {
    fn from(attributes: Vec<Attribute>) -> Self {
        Self { names: Vec::new(), attributes }
    }
}

impl From<Vec<AttributeValue>> for TemplateAttribute {
    fn from(values: Vec<AttributeValue>) -> Self {
        values.into_iter().map(Attribute::new).collect::<Vec<_>>().into()
    }
}

/// The attributes of an object to be made: Template-Attribute.
pub struct ObjectAttributes;

impl Part<TemplateAttribute> for ObjectAttributes {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::TEMPLATE_ATTRIBUTE
    }

    fn encode(attributes: &TemplateAttribute, w: &mut Writer) {
        attributes.encode(Tag::TEMPLATE_ATTRIBUTE, w);
    }

    fn decode(fields: &mut Fields<'_>) -> Result<TemplateAttribute, DecodeError> {
        fields.required(Tag::TEMPLATE_ATTRIBUTE)
    }
}
