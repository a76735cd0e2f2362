//! `kmsctl audit`.

mod lines;
mod retention;
mod stats;
mod story;
mod tiles;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use admin_api::{AdminClient, AuditFormat, AuditQuery, ClientError, ProofQuery, TrustAnchor};
use serde::Serialize;

use crate::cli::{Audit, Choice};
use crate::exit::Failure;
use crate::files::NewFile;
use crate::output::{Out, one_line};
use lines::Lines;
use stats::Stats;
use story::Story;

/// The log that belongs to no domain.
const SYSTEM: &str = "system";

pub(crate) fn run(verb: &Audit, client: &AdminClient, out: &Out) -> Result<(), Failure> {
    match verb {
        Audit::Export { domain, to, format, choice } => {
            let query = AuditQuery { format: (*format).into(), ..query(choice) };
            query.check().map_err(|why| Failure::Usage(why.to_owned()))?;
            match to {
                Some(path) => export_to(client, domain, &query, path, out),
                None => {
                    let mut stdout = io::stdout().lock();
                    client.audit_read(domain, &query, &mut stdout)?;
                    stdout.flush().map_err(Failure::Output)
                }
            }
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
        Audit::Show { domain, object, proofs } => show(client, domain, object, proofs.as_deref(), out),
        Audit::Stats { domain, choice } => count(client, domain, choice, out),
        Audit::Tail { domain, from, choice } => tail(client, domain, *from, choice, out),
        Audit::Prove { domain, record, from, to, out: path } => {
            let claim = ProofQuery { record: *record, from: *from, to: *to };
            match path {
                Some(path) => write_proof(client, domain, claim, path),
                None => crate::output::text(&client.audit_prove(domain, claim)?.document),
            }
        }
        Audit::Retention { domain, days, reason, default, dry_run } => {
            retention::keep(client, domain, *days, reason.as_deref(), *default, *dry_run, out)
        }
        Audit::Hold(verb) => retention::hold(client, verb, out),
        Audit::Tiles { domain, folder } => tiles::write(client, domain, folder, out),
    }
}

fn write_proof(client: &AdminClient, domain: &str, claim: ProofQuery, path: &Path) -> Result<(), Failure> {
    let document = client.audit_prove(domain, claim)?.document;
    let mut file = NewFile::begin(path, 0o600, true)?;
    file.writer().write_all(document.as_bytes()).map_err(|source| Failure::file(path, source))?;
    file.keep()
}

fn query(choice: &Choice) -> AuditQuery {
    AuditQuery {
        since: choice.since,
        until: choice.until,
        operation: choice.operation.clone(),
        object: choice.object.clone(),
        identity: choice.identity.clone(),
        outcome: choice.outcome.map(Into::into),
        reason: choice.reason.clone(),
        ..AuditQuery::default()
    }
}

/// Reads the chosen records, one after the other.
fn each(
    client: &AdminClient,
    domain: &str,
    query: AuditQuery,
    mut take: impl FnMut(&str) -> io::Result<()>,
) -> Result<(), Failure> {
    let query = AuditQuery { format: AuditFormat::Jsonl, ..query };
    query.check().map_err(|why| Failure::Usage(why.to_owned()))?;
    let mut dropped = 0_u64;
    let mut lines = Lines::new(|line: &str| {
        // Of a dropped record there is nothing to tell but that it is gone.
        if lines::parse(line)?.dropped.is_some() {
            dropped += 1;
            return Ok(());
        }
        take(line)
    });
    client.audit_read(domain, &query, &mut lines)?;
    if !lines.is_whole() {
        return Err(ClientError::Answer("the last record is cut off".to_owned()).into());
    }
    if dropped > 0 {
        eprintln!("kmsctl: {dropped} records of this log were dropped by retention and are not told of");
    }
    Ok(())
}

/// Names of the clients of a domain by fingerprint; none where they may not be asked for.
fn names(client: &AdminClient, domain: &str) -> Result<BTreeMap<String, String>, Failure> {
    if domain == SYSTEM {
        return Ok(BTreeMap::new());
    }
    let clients = client.client_list(domain)?;
    Ok(clients.into_iter().map(|one| (one.fingerprint.to_string(), one.name)).collect())
}

fn show(client: &AdminClient, domain: &str, object: &str, proofs: Option<&Path>, out: &Out) -> Result<(), Failure> {
    let mut story = Story::new(object, names(client, domain)?);
    let query = AuditQuery { object: Some(object.to_owned()), ..AuditQuery::default() };
    each(client, domain, query, |line| {
        story.tell(lines::parse(line)?);
        Ok(())
    })?;
    if story.is_empty() {
        return Err(Failure::NoRecord(format!("the log of {domain} tells nothing of {object}")));
    }
    if let Some(folder) = proofs {
        fs::create_dir(folder).map_err(|source| Failure::file(folder, source))?;
        for record in story.records() {
            let claim = ProofQuery { record: Some(*record), ..ProofQuery::default() };
            write_proof(client, domain, claim, &folder.join(format!("{record}.proof")))?;
        }
    }
    out.write(&story, || story.text().lines().map(|line| one_line(line) + "\n").collect())
}

fn count(client: &AdminClient, domain: &str, choice: &Choice, out: &Out) -> Result<(), Failure> {
    let names = names(client, domain)?;
    let mut stats = Stats::default();
    each(client, domain, query(choice), |line| {
        stats.count(lines::parse(line)?, &names);
        Ok(())
    })?;
    out.write(&stats, || stats.text())
}

fn tail(client: &AdminClient, domain: &str, from: Option<u64>, choice: &Choice, out: &Out) -> Result<(), Failure> {
    let names = names(client, domain)?;
    let query = AuditQuery { from, follow: true, ..query(choice) };
    let mut stdout = io::stdout().lock();
    each(client, domain, query, |line| {
        let text = if out.is_json() {
            format!("{line}\n")
        } else {
            one_line(story::one_line(lines::parse(line)?, &names).trim_end()) + "\n"
        };
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
    })
}

#[derive(Serialize)]
struct Exported<'a> {
    file: &'a Path,
    bytes: u64,
}

fn export_to(client: &AdminClient, domain: &str, query: &AuditQuery, path: &Path, out: &Out) -> Result<(), Failure> {
    let mut file = NewFile::begin(path, 0o600, true)?;
    let bytes = client.audit_read(domain, query, file.writer()).map_err(|error| match error {
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
