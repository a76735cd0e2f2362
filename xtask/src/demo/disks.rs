//! Real disk images: an ext4 file system with files in it, and ways to look at one from outside.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use xtask::stage::{children, finish};

use super::story::Failure;

/// Size of an image, in MiB.
pub const IMAGE_MIB: u64 = 64;
/// Bytes of a sector, as ESXi encrypts them.
const SECTOR: usize = 512;

/// The files of a file system and their SHA-256.
pub type Files = BTreeMap<String, String>;

/// Makes an image with a file system full of files; returns what is in it.
pub fn make(image: &Path, tree: &Path) -> Result<Files, Failure> {
    let random = SystemRandom::new();
    fs::create_dir_all(tree.join("var/lib/app"))?;
    fs::create_dir_all(tree.join("etc"))?;
    fs::write(tree.join("etc/hostname"), "web.acme.example\n")?;
    fs::write(tree.join("etc/motd"), "confidential, ".repeat(4_096))?;
    let mut files = Files::new();
    for number in 0..24 {
        let mut bytes = vec![0; 64 << 10 << (number % 4)];
        random.fill(&mut bytes).map_err(|_| Failure::new("no randomness"))?;
        fs::write(tree.join(format!("var/lib/app/{number:02}.dat")), &bytes)?;
    }
    collect(tree, tree, &mut files)?;
    run(children::command(Path::new("/sbin/mkfs.ext4"))
        .args(["-q", "-F", "-L", "acme-web", "-d"])
        .arg(tree)
        .arg(image)
        .arg(format!("{IMAGE_MIB}M")))?;
    Ok(files)
}

/// Whether every sector of `b` differs from the one of `a`; both have the same length.
pub fn every_sector_differs(a: &Path, b: &Path) -> Result<(bool, u64), Failure> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Err(Failure::new("the images differ in length"));
    }
    let (mut left, mut right) = (vec![0; SECTOR * 2048], vec![0; SECTOR * 2048]);
    let mut sectors = 0;
    loop {
        let read = a.read(&mut left)?;
        if read == 0 {
            return Ok((true, sectors));
        }
        b.read_exact(&mut right[..read])?;
        let pairs = left[..read].chunks(SECTOR).zip(right[..read].chunks(SECTOR));
        for (one, other) in pairs {
            if one == other {
                return Ok((false, sectors));
            }
            sectors += 1;
        }
    }
}

/// SHA-256 of a file, in hexadecimal.
pub fn hash(path: &Path) -> Result<String, Failure> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(context.finish())),
            read => context.update(&buffer[..read]),
        }
    }
}

/// Whether `e2fsck` finds nothing to complain about.
pub fn is_clean(image: &Path) -> Result<bool, Failure> {
    Ok(finish(children::command(Path::new("/sbin/e2fsck")).args(["-f", "-n"]).arg(image))?.status.success())
}

/// The files in an image, taken out by `debugfs` into `out`.
pub fn files_in(image: &Path, out: &Path) -> Result<Files, Failure> {
    fs::create_dir_all(out)?;
    run(children::command(Path::new("/sbin/debugfs")).arg("-R").arg(format!("rdump / {}", out.display())).arg(image))?;
    let mut files = Files::new();
    collect(out, out, &mut files)?;
    Ok(files)
}

fn collect(root: &Path, dir: &Path, files: &mut Files) -> Result<(), Failure> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        // Made by mkfs, not by us.
        if path.ends_with("lost+found") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root)?.display().to_string();
            files.insert(name, hash(&path)?);
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let finished = finish(command)?;
    if finished.status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{:?}: {}", command.get_program(), finished.stderr.trim())))
    }
}
