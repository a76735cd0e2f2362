//! Opening the store: nobody else has it, and a commit is on the disk before it is answered.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::Mutex;

use super::{Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");
/// The first version without the bug that could corrupt a database when the write-ahead log is reset.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
/// For a reader that waits for a checkpoint.
const BUSY: Duration = Duration::from_secs(5);
/// Connections that read.
const READERS: u32 = 4;

impl Store {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`StoreError`] where another process has it, or SQLite would lose what it has answered.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let lock = lock(path)?;
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
        let mut writer = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .connect()
            .await?;
        check(&mut writer).await?;
        MIGRATIONS.run(&mut writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false);
        let readers = readers.connect_with(options(path).read_only(true)).await?;
        Ok(Self { writer: Mutex::new(writer), readers, _lock: lock })
    }
}

/// A file of its own: closing any descriptor of the database would drop SQLite's own locks on it.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let name = std::path::PathBuf::from(name);
    let failed = |source| StoreError::File { path: name.clone(), source };
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&name).map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(path.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
}

/// Reads back what was set: a pragma that SQLite does not like is no error to it.
async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts[..] < OLDEST_SQLITE[..] {
        return Err(StoreError::Weak { what: "version", found: version });
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    if mode != "wal" {
        return Err(StoreError::Weak { what: "journal_mode", found: mode });
    }
    for (pragma, wanted) in [("synchronous", 2_i64), ("foreign_keys", 1)] {
        let found: i64 = match pragma {
            "synchronous" => sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?,
            _ => sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *connection).await?,
        };
        if found != wanted {
            return Err(StoreError::Weak { what: pragma, found: found.to_string() });
        }
    }
    Ok(())
}
