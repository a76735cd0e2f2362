//! `esxi-sim serve`: a vCenter and an ESXi host as one process. Killing it is rebooting the host.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use esxi_sim::limits::HEALTH_INTERVAL;
use esxi_sim::pair::Pair;
use esxi_sim::{api, disk};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// A simulated vCenter and ESXi host: a real KMIP client, real disk encryption.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example:\n  esxi-sim serve --state run/esxi --listen 127.0.0.1:0 --address-file run/esxi.addr"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Boots the host and serves its API until stopped. Keys are in memory only: whoever ends this reboots the host.
    Serve(Serve),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Folder of everything that survives a reboot: providers, configurations of VMs.
    #[arg(long)]
    state: PathBuf,
    /// Address of the API, a loopback one; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// File to write the address to, once the API is ready.
    #[arg(long)]
    address_file: Option<PathBuf>,
    /// Name of the host; counts only when the state folder is new.
    #[arg(long, default_value = "esxi-1.sim")]
    host_name: String,
    /// Hardware UUID of the host; counts only when the state folder is new.
    #[arg(long)]
    host_uuid: Option<Uuid>,
    /// Seconds between two health checks of each key server; 0 for none.
    #[arg(long, default_value_t = HEALTH_INTERVAL.as_secs())]
    health_interval: u64,
    /// Lets callers write disks in clear into new files, so that a test can look at them from outside.
    #[arg(long)]
    allow_decrypted_copies: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Command::Serve(arguments) = Arguments::parse().command;
    if let Err(error) = forbid_core_dumps() {
        tracing::error!(%error, "core dumps cannot be switched off, and keys would be in them");
        return ExitCode::FAILURE;
    }
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error, "cannot serve");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Serve) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Before anything is promised: from here on a signal ends the service in order.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (state, name, uuid) = (arguments.state, arguments.host_name, arguments.host_uuid);
    let pair = tokio::task::spawn_blocking(move || Pair::start(&state, &name, uuid)).await??;
    let pair = Arc::new(pair);
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    if arguments.health_interval > 0 {
        tokio::spawn(check_health(Arc::clone(&pair), Duration::from_secs(arguments.health_interval)));
    }
    announce(address, arguments.address_file.as_deref())?;
    tracing::info!(%address, host = %pair.host().name(), vms = pair.host().vms().len(), "serving");
    let router = api::router(Arc::clone(&pair), arguments.allow_decrypted_copies);
    let stopping = Arc::clone(&pair);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopping.stop();
    };
    Ok(api::serve(listener, router, stop).await?)
}

/// A real host encrypts its core dumps with the host key; this one makes none, and nobody may trace it.
fn forbid_core_dumps() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// The address on standard output, and in a file for those who started this and wait for it.
fn announce(address: SocketAddr, file: Option<&Path>) -> std::io::Result<()> {
    let line = format!("{address}\n");
    if let Some(file) = file {
        disk::durable::replace(file, line.as_bytes())?;
    }
    let mut out = std::io::stdout();
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// The health checks that vCenter does whether or not anybody asks.
async fn check_health(pair: Arc<Pair>, every: Duration) {
    let mut clock = tokio::time::interval(every);
    // The first tick is at once, when nobody has been registered yet or trust was just established.
    clock.tick().await;
    loop {
        clock.tick().await;
        for provider in pair.vcenter().providers() {
            let status = provider.check().await;
            tracing::info!(provider = %status.id, healthy = status.healthy, "health");
        }
    }
}
