//! What lies in a stage's folder, and how it comes there.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::StageError;

/// The demo's tenants; the first two under policy `anssi`, the third under `legacy`.
pub const TENANTS: [&str; 3] = ["acme", "boreal", "cobalt"];

/// The three HSM members, in the order in which they are asked.
const MEMBERS: [&str; 3] = ["PAR7S", "TH3S", "AZ07"];
/// The three custodians, two of whom rebuild the escrow key.
const CUSTODIANS: [&str; 3] = ["custodian1", "custodian2", "custodian3"];
/// Where Debian's package puts the module: here, or in a folder here that is named after the architecture.
const LIBRARIES: &str = "/usr/lib";
/// The module below one of these folders.
const SOFTHSM_MODULE: &str = "softhsm/libsofthsm2.so";
/// Random bytes of a custodian's throw-away passphrase.
const PASSPHRASE_BYTES: usize = 24;

/// What a stage may differ in.
#[derive(Clone, Debug)]
pub struct StageOptions {
    /// KMIP listener; port 0 lets the system choose.
    pub kmip: SocketAddr,
    /// Admin listener.
    pub admin: SocketAddr,
    /// Lines for the `[limits]` section.
    pub limits: Vec<(String, u64)>,
    /// Least severe log level, `info` or `debug`.
    pub log_level: String,
    /// Whole sections for the end of the configuration, as TOML.
    pub sections: String,
}

impl Default for StageOptions {
    /// Both on loopback, ports chosen by the system.
    fn default() -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            kmip: any_port,
            admin: any_port,
            limits: Vec::new(),
            log_level: "info".to_owned(),
            sections: String::new(),
        }
    }
}

/// One HSM member's files.
#[derive(Clone, Debug)]
pub struct Member {
    /// Token label.
    pub label: &'static str,
    /// Its own copy of the module.
    pub module: PathBuf,
}

/// A prepared folder.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The folder.
    pub dir: PathBuf,
    /// The members.
    pub members: Vec<Member>,
}

impl Stage {
    /// Makes the folder complete, or leaves it as it is where it was.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn prepare(dir: &Path, options: &StageOptions) -> Result<Self, StageError> {
        private_folder(dir)?;
        let dir = dir.canonicalize().map_err(StageError::file(dir))?;
        for name in ["tokens", "hsm", "ceremony", "escrow", "custodians", "store"] {
            private_folder(&dir.join(name))?;
        }
        certs::write_demo_pki(&dir.join("pki"), &TENANTS)?;
        let library = softhsm_module(Path::new(LIBRARIES)).ok_or(StageError::NoSoftHsm)?;
        let members: Vec<Member> =
            MEMBERS.into_iter().map(|label| Member { label, module: dir.join(format!("hsm/{label}.so")) }).collect();
        write(
            &dir.join("softhsm2.conf"),
            &format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
                dir.join("tokens").display()
            ),
        )?;
        for custodian in CUSTODIANS {
            let passphrase = dir.join(format!("custodians/{custodian}.pass"));
            if !passphrase.exists() {
                write(&passphrase, &random_text()?)?;
            }
        }
        let stage = Self { dir, members };
        write(&stage.config(), &stage.configuration(&library, options))?;
        Ok(stage)
    }

    /// The configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("kms-server.toml")
    }

    /// The SQLite file.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.dir.join("store/clavis.sqlite")
    }

    /// The throw-away PKI.
    #[must_use]
    pub fn pki(&self) -> PathBuf {
        self.dir.join("pki")
    }

    /// The public trust anchor that `init` wrote.
    #[must_use]
    pub fn trust_anchor(&self) -> PathBuf {
        self.dir.join("ceremony/trust-anchor.json")
    }

    fn configuration(&self, library: &Path, options: &StageOptions) -> String {
        let mut text = format!(
            "# Written by the set-up; your changes here are overwritten at the next start.\n\
             [node]\nname = \"clavis-demo\"\n\n\
             [kmip]\nlisten = \"{}\"\ncertificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\n\n\
             [admin]\nlisten = \"{}\"\ncertificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\n\n\
             [store]\npath = \"store/clavis.sqlite\"\n\n\
             [log]\nformat = \"json\"\nlevel = \"{}\"\n\n\
             [hsm]\nlibrary = \"{}\"\n",
            options.kmip,
            options.admin,
            options.log_level,
            library.display(),
        );
        for Member { label, .. } in &self.members {
            let _ = write!(
                text,
                "\n[[hsm.members]]\nlabel = \"{label}\"\nvendor = \"softhsm\"\nmodule = \"hsm/{label}.so\"\n\
                 pin_file = \"hsm/{label}.pin\"\nso_pin_file = \"hsm/{label}.so-pin\"\n"
            );
        }
        text.push_str("\n[ceremony]\nthreshold = 2\n");
        for custodian in CUSTODIANS {
            let _ = write!(
                text,
                "\n[[ceremony.custodians]]\nname = \"{custodian}\"\npassphrase_file = \"custodians/{custodian}.pass\"\n\
                 share = \"custodians/{custodian}.share\"\n"
            );
        }
        for (name, role) in [
            ("operator", "operator"),
            ("officer1", "officer"),
            ("officer2", "officer"),
            ("officer3", "officer"),
            ("auditor", "auditor"),
        ] {
            let _ = write!(
                text,
                "\n[[administrators]]\nname = \"{name}\"\nrole = \"{role}\"\ncertificate = \"pki/admin/{name}.pem\"\n"
            );
        }
        if !options.limits.is_empty() {
            text.push_str("\n[limits]\n");
            for (name, value) in &options.limits {
                let _ = writeln!(text, "{name} = {value}");
            }
        }
        if !options.sections.is_empty() {
            text.push('\n');
            text.push_str(&options.sections);
        }
        text
    }
}

/// The SoftHSM module below `libraries`, found as `scripts/setup-softhsm` finds it.
fn softhsm_module(libraries: &Path) -> Option<PathBuf> {
    let mut of_architectures: Vec<PathBuf> =
        fs::read_dir(libraries).ok()?.filter_map(|entry| Some(entry.ok()?.path().join(SOFTHSM_MODULE))).collect();
    of_architectures.sort();
    std::iter::once(libraries.join(SOFTHSM_MODULE)).chain(of_architectures).find(|path| path.is_file())
}

fn private_folder(dir: &Path) -> Result<(), StageError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StageError::file(dir))
}

/// Writes a file whole or not at all, readable by its owner only.
fn write(path: &Path, text: &str) -> Result<(), StageError> {
    let part = path.with_extension("part");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .map_err(StageError::file(&part))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(StageError::file(&part))?;
    fs::rename(&part, path).map_err(StageError::file(path))
}

fn random_text() -> Result<String, StageError> {
    let mut bytes = [0; PASSPHRASE_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StageError::Program { program: "randomness".to_owned(), what: "none to be had".to_owned() })?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_for_any_architecture() {
        let libraries = tempfile::tempdir().unwrap();
        assert_eq!(softhsm_module(libraries.path()), None);
        let put = |folder: &str| {
            let folder = libraries.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("libsofthsm2.so"), "").unwrap();
            folder.join("libsofthsm2.so")
        };
        let of_architecture = put("riscv64-linux-gnu/softhsm");
        assert_eq!(softhsm_module(libraries.path()), Some(of_architecture));
        let plain = put("softhsm");
        assert_eq!(softhsm_module(libraries.path()), Some(plain));
    }
}
