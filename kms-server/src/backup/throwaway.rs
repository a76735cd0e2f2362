//! A folder that goes when it is no longer needed, with all that is in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::BackupError;
use crate::durable;

/// Begins the name of every such folder, so that what a killed process left is found.
const PREFIX: &str = ".throw-away-";

/// A folder of its own that only the node's user can enter. What is restored in it is sealed as in the store.
#[derive(Debug)]
pub struct Throwaway(PathBuf);

impl Throwaway {
    /// Makes one inside `parent`, which is made as well.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn inside(parent: &Path) -> Result<Self, BackupError> {
        let path = parent.join(format!("{PREFIX}{}", uuid::Uuid::new_v4().hyphenated()));
        durable::make_folder(&path).map_err(BackupError::file(&path))?;
        Ok(Self(path))
    }

    /// Removes what a killed process left in `parent`. Nobody else may be at work there.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn sweep(parent: &Path) -> Result<(), BackupError> {
        let entries = match fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(BackupError::file(parent)(error)),
        };
        for entry in entries {
            let path = entry.map_err(BackupError::file(parent))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)) {
                fs::remove_dir_all(&path).map_err(BackupError::file(&path))?;
            }
        }
        Ok(())
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a throw-away folder is left; the next backup removes it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_what_is_in_it_and_so_does_what_was_left() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Throwaway::inside(parent.path()).unwrap();
        fs::write(folder.file("a"), b"x").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        std::mem::forget(Throwaway::inside(parent.path()).unwrap());
        fs::write(parent.path().join("kept"), b"x").unwrap();
        Throwaway::sweep(parent.path()).unwrap();
        let left: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["kept"]);
    }
}
