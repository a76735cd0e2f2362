//! Certify: the server makes a certificate for a public key. KMIP 1.4 §4.7.

use super::certificate_request_bytes::CertificateRequestBytes;
use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::registry::CertificateRequestType;
use crate::wire::structure;

structure! {
    /// What to certify. The tables of 1.0 require a certificate request; later ones certify a registered key too.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct CertifyRequest {
        /// The public key, or since 2.0 a certificate request; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// How the certificate request is written.
        optional certificate_request_type: CertificateRequestType = Tag::CERTIFICATE_REQUEST_TYPE,
        /// The certificate request.
        part certificate_request: Option<Vec<u8>> = CertificateRequestBytes,
        /// Attributes of the certificate; the request's own facts come before them.
        part template_attribute: Option<TemplateAttribute> = ObjectAttributes,
        /// Where the certificate may be kept.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The certificate.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CertifyResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
