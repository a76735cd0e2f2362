//! The attributes that a new object is to have: Template-Attribute in 1.x, Attributes in 2.x.

use super::list::{decode_structure, encode_structure};
use super::{Attribute, AttributeList, AttributeValue, Name};
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

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

/// `Part = TAG_OF_1_X, TAG_OF_2_X;`: the same structure under several tags. A part of `Option<TemplateAttribute>` may be
/// absent.
macro_rules! object_attributes {
    ($( $(#[$meta:meta])* $part:ident = $of_1_x:ident, $of_2_x:ident; )*) => {
        $(
            $(#[$meta])*
            pub struct $part;

            impl $part {
                fn tag(version: ProtocolVersion) -> Tag {
                    if version.is_2_x() { Tag::$of_2_x } else { Tag::$of_1_x }
                }
            }

            impl Part<TemplateAttribute> for $part {
                fn takes(tag: Tag, version: ProtocolVersion) -> bool {
                    tag == Self::tag(version)
                }

                fn known_in(template: &TemplateAttribute, version: ProtocolVersion) -> bool {
                    is_known_in(template, version)
                }

                fn encode(template: &TemplateAttribute, w: &mut Writer) {
                    encode(template, Self::tag(w.version()), w);
                }

                fn decode(fields: &mut Fields<'_>) -> Result<TemplateAttribute, DecodeError> {
                    let tag = Self::tag(fields.version());
                    match decode(fields, tag)? {
                        Some(template) => Ok(template),
                        None => Err(fields.missing(tag)),
                    }
                }
            }

            impl Part<Option<TemplateAttribute>> for $part {
                fn takes(tag: Tag, version: ProtocolVersion) -> bool {
                    tag == Self::tag(version)
                }

                fn known_in(template: &Option<TemplateAttribute>, version: ProtocolVersion) -> bool {
                    template.as_ref().is_none_or(|template| is_known_in(template, version))
                }

                fn encode(template: &Option<TemplateAttribute>, w: &mut Writer) {
                    if let Some(template) = template {
                        encode(template, Self::tag(w.version()), w);
                    }
                }

                fn decode(fields: &mut Fields<'_>) -> Result<Option<TemplateAttribute>, DecodeError> {
                    let tag = Self::tag(fields.version());
                    decode(fields, tag)
                }
            }
        )*
    };
}

object_attributes! {
    /// Of an object to be made: Template-Attribute, or Attributes.
    ObjectAttributes = TEMPLATE_ATTRIBUTE, ATTRIBUTES;
    /// Of both halves of a key pair: Common Template-Attribute, or Common Attributes.
    CommonAttributes = COMMON_TEMPLATE_ATTRIBUTE, COMMON_ATTRIBUTES;
    /// Of a private key: Private Key Template-Attribute, or Private Key Attributes.
    PrivateKeyAttributes = PRIVATE_KEY_TEMPLATE_ATTRIBUTE, PRIVATE_KEY_ATTRIBUTES;
    /// Of a public key: Public Key Template-Attribute, or Public Key Attributes.
    PublicKeyAttributes = PUBLIC_KEY_TEMPLATE_ATTRIBUTE, PUBLIC_KEY_ATTRIBUTES;
}

/// Leaving a template out would make another object.
fn is_known_in(template: &TemplateAttribute, version: ProtocolVersion) -> bool {
    template.names.is_empty() || !version.is_2_x()
}

fn encode(template: &TemplateAttribute, tag: Tag, w: &mut Writer) {
    if w.version().is_2_x() {
        encode_structure(tag, &template.attributes, w);
    } else {
        template.encode(tag, w);
    }
}

fn decode(fields: &mut Fields<'_>, tag: Tag) -> Result<Option<TemplateAttribute>, DecodeError> {
    let Some(item) = fields.take(tag)? else { return Ok(None) };
    if item.version().is_2_x() {
        return Ok(Some(decode_structure(&item, Attribute::decode_tagged)?.into()));
    }
    TemplateAttribute::decode(&item).map(Some)
}
