//! Clients in Python that we did not write: how one is started as a tenant's client, and what it tells of its steps.

mod expectations;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use tempfile::TempDir;

use crate::node::{Node, Result, Tenant, folder, repository};

pub use expectations::{Expectations, ExpectationsError};

/// How much of what a program said is repeated when it ends badly, in bytes.
const LAST_WORDS: usize = 4 << 10;
/// Some clients refuse a key file that anybody could write to or that others could read.
const KEY_FILE_MODE: u32 = 0o400;

/// A step of a client's story.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name, which no other step of the story has.
    pub name: String,
    /// What went wrong, if something did.
    pub failure: Option<String>,
}

/// A folder with what a program has to know in order to be a tenant's client. It is the program's home.
pub struct Visitor {
    home: TempDir,
    authority: PathBuf,
    host: String,
    port: u16,
}

impl Visitor {
    /// As this tenant's client, whose certificate is vCenter's kind: self-signed, without extended key usage.
    ///
    /// # Errors
    /// Of files, or if the server does not run.
    pub fn of(node: &Node, tenant: &Tenant) -> Result<Self> {
        let address = node.addresses()?.kmip;
        let home = folder()?;
        let visitor = Self {
            home,
            authority: node.stage.pki().join("ca.pem"),
            host: address.ip().to_string(),
            port: address.port(),
        };
        fs::write(visitor.certificate(), &tenant.identity.cert_pem)?;
        fs::write(visitor.key(), tenant.identity.key_pem.as_bytes())?;
        fs::set_permissions(visitor.key(), fs::Permissions::from_mode(KEY_FILE_MODE))?;
        Ok(visitor)
    }

    /// The program's home, where it finds its configuration.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The client's certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.home().join("client.pem")
    }

    /// The client's key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.home().join("client.key")
    }

    /// A section of PyKMIP's configuration, in the words of its own documentation.
    #[must_use]
    pub fn pykmip_section(&self, name: &str) -> String {
        format!(
            "[{name}]\nhost={}\nport={}\ncertfile={}\nkeyfile={}\nca_certs={}\n\
             cert_reqs=CERT_REQUIRED\nssl_version=PROTOCOL_TLS\n\
             do_handshake_on_connect=True\nsuppress_ragged_eofs=True\n",
            self.host,
            self.port,
            self.certificate().display(),
            self.key().display(),
            self.authority.display(),
        )
    }

    /// Runs Python as [`python`] does, at home and with what the program needs in its environment.
    ///
    /// # Errors
    /// As [`python`].
    pub fn python(&self, configure: impl FnOnce(&mut Command)) -> Result<Vec<Step>> {
        python(self.home(), |command| {
            command
                .env("CLAVIS_HOST", &self.host)
                .env("CLAVIS_PORT", self.port.to_string())
                .env("CLAVIS_CERTIFICATE", self.certificate())
                .env("CLAVIS_KEY", self.key())
                .env("CLAVIS_AUTHORITY", &self.authority);
            configure(command);
        })
    }

    /// Plays the story in a file of `tests/clients`.
    ///
    /// # Errors
    /// As [`Visitor::python`].
    pub fn story(&self, file: &str, arguments: &[&str]) -> Result<Vec<Step>> {
        self.python(|command| {
            command.arg(clients().join(file)).args(arguments);
        })
    }
}

/// Runs Python in a folder that is its home, and returns the steps that it told.
///
/// # Errors
/// If Python is not there, or the program ends badly: with the end of what it said.
pub fn python(home: &Path, configure: impl FnOnce(&mut Command)) -> Result<Vec<Step>> {
    let python = repository().join(".venv/bin/python");
    if !python.exists() {
        return Err("the clients are not installed: scripts/setup-python installs them".into());
    }
    let told = home.join("steps");
    let mut command = Command::new(python);
    command
        .env("HOME", home)
        .env("PYTHONPATH", clients())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("CLAVIS_STEPS", &told)
        .current_dir(home);
    configure(&mut command);
    let output = command.output()?;
    let said = [output.stdout, output.stderr].concat();
    let last = String::from_utf8_lossy(said.get(said.len().saturating_sub(LAST_WORDS)..).unwrap_or_default());
    if !output.status.success() {
        return Err(format!("{}: {last}", output.status).into());
    }
    let text = fs::read_to_string(&told).map_err(|error| format!("no step was told ({error}): {last}"))?;
    Ok(text.lines().map(serde_json::from_str).collect::<std::result::Result<_, _>>()?)
}

/// Where the stories are.
#[must_use]
pub fn clients() -> PathBuf {
    repository().join("tests/clients")
}

/// PyKMIP's source distribution, which has its tests.
#[must_use]
pub fn pykmip_source() -> PathBuf {
    repository().join(".venv/pykmip")
}
