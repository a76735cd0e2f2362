//! Three witnesses of a node under test, named in its configuration.

use std::fs;

pub use xtask::stage::{Witness, Witnesses};

use crate::node::{Node, Result};

/// Makes and starts three witnesses of a node that does not serve yet, and names them in its configuration.
///
/// # Errors
/// Of the processes and files.
pub fn of(node: &Node) -> Result<Witnesses> {
    let witnesses = Witnesses::start(&node.stage, &node.programs)?;
    let config = fs::read_to_string(node.stage.config())?;
    fs::write(node.stage.config(), config + &witnesses.sections())?;
    Ok(witnesses)
}
