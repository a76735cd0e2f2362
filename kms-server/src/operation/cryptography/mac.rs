//! MAC. KMIP 1.4 §4.33, 2.1 §6.1.32.

use kmip::payload::{MacRequest, MacResponse};
use secret::Secret;

use super::asked::{Asked, Part};
use super::authenticating;
use super::in_use::Use;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &MacRequest) -> Result<MacResponse, Failure> {
    let asked = Asked {
        unique_identifier: request.unique_identifier.as_ref(),
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let (unique_identifier, produced) = authenticating::run(scope, Use::Mac, &asked, None).await?;
    Ok(MacResponse {
        unique_identifier,
        mac_data: produced.data.as_ref().map(Secret::expose).map(<[u8]>::to_vec),
        correlation_value: produced.stream.map(Vec::from),
    })
}
