//! Operations that ask about an object's life or carry it on.

pub(super) mod activate;
pub(super) mod archive;
pub(super) mod check;
pub(super) mod destroy;
pub(super) mod obtain_lease;
pub(super) mod recover;
pub(super) mod revoke;
pub(super) mod validate;
