//! What stands in each section of the file: its keys, their defaults and ranges, and what contradicts what.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::witness::WitnessKey;

use super::reading::Section;
use super::{
    AdminRole, AdministratorConfig, CeremonyConfig, CollectorConfig, CustodianConfig, HsmConfig, ListenerConfig,
    LogConfig, LogFormat, MemberConfig, NodeConfig, ShareSeal, StoreConfig, Synchronous, Vendor, WitnessConfig,
};
use crate::limits::{Limits, SETTINGS};
use crate::quorums::{self, ActKind, Quorums};

/// Members of one group.
const MAX_MEMBERS: usize = 16;
/// Witnesses of one node.
const MAX_WITNESSES: usize = 15;

impl NodeConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let node = Self { name: plain_name(&mut section, "name") };
        section.finish();
        node
    }
}

/// The second address of the KMIP service; a section without it is as good as none.
pub(super) fn read_kmip_https(mut section: Section<'_>) -> Option<SocketAddr> {
    let listen = section.text("listen").and_then(|text| {
        let address = text.parse().ok();
        if address.is_none() {
            section.refuse("listen", "an address and port is wanted, as in 127.0.0.1:5697");
        }
        address
    });
    section.finish();
    listen
}

impl ListenerConfig {
    pub(super) fn read(mut section: Section<'_>, base: &Path, port: u16) -> Self {
        let mut listen = SocketAddr::from(([127, 0, 0, 1], port));
        if let Some(text) = section.text("listen") {
            match text.parse() {
                Ok(address) => listen = address,
                Err(_) => section.refuse("listen", format!("an address and port is wanted, as in {listen}")),
            }
        }
        let listener = Self {
            listen,
            certificate: path(&mut section, "certificate", base, "a PEM file"),
            key: path(&mut section, "key", base, "a PEM file"),
        };
        section.finish();
        listener
    }
}

impl StoreConfig {
    pub(super) fn read(mut section: Section<'_>, base: &Path) -> Self {
        let path = path(&mut section, "path", base, "the SQLite file");
        let words =
            [("full", Some(Synchronous::Full)), ("extra", Some(Synchronous::Extra)), ("normal", None), ("off", None)];
        let synchronous = match section.word("synchronous", &words) {
            Some(None) => {
                section.refuse("synchronous", "below full, a power cut loses keys that were acknowledged");
                Synchronous::Full
            }
            Some(Some(chosen)) => chosen,
            None => Synchronous::Full,
        };
        let backups = path_or(&mut section, "backups", base, "backups");
        section.finish();
        Self { path, synchronous, backups }
    }
}

impl HsmConfig {
    pub(super) fn read(mut section: Section<'_>, base: &Path) -> Self {
        let library = path(&mut section, "library", base, "the PKCS#11 library");
        let call_deadline = millis(&mut section, "call_deadline_ms", 10..=60_000, 2_000);
        let probe_interval = millis(&mut section, "probe_interval_ms", 10..=60_000, 1_000);
        let open_deadline = millis(&mut section, "open_deadline_ms", 10..=600_000, 10_000);
        let mut members: Vec<MemberConfig> = Vec::new();
        for mut member in section.sections("members") {
            let label = plain_name(&mut member, "label");
            if label.len() > 32 {
                member.refuse("label", "a PKCS#11 token label has at most 32 bytes");
            }
            let read = MemberConfig {
                module: path(&mut member, "module", base, "this member's copy of the library"),
                pin_file: path(&mut member, "pin_file", base, "a file"),
                so_pin_file: path(&mut member, "so_pin_file", base, "a file"),
                vendor: member.word("vendor", &Vendor::WORDS).unwrap_or(Vendor::SoftHsm),
                label,
            };
            if members.iter().any(|other| !read.label.is_empty() && other.label == read.label) {
                member.refuse("label", format!("{:?} is already a member", read.label));
            }
            if members.iter().any(|other| same_place(&other.module, &read.module)) {
                member.refuse("module", "another member loads this file; each needs a copy of its own");
            }
            member.finish();
            members.push(read);
        }
        if members.len() > MAX_MEMBERS {
            section.refuse("members", format!("{} members; a group has at most {MAX_MEMBERS}", members.len()));
        }
        if members.is_empty() {
            section.missing("members", "at least one [[hsm.members]]");
        }
        section.finish();
        Self { library, call_deadline, probe_interval, open_deadline, members }
    }
}

