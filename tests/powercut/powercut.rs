//! A folder whose power can be cut: builds the preload library, runs commands under it, restores what was synced.
//!
//! Included by path from the tests that use it. The README beside this file says what is simulated.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// A folder under simulated power.
pub struct PoweredFolder {
    root: PathBuf,
    image: PathBuf,
    library: PathBuf,
}

impl PoweredFolder {
    /// Puts `root` under power; the library and the image go into `scratch`, which must be outside of it.
    pub fn new(root: impl Into<PathBuf>, scratch: &Path) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        let library = scratch.join("powercut.so");
        if !library.exists() {
            build(&library)?;
        }
        Ok(Self { root, image: scratch.join("image"), library })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Makes `command` run under the power of this folder.
    pub fn power<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_PRELOAD", &self.library).env("POWERCUT_ROOT", &self.root).env("POWERCUT_IMAGE", &self.image)
    }

    /// From the `count`-th sync on, the disk of `command` refuses every one.
    pub fn fail_sync<'c>(&self, command: &'c mut Command, count: u32) -> &'c mut Command {
        self.power(command).env("POWERCUT_FAIL_SYNC", count.to_string())
    }

    /// The power comes back: the folder holds what was on the disk. Call it when every process that used the folder
    /// is gone.
    pub fn restore(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.root)?;
        copy(&self.image.join("tree"), &self.root)?;
        fs::remove_dir_all(&self.image)
    }
}

fn build(library: &Path) -> io::Result<()> {
    let script = Path::new(file!()).with_file_name("build.sh");
    // `file!()` is relative to the workspace, tests run in their package.
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(&script)).find(|one| one.exists());
    let script = script.ok_or_else(|| io::Error::other("build.sh of powercut not found"))?;
    let output = Command::new(script).arg(library).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("cannot build powercut: {}", String::from_utf8_lossy(&output.stderr))))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
