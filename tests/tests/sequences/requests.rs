//! Random requests of every operation: about own objects, foreign and absent ones, with values that fit and that do not.
//! One row for each operation, so that an operation without does not compile.

use kmip::ProtocolVersion;
use kmip::attribute::{
    Attribute, AttributeKind, AttributeReference, AttributeValue, CryptographicParameters, Identifier, RevocationReason,
};
use kmip::object::{
    EncryptionKeyInformation, KeyBlock, KeyWrappingSpecification, ManagedObject, OpaqueObject, SecretData, SymmetricKey,
};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, AttributeChanges, CancelRequest,
    CertifyRequest, CheckRequest, Constraint, Constraints, CreateKeyPairRequest, CreateRequest, CreateSplitKeyRequest,
    Data, DecryptRequest, DefaultsInformation, DelegatedLoginRequest, DeleteAttributeRequest, DerivationParameters,
    DeriveKeyRequest, DestroyRequest, DiscoverVersionsRequest, EncryptRequest, ExportRequest, GetAttributeListRequest,
    GetAttributesRequest, GetConstraintsRequest, GetRequest, GetUsageAllocationRequest, HashRequest, ImportRequest,
    InteropRequest, JoinSplitKeyRequest, LocateRequest, LogRequest, LoginRequest, LogoutRequest, MacRequest,
    MacVerifyRequest, ModifyAttributeRequest, NotifyRequest, ObtainLeaseRequest, PingRequest, Pkcs11Call,
    Pkcs11Request, PollRequest, ProcessRequest, PutRequest, QueryAsynchronousRequestsRequest, QueryRequest,
    ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest, RecoverRequest, RegisterRequest, RequestPayload,
    RevokeRequest, Right, Rights, RngRetrieveRequest, RngSeedRequest, SetAttributeRequest, SetConstraintsRequest,
    SetDefaultsRequest, SetEndpointRoleRequest, SignRequest, SignatureVerifyRequest, Ticket, ValidateRequest,
};
use kmip::registry::{
    AdjustmentType, BlockCipherMode, CryptographicAlgorithm, DerivationMethod, DigitalSignatureAlgorithm, EndpointRole,
    HashingAlgorithm, InteropFunction, KeyFormatType, ObjectType, OpaqueDataType, Operation, PaddingMethod,
    Pkcs11Function, PutFunction, QueryFunction, RevocationReasonCode, SecretDataType, SplitKeyMethod,
    StorageStatusMask, TicketType, UsageMask, WrappingMethod,
};
use kmip::ttlv::{DateTime, Interval, OwnedItem};
use secret::Secret;
use system_tests::random::Random;
use uuid::Uuid;

use crate::samples;

/// Where the parts of a random request come from.
pub(crate) struct Maker<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) version: ProtocolVersion,
    pub(crate) now_s: i64,
    /// Objects of the client's domain, and one of another.
    pub(crate) own: &'a [String],
    pub(crate) foreign: &'a [String],
    /// Values that the server gave: of tickets, streams, answers that wait.
    pub(crate) values: &'a [Vec<u8>],
}

