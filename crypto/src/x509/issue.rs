//! Issuing certificates: Certify and Re-certify. RFC 5280 §4.1, §4.2.

use kmip::registry::{HashingAlgorithm, KeyFormatType, UsageMask};

use super::algorithm::of_issuer;
use super::certificate::{CertificateFacts, parse_certificate};
use super::{BROKEN, oid, time};
use crate::CryptoError;
use crate::der::{Elements, element, tag, unsigned_integer};
use crate::hash::hash;
use crate::key::{KeyKind, PrivateKey, PublicKey};
use crate::signature::{Message, SignatureScheme};

/// What a certificate shall say.
#[derive(Clone, Debug)]
pub struct CertificateProfile {
    /// Who it is for: a Name, DER.
    pub subject: Vec<u8>,
    /// The public key as SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// Digits of the serial number, 1 to 20 bytes, of which 8 at least are random (RFC 5280 §4.1.2.2, CA/B BR §7.1).
    pub serial: Vec<u8>,
    /// First second of its validity, since 1970.
    pub not_before: i64,
    /// Last second of its validity, since 1970.
    pub not_after: i64,
    /// Each GeneralName of the subject's alternative names, DER.
    pub subject_alternative_names: Vec<Vec<u8>>,
    /// What its key may do; `None` leaves the extension out.
    pub usage: Option<UsageMask>,
    /// Whether it may sign certificates.
    pub is_ca: bool,
}

/// The longest serial number, in bytes.
const MAX_SERIAL_LEN: usize = 20;
/// Version 3.
const VERSION: [u8; 1] = [2];

/// Bits of the key usage extension (RFC 5280 §4.2.1.3) and what of a usage mask sets them.
const USAGES: [(u8, u32); 7] = [
    (0, UsageMask::SIGN.value() | UsageMask::VERIFY.value()),
    (1, UsageMask::CONTENT_COMMITMENT.value()),
    (2, UsageMask::WRAP_KEY.value() | UsageMask::UNWRAP_KEY.value()),
    (3, UsageMask::ENCRYPT.value() | UsageMask::DECRYPT.value()),
    (4, UsageMask::KEY_AGREEMENT.value() | UsageMask::DERIVE_KEY.value()),
    (5, UsageMask::CERTIFICATE_SIGN.value()),
    (6, UsageMask::CRL_SIGN.value()),
];

/// Issues a certificate, signed with `key`: by the issuer whose certificate is `issuer`, or by the subject itself where
/// there is none.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for a profile that is no certificate's; [`CryptoError::InvalidKey`] for a key that is
/// not the issuer's or does not sign.
pub fn issue(profile: &CertificateProfile, issuer: Option<&[u8]>, key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
    let signer = key.public_key()?;
    issue_with(profile, issuer, &signer, |scheme, tbs| scheme.sign(key, Message::Data(tbs)))
}

/// As [`issue`], with a key that is elsewhere: `sign` gets the scheme and what is to be signed.
///
/// # Errors
/// As [`issue`]; whatever `sign` fails with.
pub fn issue_with(
    profile: &CertificateProfile,
    issuer: Option<&[u8]>,
    signer: &PublicKey,
    sign: impl FnOnce(&SignatureScheme, &[u8]) -> Result<Vec<u8>, CryptoError>,
) -> Result<Vec<u8>, CryptoError> {
    let issuer = issuer.map(parse_certificate).transpose()?;
    let signer_der = signer.to_encoded(KeyFormatType::X509)?;
    let expected = issuer.as_ref().map_or(&profile.public_key, |issuer| &issuer.public_key);
    if !PublicKey::from_encoded(KeyFormatType::X509, expected)?.pkey().public_eq(signer.pkey()) {
        return Err(CryptoError::InvalidKey("it is not the issuer's"));
    }
    let facts = signer.facts();
    let (algorithm, scheme) = of_issuer(facts.kind, facts.length_bits)?;
    let tbs = to_be_signed(profile, issuer.as_ref(), &signer_der, &algorithm)?;
    let signature = sign(&scheme, &tbs)?;
    // What comes from elsewhere is checked before it is told as a certificate.
    if !scheme.verify(signer, Message::Data(&tbs), &signature)? {
        return Err(CryptoError::InvalidKey("its signature is not the issuer's"));
    }
    let signature = element(tag::BIT_STRING, &[&[0], &signature]);
    Ok(element(tag::SEQUENCE, &[&tbs, &algorithm, &signature]))
}

