//! What the process ends with. Scripts rely on these numbers; they never change their meaning.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use admin_api::{ClientError, ErrorCode};
use thiserror::Error;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed that none of the others names: a fault of the server, an answer that makes no sense.
    Failed = 1,
    /// The command line, a file it names, or the connection's settings cannot be used.
    Usage = 2,
    /// No such domain, client or object.
    NotFound = 3,
    /// This administrator may not, or is none.
    Refused = 4,
    /// The server cannot be reached, is not trusted, or is busy; later it may work.
    Unreachable = 5,
    /// What was to be verified is not what it claims to be.
    NotVerified = 6,
    /// It exists already, or its state does not allow it.
    Conflict = 7,
    /// The node or its HSM group answered, and is not well.
    NotWell = 8,
}

/// The table for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: a fault of the server, an unexpected answer, output that cannot be written
  2  usage: the command line, a file it names, or the connection's settings cannot be used
  3  not found: no such domain, client or object
  4  refused: this administrator may not, or the certificate belongs to none
  5  unreachable: nobody answers, the server is not trusted, or it is busy; later it may work
  6  not verified: what was to be verified is not what it claims to be
  7  conflict: it exists already, or its state does not allow it
  8  not well: the node answered, and a check of its health failed";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Wrong use of the command line.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// Standard output is closed or full.
    #[error("cannot write the output: {0}")]
    Output(#[source] std::io::Error),
    /// The API call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// A bundle does not verify.
    #[error("not verified: {0}")]
    NotVerified(String),
    /// The log has no record of what was asked for.
    #[error("{0}")]
    NoRecord(String),
    /// A check of the node's health failed; the output says which.
    #[error("{0}")]
    NotWell(String),
}

impl Failure {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn code(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::File { .. } => Exit::Usage,
            Self::Output(_) => Exit::Failed,
            Self::NotVerified(_) => Exit::NotVerified,
            Self::NoRecord(_) => Exit::NotFound,
            Self::NotWell(_) => Exit::NotWell,
            Self::Call(error) => of_call(error),
        }
    }
}

fn of_call(error: &ClientError) -> Exit {
    match error {
        ClientError::Configuration(_) => Exit::Usage,
        ClientError::Unreachable(_) | ClientError::Deadline(_) | ClientError::ServerNotTrusted(_) => Exit::Unreachable,
        ClientError::CertificateRefused(_) => Exit::Refused,
        ClientError::Answer(_) | ClientError::Write(_) => Exit::Failed,
        ClientError::Refused { detail, .. } => match detail.code {
            ErrorCode::NotFound => Exit::NotFound,
            ErrorCode::Unauthenticated | ErrorCode::Forbidden => Exit::Refused,
            ErrorCode::Conflict | ErrorCode::WrongState => Exit::Conflict,
            ErrorCode::Timeout | ErrorCode::Unavailable => Exit::Unreachable,
            ErrorCode::BadRequest | ErrorCode::TooLarge => Exit::Usage,
            ErrorCode::MethodNotAllowed | ErrorCode::Internal | ErrorCode::Unknown => Exit::Failed,
        },
    }
}

/// Help and version go to standard output and are no failure; a wrong command line is told in one line.
pub(crate) fn of_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe behind `--help` is nobody's fault.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    // The parser's first paragraph says what is wrong; usage and tips follow.
    let first: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let first = first.join(" ");
    eprintln!("kmsctl: {} (kmsctl --help says more)", first.strip_prefix("error: ").unwrap_or(&first));
    Exit::Usage.into()
}

#[cfg(test)]
mod tests {
    use admin_api::ErrorDetail;

    use super::*;

    #[test]
    fn the_help_names_every_code_and_no_other() {
        let all = [
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::Refused,
            Exit::Unreachable,
            Exit::NotVerified,
            Exit::Conflict,
            Exit::NotWell,
        ];
        for exit in all {
            assert!(EXIT_CODES.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
        assert_eq!(EXIT_CODES.lines().count(), 1 + 1 + all.len());
    }

    #[test]
    fn every_code_of_the_api_has_an_exit_of_its_own_kind() {
        let exit = |code: ErrorCode| {
            let detail = ErrorDetail { code, message: String::new() };
            Failure::from(ClientError::Refused { status: code.status(), detail }).code()
        };
        assert_eq!(exit(ErrorCode::NotFound), Exit::NotFound);
        assert_eq!(exit(ErrorCode::Forbidden), Exit::Refused);
        assert_eq!(exit(ErrorCode::WrongState), Exit::Conflict);
        assert_eq!(exit(ErrorCode::Unavailable), Exit::Unreachable);
        assert_eq!(exit(ErrorCode::Internal), Exit::Failed);
    }
}
