//! The command line of a node.

use std::alloc::System;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use kms_server::ceremony::{self, ShareFiles};
use kms_server::config::{Config, ConfigError, Overrides, Purpose};
use kms_server::init::{Alone, prepare_hsm};
use kms_server::run;
use kms_server::shell::{hardening, logging};
use quorum::SignedRequest;
use zeroizing_alloc::ZeroAlloc;

/// Keys come and go in buffers that belong to TLS and HTTP and that nobody else wipes (docs/decisions/0015).
#[global_allocator]
static WIPES_WHAT_IS_FREED: ZeroAlloc<System> = ZeroAlloc(System);

/// What `--version` says; whoever relies on a fault being injected can see whether it can be.
const VERSION: &str = if cfg!(feature = "unaudited-bench") {
    concat!(env!("CARGO_PKG_VERSION"), "+unaudited")
} else if cfg!(feature = "fault") {
    concat!(env!("CARGO_PKG_VERSION"), "+fault")
} else {
    env!("CARGO_PKG_VERSION")
};

/// A KMIP key management server whose keys an HSM guards.
#[derive(Parser)]
#[command(
    version = VERSION,
    after_help = "Examples:\n  \
                  kms-server --config kms-server.toml check-config --before init\n  \
                  kms-server --config kms-server.toml init\n  \
                  kms-server --config kms-server.toml serve\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 faults in the configuration; shred-check has one more."
)]
struct Arguments {
    /// The configuration; kms-server.example.toml explains every setting.
    #[arg(long, value_name = "FILE", env = "KMS_SERVER_CONFIG", default_value = "/etc/clavis/kms-server.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C, then finish what was begun.
    Serve,
    /// Name every fault of the configuration with its line.
    CheckConfig {
        /// What the configuration is to be used for.
        #[arg(long, value_name = "COMMAND", default_value = "serve")]
        before: Before,
    },
    /// Make tokens, hold the ceremony and register the first administrators; a second run changes nothing.
    Init,
    /// Restore the store of a node that lost it, from a backup of all domains, once officers approved it.
    #[command(after_help = "Examples:\n  \
                            kms-server --config kms-server.toml restore all.clavis-backup --ask request.json\n  \
                            kmsctl --key officer1.key request approve --file request.json\n  \
                            kms-server --config kms-server.toml restore all.clavis-backup --request request.json\n\n\
                            Nobody can say which of its keys were destroyed or revoked since the backup was taken: \
                            they are listed\non standard output, and what the officers sign has the digest of that \
                            list. Where witnesses saw more than\nthe backup has, the node starts only after officers \
                            let them forget it.")]
    Restore {
        /// The backup.
        backup: PathBuf,
        /// Write the request that officers sign to this file, which may not exist, and restore nothing.
        #[arg(long, value_name = "FILE", required_unless_present = "request", conflicts_with = "request")]
        ask: Option<PathBuf>,
        /// The request, signed by enough officers.
        #[arg(long, value_name = "FILE")]
        request: Option<PathBuf>,
    },
    /// Try, in the HSM, whether anything of a domain still opens, whatever states and tombstones say.
    #[command(after_help = "Examples:\n  \
                            kms-server --config kms-server.toml shred-check acme\n  \
                            kms-server --config kms-server.toml shred-check acme --backup \
                            backups/0198d7c2-6b1e-7c30-8f3e-0a5f6d0c9e11.clavis-backup\n\n\
                            Exit codes: 0 nothing of it opens, 1 nobody can say, 4 it still opens. The node may \
                            serve meanwhile.")]
    ShredCheck {
        /// Name or identifier of the domain.
        domain: String,
        /// Another file than the store: a backup, or a copy of the database.
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        /// Write what was found as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The Root of Trust and its custodians.
    #[command(subcommand)]
    Ceremony(Ceremony),
}

#[derive(Subcommand)]
enum Ceremony {
    /// Make the Root of Trust on all members and seal its shares to the custodians, or complete and verify what is there.
    Hold,
    /// Bring the Root of Trust to members that have none, from the escrow blob and enough shares; the others keep theirs.
    Import {
        /// A sealed share; once for each custodian who is there.
        #[arg(long, value_name = "FILE", required = true)]
        share: Vec<PathBuf>,
        /// The passphrase or the private key (PEM, PKCS #8) that opens the share at the same place in the line.
        #[arg(long, value_name = "FILE", required = true)]
        opener: Vec<PathBuf>,
        /// Only this member; may be given several times.
        #[arg(long, value_name = "LABEL")]
        member: Vec<String>,
        /// Where the trust anchor is lost: the signed record of an earlier ceremony; all of them, the oldest first.
        #[arg(long, value_name = "FILE")]
        record: Vec<PathBuf>,
    },
    /// Try every attack on every member again, and compare what they hold with the trust anchor.
    Verify,
    /// Sign a record as a custodian, who shows by it that the share opens.
    Sign {
        /// The record, such as ceremony/record-1.json.
        record: PathBuf,
        /// The custodian's sealed share.
        #[arg(long, value_name = "FILE")]
        share: PathBuf,
        /// The passphrase or the private key (PEM, PKCS #8) that opens it.
        #[arg(long, value_name = "FILE")]
        opener: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Before {
    /// The files that a running node reads must be there.
    Serve,
    /// The files that the ceremony reads must be there.
    Init,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kms-server: {}", in_full(error.as_ref()));
            if error.is::<ConfigError>() { ExitCode::from(3) } else { ExitCode::FAILURE }
        }
    }
}

/// What `shred-check` ends with where something still opens.
const STILL_OPENS: u8 = 4;

fn perform(Arguments { config: path, command }: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let load = |purpose| Config::load(path, &Overrides::from_env(), purpose);
    match command {
        Command::CheckConfig { before } => {
            load(match before {
                Before::Serve => Purpose::Serve,
                Before::Init => Purpose::Init,
            })?;
            println!("{}: no fault", path.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Init => {
            hardening::close_off()?;
            init(path, &load(Purpose::Init)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Ceremony(ceremony) => {
            hardening::close_off()?;
            let making = matches!(ceremony, Ceremony::Hold);
            hold_ceremony(path, &load(if making { Purpose::Init } else { Purpose::Ceremony })?, ceremony)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve => {
            hardening::close_off()?;
            let config = load(Purpose::Serve)?;
            logging::start(&config.log)?;
            runtime()?.block_on(run::serve(&config))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Restore { backup, ask, request } => {
            hardening::close_off()?;
            let config = load(Purpose::Serve)?;
            let _alone = Alone::with(path)?;
            restore(&config, backup, ask.as_deref(), request.as_deref())
        }
        Command::ShredCheck { domain, backup, json } => {
            hardening::close_off()?;
            let config = load(Purpose::Serve)?;
            let found = runtime()?.block_on(run::shred_check(&config, domain, backup.as_deref()))?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&found)?);
            } else {
                print!("{}", found.text());
            }
            Ok(if found.is_shredded() { ExitCode::SUCCESS } else { ExitCode::from(STILL_OPENS) })
        }
    }
}

fn restore(
    config: &Config,
    backup: &Path,
    ask: Option<&Path>,
    request: Option<&Path>,
) -> Result<ExitCode, Box<dyn Error>> {
    let signed = request.map(|path| Ok::<_, Box<dyn Error>>(SignedRequest::from_json(&std::fs::read(path)?)?));
    match runtime()?.block_on(run::restore(config, backup, signed.transpose()?.as_ref()))? {
        run::Rebuilt::Asked(asked) => {
            let path = ask.ok_or("--ask is missing")?;
            let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(asked.request.to_json().as_bytes())?;
            print!("{}", asked.keys);
            eprintln!("{}: to be approved by officers; nothing was restored", path.display());
        }
        run::Rebuilt::Restored(keys) => {
            print!("{keys}");
            eprintln!("{}: restored; nobody can vouch for the keys listed", config.store.path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(path: &Path, config: &Config) -> Result<(), Box<dyn Error>> {
    logging::start(&config.log)?;
    let _alone = Alone::with(path)?;
    // The HSM's part blocks for seconds and wants no runtime around it.
    let protocol = prepare_hsm(config, &run::group_config(config), &mut |line| println!("{line}"))?;
    println!("checkpoint keys: {}", run::write_checkpoint_keys(config)?.display());
    let registered = runtime()?.block_on(run::bootstrap(config, &protocol))?;
    println!("store: {} of {} administrators were new", registered, config.administrators.len());
    println!("ready: kms-server --config {} serve", path.display());
    Ok(())
}

fn hold_ceremony(path: &Path, config: &Config, verb: &Ceremony) -> Result<(), Box<dyn Error>> {
    logging::start(&config.log)?;
    let _alone = Alone::with(path)?;
    let mut say = |line: std::fmt::Arguments<'_>| println!("{line}");
    match verb {
        Ceremony::Hold => {
            prepare_hsm(config, &run::group_config(config), &mut say)?;
            println!("checkpoint keys: {}", run::write_checkpoint_keys(config)?.display());
        }
        Ceremony::Import { share, opener, member, record } => {
            if share.len() != opener.len() {
                return Err(format!("{} shares and {} openers; each share wants one", share.len(), opener.len()).into());
            }
            let pairs = share.iter().zip(opener);
            let shares: Vec<ShareFiles> =
                pairs.map(|(share, opener)| ShareFiles { share: share.clone(), opener: opener.clone() }).collect();
            let record = ceremony::import(config, member, &shares, record, &mut say)?;
            println!("checkpoint keys: {}", run::write_checkpoint_keys(config)?.display());
            print!("\n{}\n", ceremony::read_record(&record)?.record);
            println!("record for the custodians to sign: {}", record.display());
        }
        Ceremony::Verify => {
            let protocol = ceremony::verify(config)?;
            println!("root of trust {}", hex::encode(protocol.trust_anchor.rot_fingerprint));
            for member in &protocol.members {
                println!("{}: refused all {} attacks", member.label, member.attempts.len());
            }
        }
        Ceremony::Sign { record, share, opener } => {
            let files = ShareFiles { share: share.clone(), opener: opener.clone() };
            let (custodian, text) = ceremony::sign(record, &files)?;
            print!("{text}\nsigned by {custodian}\n");
        }
    }
    Ok(())
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// An error with its causes, outermost first.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
