//! Another domain's object does not exist: the matrix operation × {own, foreign, absent} (bars I1, I3, P5).
//!
//! Every operation with a typed payload is asked about an object of the client's own, about one of another domain and
//! about none, in every version, by its identifier and through the ID Placeholder of a batch. `aimed` matches over all
//! payloads, so an operation without a row does not compile.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use admin_api::{Effect, ErrorCode, RevocationReason as Why, RevokeObject};
use audit::{Identity, Outcome};
use kmip::ProtocolVersion;
use kmip::attribute::{
    Attribute, AttributeReference, AttributeValue, CryptographicParameters, Identifier, Name, RevocationReason,
    TemplateAttribute, UsageLimits,
};
use kmip::message::{
    Credential, Outcome as Answer, RequestMessage, ResponseMessage, SUPPORTED_VERSIONS, TicketCredential,
};
use kmip::object::{Certificate, ManagedObject, Template};
use kmip::payload::{
    ActivateRequest, AddAttributeRequest, AdjustAttributeRequest, ArchiveRequest, AsynchronousCorrelationValues,
    AttributeChanges, CancelRequest, CertifyRequest, CheckRequest, CreateKeyPairRequest, CreateSplitKeyRequest,
    DelegatedLoginRequest, DeleteAttributeRequest, DerivationParameters, DeriveKeyRequest, DestroyRequest,
    DiscoverVersionsRequest, ExportRequest, GetAttributeListRequest, GetAttributesRequest, GetConstraintsRequest,
    GetRequest, ImportRequest, JoinSplitKeyRequest, LocateRequest, LogRequest, LoginRequest, LogoutRequest,
    ModifyAttributeRequest, NotifyRequest, Objects, ObtainLeaseRequest, Operations, PingRequest, PollRequest,
    ProcessRequest, PutRequest, QueryAsynchronousRequestsRequest, QueryRequest, ReCertifyRequest, ReKeyKeyPairRequest,
    ReKeyRequest, RecoverRequest, RegisterRequest, RequestPayload, ResponsePayload, RevokeRequest, Right, Rights,
    SetAttributeRequest, SetConstraintsRequest, SetDefaultsRequest, SetEndpointRoleRequest, TYPED_OPERATIONS, Ticket,
    ValidateRequest,
};
// What uses keys and computes.
use kmip::payload::{
    CreateRequest, Data, DecryptRequest, EncryptRequest, GetUsageAllocationRequest, HashRequest, MacRequest,
    MacVerifyRequest, Pkcs11Call, Pkcs11Request, RngSeedRequest, SignRequest, SignatureVerifyRequest,
};
use kmip::registry::{
    AdjustmentType, AsynchronousIndicator, BatchErrorContinuationOption, CancellationResult, CertificateType,
    CryptographicAlgorithm, DerivationMethod, EndpointRole, ObjectType, Operation, PutFunction, QueryFunction,
    ResultReason, RevocationReasonCode, SplitKeyMethod, State, TicketType, UsageMask,
};
use kmip::registry::{BlockCipherMode, HashingAlgorithm, Pkcs11Function, UsageLimitsUnit};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::node::{Connection, Node, Tenant};
use system_tests::{asking, exported};
use uuid::Uuid;

/// A vendor attribute that every object here has.
const TAG: &str = "x-isolation";
/// Tag, type and length of a Time Stamp, the one thing in which two answers may differ.
const TIME_STAMP: [u8; 8] = [0x42, 0x00, 0x92, 0x09, 0, 0, 0, 8];

/// The identifier that an imported object brings along.
const IMPORTED: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// What an operation is aimed at: an object by its identifier and its name, or by its name a template.
#[derive(Clone, Debug)]
struct Aim {
    id: Option<String>,
    name: String,
    template: String,
}

/// How an operation meets the objects of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    /// It names one object and fails where there is none.
    Names,
    /// It names one object of another kind than the matrix has: an own one is found and refused.
    NamesOther,
    /// It names a template and fails where there is none.
    NamesTemplate,
    /// It searches, and finds nothing where there is none.
    Searches,
    /// It has nothing to do with objects.
    Apart,
    /// It makes objects and names none; each has another identifier.
    Makes,
    /// It is about a value that the server gave.
    ByValue,
}

/// Operations that are about values which the server gave, are random in what they give, or take the client's credential
/// away: they have tests of their own.
const BY_VALUE: &[Operation] = &[
    Operation::RngRetrieve,
    Operation::Cancel,
    Operation::Poll,
    Operation::Process,
    Operation::Login,
    Operation::Logout,
    Operation::DelegatedLogin,
    Operation::Interop,
    Operation::Notify,
    Operation::Put,
    Operation::ReProvision,
];

