//! PKCS#11: the server as a Cryptoki library that can be initialised, asked who it is, and finalised. KMIP 2.1 §6.1.37.
//!
//! Parameters are written as the PKCS#11 profile says: CK_BYTE in one byte, CK_ULONG in eight, big-endian, structures in
//! line. Functions beyond these three answer CKR_FUNCTION_NOT_SUPPORTED; KMIP has operations of its own for what they do.

use std::sync::Arc;

use kmip::attribute::CryptographicParameters;
use kmip::payload::{Pkcs11Call, Pkcs11Request, Pkcs11Response};
use kmip::registry::{Pkcs11Function, Pkcs11ReturnCode};
use secret::Secret;

use super::asked::Part;
use super::parts;
use crate::failure::Failure;
use crate::limits::PKCS11_NAME_LEN;
use crate::node::streams::{Produced, StreamId, Taken, Work};
use crate::offer::Offer;
use crate::scope::Scope;

/// The name of PKCS#11's own interface.
const INTERFACE: &str = "PKCS 11";
/// Version of Cryptoki: what the functions here have in common with it. The cases of the KMIP 2.1 profile have 2.40.
const CRYPTOKI_VERSION: [u8; 2] = [2, 40];
/// Version of this library.
const LIBRARY_VERSION: [u8; 2] = [1, 0];

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &Pkcs11Request,
) -> Result<Pkcs11Response, Failure> {
    if request.interface.as_deref().is_some_and(|interface| interface != INTERFACE) {
        return Err(Failure::Pkcs11Interface);
    }
    let Pkcs11Call::Standard(function) = request.function else { return Err(Failure::Pkcs11Function) };
    let input = request.input_parameters.as_ref().map(Secret::expose).unwrap_or_default();
    let session = match request.correlation_value.as_deref() {
        Some(value) => match Part::of(Some(value), None, None) {
            Ok(Part::Next { id, .. }) => Some(id),
            _ => None,
        },
        None => None,
    };
    let answer = |correlation: Option<StreamId>, output: Option<Vec<u8>>, return_code| Pkcs11Response {
        interface: request.interface.clone(),
        function: request.function,
        correlation_value: correlation.map(Vec::from),
        output_parameters: output.map(Secret::new),
        return_code,
    };
    Ok(match function {
        Pkcs11Function::Initialize => {
            // Whether there are CK_C_INITIALIZE_ARGS; they are about threads of the caller's process.
            if input.len() > 1 {
                return Err(Failure::Pkcs11Codec);
            }
            let begun = match scope.draft.streams.begun() {
                Some(produced) => produced,
                None => {
                    let parameters = CryptographicParameters::default();
                    parts::begin(scope, None, parameters, Work::Pkcs11, Produced::default()).await?
                }
            };
            answer(begun.stream, None, Pkcs11ReturnCode::Ok)
        }
        Pkcs11Function::GetInfo | Pkcs11Function::Finalize if !input.is_empty() => return Err(Failure::Pkcs11Codec),
        Pkcs11Function::GetInfo => match go_on(scope, session, false) {
            Some(_) => answer(None, Some(info(&scope.node.offer)), Pkcs11ReturnCode::Ok),
            None => answer(None, None, Pkcs11ReturnCode::CryptokiNotInitialized),
        },
        Pkcs11Function::Finalize => match go_on(scope, session, true) {
            Some(_) => answer(None, None, Pkcs11ReturnCode::Ok),
            None => answer(None, None, Pkcs11ReturnCode::CryptokiNotInitialized),
        },
        _ => answer(None, None, Pkcs11ReturnCode::FunctionNotSupported),
    })
}

/// Goes on with what C_Initialize began. `None` where it was not, or has ended.
fn go_on(scope: &mut Scope<'_>, session: Option<StreamId>, last: bool) -> Option<Arc<Produced>> {
    let id = session?;
    match parts::resume(scope, &id, None, None).ok()? {
        Taken::Done(produced) => Some(produced),
        Taken::Open(stream) => {
            let stream = (!last).then_some(*stream);
            Some(scope.draft.streams.keep(Some(id), id, stream, Produced::default()))
        }
    }
}

/// CK_INFO: version of Cryptoki, manufacturer, flags, description and version of the library.
fn info(offer: &Offer) -> Vec<u8> {
    let mut info = Vec::with_capacity(76);
    info.extend_from_slice(&CRYPTOKI_VERSION);
    info.extend(padded(&offer.pkcs11_manufacturer));
    info.extend_from_slice(&0_u64.to_be_bytes());
    info.extend(padded(&offer.pkcs11_library));
    info.extend_from_slice(&LIBRARY_VERSION);
    info
}

fn padded(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().chain(std::iter::repeat(b' ')).take(PKCS11_NAME_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ck_info_is_as_long_as_its_fields() {
        let info = info(&Offer::default());
        assert_eq!(info.len(), 2 + 32 + 8 + 32 + 2);
        assert!(info.get(2..34).unwrap().starts_with(b"Clavis   "));
    }
}
