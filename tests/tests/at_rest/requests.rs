//! What is asked of the marked objects: one row for each operation, so that an operation without one does not compile.

use kmip::ProtocolVersion;
use kmip::attribute::{
    Attribute, AttributeReference, AttributeValue, CryptographicDomainParameters, CryptographicParameters,
    RevocationReason, UsageLimits,
};
use kmip::message::{Outcome, RequestMessage};
use kmip::object::{Certificate, EncryptionKeyInformation, KeyWrappingSpecification};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, AttributeChanges, CancelRequest,
    CertifyRequest, CheckRequest, Constraint, Constraints, CreateKeyPairRequest, CreateSplitKeyRequest, Data,
    DecryptRequest, DefaultsFor, DefaultsInformation, DelegatedLoginRequest, DeleteAttributeRequest,
    DerivationParameters, DeriveKeyRequest, DestroyRequest, DiscoverVersionsRequest, EncryptRequest, ExportRequest,
    GetAttributeListRequest, GetAttributesRequest, GetConstraintsRequest, GetRequest, GetUsageAllocationRequest,
    HashRequest, ImportRequest, InteropRequest, JoinSplitKeyRequest, LocateRequest, LogRequest, LoginRequest,
    LogoutRequest, MacRequest, MacVerifyRequest, ModifyAttributeRequest, NotifyRequest, ObjectDefaults,
    ObtainLeaseRequest, PingRequest, Pkcs11Call, Pkcs11Request, PollRequest, ProcessRequest, PutRequest,
    QueryAsynchronousRequestsRequest, QueryRequest, ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest,
    ReProvisionRequest, RecoverRequest, RequestPayload, RevokeRequest, Right, Rights, RngRetrieveRequest,
    RngSeedRequest, SetAttributeRequest, SetConstraintsRequest, SetDefaultsRequest, SetEndpointRoleRequest,
    SignRequest, SignatureVerifyRequest, Ticket, ValidateRequest,
};
use kmip::registry::{
    AdjustmentType, AsynchronousIndicator, BlockCipherMode, CertificateType, CryptographicAlgorithm, DerivationMethod,
    DigitalSignatureAlgorithm, EndpointRole, HashingAlgorithm, InteropFunction, KeyFormatType, ObjectType, Operation,
    Pkcs11Function, PutFunction, QueryFunction, RecommendedCurve, RevocationReasonCode, SplitKeyMethod, TicketType,
    UsageLimitsUnit, UsageMask, WrappingMethod,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use uuid::Uuid;

use crate::objects;
use crate::world::World;

/// A vendor attribute that the objects get.
const TAG: &str = "x-tag";

fn parameters(of: CryptographicParameters) -> Option<Box<CryptographicParameters>> {
    Some(Box::new(of))
}

fn cbc() -> Option<Box<CryptographicParameters>> {
    parameters(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::Cbc),
        padding_method: Some(kmip::registry::PaddingMethod::Pkcs5),
        random_iv: Some(true),
        ..Default::default()
    })
}

fn sha256() -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::Sha256), ..Default::default() }
}

fn hmac() -> Option<Box<CryptographicParameters>> {
    let cryptographic_algorithm = Some(CryptographicAlgorithm::HmacSha256);
    parameters(CryptographicParameters { cryptographic_algorithm, ..Default::default() })
}

fn ecdsa() -> Option<Box<CryptographicParameters>> {
    let digital_signature_algorithm = Some(DigitalSignatureAlgorithm::EcdsaWithSha256);
    parameters(CryptographicParameters { digital_signature_algorithm, ..Default::default() })
}

fn data(bytes: &[u8]) -> Option<Data> {
    Some(Data::from(Secret::copy_from(bytes)))
}

fn tag(text: &str) -> Attribute {
    Attribute::new(AttributeValue::custom_text(TAG, text).unwrap())
}

/// A curve that no module makes pairs on, so that they come of random bytes.
const OF_NO_MODULE: RecommendedCurve = RecommendedCurve::Brainpoolp320r1;
const OF_NO_MODULE_BITS: i32 = 320;

