//! `kmsctl audit`.

use std::io::Write;
use std::path::Path;

use admin_api::{AdminClient, ClientError, TrustAnchor};
use serde::Serialize;

use crate::cli::Audit;
use crate::exit::Failure;
use crate::files::NewFile;
use crate::output::{Out, one_line};

pub(crate) fn run(verb: &Audit, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        Audit::Export { domain, to: Some(path) } => export_to(client, domain, path, out),
        Audit::Export { domain, to: None } => {
            let mut stdout = std::io::stdout().lock();
            client.audit_export(domain, &mut stdout)?;
            stdout.flush().map_err(Failure::Output)
        }
        Audit::Checkpoint { domain } => {
            let checkpoint = client.audit_checkpoint(domain)?;
            // The note as it is: a file of it is what `verify bundle --checkpoint` takes.
            out.write(&checkpoint, || checkpoint.note.clone())
        }
        Audit::Keys => {
            let anchor = client.trust_anchor()?;
            out.write(&anchor, || keys(&anchor))
        }
    }
}

#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
    bytes: u64,
}

fn export_to(client: &AdminClient, domain: &str, path: &Path, out: &Out) -> Result<(), Failure> {
    let mut file = NewFile::begin(path, 0o600, true)?;
    let bytes = client.audit_export(domain, file.writer()).map_err(|error| match error {
        ClientError::Write(source) => Failure::file(path, source),
        other => other.into(),
    })?;
    file.keep()?;
    let exported = Exported { file: path, bytes };
    out.write(&exported, || format!("{bytes} bytes written to {}\n", one_line(&path.display().to_string())))
}

/// The file that `verify bundle --keys` takes.
fn keys(anchor: &TrustAnchor) -> String {
    let mut text = format!(
        "# Checkpoint keys as the server states them; Root of Trust {}.\n# Compare them with the protocol of the \
         ceremony before you rely on them.\n",
        anchor.root_of_trust
    );
    for key in &anchor.checkpoint_keys {
        text += &format!("# {}\n{}\n", one_line(&key.member), one_line(&key.verifier_key));
    }
    text
}
