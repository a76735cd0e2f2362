//! Operations that are about the server and no object of it.

pub(super) mod discover_versions;
pub(super) mod query;
