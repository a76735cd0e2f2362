//! KMIP clients of a domain: registered by their certificate, or issued one.

use serde::{Deserialize, Serialize};

use super::access::{ClientAccess, RegisteredCredential};
use super::text::{Fingerprint, SecretText};

/// A registered KMIP client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// SHA-256 of the DER SubjectPublicKeyInfo of its certificate: the identity.
    pub fingerprint: Fingerprint,
    /// The name it was registered under.
    pub name: String,
    /// Subject of the certificate.
    pub subject: String,
    /// End of the certificate's validity, seconds since the epoch.
    pub not_after: i64,
    /// What it reaches by its certificate alone, and whether that is enough.
    #[serde(flatten)]
    pub alone: ClientAccess,
    /// Users and devices that its messages may name, and must prove where they do.
    #[serde(default)]
    pub credentials: Vec<RegisteredCredential>,
    /// Whether it is refused.
    pub revoked: bool,
    /// When it was registered, seconds since the epoch.
    pub created: i64,
}

/// A username and password (KMIP 1.4 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// In clear wherever it appears.
    pub username: String,
    /// Kept only as an Argon2id hash.
    pub password: SecretText,
}

/// Registers a certificate that exists already; a vCenter's self-signed one, for instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterClient {
    /// The certificate, PEM.
    pub certificate: String,
    /// A name for people; the certificate's common name where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A credential that goes with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

/// Asks the domain's authority for a certificate, and registers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueClient {
    /// A name for people, and the common name where there is no `csr`.
    pub name: String,
    /// A PKCS#10 signing request, PEM. Where it is left out the server makes the key, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// A credential that goes with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

/// A client with the certificate issued to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedClient {
    /// As registered.
    pub client: Client,
    /// The certificate, PEM.
    pub certificate: String,
    /// The private key, PEM of PKCS#8, where the server made it. It is told once and kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretText>,
    /// The certificate of the domain's authority, PEM.
    pub authority: String,
}
