//! Where the bytes of keys, vectors and nonces come from: of the HSM's generator, and of nothing else.
//!
//! The server's fault injector replaces that generator by one that gives the same bytes at every call. Whatever is made
//! twice is then the same twice; with the real generator, which is the control, it is not. Where the HSM gives no random
//! bytes at all, nothing is made. And a key pair that the HSM makes whole is not made without it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicDomainParameters, CryptographicParameters};
use kmip::object::{EncryptionKeyInformation, KeyValue, KeyWrappingSpecification, ManagedObject};
use kmip::payload::{
    CertifyRequest, CreateKeyPairRequest, CreateRequest, CreateSplitKeyRequest, Data, EncryptRequest, GetRequest,
    LocateRequest, ReKeyKeyPairRequest, ReKeyRequest, RequestPayload, ResponsePayload, RngRetrieveRequest,
};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm as A, ObjectGroupMember, ObjectType, PaddingMethod, RecommendedCurve,
    ResultReason, SplitKeyMethod, UsageMask, WrappingMethod,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::faults::{OF_THE_HSM, demand_injector};
use system_tests::node::{Connection, Node};
use xtask::stage::StageOptions;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// What a domain has before the generator is replaced.
struct Domain {
    client: Connection,
    aes: String,
    kek: String,
    public: String,
}

fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

fn symmetric(algorithm: A, length: i32, mask: UsageMask) -> CreateRequest {
    let mut attributes = active(mask);
    attributes.push(AttributeValue::CryptographicAlgorithm(algorithm));
    attributes.push(AttributeValue::CryptographicLength(length));
    CreateRequest::symmetric_key(attributes)
}

fn secret_data() -> CreateRequest {
    let attributes = [active(UsageMask::DERIVE_KEY), vec![AttributeValue::CryptographicLength(256)]].concat();
    CreateRequest { object_type: ObjectType::SecretData, ..CreateRequest::symmetric_key(attributes) }
}

fn pair(algorithm: A, length: Option<i32>, curve: Option<RecommendedCurve>) -> CreateKeyPairRequest {
    let mut common = vec![AttributeValue::CryptographicAlgorithm(algorithm)];
    common.extend(length.map(AttributeValue::CryptographicLength));
    common.extend(curve.map(|curve| {
        let parameters = CryptographicDomainParameters { qlength: None, recommended_curve: Some(curve) };
        AttributeValue::CryptographicDomainParameters(parameters)
    }));
    CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: Some(active(UsageMask::SIGN).into()),
        public_key_attributes: Some(active(UsageMask::VERIFY).into()),
        ..Default::default()
    }
}

impl Domain {
    fn prepare(node: &Node, policy: &str) -> (certs::Issued, [String; 3]) {
        let tenant = node.tenant_allowed(policy, policy, Permission::ALL.to_vec(), None).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let crypt = UsageMask::ENCRYPT.union(UsageMask::DECRYPT);
        let mut made = |request: CreateRequest| client.request(V2_1, request).unwrap().unique_identifier;
        let aes = made(symmetric(A::Aes, 256, crypt));
        let kek = made(symmetric(A::Aes, 256, UsageMask::WRAP_KEY));
        let pair = client.request(V2_1, pair(A::Ecdsa, Some(256), None)).unwrap();
        (tenant.identity, [aes, kek, pair.public_key_unique_identifier])
    }

    fn open(node: &Node, (identity, [aes, kek, public]): (certs::Issued, [String; 3])) -> Self {
        Self { client: node.connect(&identity).unwrap(), aes, kek, public }
    }

    fn ask<V: Into<RequestPayload>>(&mut self, request: V) -> Result<ResponsePayload, kmip_client::Error> {
        self.client.operation(V2_1, request)
    }

    /// The bytes of an object.
    fn bytes(&mut self, id: &str) -> Vec<u8> {
        let got = self.client.request(V2_1, GetRequest::of(id)).unwrap();
        asking::bytes(&got).unwrap().to_vec()
    }

    /// The secret bytes of what the request makes.
    fn made(&mut self, request: impl Into<RequestPayload>) -> Result<Vec<u8>, kmip_client::Error> {
        let ids = match self.ask(request)? {
            ResponsePayload::Create(made) => vec![made.unique_identifier],
            ResponsePayload::ReKey(made) => vec![made.unique_identifier],
            ResponsePayload::CreateKeyPair(made) => vec![made.private_key_unique_identifier],
            ResponsePayload::ReKeyKeyPair(made) => vec![made.private_key_unique_identifier],
            ResponsePayload::CreateSplitKey(made) => made.unique_identifiers,
            ResponsePayload::Locate(found) => found.unique_identifiers,
            other => panic!("{other:?}"),
        };
        assert!(!ids.is_empty());
        Ok(ids.iter().flat_map(|id| self.bytes(id)).collect())
    }

