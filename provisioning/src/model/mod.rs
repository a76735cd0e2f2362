//! What exists, one file per family. Everything refers to others by id; [`crate::inventory`] sees that the ids exist.

pub mod backup;
pub mod compute;
pub mod contract;
pub mod keys;
pub mod network;
pub mod place;
pub mod settings;
pub mod storage;
pub mod vm;

/// Structures of the inventory: values that are written to files and read back, and that refuse fields they do not know.
macro_rules! entities {
    ($($item:item)+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        $item
    )+};
}

/// Enumerations of the inventory: written in kebab-case, and so shown to people.
macro_rules! states {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every one of them, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text it is written as.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }
    )+};
}

pub(crate) use {entities, states};
