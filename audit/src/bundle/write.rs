//! Writes a bundle, one line at a time.

use std::io::Write;

use serde::Serialize;

use crate::{
    bundle::{
        Header, WriteError,
        line::{CheckpointLine, DroppedLine, HeaderLine, LastLine, RecordLine},
    },
    checkpoint::SignedCheckpoint,
    key::check_kms_name,
    tree::Hash,
};

/// A bundle being written: [`BundleWriter::new`], [`BundleWriter::record`] for each record, [`BundleWriter::finish`].
///
/// The writer does not judge: what the store holds is written as it is, and the verifier finds what is wrong with it.
pub struct BundleWriter<W> {
    out: W,
    first: u64,
    count: u64,
    written: u64,
    line: Vec<u8>,
}

impl<W: Write> BundleWriter<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// [`WriteError::Io`], [`WriteError::Name`].
    pub fn new(out: W, header: &Header) -> Result<Self, WriteError> {
        check_kms_name(&header.kms)?;
        let mut writer = Self { out, first: header.first, count: header.count, written: 0, line: Vec::new() };
        writer.line(&HeaderLine::of(header))?;
        Ok(writer)
    }

    /// Writes one record, the next in the log: its bytes, and the leaf hash that the log holds for it.
    ///
    /// # Errors
    /// [`WriteError::Io`].
    pub fn record(&mut self, bytes: &[u8], leaf: &Hash) -> Result<(), WriteError> {
        self.line(&RecordLine::new(self.first + self.written, bytes, leaf))?;
        self.written += 1;
        Ok(())
    }

    /// Writes a position, the next in the log, whose record was dropped by retention, as the record at position `by`
    /// tells.
    ///
    /// # Errors
    /// [`WriteError::Io`].
    pub fn dropped(&mut self, by: u64, leaf: &Hash) -> Result<(), WriteError> {
        let index = self.first + self.written;
        self.line(&DroppedLine { index, dropped: by, leaf: hex::encode(leaf) })?;
        self.written += 1;
        Ok(())
    }

    /// Writes a checkpoint of the log at the size that the last written record gave it. The more there are, the
    /// narrower a fault is named.
    ///
    /// # Errors
    /// [`WriteError::Io`].
    pub fn checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), WriteError> {
        self.line(&CheckpointLine { checkpoint: checkpoint.format() })
    }

    /// Writes the last line: the checkpoint that covers the bundle, and `right`, which [`crate::right_edge`] makes of
    /// the leaves between the last record and the checkpoint's size.
    ///
    /// # Errors
    /// [`WriteError::Io`]; [`WriteError::Count`] where the header announced another number of records.
    pub fn finish(mut self, right: &[Hash], checkpoint: &SignedCheckpoint) -> Result<W, WriteError> {
        if self.written != self.count {
            return Err(WriteError::Count { announced: self.count, written: self.written });
        }
        let right = right.iter().map(hex::encode).collect();
        self.line(&LastLine { total: self.written, right, checkpoint: checkpoint.format() })?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// What was handed in to be written to; so a writer into memory can be emptied while the bundle grows.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), WriteError> {
        self.line.clear();
        let index = self.first + self.written;
        serde_json::to_writer(&mut self.line, line).map_err(|source| WriteError::Json { index, source })?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        Ok(())
    }
}

/// Writes a whole bundle: `records` are the bytes and leaf hashes of `header.count` records, `right` as in
/// [`BundleWriter::finish`].
///
/// # Errors
/// [`WriteError`].
pub fn write_bundle<W: Write, B: AsRef<[u8]>>(
    out: W,
    header: &Header,
    records: impl IntoIterator<Item = (B, Hash)>,
    right: &[Hash],
    checkpoint: &SignedCheckpoint,
) -> Result<W, WriteError> {
    let mut writer = BundleWriter::new(out, header)?;
    for (bytes, leaf) in records {
        writer.record(bytes.as_ref(), &leaf)?;
    }
    writer.finish(right, checkpoint)
}
