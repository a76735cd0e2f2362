//! A consistent copy of the database in a file of its own, of everything or of one domain.
//!
//! All tables are read in one transaction, so that the copy is the store at one instant, while others go on writing.
//! Row for row and byte for byte: the copy verifies as the store does, and nothing in it is opened.

use std::path::Path;

use secret::DomainId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::open::MIGRATIONS;
use crate::error::StoreError;
use crate::raw::uuid_text;

/// What is copied of each table where one domain is: `$1` is its identifier, for `setting` the name of its authority's.
/// The tables stand in the order in which rows may refer to those before.
const PARTS: [(&str, &str); 11] = [
    ("domain", "id = $1"),
    ("identity", "domain = $1"),
    ("object", "domain = $1"),
    ("object_term", "domain = $1"),
    ("object_name", "domain = $1"),
    ("tombstone", "domain = $1"),
    // The system's log has no domain; every store has it, and here it is empty.
    ("log", "domain = $1 OR domain IS NULL"),
    ("audit", "log = (SELECT id FROM live.log WHERE domain = $1)"),
    ("subtree", "log = (SELECT id FROM live.log WHERE domain = $1)"),
    ("checkpoint", "log = (SELECT id FROM live.log WHERE domain = $1)"),
    ("setting", "name = $1"),
];

/// Copies the database at `from` to the new file `to`: one domain, or all.
pub(super) async fn copy(from: &Path, to: &Path, domain: Option<DomainId>) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::io(std::io::Error::from(std::io::ErrorKind::AlreadyExists)));
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(to)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        // A copy that is cut short is thrown away; the file that is made of it is what has to last.
        .synchronous(SqliteSynchronous::Off)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
        .connect()
        .await?;
    MIGRATIONS.run(&mut connection).await.map_err(StoreError::io)?;
    let name = from.to_str().ok_or(StoreError::InvalidUnit("the database's path is no text"))?;
    sqlx::query("ATTACH DATABASE $1 AS live").bind(name.to_owned()).execute(&mut connection).await?;
    let copied = tables(&mut connection, domain).await;
    connection.close().await?;
    copied
}

async fn tables(connection: &mut SqliteConnection, domain: Option<DomainId>) -> Result<(), StoreError> {
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    // What the migrations put there is in the store as well.
    sqlx::query("DELETE FROM main.log").execute(&mut *connection).await?;
    for (table, of_one) in PARTS {
        match domain {
            None => {
                let sql = format!("INSERT INTO main.{table} SELECT * FROM live.{table}");
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await?;
            }
            Some(id) => {
                let sql = format!("INSERT INTO main.{table} SELECT * FROM live.{table} WHERE {of_one}");
                let setting = format!("domain-ca/{}", uuid_text(&id));
                let query = sqlx::query(sqlx::AssertSqlSafe(sql));
                let query = if table == "setting" { query.bind(setting) } else { query.bind(id.to_vec()) };
                let copied = query.execute(&mut *connection).await?;
                if table == "domain" && copied.rows_affected() != 1 {
                    return Err(StoreError::NotFound);
                }
            }
        }
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}
