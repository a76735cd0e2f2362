//! One file per noun of the command line.

pub(crate) mod audit;
pub(crate) mod backup;
mod ceremony;
pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod credential;
pub(crate) mod domain;
pub(crate) mod health;
pub(crate) mod hsm;
pub(crate) mod object;
pub(crate) mod orphans;
pub(crate) mod request;
pub(crate) mod verify;

use admin_api::Effect;

/// What `--dry-run` means.
fn effect(dry_run: bool) -> Effect {
    if dry_run { Effect::DryRun } else { Effect::Real }
}

/// The first line of a table, so that nobody takes a rehearsal for the act.
fn headline(dry_run: bool, done: &str, would: &str) -> String {
    if dry_run { format!("Nothing was changed. {would}\n") } else { format!("{done}\n") }
}
