//! How a structure of the specification becomes a Rust type: described once, read and written for every version.

mod fields;
mod part;
mod structure;

pub use fields::Fields;
pub use part::Part;
pub(crate) use structure::structure;

use crate::ProtocolVersion;
use crate::ttlv::{DecodeError, Item, Wire};

/// What the macro `structure!` gives beyond [`Wire`].
pub trait Structure: Wire {
    /// Checks that `item` holds fields of this structure, in order and each well formed, but lets required ones be
    /// absent: the pattern of a Locate (KMIP 1.4 §4.9).
    ///
    /// # Errors
    /// [`DecodeError`] for a field that is unknown, doubled, out of place or not of its type.
    fn check_pattern(item: &Item<'_>) -> Result<(), DecodeError>;
}

impl<T: Wire> Wire for Box<T> {
    const DECIDES: bool = T::DECIDES;

    fn encode(&self, tag: crate::Tag, w: &mut crate::ttlv::Writer) {
        T::encode(self, tag, w);
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        T::decode(item).map(Self::new)
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        T::known_in(self, version)
    }
}

impl<T: Structure> Structure for Box<T> {
    fn check_pattern(item: &Item<'_>) -> Result<(), DecodeError> {
        T::check_pattern(item)
    }
}
