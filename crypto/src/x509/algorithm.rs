//! Signature algorithms of certificates and requests: between object identifiers and KMIP's names.

use kmip::attribute::CryptographicParameters;
use kmip::registry::{DigitalSignatureAlgorithm as Named, HashingAlgorithm, PaddingMethod};

use super::BROKEN;
use crate::CryptoError;
use crate::der::{Element, element, tag};
use crate::key::{KeyKind, PublicKey};
use crate::signature::{Message, SignatureScheme};

/// An object identifier and what it means.
struct Known {
    oid: &'static [u8],
    named: Option<Named>,
    kind: KeyKind,
}

const fn known(oid: &'static [u8], named: Named, kind: KeyKind) -> Known {
    Known { oid, named: Some(named), kind }
}

const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];

const KNOWN: &[Known] = &[
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2], Named::Md2WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], Named::Md5WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], Named::Sha1WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14], Named::Sha224WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], Named::Sha256WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], Named::Sha384WithRsaEncryption, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], Named::Sha512WithRsaEncryption, KeyKind::Rsa),
    known(PSS, Named::RsassaPss, KeyKind::Rsa),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3], Named::DsaWithSha1, KeyKind::Dsa),
    known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 1], Named::DsaWithSha224, KeyKind::Dsa),
    known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2], Named::DsaWithSha256, KeyKind::Dsa),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], Named::EcdsaWithSha1, KeyKind::Ec),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1], Named::EcdsaWithSha224, KeyKind::Ec),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], Named::EcdsaWithSha256, KeyKind::Ec),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], Named::EcdsaWithSha384, KeyKind::Ec),
    known(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], Named::EcdsaWithSha512, KeyKind::Ec),
    known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 14], Named::Sha3_256WithRsaEncryption, KeyKind::Rsa),
    known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 15], Named::Sha3_384WithRsaEncryption, KeyKind::Rsa),
    known(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 16], Named::Sha3_512WithRsaEncryption, KeyKind::Rsa),
    Known { oid: &[0x2b, 0x65, 0x70], named: None, kind: KeyKind::Ed25519 },
    Known { oid: &[0x2b, 0x65, 0x71], named: None, kind: KeyKind::Ed448 },
];

const HASHES: &[(&[u8], HashingAlgorithm)] = &[
    (&[0x2b, 0x0e, 3, 2, 0x1a], HashingAlgorithm::Sha1),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4], HashingAlgorithm::Sha224),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], HashingAlgorithm::Sha256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], HashingAlgorithm::Sha384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], HashingAlgorithm::Sha512),
];

/// The signature algorithm of an AlgorithmIdentifier; `None` for those that KMIP has no name for.
pub(super) fn named(identifier: &Element<'_>) -> Option<Named> {
    find(identifier)?.named
}

fn find(identifier: &Element<'_>) -> Option<&'static Known> {
    let oid = identifier.inside().next_if(tag::OID)?;
    KNOWN.iter().find(|known| known.oid == oid.contents)
}

/// Whether `signature` over `signed` is of `key`, by the algorithm that the signer names.
pub(super) fn verify(
    identifier: &Element<'_>,
    key: &PublicKey,
    signed: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let known = find(identifier).ok_or(CryptoError::Unsupported("the signature algorithm"))?;
    let mut parameters =
        CryptographicParameters { digital_signature_algorithm: known.named, ..CryptographicParameters::default() };
    if known.oid == PSS {
        read_pss(identifier, &mut parameters)?;
    }
    if known.kind != key.kind() {
        return Ok(false);
    }
    SignatureScheme::resolve(known.kind, &parameters)?.verify(key, Message::Data(signed), signature)
}

/// RSASSA-PSS-params (RFC 4055 §3.1); everything has a default.
fn read_pss(identifier: &Element<'_>, parameters: &mut CryptographicParameters) -> Result<(), CryptoError> {
    let mut inside = identifier.inside();
    inside.expect(tag::OID).map_err(|_| BROKEN)?;
    let mut fields = inside.next_if(tag::SEQUENCE).ok_or(BROKEN)?.inside();
    let hash = match fields.next_if(tag::context(0)) {
        None => HashingAlgorithm::Sha1,
        Some(field) => hash_of(&field.inside().expect(tag::SEQUENCE).map_err(|_| BROKEN)?)?,
    };
    let mask = match fields.next_if(tag::context(1)) {
        None => HashingAlgorithm::Sha1,
        Some(field) => {
            let mut generator = field.inside().expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
            if generator.expect(tag::OID).map_err(|_| BROKEN)?.contents != MGF1 {
                return Err(CryptoError::Unsupported("a mask generator other than MGF1"));
            }
            hash_of(&generator.expect(tag::SEQUENCE).map_err(|_| BROKEN)?)?
        }
    };
    let salt = match fields.next_if(tag::context(2)) {
        None => 20,
        Some(field) => match field.inside().expect(tag::INTEGER).map_err(|_| BROKEN)?.contents {
            [len] if *len < 0x80 => i32::from(*len),
            [0, len] => i32::from(*len),
            _ => return Err(BROKEN),
        },
    };
    parameters.padding_method = Some(PaddingMethod::Pss);
    parameters.hashing_algorithm = Some(hash);
    parameters.mask_generator_hashing_algorithm = Some(mask);
    parameters.salt_length = Some(salt);
    Ok(())
}

fn hash_of(identifier: &Element<'_>) -> Result<HashingAlgorithm, CryptoError> {
    let oid = identifier.inside().expect(tag::OID).map_err(|_| BROKEN)?;
    HASHES
        .iter()
        .find_map(|(of, hash)| (*of == oid.contents).then_some(*hash))
        .ok_or(CryptoError::Unsupported("the hash of the signature"))
}

/// The algorithm that an issuer of this kind and length signs with: its identifier, and the scheme.
pub(super) fn of_issuer(kind: KeyKind, length_bits: i32) -> Result<(Vec<u8>, SignatureScheme), CryptoError> {
    let named = match (kind, length_bits) {
        (KeyKind::Rsa, _) => Some(Named::Sha256WithRsaEncryption),
        (KeyKind::Ec, ..=256) => Some(Named::EcdsaWithSha256),
        (KeyKind::Ec, 257..=384) => Some(Named::EcdsaWithSha384),
        (KeyKind::Ec, _) => Some(Named::EcdsaWithSha512),
        (KeyKind::Dsa, _) => Some(Named::DsaWithSha256),
        (KeyKind::Ed25519 | KeyKind::Ed448, _) => None,
        (KeyKind::Dh | KeyKind::X25519 | KeyKind::X448, _) => {
            return Err(CryptoError::InvalidKey("it is for agreement, not for signatures"));
        }
    };
    let known = KNOWN
        .iter()
        .find(|known| known.kind == kind && known.named == named)
        .ok_or(CryptoError::Unsupported("the issuer's key"))?;
    let oid = element(tag::OID, &[known.oid]);
    // RSA's identifiers carry a NULL (RFC 3279 §2.2.1), all others nothing.
    let null = element(tag::NULL, &[]);
    let identifier = match kind {
        KeyKind::Rsa => element(tag::SEQUENCE, &[&oid, &null]),
        _ => element(tag::SEQUENCE, &[&oid]),
    };
    let parameters =
        CryptographicParameters { digital_signature_algorithm: named, ..CryptographicParameters::default() };
    Ok((identifier, SignatureScheme::resolve(kind, &parameters)?))
}
