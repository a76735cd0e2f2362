//! Codes, hashes and keys derived from others.

use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, PrivateKey, PublicKey, SecretData, SymmetricKey};
use kmip::payload::{
    DerivationParameters, DeriveKeyRequest, HashRequest, MacRequest, MacVerifyRequest, RegisterRequest, RequestPayload,
};
use kmip::registry::{
    BlockCipherMode, CryptographicAlgorithm as A, DerivationMethod, HashingAlgorithm as H, KeyFormatType, ObjectType,
    SecretDataType, UsageMask,
};
use secret::Secret;

use crate::{Anssi, INVALID, Row, VALID, active, data, parameters};

const TAKES: Anssi = Anssi::Takes;

/// HMAC of "Hi There" under twenty bytes 0x0b: RFC 2202 §3, RFC 4231 §4.2, and the same for SHA-3.
const HMACS: &[(A, &str, Anssi)] = &[
    (A::HmacSha1, "b617318655057264e28bc0b6fb378c8ef146be00", Anssi::Refuses("excludes HMAC-SHA1")),
    (A::HmacSha256, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", TAKES),
    (
        A::HmacSha384,
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
        TAKES,
    ),
    (
        A::HmacSha512,
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
         daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        TAKES,
    ),
    (A::HmacSha3_256, "ba85192310dffa96e2a3a40e69774351140bb7185e1202cdcc917589f95e16bb", TAKES),
    (
        A::HmacSha3_384,
        "68d2dcf7fd4ddd0a2240c8a437305f61fb7334cfb5d0226e1bc27dc10a2e723a20d370b47743130e26ac7e3d532886bd",
        TAKES,
    ),
    (
        A::HmacSha3_512,
        "eb3fbd4b2eaab8f5c504bd3a41465aacec15770a7cabac531e482f860b5ec7ba\
         47ccb2c6f2afce8f88d22b6dc61380f23a668fd3888bb80537c0a0b86407689e",
        TAKES,
    ),
];

/// Hashes of "abc": FIPS 180-4 and FIPS 202, NIST's example values.
const HASHES: &[(H, &str, Anssi)] = &[
    (H::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", Anssi::Refuses("hashes of at least 256 bits")),
    (H::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", TAKES),
    (
        H::Sha384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        TAKES,
    ),
    (
        H::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        TAKES,
    ),
    (H::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532", TAKES),
    (
        H::Sha3_384,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
        TAKES,
    ),
    (
        H::Sha3_512,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
         10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        TAKES,
    ),
];

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

fn symmetric(algorithm: A, material: &[u8], mask: UsageMask) -> Vec<RegisterRequest> {
    let bits = i32::try_from(material.len() * 8).unwrap();
    let key_block = KeyBlock::raw(Secret::copy_from(material), algorithm, bits);
    vec![RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block }), active(mask))]
}

/// A code made, checked, and checked against another message.
fn code(
    what: &str,
    algorithm: A,
    key: &[u8],
    (text, code): (&[u8], &str),
    of: &CryptographicParameters,
    anssi: Anssi,
) -> Vec<Row> {
    let mask = UsageMask::MAC_GENERATE.union(UsageMask::MAC_VERIFY);
    let verify = |text: &[u8]| {
        let (of, text, code) = (of.clone(), text.to_vec(), bytes(code));
        move |ids: &[String]| -> RequestPayload {
            MacVerifyRequest {
                unique_identifier: Some(ids[0].as_str().into()),
                cryptographic_parameters: parameters(&of),
                data: data(&text),
                mac_data: Some(code.clone()),
                ..Default::default()
            }
            .into()
        }
    };
    let (made, of_made) = (text.to_vec(), of.clone());
    let make = move |ids: &[String]| {
        MacRequest {
            unique_identifier: Some(ids[0].as_str().into()),
            cryptographic_parameters: parameters(&of_made),
            data: data(&made),
            ..Default::default()
        }
        .into()
    };
    let keys = || symmetric(algorithm, key, mask);
    vec![
        Row::new(format!("MAC: {what}"), keys(), make, bytes(code), anssi),
        Row::new(format!("MAC Verify: {what}"), keys(), verify(text), VALID, anssi),
        Row::new(format!("MAC Verify, another message: {what}"), keys(), verify(b"another"), INVALID, anssi),
    ]
}

fn hash(algorithm: H, digest: &str, anssi: Anssi) -> Row {
    let ask = move |_: &[String]| {
        HashRequest {
            cryptographic_parameters: Box::new(CryptographicParameters {
                hashing_algorithm: Some(algorithm),
                ..Default::default()
            }),
            data: data(b"abc"),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        }
        .into()
    };
    Row::new(format!("Hash: {algorithm:?}"), Vec::new(), ask, bytes(digest), anssi)
}

/// What a derivation takes.
#[derive(Clone, Default)]
struct Given {
    /// SHA-256, for methods that have a hash.
    hashes: bool,
    data: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    iterations: Option<i32>,
}

impl Given {
    fn parameters(&self) -> DerivationParameters {
        let sha256 = CryptographicParameters { hashing_algorithm: Some(H::Sha256), ..Default::default() };
        DerivationParameters {
            cryptographic_parameters: self.hashes.then(|| Box::new(sha256)),
            initialization_vector: None,
            derivation_data: self.data.iter().map(|data| Secret::copy_from(data)).collect(),
            salt: self.salt.clone(),
            iteration_count: self.iterations,
        }
    }
}

/// Secret Data of the length of `answer`.
fn derived(
    what: &str,
    keys: Vec<RegisterRequest>,
    derivation_method: DerivationMethod,
    given: Given,
    answer: &str,
) -> Row {
    let answer = bytes(answer);
    let bits = i32::try_from(answer.len() * 8).unwrap();
    let ask = move |ids: &[String]| {
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: ids.iter().map(|id| id.as_str().into()).collect(),
            derivation_method,
            derivation_parameters: given.parameters(),
            template_attribute: vec![AttributeValue::CryptographicLength(bits)].into(),
        }
        .into()
    };
    Row::new(what, keys, ask, answer, TAKES)
}

