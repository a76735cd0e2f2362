//! A value that can stand in a message.

use super::{DecodeError, Item, Writer};
use crate::registry::Tag;
use crate::version::ProtocolVersion;

/// A value that can be written as one item and read back.
pub trait Wire: Sized {
    /// Whether leaving the value out would say something else. An optional field of such a type makes its structure
    /// unknown to a version that does not know the value; others are left out.
    const DECIDES: bool = false;

    /// Writes the value under `tag`.
    fn encode(&self, tag: Tag, w: &mut Writer);

    /// Reads the value of `item`, whatever its tag.
    ///
    /// # Errors
    /// [`DecodeError`] if the item has another type, or a value that does not exist.
    fn decode(item: &Item<'_>) -> Result<Self, DecodeError>;

    /// Whether a peer of `version` can be told of this value. Lists leave out what it cannot be told of.
    fn known_in(&self, _version: ProtocolVersion) -> bool {
        true
    }
}
