//! From configuration to a serving node, and back down in order.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hsm::ceremony::Protocol;
use keystore::{KeyStore, SqliteStore, StoreError, StoreOptions};
use quorum::SignedRequest;
use rustls::pki_types::ServerName;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::{JoinError, JoinSet};

use crate::administration::{Administration, FirstAdministrator, HeldCeremony};
use crate::backup::BackupError;
use crate::backup::command::{Findings, shred_check as shred_check_on};
use crate::backup::rebuild::{Asked, Site};
use crate::config::{AdministratorConfig, CollectorConfig, Config, ListenerConfig, Vendor, WitnessConfig};
use crate::limits::JOB_WORKERS;
use crate::node::checkpoints::{Checkpointer, checkpoint_keys};
use crate::node::clock::Clock;
use crate::node::forwarding::{Collector, Forwarder};
use crate::node::retention::Sweeper;
use crate::node::scrubber::Scrubber;
use crate::node::witnessing::{Peer, WitnessAddress, WitnessError, Witnesses};
use crate::node::{Node, NodeSettings, StartError};
use crate::node::{dates, hsm_events, resealing, rotation};
use crate::quorums::ActKind;
use crate::shell::admission::Budget;
use crate::shell::connection::Kmip;
use crate::shell::hardening;
use crate::shell::listener::{self, Door};
use crate::shell::peer::{Fingerprint, Identity};
use crate::shell::service::Registered;
use crate::shell::shutdown::{self, Stop, Stopping, Termination};
use crate::shell::tls::{self, TlsError};
use crate::{admin, durable, later};

/// Name of the file with the checkpoint keys, beside the trust anchor.
const CHECKPOINT_KEYS: &str = "checkpoint-keys.txt";
/// Mode of a file that everybody may read.
const PUBLIC_FILE: u32 = 0o644;

