//! What the policy `anssi` refuses, it refuses with its reason: each weak choice, asked of a domain of either policy. The
//! same request of a `legacy` domain is carried out, so it is the policy that stood against it and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod incoming;

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::{Attribute, AttributeValue, CryptographicDomainParameters, CryptographicParameters};
use kmip::object::{EncryptionKeyInformation, KeyBlock, KeyWrappingSpecification, ManagedObject, SymmetricKey};
use kmip::payload::{
    CreateKeyPairRequest, CreateRequest, Data, DerivationParameters, DeriveKeyRequest, EncryptRequest, GetRequest,
    HashRequest, ImportRequest, MacRequest, RegisterRequest, RequestPayload, RngSeedRequest, SignRequest,
};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm as A, DerivationMethod, DigitalSignatureAlgorithm, HashingAlgorithm,
    ObjectType, PaddingMethod, RecommendedCurve, UsageMask, WrappingMethod,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::node::{Connection, Node};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// Active objects of a domain, good under both policies.
struct Objects {
    aes: String,
    kek: String,
    private: String,
    public: String,
    base: String,
}

fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

fn create(algorithm: A, length: i32, mask: UsageMask) -> CreateRequest {
    let mut attributes = active(mask);
    attributes.push(AttributeValue::CryptographicAlgorithm(algorithm));
    attributes.push(AttributeValue::CryptographicLength(length));
    CreateRequest::symmetric_key(attributes)
}

fn pair(algorithm: A, length: Option<i32>, curve: Option<RecommendedCurve>) -> CreateKeyPairRequest {
    let mut common = vec![AttributeValue::CryptographicAlgorithm(algorithm)];
    common.extend(length.map(AttributeValue::CryptographicLength));
    common.extend(curve.map(|curve| {
        AttributeValue::CryptographicDomainParameters(CryptographicDomainParameters {
            qlength: None,
            recommended_curve: Some(curve),
        })
    }));
    CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        private_key_attributes: Some(active(UsageMask::SIGN).into()),
        public_key_attributes: Some(active(UsageMask::VERIFY.union(UsageMask::ENCRYPT)).into()),
        ..Default::default()
    }
}

fn key(algorithm: A, bytes: &[u8], bits: i32) -> ManagedObject {
    ManagedObject::SymmetricKey(SymmetricKey { key_block: KeyBlock::raw(Secret::copy_from(bytes), algorithm, bits) })
}

fn register(algorithm: A, bytes: &[u8], bits: i32) -> RequestPayload {
    RegisterRequest::new(key(algorithm, bytes, bits), active(UsageMask::ENCRYPT)).into()
}

fn import(algorithm: A, bytes: &[u8], bits: i32) -> RequestPayload {
    ImportRequest {
        unique_identifier: uuid::Uuid::now_v7().to_string(),
        object_type: Some(ObjectType::SymmetricKey),
        replace_existing: None,
        key_wrap_type: None,
        attributes: active(UsageMask::MAC_GENERATE).into_iter().map(Attribute::new).collect(),
        object: key(algorithm, bytes, bits),
    }
    .into()
}

fn parameters(of: CryptographicParameters) -> Option<Box<CryptographicParameters>> {
    Some(Box::new(of))
}

fn mode(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters { block_cipher_mode: Some(mode), ..Default::default() }
}

fn data() -> Option<Data> {
    Some(Data::from(Secret::copy_from(&[0x5a; 16])))
}

fn encrypt(id: &str, of: CryptographicParameters, iv: Option<Vec<u8>>) -> RequestPayload {
    EncryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: parameters(of),
        data: data(),
        iv_counter_nonce: iv,
        ..Default::default()
    }
    .into()
}

fn sign(id: &str, of: CryptographicParameters) -> RequestPayload {
    SignRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: parameters(of),
        data: data(),
        ..Default::default()
    }
    .into()
}

