//! Keys in use on a running node: what policy refuses, limits counted under concurrency, streams and whose they are.
//! That the results are right is for the vectors of `crypto` and for the OASIS cases.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, UsageLimits};
use kmip::message::{Outcome, RequestMessage};
use kmip::payload::{
    ActivateRequest, CreateRequest, Data, DecryptRequest, EncryptRequest, EncryptResponse, GetAttributesRequest,
    GetUsageAllocationRequest, HashRequest, MacRequest, MacVerifyRequest, RequestPayload, RngRetrieveRequest,
    RngSeedRequest,
};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm, DataPlaceholder, HashingAlgorithm, PaddingMethod, ResultReason,
    UsageLimitsUnit, UsageMask, ValidityIndicator,
};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V1_4: ProtocolVersion = ProtocolVersion::V1_4;
const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

fn data(bytes: &[u8]) -> Option<Data> {
    Some(Data::from(Secret::copy_from(bytes)))
}

fn mode(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters { block_cipher_mode: Some(mode), ..Default::default() }
}

fn random_iv(of: BlockCipherMode) -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters { random_iv: Some(true), ..mode(of) }))
}

fn hmac() -> Option<Box<CryptographicParameters>> {
    let algorithm = Some(CryptographicAlgorithm::HmacSha256);
    Some(Box::new(CryptographicParameters { cryptographic_algorithm: algorithm, ..Default::default() }))
}

/// An AES-256 key that may encrypt, decrypt, make and check codes.
fn key(further: Vec<AttributeValue>) -> CreateRequest {
    let mut create = asking::aes(further);
    for attribute in &mut create.template_attribute.attributes {
        if let AttributeValue::CryptographicUsageMask(mask) = &mut attribute.value {
            *mask = mask.union(UsageMask::MAC_GENERATE).union(UsageMask::MAC_VERIFY);
        }
    }
    create
}

fn active(client: &mut Connection, further: Vec<AttributeValue>) -> String {
    let id = client.request(V1_4, key(further)).unwrap().unique_identifier;
    client.request(V1_4, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
    id
}

fn encrypt(id: &str, parameters: Option<Box<CryptographicParameters>>, plain: &[u8]) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: parameters,
        data: data(plain),
        ..Default::default()
    }
}

fn refusal(client: &mut Connection, version: ProtocolVersion, request: impl Into<RequestPayload>) -> ResultReason {
    client.operation(version, request).unwrap_err().reason().unwrap()
}

#[test]
fn what_is_encrypted_with_the_servers_iv_comes_back_and_only_with_its_tag() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = active(&mut client, vec![]);
    let sealed = client.request(V1_4, encrypt(&id, random_iv(BlockCipherMode::Gcm), b"attack at dawn")).unwrap();
    let again = client.request(V1_4, encrypt(&id, random_iv(BlockCipherMode::Gcm), b"attack at dawn")).unwrap();
    assert_ne!(sealed.iv_counter_nonce, again.iv_counter_nonce);
    assert_eq!(sealed.authenticated_encryption_tag.as_ref().unwrap().len(), 16);
    let opening = |tag: &[u8]| DecryptRequest {
        unique_identifier: Some(id.as_str().into()),
        cryptographic_parameters: Some(Box::new(mode(BlockCipherMode::Gcm))),
        data: data(sealed.data.as_ref().unwrap()),
        iv_counter_nonce: sealed.iv_counter_nonce.clone(),
        authenticated_encryption_tag: Some(tag.to_vec()),
        ..Default::default()
    };
    let tag = sealed.authenticated_encryption_tag.clone().unwrap();
    let plain = client.request(V1_4, opening(&tag)).unwrap().data.unwrap();
    assert_eq!(plain.expose(), b"attack at dawn");
    let reason = refusal(&mut client, V1_4, opening(again.authenticated_encryption_tag.as_ref().unwrap()));
    assert_eq!(reason, ResultReason::CryptographicFailure);
}

