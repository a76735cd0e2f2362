//! Delete Attribute: an instance of an attribute goes. KMIP 1.4 §4.16, 2.1 §6.1.13.

use crate::attribute::{Attribute, AttributeReference, ChangedAttribute, CurrentAttribute, Identifier};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

/// What to delete at which object. 1.x says which instance by its index, 2.x by its value.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAttributeRequest {
    /// The object; absent means the ID Placeholder.
    pub unique_identifier: Option<Identifier>,
    /// Name of the attribute.
    pub attribute_name: String,
    /// The instance in 1.x; absent means 0. 2.x has none.
    pub attribute_index: Option<i32>,
    /// Since 2.0: the instance, by its value. Absent means all instances of the attribute.
    pub current_attribute: Option<Attribute>,
}

impl DeleteAttributeRequest {
    fn is_field(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Tag::UNIQUE_IDENTIFIER
            || if version.is_2_x() {
                tag == Tag::CURRENT_ATTRIBUTE || tag == Tag::ATTRIBUTE_REFERENCE
            } else {
                tag == Tag::ATTRIBUTE_NAME || tag == Tag::ATTRIBUTE_INDEX
            }
    }
}

impl Wire for DeleteAttributeRequest {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            if let Some(identifier) = &self.unique_identifier {
                identifier.encode(Tag::UNIQUE_IDENTIFIER, w);
            }
            if !w.version().is_2_x() {
                w.text(Tag::ATTRIBUTE_NAME, &self.attribute_name);
                if let Some(index) = self.attribute_index {
                    w.integer(Tag::ATTRIBUTE_INDEX, index);
                }
            } else if self.current_attribute.is_some() {
                CurrentAttribute::encode(&self.current_attribute, w);
            } else {
                AttributeReference(self.attribute_name.clone()).encode(Tag::ATTRIBUTE_REFERENCE, w);
            }
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let unique_identifier = fields.optional(Tag::UNIQUE_IDENTIFIER)?;
        let (mut attribute_index, mut current_attribute) = (None, None);
        let attribute_name = if fields.version().is_2_x() {
            current_attribute = CurrentAttribute::decode(&mut fields)?;
            let reference = fields.take(Tag::ATTRIBUTE_REFERENCE)?;
            match (&current_attribute, reference) {
                (Some(current), None) => current.name().to_owned(),
                (current, Some(item)) => {
                    let AttributeReference(name) = AttributeReference::decode(&item)?;
                    if current.as_ref().is_some_and(|current| current.name() != name) {
                        return Err(item.error(DecodeErrorKind::Invalid {
                            tag: Tag::ATTRIBUTE_REFERENCE,
                            why: "is another attribute than Current Attribute",
                        }));
                    }
                    name
                }
                // The tables call both optional; without either, nothing is said.
                (None, None) => return Err(fields.missing(Tag::CURRENT_ATTRIBUTE)),
            }
        } else {
            let name = fields.required(Tag::ATTRIBUTE_NAME)?;
            attribute_index = fields.optional(Tag::ATTRIBUTE_INDEX)?;
            name
        };
        fields.finish()?;
        Ok(Self { unique_identifier, attribute_name, attribute_index, current_attribute })
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        let identifier = self.unique_identifier.as_ref().is_none_or(|identifier| identifier.known_in(version));
        let which = match (&self.current_attribute, version.is_2_x()) {
            (Some(_), true) => CurrentAttribute::known_in(&self.current_attribute, version),
            (None, true) => {
                // An index that is left out would mean all instances.
                self.attribute_index.is_none() && AttributeReference(self.attribute_name.clone()).known_in(version)
            }
            (current, false) => current.is_none(),
        };
        identifier && which
    }
}

structure! {
    /// What was deleted.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DeleteAttributeResponse {
        /// The object.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The attribute as it was, for peers of 1.x, which require it.
        part attribute: Option<Attribute> = ChangedAttribute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use crate::ttlv::Reader;

    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn read(write: impl FnOnce(&mut Writer)) -> Result<DeleteAttributeRequest, DecodeError> {
        let mut w = Writer::new(V2_1);
        w.structure(Tag::REQUEST_PAYLOAD, write);
        let bytes = w.finish();
        DeleteAttributeRequest::decode(&Reader::new(&bytes, V2_1).next_item()?.unwrap())
    }

    fn current(w: &mut Writer) {
        w.structure(Tag::CURRENT_ATTRIBUTE, |w| w.text(Tag::COMMENT, "a"));
    }

    fn reference(w: &mut Writer, tag: Tag) {
        w.enumeration(Tag::ATTRIBUTE_REFERENCE, tag.0);
    }

    #[test]
    fn a_value_means_one_instance_and_a_reference_all() {
        let by_value = read(current).unwrap();
        assert_eq!(by_value.attribute_name, "Comment");
        assert_eq!(by_value.current_attribute, Some(AttributeValue::Comment("a".into()).into()));
        let by_name = read(|w| reference(w, Tag::COMMENT)).unwrap();
        assert_eq!((by_name.attribute_name.as_str(), by_name.current_attribute), ("Comment", None));
    }

    #[test]
    fn value_and_reference_agree() {
        let both = |tag| {
            read(|w| {
                current(w);
                reference(w, tag);
            })
        };
        assert_eq!(both(Tag::COMMENT).unwrap(), read(current).unwrap());
        let refused = both(Tag::DESCRIPTION).unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::Invalid { tag: Tag::ATTRIBUTE_REFERENCE, .. }));
    }

    #[test]
    fn something_is_to_be_deleted() {
        assert_eq!(read(|_| {}).unwrap_err().kind, DecodeErrorKind::MissingField(Tag::CURRENT_ATTRIBUTE));
    }

    #[test]
    fn what_tells_one_instance_from_another_is_not_left_out() {
        let by_index = DeleteAttributeRequest {
            unique_identifier: None,
            attribute_name: "Comment".into(),
            attribute_index: Some(0),
            current_attribute: None,
        };
        assert!(by_index.known_in(ProtocolVersion::V1_4) && !by_index.known_in(V2_1));
        let by_value = read(current).unwrap();
        assert!(by_value.known_in(V2_1) && !by_value.known_in(ProtocolVersion::V1_4));
    }
}
