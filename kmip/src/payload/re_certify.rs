//! Re-certify: the server makes a successor to a certificate, for the same key pair. KMIP 1.4 §4.8.

use super::certificate_request_bytes::CertificateRequestBytes;
use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, ProtectionStorageMasks, TemplateAttribute};
use crate::registry::CertificateRequestType;
use crate::ttlv::Interval;
use crate::wire::structure;

structure! {
    /// Which certificate to replace, and by what. The tables of 1.0 require a certificate request, later ones do not.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ReCertifyRequest {
        /// The certificate; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// A certificate request that the server holds.
        optional certificate_request_unique_identifier: Identifier =
            Tag::CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER [since V2_0],
        /// How the certificate request is written.
        optional certificate_request_type: CertificateRequestType = Tag::CERTIFICATE_REQUEST_TYPE,
        /// The certificate request.
        part certificate_request: Option<Vec<u8>> = CertificateRequestBytes,
        /// From the Initial Date of the new certificate to its Activation Date; absent means the dates of the old one.
        optional offset: Interval = Tag::OFFSET,
        /// Attributes of the new certificate; the request's own facts come before them.
        part template_attribute: Option<TemplateAttribute> = ObjectAttributes,
        /// Where the new certificate may be kept.
        optional protection_storage_masks: ProtectionStorageMasks = Tag::PROTECTION_STORAGE_MASKS [since V2_0],
    }
}

structure! {
    /// The new certificate.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ReCertifyResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
