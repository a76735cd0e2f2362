//! The configuration of a node: one TOML file, every setting typed, every fault named with its line, all at once.
//!
//! `kms-server.example.toml` shows every setting with its default. A relative path counts from the folder that holds
//! the file. `KMIP_ADDR` and `ADMIN_ADDR` in the environment take precedence over the addresses in the file.

mod digest;
mod files;
mod offer;
mod reading;
mod sections;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use digest::Digests;
pub use reading::Fault;
use reading::Walk;
use sections::{read_administrators, read_collectors, read_dual_control, read_kmip_https, read_limits, read_witnesses};

use crate::limits::Limits;
use crate::offer::Offer;
use crate::quorums::Quorums;

/// Everything a node is told before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[node]`.
    pub node: NodeConfig,
    /// `[kmip]`.
    pub kmip: ListenerConfig,
    /// `[kmip_https]`: one more address for the same service under the same certificate. Who speaks HTTP may do so on
    /// the KMIP address as well; this is for networks that tell the two apart by port.
    pub kmip_https: Option<SocketAddr>,
    /// `[admin]`.
    pub admin: ListenerConfig,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[hsm]` and `[[hsm.members]]`.
    pub hsm: HsmConfig,
    /// `[offer]`, `[[hsm.generators]]` and `[[hsm.validations]]`: what is switched off, announced and stated.
    pub offer: Offer,
    /// `[ceremony]` and `[[ceremony.custodians]]`.
    pub ceremony: CeremonyConfig,
    /// `[[administrators]]`: those whom `init` registers.
    pub administrators: Vec<AdministratorConfig>,
    /// `[dual_control]`: how many security officers have to approve what.
    pub dual_control: Quorums,
    /// `[[collectors]]`: those to whom every audit record is sent.
    pub collectors: Vec<CollectorConfig>,
    /// `[[witnesses]]`: those who have to see the heads of the logs.
    pub witnesses: Vec<WitnessConfig>,
    /// `[log]`.
    pub log: LogConfig,
    /// `[limits]`.
    pub limits: Limits,
}

/// `[node]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Name of the installation: the origin of its audit checkpoints, so it must never change. Letters, digits, `.`
    /// and `-`, at most 64.
    pub name: String,
}

/// `[kmip]` and `[admin]`: an address and the certificate shown there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Address and port; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// PEM, leaf first.
    pub certificate: PathBuf,
    /// PEM, PKCS#8, SEC1 or PKCS#1; not readable by group or others.
    pub key: PathBuf,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// Never below `FULL`.
    pub synchronous: Synchronous,
    /// The folder of the backups that are taken here.
    pub backups: PathBuf,
}

/// SQLite's `synchronous`. Lower values exist and lose acknowledged keys at a power cut, so they cannot be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is synced.
    Full,
    /// The folder is synced as well after a journal is deleted.
    Extra,
}

/// `[hsm]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HsmConfig {
    /// The vendor's PKCS#11 library, of which `init` makes each member's copy.
    pub library: PathBuf,
    /// How long one call may take on one member.
    pub call_deadline: Duration,
    /// Time between two probes of a member's Root of Trust.
    pub probe_interval: Duration,
    /// How long a member may take to answer when the node starts, before it counts as lost.
    pub open_deadline: Duration,
    /// In the order in which they are asked.
    pub members: Vec<MemberConfig>,
}

/// `[[hsm.members]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberConfig {
    /// Label of the token, as in `PAR7S`.
    pub label: String,
    /// This member's own copy of the library: a loaded module serves one member.
    pub module: PathBuf,
    /// File with the user PIN and nothing else, mode 0600.
    pub pin_file: PathBuf,
    /// File with the Security Officer's PIN. Only `init` reads it; it may be taken off the node afterwards.
    pub so_pin_file: PathBuf,
    /// What the device is.
    pub vendor: Vendor,
}

/// What the device is, as far as calls to it differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// SoftHSM, in this process.
    SoftHsm,
    /// An HSM behind a network, as a Luna: many calls wait at a time.
    Network,
}

