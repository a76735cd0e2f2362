//! What attributes and parameters cost in memory beyond what their bytes on the wire pay for.

use super::{Attribute, AttributeKind, CryptographicParameters};
use crate::limits::MAX_ATTRIBUTE_OVERHEAD;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Reader};
use crate::{ProtocolVersion, Tag};

/// The structures of 2.x that hold attributes under their own tags.
const HOLDERS: [Tag; 6] = [
    Tag::ATTRIBUTES,
    Tag::COMMON_ATTRIBUTES,
    Tag::PRIVATE_KEY_ATTRIBUTES,
    Tag::PUBLIC_KEY_ATTRIBUTES,
    Tag::NEW_ATTRIBUTE,
    Tag::CURRENT_ATTRIBUTE,
];

/// Every byte of a message may cost this many in memory, beside itself.
const PAID_FOR: usize = 3;

/// Checks, before anything is decoded, that all attributes of a message, and Cryptographic Parameters wherever they
/// stand, together cost at most [`MAX_ATTRIBUTE_OVERHEAD`] more than that. A structure of which nearly all fields are left
/// out has few bytes on the wire and many in memory.
///
/// # Errors
/// [`DecodeErrorKind::TooMany`] at the attribute with which they cost more.
pub(crate) fn check_overhead(message: Reader<'_>) -> Result<(), DecodeError> {
    add(message, false, &mut 0)
}

/// Faults are left to whoever reads the items: here they only end the search.
fn add(mut items: Reader<'_>, are_attributes: bool, sum: &mut usize) -> Result<(), DecodeError> {
    while let Ok(Some(item)) = items.next_item() {
        let is_attribute = are_attributes || item.tag == Tag::ATTRIBUTE;
        if is_attribute || item.tag == Tag::CRYPTOGRAPHIC_PARAMETERS {
            let cost = if is_attribute { cost(&item) } else { size_of::<CryptographicParameters>() };
            *sum += cost.saturating_sub(item.raw().len().saturating_mul(PAID_FOR));
            if *sum > MAX_ATTRIBUTE_OVERHEAD {
                let what = "bytes of memory for attributes";
                return Err(item.error(DecodeErrorKind::TooMany { what, limit: MAX_ATTRIBUTE_OVERHEAD }));
            }
        } else if item.item_type == ItemType::Structure
            && let Ok(inside) = item.structure()
        {
            add(inside, item.version().is_2_x() && HOLDERS.contains(&item.tag), sum)?;
        }
    }
    Ok(())
}

/// What an attribute costs apart from texts and bytes, which are as long in memory as on the wire.
fn cost(item: &Item<'_>) -> usize {
    let kind = match item.tag {
        Tag::ATTRIBUTE => named_kind(item),
        tag => AttributeKind::from_tag(tag),
    };
    size_of::<Attribute>() + kind.map_or(0, AttributeKind::boxed_len)
}

/// Which attribute an Attribute of 1.x names. That of 2.x is a vendor's.
fn named_kind(item: &Item<'_>) -> Option<AttributeKind> {
    if item.version() >= ProtocolVersion::V2_0 {
        return None;
    }
    let name = item.structure().ok()?.next_item().ok()??;
    AttributeKind::from_name(name.text().ok()?)
}
