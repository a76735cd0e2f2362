//! One request of every operation, such that it works on an object of the client's own.

use kmip::attribute::{
    Attribute, AttributeReference, AttributeValue, CryptographicParameters, RevocationReason, UsageLimits,
};
use kmip::object::Certificate;
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, CertifyRequest, CheckRequest,
    CreateRequest, CreateSplitKeyRequest, Data, DecryptRequest, DeleteAttributeRequest, DerivationParameters,
    DeriveKeyRequest, DestroyRequest, DiscoverVersionsRequest, EncryptRequest, ExportRequest, GetAttributeListRequest,
    GetAttributesRequest, GetConstraintsRequest, GetRequest, GetUsageAllocationRequest, HashRequest, ImportRequest,
    JoinSplitKeyRequest, LocateRequest, LogRequest, MacRequest, MacVerifyRequest, ModifyAttributeRequest,
    ObtainLeaseRequest, PingRequest, Pkcs11Call, Pkcs11Request, QueryAsynchronousRequestsRequest, QueryRequest,
    ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest, RecoverRequest, RequestPayload, RevokeRequest, RngSeedRequest,
    SetAttributeRequest, SetConstraintsRequest, SetDefaultsRequest, SetEndpointRoleRequest, SignRequest,
    SignatureVerifyRequest, TYPED_OPERATIONS, ValidateRequest,
};
use kmip::registry::{
    AdjustmentType, BlockCipherMode, CertificateType, CryptographicAlgorithm, DerivationMethod, EndpointRole,
    HashingAlgorithm, ObjectType, Operation, Pkcs11Function, QueryFunction, RevocationReasonCode, SplitKeyMethod,
    UsageLimitsUnit, UsageMask,
};
use secret::Secret;
use system_tests::asking;

use crate::TAG;
use crate::rows::{BY_VALUE, IMPORTED};

/// One request of every operation, such that it succeeds on a fresh object of [`prepare`].
pub(crate) fn every_request() -> Vec<RequestPayload> {
    let tagged = |text| Attribute::new(AttributeValue::custom_text(TAG, text).unwrap());
    let another = Attribute::new(AttributeValue::custom_text("x-another", "value").unwrap());
    let requests: Vec<RequestPayload> = vec![
        DiscoverVersionsRequest::default().into(),
        QueryRequest::of(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]).into(),
        asking::aes(Vec::new()).into(),
        asking::known_aes(&[7; 32], Vec::new()).into(),
        asking::p256_pair(Vec::new()).into(),
        ReKeyRequest::default().into(),
        ReKeyKeyPairRequest::default().into(),
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: Vec::new(),
            derivation_method: DerivationMethod::Hash,
            derivation_parameters: DerivationParameters {
                cryptographic_parameters: Some(Box::new(hashing())),
                ..DerivationParameters::default()
            },
            template_attribute: vec![AttributeValue::CryptographicLength(256)].into(),
        }
        .into(),
        CertifyRequest::default().into(),
        ReCertifyRequest::default().into(),
        CreateSplitKeyRequest {
            object_type: ObjectType::SplitKey,
            unique_identifier: None,
            split_key_parts: 3,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::PolynomialSharingGf2_16,
            prime_field_size: None,
            template_attribute: asking::aes(Vec::new()).template_attribute,
            protection_storage_masks: None,
        }
        .into(),
        JoinSplitKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: Vec::new(),
            secret_data_type: None,
            template_attribute: None,
            protection_storage_masks: None,
        }
        .into(),
        GetRequest::default().into(),
        GetAttributesRequest { attribute_names: vec![TAG.to_owned()], ..Default::default() }.into(),
        GetAttributeListRequest::default().into(),
        AddAttributeRequest { unique_identifier: None, attribute: another }.into(),
        ModifyAttributeRequest { unique_identifier: None, current_attribute: None, attribute: tagged("other") }.into(),
        DeleteAttributeRequest {
            unique_identifier: None,
            attribute_name: TAG.to_owned(),
            attribute_index: None,
            current_attribute: None,
        }
        .into(),
        LocateRequest::default().into(),
        CheckRequest { cryptographic_usage_mask: Some(UsageMask::ENCRYPT), ..Default::default() }.into(),
        ActivateRequest::default().into(),
        RevokeRequest {
            unique_identifier: None,
            revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
            compromise_occurrence_date: None,
        }
        .into(),
        DestroyRequest::default().into(),
        ExportRequest::default().into(),
        SetAttributeRequest { unique_identifier: None, attribute: tagged("set") }.into(),
        AdjustAttributeRequest {
            unique_identifier: None,
            attribute_reference: AttributeReference("Sensitive".to_owned()),
            adjustment_type: AdjustmentType::Negate,
            adjustment_value: None,
        }
        .into(),
        ObtainLeaseRequest::default().into(),
        ArchiveRequest::default().into(),
        RecoverRequest::default().into(),
        ValidateRequest { certificates: vec![certificate()], ..Default::default() }.into(),
        ImportRequest {
            unique_identifier: IMPORTED.to_owned(),
            object_type: Some(ObjectType::SymmetricKey),
            replace_existing: Some(true),
            key_wrap_type: None,
            attributes: Vec::new(),
            object: asking::known_aes(&[7; 32], Vec::new()).object,
        }
        .into(),
        PingRequest.into(),
        QueryAsynchronousRequestsRequest::default().into(),
        GetConstraintsRequest.into(),
        SetConstraintsRequest::default().into(),
        SetDefaultsRequest::default().into(),
        LogRequest { log_message: "said".to_owned() }.into(),
        SetEndpointRoleRequest { endpoint_role: EndpointRole::Server }.into(),
    ];
    let requests: Vec<RequestPayload> = requests.into_iter().chain(cryptographic_requests()).collect();
    let operations: Vec<Operation> = requests.iter().map(RequestPayload::operation).collect();
    assert!(
        TYPED_OPERATIONS.iter().all(|one| { operations.contains(one) != BY_VALUE.contains(one) }),
        "an operation is missing from the matrix"
    );
    requests
}

