//! Login: a ticket for the client's requests to come. KMIP 2.1 §6.1.30.

use kmip::payload::{LoginRequest, LoginResponse};

use super::granting::{Wanted, grant};
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &LoginRequest) -> Result<LoginResponse, Failure> {
    let wanted = Wanted {
        lifetime: request.lease_time,
        requests: request.request_count,
        usage_limits: request.usage_limits.as_ref(),
        rights: None,
    };
    Ok(LoginResponse { ticket: grant(scope, wanted).await? })
}
