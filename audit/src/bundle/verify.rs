//! Verifies a bundle with nothing but public keys, one line at a time.

use std::io::BufRead;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    bundle::{
        BundleError, Fault, Header,
        line::{CheckpointLine, DroppedLine, FORMAT, HeaderLine, LastLine, RecordLine},
    },
    checkpoint::{NoteError, SignedCheckpoint},
    key::{PublicKey, TrustedKeys},
    limits::{MAX_LINE_LEN, MAX_TREE_SIZE},
    log::LogId,
    record::Record,
    retention::Ledger,
    tree::{Hash, Tree, TreeError, leaf_hash, right_cover},
};

/// What a verified bundle shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The log.
    pub log: LogId,
    /// Position of the first record.
    pub first: u64,
    /// Number of records.
    pub count: u64,
    /// Size of the log at the signed checkpoint.
    pub size: u64,
    /// Root of the log at that size. Keep the checkpoint: it shows later whether the log was rewritten.
    pub root: Hash,
    /// Who signed the checkpoint.
    pub signers: Vec<PublicKey>,
    /// Times of the first and the last record, in microseconds since 1970.
    pub period_us: Option<(i64, i64)>,
    /// How many of the checkpoints kept from earlier could be compared.
    pub compared: usize,
    /// How many of the records were dropped by retention: their leaf hashes are there.
    pub dropped: u64,
    /// How many of those are told of only after the end of this bundle, so that it does not show by itself that
    /// retention dropped them.
    pub untold: u64,
}

/// Checks that a bundle is complete, unchanged and signed by one of `trusted`.
///
/// # Errors
/// [`BundleError`]: the first fault, with the first bad record where it can be named.
pub fn verify_bundle(input: impl BufRead, trusted: &TrustedKeys) -> Result<Verified, BundleError> {
    verify_bundle_with(input, trusted, &[])
}

/// Like [`verify_bundle`]; and that the log still holds what the checkpoints `kept` from earlier signed. Those of other
/// logs are passed over; those whose size lies outside the bundle cannot be compared, see [`Verified::compared`].
///
/// # Errors
/// As [`verify_bundle`], and [`Fault::Checkpoint`] where a kept checkpoint itself does not verify.
pub fn verify_bundle_with(
    input: impl BufRead,
    trusted: &TrustedKeys,
    kept: &[SignedCheckpoint],
) -> Result<Verified, BundleError> {
    let mut lines = Lines::new(input);
    Verifier::start(&mut lines, trusted, kept).map_err(whole)?.read(&mut lines)
}

fn whole(fault: Fault) -> BundleError {
    BundleError { record: None, fault }
}

/// Record `found` stands where `expected` belongs: the two lines behind it tell whether one is missing, two changed
/// places, or one is there twice.
fn out_of_order(lines: &mut Lines<impl BufRead>, expected: u64, found: u64) -> Fault {
    let mut index = || lines.next().ok().flatten().and_then(|line| line.value.get("index")?.as_u64());
    if index() != Some(expected) {
        Fault::Missing(found)
    } else if found == expected + 1 && index() != Some(found) {
        Fault::Swapped(found)
    } else {
        Fault::Inserted(found)
    }
}

#[derive(Clone)]
pub(super) struct Verifier<'a> {
    trusted: &'a TrustedKeys,
    header: Header,
    tree: Tree,
    /// The record expected next, and the one after the last.
    next: u64,
    end: u64,
    /// Up to here the records have a signed root.
    anchored: u64,
    kept: Vec<(u64, Hash)>,
    compared: usize,
    period_us: Option<(i64, i64)>,
    ledger: Ledger,
}

impl<'a> Verifier<'a> {
    pub(super) fn start(
        lines: &mut Lines<impl BufRead>,
        trusted: &'a TrustedKeys,
        kept: &[SignedCheckpoint],
    ) -> Result<Self, Fault> {
        let line = lines.next()?.ok_or(Fault::Cut)?;
        if line.value.get("bundle").and_then(Value::as_str) != Some(FORMAT) {
            return Err(Fault::Format);
        }
        let text: HeaderLine = line.exactly()?;
        let header = Header {
            log: text.log.parse().map_err(|_| Fault::Header("log"))?,
            first: text.first,
            count: text.count,
            keys: hashes(&text.keys).ok_or(Fault::Header("keys"))?,
            left: hashes(&text.left).ok_or(Fault::Header("left"))?,
            kms: text.kms,
        };
        if header.kms != trusted.kms() {
            return Err(Fault::Header("the trusted keys are of another KMS"));
        }
        if header.keys.is_empty() || !header.keys.is_sorted_by(|a, b| a < b) {
            return Err(Fault::Header("keys"));
        }
        let is_trusted = |key: &Hash| trusted.keys().iter().any(|trusted| trusted.fingerprint() == *key);
        if let Some(foreign) = header.keys.iter().find(|key| !is_trusted(key)) {
            return Err(Fault::ForeignKey(hex::encode(foreign)));
        }
        let end = header.first.checked_add(header.count).filter(|end| *end <= MAX_TREE_SIZE);
        let tree = Tree::from_parts(header.first, header.left.clone()).map_err(Fault::Edge)?;
        let mut kept_heads = Vec::new();
        for note in kept.iter().filter(|note| note.checkpoint.log(trusted.kms()) == Some(header.log)) {
            note.verify(trusted).map_err(Fault::Checkpoint)?;
            kept_heads.push((note.checkpoint.size, note.checkpoint.root));
        }
        let mut verifier = Self {
            trusted,
            next: header.first,
            end: end.ok_or(Fault::Header("range"))?,
            anchored: header.first,
            ledger: Ledger::new(header.first),
            header,
            tree,
            kept: kept_heads,
            compared: 0,
            period_us: None,
        };
        verifier.compare_kept()?;
        Ok(verifier)
    }

