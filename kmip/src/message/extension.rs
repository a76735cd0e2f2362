//! Message Extension: what a vendor adds to a batch item. KMIP 1.4 §6.16.

use crate::Tag;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, OwnedItem, Wire, Writer};

/// A vendor's addition to a batch item. Whoever does not understand a critical one has to reject the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageExtension {
    /// The vendor.
    pub vendor_identification: String,
    /// Whether it may not be passed over.
    pub criticality_indicator: bool,
    /// The vendor's structure, kept as it came.
    pub vendor_extension: OwnedItem,
}

impl Wire for MessageExtension {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            w.text(Tag::VENDOR_IDENTIFICATION, &self.vendor_identification);
            w.boolean(Tag::CRITICALITY_INDICATOR, self.criticality_indicator);
            self.vendor_extension.encode(Tag::VENDOR_EXTENSION, w);
        });
    }

    /// In any order: the use cases of KMIP 1.0 (§7) have the indicator first, against the order of the tables.
    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = item.structure()?;
        let (mut vendor, mut critical, mut extension) = (None, None, None);
        while let Some(field) = fields.next_item()? {
            let doubled = match field.tag {
                Tag::VENDOR_IDENTIFICATION => vendor.replace(String::decode(&field)?).is_some(),
                Tag::CRITICALITY_INDICATOR => critical.replace(field.boolean()?).is_some(),
                Tag::VENDOR_EXTENSION => extension.replace(OwnedItem::decode(&field)?).is_some(),
                tag => return Err(field.error(DecodeErrorKind::UnknownField(tag))),
            };
            if doubled {
                return Err(field.error(DecodeErrorKind::DuplicateField(field.tag)));
            }
        }
        let missing = |tag| item.error(DecodeErrorKind::MissingField(tag));
        Ok(Self {
            vendor_identification: vendor.ok_or_else(|| missing(Tag::VENDOR_IDENTIFICATION))?,
            criticality_indicator: critical.ok_or_else(|| missing(Tag::CRITICALITY_INDICATOR))?,
            vendor_extension: extension.ok_or_else(|| missing(Tag::VENDOR_EXTENSION))?,
        })
    }
}