    /// A key is made, and then the one that takes its place.
    fn renewed(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        let of = Some(self.aes.as_str().into());
        self.made(ReKeyRequest { unique_identifier: of, ..Default::default() })
    }

    fn renewed_pair(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        let ResponsePayload::CreateKeyPair(made) = self.ask(pair(A::Ed25519, None, None))? else { panic!() };
        let private_key_unique_identifier = Some(made.private_key_unique_identifier.as_str().into());
        self.made(ReKeyKeyPairRequest { private_key_unique_identifier, ..Default::default() })
    }

    fn split(&mut self, method: SplitKeyMethod) -> Result<Vec<u8>, kmip_client::Error> {
        let attributes = symmetric(A::Aes, 256, UsageMask::ENCRYPT).template_attribute;
        self.made(CreateSplitKeyRequest {
            object_type: ObjectType::SplitKey,
            unique_identifier: None,
            split_key_parts: 3,
            split_key_threshold: if method == SplitKeyMethod::Xor { 3 } else { 2 },
            split_key_method: method,
            prime_field_size: None,
            template_attribute: attributes,
            protection_storage_masks: None,
        })
    }

    /// Vector and ciphertext, which has the padding in it.
    fn sealed(&mut self, parameters: CryptographicParameters) -> Result<Vec<u8>, kmip_client::Error> {
        let request = EncryptRequest {
            unique_identifier: Some(self.aes.as_str().into()),
            cryptographic_parameters: Some(Box::new(parameters)),
            data: Some(Data::from(Secret::copy_from(b"attack at dawn"))),
            ..Default::default()
        };
        let ResponsePayload::Encrypt(sealed) = self.ask(request)? else { panic!() };
        Ok([sealed.iv_counter_nonce.unwrap(), sealed.data.unwrap().to_vec()].concat())
    }

    fn wrapped(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        let gcm = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::Gcm),
            random_iv: Some(true),
            tag_length: Some(16),
            ..Default::default()
        };
        let specification = KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: self.kek.clone(),
                cryptographic_parameters: Some(Box::new(gcm)),
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: None,
        };
        let get = GetRequest { key_wrapping_specification: Some(Box::new(specification)), ..GetRequest::of(&self.aes) };
        let ResponsePayload::Get(got) = self.ask(get)? else { panic!() };
        match &got.object.key_block().unwrap().value {
            Some(KeyValue::Wrapped(bytes)) => Ok(bytes.expose().to_vec()),
            other => panic!("{other:?}"),
        }
    }

    /// The serial number of a new certificate.
    fn serial(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        let public = self.public.clone();
        let certify = CertifyRequest { unique_identifier: Some(public.as_str().into()), ..Default::default() };
        let ResponsePayload::Certify(made) = self.ask(certify)? else { panic!() };
        let got = self.client.request(V2_1, GetRequest::of(&made.unique_identifier)).unwrap();
        let ManagedObject::Certificate(certificate) = got.object else { panic!() };
        // SEQUENCE { SEQUENCE { [0] version (5 bytes), INTEGER serial.
        let header = |der: &[u8]| if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) };
        let outer = header(&certificate.value);
        let at = outer + header(&certificate.value[outer..]) + 5;
        let len = usize::from(certificate.value[at + 1]);
        Ok(certificate.value[at + 2..at + 2 + len].to_vec())
    }

    fn retrieved(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        let ResponsePayload::RngRetrieve(got) = self.ask(RngRetrieveRequest { data_length: 40 })? else { panic!() };
        Ok(got.data.expose().to_vec())
    }

    fn fresh_member(&mut self) -> Result<Vec<u8>, kmip_client::Error> {
        // Getting one takes it off the stock, so that the next Locate has a new one made.
        self.made(LocateRequest {
            object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
            attributes: vec![Attribute::new(AttributeValue::ObjectGroup("default".to_owned()))],
            ..Default::default()
        })
    }
}

type Way = fn(&mut Domain) -> Result<Vec<u8>, kmip_client::Error>;

