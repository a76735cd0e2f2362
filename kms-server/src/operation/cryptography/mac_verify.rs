//! MAC Verify: a wrong code is an answer, not a failure. KMIP 1.4 §4.34, 2.1 §6.1.33.

use kmip::payload::{MacVerifyRequest, MacVerifyResponse};

use super::asked::{Asked, Part};
use super::authenticating;
use super::in_use::Use;
use super::parts::verdict;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &MacVerifyRequest,
) -> Result<MacVerifyResponse, Failure> {
    let asked = Asked {
        unique_identifier: request.unique_identifier.as_ref(),
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let code = request.mac_data.as_deref();
    let (unique_identifier, produced) = authenticating::run(scope, Use::MacVerify, &asked, code).await?;
    Ok(MacVerifyResponse {
        unique_identifier,
        validity_indicator: produced.valid.map(verdict),
        correlation_value: produced.stream.map(Vec::from),
    })
}
