//! A KMIP server to be driven: where it is, who it has to be, who the client is, which versions are spoken.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use kmip::ProtocolVersion;
use kmip_client::{Client, ClientIdentity, Error, Limits, TlsVersions, roots_from_pem, tls_config_for};
use rustls::ClientConfig;

use super::LoadError;
use crate::limits::{CALL_PATIENCE, CONNECT_PATIENCE};

/// Which version of TLS to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Tls {
    /// TLS 1.2, as vCenter 7 and PyKMIP's server do.
    #[default]
    #[value(name = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[value(name = "1.3")]
    V1_3,
}

/// A server, as a command line names it.
#[derive(Args, Clone, Debug)]
pub struct TargetOptions {
    /// Host and port.
    #[arg(long)]
    pub address: String,
    /// The name in the server's certificate.
    #[arg(long, default_value = "localhost")]
    pub server_name: String,
    /// PEM file of the authority that vouches for the server.
    #[arg(long)]
    pub ca: PathBuf,
    /// PEM file of the client's certificate.
    #[arg(long)]
    pub cert: PathBuf,
    /// PEM file of its private key.
    #[arg(long)]
    pub key: PathBuf,
    /// Version of TLS.
    #[arg(long, default_value = "1.2")]
    pub tls: Tls,
    /// Version of KMIP; the vSphere sequence speaks 1.1 whatever stands here.
    #[arg(long, default_value = "1.2", value_parser = version)]
    pub kmip: ProtocolVersion,
}

/// A server to be driven.
#[derive(Debug)]
pub struct Target {
    /// What the tables call it.
    pub name: String,
    /// The version of KMIP to speak with it.
    pub version: ProtocolVersion,
    address: String,
    server_name: String,
    tls: Arc<ClientConfig>,
}

impl Target {
    /// Reads the certificates. Nothing is sent yet.
    ///
    /// # Errors
    /// [`LoadError::Settings`].
    pub fn new(name: &str, options: &TargetOptions) -> Result<Self, LoadError> {
        let identity = ClientIdentity::from_pem(&read(&options.cert)?, &read(&options.key)?)
            .map_err(|error| unusable(&options.cert, &error))?;
        let roots = roots_from_pem(&read(&options.ca)?).map_err(|error| unusable(&options.ca, &error))?;
        let versions = match options.tls {
            Tls::V1_2 => TlsVersions::Only12,
            Tls::V1_3 => TlsVersions::Only13,
        };
        let tls = tls_config_for(identity, roots, versions).map_err(|error| unusable(&options.key, &error))?;
        Ok(Self {
            name: name.to_owned(),
            version: options.kmip,
            address: options.address.clone(),
            server_name: options.server_name.clone(),
            tls: Arc::new(tls),
        })
    }

    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<Client, Error> {
        let limits = Limits { connect: CONNECT_PATIENCE, call: CALL_PATIENCE, ..Limits::default() };
        Client::connect_with(&self.address[..], &self.server_name, Arc::clone(&self.tls), limits).await
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> LoadError {
    LoadError::Settings { what: path.display().to_string(), why: crate::measurement::text_of(error) }
}

fn version(text: &str) -> Result<ProtocolVersion, String> {
    let known = [ProtocolVersion::V1_0, ProtocolVersion::V1_1, ProtocolVersion::V1_2, ProtocolVersion::V1_3];
    let mut known = known.into_iter().chain([ProtocolVersion::V1_4]);
    known.find(|version| version.to_string() == text).ok_or_else(|| "one of 1.0 to 1.4".to_owned())
}
