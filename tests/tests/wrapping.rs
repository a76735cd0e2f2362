//! Keys that leave wrapped and authenticated, come back, and are opened only if code and value are those that left.
//! KMIP 1.4 §2.1.5, 2.1 §3.3.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

use admin_api::Permission;
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::object::{
    EncryptionKeyInformation, KeyBlock, KeyValue, KeyWrappingData, KeyWrappingSpecification,
    MacSignatureKeyInformation, ManagedObject, SymmetricKey,
};
use kmip::payload::{CreateKeyPairRequest, Data, GetRequest, MacRequest, RegisterRequest};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm as A, EncodingOption, HashingAlgorithm, KeyFormatType, KeyWrapType,
    ResultReason, UsageMask, WrappingMethod,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;
const KEY: [u8; 32] = [0x6b; 32];

fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

fn registered(client: &mut Connection, algorithm: A, bytes: &[u8], mask: UsageMask) -> String {
    let bits = i32::try_from(bytes.len() * 8).unwrap();
    let key_block = KeyBlock::raw(Secret::copy_from(bytes), algorithm, bits);
    let key = ManagedObject::SymmetricKey(SymmetricKey { key_block });
    client.request(V2_1, RegisterRequest::new(key, active(mask))).unwrap().unique_identifier
}

/// A key that signs, with its other half.
fn signing(client: &mut Connection) -> String {
    let mut common = active(UsageMask::SIGN);
    common.extend([AttributeValue::CryptographicAlgorithm(A::Ecdsa), AttributeValue::CryptographicLength(256)]);
    let pair = CreateKeyPairRequest {
        common_attributes: Some(common.into()),
        public_key_attributes: Some(vec![AttributeValue::CryptographicUsageMask(UsageMask::VERIFY)].into()),
        ..Default::default()
    };
    client.request(V2_1, pair).unwrap().private_key_unique_identifier
}

fn hash(algorithm: HashingAlgorithm) -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters { hashing_algorithm: Some(algorithm), ..Default::default() }))
}

fn authentication(id: &str) -> Option<MacSignatureKeyInformation> {
    let cryptographic_parameters = hash(HashingAlgorithm::Sha256);
    Some(MacSignatureKeyInformation { unique_identifier: id.to_owned(), cryptographic_parameters })
}

fn get(key: &str, method: WrappingMethod, kek: &str, by: Option<MacSignatureKeyInformation>) -> GetRequest {
    let mode = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::NistKeyWrap), ..Default::default() };
    let specification = KeyWrappingSpecification {
        wrapping_method: method,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: kek.to_owned(),
            cryptographic_parameters: Some(Box::new(mode)),
        }),
        mac_signature_key_information: by,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    };
    GetRequest { key_wrapping_specification: Some(Box::new(specification)), ..GetRequest::of(key) }
}

/// Registers the key as it came wrapped, and asks for it in clear.
fn opened(client: &mut Connection, object: ManagedObject) -> Result<Vec<u8>, kmip_client::Error> {
    let kept = client.request(V2_1, RegisterRequest::new(object, active(UsageMask::ENCRYPT))).unwrap();
    let clear = GetRequest { key_wrap_type: Some(KeyWrapType::NotWrapped), ..GetRequest::of(&kept.unique_identifier) };
    client.request(V2_1, clear).map(|got| asking::bytes(&got).unwrap().to_vec())
}

fn data(object: &mut ManagedObject) -> &mut KeyWrappingData {
    object.key_block_mut().unwrap().wrapping.as_mut().unwrap()
}

fn flip_code(object: &mut ManagedObject) {
    *data(object).mac_signature.as_mut().unwrap().last_mut().unwrap() ^= 1;
}

fn flip_value(object: &mut ManagedObject) {
    let value = object.key_block_mut().unwrap().value.as_mut().unwrap();
    let KeyValue::Wrapped(bytes) = value else { panic!("{value:?}") };
    let mut changed = bytes.expose().to_vec();
    changed[0] ^= 1;
    *bytes = Secret::new(changed);
}

