//! Files that are there after a crash: written aside, flushed, and put in place by one rename.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Owner only: configurations hold wrapped keys, and a decrypted copy holds a customer's data.
const MODE: u32 = 0o600;

/// Replaces the file at `path` with `bytes`: afterwards it holds either the old bytes or the new ones, whatever
/// happens meanwhile, and the new ones once this returns.
///
/// # Errors
/// Those of the file system. The old file is untouched; a file `path` + `.new` may stay and is removed next time.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = aside(path);
    // A crash may have left one, and it must not lend this file its mode.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_new(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    flush_folder_of(path)
}

/// Removes what a crash in the middle of [`replace`] left aside.
///
/// # Errors
/// Those of the file system.
pub fn tidy(path: &Path) -> io::Result<()> {
    remove(&aside(path))
}

/// Creates a file that did not exist, for its owner only.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where there is one, a dangling link included; others of the file system.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(path)
}

/// Removes a file if it is there, and makes that last.
///
/// # Errors
/// Those of the file system, but not that there was no file.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => flush_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in the folder of `path` last.
///
/// # Errors
/// Those of the file system.
pub fn flush_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] beyond the limit; others of the file system.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read > limit) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "file is over its limit"));
    }
    Ok(bytes)
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaces_in_one_step_and_leaves_nothing_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vm.json");
        replace(&path, b"first").unwrap();
        // What a crash between writing aside and renaming leaves behind.
        fs::write(aside(&path), b"half a conf").unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"first");
        replace(&path, b"second").unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"second");
        fs::write(aside(&path), b"half a conf").unwrap();
        tidy(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn does_not_create_over_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk_1.raw");
        create_new(&path).unwrap();
        assert_eq!(create_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn reads_up_to_the_limit_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, [0; 10]).unwrap();
        assert_eq!(read(&path, 10).unwrap().len(), 10);
        assert_eq!(read(&path, 9).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn removing_what_is_gone_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        remove(&folder.path().join("gone")).unwrap();
    }
}