/// Why a node does not serve, or stopped serving.
#[derive(Debug, Error)]
pub enum RunError {
    /// The domains cannot be opened.
    #[error("start")]
    Start(#[from] StartError),
    /// The store cannot be opened, or failed while serving: then nobody knows what the last commit left on the disk,
    /// and only a new process can find out.
    #[error("store")]
    Store(#[from] StoreError),
    /// The HSM group cannot be opened.
    #[error("hsm")]
    Hsm(#[from] hsm::HsmError),
    /// Certificates or keys of the listeners.
    #[error("tls")]
    Tls(#[from] TlsError),
    /// A socket, a signal handler, a limit of the process.
    #[error("{what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it did not work.
        source: std::io::Error,
    },
    /// The trust anchor that the ceremony wrote.
    #[error("{}: {what}", path.display())]
    TrustAnchor {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The first administrators could not be registered.
    #[error("bootstrap: {0}")]
    Bootstrap(String),
    /// A backup or a database that was to be looked at.
    #[error("check")]
    Backup(#[from] BackupError),
    /// The witnesses say that the database is not the newest one, or too few of them say anything.
    #[error("witnesses: {0}")]
    Witnesses(#[from] WitnessError),
    /// While serving, a witness showed that the database is not the one it saw.
    #[error("{0}")]
    Diverged(String),
    /// A part of the node ended without being told to.
    #[error("a part of the node ended by itself; the log says more")]
    TaskEnded,
    /// The node has no administrators: `init` was not run or not finished.
    #[error("the node is not initialized: run `kms-server init`")]
    NotInitialized,
}

fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> RunError {
    move |source| RunError::System { what, source }
}

/// The HSM group's own configuration.
#[must_use]
pub fn group_config(config: &Config) -> hsm::GroupConfig {
    let members = config
        .hsm
        .members
        .iter()
        .map(|member| hsm::MemberConfig {
            label: member.label.clone(),
            module: member.module.clone(),
            pin_file: member.pin_file.clone(),
            vendor: match member.vendor {
                Vendor::SoftHsm => hsm::Vendor::SoftHsm,
                Vendor::Network => hsm::Vendor::Network,
            },
        })
        .collect();
    hsm::GroupConfig {
        call_deadline: config.hsm.call_deadline,
        probe_interval: config.hsm.probe_interval,
        open_deadline: config.hsm.open_deadline,
        ..hsm::GroupConfig::new(members)
    }
}

/// The trust anchor that the ceremony wrote: the Root of Trust this node insists on.
///
/// # Errors
/// [`RunError::TrustAnchor`].
pub fn trust_anchor(path: &Path) -> Result<hsm::TrustAnchor, RunError> {
    let fault = |what: String| RunError::TrustAnchor { path: path.to_owned(), what };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| fault(error.to_string()))
}

/// The public keys that sign this node's checkpoints, as verifiers read them: one verifier key per line, beside the
/// trust anchor. Who checks a bundle takes them from the ceremony, not from the server that is to be checked.
///
/// # Errors
/// [`RunError`].
pub fn write_checkpoint_keys(config: &Config) -> Result<PathBuf, RunError> {
    let fault = |what: String| RunError::TrustAnchor { path: config.ceremony.trust_anchor.clone(), what };
    let anchor = trust_anchor(&config.ceremony.trust_anchor)?;
    let keys = checkpoint_keys(&anchor).ok_or_else(|| fault("a checkpoint key is no point of P-256".to_owned()))?;
    let trusted = audit::TrustedKeys::new(&config.node.name, keys).map_err(|error| fault(error.to_string()))?;
    let path = config.ceremony.trust_anchor.with_file_name(CHECKPOINT_KEYS);
    durable::write(&path, trusted.to_text().as_bytes(), PUBLIC_FILE).map_err(system("writing the checkpoint keys"))?;
    Ok(path)
}

/// Opens store and HSM group and every domain.
///
/// # Errors
/// [`RunError`].
pub async fn open_node(config: &Config) -> Result<Node, RunError> {
    let anchor = trust_anchor(&config.ceremony.trust_anchor)?;
    let store: Arc<dyn KeyStore> = Arc::new(SqliteStore::open(&config.store.path, store_options(config)).await?);
    let group = hsm::Group::open(group_config(config), Some(&anchor)).await?;
    match Node::start(NodeSettings::of(config), store, group.clone()).await {
        Ok(node) => Ok(node),
        Err(error) => {
            // A module ends what it has when the process does, and must not find a worker inside it then.
            group.close().await;
            Err(error.into())
        }
    }
}

/// Tries what still opens of a domain in the store's file, or in another one; see [`crate::backup::shred`]. The node may
/// serve meanwhile: this opens the HSM group for itself, and nothing is written.
///
/// # Errors
/// [`RunError`].
pub async fn shred_check(config: &Config, domain: &str, file: Option<&Path>) -> Result<Findings, RunError> {
    let anchor = trust_anchor(&config.ceremony.trust_anchor)?;
    let group = hsm::Group::open(group_config(config), Some(&anchor)).await?;
    let file = file.unwrap_or(&config.store.path);
    let found = shred_check_on(&group, &config.node.name, file, &config.store.backups, domain).await;
    group.close().await;
    Ok(found?)
}

/// What restoring a store from a backup came to.
#[derive(Debug)]
pub enum Rebuilt {
    /// What officers are to sign.
    Asked(Asked),
    /// The store is in its place; these are the keys that nobody can vouch for.
    Restored(String),
}

/// Restores the store that a node lost from the backup `file`; see [`crate::backup::rebuild`]. Without a request that
/// officers signed, it makes that request.
///
/// # Errors
/// [`RunError`].
pub async fn restore(config: &Config, file: &Path, signed: Option<&SignedRequest>) -> Result<Rebuilt, RunError> {
    let anchor = trust_anchor(&config.ceremony.trust_anchor)?;
    let group = hsm::Group::open(group_config(config), Some(&anchor)).await?;
    let site = Site {
        hsm: &group,
        kms: &config.node.name,
        store: &config.store.path,
        needed: config.dual_control.needed(ActKind::RestoreDomain),
    };
    let now_s = Clock::default().now_s();
    let rebuilt = match signed {
        None => site.ask(file, now_s).await.map(Rebuilt::Asked),
        Some(signed) => site.restore(file, signed, now_s).await.map(Rebuilt::Restored),
    };
    group.close().await;
    Ok(rebuilt?)
}

fn store_options(config: &Config) -> StoreOptions {
    use crate::config::Synchronous as Asked;
    let options = StoreOptions {
        synchronous: match config.store.synchronous {
            Asked::Full => keystore::Synchronous::Full,
            Asked::Extra => keystore::Synchronous::Extra,
        },
        ..StoreOptions::default()
    };
    #[cfg(feature = "fault")]
    let options = crate::node::fault::weaken(options);
    options
}

/// The store's part of `init`: the system domain and the first administrators, and a record of what the ceremony before
/// it came to. A second call makes and registers nothing, and is recorded as well. Returns how many were registered.
///
/// # Errors
/// [`RunError`].
pub async fn bootstrap(config: &Config, ceremony: &Protocol) -> Result<usize, RunError> {
    let mut first = Vec::with_capacity(config.administrators.len());
    for AdministratorConfig { name, role, certificate } in &config.administrators {
        let pem = std::fs::read(certificate).map_err(system("reading an administrator's certificate"))?;
        let der = certs::certificate_der(&pem).map_err(|error| RunError::Bootstrap(error.to_string()))?;
        first.push(FirstAdministrator { name: name.clone(), role: role.text().to_owned(), certificate: der });
    }
    let node = open_node(config).await?;
    let held = HeldCeremony {
        root_of_trust: ceremony.trust_anchor.rot_fingerprint,
        made: !ceremony.kept,
        members: ceremony.members.iter().map(|member| member.label.clone()).collect(),
    };
    let registered = async {
        node.record_start().await?;
        let registered = node.bootstrap(&first, &held).await;
        let registered = registered.map_err(|error| RunError::Bootstrap(error.to_string()))?;
        node.record_stop().await?;
        Ok(registered)
    };
    let registered = registered.await;
    node.store.close().await;
    node.hsm.close().await;
    registered
}

/// Serves until SIGTERM or SIGINT, then finishes what was begun.
///
/// # Errors
/// [`RunError`]; [`RunError::Store`] also when the store fails while serving.
pub async fn serve(config: &Config) -> Result<(), RunError> {
    hardening::close_off().map_err(system("closing the process off"))?;
    let room = hardening::make_room_for(config.limits.connections).map_err(system("raising the descriptor limit"))?;
    if !room.suffices() {
        tracing::warn!(?room, "the descriptor limit is below limits.connections");
    }
    // All sockets before anything slow, so that a taken port is told at once.
    let kmip = listener::bind(config.kmip.listen).await.map_err(system("binding the KMIP address"))?;
    let mut https = None;
    if let Some(address) = config.kmip_https {
        https = Some(listener::bind(address).await.map_err(system("binding the KMIP-over-HTTPS address"))?);
    }
    let admin = listener::bind(config.admin.listen).await.map_err(system("binding the admin address"))?;
    let node = Arc::new(open_node(config).await?);
    let outcome = if node.directory.system().is_none() {
        Err(RunError::NotInitialized)
    } else {
        let (stop, stopping) = shutdown::stop_signal();
        serve_on(config, &node, Sockets { kmip, https, admin }, &stop, stopping).await
    };
    let outcome = match outcome {
        Ok(()) => node.record_stop().await.map_err(RunError::from),
        error => error,
    };
    node.store.close().await;
    // Whoever still has the group is told that it is closed.
    node.hsm.clone().close().await;
    outcome
}

/// Where the node listens.
struct Sockets {
    kmip: TcpListener,
    https: Option<TcpListener>,
    admin: TcpListener,
}

async fn serve_on(
    config: &Config,
    node: &Arc<Node>,
    Sockets { kmip, https, admin }: Sockets,
    stop: &Stop,
    stopping: Stopping,
) -> Result<(), RunError> {
    let limits = &config.limits;
    let time: Arc<dyn TimeProvider> = Arc::new(DefaultTimeProvider);
    let address = |socket: &TcpListener| socket.local_addr().map_err(system("asking for an address"));
    let addresses = (address(&kmip)?, https.as_ref().map(address).transpose()?, address(&admin)?);
    let kmip_tls = tls_of(&config.kmip, node.clone(), &time)?;
    let door = Arc::new(Door::new(kmip_tls, node.clone(), node.clone(), Budget::kmip(limits), limits));
    let administrators = Arc::new(Administrators(node.clone()));
    let admin_tls = tls_of(&config.admin, administrators.clone(), &time)?;
    let peers =
        config.witnesses.iter().map(|witness| peer_of(witness, config, &time)).collect::<Result<_, TlsError>>()?;
    let checkpointer = Arc::new(Checkpointer::new(Witnesses::new(peers, limits.witness_patience)));
    if !checkpointer.witnesses.is_empty() {
        checkpointer.witnesses.admit(node).await?;
    }
    // Not before: in a database that is not the newest one, nothing is written.
    node.record_start().await?;
    let scrubber = Arc::new(Scrubber::default());
    let administration = Arc::new(Administration {
        node: node.clone(),
        checkpointer: checkpointer.clone(),
        scrubber: scrubber.clone(),
        started: node.clock.now_s(),
        stopping: stopping.clone(),
    });
    let conversation = Kmip::new(node.clone(), limits.clone(), time.clone());
    let mut tasks = JoinSet::new();
    // One door for both: a budget counts connections, whatever they speak.
    for socket in https.into_iter().chain([kmip]) {
        tasks.spawn(listener::run(socket, door.clone(), conversation.clone(), stopping.clone()));
    }
    tasks.spawn(admin::serve(admin, admin_tls, administrators, administration, limits.clone(), stopping.clone()));
    tasks.spawn(checkpointer.clone().run(node.clone(), stopping.clone()));
    for _ in 0..JOB_WORKERS {
        tasks.spawn(later::run(node.clone(), stopping.clone()));
    }
    tasks.spawn(hsm_events::run(node.clone(), stopping.clone()));
    tasks.spawn(dates::run(node.clone(), stopping.clone()));
    tasks.spawn(rotation::run(node.clone(), stopping.clone()));
    tasks.spawn(resealing::run(node.clone(), stopping.clone()));
    for collector in &config.collectors {
        let collector = collector_of(collector, &time)?;
        tasks.spawn(Forwarder::new(collector, node.clone()).run(stopping.clone()));
    }
    let collectors = config.collectors.iter().map(|collector| collector.name.clone()).collect();
    tasks.spawn(Sweeper::new(collectors).run(node.clone(), stopping.clone()));
    tasks.spawn(scrubber.run(node.clone(), stopping));

    // Caught before anyone is told where the node listens: who reads that may send the signal at once.
    let termination = Termination::watch().map_err(system("catching signals"))?;
    announce(addresses).map_err(system("saying where the node listens"))?;
    let outcome = tokio::select! {
        () = termination.received() => Ok(()),
        fault = node.store.fatal() => Err(RunError::Store(fault)),
        text = checkpointer.witnesses.diverged() => Err(RunError::Diverged(text)),
        // None ends before it is told to; half a node is worse than none, because nobody notices.
        Some(ended) = tasks.join_next() => {
            report(ended);
            Err(RunError::TaskEnded)
        }
    };
    tracing::info!("stopping");
    stop.stop();
    // Each ends by itself within its deadline.
    while let Some(ended) = tasks.join_next().await {
        report(ended);
    }
    outcome
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the node ended badly");
    }
}

/// One line of JSON on standard output, for whoever started the node: port 0 may have become any.
fn announce((kmip, https, admin): (SocketAddr, Option<SocketAddr>, SocketAddr)) -> std::io::Result<()> {
    tracing::info!(%kmip, ?https, %admin, "serving");
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::json!({ "kmip": kmip, "kmip_https": https, "admin": admin }))?;
    out.flush()
}

fn tls_of(
    listener: &ListenerConfig,
    registered: Arc<dyn Registered>,
    time: &Arc<dyn TimeProvider>,
) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    tls::server_config(tls::server_key(&listener.certificate, &listener.key)?, registered, time.clone())
}

/// A witness, with the TLS to reach it.
fn peer_of(witness: &WitnessConfig, config: &Config, time: &Arc<dyn TimeProvider>) -> Result<Peer, TlsError> {
    let WitnessConfig { address, key, ca, server_name } = witness.clone();
    let server_name = ServerName::try_from(server_name.clone())
        .map_err(|error| TlsError::Pem { path: ca.clone(), text: format!("{server_name}: {error}") })?;
    // The witness has pinned the key of this certificate.
    let tls = tls::identified_client_config(&ca, &config.admin.certificate, &config.admin.key, time.clone())?;
    Ok(Peer::new(WitnessAddress { address, tls, server_name, key, deadline: config.limits.witness_deadline }))
}

/// A collector, with the TLS to reach it.
fn collector_of(config: &CollectorConfig, time: &Arc<dyn TimeProvider>) -> Result<Collector, TlsError> {
    let tls = config.ca.as_ref().map(|ca| {
        let name = ServerName::try_from(config.server_name.clone())
            .map_err(|error| TlsError::Pem { path: ca.clone(), text: format!("{}: {error}", config.server_name) })?;
        Ok::<_, TlsError>((tls::client_config(ca, time.clone())?, name))
    });
    Ok(Collector { name: config.name.clone(), address: config.address.clone(), tls: tls.transpose()? })
}

/// The admin listener's view of who is registered: administrators only.
struct Administrators(Arc<Node>);

impl Registered for Administrators {
    fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
        self.0.find_admin(fingerprint)
    }
}
