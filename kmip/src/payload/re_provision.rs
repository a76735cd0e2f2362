//! Re-Provision: the client gets another credential for its connections. KMIP 2.1 §6.1.48.

use crate::Tag;
use crate::object::{Certificate, CertificateRequest};
use crate::wire::structure;

structure! {
    /// What the new credential is made of; with neither the server makes a key pair and its certificate.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ReProvisionRequest {
        /// A certificate request for the server to sign.
        optional certificate_request: CertificateRequest = Tag::CERTIFICATE_REQUEST,
        /// The certificate to use from now on.
        optional certificate: Certificate = Tag::CERTIFICATE,
    }
}

structure! {
    /// The new credential.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ReProvisionResponse {
        /// The certificate, or the private key that the server made.
        optional unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
