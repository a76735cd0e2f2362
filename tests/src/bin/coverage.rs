//! `make coverage`: writes `docs/kmip-coverage.md`.

use std::path::PathBuf;
use std::process::ExitCode;

use system_tests::coverage::{Offer, page, path};
use system_tests::node::{Node, Result};
use system_tests::oasis::{Way, run};

fn main() -> ExitCode {
    let Some(dir) = std::env::var_os("KMIP_CONFORMANCE_DIR").filter(|dir| !dir.is_empty()) else {
        eprintln!("coverage: not written: KMIP_CONFORMANCE_DIR does not say where the OASIS test cases are");
        return ExitCode::from(2);
    };
    match write(&PathBuf::from(dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coverage: not written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(dir: &std::path::Path) -> Result<()> {
    let node = Node::start()?;
    let report = run::run(&node, dir, Way::AsWritten, &|_| true)?;
    std::fs::write(path(), page(&Offer::of(&node)?, &report)?)?;
    Ok(())
}
