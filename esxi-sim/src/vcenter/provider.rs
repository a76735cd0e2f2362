//! A key provider: its servers, whom to trust, and the client certificate that is its own.
//!
//! Its folder holds `provider.json`, `client.pem`, `client.key`, `roots.pem`, and `password` where it has one. Keys and
//! password are readable by the owner only and appear in no answer of the API.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kmip_client::{ClientIdentity, Limits};
use rustls::ClientConfig;
use secret::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::action;
use super::counters::Counters;
use super::error::KmsError;
use crate::disk::durable;
use crate::key::ProviderId;
use crate::limits::{MAX_CONFIG, MAX_NAME, MAX_PEM, MAX_SERVERS};

pub(super) const SETTINGS: &str = "provider.json";
const CERTIFICATE: &str = "client.pem";
const KEY: &str = "client.key";
const ROOTS: &str = "roots.pem";
const PASSWORD: &str = "password";

/// One server of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Server {
    /// What people call it.
    pub name: String,
    /// Host and port, such as `kms1.example:5696`.
    pub address: String,
    /// The name in its certificate, where that is not the host of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

impl Server {
    pub(super) fn tls_name(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(&self.address[..], |(host, _)| host);
        self.server_name.as_deref().unwrap_or(host.trim_start_matches('[').trim_end_matches(']'))
    }
}

/// Where the provider's client certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Identity {
    /// vCenter makes one and signs it itself (`GenerateSelfSignedClientCert`); the key server has to be told of it.
    SelfSigned,
    /// The key server issued one (`UploadClientCert`).
    Uploaded {
        /// PEM file of the certificate.
        certificate: PathBuf,
        /// PEM file of its private key.
        key: PathBuf,
    },
}

/// How to register a provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Its name.
    pub id: ProviderId,
    /// Its servers, in the order in which they are asked.
    pub servers: Vec<Server>,
    /// PEM file of the certificates that vouch for the servers.
    pub roots: PathBuf,
    /// The client certificate.
    pub identity: Identity,
    /// The user name, if the key server wants one besides the certificate.
    #[serde(default)]
    pub username: Option<String>,
    /// File with the password; without its last line feed.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// For the connection and for each answer; the client's defaults where absent.
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
}

/// What is kept of a [`Spec`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    id: ProviderId,
    servers: Vec<Server>,
    username: Option<String>,
    timeout_seconds: Option<u32>,
}

/// User name and password.
#[derive(Debug)]
pub struct Credential {
    /// The name.
    pub username: String,
    /// The password, in UTF-8.
    pub password: Secret,
}

pub(super) struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) limits: Limits,
}

/// A registered provider.
pub struct Provider {
    settings: Settings,
    certificate: String,
    credential: Option<Credential>,
    tls: Tls,
    counters: Arc<Counters>,
}

/// What the health check of a provider found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderStatus {
    /// Its name.
    pub id: ProviderId,
    /// Whether every server is healthy.
    pub healthy: bool,
    /// Server by server.
    pub servers: Vec<ServerStatus>,
}

/// What the health check of a server found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
    /// Whether it was reached, trusts this client, and speaks KMIP 1.1.
    pub healthy: bool,
    /// Why not.
    pub error: Option<String>,
    /// Versions of KMIP it offers.
    pub versions: Vec<String>,
    /// Who made it; asked when trust is established, not at health checks.
    pub vendor: Option<String>,
}