/// `[ceremony]`: what `init` writes, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyConfig {
    /// Shares needed to rebuild the escrow key.
    pub threshold: usize,
    /// Report of the ceremony; public.
    pub protocol: PathBuf,
    /// Fingerprint of the Root of Trust and the members' checkpoint keys; public, and what `serve` insists on.
    pub trust_anchor: PathBuf,
    /// The Root of Trust under the escrow key. Keep it apart from the store and its backups.
    pub escrow_blob: PathBuf,
    /// The folder of the records that custodians sign; public.
    pub records: PathBuf,
    /// Who holds a share each.
    pub custodians: Vec<CustodianConfig>,
}

/// `[[ceremony.custodians]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianConfig {
    /// For people.
    pub name: String,
    /// What this custodian's share is sealed to. Only a ceremony reads it.
    pub seal: ShareSeal,
    /// Where the sealed share goes.
    pub share: PathBuf,
}

/// What a custodian's share is sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareSeal {
    /// `passphrase_file`: a file with a passphrase.
    Passphrase(PathBuf),
    /// `public_key`: a PEM file with a key on P-256, whose private half never comes to the node before it is needed.
    PublicKey(PathBuf),
}

/// `[[administrators]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdministratorConfig {
    /// For people and the audit log.
    pub name: String,
    /// What this administrator may do.
    pub role: AdminRole,
    /// PEM certificate.
    pub certificate: PathBuf,
}

/// `[[collectors]]`: a syslog collector that gets every audit record of every log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorConfig {
    /// For people, the audit log and the durable position; it must never change while the collector is the same.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// The authority that the collector's certificate is under, PEM; absent for plain TCP.
    pub ca: Option<PathBuf>,
    /// The name in the collector's certificate; the host of `address` where it is left out.
    pub server_name: String,
}

/// `[[witnesses]]`: one per zone, or none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessConfig {
    /// Host and port.
    pub address: String,
    /// The public key that `witness init` printed.
    pub key: audit::witness::WitnessKey,
    /// The authority that its certificate is under, PEM.
    pub ca: PathBuf,
    /// The name in its certificate; the host of `address` where it is left out.
    pub server_name: String,
}

/// Roles of the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminRole {
    /// Runs the node: domains, clients, objects.
    Operator,
    /// Approves what cannot be undone.
    Officer,
    /// Reads, exports and verifies the audit log.
    Auditor,
}

impl AdminRole {
    const WORDS: [(&'static str, Self); 3] =
        [("operator", Self::Operator), ("officer", Self::Officer), ("auditor", Self::Auditor)];

    /// The word in the configuration and in the store.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Shape of a line on stderr.
    pub format: LogFormat,
    /// Least severe level that is written.
    pub level: tracing::Level,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

/// What the configuration is read for: `init` makes files that `serve` needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `serve` and `check-config`: everything a running node reads must be there.
    Serve,
    /// `init`: everything a ceremony reads must be there.
    Init,
    /// `ceremony`: what one of its commands reads it asks for itself, because shares and passphrases come and go.
    Ceremony,
}

/// Settings of the environment that take precedence over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `KMIP_ADDR`.
    pub kmip_addr: Option<String>,
    /// `KMIP_HTTPS_ADDR`.
    pub kmip_https_addr: Option<String>,
    /// `ADMIN_ADDR`.
    pub admin_addr: Option<String>,
}

impl Overrides {
    /// What the process was started with.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            kmip_addr: std::env::var("KMIP_ADDR").ok(),
            kmip_https_addr: std::env::var("KMIP_HTTPS_ADDR").ok(),
            admin_addr: std::env::var("ADMIN_ADDR").ok(),
        }
    }
}

/// Why there is no configuration: the file cannot be read, or all that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its content, by line.
    #[error("{}", Listing { path, faults })]
    Faulty {
        /// The file.
        path: PathBuf,
        /// In order of lines; never empty.
        faults: Vec<Fault>,
    },
}

