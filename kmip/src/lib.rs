//! The protocol as pure data: numbers and names, the codecs, messages and payloads. KMIP 1.0 to 2.1.
//!
//! No I/O, no clock, no randomness. TTLV bytes are the pivot: structures are described once against
//! [`ttlv::Reader`] and [`ttlv::Writer`]; XML, JSON and the text form are made from and to TTLV by the tables of
//! [`registry`]. [`encoding`] chooses among the three that travel.

pub mod attribute;
pub mod encoding;
pub mod json;
pub mod limits;
pub mod message;
mod names;
pub mod object;
pub mod payload;
pub mod registry;
pub mod text;
pub mod ttlv;
pub mod version;
pub mod wire;
pub mod xml;

pub use registry::Tag;
pub use version::ProtocolVersion;
