//! Opening the database: nobody else has it, it is the SQLite we want, it loses nothing, and its tables are ours.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::StoreOptions;
use crate::error::{Refusal, StoreError};
use crate::limits::{ACQUIRE_TIMEOUT_S, BUSY_TIMEOUT_MS, WRITER_CACHE_KIB};

/// The first version without the bug that could corrupt a database when the write-ahead log is reset.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How far a commit goes before it is answered. SQLite's `synchronous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Synchronous {
    /// Not to the disk at all. Refused.
    Off,
    /// To the disk at some later time. Refused.
    Normal,
    /// To the disk before the answer.
    #[default]
    Full,
    /// As `Full`, and the folder too where a journal is deleted, which a write-ahead log never is.
    Extra,
}

impl Synchronous {
    /// As `PRAGMA synchronous` reads back.
    const fn code(self) -> i64 {
        match self {
            Self::Off => 0,
            Self::Normal => 1,
            Self::Full => 2,
            Self::Extra => 3,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
            Self::Extra => "EXTRA",
        }
    }

    const fn pragma(self) -> SqliteSynchronous {
        match self {
            Self::Off => SqliteSynchronous::Off,
            Self::Normal => SqliteSynchronous::Normal,
            Self::Full => SqliteSynchronous::Full,
            Self::Extra => SqliteSynchronous::Extra,
        }
    }
}

/// An open database: one connection that writes, some that read, and the lock that keeps others out.
pub(super) struct Opened {
    pub(super) writer: SqliteConnection,
    pub(super) readers: SqlitePool,
    pub(super) lock: File,
}

pub(super) async fn open(path: &Path, options: &StoreOptions) -> Result<Opened, StoreError> {
    refuse_weak(options)?;
    let lock = lock_file(path)?;
    // Made here, so that it and the files SQLite puts beside it, which take over its mode, are nobody else's to read.
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(StoreError::io)?;
    let mut writer = writer_options(path, options).connect().await?;
    check(&mut writer, options).await?;
    MIGRATIONS.run(&mut writer).await.map_err(StoreError::io)?;
    check_schema(&mut writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(ACQUIRE_TIMEOUT_S))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(base_options(path).read_only(true))
        .await?;
    Ok(Opened { writer, readers, lock })
}

fn refuse_weak(options: &StoreOptions) -> Result<(), StoreError> {
    #[cfg(feature = "fault")]
    if options.faults.weak_synchronous {
        return Ok(());
    }
    if options.synchronous < Synchronous::Full {
        let found = options.synchronous.name().to_owned();
        return Err(StoreError::Refused(Refusal::Synchronous { found }));
    }
    Ok(())
}

/// The lock is a file of its own: closing any descriptor of the database would drop SQLite's own locks on it.
fn lock_file(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let name = PathBuf::from(name);
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&name).map_err(StoreError::io)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Refused(Refusal::Locked(name))),
        Err(error) => Err(StoreError::io(error)),
    }
}

fn base_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
        // Whoever can write the file could put functions into its schema that run with our rights.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging()
}

fn writer_options(path: &Path, options: &StoreOptions) -> SqliteConnectOptions {
    base_options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(options.synchronous.pragma())
        .foreign_keys(true)
        // Sealed bytes of a destroyed object do not stay behind in free pages.
        .pragma("secure_delete", "ON")
        // What a savepoint would undo: in a file it cost a Create more writes than the log ahead of the database does.
        .pragma("temp_store", "MEMORY")
        // Negative: kibibytes, of pages of the database.
        .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
        .pragma("wal_autocheckpoint", options.checkpoint_pages.to_string())
}

/// Reads back what was set: a pragma that SQLite does not like is no error to it.
async fn check(connection: &mut SqliteConnection, options: &StoreOptions) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    check_version(&version).map_err(StoreError::Refused)?;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    if mode != "wal" {
        return Err(StoreError::Refused(Refusal::Pragma { pragma: "journal_mode", found: mode }));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
    if synchronous != options.synchronous.code() {
        return Err(StoreError::Refused(Refusal::Synchronous { found: synchronous.to_string() }));
    }
    let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await?;
    if keys != 1 {
        return Err(StoreError::Refused(Refusal::Pragma { pragma: "foreign_keys", found: keys.to_string() }));
    }
    Ok(())
}

fn check_version(found: &str) -> Result<(), Refusal> {
    let mut parts = found.split('.').map(|part| part.parse::<u32>().ok());
    let mut part = || parts.next().flatten();
    match (part(), part(), part()) {
        (Some(major), Some(minor), Some(patch)) if (major, minor, patch) >= OLDEST_SQLITE => Ok(()),
        _ => Err(Refusal::Version { found: found.to_owned(), needed: OLDEST_SQLITE }),
    }
}

type SchemaEntry = (String, String, String, Option<String>);

/// A trigger or a view added to the file could change what our statements do, so that the schema must be word for
/// word what the migrations make in an empty database.
async fn check_schema(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut fresh = SqliteConnectOptions::new().disable_statement_logging().connect().await?;
    MIGRATIONS.run(&mut fresh).await.map_err(StoreError::io)?;
    let (expected, found) = (schema(&mut fresh).await?, schema(connection).await?);
    fresh.close().await?;
    let differing = found
        .iter()
        .find(|entry| !expected.contains(entry))
        .or_else(|| expected.iter().find(|entry| !found.contains(entry)));
    match differing {
        None => Ok(()),
        Some((kind, name, ..)) => Err(StoreError::Refused(Refusal::Schema(format!("{kind} {name}")))),
    }
}

async fn schema(connection: &mut SqliteConnection) -> Result<Vec<SchemaEntry>, StoreError> {
    let entries = sqlx::query_as(
        // What ANALYZE leaves behind changes plans, not results.
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name",
    );
    Ok(entries.fetch_all(connection).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_the_fix_are_refused() {
        for old in ["3.51.2", "3.50.9", "3.40.1", "2.99.99", "3.51", "", "3.x.9", "3.51.-3"] {
            let refused = Refusal::Version { found: old.to_owned(), needed: OLDEST_SQLITE };
            assert_eq!(check_version(old), Err(refused), "{old}");
        }
        for good in ["3.51.3", "3.51.10", "3.52.0", "4.0.0"] {
            assert_eq!(check_version(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn settings_are_ordered_by_what_they_promise() {
        assert!(Synchronous::Off < Synchronous::Normal && Synchronous::Normal < Synchronous::Full);
        assert_eq!(StoreOptions::default().synchronous, Synchronous::Full);
    }
}
