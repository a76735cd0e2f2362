//! Who may see the operator's page: holders of an administrator's key, as the key service knows them at this moment.
//!
//! The handshake takes any certificate and has its key proved; whether the key is an administrator's is asked of the key
//! service at every request, so that a revocation holds from the next one on.

use std::io;
use std::path::Path;
use std::sync::Arc;

use admin_api::{Administrator, Fingerprint};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::api::App;
use crate::platform::now;
use crate::serve;
use crate::web::layout;
use crate::web::session::language;
use crate::web::text::{Language, Text};

/// The key whose possession the peer proved, which the connection puts into each request: SHA-256 of the DER
/// SubjectPublicKeyInfo of its certificate.
#[derive(Clone, Copy, Debug)]
pub struct Holder(pub Fingerprint);

/// The holder of a certificate's key; `None` for what is no certificate.
#[must_use]
pub fn holder_of(certificate: &CertificateDer<'_>) -> Option<Holder> {
    let leaf = webpki::EndEntityCert::try_from(certificate).ok()?;
    let digest = ring::digest::digest(&ring::digest::SHA256, &leaf.subject_public_key_info());
    digest.as_ref().try_into().ok().map(|bytes| Holder(Fingerprint(bytes)))
}

/// TLS as the certificate and key in these files make it, for peers who prove a key of their own.
///
/// # Errors
/// Those of the files, and of what stands in them.
pub fn tls(certificate: &Path, key: &Path) -> io::Result<ServerConfig> {
    let verifier = AnyKey { provider: rustls::crypto::ring::default_provider() };
    serve::tls_with(certificate, key, Some(Arc::new(verifier)))
}

/// An administrator who looks at the page.
pub struct Official {
    /// Who.
    pub administrator: Administrator,
    /// The language that they read.
    pub language: Language,
}

impl FromRequestParts<App> for Official {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let language = language(&parts.headers);
        let nobody = || layout::failure(403, Text::NoAdministrator, language);
        let Holder(key) = parts.extensions.get::<Holder>().copied().ok_or_else(nobody)?;
        let unreachable = || layout::failure(503, Text::NoKeyService, language);
        let service = app.key_service.clone().ok_or_else(unreachable)?;
        let asked = tokio::task::spawn_blocking(move || service.administrator(key)).await;
        let found = match asked {
            Ok(Ok(found)) => found.ok_or_else(nobody)?,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the key service");
                return Err(unreachable());
            }
            Err(_) => return Err(unreachable()),
        };
        let is_valid = !found.revoked && u64::try_from(found.not_after).is_ok_and(|end| now() <= end);
        if is_valid { Ok(Self { administrator: found, language }) } else { Err(nobody()) }
    }
}

/// Takes every certificate whose key the peer proves to hold.
#[derive(Debug)]
struct AnyKey {
    provider: CryptoProvider,
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match holder_of(end_entity) {
            Some(_) => Ok(ClientCertVerified::assertion()),
            None => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
