//! The benchmark: `bench compare` for this server and PyKMIP's side by side, `bench load` for any KMIP server.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bench::audit_log;
use bench::compare::{self, CostOptions, Side};
use bench::limits::{CONNECTIONS, KEYS, ROUNDS, SECONDS, WARM_UP};
use bench::load::{self, Amount, Operation, Plan, Population, Target, TargetOptions};
use bench::measurement::{Processor, text_of};
use clap::{Parser, Subcommand};

/// Measures KMIP servers.
#[derive(Parser)]
#[command(name = "bench", after_help = "bench/README.md says how to read the numbers.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts this server and PyKMIP's, measures both by turns, prints a table.
    Compare(Compare),
    /// Starts this server with its audit log and without, measures Get on both by turns; an error beyond the bar.
    AuditCost(AuditCost),
    /// Verifies bundles of a short and a long log, and makes proofs out of a long one; an error beyond a bar.
    AuditLog(AuditLog),
    /// Loads one server that runs already.
    #[command(after_help = "Example: bench load --address 127.0.0.1:5696 --ca run/pki/ca.pem \
        --cert run/pki/acme/client.pem --key run/pki/acme/client.key --operation get --connections 1,16")]
    Load(Load),
}

#[derive(Parser)]
struct Compare {
    /// Python of the environment that PyKMIP is installed in.
    #[arg(long, default_value = ".venv/bin/python")]
    python: PathBuf,
    /// The script that starts PyKMIP's server.
    #[arg(long, default_value = "bench/pykmip_server.py")]
    script: PathBuf,
    /// Folder for both servers' data; on the disk that is to be measured.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Where the JSON goes.
    #[arg(long, default_value = "bench/results/latest.json")]
    out: PathBuf,
    /// Seconds of each measurement.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = SECONDS, value_parser = seconds)]
    seconds: f64,
    /// Measurements of each operation on each server.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Keys that each server holds beforehand.
    #[arg(long, default_value_t = KEYS)]
    keys: usize,
    /// What to measure; everything if nothing is said.
    #[arg(long, value_delimiter = ',')]
    operation: Vec<Operation>,
}

#[derive(Parser)]
struct AuditCost {
    /// Folder of the server that was built with the feature unaudited-bench.
    #[arg(long)]
    unaudited: PathBuf,
    /// Folder for both servers' data; on the disk that is to be measured.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Where the JSON goes.
    #[arg(long, default_value = "bench/results/audit-cost.json")]
    out: PathBuf,
    /// Seconds of each measurement.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = SECONDS, value_parser = seconds)]
    seconds: f64,
    /// Measurements on each server.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// Keys that each server holds beforehand.
    #[arg(long, default_value_t = KEYS)]
    keys: usize,
}

#[derive(Parser)]
struct AuditLog {
    /// Folder for bundles and store; on the disk that is to be measured.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Where the JSON goes.
    #[arg(long, default_value = "bench/results/audit-log.json")]
    out: PathBuf,
    /// Records of the longer log; the shorter one has a tenth of them.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    records: u64,
}

#[derive(Parser)]
struct Load {
    #[command(flatten)]
    target: TargetOptions,
    /// What to measure; everything if nothing is said.
    #[arg(long, value_delimiter = ',')]
    operation: Vec<Operation>,
    /// Connections at one time; several numbers for several measurements.
    #[arg(long, value_delimiter = ',', default_values_t = CONNECTIONS)]
    connections: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = SECONDS, value_parser = seconds)]
    seconds: f64,
    /// A number of operations instead of a time.
    #[arg(long, conflicts_with = "seconds")]
    requests: Option<u64>,
    /// Keys to make beforehand. They stay.
    #[arg(long, default_value_t = KEYS)]
    keys: usize,
    /// Process of the server, for its processor time.
    #[arg(long)]
    process: Option<u32>,
    /// One JSON object for each measurement instead of a line of text.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = perform(Arguments::parse().command) => outcome,
            // What is dropped now stops the servers.
            _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(command: Command) -> Result<(), String> {
    match command {
        Command::Compare(arguments) => compare(arguments).await,
        Command::AuditCost(arguments) => audit_cost(arguments).await,
        Command::AuditLog(arguments) => audit_log(arguments).await,
        Command::Load(arguments) => load(arguments).await,
    }
}