#[test]
fn anssi_refuses_what_legacy_takes() {
    let node = Node::start().unwrap();
    for policy in ["anssi", "legacy"] {
        let tenant = node.tenant("tenant", policy).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let id = active(&mut client, vec![]);
        let own_iv = |of, len| EncryptRequest {
            iv_counter_nonce: Some(vec![7; len]),
            ..encrypt(&id, Some(Box::new(mode(of))), &[0; 16])
        };
        let short_tag =
            CryptographicParameters { random_iv: Some(true), tag_length: Some(12), ..mode(BlockCipherMode::Gcm) };
        let hash = |algorithm| HashRequest {
            cryptographic_parameters: Box::new(CryptographicParameters {
                hashing_algorithm: Some(algorithm),
                ..Default::default()
            }),
            data: data(b"abc"),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        let sha1 = CryptographicParameters {
            cryptographic_algorithm: Some(CryptographicAlgorithm::HmacSha1),
            ..Default::default()
        };
        let weak: Vec<RequestPayload> = vec![
            encrypt(&id, Some(Box::new(mode(BlockCipherMode::Ecb))), &[0; 16]).into(),
            own_iv(BlockCipherMode::Gcm, 12).into(),
            own_iv(BlockCipherMode::Cbc, 16).into(),
            encrypt(&id, Some(Box::new(short_tag)), b"x").into(),
            hash(HashingAlgorithm::Sha1).into(),
            MacRequest {
                unique_identifier: Some(id.as_str().into()),
                cryptographic_parameters: Some(Box::new(sha1)),
                data: data(b"x"),
                ..Default::default()
            }
            .into(),
            RngSeedRequest { data: data(&[5; 32]).unwrap() }.into(),
        ];
        for request in weak {
            let what = format!("{policy}: {}", request.operation());
            match client.operation(V1_4, request) {
                Ok(_) => assert_eq!(policy, "legacy", "{what}"),
                Err(error) => {
                    assert_eq!((policy, error.reason()), ("anssi", Some(ResultReason::PermissionDenied)), "{what}");
                }
            }
        }
        client.request(V1_4, hash(HashingAlgorithm::Sha256)).unwrap();
    }
}

#[test]
fn state_mask_and_parameters_have_their_reasons() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let ecb = || Some(Box::new(mode(BlockCipherMode::Ecb)));
    let inactive = client.request(V1_4, key(vec![])).unwrap().unique_identifier;
    let mut reasons =
        |request: &dyn Fn() -> RequestPayload| [V1_4, V2_1].map(|version| refusal(&mut client, version, request()));
    use ResultReason as R;
    assert_eq!(
        reasons(&|| encrypt(&inactive, ecb(), &[0; 16]).into()),
        [R::PermissionDenied, R::WrongKeyLifecycleState]
    );
    let id = {
        let mut other = node.connect(&tenant.identity).unwrap();
        let id = other.request(V1_4, asking::aes(vec![])).unwrap().unique_identifier;
        other.request(V1_4, ActivateRequest { unique_identifier: Some(id.as_str().into()) }).unwrap();
        id
    };
    let mac = || MacRequest {
        unique_identifier: Some(id.as_str().into()),
        cryptographic_parameters: hmac(),
        data: data(b"x"),
        ..Default::default()
    };
    assert_eq!(reasons(&|| mac().into()), [R::PermissionDenied, R::IncompatibleCryptographicUsageMask]);
    // An algorithm that needs parameters and has none; data that is not whole blocks; a mode that nobody has.
    assert_eq!(reasons(&|| encrypt(&id, None, &[0; 16]).into()), [R::InvalidMessage; 2]);
    assert_eq!(reasons(&|| encrypt(&id, ecb(), &[0; 15]).into()), [R::CryptographicFailure; 2]);
    let pcbc = || encrypt(&id, Some(Box::new(mode(BlockCipherMode::Pcbc))), &[0; 16]);
    assert_eq!(reasons(&|| pcbc().into()), [R::FeatureNotSupported, R::UnsupportedCryptographicParameters]);
    let nowhere = || EncryptRequest { correlation_value: Some(vec![1; 16]), ..encrypt(&id, ecb(), &[0; 16]) };
    assert_eq!(reasons(&|| nowhere().into()), [R::ItemNotFound, R::InvalidCorrelationValue]);
    assert_eq!(reasons(&|| RngRetrieveRequest { data_length: 0 }.into()), [R::InvalidField; 2]);
    assert_eq!(
        reasons(&|| RngRetrieveRequest { data_length: i32::MAX }.into()),
        [R::InvalidField, R::ServerLimitExceeded]
    );
}

