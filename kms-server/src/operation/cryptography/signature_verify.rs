//! Signature Verify: a wrong signature is an answer, not a failure. KMIP 1.4 §4.32, 2.1 §6.1.56.

use kmip::payload::{SignatureVerifyRequest, SignatureVerifyResponse};

use super::asked::{Asked, Part};
use super::in_use::Use;
use super::parts::verdict;
use super::signing::{self, Given};
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &SignatureVerifyRequest,
) -> Result<SignatureVerifyResponse, Failure> {
    let asked = Asked {
        unique_identifier: request.unique_identifier.as_ref(),
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let given = Given { digested: request.digested_data.as_ref(), signature: request.signature_data.as_deref() };
    let (unique_identifier, produced) = signing::run(scope, Use::SignatureVerify, &asked, &given).await?;
    Ok(SignatureVerifyResponse {
        unique_identifier,
        validity_indicator: produced.valid.map(verdict),
        // No signature scheme here gives the message back.
        data: None,
        correlation_value: produced.stream.map(Vec::from),
    })
}
