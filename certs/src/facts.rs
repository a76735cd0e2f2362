//! What the KMS reads from a certificate: who it is, until when, and what it is allowed to be.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::error::CertError;
use crate::limits::MAX_CERTIFICATE_LEN;

/// What the KMS reads from a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 of the DER SubjectPublicKeyInfo: the identity.
    pub fingerprint: [u8; 32],
    /// Subject as text, such as `CN=acme`.
    pub subject: String,
    /// Issuer as text.
    pub issuer: String,
    /// The first common name of the subject.
    pub common_name: Option<String>,
    /// Start of validity, seconds since the epoch.
    pub not_before: i64,
    /// End of validity, seconds since the epoch.
    pub not_after: i64,
    /// DNS names and IP addresses of the subject alternative name, as text.
    pub names: Vec<String>,
    /// Whether basic constraints say CA:TRUE.
    pub is_ca: bool,
    /// Whether extended key usage is present and names client authentication.
    pub client_auth: bool,
    /// Whether extended key usage is present and names server authentication.
    pub server_auth: bool,
}

impl CertificateFacts {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`CertError::Certificate`] for anything that is not exactly one X.509 certificate within 64 KiB.
    pub fn of(der: &[u8]) -> Result<Self, CertError> {
        let certificate = parse(der)?;
        let text = |name: &x509_parser::x509::X509Name<'_>| -> String { name.to_string() };
        let names = match certificate.subject_alternative_name() {
            Ok(Some(extension)) => extension.value.general_names.iter().filter_map(general_name).collect(),
            Ok(None) => Vec::new(),
            Err(_) => return Err(CertError::Certificate("its subject alternative name does not parse")),
        };
        let usage = certificate
            .extended_key_usage()
            .map_err(|_| CertError::Certificate("its extended key usage does not parse"))?;
        Ok(Self {
            fingerprint: sha256(certificate.public_key().raw),
            subject: text(certificate.subject()),
            issuer: text(certificate.issuer()),
            common_name: common_name(certificate.subject()),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            names,
            is_ca: certificate.is_ca(),
            client_auth: usage.as_ref().is_some_and(|usage| usage.value.client_auth),
            server_auth: usage.as_ref().is_some_and(|usage| usage.value.server_auth),
        })
    }

    /// Whether `at` lies in the period of validity, ends included (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn valid_at(&self, at: OffsetDateTime) -> bool {
        (self.not_before..=self.not_after).contains(&at.unix_timestamp())
    }
}

/// The identity behind a certificate: SHA-256 of its DER SubjectPublicKeyInfo.
///
/// # Errors
/// [`CertError::Certificate`] for anything that is not exactly one X.509 certificate within 64 KiB.
pub fn spki_fingerprint(der: &[u8]) -> Result<[u8; 32], CertError> {
    Ok(sha256(parse(der)?.public_key().raw))
}

/// The DER SubjectPublicKeyInfo of a certificate.
///
/// # Errors
/// [`CertError::Certificate`] for anything that is not exactly one X.509 certificate within 64 KiB.
pub fn public_key_info(der: &[u8]) -> Result<Vec<u8>, CertError> {
    Ok(parse(der)?.public_key().raw.to_vec())
}

/// The DER of the first certificate in `bytes`, which are PEM or already DER. Other PEM sections are skipped.
///
/// # Errors
/// [`CertError::Certificate`] where there is none, or it does not parse.
pub fn certificate_der(bytes: &[u8]) -> Result<Vec<u8>, CertError> {
    if bytes.len() > MAX_CERTIFICATE_LEN {
        return Err(CertError::Certificate("it is over 64 KiB"));
    }
    // A DER certificate begins with a SEQUENCE, 0x30; that is the digit 0, with which no PEM text begins.
    let der = if bytes.first() == Some(&0x30) {
        bytes.to_vec()
    } else {
        CertificateDer::from_pem_slice(bytes)
            .map_err(|_| CertError::Certificate("there is no CERTIFICATE section"))?
            .to_vec()
    };
    parse(&der)?;
    Ok(der)
}

/// Whether `der` was signed by the key of `issuer_der`. Dates and names are not looked at.
pub(crate) fn signed_by(der: &[u8], issuer_der: &[u8]) -> Result<bool, CertError> {
    let (certificate, issuer) = (parse(der)?, parse(issuer_der)?);
    Ok(certificate.verify_signature(Some(issuer.public_key())).is_ok())
}

/// Whether every part of the subject has exactly one attribute. A set of none is DER that no authority writes, and
/// `rcgen` would panic on it.
pub(crate) fn plain_subject(der: &[u8]) -> Result<bool, CertError> {
    Ok(parse(der)?.subject().iter().all(|part| part.iter().count() == 1))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}

pub(crate) fn common_name(name: &x509_parser::x509::X509Name<'_>) -> Option<String> {
    name.iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertError> {
    if der.len() > MAX_CERTIFICATE_LEN {
        return Err(CertError::Certificate("it is over 64 KiB"));
    }
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(CertError::Certificate("bytes follow it")),
        Err(_) => Err(CertError::Certificate("its DER does not parse")),
    }
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = match bytes.len() {
                4 => IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?),
                16 => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
                _ => return None,
            };
            Some(address.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Authority;

    #[test]
    fn the_fingerprint_is_the_hash_of_the_public_key_not_of_the_certificate() {
        let authority = Authority::new("Test CA").unwrap();
        let issued = authority.issue_client("acme").unwrap();
        let again = Authority::new("Another CA").unwrap().sign_key_of(&issued, "renamed").unwrap();
        assert_ne!(issued.cert_der, again.cert_der);
        assert_eq!(spki_fingerprint(&issued.cert_der).unwrap(), spki_fingerprint(&again.cert_der).unwrap());
        let other = authority.issue_client("acme").unwrap();
        assert_ne!(spki_fingerprint(&issued.cert_der).unwrap(), spki_fingerprint(&other.cert_der).unwrap());
    }

    #[test]
    fn cut_and_lengthened_certificates_are_refused() {
        let der = Authority::new("Test CA").unwrap().issue_client("acme").unwrap().cert_der;
        for len in 0..der.len() {
            assert!(spki_fingerprint(&der[..len]).is_err(), "{len} bytes were accepted");
        }
        let mut longer = der.clone();
        longer.push(0);
        assert!(matches!(spki_fingerprint(&longer), Err(CertError::Certificate("bytes follow it"))));
    }

    #[test]
    fn pem_and_der_give_the_same_certificate() {
        let issued = Authority::new("Test CA").unwrap().issue_client("acme").unwrap();
        assert_eq!(certificate_der(issued.cert_pem.as_bytes()).unwrap(), issued.cert_der);
        assert_eq!(certificate_der(&issued.cert_der).unwrap(), issued.cert_der);
        let key_then_certificate = format!("{}{}", *issued.key_pem, issued.cert_pem);
        assert_eq!(certificate_der(key_then_certificate.as_bytes()).unwrap(), issued.cert_der);
        assert!(certificate_der(issued.key_pem.as_bytes()).is_err());
        assert!(certificate_der(b"").is_err());
    }
}
