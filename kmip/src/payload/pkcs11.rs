//! PKCS#11: a function of the PKCS#11 interface is called on the server. KMIP 2.1 §6.1.37.

use secret::Secret;

use crate::Tag;
use crate::registry::{Pkcs11Function, Pkcs11ReturnCode};
use crate::ttlv::{DecodeError, Item, ItemType, Wire, Writer};
use crate::wire::structure;

/// Which function is called: one of PKCS#11 (an Enumeration), or a vendor's (an Integer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkcs11Call {
    /// A function of PKCS#11.
    Standard(Pkcs11Function),
    /// A vendor's function.
    Vendor(i32),
}

impl Wire for Pkcs11Call {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        match self {
            Self::Standard(function) => function.encode(tag, w),
            Self::Vendor(number) => number.encode(tag, w),
        }
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        match item.item_type {
            ItemType::Integer => i32::decode(item).map(Self::Vendor),
            _ => Pkcs11Function::decode(item).map(Self::Standard),
        }
    }
}

structure! {
    /// Which function to call with what. Parameters may be PINs and keys.
    #[derive(Debug, PartialEq)]
    pub struct Pkcs11Request {
        /// Name of the interface; absent means that of PKCS#11 3.0.
        optional interface: String = Tag::PKCS_11_INTERFACE,
        /// The function.
        required function: Pkcs11Call = Tag::PKCS_11_FUNCTION,
        /// What the answer before this one asked to be given back.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE,
        /// The parameters, written as the PKCS#11 profile says.
        optional input_parameters: Secret = Tag::PKCS_11_INPUT_PARAMETERS,
    }
}

structure! {
    /// What the function returned.
    #[derive(Debug, PartialEq)]
    pub struct Pkcs11Response {
        /// Name of the interface; absent means that of PKCS#11 3.0.
        optional interface: String = Tag::PKCS_11_INTERFACE,
        /// The function.
        required function: Pkcs11Call = Tag::PKCS_11_FUNCTION,
        /// To be given back with the next request.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE,
        /// The parameters, written as the PKCS#11 profile says.
        optional output_parameters: Secret = Tag::PKCS_11_OUTPUT_PARAMETERS,
        /// How the function ended.
        required return_code: Pkcs11ReturnCode = Tag::PKCS_11_RETURN_CODE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProtocolVersion;
    use crate::payload::round_trip::{read_fields, round_trip};
    use crate::ttlv::DecodeErrorKind;

    #[test]
    fn a_function_is_one_of_the_standard_or_a_vendors() {
        for function in [Pkcs11Call::Standard(Pkcs11Function::GetInfo), Pkcs11Call::Vendor(-1)] {
            let request = Pkcs11Request { interface: None, function, correlation_value: None, input_parameters: None };
            assert_eq!(round_trip(&request, ProtocolVersion::V2_0).unwrap().0, request);
        }
        let refused = read_fields::<Pkcs11Request>(ProtocolVersion::V2_0, |w| w.enumeration(Tag::PKCS_11_FUNCTION, 0));
        assert!(matches!(refused.unwrap_err().kind, DecodeErrorKind::UnknownValue(_)));
    }
}
