//! Signatures and RSA encryption. What is made with chance is verified or decrypted with the other half of the pair.

use kmip::attribute::{AttributeValue, CryptographicDomainParameters, CryptographicParameters};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, PrivateKey, PublicKey};
use kmip::payload::{
    DecryptRequest, EncryptRequest, RegisterRequest, RequestPayload, ResponsePayload, SignRequest,
    SignatureVerifyRequest,
};
use kmip::registry::{
    CryptographicAlgorithm as A, DigitalSignatureAlgorithm as Named, HashingAlgorithm as H, KeyFormatType,
    MaskGenerator, PaddingMethod, RecommendedCurve, UsageMask,
};
use secret::Secret;

use crate::{Anssi, INVALID, Row, VALID, active, data, parameters};

const TAKES: Anssi = Anssi::Takes;

const RSA: &[u8] = include_bytes!("../../vectors/operations/rsa.pkcs8");
const RSA_PUBLIC: &[u8] = include_bytes!("../../vectors/operations/rsa.spki");
const OAEP: &[u8] = include_bytes!("../../vectors/operations/rsa-oaep.ciphertext");
const PKCS1_SIGNATURE: &[u8] = include_bytes!("../../vectors/operations/rsa-pkcs1.signature");
const PSS_PUBLIC: &[u8] = include_bytes!("../../vectors/operations/rsa-pss.spki");
const PSS_SIGNATURE: &[u8] = include_bytes!("../../vectors/operations/rsa-pss.signature");
const PKCS1: &[u8] = include_bytes!("../../vectors/operations/rsa-pkcs1.pkcs8");
const PKCS1_CIPHERTEXT: &[u8] = include_bytes!("../../vectors/operations/rsa-pkcs1.ciphertext");
const P256: &[u8] = include_bytes!("../../vectors/operations/ecdsa-p256.pkcs8");
const P256_PUBLIC: &[u8] = include_bytes!("../../vectors/operations/ecdsa-p256.spki");
const ECDSA: &[u8] = include_bytes!("../../vectors/operations/ecdsa-p256.signature");
const TEST: &[u8] = b"Test";

fn block(format: KeyFormatType, bytes: &[u8], says: Option<(A, i32)>) -> KeyBlock {
    let (algorithm, length) = says.unzip();
    KeyBlock::new(format, KeyMaterial::Bytes(Secret::copy_from(bytes)), algorithm, length)
}

fn private(format: KeyFormatType, bytes: &[u8], says: Option<(A, i32)>) -> RegisterRequest {
    let key = ManagedObject::PrivateKey(PrivateKey { key_block: block(format, bytes, says) });
    RegisterRequest::new(key, active(UsageMask::SIGN.union(UsageMask::DECRYPT)))
}

fn public(format: KeyFormatType, bytes: &[u8], says: Option<(A, i32)>) -> RegisterRequest {
    let key = ManagedObject::PublicKey(PublicKey { key_block: block(format, bytes, says) });
    RegisterRequest::new(key, active(UsageMask::VERIFY.union(UsageMask::ENCRYPT)))
}

fn pkcs8(bytes: &[u8]) -> RegisterRequest {
    private(KeyFormatType::Pkcs8, bytes, None)
}

fn spki(bytes: &[u8]) -> RegisterRequest {
    public(KeyFormatType::X509, bytes, None)
}

/// The key of RFC 6979 §A.2.5 as bytes that say nothing of their curve.
fn raw_p256(hex_of_key: &str, private_half: bool) -> RegisterRequest {
    let bytes = hex::decode(hex_of_key).unwrap();
    let make = if private_half { private } else { public };
    let mut request = make(KeyFormatType::Raw, &bytes, Some((A::Ecdsa, 256)));
    let curve = CryptographicDomainParameters { recommended_curve: Some(RecommendedCurve::P256), ..Default::default() };
    request.template_attribute.attributes.push(AttributeValue::CryptographicDomainParameters(curve).into());
    request
}

