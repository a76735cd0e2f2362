//! Operations that are about the server or the domain, and no object of it.

pub(super) mod constraints;
pub(super) mod defaults;
pub(super) mod discover_versions;
pub(super) mod interop;
pub(super) mod log;
pub(super) mod news;
pub(super) mod query;
mod rules;
pub(super) mod set_endpoint_role;
