//! Which enumeration or mask the value of a tag belongs to.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

use super::*;
use crate::registry::table::Table;

/// The enumeration that values of `tag` are taken from.
#[must_use]
pub fn enumeration_of(tag: Tag) -> Option<&'static Table> {
    Some(match tag {
        Tag::ASYNCHRONOUS_INDICATOR => &AsynchronousIndicator::TABLE,
        Tag::BATCH_ERROR_CONTINUATION_OPTION => &BatchErrorContinuationOption::TABLE,
        Tag::BLOCK_CIPHER_MODE => &BlockCipherMode::TABLE,
        Tag::CANCELLATION_RESULT => &CancellationResult::TABLE,
        Tag::CERTIFICATE_REQUEST_TYPE => &CertificateRequestType::TABLE,
        Tag::CERTIFICATE_TYPE => &CertificateType::TABLE,
        Tag::CREDENTIAL_TYPE => &CredentialType::TABLE,
        Tag::CRYPTOGRAPHIC_ALGORITHM => &CryptographicAlgorithm::TABLE,
        Tag::DERIVATION_METHOD => &DerivationMethod::TABLE,
        Tag::HASHING_ALGORITHM => &HashingAlgorithm::TABLE,
        Tag::KEY_COMPRESSION_TYPE => &KeyCompressionType::TABLE,
        Tag::KEY_FORMAT_TYPE => &KeyFormatType::TABLE,
        Tag::LINK_TYPE => &LinkType::TABLE,
        Tag::LINKED_OBJECT_IDENTIFIER => &UniqueIdentifierPlaceholder::TABLE,
        Tag::NAME_TYPE => &NameType::TABLE,
        Tag::OBJECT_TYPE => &ObjectType::TABLE,
        Tag::OPERATION => &Operation::TABLE,
        Tag::PADDING_METHOD => &PaddingMethod::TABLE,
        Tag::PRIVATE_KEY_UNIQUE_IDENTIFIER => &UniqueIdentifierPlaceholder::TABLE,
        Tag::PUBLIC_KEY_UNIQUE_IDENTIFIER => &UniqueIdentifierPlaceholder::TABLE,
        Tag::PUT_FUNCTION => &PutFunction::TABLE,
        Tag::QUERY_FUNCTION => &QueryFunction::TABLE,
        Tag::RECOMMENDED_CURVE => &RecommendedCurve::TABLE,
        Tag::RESULT_REASON => &ResultReason::TABLE,
        Tag::RESULT_STATUS => &ResultStatus::TABLE,
        Tag::REVOCATION_REASON_CODE => &RevocationReasonCode::TABLE,
        Tag::KEY_ROLE_TYPE => &KeyRoleType::TABLE,
        Tag::SECRET_DATA_TYPE => &SecretDataType::TABLE,
        Tag::SPLIT_KEY_METHOD => &SplitKeyMethod::TABLE,
        Tag::STATE => &State::TABLE,
        Tag::UNIQUE_IDENTIFIER => &UniqueIdentifierPlaceholder::TABLE,
        Tag::USAGE_LIMITS_UNIT => &UsageLimitsUnit::TABLE,
        Tag::VALIDITY_INDICATOR => &ValidityIndicator::TABLE,
        Tag::WRAPPING_METHOD => &WrappingMethod::TABLE,
        Tag::ENCODING_OPTION => &EncodingOption::TABLE,
        Tag::OBJECT_GROUP_MEMBER => &ObjectGroupMember::TABLE,
        Tag::DIGITAL_SIGNATURE_ALGORITHM => &DigitalSignatureAlgorithm::TABLE,
        Tag::KEY_VALUE_LOCATION_TYPE => &KeyValueLocationType::TABLE,
        Tag::ALTERNATIVE_NAME_TYPE => &AlternativeNameType::TABLE,
        Tag::DATA => &DataPlaceholder::TABLE,
        Tag::ATTESTATION_TYPE => &AttestationType::TABLE,
        Tag::RNG_ALGORITHM => &RngAlgorithm::TABLE,
        Tag::DRBG_ALGORITHM => &DrbgAlgorithm::TABLE,
        Tag::FIPS186_VARIATION => &Fips186Variation::TABLE,
        Tag::VALIDATION_AUTHORITY_TYPE => &ValidationAuthorityType::TABLE,
        Tag::VALIDATION_TYPE => &ValidationType::TABLE,
        Tag::PROFILE_NAME => &ProfileName::TABLE,
        Tag::UNWRAP_MODE => &UnwrapMode::TABLE,
        Tag::DESTROY_ACTION => &DestroyAction::TABLE,
        Tag::SHREDDING_ALGORITHM => &ShreddingAlgorithm::TABLE,
        Tag::RNG_MODE => &RngMode::TABLE,
        Tag::CLIENT_REGISTRATION_METHOD => &ClientRegistrationMethod::TABLE,
        Tag::KEY_WRAP_TYPE => &KeyWrapType::TABLE,
        Tag::MASK_GENERATOR => &MaskGenerator::TABLE,
        Tag::MASK_GENERATOR_HASHING_ALGORITHM => &HashingAlgorithm::TABLE,
        Tag::NIST_KEY_TYPE => &NistKeyType::TABLE,
        Tag::PROTECTION_LEVEL => &ProtectionLevel::TABLE,
        Tag::TICKET_TYPE => &TicketType::TABLE,
        Tag::ENDPOINT_ROLE => &EndpointRole::TABLE,
        Tag::ADJUSTMENT_TYPE => &AdjustmentType::TABLE,
        Tag::INTEROP_FUNCTION => &InteropFunction::TABLE,
        Tag::ROTATE_NAME_TYPE => &RotateNameType::TABLE,
        Tag::PROCESSING_STAGE => &ProcessingStage::TABLE,
        Tag::PKCS_11_FUNCTION => &Pkcs11Function::TABLE,
        Tag::PKCS_11_RETURN_CODE => &Pkcs11ReturnCode::TABLE,
        _ => return None,
    })
}

/// The bit mask that values of `tag` are taken from.
#[must_use]
pub fn mask_of(tag: Tag) -> Option<&'static Table> {
    Some(match tag {
        Tag::CRYPTOGRAPHIC_USAGE_MASK => &UsageMask::TABLE,
        Tag::STORAGE_STATUS_MASK => &StorageStatusMask::TABLE,
        Tag::PROTECTION_STORAGE_MASK => &ProtectionStorageMask::TABLE,
        _ => return None,
    })
}
