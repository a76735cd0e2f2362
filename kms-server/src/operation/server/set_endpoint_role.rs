//! Set Endpoint Role: who of the two on a connection is the server. KMIP 2.1 §6.1.54.
//!
//! This server is one on every connection and never asks anything of its clients. It says so to who wants the places
//! changed; to who wants them as they are it agrees.

use kmip::payload::{SetEndpointRoleRequest, SetEndpointRoleResponse};
use kmip::registry::EndpointRole;

use crate::failure::Failure;

pub(in crate::operation) fn run(request: &SetEndpointRoleRequest) -> Result<SetEndpointRoleResponse, Failure> {
    match request.endpoint_role {
        EndpointRole::Server => Ok(SetEndpointRoleResponse { endpoint_role: EndpointRole::Server }),
        EndpointRole::Client => Err(Failure::UnsupportedFeature("the server takes no client's role")),
    }
}
