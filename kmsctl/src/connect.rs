//! Which server, and as whom: by flags or environment, nothing from the home folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use admin_api::{AdminClient, Deadlines, Signer};
use clap::Args;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::files;

/// Which server, and as whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Address of the admin API
    #[arg(long, global = true, env = "CLAVIS_ADMIN_URL", hide_env_values = true, value_name = "URL")]
    #[arg(default_value = "https://127.0.0.1:9443")]
    server: String,

    /// Folder with ca.pem and admin/NAME.pem, admin/NAME.key, such as run/pki
    #[arg(long, global = true, env = "CLAVIS_PKI", hide_env_values = true, value_name = "DIR")]
    pki: Option<PathBuf>,

    /// Who of --pki to be
    #[arg(long = "as", global = true, env = "CLAVIS_AS", hide_env_values = true, value_name = "NAME")]
    #[arg(default_value = "operator")]
    who: String,

    /// Certificate of the authority that the server's certificate is under, instead of --pki's
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The administrator's certificate, PEM, instead of --pki's
    #[arg(long, global = true, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// The key of --cert, PEM
    #[arg(long, global = true, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl Connection {
    /// The administrator's key, to sign with. No server is asked.
    pub(crate) fn signer(&self) -> Result<Signer, Failure> {
        let of_pki = |pki: &Path, who: &str| pki.join("admin").join(format!("{who}.key"));
        let key = Zeroizing::new(files::read(&self.path(self.key.as_deref(), "--key", of_pki)?)?);
        Ok(Signer::from_pem(&key)?)
    }

    /// A client; nothing is sent yet.
    pub(crate) fn client(&self) -> Result<AdminClient, Failure> {
        let ca = files::read(&self.path(self.ca.as_deref(), "--ca", |pki, _| pki.join("ca.pem"))?)?;
        let of_admin =
            |kind: &'static str| move |pki: &Path, who: &str| pki.join("admin").join(format!("{who}.{kind}"));
        let cert = files::read(&self.path(self.cert.as_deref(), "--cert", of_admin("pem"))?)?;
        let key = Zeroizing::new(files::read(&self.path(self.key.as_deref(), "--key", of_admin("key"))?)?);
        let deadlines = Deadlines { call: Duration::from_secs(self.timeout), ..Deadlines::default() };
        Ok(AdminClient::new(&self.server, &ca, &cert, &key)?.with_deadlines(deadlines))
    }

    /// The file that a flag names, or the one that stands for it in the PKI folder.
    fn path(
        &self,
        given: Option<&Path>,
        flag: &str,
        in_pki: impl FnOnce(&Path, &str) -> PathBuf,
    ) -> Result<PathBuf, Failure> {
        if let Some(path) = given {
            return Ok(path.to_owned());
        }
        let pki = self.pki.as_deref().ok_or_else(|| {
            Failure::Usage(format!("{flag} is missing: give --ca, --cert and --key, or --pki DIR (CLAVIS_PKI)"))
        })?;
        let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
        if self.who.is_empty() || !self.who.chars().all(plain) {
            return Err(Failure::Usage("--as takes letters, digits, '-' and '_'".to_owned()));
        }
        Ok(in_pki(pki, &self.who))
    }
}