async fn compare(arguments: Compare) -> Result<(), String> {
    let options = compare::Options {
        python: arguments.python,
        script: arguments.script,
        folder: arguments.folder,
        time: Duration::from_secs_f64(arguments.seconds),
        rounds: arguments.rounds.max(1),
        keys: arguments.keys.max(1),
        operations: all_if_none(arguments.operation),
    };
    let report = compare::run(&options, &mut |step| eprintln!("· {step}")).await.map_err(|error| text_of(&error))?;
    println!("\n{report}");
    let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    write(&arguments.out, &json).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    println!("\nAll numbers: {}", arguments.out.display());
    if report.ours_failed() { Err("operations on Clavis failed; see above".to_owned()) } else { Ok(()) }
}

async fn audit_cost(arguments: AuditCost) -> Result<(), String> {
    compare::demand_unaudited(&arguments.unaudited).map_err(|error| text_of(&error))?;
    let options = CostOptions {
        unaudited: arguments.unaudited,
        folder: arguments.folder,
        time: Duration::from_secs_f64(arguments.seconds),
        rounds: arguments.rounds.max(1),
        keys: arguments.keys.max(1),
    };
    let cost = compare::cost(&options, &mut |step| eprintln!("· {step}")).await.map_err(|error| text_of(&error))?;
    println!("\n{cost}");
    let json = serde_json::to_string_pretty(&cost).map_err(|error| error.to_string())?;
    write(&arguments.out, &json).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    println!("\nAll numbers: {}", arguments.out.display());
    if cost.is_within_the_bar() {
        Ok(())
    } else {
        Err("the log costs more than it may, or something failed".to_owned())
    }
}

async fn audit_log(arguments: AuditLog) -> Result<(), String> {
    let options = audit_log::Options { folder: arguments.folder, records: arguments.records };
    let report = audit_log::run(&options, &mut |step| eprintln!("· {step}")).await.map_err(|error| text_of(&error))?;
    println!("\n{report}");
    let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    write(&arguments.out, &json).map_err(|error| format!("{}: {error}", arguments.out.display()))?;
    println!("\nAll numbers: {}", arguments.out.display());
    if report.is_within_the_bars() { Ok(()) } else { Err("a bar of the audit log is missed".to_owned()) }
}

async fn load(arguments: Load) -> Result<(), String> {
    let target = Target::new(&arguments.target.address, &arguments.target).map_err(|error| error.to_string())?;
    let target = Arc::new(target);
    eprintln!("· making {} keys …", arguments.keys);
    let population = Population::make(&target, arguments.keys).await.map_err(|error| error.to_string())?;
    let population = Arc::new(population);
    let time = Duration::from_secs_f64(arguments.seconds);
    let measured = arguments.requests.map_or(Amount::Time(time), Amount::Requests);
    let process = arguments.process.map(Processor::of);
    if !arguments.json {
        println!("{:16}{:>5}{:>10}{:>10}{:>10}{:>12}", "operation", "conn", "req/s", "p50 ms", "p99 ms", "CPU ms/req");
    }
    let mut failed = false;
    for operation in all_if_none(arguments.operation) {
        for &connections in &arguments.connections {
            let plan = Plan { connections, warm_up: Amount::Time(time.mul_f64(WARM_UP)), measured };
            let measurement = load::run(&target, operation, &population, plan, process.as_ref())
                .await
                .map_err(|error| error.to_string())?;
            let side = Side::of(&[measurement]);
            failed |= !side.errors.is_empty();
            if arguments.json {
                let line = serde_json::json!({ "operation": operation, "connections": connections, "result": side });
                println!("{line}");
            } else {
                println!("{operation:16}{connections:>5}{side}");
                for (error, count) in &side.errors {
                    println!("    FAILED: {count} × {error}");
                }
                if side.refused > 0 {
                    println!("    {} requests refused that vCenter does without", side.refused);
                }
            }
        }
    }
    if failed { Err("operations failed; see above".to_owned()) } else { Ok(()) }
}

fn all_if_none(operations: Vec<Operation>) -> Vec<Operation> {
    if operations.is_empty() { Operation::ALL.to_vec() } else { operations }
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let part = path.with_extension("part");
    let mut file = std::fs::File::create(&part)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(part, path)
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=600.0).contains(&seconds) { Ok(seconds) } else { Err("between 0.05 and 600".to_owned()) }
}
