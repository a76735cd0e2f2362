//! A log as files of the C2SP tlog-tiles layout: its published head, and an export up to there.

use std::fs;
use std::io;
use std::path::Path;

use admin_api::AdminClient;
use audit::tiles::{CHECKPOINT_FILE, Tile, TileBuilder};
use audit::{Checkpoint, Record, SignedCheckpoint, Tree};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::lines::{self, Line, Lines};
use crate::exit::Failure;
use crate::output::{Out, one_line};

/// What was written.
#[derive(Serialize)]
struct Written<'a> {
    folder: &'a Path,
    records: u64,
    files: u64,
    root: String,
    /// Bundles of entries that are not there, because retention dropped a record of theirs.
    skipped: Vec<Row>,
}

/// Bundles of entries side by side.
#[derive(Serialize)]
struct Row {
    first: String,
    last: String,
}

impl Row {
    fn of((first, last): &(Tile, Tile)) -> Self {
        Self { first: first.path(), last: last.path() }
    }

    fn text(&self) -> String {
        let Self { first, last } = self;
        if first == last { first.clone() } else { format!("{first} to {last}") }
    }
}

/// Writes the log's tiles below `folder`, which must not exist yet; its published head, with whatever co-signatures it
/// has, last.
pub(super) fn write(client: &AdminClient, domain: &str, folder: &Path, out: &Out) -> Result<(), Failure> {
    fs::create_dir(folder).map_err(|source| Failure::file(folder, source))?;
    let published = client.audit_checkpoint(domain)?.note;
    let head = head_of(&published)?;
    let mut files = Files { folder, head: &head, builder: TileBuilder::new(), whole: Tree::new(), count: 0 };
    let mut closing = None;
    let mut sink = Lines::new(|text: &str| {
        let mut line = lines::parse(text)?;
        closing = line.checkpoint.take().or(closing.take());
        if line.index.is_some() { files.take(&line) } else { Ok(()) }
    });
    client.audit_export(domain, &mut sink)?;
    let closing = closing.ok_or_else(|| Failure::NotVerified("the export has no checkpoint".to_owned()))?;
    let closing = head_of(&closing)?;
    // The export is of a moment later than the published head, and leads to both.
    if (closing.size, closing.root) != (files.whole.size(), files.whole.root()) {
        return Err(Failure::NotVerified("the records do not have the root of the checkpoint".to_owned()));
    }
    let (size, root) = (files.builder.tree().size(), files.builder.tree().root());
    if (head.size, head.root) != (size, root) {
        return Err(Failure::NotVerified("the records do not have the root of the published checkpoint".to_owned()));
    }
    files.finish(&published).map_err(|source| Failure::file(folder, source))?;
    let skipped: Vec<Row> = files.builder.skipped().iter().map(Row::of).collect();
    let written = Written { folder, records: size, files: files.count, root: hex::encode(root), skipped };
    out.write(&written, || {
        let folder = one_line(&folder.display().to_string());
        let mut text = format!("{size} records in {} files below {folder}\n", written.files);
        if !written.skipped.is_empty() {
            let rows: Vec<String> = written.skipped.iter().map(Row::text).collect();
            text += &format!("left out, because retention dropped records of theirs: {}\n", rows.join(", "));
        }
        text
    })
}

fn head_of(note: &str) -> Result<Checkpoint, Failure> {
    let signed = SignedCheckpoint::parse(note).map_err(|error| Failure::NotVerified(error.to_string()))?;
    Ok(signed.checkpoint)
}

/// The files of the layout, as far as the log has been read.
struct Files<'a> {
    folder: &'a Path,
    /// The published head: what came behind it is in none of the files.
    head: &'a Checkpoint,
    builder: TileBuilder,
    /// The tree of everything that was exported.
    whole: Tree,
    count: u64,
}

impl Files<'_> {
    /// Goes on with a record, or with what is left of it.
    fn take(&mut self, line: &Line) -> io::Result<()> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let index = line.index.unwrap_or_default();
        let leaf = hex::decode(&line.leaf).ok().and_then(|leaf| leaf.try_into().ok());
        let leaf = leaf.ok_or_else(|| wrong("a leaf hash is not a hash"))?;
        let bytes = match line.dropped {
            Some(_) => None,
            None => Some(STANDARD.decode(&line.record).map_err(|_| wrong("a record is not base64"))?),
        };
        let is_it = bytes.as_ref().is_none_or(|bytes| Record::leaf_hash(bytes) == leaf);
        if index != self.whole.size() || !is_it {
            return Err(wrong(&format!("record {index} is not what its leaf hash says; verify a bundle of the log")));
        }
        self.whole.append(leaf);
        if index < self.head.size {
            for (tile, bytes) in self.builder.push(bytes.as_deref(), leaf) {
                self.keep(&tile.path(), &bytes)?;
            }
        }
        Ok(())
    }

    /// Writes the tiles that are not full, and the head.
    fn finish(&mut self, note: &str) -> io::Result<()> {
        for (tile, bytes) in self.builder.unfinished() {
            self.keep(&tile.path(), &bytes)?;
        }
        self.keep(CHECKPOINT_FILE, note.as_bytes())
    }

    fn keep(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.folder.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)?;
        self.count += 1;
        Ok(())
    }
}
