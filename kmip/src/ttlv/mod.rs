//! TTLV: Tag, Type, Length, Value — the binary form of every message. KMIP 1.4 §9.1.
//!
//! [`Reader`] walks items without copying them, [`Writer`] makes them, [`Wire`] is a type that can do both. Structures
//! of the protocol are written against these three and nothing else; XML and text are made from the bytes.

mod error;
mod item;
mod owned;
mod primitive;
mod reader;
mod wire;
mod writer;

pub use error::{DecodeError, DecodeErrorKind};
pub use item::{Item, ItemType};
pub use owned::OwnedItem;
pub use primitive::{BigInteger, DateTime, DateTimeExtended, Interval};
pub use reader::Reader;
pub use wire::Wire;
pub use writer::Writer;

/// Bytes before a value: tag (3), type (1), length (4). KMIP 1.4 §9.1.1.
pub const HEADER_LEN: usize = 8;

/// Values are padded to a multiple of this. KMIP 1.4 §9.1.1.3.
pub const ALIGNMENT: usize = 8;

/// Bytes of padding after a value of `len` bytes.
#[must_use]
pub const fn padding_of(len: usize) -> usize {
    (ALIGNMENT - len % ALIGNMENT) % ALIGNMENT
}