fn to_be_signed(
    profile: &CertificateProfile,
    issuer: Option<&CertificateFacts>,
    signer_key: &[u8],
    algorithm: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let serial_is_whole = (1..=MAX_SERIAL_LEN).contains(&profile.serial.len());
    if !serial_is_whole || profile.not_before > profile.not_after {
        return Err(CryptoError::InvalidInput("the serial number or the dates of the certificate"));
    }
    let subject = super::DistinguishedName::from_der(&profile.subject)?;
    let kind = PublicKey::from_encoded(KeyFormatType::X509, &profile.public_key)?.kind();
    let version = element(tag::context(0), &[&element(tag::INTEGER, &[&VERSION])]);
    let validity = element(tag::SEQUENCE, &[&time::write(profile.not_before)?, &time::write(profile.not_after)?]);
    let issuer_name = issuer.map_or(&profile.subject, |issuer| &issuer.subject.der);

    let mut extensions = Vec::new();
    let constraints =
        if profile.is_ca { element(tag::SEQUENCE, &[&[tag::BOOLEAN, 1, 0xff]]) } else { element(tag::SEQUENCE, &[]) };
    extensions.extend(extension(oid::BASIC_CONSTRAINTS, true, &constraints));
    if let Some(usage) = key_usage(profile, kind) {
        extensions.extend(extension(oid::KEY_USAGE, true, &usage));
    }
    let own = key_identifier(&profile.public_key)?;
    extensions.extend(extension(oid::SUBJECT_KEY_IDENTIFIER, false, &element(tag::OCTET_STRING, &[&own])));
    let authority = match issuer.and_then(|issuer| issuer.subject_key_identifier.clone()) {
        Some(identifier) => identifier,
        None => key_identifier(signer_key)?,
    };
    let authority = element(tag::SEQUENCE, &[&element(0x80, &[&authority])]);
    extensions.extend(extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &authority));
    if !profile.subject_alternative_names.is_empty() {
        let names = element(tag::SEQUENCE, &[&profile.subject_alternative_names.concat()]);
        // RFC 5280 §4.2.1.6: critical where the subject is empty.
        extensions.extend(extension(oid::SUBJECT_ALTERNATIVE_NAME, subject.text.is_empty(), &names));
    }
    let extensions = element(tag::context(3), &[&element(tag::SEQUENCE, &[&extensions])]);

    Ok(element(
        tag::SEQUENCE,
        &[
            &version,
            &unsigned_integer(&profile.serial),
            algorithm,
            issuer_name,
            &validity,
            &profile.subject,
            &profile.public_key,
            &extensions,
        ],
    ))
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let oid = element(tag::OID, &[oid]);
    let critical: &[u8] = if critical { &[tag::BOOLEAN, 1, 0xff] } else { &[] };
    element(tag::SEQUENCE, &[&oid, critical, &element(tag::OCTET_STRING, &[value])])
}

/// The bits of the usages that the kind of key has; `None` for a mask without any.
fn key_usage(profile: &CertificateProfile, kind: KeyKind) -> Option<Vec<u8>> {
    let mask = profile.usage?.value();
    let encrypts = kind == KeyKind::Rsa;
    let bits = USAGES
        .iter()
        .filter(|(bit, of)| mask & of != 0 && (encrypts || !matches!(bit, 2 | 3)))
        .fold(0u8, |bits, (bit, _)| bits | 0x80 >> bit);
    let unused = u8::try_from(bits.trailing_zeros()).ok().filter(|_| bits != 0)?;
    Some(element(tag::BIT_STRING, &[&[unused, bits]]))
}

/// RFC 5280 §4.2.1.2, method 1: the SHA-1 of the bits of the public key. It names, it does not protect.
fn key_identifier(public_key: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut inside = Elements::new(public_key).expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
    inside.expect(tag::SEQUENCE).map_err(|_| BROKEN)?;
    let bits = inside.expect(tag::BIT_STRING).map_err(|_| BROKEN)?;
    hash(HashingAlgorithm::Sha1, bits.contents.get(1..).unwrap_or_default())
}
