//! Reads a PKCS#10 signing request: the key and the common name count, everything else is the authority's to say.

use rcgen::SubjectPublicKeyInfo;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::error::CertError;
use crate::facts::common_name;
use crate::limits::{MAX_CERTIFICATE_LEN, MIN_RSA_BITS};

/// What is taken over from a signing request (RFC 2986).
pub(crate) struct Request {
    pub(crate) common_name: String,
    pub(crate) key: SubjectPublicKeyInfo,
}

impl Request {
    /// Reads PEM or DER and checks the request's signature, the proof that the sender has the private key.
    ///
    /// Requested extensions are ignored: a request cannot ask to be an authority.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, CertError> {
        if bytes.len() > MAX_CERTIFICATE_LEN {
            return Err(CertError::Request("it is over 64 KiB"));
        }
        let der = if bytes.first() == Some(&0x30) {
            CertificateSigningRequestDer::from(bytes)
        } else {
            CertificateSigningRequestDer::from_pem_slice(bytes)
                .map_err(|_| CertError::Request("there is no CERTIFICATE REQUEST section"))?
        };
        let request = match X509CertificationRequest::from_der(&der) {
            Ok(([], request)) => request,
            _ => return Err(CertError::Request("its DER does not parse")),
        };
        request.verify_signature().map_err(|_| CertError::Request("its signature does not verify"))?;
        let info = &request.certification_request_info;
        if let Ok(PublicKey::RSA(key)) = info.subject_pki.parsed()
            && key.key_size() < MIN_RSA_BITS
        {
            return Err(CertError::Request("an RSA key must have 2048 bits or more"));
        }
        Ok(Self {
            common_name: common_name(&info.subject).ok_or(CertError::Request("its subject has no common name"))?,
            key: SubjectPublicKeyInfo::from_der(info.subject_pki.raw)
                .map_err(|_| CertError::Request("its key is none of RSA, EC P-256, EC P-384, Ed25519"))?,
        })
    }
}
