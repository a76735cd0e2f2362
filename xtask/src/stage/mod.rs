//! A complete node in a folder: tokens, PIN files, PKI, configuration, custodians; then its real processes.
//!
//! `make serve`, `make demo` and the system tests stand on the same stage, so that what the tests prove is what a user
//! gets. Preparing a folder a second time, or after an interruption at any moment, completes what is there.

pub mod children;
pub mod console;
mod folder;
mod processes;
mod witnesses;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use folder::{Member, Stage, StageOptions, TENANTS};
pub use processes::{Addresses, Finished, Programs, Server, finish};
pub use witnesses::{Witness, Witnesses, ZONES};

/// Why the stage cannot be set.
#[derive(Debug, Error)]
pub enum StageError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The throw-away PKI.
    #[error("PKI: {0}")]
    Pki(#[from] certs::CertError),
    /// SoftHSM is not installed.
    #[error("SoftHSM is not installed: run scripts/setup-softhsm")]
    NoSoftHsm,
    /// A program did not start or did not end well.
    #[error("{program}: {what}")]
    Program {
        /// Which.
        program: String,
        /// What happened, with what it wrote.
        what: String,
    },
}

impl StageError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
