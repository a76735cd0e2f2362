//! Sign. KMIP 1.4 §4.31, 2.1 §6.1.55.

use kmip::payload::{SignRequest, SignResponse};
use secret::Secret;

use super::asked::{Asked, Part};
use super::in_use::Use;
use super::signing::{self, Given};
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &SignRequest) -> Result<SignResponse, Failure> {
    let asked = Asked {
        unique_identifier: request.unique_identifier.as_ref(),
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let given = Given { digested: request.digested_data.as_ref(), signature: None };
    let (unique_identifier, produced) = signing::run(scope, Use::Sign, &asked, &given).await?;
    Ok(SignResponse {
        unique_identifier,
        signature_data: produced.data.as_ref().map(Secret::expose).map(<[u8]>::to_vec),
        correlation_value: produced.stream.map(Vec::from),
    })
}
