//! `witness`: makes the folder of a witness, serves it, and lets its holder tell it to forget.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use audit::TrustedKeys;
use clap::{Parser, Subcommand};
use quorum::SignedRequest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use witness::custody::Officers;
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
        /// An officer who may let it forget, as name=certificate.pem; several times, and only now
        #[arg(long, value_name = "NAME=CERTIFICATE", value_parser = officer)]
        officer: Vec<(String, PathBuf)>,
        /// How many officers it takes, two or more
        #[arg(long, default_value_t = 2)]
        needed: usize,
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
    /// Write the request that it forgets what it remembers now; officers sign it: kmsctl request approve --file FILE
    Request {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
        /// The checkpoint keys of the node's HSM group, which name the installation
        #[arg(long)]
        keys: PathBuf,
        /// Why, for the records
        #[arg(long)]
        reason: String,
        /// The file, which must not exist
        #[arg(long)]
        out: PathBuf,
    },
    /// Forget everything, while the witness is stopped: the way out after a restore that was meant. Journal and node tell
    Rebase {
        /// The folder
        #[arg(long)]
        dir: PathBuf,
        /// The checkpoint keys of the node's HSM group, which name the installation
        #[arg(long)]
        keys: PathBuf,
        /// The request that enough officers signed
        #[arg(long)]
        request: PathBuf,
    },
}

fn officer(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("a name, an equals sign and the path of a certificate are wanted")?;
    Ok((name.to_owned(), path.into()))
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
        Command::Init { dir, name, node, officer, needed } => {
            let read = |(name, path): &(String, PathBuf)| {
                Ok::<_, Box<dyn std::error::Error>>((name.clone(), CertificateDer::from_pem_file(path)?))
            };
            let officers = officer.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let officers = if officers.is_empty() { None } else { Some(Officers::new(needed, &officers)?) };
            let mut folder = Folder::create(&dir, &name)?;
            if let Some(officers) = officers {
                folder.entrust(officers)?;
            }
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
        Command::Request { dir, keys, reason, out } => {
            let kms = TrustedKeys::parse(&std::fs::read_to_string(&keys)?)?.kms().to_owned();
            let request = Folder::open(&dir)?.request(&kms, &reason)?;
            std::fs::File::create_new(&out)?.write_all(request.to_json().as_bytes())?;
            print!("{}", request.request);
        }
        Command::Rebase { dir, keys, request } => {
            let kms = TrustedKeys::parse(&std::fs::read_to_string(&keys)?)?.kms().to_owned();
            let signed = SignedRequest::from_json(&std::fs::read(&request)?)?;
            let approved = Folder::open(&dir)?.rebase(&kms, &signed)?;
            println!(
                "forgotten, as {} approved; the next head that the node shows is accepted",
                approved.join(" and ")
            );
        }
    }
    Ok(())
}
