//! Any message of KMIP 1.0 to 2.1, for property tests.
//!
//! Every function takes the version whose enumeration values it may use; `ProtocolVersion::EVERY` means all there are,
//! those of 2.x too.

// Before the modules that use it.
macro_rules! one {
    ($enumeration:ident, $version:expr) => {
        one($enumeration::ALL, $version)
    };
}

mod messages;
pub mod objects;
mod payloads;
mod payloads_common;
mod payloads_crypto;
mod payloads_keys;
mod payloads_service;
mod query;
mod values;

pub use messages::{request, response};
pub use objects::object;
pub use payloads::{request_of, response_of};
pub use values::attribute_value;
