//! `make coverage`: writes `docs/kmip-coverage.md`. With `--answered`, holds `tests/answered.txt` against what the servers of
//! a whole test run noted.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use system_tests::answered::{self, Answered};
use system_tests::coverage::{Offer, page, path};
use system_tests::node::{Node, Result};
use system_tests::oasis::{Way, run};

/// Writes docs/kmip-coverage.md, or checks what it rests on.
#[derive(Parser)]
struct Arguments {
    /// Folder of the OASIS cases.
    #[arg(long, env = "KMIP_CONFORMANCE_DIR")]
    cases: Option<PathBuf>,
    /// Folder of the notes of a whole test run, which are compared with tests/answered.txt, or make it where UPDATE_GOLDEN
    /// is set.
    #[arg(long)]
    answered: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(folder) = arguments.answered {
        return told(compare(&folder));
    }
    let Some(dir) = arguments.cases.filter(|dir| !dir.as_os_str().is_empty()) else {
        eprintln!("coverage: not written: KMIP_CONFORMANCE_DIR does not say where the OASIS test cases are");
        return ExitCode::from(2);
    };
    told(write(&dir))
}

fn told(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coverage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(dir: &Path) -> Result<()> {
    let node = Node::start()?;
    let report = run::run(&node, dir, Way::AsWritten, &|_| true)?;
    std::fs::write(path(), page(&Offer::of(&node)?, &report)?)?;
    Ok(())
}

/// A claim that the run does not bear out is an error; what the run shows beyond the claims is told.
fn compare(folder: &Path) -> Result<()> {
    let of_run = Answered::of_run(folder)?.of_steady_programs();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(answered::path(), of_run.to_text())?;
        return Ok(());
    }
    let claimed = Answered::of_this_tree()?;
    if claimed == Answered::default() {
        return Err("tests/answered.txt claims nothing, so nothing was compared; UPDATE_GOLDEN=1 writes it".into());
    }
    let unclaimed = of_run.without(&claimed);
    if !unclaimed.is_empty() {
        println!("tests/answered.txt does not have yet: {}", unclaimed.join(", "));
    }
    let false_claims = claimed.without(&of_run);
    if false_claims.is_empty() {
        Ok(())
    } else {
        Err(format!("not so in this run: {}", false_claims.join(", ")).into())
    }
}
