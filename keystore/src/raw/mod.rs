//! Rows as a database has them: plain columns, not yet believed. Each can say its canonical encoding, which the MAC is
//! checked over, and only then be read as what it means.

mod domain;
mod identity;
mod object;
mod rights;
mod tombstone;

pub(crate) use domain::RawDomain;
pub(crate) use identity::RawIdentity;
pub(crate) use object::RawObject;
pub(crate) use tombstone::RawTombstone;

use uuid::Uuid;

use crate::error::StoreError;
use crate::mac::{Mac, MacKey};

/// The key of a row whose key is a UUID, in words.
pub(crate) fn uuid_text(bytes: &[u8]) -> String {
    match Uuid::from_slice(bytes) {
        Ok(uuid) => uuid.hyphenated().to_string(),
        Err(_) => hex_text(bytes),
    }
}

/// Bytes in words, the start of them if they are many.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    const SHOWN: usize = 32;
    let mut text: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

/// A row as the database has it.
pub(crate) trait Raw: Sized {
    /// Its table.
    const TABLE: &'static str;
    /// What it means.
    type Row;

    /// Its key, in words.
    fn key(&self) -> String;
    /// Its canonical encoding.
    fn canonical(&self) -> Vec<u8>;
    /// Its meaning, or what about it makes no sense.
    fn decode(self) -> Result<Self::Row, String>;

    /// Checks the MAC, then reads the row.
    fn verified(self, key: &MacKey, mac: &[u8]) -> Result<Self::Row, StoreError> {
        if !key.verifies(&self.canonical(), mac) {
            return Err(StoreError::tampered(Self::TABLE, self.key()));
        }
        let name = self.key();
        self.decode().map_err(|why| StoreError::quarantined(Self::TABLE, name, why))
    }

    fn mac(&self, key: &MacKey) -> Mac {
        key.mac(&self.canonical())
    }
}

/// A revision or position, which the database holds as a signed number.
pub(crate) fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::InvalidUnit("a number over 2^63"))
}

pub(crate) fn unsigned(value: i64, what: &str) -> Result<u64, String> {
    u64::try_from(value).map_err(|_| format!("{what} {value}"))
}

pub(crate) fn flag(value: i64, what: &str) -> Result<bool, String> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(format!("{what} {other}")),
    }
}

pub(crate) fn sized<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("{what} of {} bytes", bytes.len()))
}

/// Refuses a text that is over its limit before it is written.
pub(crate) fn bounded(len: usize, limit: usize, what: &'static str) -> Result<(), StoreError> {
    if len <= limit { Ok(()) } else { Err(StoreError::InvalidUnit(what)) }
}
