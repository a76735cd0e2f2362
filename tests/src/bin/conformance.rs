//! `make conformance`: every OASIS case below `KMIP_CONFORMANCE_DIR`, each as its own tenant, against a node of ours.
//!
//! Ends with the line `N passed, M failed`. Exit code 0 if every failure was expected, which none of a required case is,
//! and 95 % of the test cases pass that can, 1 if not, 2 if the cases could not be run at all.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use system_tests::node::{Node, Result};
use system_tests::oasis::{Report, Way, run};

/// Plays the OASIS test cases against a node that it starts.
#[derive(Parser)]
struct Arguments {
    /// Folder of the cases; there is no default.
    #[arg(long, env = "KMIP_CONFORMANCE_DIR")]
    cases: Option<PathBuf>,
    /// Only cases whose path contains this; says of each what happened.
    #[arg(long)]
    only: Option<String>,
    /// How messages travel: as-written, https-ttlv, https-xml or https-json.
    #[arg(long, default_value = "as-written", value_parser = way)]
    way: Way,
}

fn way(name: &str) -> std::result::Result<Way, String> {
    Way::ALL.into_iter().find(|way| way.name() == name).ok_or_else(|| "there is no such way".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(dir) = arguments.cases.filter(|dir| !dir.as_os_str().is_empty()) else {
        eprintln!("conformance: not run: KMIP_CONFORMANCE_DIR does not say where the OASIS test cases are");
        return ExitCode::from(2);
    };
    match perform(&dir, arguments.way, arguments.only.as_deref()) {
        Ok(report) => {
            if arguments.only.is_some() {
                print!("{}", report.in_full());
            }
            println!("{report}");
            // Of some of the cases the share means nothing.
            let is_enough = arguments.only.is_some() || report.test_cases().is_enough();
            if report.is_good() && is_enough { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("conformance: not run: {error}");
            ExitCode::from(2)
        }
    }
}

fn perform(dir: &std::path::Path, way: Way, only: Option<&str>) -> Result<Report> {
    let node = Node::start()?;
    run::run(&node, dir, way, &|case| only.is_none_or(|part| case.id.contains(part)))
}
