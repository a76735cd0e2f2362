//! Files: read within a limit, written whole and never over another.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// Certificates, keys, passwords and key lists; the largest has a few KiB.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Reads a small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let at = |source| Failure::file(path, source);
    let file = File::open(path).map_err(at)?;
    let len = file.metadata().map_err(at)?.len().min(MAX_FILE_LEN);
    // Room for all of it, so that a key is not left behind by growing.
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1);
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        return Err(at(std::io::Error::other("over 1 MiB")));
    }
    Ok(bytes)
}

/// Reads a small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::file(path, std::io::Error::new(std::io::ErrorKind::InvalidData, "not UTF-8")))
}

/// A file that becomes visible under its name only when it is whole. Dropped before, it leaves nothing.
pub(crate) struct NewFile {
    path: PathBuf,
    beside: PathBuf,
    file: File,
    kept: bool,
}

impl NewFile {
    /// Begins a file beside `path`. Unless `replace`, refuses at once where `path` exists.
    pub(crate) fn begin(path: &Path, mode: u32, replace: bool) -> Result<Self, Failure> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(Failure::file(path, std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)
            .map_err(|source| Failure::file(&beside, source))?;
        Ok(Self { path: path.to_owned(), beside, file, kept: false })
    }

    /// Where to write.
    pub(crate) fn writer(&mut self) -> &mut File {
        &mut self.file
    }

    /// Forces it to disk and gives it its name.
    pub(crate) fn keep(mut self) -> Result<(), Failure> {
        self.file.flush().and_then(|()| self.file.sync_all()).map_err(|source| Failure::file(&self.path, source))?;
        fs::rename(&self.beside, &self.path).map_err(|source| Failure::file(&self.path, source))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // There is nobody left to tell.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_seen_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.jsonl");
        let mut file = NewFile::begin(&path, 0o600, true).unwrap();
        file.writer().write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut file = NewFile::begin(&path, 0o600, true).unwrap();
        file.writer().write_all(b"whole").unwrap();
        assert!(!path.exists());
        file.keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(NewFile::begin(&path, 0o600, false).is_err());
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        File::create(&path).unwrap().set_len(MAX_FILE_LEN + 1).unwrap();
        assert!(read(&path).is_err());
        File::create(&path).unwrap().set_len(MAX_FILE_LEN).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, MAX_FILE_LEN);
    }
}
