//! The commands of dual control: administrators, and the requests that they approve.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum Administrator {
    /// List the administrators, revoked ones too, and whose approval counts
    #[command(after_help = "Example:\n  kmsctl --pki run/pki administrator list")]
    List,
    /// Ask for one more administrator
    #[command(after_help = "Example:\n  kmsctl --pki run/pki administrator add officer4 --role officer \
                            --certificate officer4.pem\n\nThe request takes effect when enough security officers \
                            approved it and it is executed.")]
    Add {
        /// A name that no other has: letters, digits, '.', '-', '_'
        name: String,
        /// What the administrator may do
        #[arg(long, value_enum)]
        role: Role,
        /// The administrator's certificate, PEM
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// Decide, show, and ask nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Ask for an administrator to be refused from then on
    #[command(after_help = "Example:\n  kmsctl --pki run/pki administrator revoke officer3 --dry-run")]
    Revoke {
        /// Name or fingerprint
        administrator: String,
        /// Decide, show, and ask nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Ask for another role of an administrator
    #[command(after_help = "Example:\n  kmsctl --pki run/pki administrator role auditor officer")]
    Role {
        /// Name or fingerprint
        administrator: String,
        /// The role from then on
        #[arg(value_enum)]
        role: Role,
        /// Decide, show, and ask nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Roles.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Role {
    Operator,
    Officer,
    Auditor,
}

impl Role {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    /// List the requests: who asked, who approved, until when
    #[command(after_help = "Example:\n  kmsctl --pki run/pki request list")]
    List,
    /// Show a request, of the server or in a file; the text is what is signed
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki request show 5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22 \
                            --out request.json\n  kmsctl request show --file request.json")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Write the request to this file as well, to be approved elsewhere; it may not exist
        #[arg(long, value_name = "FILE", conflicts_with = "file")]
        out: Option<PathBuf>,
    },
    /// Sign a request with your own key: one of the server, or offline the one in a file
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki --as officer1 request approve \
                            5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22\n  kmsctl --key officer1.key request approve \
                            --file request.json\n\nWhat is signed is shown. The key is the one of your \
                            certificate: --key, or the one of --pki and --as.")]
    Approve {
        #[command(flatten)]
        which: Which,
    },
    /// Have an approved request executed, once
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki request execute \
                            5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22\n  kmsctl --pki run/pki request execute --file \
                            request.json --dry-run\n\nWith --file, the approvals in it are handed in first.")]
    Execute {
        #[command(flatten)]
        which: Which,
        /// Decide everything, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Take a request back
    #[command(after_help = "Example:\n  kmsctl --pki run/pki request withdraw \
                            5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22")]
    Withdraw {
        /// Identifier
        id: Uuid,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// A request of the server, or in a file.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Identifier
    pub(crate) id: Option<Uuid>,
    /// A file that 'request show --out' wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}
