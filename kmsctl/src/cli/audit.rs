//! The command line of the audit logs, and of the verifier that needs nothing but files.

use std::path::PathBuf;

use admin_api::{AuditFormat, AuditOutcome};
use audit::witness::WitnessKey;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Export a log, or a period of it, as a bundle that verifies offline; or chosen records in another form
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki --as auditor audit export acme --to acme.jsonl\n  \
                            kmsctl --pki run/pki --as auditor audit export acme --since 2026-11-01T00:00:00Z --until \
                            2026-12-01T00:00:00Z\n  kmsctl --pki run/pki --as auditor audit export system --format \
                            cef --outcome failed")]
    Export {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// The file, replaced once the export is whole; standard output where it is left out
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// A bundle is whole and signed; records in the other forms can be chosen
        #[arg(long, value_enum, default_value_t = Form::Bundle, value_name = "FORM")]
        format: Form,
        #[command(flatten)]
        choice: Choice,
    },
    /// Tell the life of an object: made, by whom, fetched when and from where, rotated, destroyed
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki --as auditor audit show acme \
                            0197f9a0-7c1e-7b7a-9d2e-5c1f00000001\n  kmsctl --pki run/pki --as auditor audit show acme \
                            0197f9a0-7c1e-7b7a-9d2e-5c1f00000001 --proofs ./key-1")]
    Show {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Unique Identifier
        object: String,
        /// Write the proof of each of its records into this folder, which must not exist yet; `verify proof` checks them
        #[arg(long, value_name = "FOLDER")]
        proofs: Option<PathBuf>,
    },
    /// Count what a log tells of, by operation, identity and reason
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as auditor audit stats acme --outcome failed")]
    Stats {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        #[command(flatten)]
        choice: Choice,
    },
    /// Follow a log live, until interrupted
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as auditor audit tail acme --operation Get")]
    Tail {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Begin with the record at this position; with what comes from now on where it is left out
        #[arg(long, value_name = "POSITION")]
        from: Option<u64>,
        #[command(flatten)]
        choice: Choice,
    },
    /// Prove that a record is in a log, or that a log only grew; `verify proof` checks it offline
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki --as auditor audit prove acme 42 --out 42.proof\n  \
                            kmsctl --pki run/pki --as auditor audit prove acme --from 1000 --to 2000")]
    Prove {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Position of the record
        #[arg(required_unless_present = "from", conflicts_with = "from")]
        record: Option<u64>,
        /// That the log of this many records …
        #[arg(long, value_name = "RECORDS")]
        from: Option<u64>,
        /// … became the one of this many; the newest where it is left out
        #[arg(long, value_name = "RECORDS", requires = "from")]
        to: Option<u64>,
        /// The file, replaced; standard output where it is left out
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write a whole log as files that public tools read (C2SP tlog-tiles)
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as auditor audit tiles acme ./acme-log")]
    Tiles {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// The folder; it must not exist yet
        folder: PathBuf,
    },
    /// Have the head of a log signed in the HSM, and print the signed note
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as auditor audit checkpoint acme > acme.checkpoint")]
    Checkpoint {
        /// Name or identifier of the domain, or 'system'
        domain: String,
    },
    /// How long the records of a log are kept; their leaf hashes are kept for ever
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki audit retention acme\n  kmsctl --pki run/pki --as \
                            officer1 audit retention acme --days 400\n  kmsctl --pki run/pki --as officer1 audit \
                            retention acme --days 30 --reason 'a pilot without customers'")]
    Retention {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Keep records so many days, 1 to 36525
        #[arg(long, conflicts_with = "default")]
        days: Option<u32>,
        /// Why fewer than six months (184 days); goes on record
        #[arg(long, requires = "days")]
        reason: Option<String>,
        /// Keep records for six months again
        #[arg(long)]
        default: bool,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Legal holds: while there is one on a log, nothing of it is dropped
    #[command(subcommand)]
    Hold(Hold),
    /// Print the public keys that sign checkpoints, as this server states them
    #[command(
        after_help = "Example:\n  kmsctl --pki run/pki --as auditor audit keys > clavis.keys\n\nTo rely on them, \
                            compare them with the protocol of the ceremony: a server that lies about its log\nwould \
                            lie about its keys."
    )]
    Keys,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Set a legal hold
    #[command(
        after_help = "Example:\n  kmsctl --pki run/pki --as officer1 audit hold set acme 'case 2026-117' --reason \
                            'court order of 2026-11-20'"
    )]
    Set {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Its name, such as a case number
        name: String,
        /// Why; goes on record
        #[arg(long)]
        reason: String,
    },
    /// Lift a legal hold
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as officer1 audit hold lift acme 'case 2026-117'")]
    Lift {
        /// Name or identifier of the domain, or 'system'
        domain: String,
        /// Its name
        name: String,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List the legal holds on a log
    #[command(after_help = "Example:\n  kmsctl --pki run/pki audit hold list acme")]
    List {
        /// Name or identifier of the domain, or 'system'
        domain: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// Check a certificate of destruction
    #[command(after_help = "Example:\n  kmsctl verify certificate acme.certificate --keys checkpoint-keys.txt")]
    Certificate {
        /// What 'domain certificate' or 'object certificate' wrote
        file: PathBuf,
        /// The public keys of the ceremony, such as run/ceremony/checkpoint-keys.txt
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
    /// Check the report of a backup's verification
    #[command(after_help = "Example:\n  kmsctl verify report backup.report --keys checkpoint-keys.txt")]
    Report {
        /// What 'backup verify --out' wrote
        file: PathBuf,
        /// The public keys of the ceremony, such as run/ceremony/checkpoint-keys.txt
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
    },
    /// Check the record of a ceremony: signed by each of its custodians
    #[command(after_help = "Example:\n  kmsctl verify ceremony ceremony/record-1.json --trust-anchor \
                            ceremony/trust-anchor.json --custodian 3f1c...5c")]
    Ceremony {
        /// The record with its signatures
        file: PathBuf,
        /// The trust anchor of a node, which must be what the record says
        #[arg(long, value_name = "FILE")]
        trust_anchor: Option<PathBuf>,
        /// The protocol that the record names: each attack, and how each member answered
        #[arg(long, value_name = "FILE")]
        protocol: Option<PathBuf>,
        /// SHA-256 of a custodian's public key (DER), who must be among those who signed; may be given several times
        #[arg(long, value_name = "HEX")]
        custodian: Vec<String>,
    },
    /// Check an exported log: complete, unchanged, and signed by a trusted key; names the first bad record
    #[command(after_help = "Example:\n  kmsctl verify bundle acme.jsonl --keys clavis.keys --checkpoint \
                            acme-last-month.checkpoint")]
    Bundle {
        /// The bundle, as `audit export` wrote it; '-' reads standard input
        file: PathBuf,
        /// Trusted public keys, one verifier key per line
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// A checkpoint kept from earlier, which the log must still contain; may be given several times
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Public key of a witness; more than half of those given must have co-signed every checkpoint given
        #[arg(long, value_name = "KEY", requires = "checkpoint", value_parser = witness_key)]
        witness: Vec<WitnessKey>,
    },
    /// Check a checkpoint: signed by a trusted key, and co-signed by witnesses
    #[command(after_help = "Example:\n  kmsctl verify checkpoint acme.checkpoint --keys clavis.keys --witness \
                            \"$(cat PAR7S/witness.pub)\" --witness \"$(cat TH3S/witness.pub)\"")]
    Checkpoint {
        /// The checkpoint, as `audit checkpoint` printed it
        file: PathBuf,
        /// Trusted public keys, one verifier key per line
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// Public key of a witness; more than half of those given must have co-signed
        #[arg(long, value_name = "KEY", value_parser = witness_key)]
        witness: Vec<WitnessKey>,
    },
    /// Check a proof: that a record is in a log, or that a log only grew, under a signature by a trusted key
    #[command(after_help = "Example:\n  kmsctl verify proof 42.proof --keys clavis.keys")]
    Proof {
        /// The proof, as `audit prove` wrote it
        file: PathBuf,
        /// Trusted public keys, one verifier key per line
        #[arg(long, value_name = "FILE")]
        keys: PathBuf,
        /// A checkpoint kept from earlier, which must not contradict it; may be given several times
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
}

fn witness_key(text: &str) -> Result<WitnessKey, String> {
    WitnessKey::parse(text.trim_end()).map_err(|error| format!("{error}; `witness init` prints it"))
}

/// Which records.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Records")]
pub(crate) struct Choice {
    /// From this time on, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = super::seconds)]
    pub(crate) since: Option<i64>,
    /// Before this time, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = super::seconds)]
    pub(crate) until: Option<i64>,
    /// Of this operation
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,
    /// About the object with this identifier
    #[arg(long, value_name = "ID")]
    pub(crate) object: Option<String>,
    /// By this identity: a fingerprint, an administrator's name, or none, client, admin, node
    #[arg(long, value_name = "WHO")]
    pub(crate) identity: Option<String>,
    /// That ended so
    #[arg(long, value_enum)]
    pub(crate) outcome: Option<Outcome>,
    /// For this reason
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<String>,
}

/// Forms of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Form {
    Bundle,
    Jsonl,
    Cef,
    Syslog,
}

impl From<Form> for AuditFormat {
    fn from(form: Form) -> Self {
        match form {
            Form::Bundle => Self::Bundle,
            Form::Jsonl => Self::Jsonl,
            Form::Cef => Self::Cef,
            Form::Syslog => Self::Syslog,
        }
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Outcome {
    Success,
    Failed,
    Undone,
}

impl From<Outcome> for AuditOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failed => Self::Failed,
            Outcome::Undone => Self::Undone,
        }
    }
}
