//! A field that chooses its own tags: attributes, attribute names and objects look different in 1.x and 2.x.

use crate::ttlv::{DecodeError, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// How a value of type `T` stands among the items of a structure. The implementing type is only a name, as in
/// `part attributes: Vec<Attribute> = AttributeList`.
pub trait Part<T> {
    /// Whether an item with `tag` belongs to this part in `version`.
    fn takes(tag: Tag, version: ProtocolVersion) -> bool;

    /// Whether a peer of `version` can be told of `value`.
    fn known_in(_value: &T, _version: ProtocolVersion) -> bool {
        true
    }

    /// Writes the items of `value`.
    fn encode(value: &T, w: &mut Writer);

    /// Reads the items that stand at the cursor.
    ///
    /// # Errors
    /// [`DecodeError`] with the offset of the first item that is wrong.
    fn decode(fields: &mut Fields<'_>) -> Result<T, DecodeError>;
}
