//! The statements that change objects and settings, and what their refusals mean.

use sqlx::SqliteConnection;

use super::apply::Failure;
use super::columns::{Columns, object_columns};
use super::prepare::{Difference, IndexChange};
use crate::error::StoreError;
use crate::index::TermHash;
use crate::mac::Mac;
use crate::raw::{RawObject, uuid_text};

/// One call for all of it: each further one would cost as much as the statements themselves.
const CREATE: &str = concat!(
    "INSERT INTO object (",
    object_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
     $23, $24, $25, $26); \
     INSERT INTO object_term (domain, term, object) \
     SELECT $1, substr($27, 1 + 16 * value, 16), $2 FROM json_each($28); \
     INSERT INTO object_name (domain, name, object) \
     SELECT $1, substr($29, 1 + 16 * value, 16), $2 FROM json_each($30)"
);

const UPDATE: &str = "UPDATE object SET revision = $3, object_type = $4, state = $5, algorithm = $6, length = $7, \
     usage_mask = $8, initial_date = $9, activation_date = $10, process_start_date = $11, protect_stop_date = $12, \
     deactivation_date = $13, destroy_date = $14, compromise_occurrence_date = $15, compromise_date = $16, \
     archive_date = $17, last_change_date = $18, revocation_code = $19, revocation_message = $20, owner = $21, \
     fresh = $22, attributes = $23, seal_number = $24, sealed = $25, mac = $26 \
     WHERE domain = $1 AND id = $2 AND revision = $27";

pub(super) const UPDATE_INDEX: &str = "DELETE FROM object_term WHERE domain = $1 AND object = $2 \
     AND term IN (SELECT substr($3, 1 + 16 * value, 16) FROM json_each($4)); \
     INSERT INTO object_term (domain, term, object) \
     SELECT $1, substr($5, 1 + 16 * value, 16), $2 FROM json_each($6); \
     DELETE FROM object_name WHERE domain = $1 AND object = $2 \
     AND name IN (SELECT substr($7, 1 + 16 * value, 16) FROM json_each($8)); \
     INSERT INTO object_name (domain, name, object) \
     SELECT $1, substr($9, 1 + 16 * value, 16), $2 FROM json_each($10)";

pub(super) async fn create_object(
    connection: &mut SqliteConnection,
    raw: RawObject,
    mac: &Mac,
    index: IndexChange,
) -> Result<(), Failure> {
    let query = raw.bind(sqlx::query(CREATE), mac);
    let query = query.bind(index.terms.added.concat()).bind(numbers(index.terms.added.len()));
    let query = query.bind(index.names.added.concat()).bind(numbers(index.names.added.len()));
    query.execute(connection).await.map_err(refused)?;
    Ok(())
}

/// Puts an object in the place of whatever is there.
pub(super) async fn restore_object(
    connection: &mut SqliteConnection,
    raw: RawObject,
    mac: &Mac,
    index: IndexChange,
) -> Result<(), Failure> {
    for table in [
        "DELETE FROM object WHERE domain = $1 AND id = $2",
        "DELETE FROM object_term WHERE domain = $1 AND object = $2",
        "DELETE FROM object_name WHERE domain = $1 AND object = $2",
    ] {
        let query = sqlx::query(table).bind(raw.domain.clone()).bind(raw.id.clone());
        query.execute(&mut *connection).await.map_err(refused)?;
    }
    create_object(connection, raw, mac, index).await
}

pub(super) async fn update_object(
    connection: &mut SqliteConnection,
    raw: RawObject,
    mac: &Mac,
    expected: i64,
    index: IndexChange,
) -> Result<(), Failure> {
    let (domain, id) = (raw.domain.clone(), raw.id.clone());
    let done = raw.bind(sqlx::query(UPDATE), mac).bind(expected).execute(&mut *connection).await.map_err(refused)?;
    match done.rows_affected() {
        1 => {}
        0 => return Err(StoreError::Conflict.into()),
        _ => return Err(Failure::Fatal(StoreError::tampered("object", uuid_text(&id)))),
    }
    if index.is_empty() {
        return Ok(());
    }
    let mut query = sqlx::query(UPDATE_INDEX).bind(domain).bind(id);
    for Difference { added, removed } in [&index.terms, &index.names] {
        for hashes in [removed, added] {
            query = query.bind(hashes.concat()).bind(numbers(hashes.len()));
        }
    }
    query.execute(connection).await.map_err(refused)?;
    Ok(())
}

pub(super) async fn put_setting(
    connection: &mut SqliteConnection,
    name: String,
    value: Vec<u8>,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

/// `[0,1,…]`: the hashes of a packed blob, to be counted off in SQL.
pub(super) fn numbers(len: usize) -> String {
    let numbers: Vec<String> = (0..len).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

const _: () = assert!(size_of::<TermHash>() == 16);

/// A constraint says no to the unit; anything else means that the database does not work.
pub(super) fn refused(error: sqlx::Error) -> Failure {
    use sqlx::error::ErrorKind;
    let sqlx::Error::Database(database) = &error else { return Failure::Fatal(error.into()) };
    match database.kind() {
        ErrorKind::UniqueViolation => Failure::Rejected(duplicate(database.message())),
        ErrorKind::ForeignKeyViolation => Failure::Rejected(StoreError::NotFound),
        _ => Failure::Fatal(error.into()),
    }
}

/// Which row is there already. SQLite says it in words only: `UNIQUE constraint failed: domain.name`.
fn duplicate(message: &str) -> StoreError {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    match columns.split('.').next().unwrap_or_default() {
        "object_name" => StoreError::NameTaken,
        "identity" => StoreError::IdentityTaken,
        "domain" if columns == "domain.name" => StoreError::NameTaken,
        // Rows that the writer knows nothing of, where it alone writes.
        "object_term" => StoreError::tampered("object_term", "of a new term"),
        "tombstone" => StoreError::tampered("tombstone", "of a living object"),
        _ => StoreError::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_told_by_their_table() {
        assert!(matches!(duplicate("UNIQUE constraint failed: object.domain, object.id"), StoreError::Conflict));
        let taken = duplicate("UNIQUE constraint failed: object_name.domain, object_name.name");
        assert!(matches!(taken, StoreError::NameTaken));
        assert!(matches!(duplicate("UNIQUE constraint failed: domain.name"), StoreError::NameTaken));
        assert!(matches!(duplicate("UNIQUE constraint failed: domain.id"), StoreError::Conflict));
        assert!(matches!(duplicate("UNIQUE constraint failed: identity.fingerprint"), StoreError::IdentityTaken));
        assert!(matches!(duplicate("something else"), StoreError::Conflict));
    }

    #[test]
    fn numbers_count_from_zero() {
        assert_eq!([numbers(0), numbers(3)], ["[]", "[0,1,2]"]);
    }
}
