//! Counts what is cheap to send and dear to keep: attributes without any value.

use crate::Tag;
use crate::limits::MAX_EMPTY_ATTRIBUTES;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Reader};

/// The structures of 2.x that hold attributes under their own tags.
const HOLDERS: [Tag; 4] =
    [Tag::ATTRIBUTES, Tag::COMMON_ATTRIBUTES, Tag::PRIVATE_KEY_ATTRIBUTES, Tag::PUBLIC_KEY_ATTRIBUTES];

/// Checks that a message of 2.x has at most [`MAX_EMPTY_ATTRIBUTES`] of them in all. In 1.x even an empty attribute has
/// a name, which pays for what it costs.
///
/// # Errors
/// [`DecodeErrorKind::TooMany`] where one too many stands.
pub(crate) fn check_empty_attributes(message: Reader<'_>) -> Result<(), DecodeError> {
    count(message, false, &mut 0)
}

/// Faults are left to whoever reads the items: here they only end the search.
fn count(mut items: Reader<'_>, are_attributes: bool, found: &mut usize) -> Result<(), DecodeError> {
    while let Ok(Some(item)) = items.next_item() {
        if are_attributes && item.value_bytes().is_empty() {
            *found += 1;
            if *found > MAX_EMPTY_ATTRIBUTES {
                return Err(too_many(&item));
            }
        } else if item.item_type == ItemType::Structure
            && let Ok(inside) = item.structure()
        {
            count(inside, HOLDERS.contains(&item.tag), found)?;
        }
    }
    Ok(())
}

fn too_many(item: &Item<'_>) -> DecodeError {
    item.error(DecodeErrorKind::TooMany { what: "attributes without value", limit: MAX_EMPTY_ATTRIBUTES })
}
