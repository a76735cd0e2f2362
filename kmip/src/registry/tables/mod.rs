//! All tables of the specification; each enumeration and mask is a file.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

use super::table::Table;
use super::{Pkcs11Function, Pkcs11ReturnCode};

mod adjustment_type;
mod alternative_name_type;
mod asynchronous_indicator;
mod attestation_type;
mod attribute_rules;
mod batch_error_continuation_option;
mod block_cipher_mode;
mod by_tag;
mod cancellation_result;
mod certificate_request_type;
mod certificate_type;
mod client_registration_method;
mod credential_type;
mod cryptographic_algorithm;
mod data_placeholder;
mod derivation_method;
mod destroy_action;
mod digital_signature_algorithm;
mod drbg_algorithm;
mod encoding_option;
mod endpoint_role;
mod fips186_variation;
mod hashing_algorithm;
mod interop_function;
mod key_compression_type;
mod key_format_type;
mod key_role_type;
mod key_value_location_type;
mod key_wrap_type;
mod link_type;
mod mask_generator;
mod name_type;
mod nist_key_type;
mod object_group_member;
mod object_type;
mod operation;
mod padding_method;
mod processing_stage;
mod profile_name;
mod protection_level;
mod protection_storage_mask;
mod put_function;
mod query_function;
mod recommended_curve;
mod result_reason;
mod result_status;
mod revocation_reason_code;
mod rng_algorithm;
mod rng_mode;
mod rotate_name_type;
mod secret_data_type;
mod shredding_algorithm;
mod split_key_method;
mod state;
mod storage_status_mask;
mod tag;
mod ticket_type;
mod unique_identifier_placeholder;
mod unwrap_mode;
mod usage_limits_unit;
mod usage_mask;
mod validation_authority_type;
mod validation_type;
mod validity_indicator;
mod wrapping_method;

pub use adjustment_type::AdjustmentType;
pub use alternative_name_type::AlternativeNameType;
pub use asynchronous_indicator::AsynchronousIndicator;
pub use attestation_type::AttestationType;
pub use attribute_rules::ATTRIBUTE_RULES;
pub use batch_error_continuation_option::BatchErrorContinuationOption;
pub use block_cipher_mode::BlockCipherMode;
pub use by_tag::{enumeration_of, mask_of};
pub use cancellation_result::CancellationResult;
pub use certificate_request_type::CertificateRequestType;
pub use certificate_type::CertificateType;
pub use client_registration_method::ClientRegistrationMethod;
pub use credential_type::CredentialType;
pub use cryptographic_algorithm::CryptographicAlgorithm;
pub use data_placeholder::DataPlaceholder;
pub use derivation_method::DerivationMethod;
pub use destroy_action::DestroyAction;
pub use digital_signature_algorithm::DigitalSignatureAlgorithm;
pub use drbg_algorithm::DrbgAlgorithm;
pub use encoding_option::EncodingOption;
pub use endpoint_role::EndpointRole;
pub use fips186_variation::Fips186Variation;
pub use hashing_algorithm::HashingAlgorithm;
pub use interop_function::InteropFunction;
pub use key_compression_type::KeyCompressionType;
pub use key_format_type::KeyFormatType;
pub use key_role_type::KeyRoleType;
pub use key_value_location_type::KeyValueLocationType;
pub use key_wrap_type::KeyWrapType;
pub use link_type::LinkType;
pub use mask_generator::MaskGenerator;
pub use name_type::NameType;
pub use nist_key_type::NistKeyType;
pub use object_group_member::ObjectGroupMember;
pub use object_type::ObjectType;
pub use operation::Operation;
pub use padding_method::PaddingMethod;
pub use processing_stage::ProcessingStage;
pub use profile_name::ProfileName;
pub use protection_level::ProtectionLevel;
pub use protection_storage_mask::ProtectionStorageMask;
pub use put_function::PutFunction;
pub use query_function::QueryFunction;
pub use recommended_curve::RecommendedCurve;
pub use result_reason::ResultReason;
pub use result_status::ResultStatus;
pub use revocation_reason_code::RevocationReasonCode;
pub use rng_algorithm::RngAlgorithm;
pub use rng_mode::RngMode;
pub use rotate_name_type::RotateNameType;
pub use secret_data_type::SecretDataType;
pub use shredding_algorithm::ShreddingAlgorithm;
pub use split_key_method::SplitKeyMethod;
pub use state::State;
pub use storage_status_mask::StorageStatusMask;
pub use tag::Tag;
pub use ticket_type::TicketType;
pub use unique_identifier_placeholder::UniqueIdentifierPlaceholder;
pub use unwrap_mode::UnwrapMode;
pub use usage_limits_unit::UsageLimitsUnit;
pub use usage_mask::UsageMask;
pub use validation_authority_type::ValidationAuthorityType;
pub use validation_type::ValidationType;
pub use validity_indicator::ValidityIndicator;
pub use wrapping_method::WrappingMethod;

/// Every enumeration and mask, in alphabetical order.
pub static ALL_TABLES: &[&Table] = &[
    &AdjustmentType::TABLE,
    &AlternativeNameType::TABLE,
    &AsynchronousIndicator::TABLE,
    &AttestationType::TABLE,
    &BatchErrorContinuationOption::TABLE,
    &BlockCipherMode::TABLE,
    &CancellationResult::TABLE,
    &CertificateRequestType::TABLE,
    &CertificateType::TABLE,
    &ClientRegistrationMethod::TABLE,
    &CredentialType::TABLE,
    &CryptographicAlgorithm::TABLE,
    &DataPlaceholder::TABLE,
    &DerivationMethod::TABLE,
    &DestroyAction::TABLE,
    &DigitalSignatureAlgorithm::TABLE,
    &DrbgAlgorithm::TABLE,
    &EncodingOption::TABLE,
    &EndpointRole::TABLE,
    &Fips186Variation::TABLE,
    &HashingAlgorithm::TABLE,
    &InteropFunction::TABLE,
    &KeyCompressionType::TABLE,
    &KeyFormatType::TABLE,
    &KeyRoleType::TABLE,
    &KeyValueLocationType::TABLE,
    &KeyWrapType::TABLE,
    &LinkType::TABLE,
    &MaskGenerator::TABLE,
    &NameType::TABLE,
    &NistKeyType::TABLE,
    &ObjectGroupMember::TABLE,
    &ObjectType::TABLE,
    &Operation::TABLE,
    &PaddingMethod::TABLE,
    &ProcessingStage::TABLE,
    &ProfileName::TABLE,
    &ProtectionLevel::TABLE,
    &ProtectionStorageMask::TABLE,
    &PutFunction::TABLE,
    &QueryFunction::TABLE,
    &RecommendedCurve::TABLE,
    &ResultReason::TABLE,
    &ResultStatus::TABLE,
    &RevocationReasonCode::TABLE,
    &RngAlgorithm::TABLE,
    &RngMode::TABLE,
    &RotateNameType::TABLE,
    &SecretDataType::TABLE,
    &ShreddingAlgorithm::TABLE,
    &SplitKeyMethod::TABLE,
    &State::TABLE,
    &StorageStatusMask::TABLE,
    &TicketType::TABLE,
    &UniqueIdentifierPlaceholder::TABLE,
    &UnwrapMode::TABLE,
    &UsageLimitsUnit::TABLE,
    &UsageMask::TABLE,
    &ValidationAuthorityType::TABLE,
    &ValidationType::TABLE,
    &ValidityIndicator::TABLE,
    &WrappingMethod::TABLE,
    &Pkcs11Function::TABLE,
    &Pkcs11ReturnCode::TABLE,
];
