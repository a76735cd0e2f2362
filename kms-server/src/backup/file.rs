//! The file of a backup: header, chunks, manifest. `docs/formats.md` has it byte by byte.
//!
//! ```text
//! header   magic (16) · identifier (16) · Domain Key of the backup (137) · length of the envelope (2) · envelope
//! chunks   64 KiB of content each, the last one shorter: ciphertext · tag (16)
//! manifest its two lines · their length (4)
//! ```
//! The nonce of a chunk is its number and whether it is the last, the additional data the SHA-256 of the header: a chunk
//! that is moved, left out, or taken from another backup does not open, nor does a file that was cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hsm::DomainKey;
use ring::digest;
use secret::Sealed;

use super::{BackupError, BackupId, Keys};

/// Names the format and its version.
pub const MAGIC: &[u8; 16] = b"clavis-backup\x00\x00\x01";
/// Bytes of content in a chunk.
const CHUNK_LEN: usize = 64 << 10;
const TAG_LEN: usize = 16;
/// Bytes of the envelope of two keys: far more than it has.
const MAX_KEYS_LEN: usize = 1024;
/// Bytes of the manifest's two lines.
const MAX_MANIFEST_LEN: usize = audit::limits::MAX_CERTIFICATE_LEN;
/// Bytes of the manifest's length at the end.
const LENGTH_LEN: usize = 4;

/// What stands in front of the chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Identifier of the backup.
    pub id: BackupId,
    /// The Domain Key made for this backup, wrapped.
    pub key: DomainKey,
    /// The backup's two keys, sealed under it.
    pub keys: Sealed,
}

impl Header {
    fn to_bytes(&self) -> Result<Vec<u8>, BackupError> {
        let keys = self.keys.as_bytes();
        let len = u16::try_from(keys.len()).map_err(|_| BackupError::Internal("an envelope is too long"))?;
        Ok([MAGIC.as_slice(), &self.id, &self.key.to_bytes(), &len.to_be_bytes(), keys].concat())
    }

    fn read(file: &mut impl Read) -> Result<(Self, Vec<u8>), BackupError> {
        const CUT: BackupError = BackupError::Altered("its header is cut off");
        let mut bytes = vec![0; MAGIC.len() + 16 + DomainKey::ENCODED_LEN + 2];
        file.read_exact(&mut bytes).map_err(|_| CUT)?;
        let (magic, rest) = bytes.split_first_chunk::<16>().ok_or(CUT)?;
        if magic != MAGIC {
            return Err(BackupError::Altered("it does not begin like one"));
        }
        let (id, rest) = rest.split_first_chunk::<16>().ok_or(CUT)?;
        let (key, len) = rest.split_at_checked(DomainKey::ENCODED_LEN).ok_or(CUT)?;
        let id = *id;
        let key = DomainKey::from_bytes(key).map_err(|_| BackupError::Altered("its key cannot be read"))?;
        let len = usize::from(u16::from_be_bytes(len.try_into().map_err(|_| CUT)?));
        if len > MAX_KEYS_LEN {
            return Err(BackupError::Altered("its keys are too long"));
        }
        let mut keys = vec![0; len];
        file.read_exact(&mut keys).map_err(|_| CUT)?;
        bytes.extend_from_slice(&keys);
        let keys = Sealed::from_bytes(keys).map_err(|_| BackupError::Altered("its keys cannot be read"))?;
        Ok((Self { id, key, keys }, bytes))
    }
}

/// The part of a file in front of its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// Seals and opens chunks one after the other.
struct Chunks {
    cipher: Aes256Gcm,
    header: [u8; 32],
    next: u64,
}

impl Chunks {
    fn new(keys: &Keys, header: &[u8]) -> Result<Self, BackupError> {
        let cipher = Aes256Gcm::new_from_slice(keys.of_file()).map_err(|_| BackupError::Internal("a key's length"))?;
        Ok(Self { cipher, header: sha256(header), next: 0 })
    }

    fn nonce(&mut self, is_last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        let (number, rest) = nonce.split_at_mut(8);
        number.copy_from_slice(&self.next.to_be_bytes());
        if let Some(flag) = rest.last_mut() {
            *flag = u8::from(is_last);
        }
        self.next += 1;
        nonce
    }

    fn seal(&mut self, content: &[u8], is_last: bool) -> Result<Vec<u8>, BackupError> {
        let nonce = Nonce::from(self.nonce(is_last));
        let sealed = self.cipher.encrypt(&nonce, Payload { msg: content, aad: &self.header });
        sealed.map_err(|_| BackupError::Internal("a chunk cannot be sealed"))
    }

