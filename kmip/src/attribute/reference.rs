//! The name of an attribute where something is asked about it, and the names of vendors' attributes.

use super::AttributeKind;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// Between vendor and name of a vendor's attribute. No vendor's identification has it (KMIP 2.1 §4.60), and so the
/// custom attributes of 1.x, `x-…` and `y-…`, are those of the vendors `x` and `y`, as 2.0 says they are.
const SEPARATOR: char = '-';

/// Attribute Reference: the tag of an attribute, or vendor and name of a vendor's attribute. KMIP 2.1 §5.5.
///
/// Inside is the name as [`AttributeValue::name`](super::AttributeValue::name) gives it. A tag that is no attribute's
/// keeps its number, written `0x42000d`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeReference(pub String);

impl AttributeReference {
    /// The attribute; `None` for one that the specification does not have.
    #[must_use]
    pub fn kind(&self) -> Option<AttributeKind> {
        AttributeKind::from_name(&self.0)
    }

    /// Writes `name` as a reference.
    pub(super) fn encode_name(name: &str, tag: Tag, w: &mut Writer) {
        if let Some((vendor, name)) = split_vendor(name) {
            w.structure(tag, |w| {
                w.text(Tag::VENDOR_IDENTIFICATION, vendor);
                w.text(Tag::ATTRIBUTE_NAME, name);
            });
        } else if let Some(attribute) = tag_of(name) {
            attribute.encode(tag, w);
        }
    }

    /// Whether a peer of `version` can be told of the attribute called `name`.
    pub(super) fn is_name_known_in(name: &str, version: ProtocolVersion) -> bool {
        match AttributeKind::from_name(name) {
            Some(AttributeKind::Custom) => is_vendor_name_known_in(name, version),
            Some(kind) => kind.is_known_to(version),
            None => !version.is_2_x() || tag_of(name).is_some(),
        }
    }

    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::VENDOR_IDENTIFICATION || tag == Tag::ATTRIBUTE_NAME
    }
}

impl Wire for AttributeReference {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        Self::encode_name(&self.0, tag, w);
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        if item.item_type == ItemType::Structure {
            let mut fields = Fields::new(item.structure()?, Self::is_field);
            let name = decode_vendor_name(&mut fields)?;
            fields.finish()?;
            return Ok(Self(name));
        }
        let tag = Tag::decode(item)?;
        Ok(Self(match AttributeKind::from_tag(tag) {
            Some(kind) => kind.text().to_owned(),
            None => format!("{:#08x}", tag.0),
        }))
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        version.is_2_x() && Self::is_name_known_in(&self.0, version)
    }
}

/// The tag that a name stands for: an attribute's, or its own number.
fn tag_of(name: &str) -> Option<Tag> {
    match AttributeKind::from_name(name) {
        Some(kind) => Some(kind.tag()),
        None => u32::from_str_radix(name.strip_prefix("0x")?, 16).ok().filter(|tag| *tag <= 0xFF_FFFF).map(Tag),
    }
}

/// Vendor and name in the name of a vendor's attribute.
pub(super) fn split_vendor(name: &str) -> Option<(&str, &str)> {
    name.split_once(SEPARATOR).filter(|(vendor, _)| is_vendor(vendor))
}

/// Whether `version` has such an attribute of a vendor. 1.x has only custom attributes: made by a client, `x-`, or by a
/// server, `y-` (KMIP 1.4 §3.39).
pub(super) fn is_vendor_name_known_in(name: &str, version: ProtocolVersion) -> bool {
    version >= ProtocolVersion::V2_0 || name.starts_with("x-") || name.starts_with("y-")
}

