//! A raw disk image: read through its cipher, or copied sector by sector into a new file under another.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::durable;
use super::xts::DiskCipher;
use crate::limits::{COPY_CHUNK, MAX_DISK, SECTOR};

/// Why an image cannot be used.
#[derive(Debug, Error)]
pub enum ImageError {
    /// The file system refused.
    #[error("disk image {path}")]
    Io {
        /// The image.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not a regular file.
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    /// Its length is not a whole number of sectors, or zero, or over the limit.
    #[error("{path} has {len} bytes, which is not a disk of whole sectors")]
    Length {
        /// The image.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
    },
    /// A range that does not lie inside the disk.
    #[error("bytes {offset}+{len} do not lie inside a disk of {size} bytes")]
    Range {
        /// First byte.
        offset: u64,
        /// Number of bytes.
        len: u64,
        /// Bytes of the disk.
        size: u64,
    },
    /// The copy was told to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Work was told to stop before it was done; what it left is tidied up by whoever told it, or at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stopped before it was done")]
pub struct Interrupted;

/// Told how far a copy is, and says whether it may go on.
pub trait Pace {
    /// `bytes` more are written, not yet flushed.
    ///
    /// # Errors
    /// [`Interrupted`] to stop the copy where it stands.
    fn copied(&self, bytes: u64) -> Result<(), Interrupted>;
}

/// An open image.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Image {
    /// Opens an image for reading.
    ///
    /// # Errors
    /// [`ImageError`] for what is not a disk.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let failed = |source| ImageError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(ImageError::NotAFile(path.to_owned()));
        }
        let len = metadata.len();
        if len == 0 || len > MAX_DISK || !len.is_multiple_of(SECTOR as u64) {
            return Err(ImageError::Length { path: path.to_owned(), len });
        }
        Ok(Self { path: path.to_owned(), file, len })
    }

    /// Bytes of the disk.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Never: a disk has at least one sector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads `len` bytes from `offset`, decrypted with `cipher` if there is one. Neither needs to be aligned.
    ///
    /// # Errors
    /// [`ImageError::Range`] beyond the end; the file system's. The caller limits `len`.
    pub fn read(&self, cipher: Option<&DiskCipher>, offset: u64, len: u64) -> Result<Zeroizing<Vec<u8>>, ImageError> {
        let sector = SECTOR as u64;
        let range = ImageError::Range { offset, len, size: self.len };
        let Some(end) = offset.checked_add(len).filter(|end| *end <= self.len) else { return Err(range) };
        let (first, last) = (offset / sector, end.div_ceil(sector));
        // Lengths fit: `end` is inside the disk, and on 64 bits every disk's length is a usize.
        let Ok(area_len) = usize::try_from(last.saturating_sub(first) * sector) else { return Err(range) };
        let (Ok(skip), Ok(take)) = (usize::try_from(offset - first * sector), usize::try_from(len)) else {
            return Err(range);
        };
        let mut area = Zeroizing::new(vec![0; area_len]);
        self.file.read_exact_at(&mut area, first * sector).map_err(|source| self.failed(source))?;
        if let Some(cipher) = cipher {
            cipher.decrypt(first, &mut area);
        }
        area.copy_within(skip..skip + take, 0);
        area.truncate(take);
        Ok(area)
    }

    /// Copies the whole disk into the new file `target`, decrypting with `from` and encrypting with `to` where given.
    /// When this returns, the new file and its name are durable; the old file is as it was.
    ///
    /// # Errors
    /// [`ImageError`]. A part of the new file may be left behind, which is the caller's to remove.
    pub fn copy(
        &self,
        from: Option<&DiskCipher>,
        to: Option<&DiskCipher>,
        target: &Path,
        pace: &dyn Pace,
    ) -> Result<(), ImageError> {
        let failed = |source| ImageError::Io { path: target.to_owned(), source };
        let copy = durable::create_new(target).map_err(failed)?;
        let mut chunk = Zeroizing::new(vec![0; COPY_CHUNK]);
        let mut at = 0;
        while at < self.len {
            let left = usize::try_from(self.len - at).unwrap_or(COPY_CHUNK);
            let area = &mut chunk[..left.min(COPY_CHUNK)];
            self.file.read_exact_at(area, at).map_err(|source| self.failed(source))?;
            let first = at / SECTOR as u64;
            if let Some(cipher) = from {
                cipher.decrypt(first, area);
            }
            if let Some(cipher) = to {
                cipher.encrypt(first, area);
            }
            copy.write_all_at(area, at).map_err(failed)?;
            at += area.len() as u64;
            pace.copied(area.len() as u64)?;
        }
        copy.sync_all().map_err(failed)?;
        durable::flush_folder_of(target).map_err(failed)
    }

    fn failed(&self, source: io::Error) -> ImageError {
        ImageError::Io { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use ring::rand::SystemRandom;

    use super::*;
    use crate::disk::DiskKey;

    struct StopAfter(Cell<u64>);

    impl Pace for StopAfter {
        fn copied(&self, _: u64) -> Result<(), Interrupted> {
            let left = self.0.get().checked_sub(1).ok_or(Interrupted)?;
            self.0.set(left);
            Ok(())
        }
    }

    fn forever() -> StopAfter {
        StopAfter(Cell::new(u64::MAX))
    }

    /// A disk that is not a whole number of chunks, with every sector alike, so that only the tweak tells them apart.
    fn plain(folder: &Path) -> (PathBuf, Vec<u8>) {
        let path = folder.join("plain.raw");
        let bytes: Vec<u8> = (0..COPY_CHUNK + 3 * SECTOR).map(|at| u8::try_from(at % SECTOR % 251).unwrap()).collect();
        fs::write(&path, &bytes).unwrap();
        (path, bytes)
    }

    #[test]
    fn every_sector_of_the_copy_differs_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = plain(folder.path());
        let cipher = DiskKey::generate(&SystemRandom::new()).unwrap().cipher();
        let target = folder.path().join("plain_1.raw");
        Image::open(&path).unwrap().copy(None, Some(&cipher), &target, &forever()).unwrap();

        let encrypted = fs::read(&target).unwrap();
        assert_eq!(encrypted.len(), bytes.len());
        let mut sectors: Vec<&[u8]> = encrypted.chunks(SECTOR).collect();
        assert!(sectors.iter().zip(bytes.chunks(SECTOR)).all(|(new, old)| *new != old));
        sectors.sort_unstable();
        sectors.dedup();
        assert_eq!(sectors.len(), bytes.len() / SECTOR, "equal sectors were encrypted alike");

        let image = Image::open(&target).unwrap();
        let back = image.read(Some(&cipher), 0, image.len()).unwrap();
        assert!(*back == bytes);
    }

    #[test]
    fn reads_need_no_alignment() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = plain(folder.path());
        let cipher = DiskKey::generate(&SystemRandom::new()).unwrap().cipher();
        let target = folder.path().join("plain_1.raw");
        Image::open(&path).unwrap().copy(None, Some(&cipher), &target, &forever()).unwrap();
        let image = Image::open(&target).unwrap();
        let end = bytes.len();
        for (offset, len) in [(0, 1), (511, 2), (513, 1000), (end - 1, 1), (end, 0), (0, 0), (1024, 512)] {
            let read = image.read(Some(&cipher), offset as u64, len as u64).unwrap();
            assert!(*read == bytes[offset..offset + len], "{offset}+{len}");
        }
        for (offset, len) in [(end as u64, 1), (u64::MAX, 1), (1, u64::MAX)] {
            assert!(matches!(image.read(None, offset, len), Err(ImageError::Range { .. })));
        }
    }

    #[test]
    fn a_stopped_copy_leaves_the_source_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = plain(folder.path());
        let target = folder.path().join("plain_1.raw");
        let stopped = Image::open(&path).unwrap().copy(None, None, &target, &StopAfter(Cell::new(1)));
        assert!(matches!(stopped, Err(ImageError::Interrupted(Interrupted))));
        assert!(fs::read(&path).unwrap() == bytes);
    }

    #[test]
    fn what_is_not_a_disk_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Image::open(folder.path()), Err(ImageError::NotAFile(_))));
        assert!(matches!(Image::open(&folder.path().join("none")), Err(ImageError::Io { .. })));
        for len in [0, 1, SECTOR + 1] {
            let path = folder.path().join("odd.raw");
            fs::write(&path, vec![0; len]).unwrap();
            assert!(matches!(Image::open(&path), Err(ImageError::Length { .. })), "{len}");
        }
    }
}
