//! Who may open a connection: holders of the keys that were pinned when their nodes were enrolled, whoever issued their
//! certificates and for what.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::folder::{Pin, pin_of};

/// The pins of the nodes.
#[derive(Debug)]
pub(crate) struct Nodes {
    pins: Vec<Pin>,
    provider: CryptoProvider,
}

impl Nodes {
    pub(crate) fn of(pins: &[Pin]) -> Self {
        Self { pins: pins.to_vec(), provider: rustls::crypto::ring::default_provider() }
    }
}

impl ClientCertVerifier for Nodes {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    /// The pin decides. A certificate that has run out is still the node's: its clock is no matter of the witness.
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match pin_of(end_entity) {
            Some(pin) if self.pins.contains(&pin) => Ok(ClientCertVerified::assertion()),
            Some(_) => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
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
