//! `kms-server init`: from a configuration to a node that can serve.
//!
//! ```text
//!  1 PINs and tokens      per member: PIN files where absent, the library's copy, the token
//!  2 ceremony             Root of Trust on all members, escrow and shares, protocol, trust anchor, record to sign
//!  3 store                system domain and first administrators
//! ```
//! Each step leaves whole files and finds what an earlier run made, so a second run changes nothing and a run after an
//! interruption goes on where that one stopped. Nothing that could be the only copy of a key is ever overwritten: the
//! papers of a ceremony are written under pending names, get their own once the Root of Trust is complete, and a
//! paper that has its own name stays.

mod members;
pub(crate) mod papers;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use hsm::ceremony::{self, CeremonyError, Custodian, Lock, Protocol};
use rustix::fs::{FlockOperation, flock};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use secret::Secret;
use thiserror::Error;
use zeroize::Zeroize;

use crate::config::{Config, ShareSeal};
use crate::durable;

/// A passphrase file: longer is the wrong file.
pub(crate) const MAX_PASSPHRASE_BYTES: usize = 1_024;
/// A PEM file with one key: longer is the wrong file.
pub(crate) const MAX_KEY_FILE_BYTES: usize = 8_192;

/// Why a node could not be made ready. The next run goes on from there.
#[derive(Debug, Error)]
pub enum InitError {
    /// Another `init` works with the same configuration.
    #[error("another init is running with {}", .0.display())]
    Busy(PathBuf),
    /// A file.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is there and is not what it should be, or absent and cannot be made.
    #[error("{}: {text}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        text: String,
    },
    /// The system has no randomness for a PIN.
    #[error("the system gives no randomness")]
    Randomness,
    /// A token or the ceremony.
    #[error("the ceremony was not completed")]
    Ceremony(#[from] CeremonyError),
}

impl InitError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn content(path: &Path, text: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), text: text.into() }
    }
}

/// Keeps a second `init` away while it lives.
#[derive(Debug)]
pub struct Alone {
    _locked: File,
}

impl Alone {
    /// Locks the configuration file at `path`; the system lets go of the lock when the process ends, however it ends.
    ///
    /// # Errors
    /// [`InitError::Busy`].
    pub fn with(path: &Path) -> Result<Self, InitError> {
        let file = File::open(path).map_err(InitError::file(path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _locked: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(InitError::Busy(path.to_owned())),
            Err(error) => Err(InitError::file(path)(error.into())),
        }
    }
}

/// Step 1: each member's PINs, library and token. Blocks.
///
/// # Errors
/// [`InitError`].
pub fn prepare_tokens(config: &Config, say: &mut dyn FnMut(fmt::Arguments<'_>)) -> Result<(), InitError> {
    config.hsm.members.iter().try_for_each(|member| members::prepare(member, &config.hsm.library, say))
}

/// Steps 1 and 2: everything that concerns the HSM. Blocks. `say` gets a line per step when the step is done.
///
/// # Errors
/// [`InitError`].
pub fn prepare_hsm(
    config: &Config,
    group: &hsm::GroupConfig,
    say: &mut dyn FnMut(fmt::Arguments<'_>),
) -> Result<Protocol, InitError> {
    prepare_tokens(config, say)?;
    let papers = papers::Papers::of(&config.ceremony);
    let custodians = if papers.are_filed() { Vec::new() } else { custodians(config)? };
    say(format_args!("ceremony: on {} members, this takes a few seconds", group.members.len()));
    let protocol =
        ceremony::hold(group, &custodians, config.ceremony.threshold, &mut |protocol| papers.deliver(protocol))?;
    papers.file(&protocol)?;
    if let Some(record) = crate::ceremony::record_of_making(config, &protocol)? {
        say(format_args!("ceremony: record for the custodians to sign: {}", record.display()));
    }
    let done = if protocol.kept { "verified" } else { "made" };
    let fingerprint = hex::encode(protocol.trust_anchor.rot_fingerprint);
    say(format_args!("ceremony: Root of Trust {fingerprint} {done} on {} members", protocol.members.len()));
    for member in &protocol.members {
        say(format_args!("ceremony: {} refused all {} attacks on its keys", member.label, member.attempts.len()));
    }
    Ok(protocol)
}

fn custodians(config: &Config) -> Result<Vec<Custodian>, InitError> {
    config
        .ceremony
        .custodians
        .iter()
        .map(|custodian| {
            let missing = |path: &Path| InitError::content(path, "the ceremony needs it");
            let lock = match &custodian.seal {
                ShareSeal::Passphrase(path) => {
                    Lock::Passphrase(read_secret(path, MAX_PASSPHRASE_BYTES)?.ok_or_else(|| missing(path))?)
                }
                ShareSeal::PublicKey(path) => {
                    let pem = durable::read(path, MAX_KEY_FILE_BYTES).map_err(InitError::file(path))?;
                    let key = SubjectPublicKeyInfoDer::from_pem_slice(&pem.ok_or_else(|| missing(path))?)
                        .map_err(|_| InitError::content(path, "a public key in PEM is wanted"))?;
                    Lock::PublicKey(key.to_vec())
                }
            };
            Ok(Custodian { name: custodian.name.clone(), lock })
        })
        .collect()
}

/// The content of a file without a trailing line end; none if there is no file, an error if it is empty.
pub(crate) fn read_secret(path: &Path, limit: usize) -> Result<Option<Secret>, InitError> {
    let Some(mut bytes) = durable::read(path, limit).map_err(InitError::file(path))? else { return Ok(None) };
    while let Some(b'\n' | b'\r') = bytes.last() {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(InitError::content(path, "empty"));
    }
    let secret = Secret::copy_from(&bytes);
    bytes.zeroize();
    Ok(Some(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_init_is_refused_while_the_first_runs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let first = Alone::with(file.path()).unwrap();
        assert!(matches!(Alone::with(file.path()), Err(InitError::Busy(_))));
        drop(first);
        Alone::with(file.path()).unwrap();
    }

    #[test]
    fn a_secret_file_loses_its_line_end_and_nothing_else() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " correct horse \r\n\n").unwrap();
        assert_eq!(read_secret(file.path(), 100).unwrap().unwrap().expose(), b" correct horse ");
        std::fs::write(file.path(), "\n").unwrap();
        assert!(matches!(read_secret(file.path(), 100), Err(InitError::Content { .. })));
        assert!(read_secret(Path::new("/nowhere/at/all"), 100).unwrap().is_none());
        std::fs::write(file.path(), "12345").unwrap();
        assert!(matches!(read_secret(file.path(), 4), Err(InitError::File { .. })));
    }
}
