//! The columns of a tombstone: an object was destroyed, and its record says so.

use super::{Raw, signed, sized, unsigned, uuid_text};
use crate::canonical::Canonical;
use crate::error::StoreError;
use crate::row::ObjectId;
use secret::DomainId;

/// Columns of table `tombstone`, in its order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawTombstone {
    pub(crate) domain: Vec<u8>,
    pub(crate) object: Vec<u8>,
    /// Position of the record in the domain's log.
    pub(crate) leaf: i64,
}

impl RawTombstone {
    pub(crate) fn of(domain: DomainId, object: ObjectId, leaf: u64) -> Result<Self, StoreError> {
        Ok(Self { domain: domain.to_vec(), object: object.to_vec(), leaf: signed(leaf)? })
    }
}

impl Raw for RawTombstone {
    const TABLE: &'static str = "tombstone";
    /// The object and the position of the record that tells of its destruction.
    type Row = (ObjectId, u64);

    fn key(&self) -> String {
        uuid_text(&self.object)
    }

    fn canonical(&self) -> Vec<u8> {
        Canonical::new("tombstone 1").blob(&self.domain).blob(&self.object).integer(self.leaf).finish()
    }

    fn decode(self) -> Result<(ObjectId, u64), String> {
        Ok((sized(&self.object, "object")?, unsigned(self.leaf, "leaf")?))
    }
}
