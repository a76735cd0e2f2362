//! The command line: every command with its help and an example.

mod audit;
mod backup;
mod request;

use std::path::PathBuf;

use admin_api::{Fingerprint, RevocationReason};
use clap::{Args, Parser, Subcommand, ValueEnum};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

pub(crate) use audit::{Audit, Choice, Hold, Verify};
pub(crate) use backup::Backup;
pub(crate) use request::{Administrator, Request, Which};

use crate::connect::Connection;
use crate::exit::EXIT_CODES;
use crate::output::Format;

/// Administers a Clavis key-management server
#[derive(Debug, Parser)]
#[command(name = "kmsctl", version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Write columns for people, or the API's JSON
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show whether the node can do its work; exit code 8 where a check failed
    #[command(after_help = "Example:\n  kmsctl --pki run/pki health")]
    Health,
    /// The HSM group
    #[command(subcommand)]
    Hsm(Hsm),
    /// Administrators, and whose approval counts
    #[command(subcommand)]
    Administrator(Administrator),
    /// Requests for what several security officers have to approve
    #[command(subcommand)]
    Request(Request),
    /// Domains, one per tenant
    #[command(subcommand)]
    Domain(Domain),
    /// KMIP clients of a domain
    #[command(subcommand)]
    Client(Client),
    /// Managed objects of a domain
    #[command(subcommand)]
    Object(Object),
    /// Backups: taken, proved, listed
    #[command(subcommand)]
    Backup(Backup),
    /// The audit logs
    #[command(subcommand)]
    Audit(Audit),
    /// Check what was exported, offline
    #[command(subcommand)]
    Verify(Verify),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hsm {
    /// Show every member: whether it is up, why not, and who served
    #[command(after_help = "Example:\n  kmsctl --pki run/pki hsm status --output json")]
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Domain {
    /// Make a domain with a Domain Key in the HSM
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain create acme --policy anssi")]
    Create {
        /// 1 to 64 letters, digits, '.', '-', '_'
        name: String,
        /// Which algorithms its keys may have: what ANSSI recommends, or old ones as well
        #[arg(long, value_enum, default_value_t = Policy::Anssi)]
        policy: Policy,
        /// What its clients may do beyond what every client may; may stand several times
        #[arg(long, value_enum)]
        allow: Vec<Permission>,
    },
    /// List all domains
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain list")]
    List,
    /// Show one domain
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain show acme")]
    Show {
        /// Name or identifier
        domain: String,
    },
    /// Refuse a domain's clients from their next request on, until it is thawed
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain freeze acme\n\nNothing is lost: the keys stay \
                            sealed in the store, and none is in use in any HSM member.")]
    Freeze {
        /// Name or identifier of the domain
        domain: String,
        /// Decide, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Serve a frozen domain again
    #[command(after_help = "Example:\n  kmsctl --pki run/pki --as officer1 domain thaw acme")]
    Thaw {
        /// Name or identifier of the domain
        domain: String,
        /// Decide, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Rotate the Domain Key: all that is sealed under it is sealed anew, while requests go on
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain rotate-key acme\n\nThe command returns when the \
                            new version is there; 'domain show' tells until when the former one is needed.\nA node \
                            that is killed goes on when it starts again.")]
    RotateKey {
        /// Name or identifier of the domain
        domain: String,
        /// Decide, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Ask for a domain to be destroyed with all its keys, for good
    #[command(
        after_help = "Example:\n  kmsctl --pki run/pki domain destroy acme --dry-run\n\nThe request takes effect \
                            when enough security officers approved it and it is executed."
    )]
    Destroy {
        /// Name or identifier of the domain
        domain: String,
        /// Decide, show, and ask nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the certificate of a domain's destruction; 'verify certificate' checks it offline
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain certificate acme --out acme.certificate")]
    Certificate {
        /// Name or identifier of the domain
        domain: String,
        /// Where to write it; may not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// List the keys that nothing refers to, by an inventory; exit code 8 where something refers to a key that is gone
    #[command(after_help = "Example:\n  kmsctl --pki run/pki domain orphans acme --inventory inventory.json\n\nThe \
                            inventory is JSON: {\"inventory\":\"clavis-inventory/1\",\"exported\":1795381200,\n\
                            \"references\":[{\"kind\":\"vm\",\"name\":\"web-1\",\"keys\":[\"<identifier>\"]}]}. \
                            Kinds are vm, snapshot, clone, backup, host;\nexported is in seconds since 1970, and what \
                            was made since then is no orphan.")]
    Orphans {
        /// Name or identifier of the domain
        domain: String,
        /// The inventory: machines, snapshots, clones, backups and hosts, with the keys they refer to
        #[arg(long, value_name = "FILE")]
        inventory: PathBuf,
    },
    /// Compare everything that is stored of a domain with its audit log; exit code 6 where they differ
    #[command(
        after_help = "Example:\n  kmsctl --pki run/pki --as auditor domain verify acme\n\nThe node does this by \
                            itself once a day. It reads everything: for a large domain it may take longer\nthan \
                            --timeout, and what was found is then in the domain's audit log."
    )]
    Verify {
        /// Name or identifier of the domain, or 'system'
        domain: String,
    },
}

/// What clients may do only where it was allowed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Permission {
    Export,
    Import,
    WrappedGet,
    ReProvision,
    DefaultGroup,
}

