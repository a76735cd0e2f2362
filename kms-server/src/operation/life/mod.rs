//! Operations that ask about an object's life or carry it on.

pub(super) mod activate;
pub(super) mod check;
pub(super) mod destroy;
pub(super) mod revoke;