/// Everything that has random bytes in it which the HSM's generator gives.
fn ways() -> Vec<(&'static str, Way)> {
    vec![
        ("an AES key", |domain| domain.made(symmetric(A::Aes, 256, UsageMask::ENCRYPT))),
        ("an HMAC key", |domain| domain.made(symmetric(A::HmacSha384, 384, UsageMask::MAC_GENERATE))),
        ("secret data", |domain| domain.made(secret_data())),
        ("a replaced key", Domain::renewed),
        ("a member of the default group", Domain::fresh_member),
        ("an Ed25519 pair", |domain| domain.made(pair(A::Ed25519, None, None))),
        ("a replaced pair", Domain::renewed_pair),
        ("an X25519 pair", |domain| domain.made(pair(A::Ecdh, None, Some(RecommendedCurve::Curve25519)))),
        ("a pair on a Brainpool curve", |domain| {
            domain.made(pair(A::Ecdsa, None, Some(RecommendedCurve::Brainpoolp256r1)))
        }),
        ("parts by XOR", |domain| domain.split(SplitKeyMethod::Xor)),
        ("parts in GF(2^8)", |domain| domain.split(SplitKeyMethod::PolynomialSharingGf2_8)),
        ("parts in GF(2^16)", |domain| domain.split(SplitKeyMethod::PolynomialSharingGf2_16)),
        ("parts in a prime field", |domain| domain.split(SplitKeyMethod::PolynomialSharingPrimeField)),
        ("a nonce of GCM", |domain| domain.sealed(with_iv(BlockCipherMode::Gcm))),
        ("a vector of CBC and its padding", |domain| {
            let padding_method = Some(PaddingMethod::Iso10126);
            domain.sealed(CryptographicParameters { padding_method, ..with_iv(BlockCipherMode::Cbc) })
        }),
        ("a counter of CTR", |domain| domain.sealed(with_iv(BlockCipherMode::Ctr))),
        ("the nonce of a wrapped key", Domain::wrapped),
        ("a serial number", Domain::serial),
        ("RNG Retrieve", Domain::retrieved),
    ]
}

fn with_iv(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters { block_cipher_mode: Some(mode), random_iv: Some(true), ..Default::default() }
}

/// Pairs that the HSM makes whole.
fn pairs_of_the_hsm() -> [CreateKeyPairRequest; 3] {
    [pair(A::Rsa, Some(2048), None), pair(A::Ecdsa, Some(256), None), pair(A::Ec, None, Some(RecommendedCurve::P384))]
}

/// A node with a domain of each policy, its HSM faulty in this way.
fn node_with(fault: &str) -> (Node, Vec<(&'static str, Domain)>) {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    demand_injector(&node).unwrap();
    node.serve().unwrap();
    let prepared = ["anssi", "legacy"].map(|policy| (policy, Domain::prepare(&node, policy)));
    node.set_environment(&[(OF_THE_HSM, fault)]);
    node.restart().unwrap();
    let domains = prepared.into_iter().map(|(policy, prepared)| (policy, Domain::open(&node, prepared))).collect();
    (node, domains)
}

#[test]
fn what_is_made_twice_differs_with_the_real_generator_and_with_one_that_repeats_itself_does_not() {
    for (fault, repeats) in [("", false), ("known-random", true)] {
        let (_node, domains) = node_with(fault);
        for (policy, mut domain) in domains {
            for (what, make) in ways() {
                let mut once = || make(&mut domain).unwrap_or_else(|error| panic!("{what} under {policy}: {error}"));
                let (one, other) = (once(), once());
                assert_eq!(one == other, repeats, "{what} under {policy}: {one:02x?}, {other:02x?}");
            }
        }
    }
}

#[test]
fn keys_of_anssi_are_the_very_bytes_that_the_hsm_gave() {
    let (_node, domains) = node_with("known-random");
    let (_, mut domain) = domains.into_iter().next().unwrap();
    let given = domain.retrieved().unwrap();
    assert_eq!(domain.made(symmetric(A::Aes, 256, UsageMask::ENCRYPT)).unwrap(), given[..32]);
    assert_eq!(domain.made(secret_data()).unwrap(), given[..32]);
}

#[test]
fn without_the_hsms_generator_nothing_is_made() {
    let (_node, domains) = node_with("no-random");
    for (policy, mut domain) in domains {
        for (what, make) in ways() {
            let refused = make(&mut domain).expect_err(what);
            assert_eq!(refused.reason(), Some(ResultReason::GeneralFailure), "{what} under {policy}: {refused}");
        }
        // The control: what needs no random bytes goes on.
        let aes = domain.aes.clone();
        assert_eq!(domain.bytes(&aes).len(), 32);
    }
}

#[test]
fn pairs_that_the_hsm_makes_are_made_nowhere_else() {
    let (_node, domains) = node_with("no-pairs");
    for (policy, mut domain) in domains {
        for request in pairs_of_the_hsm() {
            let refused = domain.made(request.clone()).expect_err("a pair");
            assert_eq!(refused.reason(), Some(ResultReason::GeneralFailure), "{request:?} under {policy}: {refused}");
        }
        // The control: a pair of random bytes.
        domain.made(pair(A::Ed25519, None, None)).unwrap();
    }
    // And with the HSM as it is, each is another one each time.
    let (_node, domains) = node_with("");
    for (policy, mut domain) in domains {
        for request in pairs_of_the_hsm() {
            let (one, other) = (domain.made(request.clone()).unwrap(), domain.made(request.clone()).unwrap());
            assert_ne!(one, other, "{request:?} under {policy}");
        }
    }
}