    fn open(&mut self, sealed: &[u8], is_last: bool) -> Result<Vec<u8>, BackupError> {
        let nonce = Nonce::from(self.nonce(is_last));
        let opened = self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: &self.header });
        opened.map_err(|_| BackupError::Altered("a chunk does not open"))
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// What was written or read so far, hashed.
struct Hashing<T> {
    inner: T,
    hash: digest::Context,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: digest::Context::new(&digest::SHA256), bytes: 0 }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn so_far(&self) -> Written {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.clone().finish().as_ref());
        Written { bytes: self.bytes, sha256 }
    }
}

impl<T: Write> Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.take(bytes);
        self.inner.write_all(bytes)
    }
}

/// As many bytes as there are, at most `len`.
fn read_up_to(from: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    from.by_ref().take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Seals the file `content` into the new file `to`, which has no manifest yet.
///
/// # Errors
/// [`BackupError::File`].
pub fn write(content: &Path, to: &Path, header: &Header, keys: &Keys) -> Result<Written, BackupError> {
    let mut from = File::open(content).map_err(BackupError::file(content))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(BackupError::file(to))?;
    let mut out = Hashing::new(BufWriter::new(file));
    let header = header.to_bytes()?;
    let mut chunks = Chunks::new(keys, &header)?;
    out.write(&header).map_err(BackupError::file(to))?;
    let mut chunk = read_up_to(&mut from, CHUNK_LEN).map_err(BackupError::file(content))?;
    loop {
        let next = read_up_to(&mut from, CHUNK_LEN).map_err(BackupError::file(content))?;
        out.write(&chunks.seal(&chunk, next.is_empty())?).map_err(BackupError::file(to))?;
        if next.is_empty() {
            break;
        }
        chunk = next;
    }
    let written = out.so_far();
    let file = out.inner.into_inner().map_err(|error| BackupError::file(to)(error.into_error()))?;
    file.sync_all().map_err(BackupError::file(to))?;
    Ok(written)
}

/// Writes the manifest behind the chunks; the file is whole then.
///
/// # Errors
/// [`BackupError::File`].
pub fn append_manifest(to: &Path, manifest: &str) -> Result<(), BackupError> {
    let len = u32::try_from(manifest.len()).ok().filter(|_| manifest.len() <= MAX_MANIFEST_LEN);
    let len = len.ok_or(BackupError::Internal("a manifest is too long"))?;
    let append = || {
        let mut file = OpenOptions::new().append(true).open(to)?;
        file.write_all(&[manifest.as_bytes(), &len.to_be_bytes()].concat())?;
        file.sync_all()
    };
    append().map_err(BackupError::file(to))
}

/// A file that is being read.
#[derive(Debug)]
pub struct Sealing {
    path: PathBuf,
    file: File,
    /// Bytes of the file in front of the manifest.
    chunks_end: u64,
    /// What stands in front of the chunks. Believed once they open.
    pub header: Header,
    header_bytes: Vec<u8>,
}

impl Sealing {
    /// Opens a file that is whole: what it holds, and its manifest, which nobody believed yet.
    ///
    /// # Errors
    /// [`BackupError::File`], [`BackupError::Altered`].
    pub fn open(path: &Path) -> Result<(Self, String), BackupError> {
        let at_file = || BackupError::file(path);
        let mut file = File::open(path).map_err(at_file())?;
        let all = file.metadata().map_err(at_file())?.len();
        const CUT: BackupError = BackupError::Altered("its end is cut off");
        let behind = all.checked_sub(LENGTH_LEN as u64).ok_or(CUT)?;
        file.seek(SeekFrom::Start(behind)).map_err(at_file())?;
        let mut len = [0; LENGTH_LEN];
        file.read_exact(&mut len).map_err(at_file())?;
        let len = u32::from_be_bytes(len);
        if len as usize > MAX_MANIFEST_LEN {
            return Err(BackupError::Altered("its manifest is too long"));
        }
        let chunks_end = behind.checked_sub(u64::from(len)).ok_or(CUT)?;
        file.seek(SeekFrom::Start(chunks_end)).map_err(at_file())?;
        let manifest = read_up_to(&mut file, len as usize).map_err(at_file())?;
        let manifest = String::from_utf8(manifest).map_err(|_| BackupError::Altered("its manifest is no text"))?;
        Ok((Self::at(path, file, chunks_end)?, manifest))
    }

    /// Opens a file that has no manifest yet.
    ///
    /// # Errors
    /// [`BackupError::File`], [`BackupError::Altered`].
    pub fn open_unfinished(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(BackupError::file(path))?;
        let chunks_end = file.metadata().map_err(BackupError::file(path))?.len();
        Self::at(path, file, chunks_end)
    }

    fn at(path: &Path, mut file: File, chunks_end: u64) -> Result<Self, BackupError> {
        file.seek(SeekFrom::Start(0)).map_err(BackupError::file(path))?;
        let (header, header_bytes) = Header::read(&mut file)?;
        Ok(Self { path: path.to_owned(), file, chunks_end, header, header_bytes })
    }

    /// Opens all chunks into the new file `to`. What was read is told, so that it can be held against the manifest.
    ///
    /// # Errors
    /// [`BackupError::Altered`] where a chunk does not open, [`BackupError::File`].
    pub fn restore(mut self, keys: &Keys, to: &Path) -> Result<Written, BackupError> {
        let out =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(BackupError::file(to))?;
        let mut out = BufWriter::new(out);
        let mut hashing = Hashing::new(());
        hashing.take(&self.header_bytes);
        let mut chunks = Chunks::new(keys, &self.header_bytes)?;
        loop {
            let left = self.chunks_end.checked_sub(hashing.bytes);
            let left = left.ok_or(BackupError::Altered("its header does not fit"))?;
            let is_last = left <= (CHUNK_LEN + TAG_LEN) as u64;
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_LEN + TAG_LEN);
            let chunk = read_up_to(&mut self.file, len).map_err(BackupError::file(&self.path))?;
            hashing.take(&chunk);
            out.write_all(&chunks.open(&chunk, is_last)?).map_err(BackupError::file(to))?;
            if is_last {
                break;
            }
        }
        out.flush().map_err(BackupError::file(to))?;
        Ok(hashing.so_far())
    }
}

