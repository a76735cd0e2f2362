//! Operations that find objects and hand them out.

pub(super) mod conversion;
pub(super) mod export;
pub(super) mod get;
pub(super) mod handing_out;
pub(super) mod import;
pub(super) mod locate;
mod pkcs12;
pub(super) mod wrapping;
