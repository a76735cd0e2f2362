//! `kmsctl backup`: backups are taken, listed and verified, and their reports checked offline.

use std::io::Write;
use std::path::Path;

use admin_api::{AdminClient, Backup, NewBackup, ProtectedAct};
use audit::TrustedKeys;
use audit::backup::Report;
use audit::paper::Paper;

use super::request;
use crate::cli;
use crate::exit::Failure;
use crate::files::{self, NewFile};
use crate::output::{Out, Sheet, Table, utc};

pub(crate) fn run(verb: &cli::Backup, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        cli::Backup::Create { domain, days } => {
            let made = client.backup_create(&NewBackup { domain: domain.clone(), days: *days })?;
            out.write(&made, || format!("Taken, and proved: everything in it opens.\n{}", sheet(&made)))
        }
        cli::Backup::List => {
            let all = client.backup_list()?;
            out.write(&all, || list(&all))
        }
        cli::Backup::Restore { id, domain, dry_run } => {
            let act = ProtectedAct::RestoreDomain { backup: *id, domain: domain.clone() };
            request::ask(client, &act, *dry_run, out)
        }
        cli::Backup::Verify { id, out: copy } => {
            let made = client.backup_verify(*id)?;
            if let Some(copy) = copy {
                let mut file = NewFile::begin(copy, 0o644, false)?;
                let written = file.writer().write_all(made.document.as_bytes());
                written.map_err(|source| Failure::file(copy, source))?;
                file.keep()?;
            }
            let first = made.document.lines().next().unwrap_or_default();
            let report: Report = serde_json::from_str(first)
                .map_err(|error| admin_api::ClientError::Answer(format!("the report: {error}")))?;
            out.write(&made, || report_sheet(&report))?;
            sound(&report)
        }
    }
}

/// Verifies a report with nothing but the trusted keys.
pub(super) fn verify(path: &Path, trusted: &TrustedKeys, out: &Out) -> Result<(), Failure> {
    let report = Report::believed(&files::read_text(path)?, trusted);
    let report = report.map_err(|error| Failure::NotVerified(error.to_string()))?;
    out.write(&report, || format!("Signed by a trusted key.\n{}", report_sheet(&report)))?;
    sound(&report)
}

fn sound(report: &Report) -> Result<(), Failure> {
    match report.faults.first() {
        None => Ok(()),
        Some(fault) => Err(Failure::NotVerified(fault.clone())),
    }
}

fn sheet(backup: &Backup) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("id", backup.id.to_string())
        .line("holds", holds(backup))
        .line("taken", utc(backup.taken))
        .line("keep until", utc(backup.until))
        .line("state", backup.state.text())
        .line("objects", backup.objects.map(|objects| objects.to_string()).unwrap_or_default())
        .line("sha256", backup.sha256.as_deref().unwrap_or_default())
        .line("file", &backup.file);
    sheet.render()
}

fn holds(backup: &Backup) -> String {
    backup.domain.map_or_else(|| "all domains".to_owned(), |domain| format!("domain {domain}"))
}

fn list(all: &[Backup]) -> String {
    let mut table = Table::new(&["ID", "HOLDS", "TAKEN", "KEEP UNTIL", "STATE", "OBJECTS"]);
    for one in all {
        table.row([
            one.id.to_string(),
            holds(one),
            utc(one.taken),
            utc(one.until),
            one.state.text().to_owned(),
            one.objects.map(|objects| objects.to_string()).unwrap_or_default(),
        ]);
    }
    table.render()
}

fn report_sheet(report: &Report) -> String {
    let mut sheet = Sheet::new();
    sheet
        .line("backup", &report.id)
        .line("taken", &report.taken)
        .line("verified", &report.verified)
        .line("result", if report.faults.is_empty() { "sound" } else { "not sound" })
        .line("sha256", &report.sha256);
    for domain in &report.domains {
        let proof = &domain.proof;
        let said = match &proof.skipped {
            Some(why) => why.clone(),
            None => format!("{} of {} sealed opened, {} as in the store", proof.opened, proof.sealed, proof.compared),
        };
        sheet.line(&domain.name, said);
    }
    for fault in &report.faults {
        sheet.line("fault", fault);
    }
    sheet.render()
}
