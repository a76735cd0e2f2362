//! Mutual TLS for both listeners: who may finish a handshake, and under which rules.
//!
//! A client is its public key. A certificate is accepted if the SHA-256 of its DER SubjectPublicKeyInfo is registered
//! and it is within its validity; who signed it, CA flags and extended key usage do not matter, because vCenter's own
//! certificate is a self-signed CA without extended key usage. The signature of the handshake is checked against the
//! very bytes that were hashed, so a key that is registered is a key that was proved.
//!
//! Every connection makes a full handshake: no tickets, no session cache, no early data. A revocation therefore acts on
//! the next handshake.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring as ring_provider, verify_tls13_signature_with_raw_key,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, UnixTime};
use webpki::RawPublicKeyEntity;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::shell::peer::Fingerprint;
use crate::shell::service::{Registered, StrangerKind};

/// Forward secrecy and authenticated encryption only; clients in the field offer at least one of the GCM suites.
const SUITES: [CipherSuite; 9] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Bytes of a client's certificate that are looked at. A chain with RSA-4096 keys is a tenth of it.
const MAX_CERTIFICATE_BYTES: usize = 65_536;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or holds nothing of the kind.
    #[error("{}: {text}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong; never file content.
        text: String,
    },
    /// The key does not belong to the certificate, or neither is usable.
    #[error("{} does not serve {}: {cause}", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
        /// What rustls says.
        cause: Error,
    },
    /// The provider lacks what the rules demand.
    #[error("TLS cannot be set up")]
    Setup(#[source] Error),
}

/// ring, reduced to [`SUITES`].
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring_provider::default_provider();
    provider.cipher_suites.retain(|suite| SUITES.contains(&suite.suite()));
    Arc::new(provider)
}

/// The certificate chain and key a listener shows.
///
/// # Errors
/// [`TlsError::Pem`], and [`TlsError::Mismatch`] where the key is not the leaf's.
pub fn server_key(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let fault = |path: &Path, text: String| TlsError::Pem { path: path.to_owned(), text };
    let pem = std::fs::read(certificate).map_err(|error| fault(certificate, error.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| fault(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(certificate, "no certificate in it".to_owned()));
    }
    let pem = Zeroizing::new(std::fs::read(key).map_err(|error| fault(key, error.to_string()))?);
    // The parser's own text could quote the file, which holds a private key.
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| fault(key, "no private key in it".to_owned()))?;
    let certified = CertifiedKey::from_der(chain, private, &provider()).map_err(|cause| TlsError::Mismatch {
        key: key.to_owned(),
        certificate: certificate.to_owned(),
        cause,
    })?;
    Ok(Arc::new(certified))
}

/// The TLS rules of a listener that admits whom `registered` knows, by the clock `time`.
///
/// # Errors
/// [`TlsError::Setup`] where the provider cannot serve both versions.
pub fn server_config(
    key: Arc<CertifiedKey>,
    registered: Arc<dyn Registered>,
    time: Arc<dyn TimeProvider>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let verifier = PinnedKeys { registered, algorithms: provider.signature_verification_algorithms };
    let mut config = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Setup)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = Vec::new();
    Ok(Arc::new(config))
}

/// The TLS rules towards a server whose certificate is under one of the authorities in `ca`; the node shows none.
///
/// # Errors
/// [`TlsError::Pem`] for the file, [`TlsError::Setup`].
pub fn client_config(ca: &Path, time: Arc<dyn TimeProvider>) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities(ca)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// As [`client_config`], towards a server that wants to know who the node is: it shows this certificate.
///
/// # Errors
/// [`TlsError::Pem`], [`TlsError::Mismatch`], [`TlsError::Setup`].
pub fn identified_client_config(
    ca: &Path,
    certificate: &Path,
    key: &Path,
    time: Arc<dyn TimeProvider>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let own = server_key(certificate, key)?;
    let config = ClientConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities(ca)?)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    Ok(Arc::new(config))
}

/// The authorities in a PEM file.
fn authorities(ca: &Path) -> Result<RootCertStore, TlsError> {
    let fault = |text: String| TlsError::Pem { path: ca.to_owned(), text };
    let pem = std::fs::read(ca).map_err(|error| fault(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(&pem) {
        let authority = authority.map_err(|error| fault(error.to_string()))?;
        roots.add(authority).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(fault("no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// What a handshake proves about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub fingerprint: Fingerprint,
    /// Last second of validity, since the epoch.
    pub not_after: i64,
}

/// Reads what `certificate` claims; only a finished handshake makes it a proof.
#[must_use]
pub fn claim(certificate: &CertificateDer<'_>) -> Option<Proof> {
    parse(certificate).map(|leaf| leaf.claim())
}

/// The parts of a certificate that decide anything.
struct Leaf<'a> {
    spki: &'a [u8],
    not_before: i64,
    not_after: i64,
}

impl Leaf<'_> {
    fn claim(&self) -> Proof {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, self.spki).as_ref());
        Proof { fingerprint, not_after: self.not_after }
    }
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<Leaf<'a>> {
    if certificate.len() > MAX_CERTIFICATE_BYTES {
        return None;
    }
    let (rest, parsed) = X509Certificate::from_der(certificate).ok()?;
    let validity = parsed.validity();
    let leaf = Leaf {
        spki: parsed.tbs_certificate.subject_pki.raw,
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    };
    rest.is_empty().then_some(leaf)
}

/// Accepts end entities whose public key is registered.
struct PinnedKeys {
    registered: Arc<dyn Registered>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for PinnedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedKeys").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for PinnedKeys {
    /// None: a client without a matching issuer would send no certificate at all.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let leaf = parse(end_entity).ok_or(CertificateError::BadEncoding)?;
        // Registration first: a stranger learns nothing about validity.
        if self.registered.find(&leaf.claim().fingerprint).is_none() {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < leaf.not_before {
            return Err(CertificateError::NotValidYet.into());
        }
        if now > leaf.not_after {
            return Err(CertificateError::Expired.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    /// In TLS 1.2 a scheme does not fix the curve, so every algorithm of the scheme is tried that fits the key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let leaf = parse(certificate).ok_or(CertificateError::BadEncoding)?;
        let spki = SubjectPublicKeyInfoDer::from(leaf.spki);
        let key = RawPublicKeyEntity::try_from(&spki).map_err(|_| CertificateError::BadEncoding)?;
        let (_, algorithms) = self
            .algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        if algorithms.iter().any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let leaf = parse(certificate).ok_or(CertificateError::BadEncoding)?;
        let spki = SubjectPublicKeyInfoDer::from(leaf.spki);
        verify_tls13_signature_with_raw_key(message, &spki, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What kind of stranger a failed handshake was. Port scans, probes that close early and clients that do not trust the
/// server's certificate are [`StrangerKind::BrokenHandshake`]; vCenter does the last for as long as it is not trusted.
#[must_use]
pub fn stranger_of(failure: &std::io::Error) -> StrangerKind {
    let cause = failure.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match cause {
        Some(Error::NoCertificatesPresented) => StrangerKind::NoCertificate,
        Some(Error::InvalidCertificate(error)) => match error {
            CertificateError::Expired | CertificateError::NotValidYet => StrangerKind::Expired,
            CertificateError::ApplicationVerificationFailure | CertificateError::BadEncoding => {
                StrangerKind::Unregistered
            }
            // With pinned keys, what is left is about the handshake's signature.
            _ => StrangerKind::BadSignature,
        },
        _ => StrangerKind::BrokenHandshake,
    }
}

#[cfg(test)]
mod tests;
