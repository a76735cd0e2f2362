//! Rewriting a VM's disks into new files, so that a crash at any moment leaves either the old VM or the new one.
//!
//! ```text
//!  intent written ─ disks copied ─┬─ configuration replaced ─┬─ old files removed ─ intent removed
//!        the VM is the old one    │      the one switch      │      the VM is the new one
//! ```
//! Every arrow is durable before the next begins. [`tidy`] ends both halves: it removes whatever the configuration
//! does not name.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::config::VmConfig;
use super::error::HostError;
use super::intent::Intent;
use crate::disk::{DiskCipher, Image, ImageError, Interrupted, Pace, durable};

/// How many names beside a disk are tried before giving up: a disk that was rewritten that often has a mess beside it.
const MAX_NAMES: u32 = 10_000;

/// The points between which a crash can fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The names of old and new files are written down.
    IntentWritten,
    /// One disk is copied and flushed.
    DiskCopied,
    /// The configuration names the new files.
    ConfigurationReplaced,
    /// A file that the configuration does not name is gone.
    LeftoverRemoved,
}

/// Follows a rewrite, and may stop it.
pub trait Watch: Pace {
    /// A step is done and durable.
    ///
    /// # Errors
    /// [`Interrupted`] to stop there.
    fn reached(&self, step: Step) -> Result<(), Interrupted>;
}

/// Where a VM's own files lie.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The configuration.
    pub config: PathBuf,
    /// The intent.
    pub intent: PathBuf,
}

impl Paths {
    /// In the VM's folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { config: folder.join("vm.json"), intent: folder.join("intent.json") }
    }
}

/// New names beside the VM's disk files: `web.raw`, `web_1.raw`, `web_2.raw` and so on, as vSphere does.
///
/// # Errors
/// [`HostError::NoFreeName`].
pub fn new_names(config: &VmConfig) -> Result<Vec<PathBuf>, HostError> {
    config.disks.iter().map(|disk| new_name(&disk.file_name)).collect()
}

fn new_name(old: &Path) -> Result<PathBuf, HostError> {
    let stem = old.file_stem().unwrap_or_default().to_string_lossy();
    let base = match stem.rsplit_once('_') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => &stem,
    };
    let extension = old.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    (1..MAX_NAMES)
        .map(|number| old.with_file_name(format!("{base}_{number}{extension}")))
        .find(|candidate| candidate.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound))
        .ok_or_else(|| HostError::NoFreeName(old.to_owned()))
}

/// Whether each file system has room for second copies of the disks on it.
///
/// # Errors
/// [`HostError::NoDiskSpace`]; those of the file system.
pub fn check_space(config: &VmConfig) -> Result<(), HostError> {
    let mut per_device: BTreeMap<u64, (&Path, u64)> = BTreeMap::new();
    for disk in &config.disks {
        let device = std::fs::metadata(&disk.file_name).map_err(HostError::io(&disk.file_name))?.dev();
        let (_, needed) = per_device.entry(device).or_insert((&disk.file_name, 0));
        *needed = needed.saturating_add(disk.capacity);
    }
    for (file, needed) in per_device.into_values() {
        let folder = file.parent().unwrap_or(Path::new("/"));
        let system = rustix::fs::statvfs(folder).map_err(|errno| HostError::io(folder)(errno.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if needed > free {
            return Err(HostError::NoDiskSpace { file: file.to_owned(), needed, free });
        }
    }
    Ok(())
}

/// What a rewrite reads and writes.
pub struct Rewrite<'a> {
    /// Where the VM's own files lie.
    pub paths: &'a Paths,
    /// What the VM is.
    pub old: &'a VmConfig,
    /// What it will be; disk by disk as in `old`, in files that do not exist.
    pub new: &'a VmConfig,
    /// Decrypts the old disks; empty while they are in clear.
    pub from: &'a [DiskCipher],
    /// Encrypts the new disks.
    pub to: &'a [DiskCipher],
}

impl Rewrite<'_> {
    /// Does all up to and with the switch. Leftovers stay, of the one side or the other, for [`tidy`].
    ///
    /// # Errors
    /// [`HostError`]; which side the VM is on then is what the configuration on disk says.
    pub fn switch(&self, watch: &dyn Watch) -> Result<(), HostError> {
        let disks = self.old.disks.iter().chain(&self.new.disks);
        let mut intent = Intent { files: disks.map(|disk| disk.file_name.clone()).collect() };
        intent.save(&self.paths.intent).map_err(HostError::io(&self.paths.intent))?;
        watch.reached(Step::IntentWritten)?;
        for (number, (old, new)) in self.old.disks.iter().zip(&self.new.disks).enumerate() {
            let image = Image::open(&old.file_name)?;
            if image.len() != old.capacity {
                return Err(ImageError::Length { path: old.file_name.clone(), len: image.len() }.into());
            }
            let copied = image.copy(self.from.get(number), self.to.get(number), &new.file_name, watch);
            if let Err(ImageError::Io { source, .. }) = &copied
                && source.kind() == io::ErrorKind::AlreadyExists
            {
                // Somebody else made this file since its name was chosen, so it is not ours to remove.
                intent.files.remove(&new.file_name);
                intent.save(&self.paths.intent).map_err(HostError::io(&self.paths.intent))?;
            }
            copied?;
            watch.reached(Step::DiskCopied)?;
        }
        self.new.save(&self.paths.config)?;
        Ok(watch.reached(Step::ConfigurationReplaced)?)
    }
}

