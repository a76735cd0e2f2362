//! Exported records, one JSON line at a time, while they arrive.

use std::io::{self, Write};

use serde::Deserialize;

/// Bytes of a line beyond which the server sends no audit records; a bundle's line has at most half of it.
const MAX_LINE_LEN: usize = 64 << 10;

/// A record as a line of an export says it. What a client chose may hold anything but control characters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    /// Position in the log; absent in a bundle's first and last line.
    pub(crate) index: Option<u64>,
    /// Where retention dropped the record: the position of the one that tells of it.
    pub(crate) dropped: Option<u64>,
    pub(crate) time: String,
    pub(crate) identity: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) source: String,
    pub(crate) operation: String,
    pub(crate) object: Option<String>,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) count: u64,
    pub(crate) approvals: Vec<String>,
    pub(crate) correlation: Option<String>,
    /// The canonical bytes in base64, and their leaf hash in hex.
    pub(crate) record: String,
    pub(crate) leaf: String,
    /// The signed note of a bundle's last line.
    pub(crate) checkpoint: Option<String>,
}

/// Cuts what is written into lines and hands each to `take`, without its newline; empty ones keep a connection alive
/// and are passed over.
pub(crate) struct Lines<F> {
    part: Vec<u8>,
    take: F,
}

impl<F: FnMut(&str) -> io::Result<()>> Lines<F> {
    pub(crate) fn new(take: F) -> Self {
        Self { part: Vec::new(), take }
    }

    /// Whether the last line was ended.
    pub(crate) fn is_whole(&self) -> bool {
        self.part.is_empty()
    }
}

impl<F: FnMut(&str) -> io::Result<()>> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.part.extend_from_slice(piece);
            if self.part.len() > MAX_LINE_LEN {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the server sent a line that is no record"));
            }
            if self.part.last() == Some(&b'\n') {
                self.part.pop();
                let line = std::str::from_utf8(&self.part).map_err(|error| io::Error::other(error.to_string()))?;
                if !line.is_empty() {
                    (self.take)(line)?;
                }
                self.part.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a line.
pub(crate) fn parse(line: &str) -> io::Result<Line> {
    serde_json::from_str(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_wherever_the_network_cut_them() {
        let text = b"one\n\ntwo\nthr";
        for size in 1..=text.len() {
            let mut seen = Vec::new();
            let mut lines = Lines::new(|line: &str| {
                seen.push(line.to_owned());
                Ok(())
            });
            text.chunks(size).for_each(|chunk| lines.write_all(chunk).unwrap());
            assert!(!lines.is_whole());
            assert_eq!(seen, ["one", "two"]);
        }
    }

    #[test]
    fn an_endless_line_is_not_kept() {
        let mut lines = Lines::new(|_: &str| Ok(()));
        let written = (0..1000).try_for_each(|_| lines.write_all(&[b'x'; 1024]));
        assert!(written.is_err());
    }
}
