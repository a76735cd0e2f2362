//! For the tests of this folder: a value written in a version and read again.

use crate::ttlv::{DecodeError, Item, Reader, Wire, Writer};
use crate::{ProtocolVersion, Tag};

/// What `T` is after it was written and read in `version`, and which tags stand in it.
pub(super) fn round_trip<T: Wire>(value: &T, version: ProtocolVersion) -> Result<(T, Vec<Tag>), DecodeError> {
    let mut w = Writer::new(version);
    value.encode(Tag::REQUEST_PAYLOAD, &mut w);
    read(&w.finish(), version)
}

/// `T` as the items that `write` writes.
pub(super) fn read_fields<T: Wire>(
    version: ProtocolVersion,
    write: impl FnOnce(&mut Writer),
) -> Result<T, DecodeError> {
    let mut w = Writer::new(version);
    w.structure(Tag::REQUEST_PAYLOAD, write);
    read(&w.finish(), version).map(|(value, _)| value)
}

fn read<T: Wire>(bytes: &[u8], version: ProtocolVersion) -> Result<(T, Vec<Tag>), DecodeError> {
    let item = Reader::new(bytes, version).next_item()?.unwrap();
    Ok((T::decode(&item)?, tags(&item)))
}

fn tags(item: &Item<'_>) -> Vec<Tag> {
    let Ok(mut fields) = item.structure() else { return Vec::new() };
    std::iter::from_fn(|| fields.next_item().unwrap()).map(|field| field.tag).collect()
}
