//! An identity: a registered certificate, which belongs to exactly one domain.

use std::fmt;

use secret::DomainId;

/// SHA-256 of a certificate's DER SubjectPublicKeyInfo.
pub type Fingerprint = [u8; 32];

/// A registered certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// The domain it speaks for.
    pub domain: DomainId,
    /// Its key; unique among all domains.
    pub fingerprint: Fingerprint,
    /// What people call it. At most [`crate::limits::MAX_NAME_LEN`] bytes.
    pub name: String,
    /// What it may do.
    pub kind: IdentityKind,
    /// The certificate, DER. At most [`crate::limits::MAX_CERTIFICATE_LEN`] bytes.
    pub certificate: Vec<u8>,
    /// User name and password it may present besides.
    pub credential: Option<Credential>,
    /// When it was registered, in microseconds since 1970.
    pub created_us: i64,
    /// Whether it is refused from now on.
    pub revoked: bool,
    /// Counts the changes; guards each of them.
    pub revision: u64,
}

/// What an identity may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// Speak KMIP.
    Client,
    /// Use the admin API.
    Admin {
        /// As what.
        role: String,
    },
}

/// A user name and the hash of its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The user name.
    pub username: String,
    /// Argon2id hash of the password, in PHC form.
    pub argon2: String,
}

impl fmt::Debug for Credential {
    /// The hash can be guessed at, so it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}