impl Provider {
    pub(super) fn register(folder: &Path, spec: &Spec, counters: Arc<Counters>) -> Result<Self, KmsError> {
        let unusable = |reason: String| KmsError::Settings { provider: spec.id.clone(), reason };
        check_servers(&spec.servers).map_err(|reason| unusable(reason.to_owned()))?;
        if spec.username.is_some() != spec.password_file.is_some() {
            return Err(unusable("a user name comes with a password file, and the other way round".to_owned()));
        }
        let read = |path: &PathBuf| durable::read(path, MAX_PEM).map(Zeroizing::new).map_err(KmsError::io(path));
        let (certificate, key) = match &spec.identity {
            Identity::Uploaded { certificate, key } => (read(certificate)?, read(key)?),
            Identity::SelfSigned => {
                let issued = certs::self_signed_vcenter_client().map_err(|error| unusable(error.to_string()))?;
                (
                    Zeroizing::new(issued.cert_pem.clone().into_bytes()),
                    Zeroizing::new(issued.key_pem.as_bytes().to_vec()),
                )
            }
        };
        let roots = read(&spec.roots)?;
        let password = spec.password_file.as_ref().map(read).transpose()?;
        let settings = Settings {
            id: spec.id.clone(),
            servers: spec.servers.clone(),
            username: spec.username.clone(),
            timeout_seconds: spec.timeout_seconds,
        };
        let provider =
            Self::build(settings, &certificate, &key, &roots, password.as_ref().map(|bytes| &bytes[..]), counters)?;
        // Only what can be used is written; the settings last, because they make the provider exist.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(KmsError::io(folder))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            durable::replace(&path, bytes).map_err(KmsError::io(&path))
        };
        write(CERTIFICATE, &certificate)?;
        write(KEY, &key)?;
        write(ROOTS, &roots)?;
        if let Some(password) = &password {
            write(PASSWORD, password)?;
        }
        let settings = serde_json::to_vec_pretty(&provider.settings).map_err(|error| unusable(error.to_string()))?;
        write(SETTINGS, &settings)?;
        durable::flush_folder_of(folder).map_err(KmsError::io(folder))?;
        Ok(provider)
    }

    pub(super) fn load(folder: &Path, counters: Arc<Counters>) -> Result<Self, KmsError> {
        let read = |name: &str, limit| {
            let path = folder.join(name);
            durable::read(&path, limit).map(Zeroizing::new).map_err(KmsError::io(&path))
        };
        for name in [CERTIFICATE, KEY, ROOTS, PASSWORD, SETTINGS] {
            durable::tidy(&folder.join(name)).map_err(KmsError::io(folder))?;
        }
        let settings = folder.join(SETTINGS);
        let settings: Settings = serde_json::from_slice(&read(SETTINGS, MAX_CONFIG)?)
            .map_err(|error| KmsError::io(&settings)(io::Error::from(error)))?;
        let password = settings.username.is_some().then(|| read(PASSWORD, MAX_PEM)).transpose()?;
        let (certificate, key, roots) = (read(CERTIFICATE, MAX_PEM)?, read(KEY, MAX_PEM)?, read(ROOTS, MAX_PEM)?);
        Self::build(settings, &certificate, &key, &roots, password.as_ref().map(|bytes| &bytes[..]), counters)
    }

    fn build(
        settings: Settings,
        certificate: &[u8],
        key: &[u8],
        roots: &[u8],
        password: Option<&[u8]>,
        counters: Arc<Counters>,
    ) -> Result<Self, KmsError> {
        let unusable = |reason: String| KmsError::Settings { provider: settings.id.clone(), reason };
        let tls_error = |error: kmip_client::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            unusable(format!("{error}{cause}"))
        };
        let identity = ClientIdentity::from_pem(certificate, key).map_err(tls_error)?;
        let roots = kmip_client::roots_from_pem(roots).map_err(tls_error)?;
        let config = Arc::new(kmip_client::tls_config(identity, roots).map_err(tls_error)?);
        let mut limits = Limits::default();
        if let Some(seconds) = settings.timeout_seconds {
            let timeout = Duration::from_secs(u64::from(seconds.max(1)));
            (limits.connect, limits.call) = (timeout, timeout);
        }
        let credential = match (&settings.username, password) {
            (Some(username), Some(password)) => {
                let password = password.strip_suffix(b"\n").unwrap_or(password);
                if std::str::from_utf8(password).is_err() {
                    return Err(unusable("the password is not UTF-8".to_owned()));
                }
                Some(Credential { username: username.clone(), password: Secret::copy_from(password) })
            }
            _ => None,
        };
        let certificate = String::from_utf8(certificate.to_vec()).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { settings, certificate, credential, tls: Tls { config, limits }, counters })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.settings.id
    }

    /// The client certificate in PEM, to be registered at the key server.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its servers, in the order in which they are asked.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.settings.servers
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    pub(super) fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn unusable(&self, reason: String) -> KmsError {
        KmsError::Settings { provider: self.settings.id.clone(), reason }
    }

    /// Establishes trust: the health check of every server, and, of those that are healthy, the vendor.
    pub async fn trust(&self) -> ProviderStatus {
        self.check_all(true).await
    }

    /// The health check of every server (`RetrieveKmipServersStatus`), as vCenter does it every five minutes.
    pub async fn check(&self) -> ProviderStatus {
        self.check_all(false).await
    }

    async fn check_all(&self, first: bool) -> ProviderStatus {
        let mut servers = Vec::new();
        for server in self.servers() {
            let mut status = ServerStatus {
                name: server.name.clone(),
                address: server.address.clone(),
                healthy: false,
                error: None,
                versions: Vec::new(),
                vendor: None,
            };
            match self.check_one(server, first).await {
                Ok((versions, vendor)) => (status.healthy, status.versions, status.vendor) = (true, versions, vendor),
                Err(error) => {
                    let attempt = super::Attempt { server: server.address.clone(), error };
                    tracing::warn!(provider = %self.settings.id, "unhealthy {attempt}");
                    status.error = Some(attempt.to_string());
                }
            }
            servers.push(status);
        }
        let healthy = servers.iter().all(|server| server.healthy);
        ProviderStatus { id: self.settings.id.clone(), healthy, servers }
    }

    async fn check_one(
        &self,
        server: &Server,
        first: bool,
    ) -> Result<(Vec<String>, Option<String>), kmip_client::Error> {
        let versions = action::check(self, server).await?;
        let vendor = if first { action::vendor(self, server).await? } else { None };
        Ok((versions, vendor))
    }
}

fn check_servers(servers: &[Server]) -> Result<(), &'static str> {
    if servers.is_empty() || servers.len() > MAX_SERVERS {
        return Err("a provider has 1 to 16 servers");
    }
    for server in servers {
        let named = !server.name.is_empty() && server.name.chars().count() <= MAX_NAME;
        let port = server.address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        if !named || port.is_none_or(|(host, port)| host.is_empty() || port == 0) {
            return Err("a server has a name and an address with a port");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str, server_name: Option<&str>) -> Server {
        Server { name: "kms".to_owned(), address: address.to_owned(), server_name: server_name.map(str::to_owned) }
    }

    #[test]
    fn the_certificate_is_checked_against_the_host_unless_told_otherwise() {
        assert_eq!(server("kms1.example:5696", None).tls_name(), "kms1.example");
        assert_eq!(server("[::1]:5696", None).tls_name(), "::1");
        assert_eq!(server("127.0.0.1:5696", Some("localhost")).tls_name(), "localhost");
    }

    #[test]
    fn a_server_needs_an_address_with_a_port() {
        for address in ["kms1", "kms1:", ":5696", "kms1:0", "kms1:99999"] {
            assert!(check_servers(&[server(address, None)]).is_err(), "{address}");
        }
        assert!(check_servers(&[]).is_err());
        assert!(check_servers(&[server("kms1:5696", None)]).is_ok());
    }
}
