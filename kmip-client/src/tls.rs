//! TLS of a client: its certificate, whom it trusts, which versions it speaks.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// The certificate by which a server knows the client, and its private key.
pub struct ClientIdentity {
    /// The certificate, then those that lead to a root.
    pub cert_chain: Vec<CertificateDer<'static>>,
    /// The key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    /// Certificate chain and key from PEM.
    ///
    /// # Errors
    /// [`Error::Pem`].
    pub fn from_pem(cert_chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let cert_chain = certificates(cert_chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(Error::Pem)?;
        Ok(Self { cert_chain, key })
    }
}

impl Clone for ClientIdentity {
    fn clone(&self) -> Self {
        Self { cert_chain: self.cert_chain.clone(), key: self.key.clone_key() }
    }
}

impl fmt::Debug for ClientIdentity {
    /// Not the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({} certificates)", self.cert_chain.len())
    }
}

/// Which versions of TLS to offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersions {
    /// 1.3, or 1.2 where the server has no 1.3.
    #[default]
    Both,
    /// 1.2 only, as vCenter 7.
    Only12,
    /// 1.3 only.
    Only13,
}

impl TlsVersions {
    fn offered(self) -> Vec<&'static rustls::SupportedProtocolVersion> {
        match self {
            Self::Both => vec![&rustls::version::TLS13, &rustls::version::TLS12],
            Self::Only12 => vec![&rustls::version::TLS12],
            Self::Only13 => vec![&rustls::version::TLS13],
        }
    }
}

/// Root certificates from PEM.
///
/// # Errors
/// [`Error::Pem`], [`Error::Tls`] for a certificate that cannot be a root.
pub fn roots_from_pem(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(Error::Tls)?;
    }
    Ok(roots)
}

/// At least one certificate.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(Error::Pem)?;
    if certificates.is_empty() {
        return Err(Error::Pem(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

/// The TLS configuration of a client that trusts `roots` and offers TLS 1.3 and 1.2.
///
/// # Errors
/// [`Error::Tls`] where key and certificate do not belong together.
pub fn tls_config(identity: ClientIdentity, roots: RootCertStore) -> Result<ClientConfig, Error> {
    tls_config_for(identity, roots, TlsVersions::Both)
}

/// As [`tls_config`], for certain versions of TLS.
///
/// # Errors
/// As [`tls_config`].
pub fn tls_config_for(
    identity: ClientIdentity,
    roots: RootCertStore,
    versions: TlsVersions,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions.offered())
        .map_err(Error::Tls)?
        .with_root_certificates(roots)
        .with_client_auth_cert(identity.cert_chain, identity.key)
        .map_err(Error::Tls)?;
    // A resumed session would not show the certificate again, and the server keeps no sessions.
    config.resumption = Resumption::disabled();
    Ok(config)
}
