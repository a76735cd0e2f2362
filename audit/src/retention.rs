//! What a log says about records that retention dropped, and whether that is true of those that are gone.
//!
//! A dropped record leaves its leaf hash and the position of the record that tells of the dropping. That one names how
//! many were dropped, between which positions, and a digest of all of them, so that nobody can take out one more.

use std::collections::BTreeMap;

use ring::digest;
use thiserror::Error;

use crate::{
    limits::MAX_OPEN_DROPPINGS,
    record::{Outcome, Record},
    tree::Hash,
};

/// Operation of the record that tells of a dropping.
pub const OPERATION: &str = "Drop Records";
/// Operations whose records stay for as long as the log: what was destroyed, and what was dropped.
const KEPT: [&str; 3] = ["Destroy", "Destroy Domain", OPERATION];

/// Whether a record stays however old it is: it is a tombstone, or tells of a dropping.
#[must_use]
pub fn is_kept(record: &Record) -> bool {
    record.outcome == Outcome::Success && KEPT.contains(&record.operation.as_str())
}

/// Whether a record tells of a dropping.
#[must_use]
pub fn tells(record: &Record) -> bool {
    record.operation == OPERATION && record.outcome == Outcome::Success
}

/// What was dropped at once: the detail of the record that tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropping {
    /// The lowest position.
    pub first: u64,
    /// The highest.
    pub last: u64,
    /// How many between the two.
    pub count: u64,
    /// SHA-256 over all positions, ascending, 8 bytes each.
    pub digest: Hash,
    /// Records older than this were dropped, as [`crate::bundle::utc`] writes it.
    pub before: String,
}

impl Dropping {
    /// Of these positions, ascending; `None` where there is none.
    #[must_use]
    pub fn of(positions: &[u64], before_us: i64) -> Option<Self> {
        let mut sum = Sum::default();
        positions.iter().for_each(|position| sum.add(*position));
        let (first, last) = (*positions.first()?, *positions.last()?);
        let digest = sum.digest();
        Some(Self { first, last, count: sum.count, digest, before: crate::bundle::utc(before_us) })
    }

    /// As the detail of a record.
    #[must_use]
    pub fn detail(&self) -> String {
        let Self { first, last, count, before, .. } = self;
        format!("{count} of records {first} to {last}, older than {before}, positions {}", hex::encode(self.digest))
    }

    /// Reads a detail back; `None` for what [`Dropping::detail`] would not have written.
    #[must_use]
    pub fn parse(detail: &str) -> Option<Self> {
        let (count, rest) = detail.split_once(" of records ")?;
        let (first, rest) = rest.split_once(" to ")?;
        let (last, rest) = rest.split_once(", older than ")?;
        let (before, digest) = rest.split_once(", positions ")?;
        let dropping = Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            count: count.parse().ok()?,
            digest: hex::decode(digest).ok()?.try_into().ok()?,
            before: before.to_owned(),
        };
        (dropping.detail() == detail).then_some(dropping)
    }
}

/// Positions as they come, ascending.
#[derive(Clone)]
struct Sum {
    count: u64,
    first: u64,
    context: digest::Context,
}

impl Default for Sum {
    fn default() -> Self {
        Self { count: 0, first: 0, context: digest::Context::new(&digest::SHA256) }
    }
}

impl Sum {
    fn add(&mut self, position: u64) {
        if self.count == 0 {
            self.first = position;
        }
        self.count += 1;
        self.context.update(&position.to_be_bytes());
    }

    fn digest(&self) -> Hash {
        let mut digest = [0; 32];
        // SHA-256 gives 32 bytes.
        digest.copy_from_slice(self.context.clone().finish().as_ref());
        digest
    }
}

/// Why a record that is gone was not dropped by retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// The record that is said to tell of it stands before it, or is gone itself.
    #[error("gone, and record {0}, which is said to tell of it, cannot")]
    Impossible(u64),
    /// The record that is said to tell of it tells of something else, or of other positions.
    #[error("records are gone that are said to be told of here, and this record tells of others")]
    Other,
    /// The log ends, and no record has told of it.
    #[error("gone, and the log does not tell that it was dropped")]
    Untold,
    /// More droppings at once than [`MAX_OPEN_DROPPINGS`].
    #[error("more droppings than can be followed")]
    TooMany,
}

/// Holds the positions whose records are gone against the records that tell of it, in one pass over a log.
#[derive(Clone)]
pub struct Ledger {
    first: u64,
    count: u64,
    open: BTreeMap<u64, Sum>,
}

