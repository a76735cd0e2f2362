//! An identity: a registered certificate, which belongs to exactly one domain.

use std::fmt;

use kmip::registry::Operation;
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
    /// The key that it was first registered with. What it makes bears that as its owner, so that the objects stay its own
    /// when its certificate is replaced.
    pub origin: Fingerprint,
    /// What people call it. At most [`crate::limits::MAX_NAME_LEN`] bytes.
    pub name: String,
    /// What it may do.
    pub kind: IdentityKind,
    /// The certificate, DER. At most [`crate::limits::MAX_CERTIFICATE_LEN`] bytes.
    pub certificate: Vec<u8>,
    /// What it reaches by its certificate alone.
    pub access: Access,
    /// Whether its certificate alone is not enough: each message has to bring one of the credentials.
    pub credential_demanded: bool,
    /// Users and devices that its messages may speak for. At most [`crate::limits::MAX_CREDENTIALS`], each with a name of
    /// its own.
    pub credentials: Vec<Credential>,
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

/// What a login reaches in its domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The objects that it made itself, and no others.
    pub own: bool,
    /// These operations, and no others; absent means all that are offered.
    pub operations: Option<Vec<Operation>>,
}

impl Access {
    /// Whether it reaches all of the domain.
    #[must_use]
    pub fn is_full(&self) -> bool {
        *self == Self::default()
    }
}

/// Who may speak through an identity, how that is checked, and what it reaches then. KMIP 1.4 §2.1.2.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Who.
    pub subject: Subject,
    /// Argon2id hash of the password, in PHC form; absent for a device without one.
    pub argon2: Option<String>,
    /// What it reaches.
    pub access: Access,
}

/// Whom a credential names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user. At most [`crate::limits::MAX_NAME_LEN`] bytes.
    User(String),
    /// A device.
    Device(Device),
}

/// The identifiers of a device, at least one of them; each at most [`crate::limits::MAX_NAME_LEN`] bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Device Serial Number.
    pub serial_number: Option<String>,
    /// Device Identifier.
    pub device: Option<String>,
    /// Network Identifier.
    pub network: Option<String>,
    /// Machine Identifier.
    pub machine: Option<String>,
    /// Media Identifier.
    pub media: Option<String>,
}

impl Device {
    /// The identifiers, in the order of the specification.
    #[must_use]
    pub fn identifiers(&self) -> [Option<&str>; 5] {
        [&self.serial_number, &self.device, &self.network, &self.machine, &self.media].map(Option::as_deref)
    }
}

impl Subject {
    /// What people call it: the user's name, or the first identifier that a device has.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) => name,
            Self::Device(device) => device.identifiers().into_iter().flatten().next().unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Credential {
    /// The hash can be guessed at, so it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("subject", &self.subject)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
