//! Activating a domain: its rows are read and verified, and their digest is held against the audit log.

use std::collections::{HashMap, HashSet};

use audit::LogId;
use secret::DomainId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::apply::{Memory, WriterSet};
use super::columns::{Columns, domain_columns, identity_columns, tombstone_columns};
use super::logs::{SetDigest, place};
use crate::error::StoreError;
use crate::limits::SCAN_PAGE;
use crate::mac::{Mac, MacKey};
use crate::raw::{Raw, RawDomain, RawIdentity, RawTombstone, hex_text, uuid_text};
use crate::row::{DomainRow, ObjectId};
use crate::set::{ActiveDomain, Members, SetSum, element};

/// Verifies a domain, for the writer.
pub(super) async fn activate(
    connection: &mut SqliteConnection,
    memory: &Memory,
    domain: DomainId,
    key: MacKey,
) -> Result<(ActiveDomain, WriterSet), StoreError> {
    let log = LogId::Domain(domain);
    let told = memory.logs.get(&log).ok_or(StoreError::NotFound)?.set;
    let (members, set) = match read_set(connection, domain, &key).await {
        // There is a log, so there was a domain.
        Err(StoreError::NotFound) => return Err(StoreError::tampered("domain", uuid_text(&domain))),
        read => read?,
    };
    compare(&set.sum.digest(&key, &domain), told, log)?;
    Ok((ActiveDomain::new(key, members), set))
}

/// Holds the digest of the rows that are there against what the log last told.
pub(super) fn compare(found: &Mac, told: SetDigest, log: LogId) -> Result<(), StoreError> {
    match told {
        SetDigest::Known(digest) if digest == *found => Ok(()),
        // Rows are missing, too many or older than the log.
        SetDigest::Known(_) | SetDigest::None => Err(StoreError::tampered("domain", format!("set of {log}"))),
        SetDigest::Unreadable(seq) => Err(StoreError::tampered("audit", place(log, seq))),
    }
}

/// Reads and verifies everything that belongs to a domain's set.
pub(super) async fn read_set(
    connection: &mut SqliteConnection,
    domain: DomainId,
    key: &MacKey,
) -> Result<(Members, WriterSet), StoreError> {
    let mut sum = SetSum::default();
    let (row, own) = read_domain(connection, domain, key).await?;
    sum.add(&own);
    let mut set = WriterSet { sum, row: (row.revision, own), identities: HashMap::new() };
    let mut members = Members { row, identities: HashMap::new(), tombstones: HashSet::new() };
    read_identities(connection, domain, key, &mut members, &mut set).await?;
    read_tombstones(connection, domain, key, &mut members, &mut set).await?;
    Ok((members, set))
}

async fn read_domain(
    connection: &mut SqliteConnection,
    domain: DomainId,
    key: &MacKey,
) -> Result<(DomainRow, Mac), StoreError> {
    let row = sqlx::query(concat!("SELECT ", domain_columns!(), " FROM domain WHERE id = $1"))
        .bind(domain.to_vec())
        .fetch_optional(connection)
        .await?
        .ok_or(StoreError::NotFound)?;
    read::<RawDomain>(&row, key, || uuid_text(&domain))
}

async fn read_identities(
    connection: &mut SqliteConnection,
    domain: DomainId,
    key: &MacKey,
    members: &mut Members,
    set: &mut WriterSet,
) -> Result<(), StoreError> {
    let rows = sqlx::query(concat!("SELECT ", identity_columns!(), " FROM identity WHERE domain = $1"))
        .bind(domain.to_vec())
        .fetch_all(connection)
        .await?;
    for row in &rows {
        let name = || row.try_get(0).map_or_else(|_| "?".to_owned(), |bytes: Vec<u8>| hex_text(&bytes));
        let (identity, own) = read::<RawIdentity>(row, key, name)?;
        set.sum.add(&own);
        set.identities.insert(identity.fingerprint, (identity.revision, own));
        members.identities.insert(identity.fingerprint, identity);
    }
    Ok(())
}

async fn read_tombstones(
    connection: &mut SqliteConnection,
    domain: DomainId,
    key: &MacKey,
    members: &mut Members,
    set: &mut WriterSet,
) -> Result<(), StoreError> {
    let mut after: Option<ObjectId> = None;
    loop {
        let rows = sqlx::query(concat!(
            "SELECT ",
            tombstone_columns!(),
            " FROM tombstone WHERE domain = $1 AND object > $2 ORDER BY object LIMIT $3"
        ))
        .bind(domain.to_vec())
        .bind(after.map_or_else(Vec::new, |id| id.to_vec()))
        .bind(SCAN_PAGE)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let name = || row.try_get(1).map_or_else(|_| "?".to_owned(), |bytes: Vec<u8>| uuid_text(&bytes));
            let ((object, _), own) = read::<RawTombstone>(row, key, name)?;
            set.sum.add(&own);
            members.tombstones.insert(object);
            after = Some(object);
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// A verified row and its MAC as an element of the set.
fn read<R: Raw + Columns>(
    row: &SqliteRow,
    key: &MacKey,
    name: impl FnOnce() -> String,
) -> Result<(R::Row, Mac), StoreError> {
    let (raw, mac) = R::read(row).map_err(|_| StoreError::tampered(R::TABLE, name()))?;
    let own = element(key, &raw);
    Ok((raw.verified(key, &mac)?, own))
}