fn sign(of: &CryptographicParameters, text: &'static [u8]) -> impl Fn(&[String]) -> RequestPayload + 'static {
    let of = of.clone();
    move |ids| {
        SignRequest {
            unique_identifier: Some(ids[0].as_str().into()),
            cryptographic_parameters: parameters(&of),
            data: data(text),
            ..Default::default()
        }
        .into()
    }
}

fn verify(of: &CryptographicParameters, id: &str, text: &[u8], signature: &[u8]) -> RequestPayload {
    SignatureVerifyRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: parameters(of),
        data: data(text),
        signature_data: Some(signature.to_vec()),
        ..Default::default()
    }
    .into()
}

/// How the private key of a pair is registered, where somebody published it, and the public one.
type Keys = (Option<fn() -> RegisterRequest>, fn() -> RegisterRequest);

/// A known signature that holds, for its text and for no other; a new one by the private key that holds under the public
/// one. `keys` gives both, the private key first; `None` where nobody published it.
fn signature(
    what: &str,
    keys: Keys,
    of: &CryptographicParameters,
    (text, known): (&'static [u8], &'static [u8]),
    anssi: Anssi,
) -> Vec<Row> {
    let (signer, verifier) = keys;
    let ask = |text: &'static [u8]| {
        let of = of.clone();
        move |ids: &[String]| verify(&of, &ids[0], text, known)
    };
    let mut rows = vec![
        Row::new(format!("Signature Verify: {what}"), vec![verifier()], ask(text), VALID, anssi),
        Row::new(format!("Signature Verify, another text: {what}"), vec![verifier()], ask(b"no"), INVALID, anssi),
    ];
    if let Some(signer) = signer {
        let of_new = of.clone();
        let again = move |ids: &[String], answer: &ResponsePayload| {
            let ResponsePayload::Sign(signed) = answer else { panic!("{answer:?}") };
            verify(&of_new, &ids[1], text, signed.signature_data.as_ref().unwrap())
        };
        let what = format!("Sign, then Signature Verify: {what}");
        rows.push(Row::new(what, vec![signer(), verifier()], sign(of, text), VALID, anssi).then(again));
    }
    rows
}

fn signatures() -> Vec<Row> {
    /// RFC 8032 §7.1, test 3.
    const ED25519_TEXT: &[u8] = &[0xaf, 0x82];
    let ed25519 = || {
        let seed = hex::decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7").unwrap();
        private(KeyFormatType::Raw, &seed, Some((A::Ed25519, 256)))
    };
    let ed25519_public = || {
        let point = hex::decode("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025").unwrap();
        public(KeyFormatType::Raw, &point, Some((A::Ed25519, 256)))
    };
    let ed25519_signature = hex::decode(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    )
    .unwrap();
    let none = CryptographicParameters::default();
    let sha256 = CryptographicParameters { hashing_algorithm: Some(H::Sha256), ..Default::default() };
    let pkcs1 = CryptographicParameters { padding_method: Some(PaddingMethod::Pkcs1V1_5), ..sha256.clone() };
    let by_name = CryptographicParameters {
        digital_signature_algorithm: Some(Named::Sha256WithRsaEncryption),
        ..Default::default()
    };
    let pss = CryptographicParameters { padding_method: Some(PaddingMethod::Pss), ..sha256.clone() };
    let ecdsa =
        CryptographicParameters { digital_signature_algorithm: Some(Named::EcdsaWithSha256), ..Default::default() };
    let sha1 = CryptographicParameters { hashing_algorithm: Some(H::Sha1), ..pkcs1.clone() };
    let weak_hash = Anssi::Refuses("hashes of at least 256 bits");
    let rsa: Keys = (Some(|| pkcs8(RSA)), || spki(RSA_PUBLIC));
    let p256: Keys = (Some(|| pkcs8(P256)), || spki(P256_PUBLIC));
    let mut rows = vec![
        Row::new("Sign: RSA PKCS#1 v1.5", vec![pkcs8(RSA)], sign(&pkcs1, TEST), PKCS1_SIGNATURE, TAKES),
        Row::new(
            "Sign: Ed25519, RFC 8032",
            vec![ed25519()],
            sign(&none, ED25519_TEXT),
            ed25519_signature.clone(),
            TAKES,
        ),
    ];
    for (text, answer) in [(ED25519_TEXT, VALID), (TEST, INVALID)] {
        let signature = ed25519_signature.clone();
        let ask = move |ids: &[String]| verify(&CryptographicParameters::default(), &ids[0], text, &signature);
        rows.push(Row::new("Signature Verify: Ed25519, RFC 8032", vec![ed25519_public()], ask, answer, TAKES));
    }
    rows.extend(signature("RSA PKCS#1 v1.5", rsa, &pkcs1, (TEST, PKCS1_SIGNATURE), TAKES));
    rows.extend(signature("RSA PKCS#1 v1.5 by name", rsa, &by_name, (TEST, PKCS1_SIGNATURE), TAKES));
    rows.extend(signature("RSA PSS", (None, || spki(PSS_PUBLIC)), &pss, (TEST, PSS_SIGNATURE), TAKES));
    rows.extend(signature("ECDSA on P-256, RFC 6979", p256, &sha256, (b"sample", ECDSA), TAKES));
    let raw_p256: Keys =
        (Some(|| raw_p256("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", true)), || {
            let point = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                         7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
            raw_p256(point, false)
        });
    rows.extend(signature("ECDSA on P-256, raw, RFC 6979", raw_p256, &sha256, (b"sample", ECDSA), TAKES));
    rows.extend(signature("ECDSA on P-256 by name, RFC 6979", p256, &ecdsa, (b"sample", ECDSA), TAKES));
    // Nobody published one of this key; both halves are asked, and only under `legacy` answer.
    rows.extend(signature("RSA PSS", rsa, &pss, (TEST, PKCS1_SIGNATURE), TAKES).into_iter().skip(2));
    rows.extend(signature("RSA with SHA-1", rsa, &sha1, (TEST, PKCS1_SIGNATURE), weak_hash).into_iter().skip(1));
    rows
}

