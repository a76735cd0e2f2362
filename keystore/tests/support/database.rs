//! The attacker's hand: the database file, opened beside the store, any column set to anything.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection, TypeInfo, ValueRef};

/// A value as stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Value {
    /// The value with one bit changed, for each of its bits.
    pub fn flips(&self) -> Vec<Self> {
        let flip = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        match self {
            Self::Null => Vec::new(),
            Self::Integer(number) => (0..64).map(|bit| Self::Integer(number ^ (1 << bit))).collect(),
            Self::Text(bytes) => (0..bytes.len() * 8).map(|bit| Self::Text(flip(bytes, bit))).collect(),
            Self::Blob(bytes) => (0..bytes.len() * 8).map(|bit| Self::Blob(flip(bytes, bit))).collect(),
        }
    }
}

/// A row as stored, with the names of its columns.
pub type RawRow = Vec<(String, Value)>;

/// The database, opened by somebody else.
pub struct Database(SqliteConnection);

impl Database {
    pub async fn open(path: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(false)
            .synchronous(SqliteSynchronous::Off)
            .disable_statement_logging();
        Self(options.connect().await.unwrap())
    }

    pub async fn run(&mut self, sql: &str) -> u64 {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut self.0).await.unwrap().rows_affected()
    }

    pub async fn rows(&mut self, sql: &str) -> Vec<RawRow> {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.0).await.unwrap();
        rows.iter().map(read_row).collect()
    }

    /// Replaces `old` by `new`; they may have different keys.
    pub async fn replace(&mut self, table: &str, old: &RawRow, new: &RawRow) {
        self.delete(table, old).await;
        self.insert(table, new).await;
    }

    pub async fn delete(&mut self, table: &str, row: &RawRow) {
        let key: RawRow = row.iter().filter(|(name, _)| key_of(table).contains(&name.as_str())).cloned().collect();
        let condition: Vec<String> = key.iter().zip(1..).map(|((name, _), at)| format!("{name} = ${at}")).collect();
        let done = self.execute(&format!("DELETE FROM {table} WHERE {}", condition.join(" AND ")), &key).await;
        assert_eq!(done, 1, "{table} {row:?}");
    }

    pub async fn insert(&mut self, table: &str, row: &RawRow) {
        let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(at, (_, value))| match value {
                // Bound as bytes, so that it need not be UTF-8.
                Value::Text(_) => format!("CAST(${} AS TEXT)", at + 1),
                _ => format!("${}", at + 1),
            })
            .collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", "));
        self.execute(&sql, row).await;
    }

    async fn execute(&mut self, sql: &str, row: &RawRow) -> u64 {
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
        for (_, value) in row {
            query = match value.clone() {
                Value::Null => query.bind(None::<i64>),
                Value::Integer(number) => query.bind(number),
                Value::Text(bytes) | Value::Blob(bytes) => query.bind(bytes),
            };
        }
        query.execute(&mut self.0).await.unwrap().rows_affected()
    }

    pub async fn close(self) {
        sqlx::Connection::close(self.0).await.unwrap();
    }
}

/// The columns that identify a row.
fn key_of(table: &str) -> &'static [&'static str] {
    match table {
        "domain" | "audit" => &["id"],
        "identity" => &["fingerprint"],
        "object" => &["domain", "id"],
        "object_term" => &["domain", "term", "object"],
        "object_name" => &["domain", "name", "object"],
        "tombstone" => &["domain", "object"],
        other => panic!("no key of {other}"),
    }
}

fn read_row(row: &sqlx::sqlite::SqliteRow) -> RawRow {
    (0..row.len())
        .map(|at| {
            let raw = row.try_get_raw(at).unwrap();
            let kind = raw.type_info().name().to_owned();
            let value = match kind.as_str() {
                _ if raw.is_null() => Value::Null,
                "INTEGER" => Value::Integer(row.get(at)),
                "TEXT" => Value::Text(row.get::<String, _>(at).into_bytes()),
                "BLOB" => Value::Blob(row.get(at)),
                other => panic!("column of type {other}"),
            };
            (sqlx::Column::name(row.column(at)).to_owned(), value)
        })
        .collect()
}

pub fn column<'r>(row: &'r RawRow, name: &str) -> &'r Value {
    &row.iter().find(|(column, _)| column == name).expect("a column").1
}

pub fn set(row: &mut RawRow, name: &str, value: Value) {
    row.iter_mut().find(|(column, _)| column == name).expect("a column").1 = value;
}
