//! The requests that tests of the running system make again and again.

use kmip::attribute::{AttributeValue, Name, RevocationReason};
use kmip::message::{Outcome, RequestMessage, ResponseMessage};
use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::payload::{
    CreateKeyPairRequest, CreateRequest, GetResponse, RegisterRequest, ResponsePayload, RevokeRequest,
};
use kmip::registry::{CryptographicAlgorithm, RevocationReasonCode, UsageMask};
use secret::Secret;

const AES_BITS: i32 = 256;

/// An AES-256 key to be created, for Encrypt and Decrypt, with further attributes.
#[must_use]
pub fn aes(further: Vec<AttributeValue>) -> CreateRequest {
    CreateRequest::symmetric_key(of_aes(further))
}

/// A pair to be created, one half of which signs and the other verifies, with further attributes of both.
#[must_use]
pub fn signing_pair(
    algorithm: CryptographicAlgorithm,
    bits: i32,
    further: Vec<AttributeValue>,
) -> CreateKeyPairRequest {
    let mut common = vec![AttributeValue::CryptographicAlgorithm(algorithm), AttributeValue::CryptographicLength(bits)];
    common.extend(further);
    let half = |mask| Some(vec![AttributeValue::CryptographicUsageMask(mask)].into());
    CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: half(UsageMask::SIGN),
        public_key_attributes: half(UsageMask::VERIFY),
        ..Default::default()
    }
}

/// The same on the curve whose pairs are made fastest.
#[must_use]
pub fn p256_pair(further: Vec<AttributeValue>) -> CreateKeyPairRequest {
    signing_pair(CryptographicAlgorithm::Ecdsa, 256, further)
}

/// These 32 bytes as an AES-256 key to be registered, for Encrypt and Decrypt, with further attributes.
#[must_use]
pub fn known_aes(key: &[u8], further: Vec<AttributeValue>) -> RegisterRequest {
    let key_block = KeyBlock::raw(Secret::copy_from(key), CryptographicAlgorithm::Aes, AES_BITS);
    RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block }), of_aes(further))
}

fn of_aes(further: Vec<AttributeValue>) -> Vec<AttributeValue> {
    let mut attributes = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(AES_BITS),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)),
    ];
    attributes.extend(further);
    attributes
}

/// A Name.
#[must_use]
pub fn name(value: &str) -> AttributeValue {
    AttributeValue::Name(Name::text(value))
}

/// A Revoke because the object is not needed any more.
#[must_use]
pub fn cessation(unique_identifier: Option<String>) -> RevokeRequest {
    RevokeRequest {
        unique_identifier: unique_identifier.map(Into::into),
        revocation_reason: RevocationReason { code: RevocationReasonCode::CessationOfOperation, message: None },
        compromise_occurrence_date: None,
    }
}

/// The bytes of an object that came with a Get.
#[must_use]
pub fn bytes(got: &GetResponse) -> Option<&[u8]> {
    match &got.object {
        ManagedObject::OpaqueObject(opaque) => Some(opaque.value.expose()),
        object => Some(object.key_block()?.material()?.secret()?.expose()),
    }
}

/// A request under a Client Correlation Value, which the audit log repeats. KMIP 1.4 §6.20.
#[must_use]
pub fn correlated(mut request: RequestMessage, correlation: &str) -> RequestMessage {
    request.header.client_correlation_value = Some(correlation.to_owned());
    request
}

/// What each item of an answer says, where all of them succeeded.
///
/// # Errors
/// The first failure, as text.
pub fn successes(answer: ResponseMessage) -> Result<Vec<ResponsePayload>, String> {
    let each = answer.items.into_iter().map(|item| match item.outcome {
        Outcome::Success(payload) => Ok(payload),
        other => Err(format!("{other:?}")),
    });
    each.collect()
}
