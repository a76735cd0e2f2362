//! A log as files of the C2SP tlog-tiles layout, made from one export.

use std::fs;
use std::io;
use std::path::Path;

use admin_api::AdminClient;
use audit::tiles::{CHECKPOINT_FILE, TileBuilder};
use audit::{Record, SignedCheckpoint};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::lines::{self, Lines};
use crate::exit::Failure;
use crate::output::{Out, one_line};

/// What was written.
#[derive(Serialize)]
struct Written<'a> {
    folder: &'a Path,
    records: u64,
    files: u64,
    root: String,
}

/// Writes the log's tiles below `folder`, which must not exist yet; its checkpoint last.
pub(super) fn write(client: &AdminClient, domain: &str, folder: &Path, out: &Out) -> Result<(), Failure> {
    fs::create_dir(folder).map_err(|source| Failure::file(folder, source))?;
    let mut builder = TileBuilder::new();
    let mut files = 0;
    let mut note = None;
    let keep = |path: String, bytes: &[u8]| -> io::Result<()> {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut sink = Lines::new(|text: &str| {
        let line = lines::parse(text)?;
        note = line.checkpoint.or(note.take());
        let Some(index) = line.index else { return Ok(()) };
        if let Some(by) = line.dropped {
            return Err(wrong(&format!(
                "record {index} was dropped by retention, as record {by} tells; the server has the tiles of hashes"
            )));
        }
        let bytes = STANDARD.decode(&line.record).map_err(|_| wrong("a record is not base64"))?;
        let leaf = Record::leaf_hash(&bytes);
        if index != builder.tree().size() || hex::encode(leaf) != line.leaf {
            return Err(wrong(&format!("record {index} is not what its leaf hash says; verify a bundle of the log")));
        }
        for (tile, bytes) in builder.push(&bytes, leaf) {
            keep(tile.path(), &bytes)?;
            files += 1;
        }
        Ok(())
    });
    client.audit_export(domain, &mut sink)?;
    let note = note.ok_or_else(|| Failure::NotVerified("the export has no checkpoint".to_owned()))?;
    let signed = SignedCheckpoint::parse(&note).map_err(|error| Failure::NotVerified(error.to_string()))?;
    let (size, root) = (builder.tree().size(), builder.tree().root());
    if (signed.checkpoint.size, signed.checkpoint.root) != (size, root) {
        return Err(Failure::NotVerified("the records do not have the root of the checkpoint".to_owned()));
    }
    let at = |source| Failure::file(folder, source);
    for (tile, bytes) in builder.unfinished() {
        keep(tile.path(), &bytes).map_err(at)?;
        files += 1;
    }
    keep(CHECKPOINT_FILE.to_owned(), note.as_bytes()).map_err(at)?;
    let written = Written { folder, records: size, files: files + 1, root: hex::encode(root) };
    out.write(&written, || {
        let folder = one_line(&folder.display().to_string());
        format!("{size} records in {} files below {folder}\n", written.files)
    })
}