#[cfg(test)]
mod tests {
    use secret::{Algorithm, Secret};

    use super::*;

    fn keys(byte: u8) -> Keys {
        Keys::of(Secret::copy_from(&[byte; 64])).unwrap()
    }

    fn header() -> Header {
        let key = DomainKey {
            domain: [1; 16],
            version: 1,
            wrapped: vec![2; 40],
            rot_fingerprint: [3; 32],
            canary: vec![4; 44],
        };
        let keys = Sealed::assemble(Algorithm::AesGcmInHsm, [1; 16], 1, &[5; 12], &[6; 80]).unwrap();
        Header { id: [1; 16], key, keys }
    }

    /// Writes a backup of `content` and returns its bytes and what was written.
    fn backup(folder: &Path, content: &[u8]) -> (Vec<u8>, Written) {
        let (plain, sealed) = (folder.join("plain"), folder.join("sealed"));
        let _ = std::fs::remove_file(&sealed);
        std::fs::write(&plain, content).unwrap();
        let written = write(&plain, &sealed, &header(), &keys(7)).unwrap();
        append_manifest(&sealed, "first\nsecond\n").unwrap();
        (std::fs::read(&sealed).unwrap(), written)
    }

    fn restored(folder: &Path, bytes: &[u8], key: u8) -> Result<(Vec<u8>, Written, String), BackupError> {
        let (path, to) = (folder.join("read"), folder.join("restored"));
        let _ = std::fs::remove_file(&to);
        std::fs::write(&path, bytes).unwrap();
        let (sealing, manifest) = Sealing::open(&path)?;
        let read = sealing.restore(&keys(key), &to)?;
        Ok((std::fs::read(&to).unwrap(), read, manifest))
    }

    #[test]
    fn content_of_every_length_around_a_chunk_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        for len in [0, 1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN, 3 * CHUNK_LEN + 5] {
            let content: Vec<u8> = (0..len).map(|at| at.to_le_bytes()[0]).collect();
            let (bytes, written) = backup(folder.path(), &content);
            let (back, read, manifest) = restored(folder.path(), &bytes, 7).unwrap();
            assert_eq!((back, read, manifest.as_str()), (content, written, "first\nsecond\n"), "{len}");
        }
    }

    #[test]
    fn a_changed_moved_missing_or_foreign_chunk_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, written) = backup(folder.path(), &vec![9; 3 * CHUNK_LEN]);
        let header_len = header().to_bytes().unwrap().len();
        let end = usize::try_from(written.bytes).unwrap();
        for at in (0..end).step_by(997).chain(0..header_len).chain(end - 20..end) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(restored(folder.path(), &changed, 7).is_err(), "byte {at}");
        }
        let chunk = |number: usize| {
            let start = header_len + number * (CHUNK_LEN + TAG_LEN);
            start..start + CHUNK_LEN + TAG_LEN
        };
        let mut swapped = bytes.clone();
        swapped[chunk(0)].copy_from_slice(&bytes[chunk(1)]);
        swapped[chunk(1)].copy_from_slice(&bytes[chunk(0)]);
        let without = |range: std::ops::Range<usize>| [&bytes[..range.start], &bytes[range.end..]].concat();
        for (what, changed) in
            [("swapped", swapped), ("first gone", without(chunk(0))), ("last gone", without(chunk(2)))]
        {
            assert!(matches!(restored(folder.path(), &changed, 7), Err(BackupError::Altered(_))), "{what}");
        }
        assert!(restored(folder.path(), &bytes, 8).is_err(), "another key");
        for len in [0, 3, 16, 100, end, bytes.len() - 1] {
            assert!(restored(folder.path(), &bytes[..len], 7).is_err(), "cut at {len}");
        }
    }
}