fn derivations() -> Vec<Row> {
    let hkdf = Given {
        hashes: true,
        data: Some(bytes("f0f1f2f3f4f5f6f7f8f9")),
        salt: Some(bytes("000102030405060708090a0b0c")),
        iterations: None,
    };
    let pbkdf2 = Given { hashes: true, data: None, salt: Some(b"NaCl".to_vec()), iterations: Some(80_000) };
    let password = || {
        let key_block = KeyBlock::without_algorithm(KeyFormatType::Opaque, Secret::copy_from(b"Password"));
        let secret = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
        vec![RegisterRequest::new(secret, active(UsageMask::DERIVE_KEY))]
    };
    let block = |format, der: &[u8]| KeyBlock::new(format, KeyMaterial::Bytes(Secret::copy_from(der)), None, None);
    let own = include_bytes!("../../vectors/operations/ecdh-p256.pkcs8");
    let other = include_bytes!("../../vectors/operations/ecdh-p256.spki");
    let pair = vec![
        RegisterRequest::new(
            ManagedObject::PrivateKey(PrivateKey { key_block: block(KeyFormatType::Pkcs8, own) }),
            active(UsageMask::DERIVE_KEY),
        ),
        RegisterRequest::new(
            ManagedObject::PublicKey(PublicKey { key_block: block(KeyFormatType::X509, other) }),
            active(UsageMask::DERIVE_KEY),
        ),
    ];
    vec![
        derived(
            "HKDF, RFC 5869 §A.1",
            symmetric(A::HmacSha256, &[0x0b; 22], UsageMask::DERIVE_KEY),
            DerivationMethod::Hkdf,
            hkdf,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        derived(
            "PBKDF2, RFC 7914 §11",
            password(),
            DerivationMethod::Pbkdf2,
            pbkdf2,
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56\
             a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
        ),
        derived(
            "ECDH on P-256, NIST CAVS",
            pair,
            DerivationMethod::AsymmetricKey,
            Given::default(),
            "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b",
        ),
    ]
}

/// Codes, hashes, derived keys.
pub(crate) fn rows() -> Vec<Row> {
    let none = CryptographicParameters::default();
    let cmac = CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::Cmac), ..Default::default() };
    let aes = bytes("2b7e151628aed2a6abf7158809cf4f3c");
    let mut rows = Vec::new();
    for (algorithm, answer, anssi) in HMACS {
        rows.extend(code(algorithm.text(), *algorithm, &[0x0b; 20], (b"Hi There", answer), &none, *anssi));
    }
    let message = bytes("6bc1bee22e409f96e93d7e117393172a");
    let example = (message.as_slice(), "070a16b46b4d4144f79bdd9dd04a287c");
    rows.extend(code("AES CMAC, SP 800-38B §D.1", A::Aes, &aes, example, &cmac, TAKES));
    rows.extend(HASHES.iter().map(|(algorithm, digest, anssi)| hash(*algorithm, digest, *anssi)));
    rows.extend(derivations());
    rows
}
