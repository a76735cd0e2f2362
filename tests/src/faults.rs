//! Servers that can be broken on purpose, and those that cannot.

use std::process::Command;

use xtask::stage::finish;

use crate::node::{Node, Result};

/// The variable with the faults of the store.
pub const OF_THE_STORE: &str = "CLAVIS_STORE_FAULT";
/// The variable with the faults of the HSM group.
pub const OF_THE_HSM: &str = "CLAVIS_HSM_FAULT";

/// A control proves nothing with a server that cannot be broken.
///
/// # Errors
/// If the server was built without its fault injector.
pub fn demand_injector(node: &Node) -> Result<()> {
    let server = node.programs.path("kms-server");
    let version = finish(Command::new(&server).arg("--version"))?.stdout;
    if version.trim_end().ends_with("+fault") {
        return Ok(());
    }
    let server = server.display();
    Err(format!("{server} says {version:?} and cannot inject faults: run scripts/build-tested").into())
}
