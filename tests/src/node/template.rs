//! One prepared stage per build of the server: the ceremony is held once, and its folder copied for each test.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use xtask::stage::{Programs, Stage, StageOptions};

use super::Result;

/// Copies the template into `folder` and writes the configuration for it.
pub(super) fn copy(programs: &Programs, folder: &Path, options: &StageOptions) -> Result<Stage> {
    let home = programs.dir.join("test-template");
    DirBuilder::new().recursive(true).mode(0o700).create(&home)?;
    // Tests are processes of their own: the first one holds the ceremony, the others wait.
    let lock = File::create(home.join("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let template = prepared(programs, &home)?;
    let stage = folder.join("stage");
    copy_folder(&template, &stage)?;
    drop(lock);
    Ok(Stage::prepare(&stage, options)?)
}

fn prepared(programs: &Programs, home: &Path) -> Result<PathBuf> {
    let (folder, mark) = (home.join("stage"), home.join("made-by"));
    let build = build(&programs.path("kms-server"))?;
    if fs::read_to_string(&mark).is_ok_and(|made_by| made_by == build) {
        return Ok(folder);
    }
    // Left by another build, or by a run that was killed.
    for path in [&folder, &mark] {
        if path.exists() {
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    Stage::prepare(&folder, &StageOptions::default())?.init(programs)?;
    fs::write(&mark, build)?;
    Ok(folder)
}

/// Tells one build of a program from another.
fn build(program: &Path) -> Result<String> {
    let metadata = fs::metadata(program)
        .map_err(|error| format!("{}: {error}; scripts/build-tested builds it", program.display()))?;
    Ok(format!("{} bytes of {}.{:09}", metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// Copies a folder with the modes of everything in it.
///
/// # Errors
/// Of the files.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
