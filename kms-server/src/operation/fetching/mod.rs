//! Operations that find objects and hand them out.

pub(super) mod get;
pub(super) mod locate;
