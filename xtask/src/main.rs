//! Chores of the repository, each a subcommand with a file of its own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod demo;
mod inventory;
mod registry;
mod serve;
mod tidy;

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The main job end to end in a temporary folder; fails unless every claim was checked.
    Demo,
    /// Checks the house rules: who may use whom, what must not be in the tree.
    Tidy,
    /// Sets up a node under RUN_DIR, with demo tenants, and serves until stopped.
    Serve,
    /// Runs a program that ends with the process that started it; demo and serve start theirs so.
    #[command(hide = true)]
    Under {
        /// The process that starts this one.
        parent: u32,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Checks an inventory file (JSON or TOML, docs/inventory.md) against the promises, and tells what it consumes.
    CheckInventory {
        /// The file.
        file: PathBuf,
    },
    /// Prints a realistic inventory of that size as JSON; the same seed makes the same one.
    GenerateInventory {
        /// Customers, with a tenant each.
        #[arg(long, default_value_t = 3)]
        tenants: usize,
        /// VMs of all tenants together.
        #[arg(long, default_value_t = 100)]
        vms: usize,
        /// Which one.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Writes kmip/src/registry/tables/ from the tables of the KMIP specification.
    Registry {
        /// Folder of kmip_tables_1_0.json to kmip_tables_2_1.json, and the two files they are checked against.
        tables: PathBuf,
        /// Folder to write into.
        #[arg(long, default_value = "kmip/src/registry/tables")]
        out: PathBuf,
        /// File to write which structure has which fields in which versions.
        #[arg(long, default_value = "kmip/tests/support/fields.txt")]
        fields: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Demo => demo::run(),
        Command::Serve => serve::run(),
        Command::Tidy => tidy::run(),
        Command::CheckInventory { file } => inventory::check(&file),
        Command::GenerateInventory { tenants, vms, seed } => inventory::generate(seed, tenants, vms),
        Command::Under { parent, program } => Err(xtask::stage::children::under(parent, &program).to_string()),
        Command::Registry { tables, out, fields } => registry::generate(&tables, &out, &fields),
    };
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
