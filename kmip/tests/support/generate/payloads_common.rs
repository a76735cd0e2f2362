//! Fields that many payloads have, and fields that came or went with a version.

use kmip::ProtocolVersion;
use kmip::attribute::AttributeReference;
use proptest::option::of;
use proptest::prelude::*;

use super::values::*;

/// A field that versions from `since` to `until` have: absent in others, so that what is read equals what was written.
pub(super) fn within<T: std::fmt::Debug + 'static>(
    v: ProtocolVersion,
    since: ProtocolVersion,
    until: ProtocolVersion,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if v.is_within(since, Some(until)) { of(value).boxed() } else { Just(()).prop_map(|()| None).boxed() }
}

/// A field that came with `since`.
pub(super) fn since<T: std::fmt::Debug + 'static>(
    v: ProtocolVersion,
    since: ProtocolVersion,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    within(v, since, ProtocolVersion::V2_1, value)
}

/// An attribute of `v` by its name.
pub(super) fn reference(v: ProtocolVersion) -> BoxedStrategy<AttributeReference> {
    let is_known = |reference: &AttributeReference| reference.kind().is_some();
    attribute_name(v).prop_map(AttributeReference).prop_filter("the name of an attribute", is_known).boxed()
}