fn derive(id: &str, hash: HashingAlgorithm, iterations: i32) -> RequestPayload {
    let hash = CryptographicParameters { hashing_algorithm: Some(hash), ..Default::default() };
    DeriveKeyRequest {
        object_type: ObjectType::SecretData,
        unique_identifiers: vec![id.into()],
        derivation_method: DerivationMethod::Pbkdf2,
        derivation_parameters: DerivationParameters {
            cryptographic_parameters: parameters(hash),
            initialization_vector: None,
            derivation_data: Vec::new(),
            salt: Some(vec![9; 16]),
            iteration_count: Some(iterations),
        },
        template_attribute: vec![AttributeValue::CryptographicLength(256)].into(),
    }
    .into()
}

fn wrapped(id: &str, kek: &str) -> RequestPayload {
    let cbc = CryptographicParameters {
        padding_method: Some(PaddingMethod::Pkcs5),
        random_iv: Some(true),
        ..mode(BlockCipherMode::Cbc)
    };
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: kek.to_owned(),
            cryptographic_parameters: parameters(cbc),
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: None,
    };
    GetRequest { key_wrapping_specification: Some(Box::new(specification)), ..GetRequest::of(id) }.into()
}

/// Each weak choice, and the reason that has to be in the refusal.
fn choices(of: &Objects) -> Vec<(RequestPayload, &'static str)> {
    let short_tag =
        CryptographicParameters { random_iv: Some(true), tag_length: Some(12), ..mode(BlockCipherMode::Gcm) };
    let pkcs1 = CryptographicParameters { padding_method: Some(PaddingMethod::Pkcs1V1_5), ..Default::default() };
    let sha1_by_name = CryptographicParameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::Sha1WithRsaEncryption),
        ..Default::default()
    };
    let sha1_by_hash = CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::Sha1), ..pkcs1.clone() };
    let hmac = |of| CryptographicParameters { cryptographic_algorithm: Some(of), ..Default::default() };
    let mac = MacRequest {
        unique_identifier: Some(of.aes.as_str().into()),
        cryptographic_parameters: parameters(hmac(A::HmacSha1)),
        data: data(),
        ..Default::default()
    };
    let hash = |of| HashRequest {
        cryptographic_parameters: Box::new(CryptographicParameters {
            hashing_algorithm: Some(of),
            ..Default::default()
        }),
        data: data(),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let crypt = UsageMask::ENCRYPT.union(UsageMask::DECRYPT);
    vec![
        (create(A::TripleDes, 168, crypt).into(), "the domain's policy excludes 3DES"),
        (create(A::Skipjack, 80, crypt).into(), "the domain's policy excludes SKIPJACK"),
        (create(A::HmacSha256, 112, UsageMask::MAC_GENERATE).into(), "excludes HMAC-SHA256 keys of 112 bits"),
        (create(A::HmacSha1, 160, UsageMask::MAC_GENERATE).into(), "the domain's policy excludes HMAC-SHA1"),
        (
            create(A::Aes, 256, UsageMask::WRAP_KEY.union(UsageMask::DECRYPT)).into(),
            "the domain's policy excludes Wrap Key and Decrypt on one key",
        ),
        (
            create(A::Aes, 256, UsageMask::UNWRAP_KEY.union(UsageMask::ENCRYPT)).into(),
            "the domain's policy excludes Unwrap Key and Encrypt on one key",
        ),
        (pair(A::Rsa, Some(1024), None).into(), "the domain's policy excludes RSA keys of 1024 bits"),
        (pair(A::Ecdsa, None, Some(RecommendedCurve::P192)).into(), "the domain's policy excludes keys on P-192"),
        (
            pair(A::Ecdsa, None, Some(RecommendedCurve::Secp256k1)).into(),
            "the domain's policy excludes keys on SECP256K1",
        ),
        (register(A::Des, &[1; 8], 56), "the domain's policy excludes DES"),
        (register(A::TripleDes, &[1; 24], 168), "the domain's policy excludes 3DES"),
        (register(A::HmacSha256, &[1; 8], 64), "the domain's policy excludes HMAC-SHA256 keys of 64 bits"),
        (register(A::Rc4, &[1; 16], 128), "the domain's policy excludes RC4"),
        (import(A::HmacSha256, &[1; 8], 64), "the domain's policy excludes HMAC-SHA256 keys of 64 bits"),
        (encrypt(&of.aes, mode(BlockCipherMode::Ecb), None), "the domain's policy excludes ECB"),
        (encrypt(&of.aes, mode(BlockCipherMode::Ctr), Some(vec![7; 16])), "leaves the IV to the server"),
        (encrypt(&of.aes, short_tag, None), "authentication tags of 16 bytes"),
        (encrypt(&of.public, pkcs1, None), "encrypts with RSA in OAEP only"),
        (sign(&of.private, sha1_by_name), "the domain's policy asks for hashes of at least 256 bits"),
        (sign(&of.private, sha1_by_hash), "the domain's policy asks for hashes of at least 256 bits"),
        (mac.into(), "the domain's policy excludes"),
        (hash(HashingAlgorithm::Sha1).into(), "the domain's policy asks for hashes of at least 256 bits"),
        (hash(HashingAlgorithm::Md5).into(), "the domain's policy asks for hashes of at least 256 bits"),
        (derive(&of.base, HashingAlgorithm::Sha256, 1000), "the domain's policy asks for more rounds of PBKDF2"),
        (derive(&of.base, HashingAlgorithm::Sha1, 100_000), "the domain's policy excludes the hash"),
        (wrapped(&of.aes, &of.kek), "the domain's policy wraps keys in modes that notice a change only"),
        (
            RngSeedRequest { data: Data::from(Secret::copy_from(&[1; 16])) }.into(),
            "the domain's policy keeps clients off the random generator",
        ),
    ]
}

