//! Certificates of destruction: written to a file, and verified offline.

use std::io::Write;
use std::path::{Path, PathBuf};

use audit::TrustedKeys;
use audit::destruction::{Certificate, Destroyed};
use serde::Serialize;

use crate::exit::Failure;
use crate::files::{self, NewFile};
use crate::output::{Out, Sheet};

#[derive(Serialize)]
struct Written {
    certificate: PathBuf,
    log: String,
}

/// Writes a certificate that the server made.
pub(super) fn write(made: &admin_api::DestructionCertificate, path: &Path, out: &Out) -> Result<(), Failure> {
    let mut file = NewFile::begin(path, 0o644, false)?;
    file.writer().write_all(made.document.as_bytes()).map_err(|source| Failure::file(path, source))?;
    file.keep()?;
    let written = Written { certificate: path.to_owned(), log: made.log.clone() };
    out.write(&written, || {
        let mut sheet = Sheet::new();
        sheet.line("certificate", path.display().to_string()).line("log", &written.log);
        sheet.render()
    })
}

/// Verifies one with nothing but the trusted keys.
pub(super) fn verify(path: &Path, trusted: &TrustedKeys, out: &Out) -> Result<(), Failure> {
    let certificate = Certificate::verify(&files::read_text(path)?, trusted)
        .map_err(|error| Failure::NotVerified(error.to_string()))?;
    out.write(&certificate, || sheet(&certificate))
}

fn sheet(certificate: &Certificate) -> String {
    let mut sheet = Sheet::new();
    let what = match certificate.what {
        Destroyed::Domain => "domain",
        Destroyed::Object => "object",
    };
    sheet
        .line("verified", "yes")
        .line("kms", &certificate.kms)
        .line("destroyed", what)
        .line("id", &certificate.id)
        .line("domain", &certificate.name)
        .line("log", &certificate.log)
        .line("by", &certificate.by)
        .line("approved by", certificate.approved_by.join(", "))
        .line("live", &certificate.live)
        .line("complete", certificate.complete.as_deref().unwrap_or("not yet: an older copy opens until then"))
        .line("root of trust", &certificate.root_of_trust);
    for one in &certificate.hsm {
        sheet.line(&one.member, &one.answer);
    }
    for backup in &certificate.backups {
        sheet.line(
            "backup",
            format!("{} of {}, until {}", backup.backup, backup.taken, backup.until.as_deref().unwrap_or("?")),
        );
    }
    sheet.render()
}