struct Listing<'a> {
    path: &'a Path,
    faults: &'a [Fault],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.faults.len() == 1 { "" } else { "s" };
        write!(f, "{}: {} fault{plural}", self.path.display(), self.faults.len())?;
        for fault in self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads and checks the file at `path`, and the files that it names.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault.
    pub fn load(path: &Path, overrides: &Overrides, purpose: Purpose) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let (config, mut seen) = Self::read(&text, &base, overrides);
        seen.faults.extend(files::check(&config, purpose, &seen.places));
        seen.faults.sort();
        if seen.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Faulty { path: path.to_owned(), faults: seen.faults })
        }
    }

    /// Reads `text` without looking at any file it names; relative paths count from `base`.
    ///
    /// # Errors
    /// Every fault, in order of lines.
    pub fn parse(text: &str, base: &Path, overrides: &Overrides) -> Result<Self, Vec<Fault>> {
        let (config, mut seen) = Self::read(text, base, overrides);
        seen.faults.sort();
        if seen.faults.is_empty() { Ok(config) } else { Err(seen.faults) }
    }

    fn read(text: &str, base: &Path, overrides: &Overrides) -> (Self, reading::Seen) {
        let (mut config, mut seen) = Walk::over(text, |mut root| {
            let mut hsm = root.section("hsm");
            let (generators, validations) = (offer::generators(&mut hsm), offer::validations(&mut hsm));
            let config = Self {
                node: NodeConfig::read(root.section("node")),
                kmip: ListenerConfig::read(root.section("kmip"), base, 5696),
                kmip_https: read_kmip_https(root.section("kmip_https")),
                admin: ListenerConfig::read(root.section("admin"), base, 9443),
                store: StoreConfig::read(root.section("store"), base),
                hsm: HsmConfig::read(hsm, base),
                offer: Offer { generators, validations, ..Offer::read(root.section("offer")) },
                ceremony: CeremonyConfig::read(root.section("ceremony"), base),
                administrators: read_administrators(&mut root, base),
                dual_control: read_dual_control(root.section("dual_control")),
                collectors: read_collectors(&mut root, base),
                witnesses: read_witnesses(&mut root, base),
                log: LogConfig::read(root.section("log")),
                limits: read_limits(root.section("limits")),
            };
            root.finish();
            config
        });
        override_address(&mut config.kmip.listen, "KMIP_ADDR", overrides.kmip_addr.as_deref(), &mut seen.faults);
        if let Some(address) = overrides.kmip_https_addr.as_deref() {
            let listen = config.kmip_https.get_or_insert(config.kmip.listen);
            override_address(listen, "KMIP_HTTPS_ADDR", Some(address), &mut seen.faults);
        }
        override_address(&mut config.admin.listen, "ADMIN_ADDR", overrides.admin_addr.as_deref(), &mut seen.faults);
        check_ports(&config, &seen.places, &mut seen.faults);
        (config, seen)
    }
}

fn override_address(address: &mut SocketAddr, variable: &str, value: Option<&str>, faults: &mut Vec<Fault>) {
    match value.map(str::parse) {
        Some(Ok(parsed)) => *address = parsed,
        Some(Err(_)) => faults.push(Fault {
            line: 0,
            key: format!("environment variable {variable}"),
            text: "an address and port is wanted, as in 127.0.0.1:5696".to_owned(),
        }),
        None => {}
    }
}

/// Two listeners on one port: the second would fail to bind, after the first began to serve.
fn check_ports(config: &Config, places: &BTreeMap<String, usize>, faults: &mut Vec<Fault>) {
    let mut listeners = vec![("kmip.listen", config.kmip.listen)];
    listeners.extend(config.kmip_https.map(|listen| ("kmip_https.listen", listen)));
    listeners.push(("admin.listen", config.admin.listen));
    for (at, (key, listen)) in listeners.iter().enumerate() {
        for (earlier, taken) in listeners.iter().take(at) {
            let overlap = listen.ip() == taken.ip() || listen.ip().is_unspecified() || taken.ip().is_unspecified();
            if listen.port() != 0 && listen.port() == taken.port() && overlap {
                let line = places.get(*key).or(places.get(*earlier)).copied().unwrap_or(0);
                let text = format!("{listen} is taken by {earlier}, which is {taken}");
                faults.push(Fault { line, key: (*key).to_owned(), text });
            }
        }
    }
}

#[cfg(test)]
mod tests;
