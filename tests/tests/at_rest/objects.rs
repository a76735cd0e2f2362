//! Objects of every kind whose bytes the test knows, and which of the bytes of an object are a secret.

use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::object::{
    Certificate, CertificateRequest, KeyBlock, KeyMaterial, ManagedObject, OpaqueObject, PgpKey, PrivateKey,
    SecretData, SplitKey, SymmetricKey,
};
use kmip::payload::RegisterRequest;
use kmip::registry::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, KeyFormatType, ObjectType, OpaqueDataType,
    SecretDataType, SplitKeyMethod, UsageMask,
};
use kmip::ttlv::DateTime;
use secret::Secret;
use system_tests::random::Random;

/// Bytes of a marker.
const LEN: usize = 32;
/// Bytes of a marker that is too long to be sealed inside the HSM.
const LONG: usize = 3000;
/// A longer secret is looked for piece by piece: what lies about of it need be neither its beginning nor its end.
const PIECE: usize = 256;
/// Fewer bytes than this could be anywhere by chance.
const SHORTEST: usize = 16;
/// Where the signature of a certificate is for certain: at its end.
const SIGNATURE_END: usize = 32;

/// Everything that a symmetric key can be for, in a domain that allows to mix.
fn every_use() -> UsageMask {
    [UsageMask::ENCRYPT, UsageMask::DECRYPT, UsageMask::MAC_GENERATE, UsageMask::MAC_VERIFY, UsageMask::DERIVE_KEY]
        .into_iter()
        .fold(UsageMask::default(), UsageMask::union)
}

fn active(mask: UsageMask) -> Vec<AttributeValue> {
    vec![AttributeValue::CryptographicUsageMask(mask), AttributeValue::ActivationDate(DateTime(1))]
}

fn aes(bytes: &[u8]) -> KeyBlock {
    KeyBlock::raw(Secret::copy_from(bytes), CryptographicAlgorithm::Aes, 256)
}

/// An active AES key for everything but wrapping.
pub(crate) fn key(bytes: &[u8]) -> RegisterRequest {
    RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block: aes(bytes) }), active(every_use()))
}

/// An active AES key that wraps.
fn wrapping_key(bytes: &[u8]) -> RegisterRequest {
    let mask = UsageMask::WRAP_KEY.union(UsageMask::UNWRAP_KEY);
    RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block: aes(bytes) }), active(mask))
}

fn transparent(bytes: &[u8]) -> RegisterRequest {
    let key_block = KeyBlock::new(
        KeyFormatType::TransparentSymmetricKey,
        KeyMaterial::TransparentSymmetric(Secret::copy_from(bytes)),
        Some(CryptographicAlgorithm::Aes),
        Some(256),
    );
    RegisterRequest::new(ManagedObject::SymmetricKey(SymmetricKey { key_block }), active(every_use()))
}

fn password(bytes: &[u8]) -> RegisterRequest {
    let key_block = KeyBlock::without_algorithm(KeyFormatType::Raw, Secret::copy_from(bytes));
    let object = ManagedObject::SecretData(SecretData { secret_data_type: SecretDataType::Password, key_block });
    RegisterRequest::new(object, active(UsageMask::DERIVE_KEY))
}

fn opaque(bytes: &[u8]) -> RegisterRequest {
    let opaque = OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), value: Secret::copy_from(bytes) };
    RegisterRequest::new(ManagedObject::OpaqueObject(opaque), Vec::<AttributeValue>::new())
}

fn part(bytes: &[u8]) -> RegisterRequest {
    let split = SplitKey {
        parts: 3,
        part_identifier: 1,
        threshold: 3,
        method: SplitKeyMethod::Xor,
        prime_field_size: None,
        key_block: aes(bytes),
    };
    RegisterRequest::new(ManagedObject::SplitKey(Box::new(split)), active(every_use()))
}

fn pgp(bytes: &[u8]) -> RegisterRequest {
    let key_block = KeyBlock::new(
        KeyFormatType::Raw,
        KeyMaterial::Bytes(Secret::copy_from(bytes)),
        Some(CryptographicAlgorithm::Rsa),
        Some(2048),
    );
    RegisterRequest::new(ManagedObject::PgpKey(PgpKey { version: 4, key_block }), active(UsageMask::SIGN))
}

/// The private half of a pair on P-256 or of RSA, as PKCS#8.
pub(crate) fn private_key(pkcs8: &[u8], algorithm: CryptographicAlgorithm, bits: i32) -> RegisterRequest {
    let key_block =
        KeyBlock::new(KeyFormatType::Pkcs8, KeyMaterial::Bytes(Secret::copy_from(pkcs8)), Some(algorithm), Some(bits));
    RegisterRequest::new(ManagedObject::PrivateKey(PrivateKey { key_block }), active(UsageMask::SIGN))
}

fn certificate(der: &[u8]) -> RegisterRequest {
    let certificate = Certificate { certificate_type: CertificateType::X509, value: der.to_vec() };
    RegisterRequest::new(ManagedObject::Certificate(certificate), active(UsageMask::VERIFY))
}

