//! `kmsctl`, the command line of an administrator: everything over the admin API, and the verifier that needs nothing
//! but public keys.
//!
//! Results go to standard output, as a table or as the API's JSON. What went wrong goes to standard error in one line,
//! and the exit code says of which kind it was; see [`exit`].

mod cli;
mod command;
mod connect;
mod exit;
mod files;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Failure;
use crate::output::Out;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("kmsctl: {}", output::one_line(&failure.to_string()));
            failure.code().into()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let out = Out::new(cli.output);
    let client = || cli.connection.client();
    match &cli.command {
        Command::Health => command::health::run(&client()?, &out),
        Command::Hsm(verb) => command::hsm::run(verb, &client()?, &out),
        Command::Administrator(verb) => command::request::administrator(verb, client, &out),
        Command::Request(verb) => command::request::run(verb, &cli.connection, &out),
        Command::Domain(verb) => command::domain::run(verb, &client()?, &out),
        Command::Client(verb) => command::client::run(verb, client, &out),
        Command::Object(verb) => command::object::run(verb, &client()?, &out),
        Command::Backup(verb) => command::backup::run(verb, &client()?, &out),
        Command::Audit(verb) => command::audit::run(verb, &client()?, &out),
        // The verifier talks to nobody.
        Command::Verify(verb) => command::verify::run(verb, &out),
    }
}