impl Vendor {
    const WORDS: [(&'static str, Self); 2] = [("softhsm", Self::SoftHsm), ("network", Self::Network)];
}

impl CeremonyConfig {
    pub(super) fn read(mut section: Section<'_>, base: &Path) -> Self {
        let threshold = section.number("threshold", 2..=16).unwrap_or(2);
        let mut custodians: Vec<CustodianConfig> = Vec::new();
        for mut custodian in section.sections("custodians") {
            let name = plain_name(&mut custodian, "name");
            if name.len() > 32 || name.contains('.') {
                custodian.refuse("name", "at most 32 letters, digits, '-' and '_' are wanted");
            }
            let read = CustodianConfig {
                name,
                seal: read_seal(&mut custodian, base),
                share: path(&mut custodian, "share", base, "a file"),
            };
            if custodians.iter().any(|other| !read.name.is_empty() && other.name == read.name) {
                custodian.refuse("name", format!("{:?} is already a custodian", read.name));
            }
            if custodians.iter().any(|other| same_place(&other.share, &read.share)) {
                custodian.refuse("share", "another custodian's share goes there");
            }
            custodian.finish();
            custodians.push(read);
        }
        let threshold = usize::try_from(threshold).unwrap_or(usize::MAX);
        if custodians.is_empty() {
            section.missing("custodians", "at least two [[ceremony.custodians]]");
        } else if custodians.len() < threshold {
            section.refuse("threshold", format!("{threshold} shares of {} can never come together", custodians.len()));
        }
        let ceremony = Self {
            threshold,
            protocol: path_or(&mut section, "protocol", base, "ceremony/protocol.json"),
            trust_anchor: path_or(&mut section, "trust_anchor", base, "ceremony/trust-anchor.json"),
            escrow_blob: path_or(&mut section, "escrow_blob", base, "escrow/escrow.blob"),
            records: path_or(&mut section, "records", base, "ceremony"),
            custodians,
        };
        section.finish();
        ceremony
    }
}

/// One of the two things that a share can be sealed to.
fn read_seal(custodian: &mut Section<'_>, base: &Path) -> ShareSeal {
    if custodian.has("public_key") {
        let key = path(custodian, "public_key", base, "a PEM file");
        if custodian.has("passphrase_file") {
            custodian.refuse("public_key", "a share is sealed to a key or to a passphrase, not to both");
            custodian.text("passphrase_file");
        }
        return ShareSeal::PublicKey(key);
    }
    ShareSeal::Passphrase(path(custodian, "passphrase_file", base, "a file, or a public_key"))
}

pub(super) fn read_administrators(root: &mut Section<'_>, base: &Path) -> Vec<AdministratorConfig> {
    let mut administrators: Vec<AdministratorConfig> = Vec::new();
    for mut section in root.sections("administrators") {
        let read = AdministratorConfig {
            name: plain_name(&mut section, "name"),
            role: section.word("role", &AdminRole::WORDS).unwrap_or(AdminRole::Auditor),
            certificate: path(&mut section, "certificate", base, "a PEM file"),
        };
        if administrators.iter().any(|other| !read.name.is_empty() && other.name == read.name) {
            section.refuse("name", format!("{:?} is already an administrator", read.name));
        }
        section.finish();
        administrators.push(read);
    }
    administrators
}

/// How many security officers have to approve which act. One lets a single person act, and has to be written down.
pub(super) fn read_dual_control(mut section: Section<'_>) -> Quorums {
    let numbers = 1..=quorums::MAX_QUORUM;
    let quorum = section.number("quorum", numbers.clone()).unwrap_or(quorums::DEFAULT_QUORUM);
    let needed = ActKind::ALL.map(|act| (act, section.number(act.setting(), numbers.clone()).unwrap_or(quorum)));
    let lifetimes = quorums::MIN_LIFETIME_S..=quorums::MAX_LIFETIME_S;
    let lifetime = section.number("lifetime_s", lifetimes).unwrap_or(quorums::DEFAULT_LIFETIME_S);
    section.finish();
    Quorums::of(lifetime, |act| needed.iter().find(|(one, _)| *one == act).map_or(quorum, |(_, needed)| *needed))
}

pub(super) fn read_collectors(root: &mut Section<'_>, base: &Path) -> Vec<CollectorConfig> {
    let mut collectors: Vec<CollectorConfig> = Vec::new();
    for mut section in root.sections("collectors") {
        let name = plain_name(&mut section, "name");
        let (address, host) = host_and_port(&mut section);
        let tls = section.word("transport", &[("tls", true), ("tcp", false)]).unwrap_or(true);
        let server_name = server_name(&mut section, host);
        let ca = if tls {
            Some(path(&mut section, "ca", base, "a PEM file"))
        } else {
            if section.text("ca").is_some() {
                section.refuse("ca", "plain TCP checks no certificate");
            }
            None
        };
        if collectors.iter().any(|other| !name.is_empty() && other.name == name) {
            section.refuse("name", format!("{name:?} is already a collector"));
        }
        section.finish();
        collectors.push(CollectorConfig { name, address, ca, server_name });
    }
    collectors
}

/// `address`, and the host in it.
fn host_and_port(section: &mut Section<'_>) -> (String, String) {
    let address = section.needed_text("address", "host:port");
    let host = address.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map(|(host, _)| host);
    if !address.is_empty() && host.is_none() {
        section.refuse("address", "a host and a port are wanted, as in siem.example:6514");
    }
    let host = host.unwrap_or_default().trim_matches(['[', ']']).to_owned();
    (address, host)
}

/// `server_name`, or the host of the address.
fn server_name(section: &mut Section<'_>, host: String) -> String {
    let name = section.text("server_name").unwrap_or(host);
    if !name.is_empty() && rustls_pki_types::ServerName::try_from(name.as_str()).is_err() {
        section.refuse("server_name", "the name in the other side's certificate is wanted");
    }
    name
}

pub(super) fn read_witnesses(root: &mut Section<'_>, base: &Path) -> Vec<WitnessConfig> {
    let mut witnesses: Vec<WitnessConfig> = Vec::new();
    for mut section in root.sections("witnesses") {
        let (address, host) = host_and_port(&mut section);
        let server_name = server_name(&mut section, host);
        let ca = path(&mut section, "ca", base, "a PEM file");
        let text = section.needed_text("key", "what `witness init` printed");
        let key = WitnessKey::parse(&text).ok();
        if key.is_none() && !text.is_empty() {
            section.refuse("key", "what `witness init` printed is wanted");
        }
        if key.as_ref().is_some_and(|key| witnesses.iter().any(|other| other.key.is_same_witness(key))) {
            section.refuse("key", "another witness has this key");
        }
        section.finish();
        witnesses.extend(key.map(|key| WitnessConfig { address, key, ca, server_name }));
    }
    if witnesses.len() > MAX_WITNESSES {
        root.refuse("witnesses", format!("{} witnesses; at most {MAX_WITNESSES} are asked", witnesses.len()));
    }
    witnesses
}

impl LogConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let log = Self {
            format: section
                .word("format", &[("json", LogFormat::Json), ("text", LogFormat::Text)])
                .unwrap_or(LogFormat::Json),
            level: section
                .word(
                    "level",
                    &[
                        ("error", tracing::Level::ERROR),
                        ("warn", tracing::Level::WARN),
                        ("info", tracing::Level::INFO),
                        ("debug", tracing::Level::DEBUG),
                        ("trace", tracing::Level::TRACE),
                    ],
                )
                .unwrap_or(tracing::Level::INFO),
        };
        section.finish();
        log
    }
}

