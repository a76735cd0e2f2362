//! Payloads without a field: the operation, or its success, says everything.

/// Describes payloads that hold nothing. On the wire they are empty structures.
macro_rules! empty {
    ($( $(#[$meta:meta])* pub struct $name:ident; )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name;

            impl $crate::ttlv::Wire for $name {
                fn encode(&self, tag: $crate::Tag, w: &mut $crate::ttlv::Writer) {
                    w.structure(tag, |_| {});
                }

                fn decode(item: &$crate::ttlv::Item<'_>) -> Result<Self, $crate::ttlv::DecodeError> {
                    $crate::wire::Fields::new(item.structure()?, |_, _| false).finish()?;
                    Ok(Self)
                }
            }
        )*
    };
}

pub(super) use empty;
