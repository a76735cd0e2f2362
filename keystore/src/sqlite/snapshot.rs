//! A database file as it lies there, read and believed by nobody: for whoever tries what could be opened of it.
//!
//! Nothing here looks at a MAC, a state or a tombstone, so nothing that it reads may decide anything. A store may have
//! the file open meanwhile.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use secret::DomainId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::columns::{Columns, object_columns};
use crate::error::StoreError;
use crate::limits::{BUSY_TIMEOUT_MS, SCAN_PAGE};
use crate::raw::{Raw, RawObject};
use crate::row::{ObjectId, ObjectRow};

/// Bytes that a search reads at a time.
const SEARCH_LEN: usize = 1 << 20;
/// Places that a search finds at most: what is behind them was written by somebody who wants to fill the memory.
const MAX_PLACES: usize = 4096;

/// A row of `domain`, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDomain {
    /// Its identifier.
    pub id: DomainId,
    /// What people call it.
    pub name: String,
    /// Where its wrapped Domain Keys should be.
    pub domain_key: Vec<u8>,
    /// Where the sealed secret of its MACs should be.
    pub secret: Vec<u8>,
    /// Whether its row names it the domain of the administrators.
    pub system: bool,
}

/// A row of `object` that has sealed bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptObject {
    /// Its identifier; zeros where that cannot be read.
    pub id: ObjectId,
    /// The row, unless it cannot be read.
    pub row: Option<ObjectRow>,
}

/// A database file.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    connection: SqliteConnection,
}

impl Snapshot {
    /// Opens a file for reading. Nothing is changed in it.
    ///
    /// # Errors
    /// [`StoreError::Io`] where it is no database.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .read_only(true)
            .busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .disable_statement_logging()
            .connect()
            .await?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Every row of `domain` whose identifier is one, by name.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn domains(&mut self) -> Result<Vec<KeptDomain>, StoreError> {
        let rows = sqlx::query("SELECT id, name, domain_key, secret, system FROM domain ORDER BY name")
            .fetch_all(&mut self.connection)
            .await?;
        let read = |row: &SqliteRow| -> Option<KeptDomain> {
            Some(KeptDomain {
                id: row.try_get::<Vec<u8>, _>(0).ok()?.try_into().ok()?,
                name: row.try_get(1).unwrap_or_default(),
                domain_key: row.try_get(2).unwrap_or_default(),
                secret: row.try_get(3).unwrap_or_default(),
                system: row.try_get::<i64, _>(4).is_ok_and(|flag| flag != 0),
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Domains that have objects and no row.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn orphaned(&mut self) -> Result<Vec<DomainId>, StoreError> {
        let sql = "SELECT DISTINCT domain FROM object WHERE domain NOT IN (SELECT id FROM domain)";
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&mut self.connection).await?;
        Ok(rows.into_iter().filter_map(|id| id.try_into().ok()).collect())
    }

    /// The objects of a domain that have sealed bytes, in the order of their identifiers: a page of them after `after`.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn sealed_objects(
        &mut self,
        domain: DomainId,
        after: Option<ObjectId>,
    ) -> Result<Vec<KeptObject>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            object_columns!(),
            " FROM object WHERE domain = $1 AND id > $2 AND sealed IS NOT NULL ORDER BY id LIMIT $3"
        ))
        .bind(domain.to_vec())
        .bind(after.map_or_else(Vec::new, |id| id.to_vec()))
        .bind(SCAN_PAGE)
        .fetch_all(&mut self.connection)
        .await?;
        let read = |row: &SqliteRow| KeptObject {
            id: row.try_get::<Vec<u8>, _>(1).ok().and_then(|id| id.try_into().ok()).unwrap_or_default(),
            row: RawObject::read(row).ok().and_then(|(raw, _)| raw.decode().ok()),
        };
        Ok(rows.iter().map(read).collect())
    }

    /// A small named value.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn setting(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM setting WHERE name = $1").bind(name.to_owned());
        Ok(value.fetch_optional(&mut self.connection).await?)
    }

    /// Every stretch of `len` bytes that begins with `start` and is `wanted`, wherever it lies in the file or in its
    /// write-ahead log: also in pages that no row uses any more. Each only once, and at most 4,096 of them.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn stretches(
        &self,
        start: &[u8],
        len: usize,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        for path in [self.path.clone(), PathBuf::from(log)] {
            match File::open(&path) {
                Ok(file) => search(file, start, len, &wanted, &mut found).map_err(StoreError::io)?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::io(error)),
            }
        }
        Ok(found)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

fn search(
    mut file: impl Read,
    start: &[u8],
    len: usize,
    wanted: impl Fn(&[u8]) -> bool,
    found: &mut Vec<Vec<u8>>,
) -> std::io::Result<()> {
    let mut window: Vec<u8> = Vec::with_capacity(SEARCH_LEN + len);
    loop {
        let read = file.by_ref().take(SEARCH_LEN as u64).read_to_end(&mut window)?;
        if read == 0 || start.is_empty() {
            return Ok(());
        }
        for stretch in window.windows(len) {
            let is_new = stretch.starts_with(start) && wanted(stretch) && !found.iter().any(|one| one == stretch);
            if is_new && found.len() < MAX_PLACES {
                found.push(stretch.to_vec());
            }
        }
        // What began in this part and ends in the next.
        let keep = window.len().saturating_sub(len.saturating_sub(1));
        window.drain(..keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_found_once_wherever_it_lies_and_not_past_the_end() {
        let mut bytes = vec![0; 3 * SEARCH_LEN];
        for at in [0, 5000, SEARCH_LEN - 3, 2 * SEARCH_LEN - 1] {
            bytes[at..at + 4].copy_from_slice(b"DKxy");
        }
        bytes[7000..7004].copy_from_slice(b"DKxz");
        bytes.extend_from_slice(b"DK");
        let mut found = Vec::new();
        search(&bytes[..], b"DK", 4, |_| true, &mut found).unwrap();
        found.sort();
        assert_eq!(found, [b"DKxy", b"DKxz"]);
        found.clear();
        search(&bytes[..], b"DK", 4, |stretch| stretch.ends_with(b"z"), &mut found).unwrap();
        assert_eq!(found, [b"DKxz"]);
    }
}
