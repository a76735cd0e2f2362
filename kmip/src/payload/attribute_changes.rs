//! Attributes that changed and attributes that went, as Notify tells of them. KMIP 1.4 §5.1, 2.1 §6.2.2.

use crate::attribute::{Attribute, AttributeKind, AttributeList, AttributeReference};
use crate::limits::MAX_ATTRIBUTES;
use crate::ttlv::{DecodeError, Item, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// What changed at an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeChanges {
    /// Attributes with their new values.
    pub changed: Vec<Attribute>,
    /// Attributes that have no value any more.
    pub deleted: Vec<DeletedAttribute>,
}

/// An attribute that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedAttribute {
    /// Its name.
    pub reference: AttributeReference,
    /// Which instance; 1.x alone has them.
    pub index: Option<i32>,
}

/// 1.x: one list of Attribute, where those that went lack their value. 2.x: Attributes, then Attribute References.
pub struct ChangedAttributes;

impl Part<AttributeChanges> for ChangedAttributes {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        AttributeList::takes(tag, version) || version.is_2_x() && tag == Tag::ATTRIBUTE_REFERENCE
    }

    fn encode(changes: &AttributeChanges, w: &mut Writer) {
        AttributeList::encode(&changes.changed, w);
        let version = w.version();
        for deleted in changes.deleted.iter().filter(|deleted| deleted.known_in(version)) {
            if version.is_2_x() {
                deleted.reference.encode(Tag::ATTRIBUTE_REFERENCE, w);
            } else {
                deleted.encode_without_value(w);
            }
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<AttributeChanges, DecodeError> {
        if fields.version().is_2_x() {
            let changed = AttributeList::decode(fields)?;
            let deleted = fields.repeated_by(Tag::ATTRIBUTE_REFERENCE, MAX_ATTRIBUTES, |item| {
                Ok(DeletedAttribute { reference: AttributeReference::decode(item)?, index: None })
            })?;
            return Ok(AttributeChanges { changed, deleted });
        }
        let mut changes = AttributeChanges::default();
        for change in fields.repeated_by(Tag::ATTRIBUTE, MAX_ATTRIBUTES, Change::decode)? {
            match change {
                Change::Changed(attribute) => changes.changed.push(attribute),
                Change::Deleted(attribute) => changes.deleted.push(attribute),
            }
        }
        Ok(changes)
    }
}

impl DeletedAttribute {
    /// Whether a peer of `version` knows the attribute; of others it is not told.
    fn known_in(&self, version: ProtocolVersion) -> bool {
        if version.is_2_x() {
            return self.reference.known_in(version);
        }
        match self.reference.kind() {
            Some(AttributeKind::Custom) => self.reference.0.starts_with("x-") || self.reference.0.starts_with("y-"),
            kind => kind.is_some_and(|kind| kind.is_known_to(version)),
        }
    }

    fn encode_without_value(&self, w: &mut Writer) {
        w.structure(Tag::ATTRIBUTE, |w| {
            w.text(Tag::ATTRIBUTE_NAME, &self.reference.0);
            if let Some(index) = self.index {
                w.integer(Tag::ATTRIBUTE_INDEX, index);
            }
        });
    }
}

/// An Attribute of 1.x with or without its value.
enum Change {
    Changed(Attribute),
    Deleted(DeletedAttribute),
}

impl Change {
    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut ahead = item.structure()?;
        while let Some(field) = ahead.next_item()? {
            if field.tag == Tag::ATTRIBUTE_VALUE {
                return Attribute::decode(item).map(Self::Changed);
            }
        }
        let is_field = |tag, _| tag == Tag::ATTRIBUTE_NAME || tag == Tag::ATTRIBUTE_INDEX;
        let mut fields = Fields::new(item.structure()?, is_field);
        let reference = AttributeReference(fields.required(Tag::ATTRIBUTE_NAME)?);
        let index = fields.optional(Tag::ATTRIBUTE_INDEX)?;
        fields.finish()?;
        Ok(Self::Deleted(DeletedAttribute { reference, index }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use crate::payload::NotifyRequest;
    use crate::ttlv::{DateTime, Reader};

    fn news() -> NotifyRequest {
        let deleted = |name: &str| DeletedAttribute { reference: AttributeReference(name.to_owned()), index: None };
        NotifyRequest {
            unique_identifier: "a".to_owned(),
            changes: AttributeChanges {
                changed: vec![AttributeValue::LastChangeDate(DateTime(1)).into()],
                deleted: vec![deleted("Object Group"), deleted("x-a")],
            },
        }
    }

    fn tags(version: ProtocolVersion) -> Vec<Tag> {
        let mut w = Writer::new(version);
        news().encode(Tag::REQUEST_PAYLOAD, &mut w);
        let bytes = w.finish();
        let item = Reader::new(&bytes, version).next_item().unwrap().unwrap();
        assert_eq!(NotifyRequest::decode(&item).unwrap(), news());
        let mut fields = item.structure().unwrap();
        std::iter::from_fn(|| fields.next_item().unwrap()).map(|field| field.tag).collect()
    }

    #[test]
    fn what_went_lacks_its_value_in_1_x_and_is_referred_to_in_2_x() {
        let (id, attribute) = (Tag::UNIQUE_IDENTIFIER, Tag::ATTRIBUTE);
        assert_eq!(tags(ProtocolVersion::V1_4), [id, attribute, attribute, attribute]);
        let reference = Tag::ATTRIBUTE_REFERENCE;
        assert_eq!(tags(ProtocolVersion::V2_1), [id, Tag::ATTRIBUTES, reference, reference]);
    }

    #[test]
    fn of_what_the_version_does_not_know_it_is_not_told() {
        let mut w = Writer::new(ProtocolVersion::V1_0);
        let mut news = news();
        let sensitive = AttributeReference("Sensitive".to_owned());
        news.changes.deleted = vec![DeletedAttribute { reference: sensitive, index: Some(0) }];
        news.encode(Tag::REQUEST_PAYLOAD, &mut w);
        let bytes = w.finish();
        let item = Reader::new(&bytes, ProtocolVersion::V1_0).next_item().unwrap().unwrap();
        assert_eq!(NotifyRequest::decode(&item).unwrap().changes.deleted, []);
    }
}
