//! The commands of backups.

use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Take a backup, and prove it: it is restored in a throw-away place and every object in it is opened
    #[command(
        after_help = "Examples:\n  kmsctl --pki run/pki backup create --days 90\n  kmsctl --pki run/pki backup create \
                            --domain acme --days 30\n\nThe file is written on the node, sealed; copy it to other \
                            disks. For a large store it may take longer\nthan --timeout, and 'backup list' shows \
                            when it is made."
    )]
    Create {
        /// Only this domain, by name or identifier; all of them where it is left out
        #[arg(long)]
        domain: Option<String>,
        /// Days after which every copy of it is to be destroyed
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// List the backups that are to be kept still
    #[command(after_help = "Example:\n  kmsctl --pki run/pki backup list")]
    List,
    /// Ask for what of a domain is gone or damaged to come back from a backup
    #[command(after_help = "Example:\n  kmsctl --pki run/pki backup restore 5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22 \
                            --domain acme --dry-run\n\nNo destroyed key comes back, and no log is shortened. The \
                            request says how many objects come back,\nand names those whose later changes are lost. \
                            It takes effect when enough security officers\napproved it and it is executed.")]
    Restore {
        /// Identifier of the backup; its file is in the node's folder
        id: Uuid,
        /// Name or identifier of the domain
        #[arg(long)]
        domain: String,
        /// Decide, show, and ask nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Restore a backup in a throw-away place and open every object in it; exit code 6 where something is wrong
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as auditor backup verify \
                            5d3c0f1e-8a57-4b0e-9a3e-0d7a5f6b1c22 --out backup.report\n\nThe report is signed in the \
                            HSM; 'verify report' checks it offline.")]
    Verify {
        /// Identifier
        id: Uuid,
        /// Write the report to this file as well; it may not exist
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