/// The payload aimed at something, and its row. Whoever adds a payload says here how it meets objects.
fn aimed(payload: RequestPayload, aim: &Aim, version: ProtocolVersion) -> (RequestPayload, Row) {
    use RequestPayload as Q;
    let (id, template) = (aim.id.clone(), || vec![Name::text(aim.template.as_str())]);
    let unique_identifier = id.clone().map(Identifier::from);
    match payload {
        Q::DiscoverVersions(_)
        | Q::Query(_)
        | Q::Ping(_)
        | Q::QueryAsynchronousRequests(_)
        | Q::GetConstraints(_)
        | Q::SetConstraints(_)
        | Q::SetDefaults(_)
        | Q::Log(_)
        | Q::SetEndpointRole(_) => (payload, Row::Apart),
        Q::Cancel(_)
        | Q::Poll(_)
        | Q::Process(_)
        | Q::Login(_)
        | Q::Logout(_)
        | Q::DelegatedLogin(_)
        | Q::ReProvision(_)
        | Q::Interop(_) => (payload, Row::ByValue),
        // There are no templates in 2.x, and new objects name none that are there.
        Q::Create(_) | Q::Register(_) | Q::CreateKeyPair(_) if version.is_2_x() => (payload, Row::Makes),
        Q::Create(mut request) => {
            request.template_attribute.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::Register(mut request) => {
            request.template_attribute.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::CreateKeyPair(mut request) => {
            let common = request.common_attributes.get_or_insert_default();
            common.names = template();
            (request.into(), Row::NamesTemplate)
        }
        Q::ReKey(request) => (ReKeyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::CreateSplitKey(request) => {
            // Without an identifier it splits a key made for it, whatever the placeholder says.
            let row = if unique_identifier.is_some() { Row::Names } else { Row::Makes };
            (CreateSplitKeyRequest { unique_identifier, ..request }.into(), row)
        }
        Q::ReKeyKeyPair(request) => {
            let private_key_unique_identifier = unique_identifier;
            (ReKeyKeyPairRequest { private_key_unique_identifier, ..request }.into(), Row::NamesOther)
        }
        Q::Certify(request) => (CertifyRequest { unique_identifier, ..request }.into(), Row::NamesOther),
        Q::ReCertify(request) => (ReCertifyRequest { unique_identifier, ..request }.into(), Row::NamesOther),
        Q::DeriveKey(request) => {
            let unique_identifiers = unique_identifier.into_iter().collect();
            (DeriveKeyRequest { unique_identifiers, ..request }.into(), Row::NamesOther)
        }
        Q::JoinSplitKey(request) => {
            let unique_identifiers = unique_identifier.into_iter().collect();
            (JoinSplitKeyRequest { unique_identifiers, ..request }.into(), Row::NamesOther)
        }
        Q::Locate(mut request) => {
            request.attributes = match id {
                Some(id) => vec![Attribute::new(AttributeValue::UniqueIdentifier(id))],
                None => vec![Attribute::new(asking::name(&aim.name))],
            };
            (request.into(), Row::Searches)
        }
        Q::Get(request) => (GetRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::GetAttributes(request) => (GetAttributesRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::GetAttributeList(_) => (GetAttributeListRequest { unique_identifier }.into(), Row::Names),
        Q::AddAttribute(request) => (AddAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::ModifyAttribute(request) => (ModifyAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::DeleteAttribute(request) => (DeleteAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Check(request) => (CheckRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Activate(_) => (ActivateRequest { unique_identifier }.into(), Row::Names),
        Q::Revoke(request) => (RevokeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Notify(_) | Q::Put(_) => (payload, Row::ByValue),
        Q::Destroy(_) => (DestroyRequest { unique_identifier }.into(), Row::Names),
        Q::Export(request) => (ExportRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::SetAttribute(request) => (SetAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::AdjustAttribute(request) => (AdjustAttributeRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::ObtainLease(_) => (ObtainLeaseRequest { unique_identifier }.into(), Row::Names),
        Q::Archive(_) => (ArchiveRequest { unique_identifier }.into(), Row::Names),
        Q::Recover(_) => (RecoverRequest { unique_identifier }.into(), Row::Names),
        // It names certificates, which the objects here are not: the test below asks it about some.
        Q::Validate(_) => (payload, Row::Apart),
        // It names an identifier that nobody need have; the test below asks it about another domain's.
        Q::Import(_) => (payload, Row::Apart),
        Q::GetUsageAllocation(request) => {
            (GetUsageAllocationRequest { unique_identifier, ..request }.into(), Row::Names)
        }
        Q::Encrypt(request) => (EncryptRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Decrypt(request) => (DecryptRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Sign(request) => (SignRequest { unique_identifier, ..request }.into(), Row::NamesOther),
        Q::SignatureVerify(request) => {
            (SignatureVerifyRequest { unique_identifier, ..request }.into(), Row::NamesOther)
        }
        Q::Mac(request) => (MacRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::MacVerify(request) => (MacVerifyRequest { unique_identifier, ..request }.into(), Row::Names),
        Q::Hash(_) | Q::RngRetrieve(_) | Q::RngSeed(_) | Q::Pkcs11(_) => (payload, Row::Apart),
    }
}

/// A key pair on the curve that is made fastest.
fn pair() -> RequestPayload {
    let common = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ecdsa),
        AttributeValue::CryptographicLength(256),
    ];
    CreateKeyPairRequest { common_attributes: Some(common.into()), ..Default::default() }.into()
}

/// One request of every operation, such that it succeeds on a fresh object of [`prepare`].
fn every_request() -> Vec<RequestPayload> {
    let tagged = |text| Attribute::new(AttributeValue::custom_text(TAG, text).unwrap());
    let another = Attribute::new(AttributeValue::custom_text("x-another", "value").unwrap());
    let requests: Vec<RequestPayload> = vec![
        DiscoverVersionsRequest::default().into(),
        QueryRequest::of(vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects]).into(),
        asking::aes(Vec::new()).into(),
        asking::known_aes(&[7; 32], Vec::new()).into(),
        pair(),
        ReKeyRequest::default().into(),
        ReKeyKeyPairRequest::default().into(),
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: Vec::new(),
            derivation_method: DerivationMethod::Hash,
            derivation_parameters: DerivationParameters::default(),
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
fn certificate() -> Certificate {
    let authority = certs::Authority::new("isolation").unwrap();
    Certificate { certificate_type: CertificateType::X509, value: authority.cert_der().to_vec() }
}

fn cryptographic_requests() -> Vec<RequestPayload> {
    let data = || Some(Data::from(Secret::copy_from(&[1; 32])));
    let parameters = |parameters| Some(Box::new(parameters));
    let cbc = || CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::Cbc),
        random_iv: Some(true),
        ..Default::default()
    };
    let hash = || CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::Sha256), ..Default::default() };
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
        SignRequest { cryptographic_parameters: parameters(hash()), data: data(), ..Default::default() }.into(),
        SignatureVerifyRequest {
            cryptographic_parameters: parameters(hash()),
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
            cryptographic_parameters: Box::new(hash()),
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
const fn wants_active(operation: Operation) -> bool {
    use Operation as O;
    matches!(
        operation,
        O::GetUsageAllocation | O::Encrypt | O::Decrypt | O::Sign | O::SignatureVerify | O::Mac | O::MacVerify
    )
}

/// An AES-256 key that every cryptographic operation on symmetric keys may use, with further attributes.
fn usable_aes(further: Vec<AttributeValue>) -> CreateRequest {
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

/// A fresh key and a template of their own.
fn prepare(client: &mut Connection, version: ProtocolVersion) -> Aim {
    let name = format!("key {}", Uuid::new_v4());
    let template = format!("template {}", Uuid::new_v4());
    let attributes = vec![asking::name(&name), AttributeValue::custom_text(TAG, "value").unwrap()];
    let id = client.request(version, usable_aes(attributes)).unwrap().unique_identifier;
    if version.is_2_x() {
        return Aim { id: Some(id), name, template };
    }
    let group = Attribute::new(AttributeValue::ObjectGroup("group".to_owned()));
    let object = ManagedObject::Template(Template { attributes: vec![group] });
    client.request(version, RegisterRequest::new(object, vec![asking::name(&template)])).unwrap();
    Aim { id: Some(id), name, template }
}

/// What does not exist anywhere: as identifiers look, and as they do not.
fn nowhere() -> [Aim; 2] {
    [Uuid::now_v7().to_string(), "misspelt".to_owned()].map(|id| Aim {
        id: Some(id),
        name: format!("key {}", Uuid::new_v4()),
        template: format!("template {}", Uuid::new_v4()),
    })
}

/// Three ways to get at an object: by its identifier; through the placeholder that a Locate by its name leaves; through
/// the placeholder that a Create with a template of the domain leaves.
const WAYS: [&str; 3] = ["by its identifier", "after Locate", "after Create"];

/// The ways that an operation can take in a version.
fn ways(operation: Operation, version: ProtocolVersion) -> &'static [&'static str] {
    match operation {
        // The ID Placeholder does not stand in for what they name.
        Operation::DeriveKey | Operation::JoinSplitKey => &WAYS[..1],
        // A Create that names no template leaves a placeholder of its own, which is nobody else's object.
        _ if version.is_2_x() => &WAYS[..2],
        _ => &WAYS,
    }
}

fn message(version: ProtocolVersion, way: &str, payload: RequestPayload, aim: &Aim) -> (RequestMessage, Row) {
    let unnamed = Aim { id: None, ..aim.clone() };
    let named = if way == WAYS[0] { aim } else { &unnamed };
    let (first, (payload, row)) = match way {
        "after Locate" => {
            let name = vec![Attribute::new(asking::name(&aim.name))];
            (Some(LocateRequest { attributes: name, ..Default::default() }.into()), aimed(payload, &unnamed, version))
        }
        "after Create" => {
            let mut create = usable_aes(vec![AttributeValue::custom_text(TAG, "value").unwrap()]);
            if !version.is_2_x() {
                create.template_attribute.names = vec![Name::text(aim.template.as_str())];
            }
            (Some(create.into()), aimed(payload, &unnamed, version))
        }
        _ => (None, aimed(payload, aim, version)),
    };
    let activate =
        wants_active(payload.operation()).then(|| aimed(ActivateRequest::default().into(), named, version).0);
    let mut message = RequestMessage::batch(version, first.into_iter().chain(activate).chain([payload]));
    message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
    (message, row)
}

/// The bytes of an answer, the Time Stamp zeroed.
fn ask(client: &mut Connection, message: &RequestMessage) -> Vec<u8> {
    let mut answer = client.raw(&message.encode().unwrap()).unwrap();
    let at = answer.windows(TIME_STAMP.len()).position(|window| window == TIME_STAMP).unwrap() + TIME_STAMP.len();
    answer[at..at + 8].fill(0);
    answer
}

fn outcomes(answer: &[u8]) -> Vec<Answer> {
    ResponseMessage::decode(answer).unwrap().items.into_iter().map(|item| item.outcome).collect()
}

fn is_not_found(outcome: &Answer) -> bool {
    matches!(outcome, Answer::Failure { reason: ResultReason::ItemNotFound | ResultReason::ObjectNotFound, .. })
}

#[test]
fn foreign_and_absent_objects_are_the_same_to_every_operation_in_every_version() {
    let node = Node::start().unwrap();
    // Domains that allow everything, Export and Import too.
    let (owner, asker) = (node.tenant("owner", "legacy").unwrap(), node.tenant("asker", "legacy").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let admin = node.admin("operator").unwrap();
    let (mut cells, mut attempts) = (0, 0);
    for version in SUPPORTED_VERSIONS {
        let foreign = prepare(&mut owners, version);
        let foreign_id: Uuid = foreign.id.as_deref().unwrap().parse().unwrap();
        let before = admin.object_show(&owner.name, foreign_id).unwrap();
        for (request, way) in (0..every_request().len()).flat_map(|request| WAYS.map(|way| (request, way))) {
            let request = || every_request().swap_remove(request);
            if !request().operation().is_known_to(version) || !ways(request().operation(), version).contains(&way) {
                continue;
            }
            let cell = format!("{} {way}, version {version}", request().operation());

            // Own: it works, so that what follows means something.
            let (own, row) = message(version, way, request(), &prepare(&mut askers, version));
            let worked = outcomes(&ask(&mut askers, &own));
            let works = |outcome: &Answer| matches!(outcome, Answer::Success(_));
            match row {
                // Found, and refused for what it is.
                Row::NamesOther => {
                    let (last, before) = worked.split_last().unwrap();
                    assert!(before.iter().all(works), "{cell}: {worked:?}");
                    assert!(matches!(last, Answer::Failure { .. }) && !is_not_found(last), "{cell}: {last:?}");
                }
                _ => assert!(worked.iter().all(works), "{cell}: {worked:?}"),
            }

            if row == Row::Makes {
                cells += 3;
                continue;
            }

            // Foreign.
            let to_foreign = ask(&mut askers, &message(version, way, request(), &foreign).0);
            let last = outcomes(&to_foreign).pop().unwrap();
            match row {
                Row::Names | Row::NamesOther if way == WAYS[0] => {
                    assert!(is_not_found(&last), "{cell}: {last:?}");
                    attempts += 1 + usize::from(wants_active(request().operation()));
                }
                // A search that found nothing and an item that failed leave no placeholder.
                Row::Names | Row::NamesOther => {
                    assert!(matches!(last, Answer::Failure { .. }), "{cell}: {last:?}");
                }
                Row::NamesTemplate => assert!(is_not_found(&last), "{cell}: {last:?}"),
                Row::Searches => assert!(locates_nothing(&last), "{cell}: {last:?}"),
                Row::ByValue | Row::Makes => panic!("{cell}: no request asks for it"),
                Row::Apart => assert!(matches!(last, Answer::Success(_)), "{cell}: {last:?}"),
            }
            for told in [foreign.id.as_deref().unwrap(), &foreign.name, &foreign.template] {
                assert!(!to_foreign.windows(told.len()).any(|window| window == told.as_bytes()), "{cell} tells {told}");
            }

            // Absent: the same bytes.
            for absent in nowhere() {
                let to_absent = ask(&mut askers, &message(version, way, request(), &absent).0);
                assert_eq!(to_absent, to_foreign, "{cell}: {:?} and a foreign object can be told apart", absent.id);
            }
            cells += 3;
        }
        assert_eq!(admin.object_show(&owner.name, foreign_id).unwrap(), before, "in version {version}");
    }
    println!("{cells} cells");
    let in_matrix = |one: &&Operation| !BY_VALUE.contains(one);
    let known = |version: ProtocolVersion| -> usize {
        let operations = TYPED_OPERATIONS.iter().filter(in_matrix).filter(|one| one.is_known_to(version));
        operations.map(|one| ways(*one, version).len()).sum()
    };
    assert_eq!(cells, 3 * SUPPORTED_VERSIONS.into_iter().map(known).sum::<usize>());
    logs_tell_only_their_own(&node, &owner, &asker, attempts);
}

/// The outcome of one request, sent alone; `asynchronous` in its header.
fn answer_to(
    client: &mut Connection,
    version: ProtocolVersion,
    payload: impl Into<RequestPayload>,
    asynchronous: Option<AsynchronousIndicator>,
    credential: Option<Credential>,
) -> Answer {
    let mut message = RequestMessage::single(version, payload);
    message.header.asynchronous = asynchronous;
    message.header.authentication = credential.into_iter().collect();
    outcomes(&client.raw(&message.encode().unwrap()).unwrap()).pop().unwrap()
}

#[test]
fn an_answer_of_another_domain_is_one_that_nobody_waits_for() {
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    for version in SUPPORTED_VERSIONS {
        let later = if version.is_2_x() { AsynchronousIndicator::Mandatory } else { AsynchronousIndicator::Optional };
        let put_off = answer_to(&mut owners, version, LocateRequest::default(), Some(later), None);
        let Answer::Pending { asynchronous_correlation_value: given } = put_off else { panic!("{put_off:?}") };
        let never_given = Uuid::new_v4().into_bytes().to_vec();
        let mut answers = [given.clone(), never_given].map(|value| {
            let asynchronous_correlation_value = value.clone();
            let poll = PollRequest { asynchronous_correlation_value: value.clone() };
            let cancel = CancelRequest { asynchronous_correlation_value };
            let mut found = vec![
                answer_to(&mut askers, version, poll, None, None),
                answer_to(&mut askers, version, cancel, None, None),
            ];
            if version == ProtocolVersion::V2_1 {
                let process = ProcessRequest { asynchronous_correlation_value: value.clone() };
                found.push(answer_to(&mut askers, version, process, None, None));
                let query = QueryAsynchronousRequestsRequest {
                    asynchronous_correlation_values: Some(AsynchronousCorrelationValues { values: vec![value] }),
                    operations: None,
                };
                found.push(answer_to(&mut askers, version, query, None, None));
            }
            found
        });
        for answer in answers.iter_mut().flatten() {
            // In 1.x the answer to Cancel repeats the value that was asked about.
            if let Answer::Success(ResponsePayload::Cancel(cancel)) = answer {
                assert_eq!(cancel.cancellation_result, CancellationResult::Unavailable);
                cancel.asynchronous_correlation_value.clear();
            }
        }
        let [foreign, absent] = answers;
        assert_eq!(foreign, absent, "version {version}");
        assert!(matches!(foreign[0], Answer::Failure { .. }), "{foreign:?}");
        // Its own client has it as if nobody had asked, and once.
        let poll = || PollRequest { asynchronous_correlation_value: given.clone() };
        let own = answer_to(&mut owners, version, poll(), None, None);
        assert!(matches!(own, Answer::Success(ResponsePayload::Locate(_))), "version {version}: {own:?}");
        let again = answer_to(&mut owners, version, poll(), None, None);
        assert_eq!(again, absent[0], "version {version}");
    }
}

#[test]
fn news_of_an_object_of_another_domain_are_news_of_none() {
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let material = [7; 32];
    for version in SUPPORTED_VERSIONS {
        let held = owners.request(version, asking::known_aes(&material, Vec::new())).unwrap().unique_identifier;
        let news = |id: &str, material: &[u8]| -> [RequestPayload; 2] {
            let date = Attribute::new(AttributeValue::LastChangeDate(DateTime(1)));
            let changes = AttributeChanges { changed: vec![date.clone()], ..AttributeChanges::default() };
            let put = PutRequest {
                unique_identifier: id.to_owned(),
                put_function: PutFunction::New,
                replaced_unique_identifier: None,
                object: asking::known_aes(material, Vec::new()).object,
                attributes: vec![date],
            };
            [NotifyRequest { unique_identifier: id.to_owned(), changes }.into(), put.into()]
        };
        let absent = Uuid::now_v7().to_string();
        let [of_foreign, of_absent] = [&held, &absent]
            .map(|id| news(id, &material).map(|payload| answer_to(&mut askers, version, payload, None, None)));
        assert_eq!(of_foreign, of_absent, "version {version}");
        assert!(of_foreign.iter().all(is_not_found), "version {version}: {of_foreign:?}");
        let of_own = news(&held, &material).map(|payload| answer_to(&mut owners, version, payload, None, None));
        assert!(of_own.iter().all(|answer| matches!(answer, Answer::Success(_))), "version {version}: {of_own:?}");
        // Another key under its identifier has not arrived, and is not said to have.
        let [_, other] = news(&held, &[8; 32]).map(|payload| answer_to(&mut owners, version, payload, None, None));
        assert!(matches!(other, Answer::Failure { reason: ResultReason::FeatureNotSupported, .. }), "{other:?}");
    }
}

#[test]
fn a_ticket_of_another_domain_is_none() {
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let login = answer_to(&mut owners, V2_1, LoginRequest::default(), None, None);
    let Answer::Success(ResponsePayload::Login(login)) = login else { panic!("{login:?}") };
    let given = login.ticket.ticket_value.expose().to_vec();
    let ticket = |value: &[u8]| Ticket { ticket_type: TicketType::Login, ticket_value: Secret::copy_from(value) };
    let shown = |value: &[u8]| Some(Credential::Ticket(TicketCredential { ticket: ticket(value) }));
    let [foreign, absent] = [given.clone(), vec![7; given.len()]].map(|value| {
        [
            answer_to(&mut askers, V2_1, LocateRequest::default(), None, shown(&value)),
            answer_to(&mut askers, V2_1, LogoutRequest { ticket: ticket(&value) }, None, None),
        ]
    });
    assert_eq!(foreign, absent);
    assert!(foreign.iter().all(|answer| matches!(answer, Answer::Failure { .. })), "{foreign:?}");
    let own = answer_to(&mut owners, V2_1, LocateRequest::default(), None, shown(&given));
    assert!(matches!(own, Answer::Success(_)), "{own:?}");
    let logout = answer_to(&mut owners, V2_1, LogoutRequest { ticket: ticket(&given) }, None, None);
    assert!(matches!(logout, Answer::Success(_)), "{logout:?}");
    let ended = answer_to(&mut owners, V2_1, LocateRequest::default(), None, shown(&given));
    assert_eq!(ended, absent[0]);
}

#[test]
fn a_delegated_ticket_reaches_what_its_rights_say_and_nothing_of_another_domain() {
    const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
    let node = Node::start().unwrap();
    let (owner, asker) = (node.tenant("owner", "anssi").unwrap(), node.tenant("asker", "anssi").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let foreign = askers.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let [named, other] = [(); 2].map(|()| owners.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier);
    let right = Right {
        operations: Some(Box::new(Operations { operations: vec![Operation::GetAttributeList, Operation::Locate] })),
        objects: Some(Box::new(Objects {
            unique_identifiers: vec![Identifier::from(&named), Identifier::from(&foreign)],
        })),
        ..Right::default()
    };
    let login = DelegatedLoginRequest {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights { rights: vec![right] },
    };
    let granted = answer_to(&mut owners, V2_1, login, None, None);
    let Answer::Success(ResponsePayload::DelegatedLogin(granted)) = granted else { panic!("{granted:?}") };
    let mut with_ticket = |payload: RequestPayload| {
        let ticket_value = Secret::copy_from(granted.ticket.ticket_value.expose());
        let ticket = Ticket { ticket_type: TicketType::Login, ticket_value };
        answer_to(&mut owners, V2_1, payload, None, Some(Credential::Ticket(TicketCredential { ticket })))
    };
    let list = |id: &str| GetAttributeListRequest { unique_identifier: Some(Identifier::from(id)) }.into();
    assert!(matches!(with_ticket(list(&named)), Answer::Success(_)));
    let beside = with_ticket(list(&other));
    assert!(matches!(beside, Answer::Failure { reason: ResultReason::PermissionDenied, .. }), "{beside:?}");
    let away = with_ticket(list(&foreign));
    assert!(is_not_found(&away), "{away:?}");
    // Neither what no right names, nor what would go beyond the objects that it names, nor a ticket for more.
    for refused in [
        GetRequest::of(&named).into(),
        LocateRequest::default().into(),
        LoginRequest::default().into(),
        asking::aes(Vec::new()).into(),
    ] {
        let answer = with_ticket(refused);
        assert!(matches!(answer, Answer::Failure { reason: ResultReason::PermissionDenied, .. }), "{answer:?}");
    }
}

fn locates_nothing(outcome: &Answer) -> bool {
    use kmip::payload::ResponsePayload::Locate;
    matches!(outcome, Answer::Success(Locate(located)) if located.unique_identifiers.is_empty())
}

/// The owner's log holds nothing of the asker; the asker's has each attempt as what it was.
fn logs_tell_only_their_own(node: &Node, owner: &Tenant, asker: &Tenant, attempts: usize) {
    let [of_owner, of_asker] = [owner, asker].map(|tenant| {
        let fingerprint = certs::spki_fingerprint(&tenant.identity.cert_der).unwrap();
        (Identity::Client { fingerprint }, exported::records(node, &tenant.name).unwrap())
    });
    let objects = |records: &[audit::Record]| -> BTreeSet<String> {
        records
            .iter()
            .filter(|record| record.outcome == Outcome::Success)
            .filter_map(|record| record.object.clone())
            .collect()
    };
    let (owned, asked) = (objects(&of_owner.1), objects(&of_asker.1));
    assert!(!owned.is_empty() && owned.is_disjoint(&asked));
    assert!(of_owner.1.iter().all(|record| record.identity != of_asker.0), "the owner's log names the asker");
    let told = of_asker.1.iter().filter(|record| {
        record.identity == of_asker.0
            && record.outcome == Outcome::Failed
            && matches!(record.reason.as_deref(), Some("Item Not Found" | "Object Not Found"))
            && record.object.as_ref().is_some_and(|object| owned.contains(object))
    });
    // Once for each operation that named a foreign identifier; the other ways never had one to tell.
    assert_eq!(told.count(), attempts);
    assert!(attempts > 0);
}

#[test]
fn a_foreign_identifier_is_free_to_be_imported_and_its_certificate_cannot_be_validated() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let (mut owners, mut asks) = (node.connect(&owner.identity).unwrap(), node.connect(&asker.identity).unwrap());
    let version = ProtocolVersion::V1_4;
    let key = owners.request(version, asking::known_aes(&[1; 32], Vec::new())).unwrap().unique_identifier;
    let import = |replace_existing| ImportRequest {
        unique_identifier: key.clone(),
        object_type: None,
        replace_existing,
        key_wrap_type: None,
        attributes: Vec::new(),
        object: asking::known_aes(&[2; 32], Vec::new()).object,
    };
    assert_eq!(asks.request(version, import(None)).unwrap().unique_identifier, key);
    // Now it is taken in both domains, by an object of each domain's own.
    for client in [&mut owners, &mut asks] {
        let taken = client.request(version, import(None)).unwrap_err();
        assert_eq!(taken.reason(), Some(ResultReason::ObjectAlreadyExists), "{taken}");
    }
    for (client, byte) in [(&mut owners, 1), (&mut asks, 2)] {
        let got = client.request(version, GetRequest::of(key.as_str())).unwrap().object;
        assert_eq!(got, asking::known_aes(&[byte; 32], Vec::new()).object);
    }

    let registered = RegisterRequest::new(ManagedObject::Certificate(certificate()), Vec::<AttributeValue>::new());
    let id = owners.request(version, registered).unwrap().unique_identifier;
    let validate = |id: &str| ValidateRequest { unique_identifiers: vec![id.into()], ..Default::default() };
    owners.request(version, validate(&id)).unwrap();
    let foreign = ask(&mut asks, &RequestMessage::single(version, validate(&id)));
    let absent = ask(&mut asks, &RequestMessage::single(version, validate(&Uuid::now_v7().to_string())));
    assert_eq!(foreign, absent);
    assert!(is_not_found(&outcomes(&foreign)[0]));
}

#[test]
fn locate_never_returns_foreign_objects_and_foreign_names_do_not_collide() {
    let node = Node::start().unwrap();
    let tenants = ["left", "right"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut clients = tenants.each_ref().map(|tenant| node.connect(&tenant.identity).unwrap());
    for version in SUPPORTED_VERSIONS {
        // The same names, groups and tags in both domains.
        let name = format!("vm in {version}");
        let attributes = || {
            vec![
                asking::name(&name),
                AttributeValue::ObjectGroup("production".to_owned()),
                AttributeValue::custom_text(TAG, "value").unwrap(),
            ]
        };
        let made = clients
            .each_mut()
            .map(|client| client.request(version, asking::aes(attributes())).unwrap().unique_identifier);
        assert_ne!(made[0], made[1]);
        // Within a domain the name is taken.
        let again = clients[0].request(version, asking::aes(attributes())).unwrap_err();
        let taken = if version.is_2_x() { ResultReason::NonUniqueNameAttribute } else { ResultReason::InvalidField };
        assert_eq!(again.reason(), Some(taken), "{again}");
        let filters = [
            vec![],
            vec![asking::name(&name)],
            vec![AttributeValue::ObjectType(ObjectType::SymmetricKey)],
            vec![AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes)],
            vec![AttributeValue::State(State::PreActive)],
            vec![AttributeValue::ObjectGroup("production".to_owned())],
            vec![AttributeValue::custom_text(TAG, "value").unwrap()],
            vec![AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT), asking::name(&name)],
        ];
        for filter in filters {
            let located = clients.each_mut().map(|client| {
                let attributes = filter.iter().cloned().map(Attribute::new).collect();
                let wanted = LocateRequest { attributes, ..Default::default() };
                let found = client.request(version, wanted).unwrap().unique_identifiers;
                BTreeSet::from_iter(found)
            });
            assert!(located[0].is_disjoint(&located[1]), "{filter:?}");
            assert!((0..2).all(|side| located[side].contains(&made[side])), "{filter:?} does not find its own");
        }
    }
}

#[test]
fn the_admin_api_shows_a_domain_its_own_objects_only() {
    let node = Node::start().unwrap();
    let [owner, other] = ["owner", "other"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut client = node.connect(&owner.identity).unwrap();
    let id: Uuid =
        client.request(ProtocolVersion::V1_4, asking::aes(vec![])).unwrap().unique_identifier.parse().unwrap();
    let admin = node.admin("operator").unwrap();
    let officer = node.admin("officer1").unwrap();
    let listed = |domain: &str| -> Vec<Uuid> {
        admin.object_list(domain, None, None).unwrap().objects.into_iter().map(|object| object.id).collect()
    };
    assert_eq!(listed(&owner.name), [id]);
    assert!(listed(&other.name).is_empty());
    // A foreign identifier as a place to begin at finds nothing either.
    assert_eq!(admin.object_list(&other.name, Some(Uuid::nil()), Some(1)).unwrap().objects, []);
    let before = admin.object_show(&owner.name, id).unwrap();
    let why = RevokeObject { reason: Why::KeyCompromise, message: None, compromise_occurrence: None };
    let refusals = [id, Uuid::now_v7()].map(|id| {
        let mut said = Vec::new();
        for role in [&admin, &officer] {
            said.push(role.object_show(&other.name, id).unwrap_err());
            for effect in [Effect::DryRun, Effect::Real] {
                said.push(role.object_revoke(&other.name, id, &why, effect).unwrap_err());
                said.push(role.object_destroy(&other.name, id, effect).unwrap_err());
            }
        }
        assert!(said.iter().any(|error| error.code() == Some(ErrorCode::NotFound)), "{said:?}");
        said.iter().map(|error| error.to_string().replace(&id.to_string(), "<id>")).collect::<Vec<_>>()
    });
    assert_eq!(refusals[0], refusals[1], "foreign and absent can be told apart");
    assert_eq!(admin.object_show(&owner.name, id).unwrap(), before);
    assert_eq!(node.admin("operator").unwrap().object_show(&owner.name, id).unwrap(), before);
}

#[test]
fn knowing_an_identifier_gives_nothing_in_another_domain_even_after_destruction() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "anssi").unwrap());
    let mut client = node.connect(&owner.identity).unwrap();
    let mut asks = node.connect(&asker.identity).unwrap();
    let version = ProtocolVersion::V1_4;
    let id = client.request(version, asking::aes(vec![])).unwrap().unique_identifier;
    client.request(version, DestroyRequest::of(id.as_str())).unwrap();
    // Its owner is told that it is destroyed; nobody else that it ever was.
    let own = ask(&mut client, &RequestMessage::single(version, GetRequest::of(id.as_str())));
    let foreign = ask(&mut asks, &RequestMessage::single(version, GetRequest::of(id)));
    let absent = ask(&mut asks, &RequestMessage::single(version, GetRequest::of(Uuid::now_v7().to_string())));
    assert_eq!(foreign, absent);
    assert_ne!(own, foreign);
    assert!(matches!(outcomes(&foreign).as_slice(), [Answer::Failure { message, .. }] if message == "no such object"));
    // A template is found by name in its own domain only.
    let template = TemplateAttribute { names: vec![Name::text("shared")], attributes: Vec::new() };
    let object = ManagedObject::Template(Template { attributes: Vec::new() });
    client.request(version, RegisterRequest::new(object, vec![asking::name("shared")])).unwrap();
    let mut request = asking::aes(vec![]);
    request.template_attribute.names = template.names;
    client.request(version, request.clone()).unwrap();
    assert_eq!(asks.request(version, request).unwrap_err().reason(), Some(ResultReason::ItemNotFound));
}
