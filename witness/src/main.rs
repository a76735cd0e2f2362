//! `witness`: makes the folder of a witness, serves it, and lets its holder tell it to forget.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use audit::TrustedKeys;
use clap::{Parser, Subcommand};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use witness::folder::Folder;
use witness::serve::Witness;

/// Remembers the audit logs of a Clavis key-management server, and co-signs only what extends them
#[derive(Parser)]
#[command(name = "witness", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the folder of a new witness; prints the key that nodes and auditors pin
    Init {
        /// The folder; it must not exist
        #[arg(long)]
        dir: PathBuf,
        /// A name, such as the zone's
        #[arg(long)]
        name: String,
        /// Certificate of a node to be let in, PEM; may be given several times
        #[arg(long, value_name = "CERTIFICATE")]
        node: Vec<PathBuf>,
    },
    /// Let one more node in, while the witness is stopped: the key of its certificate is pinned
    Admit {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
        /// Certificate of the node, PEM
        #[arg(long, value_name = "CERTIFICATE")]
        node: PathBuf,
    },
    /// Serve until stopped; prints the address
    Serve {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
        /// Address and port; port 0 lets the system choose
        #[arg(long)]
        listen: SocketAddr,
        /// The checkpoint keys of the node's HSM group, from the ceremony
        #[arg(long)]
        keys: PathBuf,
        /// Certificate to be shown, PEM
        #[arg(long)]
        certificate: PathBuf,
        /// Its key, PEM
        #[arg(long)]
        key: PathBuf,
    },
    /// Forget everything, while the witness is stopped: the way out after a restore that was meant. Journal and node tell
    Rebase {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
        /// Why, for the records
        #[arg(long)]
        reason: String,
    },
}

fn main() -> ExitCode {
    match run(Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("witness: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Init { dir, name, node } => {
            let mut folder = Folder::create(&dir, &name)?;
            for path in &node {
                folder.admit(&CertificateDer::from_pem_file(path)?)?;
            }
            println!("{}", folder.key().verifier_key());
        }
        Command::Admit { dir, node } => {
            let pin = Folder::open(&dir)?.admit(&CertificateDer::from_pem_file(&node)?)?;
            println!("let in: {}", hex::encode(pin));
        }
        Command::Serve { dir, listen, keys, certificate, key } => {
            let trusted = TrustedKeys::parse(&std::fs::read_to_string(&keys)?)?;
            let folder = Folder::open(&dir)?;
            let listener = TcpListener::bind(listen)?;
            let witness = Arc::new(Witness::new(folder, trusted, &certificate, &key)?);
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", listener.local_addr()?)?;
            out.flush()?;
            drop(out);
            witness.serve(&listener)?;
        }
        Command::Rebase { dir, reason } => {
            Folder::open(&dir)?.rebase(&reason)?;
            println!("forgotten; the next head that the node shows is accepted");
        }
    }
    Ok(())
}