impl Permission {
    pub(crate) fn permission(self) -> admin_api::Permission {
        match self {
            Self::Export => admin_api::Permission::Export,
            Self::Import => admin_api::Permission::Import,
            Self::WrappedGet => admin_api::Permission::WrappedGet,
            Self::ReProvision => admin_api::Permission::ReProvision,
            Self::DefaultGroup => admin_api::Permission::DefaultGroup,
        }
    }
}

/// Key policies.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Policy {
    Anssi,
    Legacy,
}

impl Policy {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Anssi => "anssi",
            Self::Legacy => "legacy",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Register a certificate that exists already, such as a vCenter's
    #[command(after_help = "Example:\n  kmsctl --pki run/pki client register acme vcenter.pem --name vc-paris \
                            --username vc-paris --password-file vc.password")]
    Register {
        /// Name or identifier of the domain
        domain: String,
        /// The client's certificate, PEM
        certificate: PathBuf,
        /// A name for people; the certificate's common name where it is left out
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        credential: CredentialArgs,
    },
    /// Have the domain's authority issue a certificate, and register it
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki client issue acme backup-host --out ./backup-host\n  \
                            kmsctl --pki run/pki client issue acme backup-host --csr host.csr --out ./backup-host")]
    Issue {
        /// Name or identifier of the domain
        domain: String,
        /// A name for people, and the common name
        name: String,
        /// Write STEM.pem, STEM.ca.pem and, without --csr, STEM.key; none of them may exist
        #[arg(long, value_name = "STEM")]
        out: PathBuf,
        /// A PKCS#10 signing request, PEM; without it the server makes the key as well
        #[arg(long, value_name = "FILE")]
        csr: Option<PathBuf>,
        #[command(flatten)]
        credential: CredentialArgs,
    },
    /// List the clients of a domain, revoked ones too
    #[command(after_help = "Example:\n  kmsctl --pki run/pki client list acme")]
    List {
        /// Name or identifier of the domain
        domain: String,
    },
    /// The users and devices that a client's messages may name
    #[command(subcommand)]
    Credential(ClientCredential),
    /// Say what a client reaches by its certificate alone; without options, all of its domain
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki client access acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c --credential-demanded\n  \
                            kmsctl --pki run/pki client access acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c \
                            --operations Locate,Encrypt,Decrypt")]
    Access {
        /// Name or identifier of the domain
        domain: String,
        /// SHA-256 of the client's public key, as `client list` shows it
        fingerprint: Fingerprint,
        #[command(flatten)]
        access: AccessArgs,
        /// Refuse messages that bring no credential
        #[arg(long)]
        credential_demanded: bool,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Refuse a client from now on
    #[command(after_help = "Example:\n  kmsctl --pki run/pki client revoke acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c --dry-run")]
    Revoke {
        /// Name or identifier of the domain
        domain: String,
        /// SHA-256 of the client's public key, 64 hexadecimal digits, as `client list` shows it
        fingerprint: Fingerprint,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCredential {
    /// Register one more user or device
    #[command(after_help = "Examples:\n  kmsctl --pki run/pki client credential add acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c \
                            --username fred --password-file fred.password --own\n  \
                            kmsctl --pki run/pki client credential add acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c \
                            --serial-number LTO-0815 --media-identifier TAPE-7")]
    Add {
        /// Name or identifier of the domain
        domain: String,
        /// SHA-256 of the client's public key, as `client list` shows it
        fingerprint: Fingerprint,
        /// The user's name; without it, the options of a device are needed
        #[arg(long, conflicts_with_all = ["serial_number", "device_identifier", "network_identifier",
                                          "machine_identifier", "media_identifier"], requires = "password_file")]
        username: Option<String>,
        /// File whose first line is the password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Device Serial Number
        #[arg(long, value_name = "TEXT")]
        serial_number: Option<String>,
        /// Device Identifier
        #[arg(long, value_name = "TEXT")]
        device_identifier: Option<String>,
        /// Network Identifier
        #[arg(long, value_name = "TEXT")]
        network_identifier: Option<String>,
        /// Machine Identifier
        #[arg(long, value_name = "TEXT")]
        machine_identifier: Option<String>,
        /// Media Identifier
        #[arg(long, value_name = "TEXT")]
        media_identifier: Option<String>,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Refuse a user or device from now on; what it made stays, and is reached by logins that reach the whole domain
    #[command(after_help = "Example:\n  kmsctl --pki run/pki client credential remove acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c fred")]
    Remove {
        /// Name or identifier of the domain
        domain: String,
        /// SHA-256 of the client's public key, as `client list` shows it
        fingerprint: Fingerprint,
        /// The user's name, or the device's as `client credential list` shows it
        name: String,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// List the users and devices of a client
    #[command(after_help = "Example:\n  kmsctl --pki run/pki client credential list acme \
                            3f1c0de5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c")]
    List {
        /// Name or identifier of the domain
        domain: String,
        /// SHA-256 of the client's public key, as `client list` shows it
        fingerprint: Fingerprint,
    },
}

#[derive(Args, Debug)]
pub(crate) struct AccessArgs {
    /// Reach only the objects that this login makes
    #[arg(long)]
    pub(crate) own: bool,
    /// Permit these operations only, by their names in the KMIP specification, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) operations: Option<Vec<String>>,
}

#[derive(Args, Debug)]
pub(crate) struct CredentialArgs {
    /// Username of a KMIP credential that must go with the certificate
    #[arg(long, requires = "password_file")]
    pub(crate) username: Option<String>,
    /// File whose first line is the password
    #[arg(long, requires = "username", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Object {
    /// List the objects of a domain in the order of their identifiers
    #[command(after_help = "Example:\n  kmsctl --pki run/pki object list acme --limit 20")]
    List {
        /// Name or identifier of the domain
        domain: String,
        /// At most this many; all where it is left out
        #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
        /// Begin behind this object
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
    },
    /// Show everything about an object but its key
    #[command(after_help = "Example:\n  kmsctl --pki run/pki object show acme 0197f9a0-7c1e-7b7a-9d2e-5c1f00000001")]
    Show {
        /// Name or identifier of the domain
        domain: String,
        /// Unique Identifier
        id: Uuid,
    },
    /// Revoke an object: a compromise makes it Compromised, any other reason deactivates it
    #[command(after_help = "Example:\n  kmsctl --pki run/pki object revoke acme \
                            0197f9a0-7c1e-7b7a-9d2e-5c1f00000001 --reason key-compromise --occurred \
                            2026-11-20T08:00:00Z")]
    Revoke {
        /// Name or identifier of the domain
        domain: String,
        /// Unique Identifier
        id: Uuid,
        /// Why
        #[arg(long, value_enum)]
        reason: Reason,
        /// A sentence for the record
        #[arg(long)]
        message: Option<String>,
        /// When the compromise is believed to have happened, RFC 3339
        #[arg(long, value_name = "TIME", value_parser = seconds)]
        occurred: Option<i64>,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the certificate of an object's destruction; 'verify certificate' checks it offline
    #[command(after_help = "Example:\n  kmsctl --pki run/pki object certificate acme \
                            0197f9a0-7c1e-7b7a-9d2e-5c1f00000001 --out key.certificate")]
    Certificate {
        /// Name or identifier of the domain
        domain: String,
        /// Unique Identifier
        id: Uuid,
        /// Where to write it; may not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Destroy an object's key for good; what remains says that it existed
    #[command(after_help = "Example:\n  kmsctl --pki run/pki object destroy acme \
                            0197f9a0-7c1e-7b7a-9d2e-5c1f00000001 --dry-run")]
    Destroy {
        /// Name or identifier of the domain
        domain: String,
        /// Unique Identifier
        id: Uuid,
        /// Decide, show, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Reasons of a revocation.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Reason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    PrivilegeWithdrawn,
}

impl From<Reason> for RevocationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unspecified => Self::Unspecified,
            Reason::KeyCompromise => Self::KeyCompromise,
            Reason::CaCompromise => Self::CaCompromise,
            Reason::AffiliationChanged => Self::AffiliationChanged,
            Reason::Superseded => Self::Superseded,
            Reason::CessationOfOperation => Self::CessationOfOperation,
            Reason::PrivilegeWithdrawn => Self::PrivilegeWithdrawn,
        }
    }
}

fn seconds(text: &str) -> Result<i64, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| "not a time such as 2026-11-20T08:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(seconds("1970-01-01T00:00:01Z"), Ok(1));
        assert_eq!(seconds("1970-01-01T01:00:01+01:00"), Ok(1));
        assert!(seconds("yesterday").is_err());
    }
}