fn limited(total: i64) -> AttributeValue {
    let unit = Some(UsageLimitsUnit::Byte);
    AttributeValue::UsageLimits(Box::new(UsageLimits { total: Some(total), count: None, unit }))
}

fn left(client: &mut Connection, id: &str) -> Option<i64> {
    let request =
        GetAttributesRequest { unique_identifier: Some(id.into()), attribute_names: vec!["Usage Limits".to_owned()] };
    client.request(V1_4, request).unwrap().attributes.into_iter().find_map(|attribute: Attribute| {
        match attribute.value {
            AttributeValue::UsageLimits(limits) => limits.count,
            _ => None,
        }
    })
}

#[test]
fn a_limit_counts_what_protects_and_a_failure_takes_nothing() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = active(&mut client, vec![limited(40)]);
    let ecb = || Some(Box::new(mode(BlockCipherMode::Ecb)));
    let sealed = client.request(V1_4, encrypt(&id, ecb(), &[3; 16])).unwrap().data.unwrap();
    assert_eq!(left(&mut client, &id), Some(24));
    // Not whole blocks: nothing was protected.
    assert_eq!(refusal(&mut client, V1_4, encrypt(&id, ecb(), &[3; 15])), ResultReason::CryptographicFailure);
    let open = DecryptRequest {
        unique_identifier: Some(id.as_str().into()),
        cryptographic_parameters: ecb(),
        data: data(&sealed),
        ..Default::default()
    };
    assert_eq!(client.request(V1_4, open).unwrap().data.unwrap().expose(), [3; 16]);
    assert_eq!(left(&mut client, &id), Some(24));
    assert_eq!(refusal(&mut client, V1_4, encrypt(&id, ecb(), &[3; 32])), ResultReason::PermissionDenied);
    let allocation =
        |count| GetUsageAllocationRequest { unique_identifier: Some(id.as_str().into()), usage_limits_count: count };
    assert_eq!(refusal(&mut client, V2_1, allocation(25)), ResultReason::UsageLimitExceeded);
    assert_eq!(refusal(&mut client, V1_4, allocation(-1)), ResultReason::InvalidField);
    client.request(V1_4, allocation(24)).unwrap();
    assert_eq!(left(&mut client, &id), Some(0));
    let unlimited = active(&mut client, vec![]);
    let none = |version| {
        (
            version,
            GetUsageAllocationRequest { unique_identifier: Some(unlimited.as_str().into()), usage_limits_count: 1 },
        )
    };
    let (version, request) = none(V1_4);
    assert_eq!(refusal(&mut client, version, request), ResultReason::IllegalOperation);
    let (version, request) = none(V2_1);
    assert_eq!(refusal(&mut client, version, request), ResultReason::AttributeNotFound);
}

fn part(id: &str, correlation: Option<&[u8]>, bytes: &[u8], last: bool) -> EncryptRequest {
    let parameters = CryptographicParameters {
        padding_method: Some(PaddingMethod::Pkcs5),
        random_iv: Some(true),
        ..mode(BlockCipherMode::Cbc)
    };
    EncryptRequest {
        cryptographic_parameters: correlation.is_none().then(|| Box::new(parameters)),
        correlation_value: correlation.map(<[u8]>::to_vec),
        init_indicator: correlation.is_none().then_some(true),
        final_indicator: last.then_some(true),
        ..encrypt(id, None, bytes)
    }
}

