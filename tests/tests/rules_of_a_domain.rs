//! Constraints and defaults of a domain hold for every object that comes into being, by whatever operation. KMIP 2.1
//! §6.1.52, §6.1.53, §7.6, §7.11.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters, TemplateAttribute};
use kmip::payload::{
    AttributeSet, CertifyRequest, Constraint, Constraints, CreateKeyPairRequest, CreateSplitKeyRequest, DefaultsFor,
    DefaultsInformation, DerivationParameters, DeriveKeyRequest, GetAttributesRequest, ImportRequest,
    JoinSplitKeyRequest, LocateRequest, ObjectDefaults, ReCertifyRequest, ReKeyKeyPairRequest, ReKeyRequest,
    RequestPayload, ResponsePayload, SetConstraintsRequest, SetDefaultsRequest,
};
use kmip::registry::{
    CryptographicAlgorithm, DerivationMethod, HashingAlgorithm, ObjectType, Operation, ResultReason, SplitKeyMethod,
    UsageMask,
};
use kmip::ttlv::DateTime;
use system_tests::asking;
use system_tests::node::{Connection, Node};
use uuid::Uuid;

const V: ProtocolVersion = ProtocolVersion::V2_1;
const GIVEN: &str = "given by the client";
const DEFAULT: &str = "by default";

fn contact(text: &str) -> AttributeValue {
    AttributeValue::ContactInformation(text.to_owned())
}

/// What new objects are made of: made before there were rules.
struct Material {
    key: String,
    base: String,
    private: String,
    public: String,
    certificate: String,
    parts: Vec<String>,
}

fn masked(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

fn pair() -> CreateKeyPairRequest {
    let common = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ecdsa),
        AttributeValue::CryptographicLength(256),
    ];
    CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: Some(masked(UsageMask::SIGN).into()),
        public_key_attributes: Some(masked(UsageMask::VERIFY).into()),
        ..Default::default()
    }
}

fn split(key: &str, further: Vec<AttributeValue>) -> CreateSplitKeyRequest {
    CreateSplitKeyRequest {
        object_type: ObjectType::SplitKey,
        unique_identifier: Some(key.into()),
        split_key_parts: 2,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::Xor,
        prime_field_size: None,
        template_attribute: further.into(),
        protection_storage_masks: None,
    }
}

fn material(client: &mut Connection) -> Material {
    let key = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    let mut base = asking::known_aes(&[9; 32], Vec::new());
    base.template_attribute = TemplateAttribute::from(masked(UsageMask::DERIVE_KEY));
    let base = client.request(V, base).unwrap().unique_identifier;
    let pair = client.request(V, pair()).unwrap();
    let (private, public) = (pair.private_key_unique_identifier, pair.public_key_unique_identifier);
    let certify = CertifyRequest { unique_identifier: Some(public.as_str().into()), ..Default::default() };
    let certificate = client.request(V, certify).unwrap().unique_identifier;
    let parts = client.request(V, split(&key, Vec::new())).unwrap().unique_identifiers;
    Material { key, base, private, public, certificate, parts }
}

/// A request of every operation that makes objects, with further attributes for what it makes.
fn every_making(of: &Material, further: Option<AttributeValue>) -> Vec<RequestPayload> {
    let list = || further.iter().cloned().collect::<Vec<_>>();
    let template = || further.is_some().then(|| TemplateAttribute::from(list()));
    let imported = {
        let mut attributes = masked(UsageMask::ENCRYPT);
        attributes.extend([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
            AttributeValue::CryptographicLength(256),
        ]);
        attributes.extend(list());
        ImportRequest {
            unique_identifier: Uuid::now_v7().to_string(),
            object_type: Some(ObjectType::SymmetricKey),
            replace_existing: None,
            key_wrap_type: None,
            attributes: attributes.into_iter().map(Attribute::new).collect(),
            object: asking::known_aes(&[3; 32], Vec::new()).object,
        }
    };
    let derivation = {
        let hashing_algorithm = Some(HashingAlgorithm::Sha384);
        let parameters = CryptographicParameters { hashing_algorithm, ..Default::default() };
        let mut attributes = vec![AttributeValue::CryptographicLength(256)];
        attributes.extend(list());
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: vec![of.base.as_str().into()],
            derivation_method: DerivationMethod::Hash,
            derivation_parameters: DerivationParameters {
                cryptographic_parameters: Some(Box::new(parameters)),
                ..Default::default()
            },
            template_attribute: attributes.into(),
        }
    };
    let mut new_pair = pair();
    new_pair.common_attributes.get_or_insert_default().attributes.extend(list().into_iter().map(Attribute::new));
    vec![
        asking::aes(list()).into(),
        asking::known_aes(&[5; 32], list()).into(),
        new_pair.into(),
        ReKeyRequest {
            unique_identifier: Some(of.key.as_str().into()),
            template_attribute: template(),
            ..Default::default()
        }
        .into(),
        ReKeyKeyPairRequest {
            private_key_unique_identifier: Some(of.private.as_str().into()),
            common_attributes: template(),
            ..Default::default()
        }
        .into(),
        derivation.into(),
        CertifyRequest {
            unique_identifier: Some(of.public.as_str().into()),
            template_attribute: template(),
            ..Default::default()
        }
        .into(),
        ReCertifyRequest {
            unique_identifier: Some(of.certificate.as_str().into()),
            template_attribute: template(),
            ..Default::default()
        }
        .into(),
        split(&of.key, list()).into(),
        JoinSplitKeyRequest {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: of.parts.iter().map(|id| id.as_str().into()).collect(),
            secret_data_type: None,
            template_attribute: template(),
            protection_storage_masks: None,
        }
        .into(),
        imported.into(),
    ]
}

