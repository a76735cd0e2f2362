//! What a load consists of: the operations that can be measured.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// One operation; a load repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A new connection, Query for operations and object types, and its end: mostly the TLS handshake.
    Query,
    /// Get of an AES-256 key, one of those made beforehand, by its identifier.
    Get,
    /// Locate of one of those keys by its name.
    Locate,
    /// Create of an AES-256 key with a name of its own.
    Create,
    /// What vCenter does to have a VM encrypted: four new connections, sixteen messages, twenty operations.
    Vsphere,
}

impl Operation {
    /// All of them. Those that leave the server as it is come first, so that they find the keys made beforehand and
    /// nothing else.
    pub const ALL: [Self; 5] = [Self::Query, Self::Get, Self::Locate, Self::Create, Self::Vsphere];

    /// What the tables call it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Query => "connect+query",
            Self::Get => "get",
            Self::Locate => "locate by name",
            Self::Create => "create",
            Self::Vsphere => "vsphere sequence",
        }
    }

    /// Whether one connection serves many of them.
    #[must_use]
    pub const fn keeps_connection(self) -> bool {
        matches!(self, Self::Get | Self::Locate | Self::Create)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}