/// Reads Vendor Identification and Attribute Name into one name.
pub(super) fn decode_vendor_name(fields: &mut Fields<'_>) -> Result<String, DecodeError> {
    let vendor_item = fields.require(Tag::VENDOR_IDENTIFICATION)?;
    let vendor = vendor_item.text()?;
    if !is_vendor(vendor) {
        return Err(vendor_item.error(DecodeErrorKind::Invalid {
            tag: Tag::VENDOR_IDENTIFICATION,
            why: "is empty or has other characters than letters, digits, underscore and period",
        }));
    }
    let name = fields.require(Tag::ATTRIBUTE_NAME)?.text()?;
    let mut whole = String::with_capacity(vendor.len() + SEPARATOR.len_utf8() + name.len());
    whole.push_str(vendor);
    whole.push(SEPARATOR);
    whole.push_str(name);
    Ok(whole)
}

/// KMIP 2.1 §4.60: `[A-Za-z0-9_.]`.
fn is_vendor(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::Reader;

    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

    fn read(write: impl FnOnce(&mut Writer)) -> Result<AttributeReference, DecodeError> {
        let mut w = Writer::new(V2_1);
        write(&mut w);
        let bytes = w.finish();
        let read = AttributeReference::decode(&Reader::new(&bytes, V2_1).next_item()?.unwrap())?;
        let mut again = Writer::new(V2_1);
        read.encode(Tag::ATTRIBUTE_REFERENCE, &mut again);
        assert_eq!(*again.finish(), *bytes);
        Ok(read)
    }

    fn of_vendor(vendor: &str) -> Result<AttributeReference, DecodeError> {
        read(|w| {
            w.structure(Tag::ATTRIBUTE_REFERENCE, |w| {
                w.text(Tag::VENDOR_IDENTIFICATION, vendor);
                w.text(Tag::ATTRIBUTE_NAME, "ID-1");
            });
        })
    }

    #[test]
    fn a_tag_becomes_the_name_of_its_attribute() {
        let read = read(|w| w.enumeration(Tag::ATTRIBUTE_REFERENCE, Tag::X_509_CERTIFICATE_SUBJECT.0)).unwrap();
        assert_eq!(read.0, "X.509 Certificate Subject");
        assert_eq!(read.kind(), Some(AttributeKind::X509CertificateSubject));
    }

    #[test]
    fn a_tag_that_is_no_attribute_keeps_its_number() {
        for (tag, name) in [(Tag::BATCH_COUNT, "0x42000d"), (Tag(0x54_0001), "0x540001")] {
            let read = read(|w| w.enumeration(Tag::ATTRIBUTE_REFERENCE, tag.0)).unwrap();
            assert_eq!((read.0.as_str(), read.kind()), (name, None));
            assert!(read.known_in(V2_1) && !read.known_in(ProtocolVersion::V1_4));
        }
    }

    #[test]
    fn vendors_x_and_y_are_the_custom_attributes_of_1_x() {
        let read = of_vendor("x").unwrap();
        assert_eq!((read.0.as_str(), read.kind()), ("x-ID-1", Some(AttributeKind::Custom)));
        assert!(AttributeReference::is_name_known_in("x-ID-1", ProtocolVersion::V1_0));
        let other = of_vendor("ACME.com_1").unwrap();
        assert_eq!((other.0.as_str(), other.kind()), ("ACME.com_1-ID-1", Some(AttributeKind::Custom)));
        assert!(AttributeReference::is_name_known_in(&other.0, V2_1));
        assert!(!AttributeReference::is_name_known_in(&other.0, ProtocolVersion::V1_4));
    }

    #[test]
    fn a_vendor_has_the_characters_of_the_standard() {
        for vendor in ["", "a b", "a-b", "ä"] {
            let refused = of_vendor(vendor).unwrap_err();
            assert!(matches!(refused.kind, DecodeErrorKind::Invalid { tag: Tag::VENDOR_IDENTIFICATION, .. }));
        }
    }

    #[test]
    fn what_has_no_reference_is_not_known() {
        for name in ["Colour", "0x", "0x1000000", "-a", "Operation Policy Name"] {
            assert!(!AttributeReference(name.to_owned()).known_in(V2_1), "{name}");
        }
    }
}