pub(super) fn read_limits(mut section: Section<'_>) -> Limits {
    let mut limits = Limits::default();
    for setting in SETTINGS {
        if let Some(value) = section.number(setting.name, setting.least..=setting.most)
            && !limits.set(setting.name, value)
        {
            section.refuse(setting.name, format!("{value} does not fit this machine"));
        }
    }
    if limits.connections_per_identity > limits.connections {
        section.refuse("connections_per_identity", "more than limits.connections in all");
    }
    if limits.handshakes_per_address > limits.handshakes {
        section.refuse("handshakes_per_address", "more than limits.handshakes in all");
    }
    section.finish();
    limits
}

fn path(section: &mut Section<'_>, key: &'static str, base: &Path, wanted: &str) -> PathBuf {
    let text = section.needed_text(key, wanted);
    // An empty path marks what has been reported as missing, so that its file is not looked for as well.
    if text.is_empty() { PathBuf::new() } else { base.join(text) }
}

/// Whether `one` names the same place as an earlier `other`; what is missing names none.
fn same_place(one: &Path, other: &Path) -> bool {
    !one.as_os_str().is_empty() && one == other
}

fn path_or(section: &mut Section<'_>, key: &'static str, base: &Path, default: &str) -> PathBuf {
    base.join(section.text(key).unwrap_or_else(|| default.to_owned()))
}

fn millis(
    section: &mut Section<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
) -> Duration {
    Duration::from_millis(section.number(key, range).unwrap_or(default))
}

/// Names that stand in file names, checkpoint origins and logs.
fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn plain_name(section: &mut Section<'_>, key: &'static str) -> String {
    let name = section.needed_text(key, "a name");
    if !name.is_empty() && !is_plain_name(&name) {
        section.refuse(key, "at most 64 letters, digits, '.', '-' and '_' are wanted");
    }
    name
}
