//! The macro that turns the description of a structure into its type, its encoder and its decoder.

/// Describes a structure of the specification once.
///
/// ```text
/// structure! {
///     /// Doc of the structure.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Example {
///         /// Has to be there.
///         required a: String = Tag::A,
///         /// May be absent; not written to, and not accepted from, a peer older than 1.2.
///         optional b: i32 = Tag::B [since V1_2],
///         /// Any number of neighbouring items.
///         repeated c: Name = Tag::C,
///         /// At least one.
///         several d: QueryFunction = Tag::D,
///         /// Chooses its own tags, see [`Part`](crate::wire::Part).
///         part e: Vec<Attribute> = AttributeList,
///     }
/// }
/// ```
/// The order of the fields is the order on the wire. Optional fields and repetitions whose value the peer's version
/// does not know are left out; a required one makes the whole structure unknown
/// ([`Wire::known_in`](crate::ttlv::Wire::known_in)), so that whoever holds it leaves it out.
macro_rules! structure {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $kind:ident $field:ident : $ty:ty = $how:path $([since $since:ident])? $([until $until:ident])?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $crate::wire::structure!(@type $kind $ty), )*
        }

        impl $name {
            /// Which tags the structure has in `version`.
            fn is_field(tag: $crate::Tag, version: $crate::ProtocolVersion) -> bool {
                false $( || $crate::wire::structure!(
                    @is_field $kind tag, version, $how, $ty, [$($since)?], [$($until)?]
                ) )*
            }
        }

        impl $crate::ttlv::Wire for $name {
            fn encode(&self, tag: $crate::Tag, w: &mut $crate::ttlv::Writer) {
                w.structure(tag, |w| {
                    let version = w.version();
                    // Structures without optional fields have no use for it.
                    let _ = version;
                    $( $crate::wire::structure!(
                        @encode $kind w, version, self.$field, $how, $ty, [$($since)?], [$($until)?]
                    ); )*
                });
            }

            fn decode(item: &$crate::ttlv::Item<'_>) -> Result<Self, $crate::ttlv::DecodeError> {
                let mut fields = $crate::wire::Fields::new(item.structure()?, Self::is_field);
                let decoded = Self {
                    $( $field: $crate::wire::structure!(
                        @decode $kind fields, $how, $ty, [$($since)?], [$($until)?]
                    ), )*
                };
                fields.finish()?;
                Ok(decoded)
            }

            fn known_in(&self, version: $crate::ProtocolVersion) -> bool {
                // Structures without required fields have no use for it.
                let _ = version;
                true $( && $crate::wire::structure!(@known $kind self.$field, version, $how, $ty) )*
            }
        }

        impl $crate::wire::Structure for $name {
            fn check_pattern(item: &$crate::ttlv::Item<'_>) -> Result<(), $crate::ttlv::DecodeError> {
                let mut fields = $crate::wire::Fields::new(item.structure()?, Self::is_field);
                $( $crate::wire::structure!(@pattern $kind fields, $how, $ty, [$($since)?], [$($until)?]); )*
                fields.finish()
            }
        }
    };

    (@type required $ty:ty) => { $ty };
    (@type optional $ty:ty) => { Option<$ty> };
    (@type repeated $ty:ty) => { Vec<$ty> };
    (@type several $ty:ty) => { Vec<$ty> };
    (@type part $ty:ty) => { $ty };

    // Whether `version` knows a field, from its marks.
    (@knows $version:expr, [], []) => {{
        let _ = $version;
        true
    }};
    (@knows $version:expr, [$since:ident], []) => {
        $version.is_within($crate::ProtocolVersion::$since, None)
    };
    (@knows $version:expr, [], [$until:ident]) => {
        $version.is_within($crate::ProtocolVersion::V1_0, Some($crate::ProtocolVersion::$until))
    };
    (@knows $version:expr, [$since:ident], [$until:ident]) => {
        $version.is_within($crate::ProtocolVersion::$since, Some($crate::ProtocolVersion::$until))
    };

    (@is_field part $tag:ident, $version:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        <$how as $crate::wire::Part<$ty>>::takes($tag, $version)
    };
    (@is_field $kind:ident $tag:ident, $version:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        ($tag == $how && $crate::wire::structure!(@knows $version, $since, $until))
    };

    (@encode required $w:ident, $version:ident, $value:expr, $how:path, $ty:ty, $since:tt, $until:tt) => {
        $crate::ttlv::Wire::encode(&$value, $how, $w)
    };
    (@encode optional $w:ident, $version:ident, $value:expr, $how:path, $ty:ty, $since:tt, $until:tt) => {
        if let Some(value) = &$value
            && $crate::wire::structure!(@knows $version, $since, $until)
            && $crate::ttlv::Wire::known_in(value, $version)
        {
            $crate::ttlv::Wire::encode(value, $how, $w);
        }
    };
    (@encode part $w:ident, $version:ident, $value:expr, $how:path, $ty:ty, $since:tt, $until:tt) => {
        <$how as $crate::wire::Part<$ty>>::encode(&$value, $w)
    };
    // `repeated` and `several`.
    (@encode $kind:ident $w:ident, $version:ident, $value:expr, $how:path, $ty:ty, $since:tt, $until:tt) => {
        if $crate::wire::structure!(@knows $version, $since, $until) {
            for value in $value.iter().filter(|value| $crate::ttlv::Wire::known_in(*value, $version)) {
                $crate::ttlv::Wire::encode(value, $how, $w);
            }
        }
    };

    (@decode required $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => { $fields.required::<$ty>($how)? };
    (@decode optional $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        if $crate::wire::structure!(@knows $fields.version(), $since, $until) {
            $fields.optional::<$ty>($how)?
        } else {
            None
        }
    };
    (@decode repeated $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        if $crate::wire::structure!(@knows $fields.version(), $since, $until) {
            $fields.repeated::<$ty>($how)?
        } else {
            Vec::new()
        }
    };
    (@decode several $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {{
        let values = $fields.repeated::<$ty>($how)?;
        if values.is_empty() {
            $fields.require($how)?;
        }
        values
    }};
    (@decode part $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        <$how as $crate::wire::Part<$ty>>::decode(&mut $fields)?
    };

    (@known required $value:expr, $version:ident, $how:path, $ty:ty) => {
        $crate::ttlv::Wire::known_in(&$value, $version)
    };
    (@known part $value:expr, $version:ident, $how:path, $ty:ty) => {
        <$how as $crate::wire::Part<$ty>>::known_in(&$value, $version)
    };
    (@known optional $value:expr, $version:ident, $how:path, $ty:ty) => {
        (!<$ty as $crate::ttlv::Wire>::DECIDES
            || $value.as_ref().is_none_or(|value| $crate::ttlv::Wire::known_in(value, $version)))
    };
    // One has to remain after the unknown ones are left out.
    (@known several $value:expr, $version:ident, $how:path, $ty:ty) => {
        $value.iter().any(|value| $crate::ttlv::Wire::known_in(value, $version))
    };
    (@known $kind:ident $value:expr, $version:ident, $how:path, $ty:ty) => { true };

    (@pattern required $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => { $fields.optional::<$ty>($how)?; };
    (@pattern several $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => { $fields.repeated::<$ty>($how)?; };
    (@pattern $kind:ident $fields:ident, $how:path, $ty:ty, $since:tt, $until:tt) => {
        let _ = $crate::wire::structure!(@decode $kind $fields, $how, $ty, $since, $until);
    };
}

pub(crate) use structure;
