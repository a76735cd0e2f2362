//! Requests for certificates: PKCS#10, its PEM form, CRMF. KMIP 1.4 §9.1.3.2.22.

use kmip::registry::{CertificateRequestType, KeyFormatType};

use super::algorithm::verify;
use super::certificate::{Pieces, general_names, read_extensions};
use super::name::DistinguishedName;
use super::{BROKEN, crmf, oid};
use crate::CryptoError;
use crate::der::{Elements, tag};
use crate::key::PublicKey;
use crate::limits::MAX_ENCODED_LEN;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificationRequest {
    /// Who it is for.
    pub subject: DistinguishedName,
    /// The public key as SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
    /// Each GeneralName of the alternative names that are asked for, DER.
    pub subject_alternative_names: Vec<Vec<u8>>,
}

/// Reads a request and checks that who asks has the private key.
///
/// # Errors
/// [`CryptoError::InvalidInput`] for what is no request; [`CryptoError::Authentication`] where the proof of possession
/// does not hold; [`CryptoError::Unsupported`] for PGP and algorithms that cannot be checked.
pub fn parse_request(kind: CertificateRequestType, bytes: &[u8]) -> Result<CertificationRequest, CryptoError> {
    if bytes.len() > MAX_ENCODED_LEN {
        return Err(CryptoError::TooLong("the request"));
    }
    match kind {
        CertificateRequestType::Pkcs10 => pkcs10(bytes),
        CertificateRequestType::Pem => {
            let (_, pem) = x509_parser::pem::parse_x509_pem(bytes).map_err(|_| BROKEN)?;
            match pem.label.as_str() {
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => pkcs10(&pem.contents),
                _ => Err(BROKEN),
            }
        }
        CertificateRequestType::Crmf => crmf::parse(bytes),
        CertificateRequestType::Pgp => Err(CryptoError::Unsupported(kind.text())),
    }
}

/// RFC 2986 §4.
fn pkcs10(der: &[u8]) -> Result<CertificationRequest, CryptoError> {
    let pieces = Pieces::read(der)?;
    let broken = |_| BROKEN;
    let mut info = pieces.signed.inside();
    info.expect(tag::INTEGER).map_err(broken)?;
    let subject = DistinguishedName::read(&info.next().ok_or(BROKEN)?)?;
    let public_key = info.expect(tag::SEQUENCE).map_err(broken)?.whole.to_vec();
    let mut subject_alternative_names = Vec::new();
    if let Some(attributes) = info.next_if(tag::context(0)) {
        let mut attributes = attributes.inside();
        while !attributes.is_empty() {
            let mut attribute = attributes.expect(tag::SEQUENCE).map_err(broken)?.inside();
            if attribute.expect(tag::OID).map_err(broken)?.contents != oid::EXTENSION_REQUEST {
                continue;
            }
            let mut values = attribute.next().ok_or(BROKEN)?.inside();
            subject_alternative_names =
                requested_names(&mut Elements::new(values.expect(tag::SEQUENCE).map_err(broken)?.whole))?;
        }
    }
    let key = PublicKey::from_encoded(KeyFormatType::X509, &public_key)?;
    if !verify(&pieces.algorithm, &key, pieces.signed.whole, pieces.signature)? {
        return Err(CryptoError::Authentication);
    }
    Ok(CertificationRequest { subject, public_key, subject_alternative_names })
}

/// The alternative names among the Extensions at the cursor.
pub(super) fn requested_names(extensions: &mut Elements<'_>) -> Result<Vec<Vec<u8>>, CryptoError> {
    let list = read_extensions(&extensions.expect(tag::SEQUENCE).map_err(|_| BROKEN)?)?;
    let value =
        list.iter().find(|extension| extension.oid == oid::SUBJECT_ALTERNATIVE_NAME).map(|extension| extension.value);
    general_names(value)
}