    /// Reads all lines after the first.
    pub(super) fn read(mut self, lines: &mut Lines<impl BufRead>) -> Result<Verified, BundleError> {
        while self.next < self.end {
            self.step(lines)?;
        }
        self.finish(lines)
    }

    /// Reads one line where a record is due.
    pub(super) fn step(&mut self, lines: &mut Lines<impl BufRead>) -> Result<(), BundleError> {
        let record = self.next;
        let at = |fault| BundleError { record: Some(record), fault };
        let line = lines.next().map_err(at)?.ok_or_else(|| at(Fault::Cut))?;
        if has_key(&line, "total") {
            return Err(at(Fault::Cut));
        }
        if has_key(&line, "checkpoint") {
            return self.checkpoint(&line).map_err(whole);
        }
        match self.record(&line) {
            Err(Fault::Missing(found)) => Err(at(out_of_order(lines, record, found))),
            other => other.map_err(at),
        }
    }

    fn record(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let field = |name| line.value.get(name).ok_or_else(|| Fault::Line(format!("no `{name}`")));
        let index = field("index")?.as_u64().ok_or_else(|| Fault::Line("`index` is not a number".into()))?;
        if index != self.next {
            return Err(if index > self.next { Fault::Missing(index) } else { Fault::Inserted(index) });
        }
        if has_key(line, "dropped") {
            let dropped: DroppedLine = line.exactly()?;
            let leaf = hash(&dropped.leaf).ok_or_else(|| Fault::Line("`leaf` is not a hash".into()))?;
            self.ledger.dropped(index, dropped.dropped).map_err(Fault::Dropped)?;
            return self.take(leaf);
        }
        let bytes = field("record")?
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(|| Fault::Line("`record` is not base64".into()))?;
        let leaf = leaf_hash(&bytes);
        if field("leaf")?.as_str() != Some(&hex::encode(leaf)) {
            return Err(Fault::LeafHash);
        }
        let record = Record::decode(&bytes).map_err(Fault::Record)?;
        if record.log != self.header.log {
            return Err(Fault::ForeignLog(record.log));
        }
        line.must_be(&RecordLine::new(index, &bytes, &leaf))?;
        self.ledger.record(index, &record).map_err(Fault::Dropped)?;
        self.period_us = Some((self.period_us.map_or(record.time_us, |(first, _)| first), record.time_us));
        self.take(leaf)
    }

    fn take(&mut self, leaf: Hash) -> Result<(), Fault> {
        self.tree.append(leaf);
        self.next += 1;
        self.compare_kept()
    }

    /// A checkpoint between records: it must be the head of exactly what was read so far.
    fn checkpoint(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let text: CheckpointLine = line.exactly()?;
        let (note, _) = self.believe(&text.checkpoint)?;
        if note.checkpoint.size != self.next {
            return Err(Fault::OtherCheckpoint);
        }
        self.anchor(&note.checkpoint.root, &self.tree)?;
        self.anchored = self.next;
        Ok(())
    }

    /// Reads a note and checks every signature on it. A note as such may carry unknown signatures; a bundle says in
    /// its first line who signed, so here a signature more or less is a change.
    fn believe(&self, text: &str) -> Result<(SignedCheckpoint, Vec<PublicKey>), Fault> {
        let note = SignedCheckpoint::parse(text).map_err(Fault::Checkpoint)?;
        let signers = note.verify(self.trusted).map_err(Fault::Checkpoint)?;
        if note.checkpoint.log(self.trusted.kms()) != Some(self.header.log) {
            return Err(Fault::OtherCheckpoint);
        }
        let announced = |key: &PublicKey| self.header.keys.contains(&key.fingerprint());
        if note.format() != text || signers.len() != note.signatures.len() || !signers.iter().all(announced) {
            return Err(Fault::Checkpoint(NoteError::Untrusted));
        }
        Ok((note, signers))
    }

    fn anchor(&self, root: &Hash, tree: &Tree) -> Result<(), Fault> {
        if tree.root() == *root {
            return Ok(());
        }
        Err(Fault::Root { from: self.anchored, to: self.next.saturating_sub(1).max(self.anchored) })
    }

