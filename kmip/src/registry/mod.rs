//! Numbers and names of the protocol: tags, enumerations, bit masks, attribute rules.
//!
//! The tables below `tables/` are written by `cargo run -p xtask -- registry` from the standard's own tables, versions
//! 1.0 to 2.1. A number and its text exist there once; XML names, look-ups and the codec are derived from them.
//! `tests/golden/registry.txt` prints everything, to be held against the standard.

#[macro_use]
mod macros;
mod attribute_rules;
mod opaque_data_type;
mod pkcs11;
mod table;
mod tables;
mod tag;
mod xml_name;

pub use attribute_rules::{AppliesTo, AttributeRules};
pub use opaque_data_type::OpaqueDataType;
pub use pkcs11::{Pkcs11Function, Pkcs11ReturnCode};
pub use table::{EXTENSION_BIT, Row, Table, UnknownValue};
pub use tables::*;
pub use xml_name::XmlName;