#[test]
fn what_left_authenticated_comes_back_and_a_forgery_is_not_opened() {
    let node = Node::start().unwrap();
    for policy in ["anssi", "legacy"] {
        let tenant = node.tenant_allowed(policy, policy, Permission::ALL.to_vec(), None).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let key = registered(&mut client, A::Aes, &KEY, UsageMask::ENCRYPT);
        let wraps = UsageMask::WRAP_KEY.union(UsageMask::UNWRAP_KEY);
        let kek = registered(&mut client, A::Aes, &[0x10; 32], wraps);
        let codes = UsageMask::MAC_GENERATE.union(UsageMask::MAC_VERIFY);
        let mac = registered(&mut client, A::HmacSha256, &[0x11; 32], codes);
        let other_mac = registered(&mut client, A::HmacSha256, &[0x12; 32], codes);
        let (signer, other_signer) = (signing(&mut client), signing(&mut client));
        let wrapped =
            |client: &mut Connection, method, by| client.request(V2_1, get(&key, method, &kek, by)).unwrap().object;
        let encrypted = wrapped(&mut client, WrappingMethod::Encrypt, None);
        assert_eq!(opened(&mut client, encrypted).unwrap(), KEY, "{policy}");
        for method in [WrappingMethod::EncryptThenMacSign, WrappingMethod::MacSignThenEncrypt] {
            for (by, other) in [(&mac, &other_mac), (&signer, &other_signer)] {
                let what = format!("{policy}, {method:?}");
                let mut fresh = || wrapped(&mut client, method, authentication(by));
                let (whole, mut code, mut value, mut without, mut by_other) =
                    (fresh(), fresh(), fresh(), fresh(), fresh());
                assert!(whole.key_block().unwrap().wrapping.as_ref().unwrap().mac_signature.is_some(), "{what}");
                assert_eq!(opened(&mut client, whole).unwrap(), KEY, "{what}");
                flip_code(&mut code);
                flip_value(&mut value);
                data(&mut by_other).mac_signature_key_information = authentication(other);
                for forged in [code, value, by_other] {
                    let refused = opened(&mut client, forged).unwrap_err();
                    assert_eq!(refused.reason(), Some(ResultReason::CryptographicFailure), "{what}: {refused}");
                }
                data(&mut without).mac_signature = None;
                opened(&mut client, without).unwrap_err();
            }
        }
    }
}

#[test]
fn a_key_that_is_only_authenticated_comes_in_and_does_not_leave() {
    let node = Node::start().unwrap();
    let tenant = node.tenant_allowed("acme", "anssi", Permission::ALL.to_vec(), None).unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mac = registered(&mut client, A::HmacSha256, &[0x11; 32], UsageMask::MAC_GENERATE.union(UsageMask::MAC_VERIFY));
    let kek = registered(&mut client, A::Aes, &[0x10; 32], UsageMask::WRAP_KEY);
    let key = registered(&mut client, A::Aes, &KEY, UsageMask::ENCRYPT);
    let readable = client.request(V2_1, get(&key, WrappingMethod::MacSign, &kek, authentication(&mac))).unwrap_err();
    assert_eq!(readable.reason(), Some(ResultReason::FeatureNotSupported), "{readable}");

    let code = MacRequest {
        unique_identifier: Some(mac.as_str().into()),
        cryptographic_parameters: hash(HashingAlgorithm::Sha256),
        data: Some(Data::from(Secret::copy_from(&KEY))),
        ..Default::default()
    };
    let code = client.request(V2_1, code).unwrap().mac_data.unwrap();
    let signed = |code: Vec<u8>| {
        let mut key_block = KeyBlock::raw(Secret::copy_from(&KEY), A::Aes, 256);
        key_block.format = KeyFormatType::Raw;
        key_block.value = Some(KeyValue::Wrapped(Secret::copy_from(&KEY)));
        key_block.wrapping = Some(Box::new(KeyWrappingData {
            wrapping_method: WrappingMethod::MacSign,
            encryption_key_information: None,
            mac_signature_key_information: authentication(&mac),
            mac_signature: Some(code),
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        }));
        ManagedObject::SymmetricKey(SymmetricKey { key_block })
    };
    assert_eq!(opened(&mut client, signed(code.clone())).unwrap(), KEY);
    let mut forged = signed(code);
    flip_code(&mut forged);
    let refused = opened(&mut client, forged).unwrap_err();
    assert_eq!(refused.reason(), Some(ResultReason::CryptographicFailure), "{refused}");
}

#[test]
fn a_code_is_as_strong_as_the_domain_asks_for() {
    let node = Node::start().unwrap();
    for (policy, refused) in [("anssi", true), ("legacy", false)] {
        let tenant = node.tenant_allowed(policy, policy, Permission::ALL.to_vec(), None).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        let key = registered(&mut client, A::Aes, &KEY, UsageMask::ENCRYPT);
        let kek = registered(&mut client, A::Aes, &[0x10; 32], UsageMask::WRAP_KEY);
        let signer = signing(&mut client);
        let by = MacSignatureKeyInformation {
            unique_identifier: signer,
            cryptographic_parameters: hash(HashingAlgorithm::Sha1),
        };
        match client.request(V2_1, get(&key, WrappingMethod::EncryptThenMacSign, &kek, Some(by))) {
            Ok(_) => assert!(!refused, "{policy}"),
            Err(kmip_client::Error::Failed { message, .. }) => {
                assert!(refused && message.contains("hashes of at least 256 bits"), "{policy}: {message}");
            }
            Err(other) => panic!("{policy}: {other}"),
        }
    }
}
