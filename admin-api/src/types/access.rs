//! What a client reaches, and the users and devices that may speak through it.

use serde::{Deserialize, Serialize};

use super::text::SecretText;

/// What a login reaches in its domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The objects that it makes itself, and no others.
    #[serde(default)]
    pub own: bool,
    /// These operations, by the names of the KMIP specification, and no others; all of them where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
}

/// The identifiers of a device (KMIP 1.4 §2.1.2); at least one. A message has to show all of these and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Device Serial Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Device Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Network Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Machine Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Media Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
}

impl Device {
    /// The identifiers, in the order of the specification.
    #[must_use]
    pub fn identifiers(&self) -> [Option<&str>; 5] {
        [&self.serial_number, &self.device, &self.network, &self.machine, &self.media].map(Option::as_deref)
    }
}

/// A credential that a client's messages may bring from now on: of a user, or of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// The user's name; of a user only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The device; of a device only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The password, which a device may be without. Kept only as an Argon2id hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretText>,
    /// What it reaches.
    #[serde(default)]
    pub access: Access,
}

/// A credential as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredCredential {
    /// The user's name, or the first identifier that the device has; unique among those of the client.
    pub name: String,
    /// The device, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// Whether there is a password to it.
    pub has_password: bool,
    /// What it reaches.
    pub access: Access,
}

/// What a client reaches by its certificate alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientAccess {
    /// What it reaches.
    #[serde(default)]
    pub access: Access,
    /// Whether each message has to bring a credential besides.
    #[serde(default)]
    pub credential_demanded: bool,
}
