//! Changes of many objects at once: units of which each changes one object share a statement for each table.
//!
//! A statement costs as much as the rows that it writes. So the group is tried as a whole, in one savepoint; where one
//! of its units is refused (a name is taken, a revision has moved on), the whole is taken back, and each is applied by
//! itself, which tells which one it was.

use sqlx::SqliteConnection;

use super::apply::Failure;
use super::columns::object_columns;
use super::prepare::{IndexChange, Op, Prepared};
use super::statements::{numbers, refused};
use crate::error::StoreError;
use crate::index::TermHash;
use crate::mac::Mac;
use crate::raw::RawObject;

/// What each row of `$1` is: numbers, in the order of `Packed::object`, and where in `$2` its bytes begin. There lie, one
/// after the other: domain and identifier, owner, MAC, attributes, sealed bytes, revocation message.
macro_rules! packed_columns {
    () => {
        "substr($2, value ->> 0, 16), substr($2, (value ->> 0) + 16, 16), value ->> 4, value ->> 5, value ->> 6, \
         value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, \
         value ->> 15, value ->> 16, value ->> 17, value ->> 18, value ->> 19, value ->> 20, \
         CAST(substr($2, (value ->> 0) + 96 + (value ->> 1) + ifnull(value ->> 2, 0), value ->> 3) AS TEXT), \
         substr($2, (value ->> 0) + 32, 32), value ->> 21, substr($2, (value ->> 0) + 96, value ->> 1), value ->> 22, \
         substr($2, (value ->> 0) + 96 + (value ->> 1), value ->> 2), substr($2, (value ->> 0) + 64, 32)"
    };
}

const INSERT: &str =
    concat!("INSERT INTO object (", object_columns!(), ") SELECT ", packed_columns!(), " FROM json_each($1)");

const UPDATE: &str = concat!(
    "UPDATE object SET revision = new.revision, object_type = new.object_type, state = new.state, \
     algorithm = new.algorithm, length = new.length, usage_mask = new.usage_mask, initial_date = new.initial_date, \
     activation_date = new.activation_date, process_start_date = new.process_start_date, \
     protect_stop_date = new.protect_stop_date, deactivation_date = new.deactivation_date, \
     destroy_date = new.destroy_date, compromise_occurrence_date = new.compromise_occurrence_date, \
     compromise_date = new.compromise_date, archive_date = new.archive_date, \
     last_change_date = new.last_change_date, revocation_code = new.revocation_code, \
     revocation_message = new.revocation_message, owner = new.owner, fresh = new.fresh, \
     attributes = new.attributes, seal_number = new.seal_number, sealed = new.sealed, mac = new.mac \
     FROM (WITH packed (",
    object_columns!(),
    ", expected) AS (SELECT ",
    packed_columns!(),
    ", value ->> 23 FROM json_each($1)) SELECT * FROM packed) AS new \
     WHERE object.domain = new.domain AND object.id = new.id AND object.revision = new.expected"
);

/// Rows of an index: domain, hash and object each, 48 bytes, to be counted off by `$2`.
macro_rules! triples {
    () => {
        "SELECT substr($1, 1 + 48 * value, 16), substr($1, 17 + 48 * value, 16), substr($1, 33 + 48 * value, 16) \
         FROM json_each($2)"
    };
}

const REMOVE_TERMS: &str = concat!("DELETE FROM object_term WHERE (domain, term, object) IN (", triples!(), ")");
const ADD_TERMS: &str = concat!("INSERT INTO object_term (domain, term, object) ", triples!());
const REMOVE_NAMES: &str = concat!("DELETE FROM object_name WHERE (domain, name, object) IN (", triples!(), ")");
const ADD_NAMES: &str = concat!("INSERT INTO object_name (domain, name, object) ", triples!());

/// The changes of a group, packed for their statements.
#[derive(Default)]
pub(super) struct Together {
    created: Packed,
    updated: Packed,
    terms: Changes,
    names: Changes,
}

/// Rows of `object`.
#[derive(Default)]
struct Packed {
    numbers: Vec<Numbers>,
    bytes: Vec<u8>,
}

/// A row's numbers: where its bytes begin, the lengths of three of its parts, its columns, the revision it replaces.
type Numbers = [Option<i64>; 24];

/// Rows of an index.
#[derive(Default)]
struct Changes {
    removed: Vec<Triple>,
    added: Vec<Triple>,
}

type Triple = [u8; 48];

impl Prepared {
    /// The change of an object that is all that this unit changes, if it is.
    pub(super) fn only_change(&self) -> Option<&Op> {
        let mut ops = self.steps.iter().flat_map(|step| &step.ops);
        match (ops.next(), ops.next()) {
            (Some(op @ (Op::CreateObject { .. } | Op::UpdateObject { .. })), None) => Some(op),
            _ => None,
        }
    }
}

