//! Certificates and requests for them: what Register, Certify, Re-certify, Validate and Locate need of X.509.
//! RFC 5280, RFC 2986, RFC 4211; KMIP 1.4 §3.10 to §3.15, §4.7, §4.8, §4.24.
//!
//! Reading is done by a cursor in safe Rust; only [`verify_chain`] shows a certificate to OpenSSL.

mod algorithm;
mod certificate;
mod chain;
mod crmf;
mod issue;
mod name;
mod request;
mod time;

pub use certificate::{CertificateFacts, parse_certificate};
pub use chain::{Chain, verify_chain};
pub use issue::{CertificateProfile, issue, issue_with};
pub use name::{DistinguishedName, NamePart};
pub use request::{CertificationRequest, parse_request};

use crate::CryptoError;

/// What is said of every certificate and request that cannot be read.
const BROKEN: CryptoError = CryptoError::InvalidInput("the certificate or request cannot be read");

/// Object identifiers without tag and length.
mod oid {
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
    pub(super) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
    pub(super) const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
    pub(super) const ISSUER_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x12];
    /// PKCS#9 extensionRequest.
    pub(super) const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
}