impl Maker<'_> {
    fn chance(&mut self, one_in: usize) -> bool {
        self.random.below(one_in) == 0
    }

    fn any<T: Copy>(&mut self, of: &[T]) -> T {
        *self.random.one_of(of).unwrap()
    }

    fn id(&mut self) -> String {
        match self.random.below(20) {
            0 => self.random.one_of(self.foreign).cloned().unwrap_or_default(),
            1 => Uuid::now_v7().to_string(),
            2 => self.any(&["", "misspelt", "../..", "01890000-0000-7000-8000-00000000000G"]).to_owned(),
            _ => self.random.one_of(self.own).cloned().unwrap_or_else(|| "none yet".to_owned()),
        }
    }

    /// Sometimes the ID Placeholder.
    fn named(&mut self) -> Option<Identifier> {
        (!self.chance(6)).then(|| self.id().into())
    }

    fn value(&mut self) -> Vec<u8> {
        if self.chance(3) {
            return self.random.bytes(16);
        }
        self.random.one_of(self.values).cloned().unwrap_or_else(|| vec![7; 16])
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.any(&[0, 1, 8, 15, 16, 24, 32, 32, 32, 64, 300]);
        self.random.bytes(len)
    }

    fn secret(&mut self) -> Secret {
        Secret::new(self.bytes())
    }

    fn data(&mut self) -> Option<Data> {
        (!self.chance(8)).then(|| Data::from(self.secret()))
    }

    fn kind(&mut self) -> AttributeKind {
        loop {
            let kind = self.any(AttributeKind::ALL);
            if kind.is_known_to(self.version) {
                return kind;
            }
        }
    }

    fn attribute(&mut self) -> Attribute {
        let (kind, number) = (self.kind(), self.random.below(3));
        let mut attribute = Attribute::new(samples::value(kind, u8::try_from(number).unwrap(), self.now_s));
        if self.chance(4) && !self.version.is_2_x() {
            attribute.index = Some(i32::try_from(self.random.below(4)).unwrap() - 1);
        }
        attribute
    }

    /// Attributes of something to be made: what it needs, mostly, and others.
    fn attributes(&mut self, algorithm: CryptographicAlgorithm) -> Vec<AttributeValue> {
        let masks = [UsageMask::ENCRYPT, UsageMask::DECRYPT, UsageMask::SIGN, UsageMask::DERIVE_KEY, UsageMask(0xffff)];
        let mut all = vec![
            AttributeValue::CryptographicAlgorithm(algorithm),
            AttributeValue::CryptographicLength(self.any(&[256, 256, 256, 128, 255, 0, -1, i32::MAX])),
            AttributeValue::CryptographicUsageMask(self.any(&masks).union(self.any(&masks))),
        ];
        if self.chance(2) {
            all.push(AttributeValue::ActivationDate(DateTime(self.now_s - 100)));
        }
        if self.chance(8) {
            all.remove(self.random.below(all.len()));
        }
        while self.chance(3) {
            all.push(self.attribute().value);
        }
        all
    }

    fn object(&mut self) -> ManagedObject {
        match self.random.below(4) {
            0 => ManagedObject::OpaqueObject(OpaqueObject {
                opaque_data_type: OpaqueDataType(0x8000_0001),
                value: self.secret(),
            }),
            1 => ManagedObject::SecretData(SecretData {
                secret_data_type: SecretDataType::Password,
                key_block: KeyBlock::without_algorithm(KeyFormatType::Raw, self.secret()),
            }),
            _ => {
                let key = self.secret();
                let bits = i32::try_from(key.len() * 8).unwrap();
                let key_block = KeyBlock::raw(key, CryptographicAlgorithm::Aes, bits);
                ManagedObject::SymmetricKey(SymmetricKey { key_block })
            }
        }
    }

    fn parameters(&mut self) -> Option<Box<CryptographicParameters>> {
        let mut parameters = CryptographicParameters::default();
        let modes = [BlockCipherMode::Cbc, BlockCipherMode::Gcm, BlockCipherMode::Ctr, BlockCipherMode::Xts];
        let hashes = [HashingAlgorithm::Sha256, HashingAlgorithm::Sha1, HashingAlgorithm::Sha3_512];
        let algorithms = [CryptographicAlgorithm::HmacSha256, CryptographicAlgorithm::Aes, CryptographicAlgorithm::Rsa];
        if self.chance(2) {
            parameters.block_cipher_mode = Some(self.any(&modes));
        }
        if self.chance(3) {
            parameters.padding_method = Some(self.any(&[PaddingMethod::Pkcs5, PaddingMethod::None]));
        }
        if self.chance(2) {
            parameters.hashing_algorithm = Some(self.any(&hashes));
        }
        if self.chance(2) {
            parameters.cryptographic_algorithm = Some(self.any(&algorithms));
        }
        if self.chance(4) {
            parameters.digital_signature_algorithm = Some(DigitalSignatureAlgorithm::EcdsaWithSha256);
        }
        if self.chance(2) {
            parameters.random_iv = Some(true);
        }
        if self.chance(6) {
            parameters.tag_length = Some(self.any(&[0, -1, 12, 16, i32::MAX]));
        }
        (!self.chance(5)).then(|| Box::new(parameters))
    }

    fn wrapping(&mut self) -> Option<Box<KeyWrappingSpecification>> {
        if !self.chance(4) {
            return None;
        }
        Some(Box::new(KeyWrappingSpecification {
            wrapping_method: self.any(WrappingMethod::ALL),
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: self.id(),
                cryptographic_parameters: self.parameters(),
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: None,
        }))
    }

    fn truth(&mut self) -> Option<bool> {
        self.any(&[None, Some(true), Some(false)])
    }

    fn stream(&mut self) -> Option<Vec<u8>> {
        (self.version >= ProtocolVersion::V1_3 && self.chance(3)).then(|| self.value())
    }

    /// Begin and end of a stream, which came with 1.3.
    fn ends(&mut self) -> (Option<bool>, Option<bool>) {
        if self.version >= ProtocolVersion::V1_3 && self.chance(3) {
            (self.truth(), self.truth())
        } else {
            (None, None)
        }
    }

    /// A request of this operation.
    #[expect(clippy::too_many_lines, reason = "a row for each operation")]
    pub(crate) fn request(&mut self, operation: Operation) -> RequestPayload {
        use Operation as O;
        match operation {
            O::Create => CreateRequest::symmetric_key(self.attributes(CryptographicAlgorithm::Aes)).into(),
            O::CreateKeyPair => {
                let common = self.attributes(CryptographicAlgorithm::Ecdsa);
                CreateKeyPairRequest { common_attributes: Some(common.into()), ..Default::default() }.into()
            }
            O::Register => {
                let object = self.object();
                RegisterRequest::new(object, self.attributes(CryptographicAlgorithm::Aes)).into()
            }
            O::ReKey => {
                // No date comes due while two looks are compared.
                let offset = self.chance(3).then(|| Interval(self.any(&[0, 100_000, u32::MAX])));
                ReKeyRequest { unique_identifier: self.named(), offset, ..Default::default() }.into()
            }
            O::ReKeyKeyPair => {
                ReKeyKeyPairRequest { private_key_unique_identifier: self.named(), ..Default::default() }.into()
            }
            O::DeriveKey => {
                let methods = [DerivationMethod::Hash, DerivationMethod::Hmac, DerivationMethod::Encrypt];
                DeriveKeyRequest {
                    object_type: self.any(&[
                        ObjectType::SecretData,
                        ObjectType::SymmetricKey,
                        ObjectType::OpaqueObject,
                    ]),
                    unique_identifiers: (0..self.random.below(4)).map(|_| self.id().into()).collect(),
                    derivation_method: self.any(&methods),
                    derivation_parameters: DerivationParameters {
                        cryptographic_parameters: self.parameters(),
                        derivation_data: self.chance(2).then(|| self.secret()).into_iter().collect(),
                        ..Default::default()
                    },
                    template_attribute: self.attributes(CryptographicAlgorithm::Aes).into(),
                }
                .into()
            }
            O::Certify => CertifyRequest { unique_identifier: self.named(), ..Default::default() }.into(),
            O::ReCertify => ReCertifyRequest { unique_identifier: self.named(), ..Default::default() }.into(),
            O::Locate => LocateRequest {
                maximum_items: self.chance(2).then(|| self.any(&[0, 1, 5, -1, i32::MAX])),
                offset_items: (self.version >= ProtocolVersion::V1_3 && self.chance(3)).then(|| self.any(&[0, 2, -1])),
                storage_status_mask: self.chance(4).then_some(StorageStatusMask::ON_LINE_STORAGE),
                object_group_member: None,
                attributes: (0..self.random.below(3)).map(|_| self.attribute().value.into()).collect(),
            }
            .into(),
            O::Check => CheckRequest {
                unique_identifier: self.named(),
                usage_limits_count: self.chance(3).then(|| self.any(&[0, 1, i64::MIN, i64::MAX])),
                cryptographic_usage_mask: self.chance(2).then(|| self.any(&[UsageMask::SIGN, UsageMask(0)])),
                lease_time: self.chance(3).then(|| Interval(self.any(&[0, u32::MAX]))),
            }
            .into(),
            O::Get => GetRequest {
                unique_identifier: self.named(),
                key_format_type: self.chance(3).then(|| self.any(&[KeyFormatType::Raw, KeyFormatType::Pkcs8])),
                key_wrapping_specification: self.wrapping(),
                ..Default::default()
            }
            .into(),
            O::GetAttributes => {
                let names = [&["State"][..], &[], &["No Such Thing"], &["Name", "Name"], &["x-walked", "Digest"]];
                let attribute_names = self.any(&names).iter().map(|name| (*name).to_owned()).collect();
                // A name that no version has cannot be written in 2.x.
                let attribute_names = if self.version.is_2_x() { Vec::new() } else { attribute_names };
                GetAttributesRequest { unique_identifier: self.named(), attribute_names }.into()
            }
            O::GetAttributeList => GetAttributeListRequest { unique_identifier: self.named() }.into(),
            O::AddAttribute => {
                AddAttributeRequest { unique_identifier: self.named(), attribute: self.attribute() }.into()
            }
            O::ModifyAttribute => ModifyAttributeRequest {
                unique_identifier: self.named(),
                current_attribute: None,
                attribute: self.attribute(),
            }
            .into(),
            O::DeleteAttribute => DeleteAttributeRequest {
                unique_identifier: self.named(),
                attribute_name: self.attribute().value.name().to_owned(),
                attribute_index: (!self.version.is_2_x() && self.chance(3)).then(|| self.any(&[0, 1, -1, i32::MAX])),
                current_attribute: None,
            }
            .into(),
            O::SetAttribute => {
                SetAttributeRequest { unique_identifier: self.named(), attribute: self.attribute() }.into()
            }
            O::AdjustAttribute => AdjustAttributeRequest {
                unique_identifier: self.named(),
                attribute_reference: AttributeReference(self.attribute().value.name().to_owned()),
                adjustment_type: self.any(AdjustmentType::ALL),
                adjustment_value: self
                    .chance(2)
                    .then(|| OwnedItem::of(kmip::Tag::ADJUSTMENT_VALUE, &Interval(self.any(&[1, u32::MAX]))))
                    .flatten(),
            }
            .into(),
            O::ObtainLease => ObtainLeaseRequest { unique_identifier: self.named() }.into(),
            O::GetUsageAllocation => GetUsageAllocationRequest {
                unique_identifier: self.named(),
                usage_limits_count: self.any(&[0, 1, 50, -1, i64::MAX]),
            }
            .into(),
            O::Activate => ActivateRequest { unique_identifier: self.named() }.into(),
            O::Revoke => RevokeRequest {
                unique_identifier: self.named(),
                revocation_reason: RevocationReason { code: self.any(RevocationReasonCode::ALL), message: None },
                compromise_occurrence_date: self.chance(3).then(|| DateTime(self.any(&[0, i64::MAX, i64::MIN]))),
            }
            .into(),
            O::Destroy => DestroyRequest { unique_identifier: self.named() }.into(),
            O::Archive => ArchiveRequest { unique_identifier: self.named() }.into(),
            O::Recover => RecoverRequest { unique_identifier: self.named() }.into(),
            O::Validate => ValidateRequest { unique_identifiers: vec![self.id().into()], ..Default::default() }.into(),
            O::Query => QueryRequest::of(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]).into(),
            O::Cancel => CancelRequest { asynchronous_correlation_value: self.value() }.into(),
            O::Poll => PollRequest { asynchronous_correlation_value: self.value() }.into(),
            O::Process => ProcessRequest { asynchronous_correlation_value: self.value() }.into(),
            O::QueryAsynchronousRequests => QueryAsynchronousRequestsRequest::default().into(),
            O::Notify => {
                let changes = AttributeChanges { changed: vec![self.attribute()], ..AttributeChanges::default() };
                NotifyRequest { unique_identifier: self.id(), changes }.into()
            }
            O::Put => PutRequest {
                unique_identifier: self.id(),
                put_function: PutFunction::New,
                replaced_unique_identifier: None,
                object: self.object(),
                attributes: Vec::new(),
            }
            .into(),
            O::DiscoverVersions => DiscoverVersionsRequest::default().into(),
            O::Encrypt => {
                let (init_indicator, final_indicator) = self.ends();
                EncryptRequest {
                    unique_identifier: self.named(),
                    cryptographic_parameters: self.parameters(),
                    data: self.data(),
                    iv_counter_nonce: self.chance(3).then(|| self.bytes()),
                    correlation_value: self.stream(),
                    init_indicator,
                    final_indicator,
                    ..Default::default()
                }
                .into()
            }
            O::Decrypt => {
                let (init_indicator, final_indicator) = self.ends();
                DecryptRequest {
                    unique_identifier: self.named(),
                    cryptographic_parameters: self.parameters(),
                    data: self.data(),
                    iv_counter_nonce: match self.random.below(3) {
                        0 => None,
                        1 => Some(self.bytes()),
                        // As long as most modes have it.
                        _ => Some(self.random.bytes(16)),
                    },
                    correlation_value: self.stream(),
                    init_indicator,
                    final_indicator,
                    ..Default::default()
                }
                .into()
            }
            O::Sign => SignRequest {
                unique_identifier: self.named(),
                cryptographic_parameters: self.parameters(),
                data: self.data(),
                correlation_value: self.stream(),
                ..Default::default()
            }
            .into(),
            O::SignatureVerify => SignatureVerifyRequest {
                unique_identifier: self.named(),
                cryptographic_parameters: self.parameters(),
                data: self.data(),
                signature_data: self.chance(2).then(|| self.bytes()),
                ..Default::default()
            }
            .into(),
            O::Mac => MacRequest {
                unique_identifier: self.named(),
                cryptographic_parameters: self.parameters(),
                data: self.data(),
                correlation_value: self.stream(),
                ..Default::default()
            }
            .into(),
            O::MacVerify => MacVerifyRequest {
                unique_identifier: self.named(),
                cryptographic_parameters: self.parameters(),
                data: self.data(),
                mac_data: self.chance(2).then(|| self.bytes()),
                ..Default::default()
            }
            .into(),
            O::RngRetrieve => RngRetrieveRequest { data_length: self.any(&[0, 1, 32, -1, i32::MAX]) }.into(),
            O::RngSeed => RngSeedRequest { data: Data::from(self.secret()) }.into(),
            O::Hash => {
                let (init_indicator, final_indicator) = self.ends();
                HashRequest {
                    cryptographic_parameters: self.parameters().unwrap_or_default(),
                    data: self.data(),
                    correlation_value: self.stream(),
                    init_indicator,
                    final_indicator,
                }
                .into()
            }
            O::CreateSplitKey => CreateSplitKeyRequest {
                object_type: ObjectType::SplitKey,
                unique_identifier: self.named(),
                split_key_parts: self.any(&[3, 2, 0, -1, i32::MAX]),
                split_key_threshold: self.any(&[2, 3, 0, i32::MIN]),
                split_key_method: self.any(&[SplitKeyMethod::Xor, SplitKeyMethod::PolynomialSharingGf2_16]),
                prime_field_size: None,
                template_attribute: self.attributes(CryptographicAlgorithm::Aes).into(),
                protection_storage_masks: None,
            }
            .into(),
            O::JoinSplitKey => JoinSplitKeyRequest {
                object_type: ObjectType::SymmetricKey,
                unique_identifiers: (0..1 + self.random.below(4)).map(|_| self.id().into()).collect(),
                secret_data_type: None,
                template_attribute: None,
                protection_storage_masks: None,
            }
            .into(),
            O::Import => {
                let object = self.object();
                ImportRequest {
                    unique_identifier: if self.chance(2) { Uuid::now_v7().to_string() } else { self.id() },
                    object_type: self.version.is_2_x().then(|| object.object_type()),
                    replace_existing: self.truth(),
                    key_wrap_type: None,
                    attributes: (0..self.random.below(4)).map(|_| self.attribute()).collect(),
                    object,
                }
                .into()
            }
            O::Export => {
                let key_wrapping_specification = self.wrapping();
                let unique_identifier = self.named();
                ExportRequest { unique_identifier, key_wrapping_specification, ..Default::default() }.into()
            }
            O::Log => LogRequest { log_message: "\u{202e}odd\u{0}text\n".repeat(self.random.below(20)) }.into(),
            O::Login => {
                LoginRequest { request_count: self.any(&[None, Some(1), Some(-1)]), ..Default::default() }.into()
            }
            O::Logout => {
                let ticket_value = Secret::new(self.value());
                LogoutRequest { ticket: Ticket { ticket_type: TicketType::Login, ticket_value } }.into()
            }
            O::DelegatedLogin => {
                let rights = Rights { rights: vec![Right::default(); self.random.below(3)] };
                DelegatedLoginRequest { lease_time: None, request_count: None, usage_limits: None, rights }.into()
            }
            O::SetEndpointRole => SetEndpointRoleRequest { endpoint_role: self.any(EndpointRole::ALL) }.into(),
            O::Pkcs11 => Pkcs11Request {
                interface: None,
                function: Pkcs11Call::Standard(self.any(Pkcs11Function::ALL)),
                correlation_value: self.chance(2).then(|| self.value()),
                input_parameters: self.chance(3).then(|| self.secret()),
            }
            .into(),
            O::Interop => {
                let interop_function = self.any(InteropFunction::ALL);
                InteropRequest { interop_function, interop_identifier: "a sequence".to_owned() }.into()
            }
            O::ReProvision => kmip::payload::ReProvisionRequest::default().into(),
            // What holds for new objects is taken back soon, or nothing would be made any more.
            O::SetDefaults => {
                let defaults_information = self.chance(2).then(DefaultsInformation::default);
                SetDefaultsRequest { defaults_information }.into()
            }
            O::SetConstraints => {
                let constraint = Constraint::default();
                let constraints = self.chance(2).then(|| Constraints { constraints: vec![constraint] });
                SetConstraintsRequest { constraints }.into()
            }
            O::GetConstraints => GetConstraintsRequest.into(),
            O::Ping => PingRequest.into(),
        }
    }
}