/// A certificate that signs itself.
pub(crate) fn certificate() -> Certificate {
    let authority = certs::Authority::new("isolation").unwrap();
    Certificate { certificate_type: CertificateType::X509, value: authority.cert_der().to_vec() }
}

fn hashing() -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::Sha256), ..Default::default() }
}

pub(crate) fn cryptographic_requests() -> Vec<RequestPayload> {
    let data = || Some(Data::from(Secret::copy_from(&[1; 32])));
    let parameters = |parameters| Some(Box::new(parameters));
    let cbc = || CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::Cbc),
        random_iv: Some(true),
        ..Default::default()
    };
    let hmac = || CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::HmacSha256),
        ..Default::default()
    };
    vec![
        GetUsageAllocationRequest { unique_identifier: None, usage_limits_count: 1 }.into(),
        EncryptRequest { cryptographic_parameters: parameters(cbc()), data: data(), ..Default::default() }.into(),
        DecryptRequest {
            cryptographic_parameters: parameters(cbc()),
            data: data(),
            iv_counter_nonce: Some(vec![0; 16]),
            ..Default::default()
        }
        .into(),
        SignRequest { cryptographic_parameters: parameters(hashing()), data: data(), ..Default::default() }.into(),
        SignatureVerifyRequest {
            cryptographic_parameters: parameters(hashing()),
            data: data(),
            signature_data: Some(vec![1; 256]),
            ..Default::default()
        }
        .into(),
        MacRequest { cryptographic_parameters: parameters(hmac()), data: data(), ..Default::default() }.into(),
        MacVerifyRequest {
            cryptographic_parameters: parameters(hmac()),
            data: data(),
            mac_data: Some(vec![1; 32]),
            ..Default::default()
        }
        .into(),
        HashRequest {
            cryptographic_parameters: Box::new(hashing()),
            data: data(),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        }
        .into(),
        RngSeedRequest { data: Data::from(Secret::copy_from(&[1; 32])) }.into(),
        Pkcs11Request {
            interface: None,
            function: Pkcs11Call::Standard(Pkcs11Function::GetInfo),
            correlation_value: None,
            input_parameters: None,
        }
        .into(),
    ]
}

/// Whether the operation wants an object that is Active.
pub(crate) const fn wants_active(operation: Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::GetUsageAllocation | O::Encrypt | O::Decrypt | O::Sign | O::SignatureVerify | O::Mac | O::MacVerify
    )
}

/// An AES-256 key that every cryptographic operation on symmetric keys may use, with further attributes.
pub(crate) fn usable_aes(further: Vec<AttributeValue>) -> CreateRequest {
    let limits = UsageLimits { total: Some(1000), count: None, unit: Some(UsageLimitsUnit::Byte) };
    let mut create = asking::aes(further);
    create.template_attribute.attributes.push(Attribute::new(AttributeValue::UsageLimits(Box::new(limits))));
    for attribute in &mut create.template_attribute.attributes {
        if let AttributeValue::CryptographicUsageMask(mask) = &mut attribute.value {
            *mask = mask.union(UsageMask::MAC_GENERATE).union(UsageMask::MAC_VERIFY);
        }
    }
    create
}
