//! What clients set for new objects of their domain, as the domain's row keeps it: the TTLV of KMIP 2.1.

use kmip::payload::{ObjectGroups, ObjectTypes};
use kmip::registry::ObjectType;
use kmip::ttlv::{Reader, Wire, Writer};
use kmip::{ProtocolVersion, Tag};

use crate::failure::Failure;

/// The only versions that have such rules write them alike.
const VERSION: ProtocolVersion = ProtocolVersion::V2_1;

/// The bytes to keep.
///
/// # Errors
/// [`Failure::OverLimit`] for more than a domain keeps.
pub(super) fn keep(tag: Tag, rules: &impl Wire) -> Result<Vec<u8>, Failure> {
    let mut writer = Writer::new(VERSION);
    rules.encode(tag, &mut writer);
    let bytes = writer.finish();
    if bytes.len() > keystore::limits::MAX_DOMAIN_RULES_LEN {
        return Err(Failure::OverLimit("more rules than a domain keeps"));
    }
    Ok(bytes.to_vec())
}

/// What was kept; nothing where nothing is.
///
/// # Errors
/// [`Failure::Internal`]: what was kept cannot be read.
pub(super) fn kept<T: Wire + Default>(bytes: Option<&[u8]>) -> Result<T, Failure> {
    let Some(bytes) = bytes else { return Ok(T::default()) };
    let unreadable = || Failure::Internal("the domain's rules cannot be read");
    let item = Reader::new(bytes, VERSION).next_item().ok().flatten().ok_or_else(unreadable)?;
    T::decode(&item).map_err(|_| unreadable())
}

/// Whether a rule for these types is for objects of `object_type`.
pub(super) fn names_type(types: Option<&ObjectTypes>, object_type: ObjectType) -> bool {
    types.is_none_or(|types| types.object_types.contains(&object_type))
}

/// Whether a rule for these groups is for objects in one of `groups`.
pub(super) fn names_group<'a>(named: Option<&ObjectGroups>, mut groups: impl Iterator<Item = &'a str>) -> bool {
    named.is_none_or(|named| groups.any(|group| named.object_groups.iter().any(|one| one == group)))
}