fn objects(client: &mut Connection) -> Objects {
    let crypt = UsageMask::ENCRYPT.union(UsageMask::DECRYPT).union(UsageMask::MAC_GENERATE);
    let mut made = |request: CreateRequest| client.request(V2_1, request).unwrap().unique_identifier;
    let (aes, kek) = (made(create(A::Aes, 256, crypt)), made(create(A::Aes, 256, UsageMask::WRAP_KEY)));
    let base = made(create(A::HmacSha256, 256, UsageMask::DERIVE_KEY));
    let pair = client.request(V2_1, pair(A::Rsa, Some(2048), None)).unwrap();
    let (private, public) = (pair.private_key_unique_identifier, pair.public_key_unique_identifier);
    Objects { aes, kek, private, public, base }
}

#[test]
fn each_weak_choice_is_refused_under_anssi_with_its_reason_and_carried_out_under_legacy() {
    let node = Node::start().unwrap();
    // The same permissions for both, so that nothing but the policy makes a difference.
    let strict = node.tenant_allowed("strict", "anssi", Permission::ALL.to_vec(), None).unwrap();
    let loose = node.tenant_allowed("loose", "legacy", Permission::ALL.to_vec(), None).unwrap();
    let mut strict = node.connect(&strict.identity).unwrap();
    let mut loose = node.connect(&loose.identity).unwrap();
    let (of_strict, of_loose) = (objects(&mut strict), objects(&mut loose));
    let mut weak = choices(&of_strict);
    weak.extend(incoming::choices(&mut strict, &of_strict));
    let mut same = choices(&of_loose);
    same.extend(incoming::choices(&mut loose, &of_loose));
    assert_eq!(weak.len(), same.len());
    for ((weak, reason), (same, _)) in weak.into_iter().zip(same) {
        let what = format!("{weak:?}");
        let refused = match strict.operation(V2_1, weak) {
            Err(kmip_client::Error::Failed { message, .. }) => message,
            other => panic!("{what}: {other:?}"),
        };
        assert!(refused.contains(reason), "{what}: {refused:?} does not say {reason:?}");
        loose.operation(V2_1, same).unwrap_or_else(|error| panic!("{what} under legacy: {error}"));
    }
}
