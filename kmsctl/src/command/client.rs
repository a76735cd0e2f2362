//! `kmsctl client`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use admin_api::{AdminClient, Client, ClientAccess, Credential, IssueClient, RegisterClient, SecretText};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{credential, effect, headline};
use crate::cli::{self, CredentialArgs};
use crate::exit::Failure;
use crate::files::{self, NewFile};
use crate::output::{Out, Sheet, Table, utc, yes};

/// `client` makes the connection; files are read before, so that a typing error costs no request.
pub(crate) fn run(
    verb: &cli::Client,
    client: impl FnOnce() -> Result<AdminClient, Failure>,
    out: &Out,
) -> Result<(), Failure> {
    match verb {
        cli::Client::Register { domain, certificate, name, credential } => {
            let register = RegisterClient {
                certificate: files::read_text(certificate)?,
                name: name.clone(),
                credential: read_credential(credential)?,
            };
            register.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            let registered = client()?.client_register(domain, &register)?;
            out.write(&registered, || sheet(&registered))
        }
        cli::Client::Issue { domain, name, out: stem, csr, credential } => {
            let issue = IssueClient {
                name: name.clone(),
                csr: csr.as_deref().map(files::read_text).transpose()?,
                credential: read_credential(credential)?,
            };
            issue.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            self::issue(&client()?, domain, &issue, stem, out)
        }
        cli::Client::List { domain } => {
            let clients = client()?.client_list(domain)?;
            out.write(&clients, || list(&clients))
        }
        cli::Client::Credential(verb) => credential::run(verb, client, out),
        cli::Client::Access { domain, fingerprint, access, credential_demanded, dry_run } => {
            let asked = ClientAccess { access: credential::access(access), credential_demanded: *credential_demanded };
            asked.access.check().map_err(|fault| Failure::Usage(fault.to_owned()))?;
            let changed = client()?.client_access(domain, *fingerprint, &asked, effect(*dry_run))?;
            out.write(&changed, || headline(*dry_run, "Changed.", "This client would be:") + &sheet(&changed))
        }
        cli::Client::Revoke { domain, fingerprint, dry_run } => {
            let revoked = client()?.client_revoke(domain, *fingerprint, effect(*dry_run))?;
            out.write(&revoked, || headline(*dry_run, "Revoked.", "This client would be revoked:") + &sheet(&revoked))
        }
    }
}

/// What `client issue` wrote; the private key is in its file and nowhere else.
#[derive(Serialize)]
struct IssuedFiles<'a> {
    client: &'a Client,
    certificate: PathBuf,
    authority: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<PathBuf>,
}

fn issue(client: &AdminClient, domain: &str, issue: &IssueClient, stem: &Path, out: &Out) -> Result<(), Failure> {
    // The files are begun before the server is asked: a key that it tells once must not be lost for want of a folder.
    let paths = [with(stem, "pem"), with(stem, "ca.pem"), with(stem, "key")];
    let [cert_path, ca_path, key_path] = &paths;
    let mut cert_file = NewFile::begin(cert_path, 0o644, false)?;
    let mut ca_file = NewFile::begin(ca_path, 0o644, false)?;
    let mut key_file = NewFile::begin(key_path, 0o600, false)?;

    let issued = client.client_issue(domain, issue)?;
    let put = |file: &mut NewFile, path: &Path, text: &str| {
        file.writer().write_all(text.as_bytes()).map_err(|source| Failure::file(path, source))
    };
    if let Some(key) = &issued.private_key {
        put(&mut key_file, key_path, key.expose())?;
        key_file.keep()?;
    }
    put(&mut cert_file, cert_path, &issued.certificate)?;
    cert_file.keep()?;
    put(&mut ca_file, ca_path, &issued.authority)?;
    ca_file.keep()?;

    let [certificate, authority, private_key] = paths;
    let private_key = issued.private_key.is_some().then_some(private_key);
    let written = IssuedFiles { client: &issued.client, certificate, authority, private_key };
    out.write(&written, || {
        let mut files = Sheet::new();
        files
            .line("certificate", written.certificate.display().to_string())
            .line("authority", written.authority.display().to_string())
            .maybe("private key", written.private_key.as_ref().map(|path| path.display().to_string()));
        sheet(written.client) + "\n" + &files.render()
    })
}

/// `stem.suffix`, whatever dots the stem has.
fn with(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn read_credential(args: &CredentialArgs) -> Result<Option<Credential>, Failure> {
    // The parser demands both or none.
    let (Some(username), Some(path)) = (&args.username, &args.password_file) else { return Ok(None) };
    Ok(Some(Credential { username: username.clone(), password: read_password(path)? }))
}

/// The first line of the file.
pub(super) fn read_password(path: &Path) -> Result<SecretText, Failure> {
    let text = Zeroizing::new(files::read_text(path)?);
    Ok(SecretText::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn list(clients: &[Client]) -> String {
    let mut table = Table::new(&["NAME", "REVOKED", "CREDENTIALS", "NOT AFTER", "CREATED", "FINGERPRINT", "SUBJECT"]);
    for client in clients {
        table.row([
            client.name.clone(),
            yes(client.revoked),
            client.credentials.len().to_string(),
            utc(client.not_after),
            utc(client.created),
            client.fingerprint.to_string(),
            client.subject.clone(),
        ]);
    }
    table.render()
}

pub(super) fn sheet(client: &Client) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("name", &client.name)
        .line("fingerprint", client.fingerprint.to_string())
        .line("subject", &client.subject)
        .line("not after", utc(client.not_after))
        .line("reaches", credential::reach(&client.alone.access))
        .line("credential demanded", yes(client.alone.credential_demanded))
        .line("credentials", client.credentials.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "))
        .line("revoked", yes(client.revoked))
        .line("created", utc(client.created));
    sheet.render()
}