fn made_by(answer: ResponsePayload) -> Vec<String> {
    use ResponsePayload as P;
    match answer {
        P::Create(made) => vec![made.unique_identifier],
        P::Register(made) => vec![made.unique_identifier],
        P::Import(made) => vec![made.unique_identifier],
        P::ReKey(made) => vec![made.unique_identifier],
        P::DeriveKey(made) => vec![made.unique_identifier],
        P::Certify(made) => vec![made.unique_identifier],
        P::ReCertify(made) => vec![made.unique_identifier],
        P::JoinSplitKey(made) => vec![made.unique_identifier],
        P::CreateSplitKey(made) => made.unique_identifiers,
        P::CreateKeyPair(made) => vec![made.private_key_unique_identifier, made.public_key_unique_identifier],
        P::ReKeyKeyPair(made) => vec![made.private_key_unique_identifier, made.public_key_unique_identifier],
        other => panic!("{other:?}"),
    }
}

fn everything(client: &mut Connection) -> BTreeSet<String> {
    client.request(V, LocateRequest::default()).unwrap().unique_identifiers.into_iter().collect()
}

fn contacts(client: &mut Connection, id: &str) -> Vec<AttributeValue> {
    let got = client.request(V, GetAttributesRequest::of(id, &["Contact Information"])).unwrap();
    got.attributes.into_iter().map(|one| one.value).collect()
}

#[test]
fn no_operation_makes_what_the_constraints_forbid() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("constrained", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let of = material(&mut client);
    let attributes = AttributeSet { attributes: vec![contact(GIVEN).into()] };
    let constraint = Constraint { attributes: Some(Box::new(attributes)), ..Constraint::default() };
    let set = SetConstraintsRequest { constraints: Some(Constraints { constraints: vec![constraint] }) };
    client.request(V, set).unwrap();
    for given in [None, Some(contact("somebody else"))] {
        for request in every_making(&of, given) {
            let operation = request.operation();
            let before = everything(&mut client);
            let refused = client.operation(V, request).map(made_by);
            let reason = refused.err().unwrap_or_else(|| panic!("{operation} made it")).reason();
            assert_eq!(reason, Some(ResultReason::ConstraintViolation), "{operation}");
            assert_eq!(everything(&mut client), before, "{operation} left something behind");
        }
    }
    // The old objects stayed what they were: nothing was replaced, and what meets the constraint is made.
    for request in every_making(&of, Some(contact(GIVEN))) {
        let operation = request.operation();
        let made = client.operation(V, request).unwrap_or_else(|error| panic!("{operation}: {error}"));
        for id in made_by(made) {
            assert_eq!(contacts(&mut client, &id), [contact(GIVEN)], "{operation}");
        }
    }
    // Objects that are there are not judged, and a domain without constraints makes everything again.
    client.request(V, SetConstraintsRequest { constraints: None }).unwrap();
    client.operation(V, asking::aes(Vec::new())).unwrap();
}

#[test]
fn defaults_are_given_by_every_operation_and_only_where_the_client_gives_none() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("defaults", "legacy").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let of = material(&mut client);
    let all = [
        ObjectType::SymmetricKey,
        ObjectType::PrivateKey,
        ObjectType::PublicKey,
        ObjectType::SecretData,
        ObjectType::SplitKey,
        ObjectType::Certificate,
    ];
    let object_defaults = all.map(|object_type| ObjectDefaults {
        object_types: DefaultsFor::One(object_type),
        attributes: Some(Box::new(AttributeSet { attributes: vec![contact(DEFAULT).into()] })),
        object_groups: None,
    });
    let defaults = DefaultsInformation { object_defaults: object_defaults.into() };
    client.request(V, SetDefaultsRequest { defaults_information: Some(defaults) }).unwrap();
    for (given, expected) in [(None, DEFAULT), (Some(contact(GIVEN)), GIVEN)] {
        for request in every_making(&of, given.clone()) {
            let operation = request.operation();
            // Import brings everything that the object has, and Re-key what the old one had where it had something.
            let expected: &[AttributeValue] = match (operation, &given) {
                (Operation::Import, None) => &[],
                _ => &[contact(expected)],
            };
            let made = client.operation(V, request).unwrap_or_else(|error| panic!("{operation}: {error}"));
            for id in made_by(made) {
                assert_eq!(contacts(&mut client, &id), expected, "{operation}, given {given:?}");
            }
        }
    }
    // Without defaults nothing is given.
    client.request(V, SetDefaultsRequest { defaults_information: None }).unwrap();
    let plain = client.request(V, asking::aes(Vec::new())).unwrap().unique_identifier;
    assert_eq!(contacts(&mut client, &plain), []);
}
