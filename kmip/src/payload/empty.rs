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

#[cfg(test)]
mod tests {
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::payload::{PingRequest, PingResponse};
    use crate::ttlv::DecodeErrorKind;
    use crate::{ProtocolVersion, Tag};

    #[test]
    fn nothing_is_an_empty_structure() {
        assert_eq!(round_trip(&PingResponse, ProtocolVersion::V2_1), Ok((PingResponse, vec![])));
        let refused = read_fields::<PingRequest>(ProtocolVersion::V2_1, |w| w.text(Tag::UNIQUE_IDENTIFIER, "a"));
        assert_eq!(refused.unwrap_err().kind, DecodeErrorKind::UnknownField(Tag::UNIQUE_IDENTIFIER));
    }

    #[test]
    fn a_newer_minor_version_may_have_put_something_in() {
        let v2_9 = ProtocolVersion { major: 2, minor: 9 };
        assert_eq!(read_fields(v2_9, |w| w.text(Tag::UNIQUE_IDENTIFIER, "a")), Ok(PingRequest));
    }
}