/// Removes what an intent names and the configuration does not, then the intent. Without an intent there is
/// nothing to remove but half-written files of these two.
///
/// # Errors
/// Those of the file system; what is left is removed next time.
pub fn tidy(paths: &Paths, config: &VmConfig, watch: &dyn Watch) -> Result<(), HostError> {
    for path in [&paths.config, &paths.intent] {
        durable::tidy(path).map_err(HostError::io(path))?;
    }
    let Some(intent) = Intent::load(&paths.intent).map_err(HostError::io(&paths.intent))? else { return Ok(()) };
    for leftover in intent.leftovers(config) {
        durable::remove(leftover).map_err(HostError::io(leftover))?;
        watch.reached(Step::LeftoverRemoved)?;
    }
    durable::remove(&paths.intent).map_err(HostError::io(&paths.intent))
}

/// Watches nothing and stops nothing.
pub struct Unwatched;

impl Pace for Unwatched {
    fn copied(&self, _: u64) -> Result<(), Interrupted> {
        Ok(())
    }
}

impl Watch for Unwatched {
    fn reached(&self, _: Step) -> Result<(), Interrupted> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use ring::rand::SystemRandom;
    use uuid::Uuid;

    use super::*;
    use crate::disk::DiskKey;
    use crate::host::bundle::Bundle;
    use crate::key::CryptoKeyId;

    /// Cuts the work off after so many events, as a crash would: nothing after that runs, nothing is cleaned up.
    struct CutAfter(Cell<u32>);

    impl CutAfter {
        fn event(&self) -> Result<(), Interrupted> {
            let left = self.0.get().checked_sub(1).ok_or(Interrupted)?;
            self.0.set(left);
            Ok(())
        }
    }

    impl Pace for CutAfter {
        fn copied(&self, _: u64) -> Result<(), Interrupted> {
            self.event()
        }
    }

    impl Watch for CutAfter {
        fn reached(&self, _: Step) -> Result<(), Interrupted> {
            self.event()
        }
    }

    struct World {
        _folder: tempfile::TempDir,
        paths: Paths,
        old: VmConfig,
        new: VmConfig,
        ciphers: Vec<DiskCipher>,
        plain: Vec<Vec<u8>>,
    }

