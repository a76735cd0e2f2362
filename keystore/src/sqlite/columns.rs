//! Columns to and from SQLite: the lists of columns as text, binding them, reading them.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite};

use crate::mac::Mac;
use crate::raw::{RawDomain, RawIdentity, RawObject, RawTombstone};

/// A statement being put together.
pub(super) type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// The columns of `object`.
macro_rules! object_columns {
    () => {
        "domain, id, revision, object_type, state, algorithm, length, usage_mask, initial_date, activation_date, \
         process_start_date, protect_stop_date, deactivation_date, destroy_date, compromise_occurrence_date, \
         compromise_date, archive_date, last_change_date, revocation_code, revocation_message, owner, fresh, \
         attributes, seal_number, sealed, mac"
    };
}

/// The columns of `domain`.
macro_rules! domain_columns {
    () => {
        "id, name, state, revision, created_us, domain_key, secret, policy, system, authority, permissions, defaults, \
         constraints, requests, retention, backups, mac"
    };
}

/// The columns of `identity`.
macro_rules! identity_columns {
    () => {
        "fingerprint, domain, name, kind, role, certificate, rights, created_us, revoked, revision, mac"
    };
}

/// The columns of `tombstone`.
macro_rules! tombstone_columns {
    () => {
        "domain, object, leaf, mac"
    };
}

pub(super) use {domain_columns, identity_columns, object_columns, tombstone_columns};

/// A row's columns and its MAC, as SQLite has them.
pub(super) trait Columns: Sized {
    /// Binds `$1` and on: every column, the MAC last.
    fn bind<'q>(self, query: Query<'q>, mac: &Mac) -> Query<'q>;

    /// Reads the columns in the order of the list above. Fails where a column is not of its type, which a strict
    /// table does not let happen.
    fn read(row: &SqliteRow) -> Result<(Self, Vec<u8>), sqlx::Error>;
}

impl Columns for RawObject {
    fn bind<'q>(self, query: Query<'q>, mac: &Mac) -> Query<'q> {
        query
            .bind(self.domain)
            .bind(self.id)
            .bind(self.revision)
            .bind(self.object_type)
            .bind(self.state)
            .bind(self.algorithm)
            .bind(self.length)
            .bind(self.usage_mask)
            .bind(self.initial_date)
            .bind(self.activation_date)
            .bind(self.process_start_date)
            .bind(self.protect_stop_date)
            .bind(self.deactivation_date)
            .bind(self.destroy_date)
            .bind(self.compromise_occurrence_date)
            .bind(self.compromise_date)
            .bind(self.archive_date)
            .bind(self.last_change_date)
            .bind(self.revocation_code)
            .bind(self.revocation_message)
            .bind(self.owner)
            .bind(self.fresh)
            .bind(self.attributes)
            .bind(self.seal_number)
            .bind(self.sealed)
            .bind(mac.to_vec())
    }

    fn read(row: &SqliteRow) -> Result<(Self, Vec<u8>), sqlx::Error> {
        let raw = Self {
            domain: row.try_get(0)?,
            id: row.try_get(1)?,
            revision: row.try_get(2)?,
            object_type: row.try_get(3)?,
            state: row.try_get(4)?,
            algorithm: row.try_get(5)?,
            length: row.try_get(6)?,
            usage_mask: row.try_get(7)?,
            initial_date: row.try_get(8)?,
            activation_date: row.try_get(9)?,
            process_start_date: row.try_get(10)?,
            protect_stop_date: row.try_get(11)?,
            deactivation_date: row.try_get(12)?,
            destroy_date: row.try_get(13)?,
            compromise_occurrence_date: row.try_get(14)?,
            compromise_date: row.try_get(15)?,
            archive_date: row.try_get(16)?,
            last_change_date: row.try_get(17)?,
            revocation_code: row.try_get(18)?,
            revocation_message: row.try_get(19)?,
            owner: row.try_get(20)?,
            fresh: row.try_get(21)?,
            attributes: row.try_get(22)?,
            seal_number: row.try_get(23)?,
            sealed: row.try_get(24)?,
        };
        Ok((raw, row.try_get(25)?))
    }
}

impl Columns for RawDomain {
    fn bind<'q>(self, query: Query<'q>, mac: &Mac) -> Query<'q> {
        query
            .bind(self.id)
            .bind(self.name)
            .bind(self.state)
            .bind(self.revision)
            .bind(self.created_us)
            .bind(self.domain_key)
            .bind(self.secret)
            .bind(self.policy)
            .bind(self.system)
            .bind(self.authority)
            .bind(self.permissions)
            .bind(self.defaults)
            .bind(self.constraints)
            .bind(self.requests)
            .bind(self.retention)
            .bind(self.backups)
            .bind(mac.to_vec())
    }

    fn read(row: &SqliteRow) -> Result<(Self, Vec<u8>), sqlx::Error> {
        let raw = Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            state: row.try_get(2)?,
            revision: row.try_get(3)?,
            created_us: row.try_get(4)?,
            domain_key: row.try_get(5)?,
            secret: row.try_get(6)?,
            policy: row.try_get(7)?,
            system: row.try_get(8)?,
            authority: row.try_get(9)?,
            permissions: row.try_get(10)?,
            defaults: row.try_get(11)?,
            constraints: row.try_get(12)?,
            requests: row.try_get(13)?,
            retention: row.try_get(14)?,
            backups: row.try_get(15)?,
        };
        Ok((raw, row.try_get(16)?))
    }
}

impl Columns for RawIdentity {
    fn bind<'q>(self, query: Query<'q>, mac: &Mac) -> Query<'q> {
        query
            .bind(self.fingerprint)
            .bind(self.domain)
            .bind(self.name)
            .bind(self.kind)
            .bind(self.role)
            .bind(self.certificate)
            .bind(self.rights)
            .bind(self.created_us)
            .bind(self.revoked)
            .bind(self.revision)
            .bind(mac.to_vec())
    }

    fn read(row: &SqliteRow) -> Result<(Self, Vec<u8>), sqlx::Error> {
        let raw = Self {
            fingerprint: row.try_get(0)?,
            domain: row.try_get(1)?,
            name: row.try_get(2)?,
            kind: row.try_get(3)?,
            role: row.try_get(4)?,
            certificate: row.try_get(5)?,
            rights: row.try_get(6)?,
            created_us: row.try_get(7)?,
            revoked: row.try_get(8)?,
            revision: row.try_get(9)?,
        };
        Ok((raw, row.try_get(10)?))
    }
}

impl Columns for RawTombstone {
    fn bind<'q>(self, query: Query<'q>, mac: &Mac) -> Query<'q> {
        query.bind(self.domain).bind(self.object).bind(self.leaf).bind(mac.to_vec())
    }

    fn read(row: &SqliteRow) -> Result<(Self, Vec<u8>), sqlx::Error> {
        let raw = Self { domain: row.try_get(0)?, object: row.try_get(1)?, leaf: row.try_get(2)? };
        Ok((raw, row.try_get(3)?))
    }
}
