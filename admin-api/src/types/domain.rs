//! Domains: one per tenant, each with a Domain Key of its own.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A tenant's domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Identifier, also the name of its audit log.
    pub id: Uuid,
    /// Unique name.
    pub name: String,
    /// Whether requests are served.
    pub state: DomainState,
    /// When it was made, seconds since the epoch.
    pub created: i64,
    /// Key policy, `anssi` or `legacy`.
    pub policy: String,
    /// What its clients may do beyond what every client may.
    #[serde(default)]
    pub allow: Vec<Permission>,
    /// Version of the Domain Key that seals new objects, from 1.
    pub key_version: u32,
    /// The version before it, while a rotation goes on: objects are still being sealed anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_key_version: Option<u32>,
    /// Managed objects, destroyed ones too; absent where the domain is frozen and nothing of it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Registered clients, revoked ones too.
    pub clients: u64,
}

/// Whether a domain's requests are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainState {
    /// Served.
    Active,
    /// Refused until it is thawed.
    Frozen,
    /// Its Domain Key is gone.
    Destroyed,
}

impl DomainState {
    /// As in the JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Destroyed => "destroyed",
        }
    }
}

/// What an administrator does with a domain as a whole, `POST /v1/domains/{d}/{change}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainChange {
    /// Refuse its clients from their next request on.
    Freeze,
    /// Serve them again.
    Thaw,
    /// Begin to seal everything under a new version of its Domain Key.
    RotateKey,
}

impl DomainChange {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Freeze, Self::Thaw, Self::RotateKey];

    /// The last part of the path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::RotateKey => "rotate-key",
        }
    }

    /// What audit records call it.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Freeze => "Freeze Domain",
            Self::Thaw => "Thaw Domain",
            Self::RotateKey => "Rotate Domain Key",
        }
    }
}

/// What a comparison of all rows and records of a domain came to, `GET /v1/domains/{d}/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Objects compared.
    pub objects: u64,
    /// Audit records compared.
    pub records: u64,
    /// How much is not what the node wrote.
    pub found: u64,
    /// What, up to a thousand of them.
    pub findings: Vec<Finding>,
}

/// A row of the database that is not what the node wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its table.
    pub table: String,
    /// Its key.
    pub row: String,
    /// What is wrong with it.
    pub what: String,
}

/// What a new domain is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDomain {
    /// 1 to 64 characters, unique, not `system`.
    pub name: String,
    /// Key policy, `anssi` or `legacy`; `anssi` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What its clients may do beyond what every client may; nothing where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Permission>,
}

/// What a domain's clients may do only where it was allowed when the domain was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Operation Export: the object with all its attributes, whatever its state.
    Export,
    /// Operation Import: an object with the identifier and the history that it had elsewhere.
    Import,
    /// Get of a key wrapped under another key of the domain.
    WrappedGet,
    /// Operation Re-Provision: a client's own certificate gives way to another one.
    ReProvision,
    /// An object group `default` that fills itself: Locate of a fresh member makes an AES-256 key where none is left.
    DefaultGroup,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Export, Self::Import, Self::WrappedGet, Self::ReProvision, Self::DefaultGroup];

    /// As in the JSON.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
            Self::WrappedGet => "wrapped_get",
            Self::ReProvision => "re_provision",
            Self::DefaultGroup => "default_group",
        }
    }
}
