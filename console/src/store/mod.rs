//! What the console keeps: the inventory as events and snapshots, activities, people and their tokens, in one SQLite
//! file in which no write is lost.
//!
//! One connection writes, under a lock; each write that depends on what was read compares a version first. A change of
//! the inventory and the progress of the activity that made it are one transaction, so that after a cut the two agree.

mod activities;
mod inventory;
mod open;
mod people;

use std::fs::File;
use std::path::PathBuf;

use sqlx::{SqliteConnection, SqlitePool};
use thiserror::Error;
use tokio::sync::Mutex;

pub use activities::{Activity, ActivityState, Given, TokenUse};
pub use inventory::Event;
pub use people::{Account, Membership, Token, TokenKind};

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process has the file.
    #[error("{}: another console has it", .0.display())]
    Locked(PathBuf),
    /// SQLite does not do what is needed of it.
    #[error("SQLite's {what} is {found}")]
    Weak {
        /// What was asked for.
        what: &'static str,
        /// What it is instead.
        found: String,
    },
    /// Somebody else changed it meanwhile; nothing was written.
    #[error("it was changed meanwhile")]
    Overtaken,
    /// What stands in the file cannot be read.
    #[error("{what}: {fault}")]
    Damaged {
        /// The row.
        what: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The file or its folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A table cannot be made.
    #[error("the tables cannot be made")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    fn damaged(what: impl Into<String>, fault: impl std::fmt::Display) -> Self {
        Self::Damaged { what: what.into(), fault: fault.to_string() }
    }
}

/// The open store.
pub struct Store {
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
    _lock: File,
}

/// SQLite has no unsigned numbers; times and versions stay far below the difference.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
