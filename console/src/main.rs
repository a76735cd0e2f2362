//! `console`: serves the web console and its API; puts inventories and people in.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use console::api::{App, throttle::Throttle};
use console::config::Config;
use console::hypervisor::Hypervisors;
use console::platform::Platform;
use console::store::{Membership, Store, TokenKind};
use console::web::key_service::KeyService;
use console::{identity, limits, operator, serve, web};
use provisioning::ids::TenantId;
use provisioning::permission::Permission;
use provisioning::{Inventory, example};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

/// The web console of the IaaS and its REST API.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  console --config run/console.toml serve")]
struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until stopped. The first line on standard output says where, a second one where the operator's page is.
    Serve,
    /// Puts an inventory file in, JSON or TOML, while the console does not run.
    Import {
        /// The file.
        file: PathBuf,
        /// In the place of the inventory that is there.
        #[arg(long)]
        replace: bool,
    },
    /// Puts a made inventory in, if there is none: the small example, or one by size.
    Seed {
        /// Tenants of the made inventory.
        #[arg(long, requires = "vms")]
        tenants: Option<usize>,
        /// VMs of the made inventory.
        #[arg(long, requires = "tenants")]
        vms: Option<usize>,
        /// The same number makes the same inventory.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Makes a personal access token for somebody, one year long, and prints its secret; while the console does not run.
    Token {
        /// Whose it is to be.
        login: String,
    },
    /// Adds a person to tenants, with the password on standard input.
    User {
        /// What they log in with.
        login: String,
        /// What they are called.
        #[arg(long)]
        name: String,
        /// A tenant; its owner, or with these permissions: `acme` or `acme:activity_read,network_read`.
        #[arg(long = "tenant", required = true)]
        tenants: Vec<String>,
    },
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let run = || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(run(&arguments))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("console: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&arguments.config)?;
    let store = Store::open(&config.store).await?;
    if let Command::User { login, name, tenants } = &arguments.command {
        return enrol(&store, login, name, tenants).await;
    }
    if let Command::Token { login } = &arguments.command {
        let who = identity::in_tenant(&store, login, None).await?;
        let wanted = identity::Wanted {
            kind: TokenKind::Personal,
            name: "made by the operator",
            life_s: limits::PERSONAL_TOKEN_S,
            parent: None,
        };
        println!("{}", *identity::issue(&store, &who, &wanted).await?.secret);
        return Ok(());
    }
    let hypervisors = Hypervisors::new(config.hypervisors.clone(), config.image_mib << 20, config.specs()?);
    let platform = Platform::open(store, hypervisors).await?;
    match &arguments.command {
        Command::Serve => serve_until_stopped(&config, platform).await,
        Command::Import { file, replace } => import(&platform, read(file)?, *replace).await,
        Command::Seed { tenants, vms, seed } => {
            let made = match (tenants, vms) {
                (Some(tenants), Some(vms)) => Inventory::generate(*seed, (*tenants).max(1), *vms),
                _ => example::inventory(),
            };
            import(&platform, made, false).await
        }
        Command::User { .. } | Command::Token { .. } => Ok(()),
    }
}

fn read(file: &Path) -> Result<Inventory, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let is_toml = file.extension().is_some_and(|extension| extension == "toml");
    Ok(if is_toml { Inventory::from_toml(&text)? } else { Inventory::from_json(&text)? })
}

async fn import(platform: &Platform, inventory: Inventory, replace: bool) -> Result<(), Box<dyn Error>> {
    let vms = inventory.vms().count();
    if platform.import(inventory, replace).await? {
        println!("{vms} VMs");
    } else {
        println!("there is an inventory already; it stays");
    }
    Ok(())
}

async fn enrol(store: &Store, login: &str, name: &str, tenants: &[String]) -> Result<(), Box<dyn Error>> {
    let mut password = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut password)?;
    let memberships: Vec<Membership> = tenants.iter().map(|text| membership(text)).collect::<Result<_, _>>()?;
    identity::enrol(store, login, name, password.trim_end_matches('\n'), &memberships).await?;
    Ok(())
}

/// `acme`, or `acme:activity_read,network_read`.
fn membership(text: &str) -> Result<Membership, Box<dyn Error>> {
    let (tenant, listed) = text.split_once(':').map_or((text, None), |(tenant, listed)| (tenant, Some(listed)));
    let named = |name: &str| {
        let found = Permission::ALL.iter().find(|permission| permission.name() == name).copied();
        found.ok_or_else(|| format!("there is no permission \"{name}\""))
    };
    let permissions = match listed {
        None => Permission::ALL.iter().copied().collect(),
        Some(listed) => listed.split(',').map(named).collect::<Result<_, _>>()?,
    };
    Ok(Membership { tenant: TenantId::new(tenant), permissions })
}

async fn serve_until_stopped(config: &Config, platform: Arc<Platform>) -> Result<(), Box<dyn Error>> {
    let tls = serve::tls(&config.certificate, &config.key)?;
    let key_service = config.key_service.as_ref().map(KeyService::new).transpose()?.map(Arc::new);
    let throttle = Arc::new(Throttle::new(config.unlimited_requests));
    let resumed = platform.resume().await?;
    let app = App { platform: Arc::clone(&platform), throttle, key_service };
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    tracing::info!(%address, resumed, "serving");
    println!("{address}");
    let (stopping, stopped) = watch::channel(());
    let told = |mut stopped: watch::Receiver<()>| async move {
        let _ = stopped.changed().await;
    };
    let operator = match config.operator_listen {
        Some(listen) => {
            let listener = TcpListener::bind(listen).await?;
            let address = listener.local_addr()?;
            tracing::info!(%address, "serving the operator's page");
            println!("operator {address}");
            let tls = operator::tls(&config.certificate, &config.key)?;
            let stop = told(stopped.clone());
            Some(tokio::spawn(serve::serve(listener, tls, operator::router(app.clone()), stop)))
        }
        None => None,
    };
    std::io::stdout().flush()?;
    let tenants = tokio::spawn(serve::serve(listener, tls, web::router(app), told(stopped)));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    drop(stopping);
    tenants.await??;
    if let Some(operator) = operator {
        operator.await??;
    }
    // What is cut off here goes on at the next start.
    platform.hypervisors.stop().await;
    Ok(())
}