    fn compare_kept(&mut self) -> Result<(), Fault> {
        for (size, root) in self.kept.iter().filter(|(size, _)| *size == self.tree.size()) {
            if self.tree.root() != *root {
                return Err(Fault::Forked(*size));
            }
            self.compared += 1;
        }
        Ok(())
    }

    fn finish(mut self, lines: &mut Lines<impl BufRead>) -> Result<Verified, BundleError> {
        let extra = BundleError { record: Some(self.end), fault: Fault::Extra };
        let last = loop {
            let line = lines.next().map_err(whole)?.ok_or_else(|| whole(Fault::Cut))?;
            if has_key(&line, "total") {
                break line.exactly::<LastLine>().map_err(whole)?;
            }
            if has_key(&line, "index") {
                return Err(extra);
            }
            self.checkpoint(&line).map_err(whole)?;
        };
        if lines.next().map_err(whole)?.is_some() {
            return Err(whole(Fault::Line("something follows the last line".into())));
        }
        self.close(&last).map_err(whole)
    }

    fn close(mut self, last: &LastLine) -> Result<Verified, Fault> {
        if last.total != self.header.count {
            return Err(Fault::Line("`total` is not the number of records".into()));
        }
        let (note, signers) = self.believe(&last.checkpoint)?;
        let size = note.checkpoint.size;
        if size < self.end {
            return Err(Fault::OtherCheckpoint);
        }
        let right = hashes(&last.right).ok_or_else(|| Fault::Line("`right` is not hashes".into()))?;
        let cover = right_cover(self.end, size);
        if cover.len() != right.len() {
            return Err(Fault::Edge(TreeError::Frontier { size, found: right.len() }));
        }
        let mut tree = self.tree.clone();
        for (root, (_, height)) in right.into_iter().zip(cover) {
            tree.append_subtree(root, height).map_err(Fault::Edge)?;
        }
        self.anchor(&note.checkpoint.root, &tree)?;
        if size == self.end {
            self.ledger.finish().map_err(Fault::Dropped)?;
        }
        if size != self.tree.size() {
            self.tree = tree;
            self.compare_kept()?;
        }
        if let Some((longer, _)) = self.kept.iter().find(|(kept, _)| *kept > size) {
            return Err(Fault::Behind(*longer));
        }
        Ok(Verified {
            log: self.header.log,
            first: self.header.first,
            count: self.header.count,
            size,
            root: note.checkpoint.root,
            signers,
            period_us: self.period_us,
            compared: self.compared,
            dropped: self.ledger.count(),
            untold: self.ledger.untold(),
        })
    }
}

/// Reads lines without ever holding more than one.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

/// One line, as text and as JSON.
struct Line<'a> {
    text: &'a str,
    value: Map<String, Value>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// The next line, `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Line<'_>>, Fault> {
        self.line.clear();
        let limit = u64::try_from(MAX_LINE_LEN + 1).unwrap_or(u64::MAX);
        std::io::Read::take(&mut self.input, limit).read_until(b'\n', &mut self.line).map_err(Fault::Io)?;
        let Some((newline, text)) = self.line.split_last() else { return Ok(None) };
        if *newline != b'\n' {
            return Err(if self.line.len() > MAX_LINE_LEN { Fault::LineTooLong } else { Fault::Cut });
        }
        let text = std::str::from_utf8(text).map_err(|_| Fault::Line("not UTF-8".into()))?;
        let value = serde_json::from_str(text).map_err(|error| Fault::Line(error.to_string()))?;
        Ok(Some(Line { text, value }))
    }
}

impl Line<'_> {
    /// The line as `T`, if it is written exactly as `T` is written.
    fn exactly<T: DeserializeOwned + Serialize>(&self) -> Result<T, Fault> {
        let line: T = serde_json::from_str(self.text).map_err(|error| Fault::Line(error.to_string()))?;
        self.must_be(&line)?;
        Ok(line)
    }

    fn must_be(&self, expected: &impl Serialize) -> Result<(), Fault> {
        let text = serde_json::to_string(expected).map_err(|error| Fault::Line(error.to_string()))?;
        if text == self.text {
            return Ok(());
        }
        let expected: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| Fault::Line(error.to_string()))?;
        let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        // The fields that should be there come first, in no order that matters; then those that should not.
        for field in expected.keys().chain(self.value.keys()) {
            let (says, record) = (self.value.get(field), expected.get(field));
            if says != record {
                return Err(Fault::Field { field: field.clone(), says: show(says), record: show(record) });
            }
        }
        Err(Fault::NotCanonical)
    }
}

fn has_key(line: &Line<'_>, key: &str) -> bool {
    line.value.contains_key(key)
}

/// Hashes in the one form they are written in, lower-case hex.
fn hashes(texts: &[String]) -> Option<Vec<Hash>> {
    texts.iter().map(|text| hash(text)).collect()
}

fn hash(text: &str) -> Option<Hash> {
    Hash::try_from(hex::decode(text).ok()?).ok().filter(|hash| hex::encode(hash) == text)
}
