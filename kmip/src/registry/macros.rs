//! The forms in which the tables are written: an enumeration, a mask, the list of tags.

/// `None`, or the version after `..=`.
macro_rules! until {
    () => {
        None
    };
    ($until:ident) => {
        Some($crate::version::ProtocolVersion::$until)
    };
}

/// The XML name of a text, made at compile time.
macro_rules! xml_name {
    ($text:literal) => {{
        const NAME: &$crate::registry::XmlName = &$crate::registry::XmlName::of($text);
        NAME.as_str()
    }};
}

/// The rows of a table.
macro_rules! rows {
    ($( $value:literal, $text:literal $(| $other:literal)*, $since:ident $(..= $until:ident)?; )*) => {
        &[$($crate::registry::Row {
            value: $value,
            text: $text,
            xml_name: xml_name!($text),
            other_xml_names: &[$(xml_name!($other)),*],
            since: $crate::version::ProtocolVersion::$since,
            until: until!($($until)?),
        }),*]
    };
}

/// An enumeration: `Variant = number, "text" | "text in another version", first version ..= last version;`.
macro_rules! wire_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident = $table:literal {
            $( $variant:ident = $value:literal, $text:literal $(| $other:literal)*, $since:ident $(..= $until:ident)?; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum $name {
            $(
                #[doc = $text]
                $variant = $value,
            )*
        }

        impl $name {
            /// Every value, in rising order of number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The same as data.
            pub const TABLE: $crate::registry::Table = $crate::registry::Table {
                text: $table,
                rows: rows!($( $value, $text $(| $other)*, $since $(..= $until)?; )*),
            };

            /// The number on the wire.
            #[must_use]
            pub const fn value(self) -> u32 {
                self as u32
            }

            /// The name in the standard.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The name in XML and JSON.
            #[must_use]
            pub const fn xml_name(self) -> &'static str {
                match self {
                    $(Self::$variant => xml_name!($text),)*
                }
            }

            /// The first version that has it.
            #[must_use]
            pub const fn since(self) -> $crate::version::ProtocolVersion {
                match self {
                    $(Self::$variant => $crate::version::ProtocolVersion::$since,)*
                }
            }

            /// The last version that has it; `None` if 2.1 still does.
            #[must_use]
            pub const fn until(self) -> Option<$crate::version::ProtocolVersion> {
                match self {
                    $(Self::$variant => until!($($until)?),)*
                }
            }

            /// Whether `version` has it.
            #[must_use]
            pub fn is_known_to(self, version: $crate::version::ProtocolVersion) -> bool {
                version.is_within(self.since(), self.until())
            }

            /// The value of an XML name, of any version.
            #[must_use]
            pub fn from_xml_name(name: &str) -> Option<Self> {
                Self::TABLE.value_of_xml_name(name).and_then(|value| Self::try_from(value).ok())
            }
        }

        impl TryFrom<u32> for $name {
            type Error = $crate::registry::UnknownValue;

            fn try_from(value: u32) -> Result<Self, Self::Error> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    _ => Err($crate::registry::UnknownValue { enumeration: $table, value }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }

        impl $crate::ttlv::Wire for $name {
            fn encode(&self, tag: $crate::registry::Tag, writer: &mut $crate::ttlv::Writer) {
                writer.enumeration(tag, self.value());
            }

            fn decode(item: &$crate::ttlv::Item<'_>) -> Result<Self, $crate::ttlv::DecodeError> {
                Self::try_from(item.enumeration()?).map_err(|unknown| item.error(unknown.into()))
            }

            fn known_in(&self, version: $crate::version::ProtocolVersion) -> bool {
                self.is_known_to(version)
            }
        }
    };
}

/// A bit mask: `NAME = bit, "text", first version ..= last version;`. Bits nobody named are kept: they are a vendor's.
macro_rules! wire_mask {
    (
        $(#[$meta:meta])*
        pub struct $name:ident = $table:literal {
            $( $constant:ident = $value:literal, $text:literal $(| $other:literal)*, $since:ident $(..= $until:ident)?; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(
                #[doc = $text]
                pub const $constant: Self = Self($value);
            )*

            /// Every bit that has a name, in rising order.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];

            /// The same as data.
            pub const TABLE: $crate::registry::Table = $crate::registry::Table {
                text: $table,
                rows: rows!($( $value, $text $(| $other)*, $since $(..= $until)?; )*),
            };

            /// The number on the wire.
            #[must_use]
            pub const fn value(self) -> u32 {
                self.0
            }

            /// Whether every bit of `other` is set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The bits that both have.
            #[must_use]
            pub const fn intersection(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// Whether no bit is set.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl std::fmt::Display for $name {
            /// Names between ` | `, bits without a name as one number.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&Self::TABLE.mask_text(self.0, " | ", |row| row.text))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl $crate::ttlv::Wire for $name {
            fn encode(&self, tag: $crate::registry::Tag, writer: &mut $crate::ttlv::Writer) {
                // A mask travels as Integer; its topmost bit is the sign. A peer is told no bit that its version
                // lacks.
                writer.integer(tag, Self::TABLE.mask_in(self.0, writer.version()).cast_signed());
            }

            fn decode(item: &$crate::ttlv::Item<'_>) -> Result<Self, $crate::ttlv::DecodeError> {
                item.integer().map(|mask| Self(mask.cast_unsigned()))
            }
        }
    };
}

/// The tags: `NAME = number, "text" | "text in another version", first version ..= last version;`.
macro_rules! wire_tags {
    ($( $constant:ident = $value:literal, $text:literal $(| $other:literal)*, $since:ident $(..= $until:ident)?; )*) => {
        /// Says what an item is: three bytes, `0x42____` for the standard's own (KMIP 1.4 §9.1.1.1). Tags that nobody
        /// named stay visible as numbers.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct Tag(pub u32);

        impl Tag {
            $(
                #[doc = $text]
                pub const $constant: Self = Self($value);
            )*

            /// Every tag that has a name, in rising order.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];

            /// The same as data.
            pub const TABLE: $crate::registry::Table = $crate::registry::Table {
                text: "Tag",
                rows: rows!($( $value, $text $(| $other)*, $since $(..= $until)?; )*),
            };

            /// The name in the standard, such as "Unique Identifier".
            #[must_use]
            pub const fn text(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }

            /// The name in XML and JSON, such as "UniqueIdentifier".
            #[must_use]
            pub const fn xml_name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(xml_name!($text)),)*
                    _ => None,
                }
            }

            /// The first version that has it; `None` for a tag without a name.
            #[must_use]
            pub const fn since(self) -> Option<$crate::version::ProtocolVersion> {
                match self.0 {
                    $($value => Some($crate::version::ProtocolVersion::$since),)*
                    _ => None,
                }
            }

            /// The last version that has it; `None` if 2.1 still does.
            #[must_use]
            pub const fn until(self) -> Option<$crate::version::ProtocolVersion> {
                match self.0 {
                    $($value => until!($($until)?),)*
                    _ => None,
                }
            }
        }
    };
}
