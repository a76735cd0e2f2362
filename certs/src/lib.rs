//! Certificate profiles of the KMS, and the throw-away PKI of tests and demos.
//!
//! An [`Authority`] issues: server certificates, client certificates with their keys, and client certificates for a
//! signing request whose key it never sees. [`self_signed_vcenter_client`] makes what a vCenter makes for itself.
//! [`demo::write_demo_pki`] writes a whole folder of them and repairs it when it finds it half written.
//!
//! Who somebody *is* to this KMS is the SHA-256 of the DER SubjectPublicKeyInfo of the certificate,
//! [`spki_fingerprint`]: a renewed certificate with the same key is the same identity.

mod authority;
pub mod demo;
mod error;
mod facts;
mod key;
mod limits;
mod profile;
mod request;

pub use authority::{Authority, Issued, Signed, self_signed_vcenter_client};
pub use demo::write_demo_pki;
pub use error::CertError;
pub use facts::{CertificateFacts, certificate_der, public_key_info, spki_fingerprint};
