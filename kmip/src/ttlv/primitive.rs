//! The types of KMIP as Rust types.

use secret::Secret;

use super::{DecodeError, Item, Wire, Writer};
use crate::registry::Tag;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// Microseconds since 1970, UTC. Since 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTimeExtended(pub i64);

/// Seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub u32);

/// Two's complement, most significant byte first; as read, a multiple of 8 bytes. Not for numbers that are secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BigInteger(pub Vec<u8>);

macro_rules! wire_primitives {
    ($( $type:ty: |$value:ident| $written:expr => $write:ident, $read:ident => $make:expr; )*) => {
        $(impl Wire for $type {
            fn encode(&self, tag: Tag, w: &mut Writer) {
                let $value = self;
                w.$write(tag, $written);
            }

            fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
                item.$read().map($make)
            }
        })*
    };
}

wire_primitives! {
    i32: |value| *value => integer, integer => |value| value;
    i64: |value| *value => long_integer, long_integer => |value| value;
    bool: |value| *value => boolean, boolean => |value| value;
    String: |value| value => text, text => str::to_owned;
    Vec<u8>: |value| value => bytes, bytes => <[u8]>::to_vec;
    Secret: |value| value.expose() => bytes, bytes => Secret::copy_from;
    DateTime: |value| value.0 => date_time, date_time => DateTime;
    DateTimeExtended: |value| value.0 => date_time_extended, date_time_extended => DateTimeExtended;
    Interval: |value| value.0 => interval, interval => Interval;
    BigInteger: |value| &value.0 => big_integer, big_integer => |value| BigInteger(value.to_vec());
}
