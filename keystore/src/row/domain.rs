//! A domain: a tenant with keys of its own, or the system with its administrators.

use secret::{DomainId, Sealed};

use super::Retention;

/// What may be done with a domain's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainState {
    /// Everything.
    Active,
    /// Nothing until it is active again.
    Frozen,
    /// Nothing ever again.
    Destroyed,
}

impl DomainState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Frozen, Self::Destroyed];

    /// As stored.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Frozen => 2,
            Self::Destroyed => 3,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A domain.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainRow {
    /// Its identifier.
    pub id: DomainId,
    /// Its name, unique among all domains. At most [`crate::limits::MAX_NAME_LEN`] bytes.
    pub name: String,
    /// What may be done with its keys.
    pub state: DomainState,
    /// Counts the changes; guards each of them.
    pub revision: u64,
    /// When it was made, in microseconds since 1970.
    pub created_us: i64,
    /// The current Domain Key, wrapped under the Root of Trust, as `hsm` encodes it.
    pub domain_key: Vec<u8>,
    /// The secret that the MAC key is derived from, sealed under the Domain Key.
    pub secret: Sealed,
    /// The profile of algorithms: `anssi` or `legacy`.
    pub policy: String,
    /// Whether this is the domain of the administrators.
    pub system: bool,
    /// SHA-256 of the DER certificate of the domain's certificate authority, once it has one. The authority itself is
    /// a setting, and settings carry no MAC: this is what shows that it is there, and which one it is.
    pub authority: Option<[u8; 32]>,
    /// What its clients may do beyond what every client may.
    pub permissions: Permissions,
    /// The TTLV of the attributes that new objects get by default, as clients set them. KMIP 2.1 §6.1.53. At most
    /// [`crate::limits::MAX_DOMAIN_RULES_LEN`] bytes.
    pub defaults: Option<Vec<u8>>,
    /// The TTLV of the constraints that new objects have to meet, as clients set them. KMIP 2.1 §6.1.52. At most
    /// [`crate::limits::MAX_DOMAIN_RULES_LEN`] bytes.
    pub constraints: Option<Vec<u8>>,
    /// The requests that administrators have to approve, as the node encodes them; only the administrators' own domain
    /// has any. At most [`crate::limits::MAX_REQUESTS_LEN`] bytes.
    pub requests: Option<Vec<u8>>,
    /// How long its log keeps records.
    pub retention: Retention,
    /// The backups that were taken, as the node encodes them; only the administrators' own domain has any. At most
    /// [`crate::limits::MAX_BACKUPS_LEN`] bytes.
    pub backups: Option<Vec<u8>>,
}

/// What clients of a domain may do only where the domain's maker allowed it: a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(pub u32);

impl Permissions {
    /// Export: the object with all its attributes, whatever its state. KMIP 2.1 §6.1.18.
    pub const EXPORT: Self = Self(1);
    /// Import: an object under the identifier and with the history that it had elsewhere. KMIP 2.1 §6.1.25.
    pub const IMPORT: Self = Self(1 << 1);
    /// Get under a key wrapping specification. KMIP 1.4 §2.1.6.
    pub const WRAPPED_GET: Self = Self(1 << 2);
    /// Locate of a fresh member of the group `default` makes one where none is left. KMIP 1.4 §4.9.
    pub const DEFAULT_GROUP: Self = Self(1 << 3);

    /// Re-Provision: a client may put another certificate in the place of its own. KMIP 2.1 §6.1.48.
    pub const RE_PROVISION: Self = Self(1 << 4);

    /// Whether everything in `other` is allowed.
    #[must_use]
    pub const fn allow(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What either allows.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
