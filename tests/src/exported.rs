//! Audit logs as an auditor has them: exported, verified offline against the ceremony's keys, then read.

use std::path::Path;
use std::process::Command;

use audit::{Record, TrustedKeys, bundle};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kmip::registry::Operation;

use xtask::stage::finish;

use crate::node::{Node, Result, repository};

/// The keys that sign this node's checkpoints, from the ceremony and not from the server.
///
/// # Errors
/// Of the file.
pub fn trusted_keys(node: &Node) -> Result<TrustedKeys> {
    Ok(TrustedKeys::parse(&std::fs::read_to_string(node.dir().join("ceremony/checkpoint-keys.txt"))?)?)
}

/// Every record of a domain's log, or of `system`, in order; an error unless the bundle verifies and is whole, and each
/// record tells of an operation of KMIP or of an event that is in the table of events.
///
/// # Errors
/// Of the export, of the verification.
pub fn records(node: &Node, domain: &str) -> Result<Vec<Record>> {
    let exported = node.export(domain)?;
    let verified = bundle::verify_bundle(exported.as_slice(), &trusted_keys(node)?)?;
    let records = read(&exported)?;
    if verified.first != 0 || verified.size != verified.count || u64::try_from(records.len())? != verified.count {
        return Err(format!("the export of {domain} is not the whole log").into());
    }
    match records.iter().find(|record| !is_known(&record.operation)) {
        Some(unknown) => Err(format!("no table has the operation of {unknown:?}").into()),
        None => Ok(records),
    }
}

/// Whether a record may tell of this.
fn is_known(operation: &str) -> bool {
    audit::event::meaning(operation).is_some() || Operation::ALL.iter().any(|known| known.text() == operation)
}

/// What a reader of the tlog-tiles layout that knows nothing of ours finds in a folder: size and root, the names of those
/// who signed the checkpoint, and the bundles of entries that are not there.
///
/// # Errors
/// Whatever is wrong with a file of it.
pub fn read_tiles(folder: &Path) -> Result<(String, Vec<String>, Vec<String>)> {
    let script = repository().join("tests/clients/tlog_tiles.py");
    let said = finish(Command::new("python3").arg("-B").arg(script).arg(folder))?;
    if !said.status.success() {
        return Err(said.stderr.into());
    }
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut lines = said.stdout.lines();
    let mut line = || lines.next().ok_or("a line is missing");
    Ok((line()?.to_owned(), words(line()?), words(line()?)))
}

fn read(exported: &[u8]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for line in exported.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: serde_json::Value = serde_json::from_slice(line)?;
        if let Some(record) = line.get("record").and_then(serde_json::Value::as_str) {
            records.push(Record::decode(&STANDARD.decode(record)?)?);
        }
    }
    Ok(records)
}