impl Together {
    /// Takes a change in. Any other than one of an object is not for here, and stays out.
    pub(super) fn take(&mut self, op: &Op) {
        match op {
            Op::CreateObject { raw, mac, index } => {
                self.created.push(raw, mac, None);
                self.index(raw, index);
            }
            Op::UpdateObject { raw, mac, expected, index } => {
                self.updated.push(raw, mac, Some(*expected));
                self.index(raw, index);
            }
            _ => {}
        }
    }

    /// Bytes it holds, about.
    pub(super) fn len(&self) -> usize {
        self.created.bytes.len() + self.updated.bytes.len()
    }

    fn index(&mut self, raw: &RawObject, index: &IndexChange) {
        self.terms.extend(raw, &index.terms.removed, &index.terms.added);
        self.names.extend(raw, &index.names.removed, &index.names.added);
    }

    /// Writes all of it, or nothing: then the savepoint was undone.
    ///
    /// # Errors
    /// [`Failure::Rejected`] where one of the units is refused, without saying which.
    pub(super) async fn write(self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        sqlx::query("SAVEPOINT units").execute(&mut *connection).await.map_err(fatal)?;
        match self.statements(connection).await {
            Ok(()) => {
                sqlx::query("RELEASE units").execute(&mut *connection).await.map_err(fatal)?;
                Ok(())
            }
            Err(Failure::Rejected(error)) => {
                sqlx::query("ROLLBACK TO units; RELEASE units").execute(&mut *connection).await.map_err(fatal)?;
                Err(Failure::Rejected(error))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn statements(self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let Self { created, updated, terms, names } = self;
        created.write(connection, INSERT).await?;
        updated.write(connection, UPDATE).await?;
        for (triples, sql) in [
            (terms.removed, REMOVE_TERMS),
            (terms.added, ADD_TERMS),
            // A name that one object gives up is free for another.
            (names.removed, REMOVE_NAMES),
            (names.added, ADD_NAMES),
        ] {
            write_triples(connection, sql, triples).await?;
        }
        Ok(())
    }
}

impl Packed {
    fn push(&mut self, raw: &RawObject, mac: &Mac, expected: Option<i64>) {
        let len = |bytes: &[u8]| i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let message = raw.revocation_message.as_deref().map(str::as_bytes);
        // SQL counts bytes from 1.
        self.numbers.push([
            Some(len(&self.bytes).saturating_add(1)),
            Some(len(&raw.attributes)),
            raw.sealed.as_deref().map(len),
            message.map(len),
            Some(raw.revision),
            Some(raw.object_type),
            Some(raw.state),
            raw.algorithm,
            raw.length,
            Some(raw.usage_mask),
            Some(raw.initial_date),
            raw.activation_date,
            raw.process_start_date,
            raw.protect_stop_date,
            raw.deactivation_date,
            raw.destroy_date,
            raw.compromise_occurrence_date,
            raw.compromise_date,
            raw.archive_date,
            Some(raw.last_change_date),
            raw.revocation_code,
            Some(raw.fresh),
            Some(raw.seal_number),
            expected,
        ]);
        let parts = [&raw.domain[..], &raw.id, &raw.owner, mac, &raw.attributes];
        for part in parts.into_iter().chain(raw.sealed.as_deref()).chain(message) {
            self.bytes.extend_from_slice(part);
        }
    }

    async fn write(self, connection: &mut SqliteConnection, sql: &'static str) -> Result<(), Failure> {
        if self.numbers.is_empty() {
            return Ok(());
        }
        let rows = u64::try_from(self.numbers.len()).unwrap_or(u64::MAX);
        let numbers = serde_json::to_string(&self.numbers).map_err(|error| Failure::Fatal(StoreError::io(error)))?;
        let done = sqlx::query(sql).bind(numbers).bind(self.bytes).execute(connection).await.map_err(refused)?;
        // A revision that has moved on is a row that was not written.
        if done.rows_affected() == rows { Ok(()) } else { Err(StoreError::Conflict.into()) }
    }
}

impl Changes {
    fn extend(&mut self, raw: &RawObject, removed: &[TermHash], added: &[TermHash]) {
        let triple = |hash: &TermHash| -> Option<Triple> { [&raw.domain, &hash[..], &raw.id].concat().try_into().ok() };
        self.removed.extend(removed.iter().filter_map(triple));
        self.added.extend(added.iter().filter_map(triple));
    }
}

async fn write_triples(
    connection: &mut SqliteConnection,
    sql: &'static str,
    mut triples: Vec<Triple>,
) -> Result<(), Failure> {
    if triples.is_empty() {
        return Ok(());
    }
    // In the order of the index, so that neighbours meet their page at one time.
    triples.sort_unstable();
    let count = numbers(triples.len());
    sqlx::query(sql).bind(triples.concat()).bind(count).execute(connection).await.map_err(refused)?;
    Ok(())
}

fn fatal(error: sqlx::Error) -> Failure {
    Failure::Fatal(error.into())
}
