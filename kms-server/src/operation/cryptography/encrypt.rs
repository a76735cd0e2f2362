//! Encrypt. KMIP 1.4 §4.29, 2.1 §6.1.17.

use kmip::payload::{EncryptRequest, EncryptResponse};
use secret::Secret;

use super::asked::{Asked, Part};
use super::ciphering::{self, Given};
use super::in_use::Use;
use crate::failure::Failure;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &EncryptRequest,
) -> Result<EncryptResponse, Failure> {
    let asked = Asked {
        unique_identifier: request.unique_identifier.as_ref(),
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data.as_ref(),
        part: Part::of(request.correlation_value.as_deref(), request.init_indicator, request.final_indicator)?,
    };
    let given = Given {
        iv: request.iv_counter_nonce.as_deref(),
        additional_data: request.authenticated_encryption_additional_data.as_deref(),
        tag: None,
    };
    let (unique_identifier, produced) = ciphering::run(scope, Use::Encrypt, &asked, &given).await?;
    Ok(EncryptResponse {
        unique_identifier,
        data: produced.data.as_ref().map(Secret::expose).map(<[u8]>::to_vec),
        iv_counter_nonce: produced.iv.clone(),
        correlation_value: produced.stream.map(Vec::from),
        authenticated_encryption_tag: produced.tag.clone(),
    })
}