fn certificate_request(bytes: &[u8]) -> RegisterRequest {
    let request =
        CertificateRequest { certificate_request_type: CertificateRequestType::Pkcs10, value: bytes.to_vec() };
    RegisterRequest::new(ManagedObject::CertificateRequest(request), Vec::<AttributeValue>::new())
}

/// One new object of every kind that a client of `version` may register, each with bytes of its own.
pub(crate) fn of_every_kind(random: &mut Random, version: ProtocolVersion) -> Vec<(&'static str, RegisterRequest)> {
    let issued = certs::self_signed_vcenter_client().unwrap();
    let pem: String = issued.key_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs8 = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, pem).unwrap();
    let mut all = vec![
        ("symmetric key", key(&random.bytes(LEN))),
        ("wrapping key", wrapping_key(&random.bytes(LEN))),
        ("transparent key", transparent(&random.bytes(LEN))),
        ("secret data", password(&random.bytes(LEN))),
        ("opaque object", opaque(&random.bytes(LEN))),
        ("long opaque object", opaque(&random.bytes(LONG))),
        ("part of a key", part(&random.bytes(LEN))),
        ("private key", private_key(&pkcs8, CryptographicAlgorithm::Ecdsa, 256)),
        ("certificate", certificate(&issued.cert_der)),
    ];
    if ObjectType::PgpKey.is_known_to(version) {
        all.push(("PGP key", pgp(&random.bytes(LEN))));
    }
    if ObjectType::CertificateRequest.is_known_to(version) {
        all.push(("certificate request", certificate_request(&random.bytes(LEN))));
    }
    all
}

/// What of an object nobody may find who has not asked for it: key bytes, the private numbers of a pair, the signature
/// of a certificate. Nothing of a public key.
pub(crate) fn secrets_of(object: &ManagedObject) -> Vec<Vec<u8>> {
    let found = match object {
        ManagedObject::PublicKey(_) | ManagedObject::Template(_) => Vec::new(),
        ManagedObject::OpaqueObject(opaque) => vec![opaque.value.expose().to_vec()],
        ManagedObject::Certificate(certificate) => vec![end_of(&certificate.value)],
        ManagedObject::CertificateRequest(request) => vec![end_of(&request.value)],
        ManagedObject::PrivateKey(key) => {
            let bytes = key.key_block.material().and_then(KeyMaterial::secret).map(|secret| secret.expose().to_vec());
            let mut numbers = numbers_of(&bytes.unwrap_or_default());
            // The first large number of an RSA key is its modulus, which is public.
            if key.key_block.algorithm == Some(CryptographicAlgorithm::Rsa) {
                numbers.remove(0);
            }
            numbers
        }
        ManagedObject::SymmetricKey(_)
        | ManagedObject::SecretData(_)
        | ManagedObject::SplitKey(_)
        | ManagedObject::PgpKey(_) => {
            let material = object.key_block().and_then(KeyBlock::material).and_then(KeyMaterial::secret);
            material.map(|secret| secret.expose().to_vec()).into_iter().collect()
        }
    };
    let pieces = found.iter().flat_map(|bytes| bytes.chunks(PIECE));
    pieces.filter(|bytes| bytes.len() >= SHORTEST).map(<[u8]>::to_vec).collect()
}

fn end_of(der: &[u8]) -> Vec<u8> {
    der[der.len().saturating_sub(SIGNATURE_END)..].to_vec()
}

/// The large INTEGERs and OCTET STRINGs of a key in DER, from the outside inwards; those that hold DER are opened.
pub(crate) fn numbers_of(der: &[u8]) -> Vec<Vec<u8>> {
    let mut numbers = Vec::new();
    collect(der, &mut numbers);
    numbers
}

fn collect(der: &[u8], numbers: &mut Vec<Vec<u8>>) {
    let mut rest = der;
    while let Some((tag, value, behind)) = item(rest) {
        rest = behind;
        match tag {
            0x30 => collect(value, numbers),
            0x04 if item(value).is_some_and(|(tag, _, behind)| tag == 0x30 && behind.is_empty()) => {
                collect(value, numbers);
            }
            0x02 | 0x04 if value.len() >= SHORTEST => {
                let leading = value.iter().take_while(|byte| **byte == 0).count();
                numbers.push(value[leading..].to_vec());
            }
            _ => {}
        }
    }
}

/// Tag and contents of the first item, and what is behind it.
fn item(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (value, behind) = rest.split_at_checked(len)?;
    Some((tag, value, behind))
}

/// A key of its own with usage limits.
pub(crate) fn limited_key(limits: kmip::attribute::UsageLimits) -> kmip::payload::CreateRequest {
    system_tests::asking::aes(vec![
        AttributeValue::UsageLimits(Box::new(limits)),
        AttributeValue::ActivationDate(DateTime(1)),
    ])
}