fn correlation(answer: &EncryptResponse) -> Vec<u8> {
    answer.correlation_value.clone().unwrap()
}

#[test]
fn a_stream_belongs_to_one_client_one_key_and_one_operation() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let stranger = node.tenant("boreal", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut other = node.connect(&stranger.identity).unwrap();
    let identity = certs::self_signed_vcenter_client().unwrap();
    node.register(&tenant.name, &identity, None).unwrap();
    let mut colleague = node.connect(&identity).unwrap();
    let (id, second) = (active(&mut client, vec![]), active(&mut client, vec![]));
    let foreign = active(&mut other, vec![]);
    let first = client.request(V1_4, part(&id, None, &[1; 20], false)).unwrap();
    let stream = correlation(&first);
    assert_eq!((first.data.unwrap().len(), first.iv_counter_nonce.unwrap().len()), (16, 16));
    let no = ResultReason::ItemNotFound;
    assert_eq!(refusal(&mut client, V1_4, part(&second, Some(&stream), &[1; 16], false)), no);
    assert_eq!(refusal(&mut other, V1_4, part(&foreign, Some(&stream), &[1; 16], false)), no);
    assert_eq!(refusal(&mut colleague, V1_4, part(&id, Some(&stream), &[1; 16], false)), no);
    let decrypt = DecryptRequest {
        unique_identifier: Some(id.as_str().into()),
        correlation_value: Some(stream.clone()),
        data: data(&[1; 16]),
        ..Default::default()
    };
    assert_eq!(refusal(&mut client, V1_4, decrypt), no);
    // Nobody's attempt ended it; another connection of the client's goes on.
    let mut again = node.connect(&tenant.identity).unwrap();
    let next = again.request(V1_4, part(&id, Some(&stream), &[1; 12], false)).unwrap();
    assert_eq!((correlation(&next), next.data.unwrap().len()), (stream.clone(), 16));
    let last = client.request(V1_4, part(&id, Some(&stream), &[], true)).unwrap();
    assert_eq!((last.correlation_value, last.data.unwrap().len()), (None, 16));
    assert_eq!(refusal(&mut client, V1_4, part(&id, Some(&stream), &[], true)), no, "it has ended");
}

#[test]
fn revoking_the_key_ends_its_streams_and_so_does_a_part_that_fails() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = active(&mut client, vec![]);
    let stream = correlation(&client.request(V1_4, part(&id, None, &[1; 20], false)).unwrap());
    let with_iv = EncryptRequest { iv_counter_nonce: Some(vec![0; 16]), ..part(&id, Some(&stream), &[1; 4], false) };
    assert_eq!(refusal(&mut client, V1_4, with_iv), ResultReason::InvalidMessage);
    let changed = EncryptRequest {
        cryptographic_parameters: random_iv(BlockCipherMode::Gcm),
        ..part(&id, Some(&stream), &[1; 4], false)
    };
    assert_eq!(refusal(&mut client, V1_4, changed), ResultReason::InvalidField);
    assert_eq!(refusal(&mut client, V1_4, part(&id, Some(&stream), &[1; 4], false)), ResultReason::ItemNotFound);

    let stream = correlation(&client.request(V1_4, part(&id, None, &[1; 20], false)).unwrap());
    client.request(V1_4, asking::cessation(Some(id.clone()))).unwrap();
    assert_eq!(refusal(&mut client, V1_4, part(&id, Some(&stream), &[1; 4], true)), ResultReason::PermissionDenied);
    assert_eq!(refusal(&mut client, V1_4, part(&id, Some(&stream), &[1; 4], true)), ResultReason::ItemNotFound);
}

