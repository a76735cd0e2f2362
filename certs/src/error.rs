//! Why a certificate could not be made, read or written.

use std::path::PathBuf;

use thiserror::Error;

/// Why a certificate could not be made, read or written. No variant carries key bytes.
#[derive(Debug, Error)]
pub enum CertError {
    /// Making a key or signing a certificate failed.
    #[error("cannot issue a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// A private key is not a PKCS#8 key that this crate can sign with.
    #[error("not a usable private key")]
    Key,
    /// Bytes that are not an X.509 certificate, in DER or PEM.
    #[error("not an X.509 certificate: {0}")]
    Certificate(&'static str),
    /// A PKCS#10 signing request that is not signed for.
    #[error("signing request refused: {0}")]
    Request(&'static str),
    /// A name that cannot stand in a certificate: empty, or over 64 characters, or with control characters.
    #[error("'{0}' cannot be a common name")]
    CommonName(String),
    /// A tenant name that cannot be the name of a folder.
    #[error("'{0}' cannot be a tenant's name: 1 to 63 of a-z, 0-9 and '-', not 'admin'")]
    Tenant(String),
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
