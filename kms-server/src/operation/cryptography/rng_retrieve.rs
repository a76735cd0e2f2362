//! RNG Retrieve: random bytes of the HSM. KMIP 1.4 §4.35, 2.1 §6.1.49.

use kmip::payload::{RngRetrieveRequest, RngRetrieveResponse};

use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RngRetrieveRequest,
) -> Result<RngRetrieveResponse, Failure> {
    let len = usize::try_from(request.data_length).unwrap_or(0);
    if len == 0 {
        return Err(Failure::InvalidField("data length is not a number of bytes"));
    }
    if len > scope.node.limits.random_bytes {
        return Err(Failure::OverLimit("more random bytes than the server gives at once"));
    }
    Ok(RngRetrieveResponse { data: scope.node.hsm.random(len).await? })
}
