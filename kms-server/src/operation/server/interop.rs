//! Interop: a client tells that a test of interoperability begins or ends. KMIP 2.1 §6.1.26.
//!
//! The specification forbids it in production, and every client of a production domain would be right to wonder why it
//! is there. So only domains under the policy `legacy`, which exists for what production should not do, have it. It does
//! nothing but stand in the audit log.

use kmip::payload::{InteropRequest, InteropResponse};

use crate::scope::Scope;

pub(in crate::operation) fn run(scope: &mut Scope<'_>, request: &InteropRequest) -> InteropResponse {
    scope.note = Some(format!("{} {}", request.interop_function.text(), request.interop_identifier));
    InteropResponse
}
