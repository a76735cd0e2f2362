//! What a certificate says: everything that KMIP has an attribute for.

use kmip::registry::{DigitalSignatureAlgorithm, KeyFormatType};

use super::algorithm::{named, verify};
use super::name::DistinguishedName;
use super::{BROKEN, oid, time};
use crate::CryptoError;
use crate::der::{Element, Elements, tag};
use crate::key::{KeyFacts, PublicKey};
use crate::limits::MAX_ENCODED_LEN;

/// What an X.509 certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Who it is for.
    pub subject: DistinguishedName,
    /// Who signed it.
    pub issuer: DistinguishedName,
    /// The serial number: contents of the INTEGER, with a zero in front where the first bit would be set.
    pub serial: Vec<u8>,
    /// The serial number as a DER INTEGER.
    pub serial_der: Vec<u8>,
    /// Each GeneralName of the subject's alternative names, DER.
    pub subject_alternative_names: Vec<Vec<u8>>,
    /// Each GeneralName of the issuer's alternative names, DER.
    pub issuer_alternative_names: Vec<Vec<u8>>,
    /// First second of its validity, since 1970.
    pub not_before: i64,
    /// Last second of its validity, since 1970.
    pub not_after: i64,
    /// The public key as SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// What the public key tells; `None` for one that is not understood.
    pub key: Option<KeyFacts>,
    /// How it is signed; `None` for algorithms without a name in KMIP, Ed25519 and Ed448 among them.
    pub signature_algorithm: Option<DigitalSignatureAlgorithm>,
    /// Whether it may sign certificates (basic constraints).
    pub is_ca: bool,
    /// Its own subject key identifier.
    pub(super) subject_key_identifier: Option<Vec<u8>>,
}

/// The pieces of a certificate as they stand in the encoding.
pub(super) struct Pieces<'a> {
    pub(super) signed: Element<'a>,
    pub(super) algorithm: Element<'a>,
    pub(super) signature: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Reads SEQUENCE { signed, algorithm, signature }, which certificates and requests are alike.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, CryptoError> {
        if der.len() > MAX_ENCODED_LEN {
            return Err(CryptoError::TooLong("the certificate or request"));
        }
        let mut elements = Elements::new(der);
        let mut inside = elements.expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
        let signed = inside.expect(tag::SEQUENCE).map_err(|_| BROKEN)?;
        let algorithm = inside.expect(tag::SEQUENCE).map_err(|_| BROKEN)?;
        let signature = inside.expect(tag::BIT_STRING).map_err(|_| BROKEN)?;
        let [0, signature @ ..] = signature.contents else { return Err(BROKEN) };
        if inside.is_empty() && elements.is_empty() { Ok(Self { signed, algorithm, signature }) } else { Err(BROKEN) }
    }
}

/// Reads an X.509 certificate. Its signature is not checked.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for what is none; [`CryptoError::TooLong`].
pub fn parse_certificate(der: &[u8]) -> Result<CertificateFacts, CryptoError> {
    let pieces = Pieces::read(der)?;
    let broken = |_| BROKEN;
    let mut tbs = pieces.signed.inside();
    tbs.next_if(tag::context(0));
    let serial = tbs.expect(tag::INTEGER).map_err(broken)?;
    if serial.contents.is_empty() {
        return Err(BROKEN);
    }
    tbs.expect(tag::SEQUENCE).map_err(broken)?;
    let issuer = DistinguishedName::read(&tbs.next().ok_or(BROKEN)?)?;
    let mut validity = tbs.expect(tag::SEQUENCE).map_err(broken)?.inside();
    let not_before = time::read(&validity.next().ok_or(BROKEN)?)?;
    let not_after = time::read(&validity.next().ok_or(BROKEN)?)?;
    let subject = DistinguishedName::read(&tbs.next().ok_or(BROKEN)?)?;
    let public_key = tbs.expect(tag::SEQUENCE).map_err(broken)?.whole.to_vec();
    // Unique identifiers of version 2, which nobody uses.
    tbs.next_if(0x81);
    tbs.next_if(0x82);
    let extensions = match tbs.next_if(tag::context(3)) {
        Some(field) => read_extensions(&field.inside().expect(tag::SEQUENCE).map_err(broken)?)?,
        None => Vec::new(),
    };
    if !tbs.is_empty() {
        return Err(BROKEN);
    }
    let value = |oid: &[u8]| extensions.iter().find(|extension| extension.oid == oid).map(|extension| extension.value);
    Ok(CertificateFacts {
        key: PublicKey::from_encoded(KeyFormatType::X509, &public_key).ok().map(|key| key.facts()),
        signature_algorithm: named(&pieces.algorithm),
        serial: serial.contents.to_vec(),
        serial_der: serial.whole.to_vec(),
        subject_alternative_names: general_names(value(oid::SUBJECT_ALTERNATIVE_NAME))?,
        issuer_alternative_names: general_names(value(oid::ISSUER_ALTERNATIVE_NAME))?,
        is_ca: value(oid::BASIC_CONSTRAINTS).is_some_and(says_ca),
        subject_key_identifier: value(oid::SUBJECT_KEY_IDENTIFIER)
            .and_then(|value| Elements::new(value).next_if(tag::OCTET_STRING))
            .map(|identifier| identifier.contents.to_vec()),
        subject,
        issuer,
        not_before,
        not_after,
        public_key,
    })
}

impl CertificateFacts {
    /// Whether the certificate `der` carries a signature of the public key of `self`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidInput`], [`CryptoError::Unsupported`].
    pub fn has_signed(&self, der: &[u8]) -> Result<bool, CryptoError> {
        let pieces = Pieces::read(der)?;
        let key = PublicKey::from_encoded(KeyFormatType::X509, &self.public_key)?;
        verify(&pieces.algorithm, &key, pieces.signed.whole, pieces.signature)
    }
}

/// An extension.
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Extensions in one certificate; nobody has more.
const MAX_EXTENSIONS: usize = 128;

/// Reads Extensions.
pub(super) fn read_extensions<'a>(list: &Element<'a>) -> Result<Vec<Extension<'a>>, CryptoError> {
    let mut extensions = Vec::new();
    let mut elements = list.inside();
    while !elements.is_empty() {
        let mut extension = elements.expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
        let oid = extension.expect(tag::OID).map_err(|_| BROKEN)?.contents;
        extension.next_if(tag::BOOLEAN);
        let value = extension.expect(tag::OCTET_STRING).map_err(|_| BROKEN)?.contents;
        if extensions.len() == MAX_EXTENSIONS {
            return Err(CryptoError::TooLong("the list of extensions"));
        }
        extensions.push(Extension { oid, value });
    }
    Ok(extensions)
}

/// Each name of GeneralNames.
pub(super) fn general_names(value: Option<&[u8]>) -> Result<Vec<Vec<u8>>, CryptoError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    let mut elements = Elements::new(value).expect(tag::SEQUENCE).map_err(|_| BROKEN)?.inside();
    while !elements.is_empty() {
        names.push(elements.next().ok_or(BROKEN)?.whole.to_vec());
    }
    Ok(names)
}

fn says_ca(value: &[u8]) -> bool {
    let Some(constraints) = Elements::new(value).next_if(tag::SEQUENCE) else { return false };
    constraints.inside().next_if(tag::BOOLEAN).is_some_and(|ca| ca.contents.iter().any(|byte| *byte != 0))
}
