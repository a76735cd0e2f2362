//! One attribute inside a payload: Attribute in 1.x, New Attribute and Current Attribute in 2.x.

use super::Attribute;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// The attribute to be set: Attribute, or New Attribute. KMIP 2.1 §5.7.
pub struct NewAttribute;

impl NewAttribute {
    fn tag(version: ProtocolVersion) -> Tag {
        if version.is_2_x() { Tag::NEW_ATTRIBUTE } else { Tag::ATTRIBUTE }
    }
}

impl Part<Attribute> for NewAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Self::tag(version)
    }

    fn known_in(attribute: &Attribute, version: ProtocolVersion) -> bool {
        // 2.x has no index; without it, another instance would be meant.
        attribute.known_in(version) && (!version.is_2_x() || attribute.index.is_none_or(|index| index == 0))
    }

    fn encode(attribute: &Attribute, w: &mut Writer) {
        if w.version().is_2_x() {
            encode_in(Tag::NEW_ATTRIBUTE, attribute, w);
        } else {
            attribute.encode(Tag::ATTRIBUTE, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Attribute, DecodeError> {
        let item = fields.require(Self::tag(fields.version()))?;
        if item.version().is_2_x() { decode_in(&item) } else { Attribute::decode(&item) }
    }
}

/// The instance that is meant, by its value: Current Attribute. Since 2.0. KMIP 2.1 §5.6.
pub struct CurrentAttribute;

impl Part<Option<Attribute>> for CurrentAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        version.is_2_x() && tag == Tag::CURRENT_ATTRIBUTE
    }

    fn known_in(attribute: &Option<Attribute>, version: ProtocolVersion) -> bool {
        // Without it, another instance would be meant.
        attribute.as_ref().is_none_or(|attribute| version.is_2_x() && attribute.known_in(version))
    }

    fn encode(attribute: &Option<Attribute>, w: &mut Writer) {
        if let Some(attribute) = attribute
            && w.version().is_2_x()
        {
            encode_in(Tag::CURRENT_ATTRIBUTE, attribute, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Attribute>, DecodeError> {
        if !fields.version().is_2_x() {
            return Ok(None);
        }
        fields.take(Tag::CURRENT_ATTRIBUTE)?.map(|item| decode_in(&item)).transpose()
    }
}

/// The attribute that an operation changed, as 1.x answers it: Attribute. An answer of 2.x does without.
pub struct ChangedAttribute;

impl Part<Option<Attribute>> for ChangedAttribute {
    fn takes(tag: Tag, version: ProtocolVersion) -> bool {
        !version.is_2_x() && tag == Tag::ATTRIBUTE
    }

    fn known_in(attribute: &Option<Attribute>, version: ProtocolVersion) -> bool {
        version.is_2_x() || attribute.as_ref().is_some_and(|attribute| attribute.known_in(version))
    }

    fn encode(attribute: &Option<Attribute>, w: &mut Writer) {
        if let Some(attribute) = attribute
            && !w.version().is_2_x()
        {
            attribute.encode(Tag::ATTRIBUTE, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<Attribute>, DecodeError> {
        if fields.version().is_2_x() { Ok(None) } else { fields.required(Tag::ATTRIBUTE).map(Some) }
    }
}

fn encode_in(tag: Tag, attribute: &Attribute, w: &mut Writer) {
    w.structure(tag, |w| attribute.value.encode_tagged(w));
}

/// The structure of 2.x that holds exactly one attribute.
fn decode_in(item: &Item<'_>) -> Result<Attribute, DecodeError> {
    let mut inside = item.structure()?;
    let Some(only) = inside.next_item()? else {
        return Err(item.error(DecodeErrorKind::Invalid { tag: item.tag, why: "is empty" }));
    };
    let attribute = Attribute::decode_tagged(&only)?;
    match inside.next_item()? {
        None => Ok(attribute),
        Some(second) => Err(second.error(DecodeErrorKind::TooMany { what: "attributes in one", limit: 1 })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeValue;
    use crate::payload::{AddAttributeRequest, AddAttributeResponse, ModifyAttributeRequest};
    use crate::ttlv::Reader;

    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn read<T: Wire>(version: ProtocolVersion, payload: impl FnOnce(&mut Writer)) -> Result<T, DecodeError> {
        let mut w = Writer::new(version);
        w.structure(Tag::REQUEST_PAYLOAD, payload);
        let bytes = w.finish();
        T::decode(&Reader::new(&bytes, version).next_item()?.unwrap())
    }

    fn sensitive() -> Attribute {
        AttributeValue::Sensitive(true).into()
    }

    #[test]
    fn a_new_attribute_of_2_x_holds_exactly_one() {
        let of = |count: usize| {
            let content = |w: &mut Writer| (0..count).for_each(|_| w.boolean(Tag::SENSITIVE, true));
            read::<AddAttributeRequest>(V2_1, |w| w.structure(Tag::NEW_ATTRIBUTE, content))
        };
        assert_eq!(of(1).unwrap().attribute, sensitive());
        assert!(matches!(of(0).unwrap_err().kind, DecodeErrorKind::Invalid { tag: Tag::NEW_ATTRIBUTE, .. }));
        assert!(matches!(of(2).unwrap_err().kind, DecodeErrorKind::TooMany { limit: 1, .. }));
    }

    #[test]
    fn each_form_is_refused_by_the_other_version() {
        let of_1_4 = read::<AddAttributeRequest>(V2_1, |w| sensitive().encode(Tag::ATTRIBUTE, w));
        assert_eq!(of_1_4.unwrap_err().kind, DecodeErrorKind::UnknownField(Tag::ATTRIBUTE));
        let of_2_1 = read::<AddAttributeRequest>(V1_4, |w| encode_in(Tag::NEW_ATTRIBUTE, &sensitive(), w));
        assert_eq!(of_2_1.unwrap_err().kind, DecodeErrorKind::UnknownField(Tag::NEW_ATTRIBUTE));
    }

    #[test]
    fn what_tells_one_instance_from_another_is_not_left_out() {
        let modify = |current: Option<Attribute>, index| ModifyAttributeRequest {
            unique_identifier: None,
            current_attribute: current,
            attribute: Attribute { index, ..sensitive() },
        };
        assert!(modify(None, Some(1)).known_in(V1_4) && !modify(None, Some(1)).known_in(V2_1));
        assert!(modify(Some(sensitive()), None).known_in(V2_1) && !modify(Some(sensitive()), None).known_in(V1_4));
        assert!(modify(None, Some(0)).known_in(V2_1));
    }

    #[test]
    fn only_1_x_is_told_what_was_changed_and_needs_it() {
        let answer = |attribute| AddAttributeResponse { unique_identifier: "a".into(), attribute };
        let told = |version| {
            let mut w = Writer::new(version);
            answer(Some(sensitive())).encode(Tag::RESPONSE_PAYLOAD, &mut w);
            let bytes = w.finish();
            AddAttributeResponse::decode(&Reader::new(&bytes, version).next_item().unwrap().unwrap()).unwrap()
        };
        assert_eq!((told(V1_4), told(V2_1)), (answer(Some(sensitive())), answer(None)));
        assert!(answer(None).known_in(V2_1) && !answer(None).known_in(V1_4));
    }
}
