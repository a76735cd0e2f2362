//! What a Locate compares with: values that may lack fields, and how they match. KMIP 1.4 §4.9, 2.1 §6.1.28.

use super::{AttributeKind, AttributeValue};
use crate::registry::enumeration_of;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, OwnedItem, Reader, Writer};
use crate::{ProtocolVersion, Tag};

impl AttributeValue {
    /// Reads a value to compare with: structures may lack fields that are otherwise required. KMIP 1.4 §4.9.
    ///
    /// # Errors
    /// As [`AttributeValue::decode_value`].
    pub fn decode_pattern(name: &str, item: &Item<'_>) -> Result<Self, DecodeError> {
        Self::or_partial(Self::decode_value(name, item), AttributeKind::from_name(name), item)
    }

    /// What was decoded, or, where only a field was missing, the fields that are there.
    fn or_partial(
        decoded: Result<Self, DecodeError>,
        kind: Option<AttributeKind>,
        item: &Item<'_>,
    ) -> Result<Self, DecodeError> {
        match (decoded, kind) {
            (Err(DecodeError { kind: DecodeErrorKind::MissingField(tag), offset }), Some(kind)) => {
                if Self::check_pattern(kind, item)? {
                    return Ok(Self::Partial { kind, value: OwnedItem::new(item)? });
                }
                Err(DecodeError { kind: DecodeErrorKind::MissingField(tag), offset })
            }
            (decoded, _) => decoded,
        }
    }

    /// The TTLV of the value under tag Attribute Value, the same for every version: key of an index, and equality.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(ProtocolVersion::EVERY);
        self.encode_value(&mut w);
        w.finish().to_vec()
    }

    /// Whether `candidate` is this attribute with an equal value, or, where `self` is a structure with fields left
    /// out, one that has the fields that are there.
    #[must_use]
    pub fn matches(&self, candidate: &Self) -> bool {
        if self.name() != candidate.name() {
            return false;
        }
        match self {
            Self::Partial { value, .. } => has_fields(&candidate.canonical_bytes(), value).unwrap_or(false),
            whole => whole == candidate,
        }
    }

    /// Reads an attribute to compare with in the form of 2.x: structures may lack fields. KMIP 2.1 §6.1.28.
    ///
    /// # Errors
    /// As [`AttributeValue::decode_tagged`].
    pub fn decode_tagged_pattern(item: &Item<'_>) -> Result<Self, DecodeError> {
        if item.tag == Tag::ATTRIBUTE {
            return Self::decode_vendor(item);
        }
        let kind = Self::kind_of_tag(item)?;
        Self::or_partial(Self::decode_as(kind, "", item), Some(kind), item)
    }

    /// Whether `version` knows every field that is left of a structure, and its value.
    pub(super) fn is_partial_known_in(kind: AttributeKind, value: &OwnedItem, version: ProtocolVersion) -> bool {
        let known = || -> Result<bool, DecodeError> {
            let mut reader = Reader::new(value.as_bytes(), version);
            let Some(item) = reader.next_item()? else { return Ok(false) };
            let mut fields = item.structure()?;
            while let Some(field) = fields.next_item()? {
                let is_known = field.item_type != ItemType::Enumeration
                    || match enumeration_of(field.tag) {
                        Some(table) => {
                            let row = table.row(field.enumeration()?);
                            row.is_some_and(|row| version.is_within(row.since, row.until))
                        }
                        None => true,
                    };
                if !is_known {
                    return Ok(false);
                }
            }
            // Fields that the version does not have are faults.
            Self::check_pattern(kind, &item)
        };
        known().unwrap_or(false)
    }
}

/// Whether the structure in `whole` has every field of `pattern`, each byte for byte.
fn has_fields(whole: &[u8], pattern: &OwnedItem) -> Result<bool, DecodeError> {
    let Some(whole) = Reader::new(whole, ProtocolVersion::EVERY).next_item()? else { return Ok(false) };
    let mut wanted = pattern.item().structure()?;
    while let Some(field) = wanted.next_item()? {
        let mut fields = whole.structure()?;
        loop {
            match fields.next_item()? {
                Some(item) if item.raw() == field.raw() => break,
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }
    Ok(true)
}