impl Ledger {
    /// For a log that is read from position `first` on.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self { first, count: 0, open: BTreeMap::new() }
    }

    /// The record at `index` is gone; the one at `by` is said to tell of it.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`], [`LedgerError::TooMany`].
    pub fn dropped(&mut self, index: u64, by: u64) -> Result<(), LedgerError> {
        if by <= index || self.open.contains_key(&index) {
            return Err(LedgerError::Impossible(by));
        }
        if self.open.len() >= MAX_OPEN_DROPPINGS && !self.open.contains_key(&by) {
            return Err(LedgerError::TooMany);
        }
        self.open.entry(by).or_default().add(index);
        self.count += 1;
        Ok(())
    }

    /// The record at `index` is there.
    ///
    /// # Errors
    /// [`LedgerError::Other`] where it is said to tell of droppings and does not tell of exactly these.
    pub fn record(&mut self, index: u64, record: &Record) -> Result<(), LedgerError> {
        let found = self.open.remove(&index);
        let tells = tells(record);
        let told = record.detail.as_deref().filter(|_| tells).and_then(Dropping::parse);
        let is_so = match (told, found) {
            (None, found) => found.is_none() && !tells,
            // Some, or all, of them stand before the stretch that is read; what is read must fit.
            (Some(told), found) if told.first < self.first => {
                found.is_none_or(|sum| sum.first <= told.last && sum.count < told.count)
            }
            (Some(told), Some(sum)) => (told.first, told.count, told.digest) == (sum.first, sum.count, sum.digest()),
            (Some(_), None) => false,
        };
        if is_so { Ok(()) } else { Err(LedgerError::Other) }
    }

    /// The log ends here.
    ///
    /// # Errors
    /// [`LedgerError::Untold`] where records are gone that no record has told of.
    pub fn finish(&self) -> Result<(), LedgerError> {
        if self.open.is_empty() { Ok(()) } else { Err(LedgerError::Untold) }
    }

    /// How many records are gone.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them no record has told of yet.
    #[must_use]
    pub fn untold(&self) -> u64 {
        self.open.values().map(|sum| sum.count).sum()
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("count", &self.count).field("untold", &self.untold()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::example;

    fn telling(positions: &[u64]) -> Record {
        let detail = Dropping::of(positions, 1_795_347_000_000_000).map(|dropping| dropping.detail());
        Record { operation: OPERATION.into(), detail, ..example() }
    }

    /// Reads a log of ten records from `first` on, in which these are gone and record 8 tells of `told`.
    fn read(first: u64, gone: &[u64], told: &[u64]) -> Result<u64, LedgerError> {
        let mut ledger = Ledger::new(first);
        for index in first..10 {
            if gone.contains(&index) {
                ledger.dropped(index, 8)?;
            } else {
                ledger.record(index, &if index == 8 { telling(told) } else { example() })?;
            }
        }
        ledger.finish()?;
        Ok(ledger.count())
    }

    #[test]
    fn a_detail_is_read_back_and_fits_a_record() {
        let dropping = Dropping::of(&[3, 5, u64::MAX], 0).unwrap();
        let detail = dropping.detail();
        assert!(detail.len() <= crate::limits::MAX_DETAIL_LEN, "{detail}");
        assert_eq!(Dropping::parse(&detail), Some(dropping));
        for wrong in [detail.replace("3 of", "03 of"), detail.to_uppercase(), format!("{detail} "), String::new()] {
            assert_eq!(Dropping::parse(&wrong), None, "{wrong}");
        }
        assert_eq!(Dropping::of(&[], 0), None);
    }

    #[test]
    fn exactly_what_the_log_tells_of_may_be_gone() {
        assert_eq!(read(0, &[0, 1, 3], &[0, 1, 3]), Ok(3));
        for gone in [&[0, 1][..], &[0, 1, 3, 4], &[0, 1, 4], &[1, 3], &[]] {
            assert_eq!(read(0, gone, &[0, 1, 3]), Err(LedgerError::Other), "{gone:?}");
        }
        assert_eq!(read(0, &[0, 8], &[0]), Err(LedgerError::Impossible(8)), "the telling record is gone itself");
        let mut ledger = Ledger::new(0);
        ledger.dropped(0, 4).unwrap();
        assert_eq!(ledger.dropped(4, 7), Err(LedgerError::Impossible(7)));
        assert_eq!((ledger.finish(), ledger.untold()), (Err(LedgerError::Untold), 1));
    }

    #[test]
    fn a_stretch_may_begin_after_some_that_are_gone() {
        assert_eq!(read(1, &[1, 3], &[0, 1, 3]), Ok(2));
        assert_eq!(read(5, &[], &[0, 1, 3]), Ok(0));
        assert_eq!(read(1, &[1, 2, 3], &[0, 1, 3]), Err(LedgerError::Other));
    }

    #[test]
    fn tombstones_and_droppings_are_kept() {
        for (operation, outcome, kept) in [
            ("Destroy", Outcome::Success, true),
            ("Destroy Domain", Outcome::Success, true),
            (OPERATION, Outcome::Success, true),
            ("Destroy", Outcome::Failed, false),
            ("Get", Outcome::Success, false),
        ] {
            assert_eq!(is_kept(&Record { operation: operation.into(), outcome, ..example() }), kept, "{operation}");
        }
    }
}