#[test]
fn a_domain_has_so_many_streams_and_other_domains_theirs() {
    let node = Node::start().unwrap();
    let [mut client, mut other] = ["acme", "boreal"].map(|stem| {
        let tenant = node.tenant(stem, "anssi").unwrap();
        node.connect(&tenant.identity).unwrap()
    });
    let most = streams_per_domain();
    let hash = |correlation: Option<Vec<u8>>| HashRequest {
        cryptographic_parameters: Box::new(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::Sha256),
            ..Default::default()
        }),
        data: data(b"x"),
        init_indicator: correlation.is_none().then_some(true),
        final_indicator: correlation.is_some().then_some(true),
        correlation_value: correlation,
    };
    let streams: Vec<_> =
        (0..most).map(|_| client.request(V2_1, hash(None)).unwrap().correlation_value.unwrap()).collect();
    assert_eq!(refusal(&mut client, V2_1, hash(None)), ResultReason::ServerLimitExceeded);
    other.request(V2_1, hash(None)).unwrap();
    client.request(V2_1, hash(Some(streams[0].clone()))).unwrap();
    client.request(V2_1, hash(None)).unwrap();
}

/// The default of the setting, as the example of the configuration tells it.
fn streams_per_domain() -> usize {
    let example = include_str!("../../kms-server/kms-server.example.toml");
    let line = example.lines().find_map(|line| line.strip_prefix("#streams_per_domain = ")).unwrap();
    line.parse().unwrap()
}

#[test]
fn an_item_of_a_batch_works_on_what_one_before_it_computed() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let id = active(&mut client, vec![]);
    let ecb = || Some(Box::new(mode(BlockCipherMode::Ecb)));
    let open = |from| DecryptRequest {
        unique_identifier: Some(id.as_str().into()),
        cryptographic_parameters: ecb(),
        data: Some(from),
        ..Default::default()
    };
    let items: Vec<RequestPayload> = vec![
        encrypt(&id, ecb(), &[1; 16]).into(),
        encrypt(&id, ecb(), &[2; 16]).into(),
        open(Data::Placeholder(DataPlaceholder::Encrypt)).into(),
        open(Data::Index(0)).into(),
        open(Data::Index(-3)).into(),
        open(Data::Index(9)).into(),
    ];
    let answer = client.call(RequestMessage::batch(V2_1, items)).unwrap();
    let outcomes: Vec<_> = answer.items.into_iter().map(|item| item.outcome).collect();
    let plain = |outcome: &Outcome| match outcome {
        Outcome::Success(kmip::payload::ResponsePayload::Decrypt(answer)) => {
            answer.data.as_ref().map(|data| data.expose().to_vec())
        }
        _ => None,
    };
    assert_eq!(plain(&outcomes[2]), Some(vec![2; 16]));
    assert_eq!(plain(&outcomes[3]), Some(vec![1; 16]));
    // Three back from here is the second ciphertext.
    assert_eq!(plain(&outcomes[4]), Some(vec![2; 16]));
    assert!(matches!(outcomes[5], Outcome::Failure { reason: ResultReason::InvalidField, .. }));
}

#[test]
fn a_code_is_valid_only_for_its_data_and_key() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("acme", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let (id, second) = (active(&mut client, vec![]), active(&mut client, vec![]));
    let code = MacRequest {
        unique_identifier: Some(id.as_str().into()),
        cryptographic_parameters: hmac(),
        data: data(b"a message"),
        ..Default::default()
    };
    let code = client.request(V1_4, code).unwrap().mac_data.unwrap();
    let mut verdict = |id: &str, message: &[u8], code: &[u8]| {
        let request = MacVerifyRequest {
            unique_identifier: Some(id.into()),
            cryptographic_parameters: hmac(),
            data: data(message),
            mac_data: Some(code.to_vec()),
            ..Default::default()
        };
        client.request(V1_4, request).unwrap().validity_indicator.unwrap()
    };
    assert_eq!(verdict(&id, b"a message", &code), ValidityIndicator::Valid);
    assert_eq!(verdict(&id, b"another message", &code), ValidityIndicator::Invalid);
    assert_eq!(verdict(&second, b"a message", &code), ValidityIndicator::Invalid);
    assert_eq!(verdict(&id, b"a message", &code[..16]), ValidityIndicator::Invalid);
}