fn rsa_encryption(what: &str, of: &CryptographicParameters, known: (&[u8], &'static [u8]), anssi: Anssi) -> Vec<Row> {
    let (key, ciphertext) = known;
    let decrypt = |of: &CryptographicParameters, id: &str, ciphertext: &[u8]| -> RequestPayload {
        DecryptRequest {
            unique_identifier: Some(id.into()),
            cryptographic_parameters: parameters(of),
            data: data(ciphertext),
            ..Default::default()
        }
        .into()
    };
    let (of_known, of_new, of_back) = (of.clone(), of.clone(), of.clone());
    let encrypt = move |ids: &[String]| {
        EncryptRequest {
            unique_identifier: Some(ids[1].as_str().into()),
            cryptographic_parameters: parameters(&of_new),
            data: data(TEST),
            ..Default::default()
        }
        .into()
    };
    let back = move |ids: &[String], answer: &ResponsePayload| {
        let ResponsePayload::Encrypt(made) = answer else { panic!("{answer:?}") };
        decrypt(&of_back, &ids[0], made.data.as_ref().unwrap())
    };
    let keys = vec![pkcs8(RSA), spki(RSA_PUBLIC)];
    vec![
        Row::new(
            format!("Decrypt: {what}"),
            vec![pkcs8(key)],
            move |ids| decrypt(&of_known, &ids[0], ciphertext),
            TEST,
            anssi,
        ),
        Row::new(format!("Encrypt, then Decrypt: {what}"), keys, encrypt, TEST, anssi).then(back),
    ]
}

/// Signatures and RSA encryption.
pub(crate) fn rows() -> Vec<Row> {
    let oaep = CryptographicParameters {
        padding_method: Some(PaddingMethod::Oaep),
        hashing_algorithm: Some(H::Sha256),
        mask_generator: Some(MaskGenerator::Mgf1),
        mask_generator_hashing_algorithm: Some(H::Sha256),
        ..Default::default()
    };
    let pkcs1 = CryptographicParameters { padding_method: Some(PaddingMethod::Pkcs1V1_5), ..Default::default() };
    let mut rows = signatures();
    rows.extend(rsa_encryption("RSA OAEP", &oaep, (RSA, OAEP), TAKES));
    let refused = Anssi::Refuses("encrypts with RSA in OAEP only");
    rows.extend(rsa_encryption("RSA PKCS#1 v1.5", &pkcs1, (PKCS1, PKCS1_CIPHERTEXT), refused));
    rows
}
