//! A real node in a throw-away folder: processes, HSM tokens, database, certificates.
//!
//! The ceremony takes seconds, so one folder is prepared per build of the server and copied for each test.

mod connection;
mod template;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::answered;
use admin_api::{AdminClient, Client, Credential, Effect, Fingerprint, NewDomain, Permission, RegisterClient};
use certs::Issued;
use tempfile::TempDir;
use xtask::stage::{Addresses, Finished, Programs, Server, Stage, StageOptions};

pub use connection::{Connection, Dial};
pub use web::{Web, WebAnswer};

/// What may go wrong around a test, with its cause as text.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result of the harness.
pub type Result<T> = std::result::Result<T, Error>;

/// Tenants of this process, so that each gets a name of its own.
static TENANTS: AtomicU32 = AtomicU32::new(0);

/// A node.
pub struct Node {
    /// Its folder with all that is in it.
    pub stage: Stage,
    /// Its programs.
    pub programs: Programs,
    environment: Vec<(String, String)>,
    server: Option<Server>,
    // Last, so that the folder goes when the server is gone.
    _folder: TempDir,
}

/// A tenant with one client.
pub struct Tenant {
    /// Name of its domain.
    pub name: String,
    /// The client's certificate and key.
    pub identity: Issued,
    /// What the client is known by.
    pub client: Fingerprint,
}

impl Node {
    /// A node that serves, as a user would get it.
    ///
    /// # Errors
    /// Of the stage.
    pub fn start() -> Result<Self> {
        Self::start_with(&StageOptions::default(), &[])
    }

    /// A node that differs from the usual, with variables in the environment of its server.
    ///
    /// # Errors
    /// Of the stage.
    pub fn start_with(options: &StageOptions, environment: &[(&str, &str)]) -> Result<Self> {
        let mut node = Self::prepare(options)?;
        node.set_environment(environment);
        node.serve()?;
        Ok(node)
    }

    /// A node whose ceremony was held and that does not serve yet.
    ///
    /// # Errors
    /// Of the stage.
    pub fn prepare(options: &StageOptions) -> Result<Self> {
        let programs = Programs::beside_this_one()?;
        let folder = folder()?;
        let stage = template::copy(&programs, folder.path(), options)?;
        Ok(Self { stage, programs, environment: Vec::new(), server: None, _folder: folder })
    }

    /// Variables for the next start of the server.
    pub fn set_environment(&mut self, environment: &[(&str, &str)]) {
        self.environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// Of the stage, with the end of the log.
    pub fn serve(&mut self) -> Result<()> {
        let mut environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answered = answered::folder()?;
        environment.extend(answered.as_deref().map(|folder| (answered::OF_SERVER, folder)));
        self.server = Some(self.stage.serve(&self.programs, &environment)?);
        Ok(())
    }

    /// Stops the server in order.
    ///
    /// # Errors
    /// If it did not end well.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(server) = self.server.take() {
            server.stop()?;
        }
        Ok(())
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
    }

    /// Waits for the end of a server that ends by itself.
    ///
    /// # Errors
    /// If none runs.
    pub fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.server.take().ok_or("the server does not run")?.wait()?)
    }

    /// Stops and starts it.
    ///
    /// # Errors
    /// Of the stage.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.serve()
    }

    /// The running server.
    ///
    /// # Errors
    /// If it does not run.
    pub fn server(&self) -> Result<&Server> {
        self.server.as_ref().ok_or_else(|| "the server does not run".into())
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If it does not run.
    pub fn addresses(&self) -> Result<&Addresses> {
        Ok(&self.server()?.addresses)
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.stage.dir
    }

    /// A client of the admin API as one of the administrators of the stage.
    ///
    /// # Errors
    /// Of the files or the client.
    pub fn admin(&self, name: &str) -> Result<AdminClient> {
        let pki = self.stage.pki();
        let read = |file: String| -> Result<Vec<u8>> {
            let path = pki.join(file);
            std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
        };
        Ok(AdminClient::new(
            &format!("https://{}", self.addresses()?.admin),
            &read("ca.pem".to_owned())?,
            &read(format!("admin/{name}.pem"))?,
            &read(format!("admin/{name}.key"))?,
        )?)
    }

    /// Runs `kmsctl` to its end.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn kmsctl(&self, admin: &str, args: &[&str]) -> Result<Finished> {
        Ok(self.stage.kmsctl(&self.programs, self.addresses()?, admin, args)?)
    }

    /// A new domain under a policy, with one client whose certificate is as vCenter makes them.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn tenant(&self, stem: &str, policy: &str) -> Result<Tenant> {
        self.tenant_with(stem, policy, None)
    }

    /// The same, with a credential for the client.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn tenant_with(&self, stem: &str, policy: &str, credential: Option<Credential>) -> Result<Tenant> {
        // Tests of everything that the protocol can do run under `legacy`; under `anssi`, a domain is as it comes.
        let allow = if policy == "legacy" { Permission::ALL.to_vec() } else { Vec::new() };
        self.tenant_allowed(stem, policy, allow, credential)
    }

    /// The same, with just these permissions for the domain.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn tenant_allowed(
        &self,
        stem: &str,
        policy: &str,
        allow: Vec<Permission>,
        credential: Option<Credential>,
    ) -> Result<Tenant> {
        let name = format!("{stem}-{}", TENANTS.fetch_add(1, Ordering::Relaxed));
        let new = NewDomain { name: name.clone(), policy: Some(policy.to_owned()), allow };
        self.admin("operator")?.domain_create(&new)?;
        let identity = certs::self_signed_vcenter_client()?;
        let client = self.register(&name, &identity, credential)?.fingerprint;
        Ok(Tenant { name, identity, client })
    }

    /// Registers one more client of a domain.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn register(&self, domain: &str, identity: &Issued, credential: Option<Credential>) -> Result<Client> {
        let client = RegisterClient { certificate: identity.cert_pem.clone(), name: None, credential };
        Ok(self.admin("operator")?.client_register(domain, &client)?)
    }

    /// Revokes a client of a domain.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn revoke(&self, domain: &str, fingerprint: Fingerprint) -> Result<Client> {
        Ok(self.admin("operator")?.client_revoke(domain, fingerprint, Effect::Real)?)
    }

    /// A connection as this client.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn connect(&self, identity: &Issued) -> Result<Connection> {
        Connection::open(self, identity, kmip_client::TlsVersions::Both)
    }

    /// Everything that the server logged so far, over all its starts.
    ///
    /// # Errors
    /// Of reading the file.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.dir().join("kms-server.log"))?)
    }

    /// Exports the log of a domain, or `system`, as the auditor.
    ///
    /// # Errors
    /// Of the admin API.
    pub fn export(&self, domain: &str) -> Result<Vec<u8>> {
        let mut bundle = Vec::new();
        self.admin("auditor")?.audit_export(domain, &mut bundle)?;
        Ok(bundle)
    }
}

/// Where folders of tests go: memory where there is some, since nothing in them is to outlive the test.
///
/// # Errors
/// Of making it.
pub fn folder() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let dir = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    Ok(tempfile::Builder::new().prefix("clavis-test-").tempdir_in(dir)?)
}

/// The root of this repository, from which tests reach data and scripts.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