fn pair(algorithm: CryptographicAlgorithm, length: i32) -> CreateKeyPairRequest {
    asking::signing_pair(algorithm, length, vec![AttributeValue::ActivationDate(DateTime(1))])
}

fn certify(public: &str) -> CertifyRequest {
    CertifyRequest { unique_identifier: Some(public.into()), ..Default::default() }
}

fn derive(world: &mut World, id: &str, method: DerivationMethod) -> RequestPayload {
    // What a derivation takes beside the key is a secret of two parties, sometimes.
    let derivation_data = match method {
        DerivationMethod::Hash => Vec::new(),
        _ => vec![Secret::new(world.marker("data of a derivation"))],
    };
    let derivation_parameters = DerivationParameters {
        cryptographic_parameters: match method {
            DerivationMethod::Encrypt => cbc(),
            // Not SHA-256, which is the Digest attribute: such a key is in the database because the standard wants it.
            DerivationMethod::Hash => {
                let hashing_algorithm = Some(HashingAlgorithm::Sha384);
                parameters(CryptographicParameters { hashing_algorithm, ..Default::default() })
            }
            _ => parameters(sha256()),
        },
        initialization_vector: (method == DerivationMethod::Encrypt).then(|| vec![7; 16]),
        derivation_data,
        salt: (method == DerivationMethod::Pbkdf2).then(|| vec![7; 16]),
        iteration_count: (method == DerivationMethod::Pbkdf2).then_some(10_000),
    };
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![id.into()],
        derivation_method: method,
        derivation_parameters,
        template_attribute: vec![AttributeValue::CryptographicLength(256)].into(),
    }
    .into()
}

fn split(id: Option<&str>, method: SplitKeyMethod) -> RequestPayload {
    let template_attribute = match id {
        Some(_) => Vec::<AttributeValue>::new().into(),
        None => asking::aes(Vec::new()).template_attribute,
    };
    CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: id.map(Into::into),
        split_key_parts: 3,
        split_key_threshold: if method == SplitKeyMethod::Xor { 3 } else { 2 },
        split_key_method: method,
        prime_field_size: None,
        template_attribute,
        protection_storage_masks: None,
    }
    .into()
}

fn wrapped(kek: &str) -> KeyWrappingSpecification {
    let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::NistKeyWrap), ..Default::default() };
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: kek.to_owned(),
            cryptographic_parameters: parameters(mode),
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: None,
    }
}

fn revoke(id: &str, code: RevocationReasonCode) -> RequestPayload {
    RevokeRequest {
        unique_identifier: Some(id.into()),
        revocation_reason: RevocationReason { code, message: Some("said by the client".to_owned()) },
        compromise_occurrence_date: None,
    }
    .into()
}

/// A request whose answer waits; gives the value to ask for it.
fn put_off(world: &mut World) -> Vec<u8> {
    let id = world.of("symmetric key").to_owned();
    let mut message = RequestMessage::single(world.version, GetAttributesRequest::of(&id, &[]));
    message.header.asynchronous =
        Some(if world.version.is_2_x() { AsynchronousIndicator::Mandatory } else { AsynchronousIndicator::Optional });
    match world.outcomes(&message).as_slice() {
        [Outcome::Pending { asynchronous_correlation_value }] => asynchronous_correlation_value.clone(),
        other => panic!("not put off: {other:?}"),
    }
}

fn import(world: &World, id: String, replace_existing: Option<bool>, bytes: &[u8]) -> RequestPayload {
    let object = objects::key(bytes).object;
    let object_type = world.version.is_2_x().then_some(ObjectType::SymmetricKey);
    let attributes = vec![
        Attribute::new(AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes)),
        Attribute::new(AttributeValue::CryptographicLength(256)),
        Attribute::new(AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT)),
    ];
    ImportRequest { unique_identifier: id, object_type, replace_existing, key_wrap_type: None, attributes, object }
        .into()
}

/// The first part of a stream that this key encrypts.
pub(crate) fn first_part(key: &str) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: Some(key.into()),
        cryptographic_parameters: cbc(),
        data: data(&[0; 16]),
        init_indicator: Some(true),
        ..Default::default()
    }
}

