//! Correlation values of another domain's streams: one row for each operation, so that an operation without does not
//! compile.

use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::message::Outcome as Answer;
use kmip::payload::{
    Data, DecryptRequest, EncryptRequest, HashRequest, MacRequest, MacVerifyRequest, Pkcs11Call, Pkcs11Request,
    RequestPayload, ResponsePayload, SignRequest, SignatureVerifyRequest,
};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm, Operation, PaddingMethod,
    Pkcs11Function,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

use crate::answer_to;
use crate::requests::usable_aes;

/// Streams came with 1.3; PKCS#11 with 2.0.
const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::V1_4, ProtocolVersion::V2_1];

/// The keys of a domain that its streams use.
struct Keys {
    symmetric: String,
    private: String,
    public: String,
}

fn keys(client: &mut Connection, version: ProtocolVersion) -> Keys {
    let active = AttributeValue::ActivationDate(DateTime(1));
    let symmetric = client.request(version, usable_aes(vec![active.clone()])).unwrap().unique_identifier;
    let pair = client.request(version, asking::p256_pair(vec![active])).unwrap();
    Keys { symmetric, private: pair.private_key_unique_identifier, public: pair.public_key_unique_identifier }
}

/// A part of a stream of this operation: its first part where it has no value to go on with. `None` for operations
/// without streams.
fn part(operation: Operation, keys: &Keys, value: Option<Vec<u8>>) -> Option<RequestPayload> {
    use Operation as O;
    let data = || Some(Data::from(Secret::copy_from(&[5; 16])));
    let init_indicator = value.is_none().then_some(true);
    let boxed = |parameters| Some(Box::new(parameters));
    let cbc = || CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::Cbc),
        padding_method: Some(PaddingMethod::Pkcs5),
        ..Default::default()
    };
    let ecdsa = || CryptographicParameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::EcdsaWithSha256),
        ..Default::default()
    };
    let hmac = || CryptographicParameters {
        cryptographic_algorithm: Some(CryptographicAlgorithm::HmacSha256),
        ..Default::default()
    };
    let iv = || value.is_none().then(|| vec![0; 16]);
    let symmetric = || Some(keys.symmetric.as_str().into());
    Some(match operation {
        O::Encrypt => EncryptRequest {
            unique_identifier: symmetric(),
            cryptographic_parameters: boxed(cbc()),
            data: data(),
            iv_counter_nonce: iv(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::Decrypt => DecryptRequest {
            unique_identifier: symmetric(),
            cryptographic_parameters: boxed(cbc()),
            data: data(),
            iv_counter_nonce: iv(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::Sign => SignRequest {
            unique_identifier: Some(keys.private.as_str().into()),
            cryptographic_parameters: boxed(ecdsa()),
            data: data(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::SignatureVerify => SignatureVerifyRequest {
            unique_identifier: Some(keys.public.as_str().into()),
            cryptographic_parameters: boxed(ecdsa()),
            data: data(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::Mac => MacRequest {
            unique_identifier: symmetric(),
            cryptographic_parameters: boxed(hmac()),
            data: data(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::MacVerify => MacVerifyRequest {
            unique_identifier: symmetric(),
            cryptographic_parameters: boxed(hmac()),
            data: data(),
            correlation_value: value,
            init_indicator,
            ..Default::default()
        }
        .into(),
        O::Hash => HashRequest {
            cryptographic_parameters: Box::new(CryptographicParameters {
                hashing_algorithm: Some(HashingAlgorithm::Sha256),
                ..Default::default()
            }),
            data: data(),
            correlation_value: value,
            init_indicator,
            final_indicator: None,
        }
        .into(),
        O::Pkcs11 => {
            let function = if value.is_none() { Pkcs11Function::Initialize } else { Pkcs11Function::GetInfo };
            let function = Pkcs11Call::Standard(function);
            Pkcs11Request { interface: None, function, correlation_value: value, input_parameters: None }.into()
        }
        // Values of these are no streams: of answers that wait and of tickets, which `values.rs` asks about.
        O::Cancel | O::Poll | O::Process | O::QueryAsynchronousRequests => return None,
        O::Login | O::Logout | O::DelegatedLogin => return None,
        // The others have no values.
        O::Create
        | O::CreateKeyPair
        | O::Register
        | O::ReKey
        | O::ReKeyKeyPair
        | O::DeriveKey
        | O::Certify
        | O::ReCertify
        | O::Locate
        | O::Check
        | O::Get
        | O::GetAttributes
        | O::GetAttributeList
        | O::AddAttribute
        | O::ModifyAttribute
        | O::DeleteAttribute
        | O::SetAttribute
        | O::AdjustAttribute
        | O::ObtainLease
        | O::GetUsageAllocation
        | O::Activate
        | O::Revoke
        | O::Destroy
        | O::Archive
        | O::Recover
        | O::Validate
        | O::Query
        | O::DiscoverVersions
        | O::Notify
        | O::Put
        | O::RngRetrieve
        | O::RngSeed
        | O::CreateSplitKey
        | O::JoinSplitKey
        | O::Import
        | O::Export
        | O::Log
        | O::SetEndpointRole
        | O::Interop
        | O::ReProvision
        | O::SetDefaults
        | O::SetConstraints
        | O::GetConstraints
        | O::Ping => return None,
    })
}

fn given(answer: Answer) -> Vec<u8> {
    use ResponsePayload as P;
    let Answer::Success(payload) = answer else { panic!("{answer:?}") };
    let value = match payload {
        P::Encrypt(answer) => answer.correlation_value,
        P::Decrypt(answer) => answer.correlation_value,
        P::Sign(answer) => answer.correlation_value,
        P::SignatureVerify(answer) => answer.correlation_value,
        P::Mac(answer) => answer.correlation_value,
        P::MacVerify(answer) => answer.correlation_value,
        P::Hash(answer) => answer.correlation_value,
        P::Pkcs11(answer) => answer.correlation_value,
        other => panic!("{other:?}"),
    };
    value.unwrap()
}

#[test]
fn a_stream_of_another_domain_is_one_that_was_never_begun() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut askers = node.connect(&asker.identity).unwrap();
    let mut streams = 0;
    for version in VERSIONS {
        let (own, others) = (keys(&mut owners, version), keys(&mut askers, version));
        for operation in Operation::ALL.iter().copied().filter(|operation| operation.is_known_to(version)) {
            let Some(begin) = part(operation, &own, None) else { continue };
            let value = given(answer_to(&mut owners, version, begin, None, None));
            assert!(value.len() >= 16, "{operation}: {} bytes could be guessed", value.len());
            // With a key of the asker's own, and with the owner's.
            for keys in [&others, &own] {
                let [foreign, absent] = [value.clone(), vec![7; value.len()]].map(|value| {
                    answer_to(&mut askers, version, part(operation, keys, Some(value)).unwrap(), None, None)
                });
                assert_eq!(foreign, absent, "{operation} in {version}");
                if operation != Operation::Pkcs11 {
                    assert!(matches!(foreign, Answer::Failure { .. }), "{operation} in {version}: {foreign:?}");
                }
            }
            // Its own client goes on as if nobody had asked.
            let next = answer_to(&mut owners, version, part(operation, &own, Some(value)).unwrap(), None, None);
            assert!(matches!(next, Answer::Success(_)), "{operation} in {version}: {next:?}");
            streams += 1;
        }
    }
    assert_eq!(streams, 7 + 8);
}