    /// A VM with two disks of three chunks together, and a foreign file beside them.
    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(folder.path());
        let plain = vec![vec![7; (1 << 20) + 512], vec![9; 1024]];
        let mut disks = Vec::new();
        for (name, bytes) in ["a.raw", "b_7.raw"].iter().zip(&plain) {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            disks.push((file, bytes.len() as u64));
        }
        fs::write(folder.path().join("a_1.raw"), b"foreign").unwrap();
        let old = VmConfig::clear("vm".parse().unwrap(), Uuid::from_u128(0x42), disks);
        old.save(&paths.config).unwrap();
        let deks: Vec<DiskKey> = (0..2).map(|_| DiskKey::generate(&SystemRandom::new()).unwrap()).collect();
        let key = CryptoKeyId::new("3", "clavis".parse().unwrap()).unwrap();
        let new = old.encrypted(new_names(&old).unwrap(), &Bundle { key, wrapped: vec![vec![1; 93]; 2] });
        World { _folder: folder, paths, old, new, ciphers: deks.iter().map(DiskKey::cipher).collect(), plain }
    }

    impl World {
        fn run(&self, watch: &dyn Watch) -> Result<(), HostError> {
            let rewrite = Rewrite { paths: &self.paths, old: &self.old, new: &self.new, from: &[], to: &self.ciphers };
            rewrite.switch(watch)?;
            tidy(&self.paths, &VmConfig::load(&self.paths.config)?, watch)
        }

        /// The VM reads as it should, and no file lies about but its own and the foreign one.
        fn assert_whole(&self, config: &VmConfig) {
            for (number, (disk, plain)) in config.disks.iter().zip(&self.plain).enumerate() {
                let cipher = config.key_id.as_ref().map(|_| &self.ciphers[number]);
                let image = Image::open(&disk.file_name).unwrap();
                assert!(*image.read(cipher, 0, image.len()).unwrap() == *plain, "disk {number}");
            }
            let mut expected: Vec<PathBuf> = config.disks.iter().map(|disk| disk.file_name.clone()).collect();
            let folder = self.paths.config.parent().unwrap();
            expected.extend([self.paths.config.clone(), folder.join("a_1.raw")]);
            let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected);
            assert_eq!(fs::read(folder.join("a_1.raw")).unwrap(), b"foreign");
        }
    }

    #[test]
    fn a_crash_at_any_step_leaves_the_old_vm_or_the_new_one() {
        let (mut old, mut new) = (0, 0);
        for events in 0.. {
            let world = world();
            let ran = world.run(&CutAfter(Cell::new(events)));
            // The next start: whatever the configuration says is the VM, the rest goes.
            let config = VmConfig::load(&world.paths.config).unwrap();
            tidy(&world.paths, &config, &Unwatched).unwrap();
            world.assert_whole(&config);
            if config == world.old {
                old += 1
            } else {
                new += 1
            }
            assert!(config == world.old || config == world.new);
            if ran.is_ok() {
                break;
            }
        }
        // Intent, three chunks, two disks before the switch; the switch itself, two removals and the end after it.
        assert_eq!((old, new), (6, 4));
    }

    #[test]
    fn a_crash_while_tidying_up_is_tidied_up_too() {
        for events in 0..2 {
            let world = world();
            assert!(world.run(&CutAfter(Cell::new(7))).is_err());
            let config = VmConfig::load(&world.paths.config).unwrap();
            assert!(tidy(&world.paths, &config, &CutAfter(Cell::new(events))).is_err());
            tidy(&world.paths, &config, &Unwatched).unwrap();
            world.assert_whole(&world.new);
        }
    }

    #[test]
    fn a_file_that_appears_under_a_chosen_name_is_not_removed() {
        let world = world();
        let taken = &world.new.disks[1].file_name;
        fs::write(taken, b"somebody else's").unwrap();
        assert!(world.run(&Unwatched).is_err());
        tidy(&world.paths, &world.old, &Unwatched).unwrap();
        assert_eq!(fs::read(taken).unwrap(), b"somebody else's");
        fs::remove_file(taken).unwrap();
        world.assert_whole(&world.old);
    }

    #[test]
    fn new_names_count_up_and_pass_over_what_exists() {
        let world = world();
        let names: Vec<_> = world.new.disks.iter().map(|disk| disk.file_name.file_name().unwrap()).collect();
        assert_eq!(names, ["a_2.raw", "b_1.raw"]);
    }

    #[test]
    fn a_disk_that_changed_its_size_is_not_copied() {
        let world = world();
        fs::write(&world.old.disks[0].file_name, [7; 512]).unwrap();
        assert!(matches!(world.run(&Unwatched), Err(HostError::Image(ImageError::Length { .. }))));
    }

    #[test]
    fn disks_that_do_not_fit_twice_are_refused() {
        let mut world = world();
        check_space(&world.old).unwrap();
        world.old.disks[1].capacity = 1 << 62;
        assert!(matches!(check_space(&world.old), Err(HostError::NoDiskSpace { .. })));
    }
}