/// The requests of an operation, well and wrongly, about objects of every kind. None where it is not offered.
pub(crate) fn of(operation: Operation, world: &mut World) -> Vec<RequestPayload> {
    use Operation as O;
    let every: Vec<String> = world.identifiers();
    let each = |make: &dyn Fn(&str) -> RequestPayload| every.iter().map(|id| make(id)).collect::<Vec<_>>();
    let key = world.of("symmetric key").to_owned();
    match operation {
        O::Create => vec![asking::aes(Vec::new()).into(), asking::aes(vec![AttributeValue::Sensitive(true)]).into()],
        O::CreateKeyPair => {
            let mut of_random_bytes = pair(CryptographicAlgorithm::Ecdsa, OF_NO_MODULE_BITS);
            let curve = CryptographicDomainParameters { recommended_curve: Some(OF_NO_MODULE), qlength: None };
            let algorithm = AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ecdsa);
            let common = vec![algorithm, AttributeValue::CryptographicDomainParameters(curve)];
            of_random_bytes.common_attributes = Some(common.into());
            vec![
                of_random_bytes.into(),
                pair(CryptographicAlgorithm::Ecdsa, 256).into(),
                pair(CryptographicAlgorithm::Rsa, 2048).into(),
            ]
        }
        O::Register => {
            let [private, _] = world.pair(pair(CryptographicAlgorithm::Rsa, 2048));
            let rsa = objects::private_key(&world.pkcs8_of(&private), CryptographicAlgorithm::Rsa, 2048);
            world.new_objects().into_iter().chain([rsa.into()]).collect()
        }
        O::ReKey => each(&|id| ReKeyRequest { unique_identifier: Some(id.into()), ..Default::default() }.into()),
        O::ReKeyKeyPair => {
            let [private, _] = world.pair(pair(CryptographicAlgorithm::Ecdsa, 256));
            let every = every.iter().chain([&private]);
            every
                .map(|id| {
                    let private_key_unique_identifier = Some(id.as_str().into());
                    ReKeyKeyPairRequest { private_key_unique_identifier, ..Default::default() }.into()
                })
                .collect()
        }
        O::DeriveKey => {
            let password = world.of("secret data").to_owned();
            [
                (key.as_str(), DerivationMethod::Hash),
                (&key, DerivationMethod::Hmac),
                (&key, DerivationMethod::Nist800_108C),
                (&key, DerivationMethod::Encrypt),
                (&password, DerivationMethod::Pbkdf2),
                (&password, DerivationMethod::Hash),
            ]
            .into_iter()
            .map(|(id, method)| derive(world, id, method))
            .collect()
        }
        O::Certify => {
            let [_, public] = world.pair(pair(CryptographicAlgorithm::Ecdsa, 256));
            every.iter().chain([&public]).map(|id| certify(id).into()).collect()
        }
        O::ReCertify => {
            let [_, public] = world.pair(pair(CryptographicAlgorithm::Ecdsa, 256));
            let certificate = world.make(certify(&public));
            let every = every.iter().chain([&certificate]);
            let renew = |id: &String| ReCertifyRequest { unique_identifier: Some(id.into()), ..Default::default() };
            every.map(|id| renew(id).into()).collect()
        }
        O::Locate => vec![LocateRequest::default().into()],
        O::Check => each(&|id| {
            let cryptographic_usage_mask = Some(UsageMask::SIGN);
            CheckRequest { unique_identifier: Some(id.into()), cryptographic_usage_mask, ..Default::default() }.into()
        }),
        O::Get => {
            let kek = world.of("wrapping key").to_owned();
            let mut all = each(&|id| GetRequest::of(id).into());
            all.extend(each(&|id| {
                GetRequest { key_format_type: Some(KeyFormatType::Pkcs8), ..GetRequest::of(id) }.into()
            }));
            all.extend(each(&|id| {
                let key_wrapping_specification = Some(Box::new(wrapped(&kek)));
                GetRequest { key_wrapping_specification, ..GetRequest::of(id) }.into()
            }));
            all
        }
        O::GetAttributes => each(&|id| GetAttributesRequest::of(id, &[]).into()),
        O::GetAttributeList => each(&|id| GetAttributeListRequest { unique_identifier: Some(id.into()) }.into()),
        O::AddAttribute => {
            each(&|id| AddAttributeRequest { unique_identifier: Some(id.into()), attribute: tag("one") }.into())
        }
        O::ModifyAttribute => each(&|id| {
            let unique_identifier = Some(id.into());
            ModifyAttributeRequest { unique_identifier, current_attribute: None, attribute: tag("two") }.into()
        }),
        O::SetAttribute => {
            each(&|id| SetAttributeRequest { unique_identifier: Some(id.into()), attribute: tag("three") }.into())
        }
        O::AdjustAttribute => {
            let bytes = world.marker("made sensitive");
            let fresh = world.make(objects::key(&bytes));
            let adjust = |id: &String, name: &str, adjustment_type| AdjustAttributeRequest {
                unique_identifier: Some(id.into()),
                attribute_reference: AttributeReference(name.to_owned()),
                adjustment_type,
                adjustment_value: None,
            };
            let increment = |id| adjust(id, "Protect Stop Date", AdjustmentType::Increment).into();
            let mut all: Vec<RequestPayload> = every.iter().map(increment).collect();
            all.push(adjust(&fresh, "Sensitive", AdjustmentType::Negate).into());
            all
        }
        O::DeleteAttribute => each(&|id| {
            DeleteAttributeRequest {
                unique_identifier: Some(id.into()),
                attribute_name: TAG.to_owned(),
                attribute_index: None,
                current_attribute: None,
            }
            .into()
        }),
        O::ObtainLease => each(&|id| ObtainLeaseRequest { unique_identifier: Some(id.into()) }.into()),
        O::GetUsageAllocation => {
            let total = UsageLimits { total: Some(1000), count: None, unit: Some(UsageLimitsUnit::Byte) };
            let limited = world.make(objects::limited_key(total));
            [limited, key]
                .map(|id| {
                    let unique_identifier = Some(id.as_str().into());
                    GetUsageAllocationRequest { unique_identifier, usage_limits_count: 10 }.into()
                })
                .into()
        }
        O::Activate => {
            let mut all = each(&|id| ActivateRequest::of(id).into());
            let bytes = world.marker("activated");
            let fresh = world.make(asking::known_aes(&bytes, Vec::new()));
            all.push(ActivateRequest::of(fresh.as_str()).into());
            all
        }
        O::Revoke => {
            let fresh = world.fresh();
            let codes = [RevocationReasonCode::CessationOfOperation, RevocationReasonCode::KeyCompromise];
            fresh.iter().flat_map(|id| codes.map(|code| revoke(id, code))).collect()
        }
        O::Destroy => {
            let mut all = each(&|id| DestroyRequest::of(id).into());
            // Nothing active is destroyed; what is revoked is.
            for id in world.fresh() {
                all.push(revoke(&id, RevocationReasonCode::KeyCompromise));
                all.push(DestroyRequest::of(id.as_str()).into());
            }
            // Destroying what is not active took it away: the walk goes on with objects of the same kinds.
            world.renew();
            all
        }
        O::Archive => each(&|id| ArchiveRequest { unique_identifier: Some(id.into()) }.into()),
        O::Recover => each(&|id| RecoverRequest { unique_identifier: Some(id.into()) }.into()),
        O::Validate => each(&|id| ValidateRequest { unique_identifiers: vec![id.into()], ..Default::default() }.into()),
        O::Query => vec![QueryRequest::of(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]).into()],
        O::Cancel => vec![CancelRequest { asynchronous_correlation_value: put_off(world) }.into()],
        O::Poll => vec![PollRequest { asynchronous_correlation_value: put_off(world) }.into()],
        O::Process => vec![ProcessRequest { asynchronous_correlation_value: put_off(world) }.into()],
        O::QueryAsynchronousRequests => {
            let _ = put_off(world);
            vec![QueryAsynchronousRequestsRequest::default().into()]
        }
        O::Notify => each(&|id| {
            let changed = vec![Attribute::new(AttributeValue::LastChangeDate(DateTime(1)))];
            let changes = AttributeChanges { changed, ..AttributeChanges::default() };
            NotifyRequest { unique_identifier: id.to_owned(), changes }.into()
        }),
        O::Put => {
            // What is here to the bit, and what is not.
            let held = world.marker("put and held");
            let id = world.make(objects::key(&held));
            [held, world.marker("put and not taken")]
                .map(|bytes| {
                    PutRequest {
                        unique_identifier: id.clone(),
                        put_function: PutFunction::New,
                        replaced_unique_identifier: None,
                        object: objects::key(&bytes).object,
                        attributes: vec![Attribute::new(AttributeValue::LastChangeDate(DateTime(1)))],
                    }
                    .into()
                })
                .into()
        }
        O::DiscoverVersions => vec![DiscoverVersionsRequest::default().into()],
        O::Encrypt => {
            let plain = world.marker("plaintext");
            if world.version >= ProtocolVersion::V1_3 {
                world.stream(&key, &plain, cbc());
            }
            vec![
                EncryptRequest {
                    unique_identifier: Some(key.as_str().into()),
                    cryptographic_parameters: cbc(),
                    data: data(&plain),
                    ..Default::default()
                }
                .into(),
            ]
        }
        O::Decrypt => {
            let plain = world.marker("decrypted");
            let (sealed, iv) = world.encrypted(&key, &plain, cbc());
            vec![
                DecryptRequest {
                    unique_identifier: Some(key.as_str().into()),
                    cryptographic_parameters: cbc(),
                    data: data(&sealed),
                    iv_counter_nonce: Some(iv),
                    ..Default::default()
                }
                .into(),
            ]
        }
        O::Sign => {
            let text = world.marker("signed");
            let [ec, _] = world.pair(pair(CryptographicAlgorithm::Ecdsa, 256));
            let [rsa, _] = world.pair(pair(CryptographicAlgorithm::Rsa, 2048));
            let sign = |id: &str, cryptographic_parameters| SignRequest {
                unique_identifier: Some(id.into()),
                cryptographic_parameters,
                data: data(&text),
                ..Default::default()
            };
            let of_rsa = parameters(CryptographicParameters {
                digital_signature_algorithm: Some(DigitalSignatureAlgorithm::Sha256WithRsaEncryption),
                ..Default::default()
            });
            let registered = world.of("private key");
            vec![
                sign(registered, ecdsa()).into(),
                sign(&ec, ecdsa()).into(),
                sign(&rsa, of_rsa).into(),
                sign(&key, ecdsa()).into(),
            ]
        }
        O::SignatureVerify => {
            let text = world.marker("verified");
            let [_, public] = world.pair(pair(CryptographicAlgorithm::Ecdsa, 256));
            let verify = |id: &String| SignatureVerifyRequest {
                unique_identifier: Some(id.into()),
                cryptographic_parameters: ecdsa(),
                data: data(&text),
                signature_data: Some(vec![1; 64]),
                ..Default::default()
            };
            every.iter().chain([&public]).map(|id| verify(id).into()).collect()
        }
        O::Mac => {
            let text = world.marker("authenticated");
            each(&|id| {
                let (unique_identifier, cryptographic_parameters) = (Some(id.into()), hmac());
                MacRequest { unique_identifier, cryptographic_parameters, data: data(&text), ..Default::default() }
                    .into()
            })
        }
        O::MacVerify => {
            let text = world.marker("checked");
            each(&|id| {
                MacVerifyRequest {
                    unique_identifier: Some(id.into()),
                    cryptographic_parameters: hmac(),
                    data: data(&text),
                    mac_data: Some(vec![1; 32]),
                    ..Default::default()
                }
                .into()
            })
        }
        O::RngRetrieve => vec![RngRetrieveRequest { data_length: 32 }.into()],
        O::RngSeed => {
            let seed = world.marker("seed");
            vec![RngSeedRequest { data: Data::from(Secret::new(seed)) }.into()]
        }
        O::Hash => {
            let text = world.marker("hashed");
            vec![
                HashRequest {
                    cryptographic_parameters: Box::new(sha256()),
                    data: data(&text),
                    correlation_value: None,
                    init_indicator: None,
                    final_indicator: None,
                }
                .into(),
            ]
        }
        O::CreateSplitKey => {
            let password = world.of("secret data").to_owned();
            let methods =
                [SplitKeyMethod::Xor, SplitKeyMethod::PolynomialSharingGf2_8, SplitKeyMethod::PolynomialSharingGf2_16];
            let methods = methods.into_iter().filter(|method| method.is_known_to(world.version));
            methods.flat_map(|method| [None, Some(key.as_str()), Some(&password)].map(|id| split(id, method))).collect()
        }
        O::JoinSplitKey => {
            let parts = world.split(split(Some(&key), SplitKeyMethod::Xor));
            let join = |parts: &[String]| JoinSplitKeyRequest {
                object_type: ObjectType::SymmetricKey,
                unique_identifiers: parts.iter().map(|id| id.as_str().into()).collect(),
                secret_data_type: None,
                template_attribute: None,
                protection_storage_masks: None,
            };
            vec![join(&parts).into(), join(&parts[1..]).into()]
        }
        O::Import => {
            let [new, again, refused] =
                ["imported", "imported over another", "not imported"].map(|name| world.marker(name));
            let id = Uuid::now_v7().to_string();
            vec![
                import(world, id.clone(), None, &new),
                import(world, id.clone(), Some(true), &again),
                import(world, id, Some(false), &refused),
            ]
        }
        O::Export => each(&|id| ExportRequest { unique_identifier: Some(id.into()), ..Default::default() }.into()),
        O::Log => vec![LogRequest { log_message: "said by the client".to_owned() }.into()],
        O::Login => vec![LoginRequest::default().into()],
        O::Logout => {
            let ticket_value = Secret::new(world.ticket());
            vec![LogoutRequest { ticket: Ticket { ticket_type: TicketType::Login, ticket_value } }.into()]
        }
        O::DelegatedLogin => {
            let rights = Rights { rights: vec![Right::default()] };
            vec![DelegatedLoginRequest { lease_time: None, request_count: None, usage_limits: None, rights }.into()]
        }
        O::SetEndpointRole => vec![SetEndpointRoleRequest { endpoint_role: EndpointRole::Server }.into()],
        O::Pkcs11 => [Pkcs11Function::Initialize, Pkcs11Function::GetInfo]
            .map(|function| {
                let function = Pkcs11Call::Standard(function);
                Pkcs11Request { interface: None, function, correlation_value: None, input_parameters: None }.into()
            })
            .into(),
        O::Interop => {
            let interop_function = InteropFunction::Begin;
            vec![InteropRequest { interop_function, interop_identifier: "a test".to_owned() }.into()]
        }
        O::ReProvision => {
            // From the next connection on the client is another one.
            world.tenant.identity = certs::self_signed_vcenter_client().unwrap();
            let value = world.tenant.identity.cert_der.clone();
            let certificate = Some(Certificate { certificate_type: CertificateType::X509, value });
            vec![ReProvisionRequest { certificate, ..Default::default() }.into()]
        }
        O::SetDefaults => {
            let described = vec![AttributeValue::Description("by default".to_owned()).into()];
            let of_keys = ObjectDefaults {
                object_types: DefaultsFor::One(ObjectType::SymmetricKey),
                attributes: Some(Box::new(kmip::payload::AttributeSet { attributes: described })),
                object_groups: None,
            };
            let defaults_information = Some(DefaultsInformation { object_defaults: vec![of_keys] });
            vec![SetDefaultsRequest { defaults_information }.into(), asking::aes(Vec::new()).into()]
        }
        O::SetConstraints => {
            let constraints = Some(Constraints { constraints: vec![Constraint::default()] });
            vec![SetConstraintsRequest { constraints }.into(), asking::aes(Vec::new()).into()]
        }
        O::GetConstraints => vec![GetConstraintsRequest.into()],
        O::Ping => vec![PingRequest.into()],
    }
}
