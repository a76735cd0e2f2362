//! Objects lately read: whose row is in memory is answered without SQLite, without its MAC and without decoding.
//!
//! A row is kept only if no change of it was committed since its reading began, and it is forgotten before the answer to
//! its change leaves. So whoever asks after that answer reads what the change made of it.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use secret::DomainId;

use crate::error::StoreError;
use crate::limits::USUAL_ROW_LEN;
use crate::row::{ObjectId, ObjectRow};

/// Domain and identifier of an object.
pub(super) type Place = (DomainId, ObjectId);

/// The rows.
pub(super) struct Rows(Cache<Place, Arc<ObjectRow>, ByMemory>);

/// About how many bytes a row takes up in memory.
#[derive(Clone)]
struct ByMemory;

impl Weighter<Place, Arc<ObjectRow>> for ByMemory {
    fn weight(&self, _: &Place, row: &Arc<ObjectRow>) -> u64 {
        let attributes = size_of_val(row.attributes.as_slice()) * 2;
        let sealed = row.sealed.as_ref().map_or(0, |sealed| sealed.as_bytes().len());
        u64::try_from(size_of::<ObjectRow>() + attributes + sealed).unwrap_or(u64::MAX)
    }
}

impl Rows {
    /// Rows of so many kibibytes altogether; 0 keeps none.
    pub(super) fn within(kib: u64) -> Self {
        let bytes = kib.saturating_mul(1024);
        let usual = usize::try_from(bytes / USUAL_ROW_LEN).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(usual, bytes, ByMemory))
    }

    /// The row at `place`, by `read` if it is not here. Of several who ask at one time one reads.
    ///
    /// # Errors
    /// Whatever `read` fails with.
    pub(super) async fn get(
        &self,
        place: Place,
        read: impl Future<Output = Result<Option<ObjectRow>, StoreError>>,
    ) -> Result<Option<Arc<ObjectRow>>, StoreError> {
        match self.0.get_value_or_guard_async(&place).await {
            Ok(row) => Ok(Some(row)),
            Err(guard) => {
                let Some(row) = read.await?.map(Arc::new) else { return Ok(None) };
                // Refused where the place was forgotten meanwhile: the row may be that of before the change.
                let _ = guard.insert(Arc::clone(&row));
                Ok(Some(row))
            }
        }
    }

    /// Forgets rows that may have changed, those too that are just being read.
    pub(super) fn forget(&self, places: impl IntoIterator<Item = Place>) {
        for place in places {
            self.0.remove(&place);
        }
    }

    /// Forgets all rows of a domain.
    pub(super) fn forget_domain(&self, domain: &DomainId) {
        self.0.retain(|(of, _), _| of != domain);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use kmip::registry::{ObjectType, State, UsageMask};
    use tokio::sync::Notify;

    use super::*;
    use crate::row::Dates;

    const DOMAIN: DomainId = [7; 16];

    fn row(id: ObjectId, revision: u64) -> ObjectRow {
        ObjectRow {
            id,
            domain: DOMAIN,
            revision,
            object_type: ObjectType::SecretData,
            state: State::PreActive,
            algorithm: None,
            length: None,
            usage_mask: UsageMask(0),
            dates: Dates::default(),
            revocation: None,
            owner: [1; 32],
            fresh: true,
            attributes: Vec::new(),
            seal_number: 0,
            sealed: None,
        }
    }

    fn number(number: u128) -> ObjectId {
        number.to_be_bytes()
    }

    async fn revision(rows: &Rows, id: ObjectId, on_disk: &Cell<u64>) -> u64 {
        let read = async { Ok(Some(row(id, on_disk.replace(on_disk.get() + 1)))) };
        rows.get((DOMAIN, id), read).await.unwrap().unwrap().revision
    }

    #[tokio::test]
    async fn a_row_is_read_once_and_again_when_it_was_forgotten() {
        let (rows, reads) = (Rows::within(1024), Cell::new(0));
        assert_eq!([revision(&rows, number(1), &reads).await, revision(&rows, number(1), &reads).await], [0, 0]);
        rows.forget([(DOMAIN, number(1))]);
        assert_eq!(revision(&rows, number(1), &reads).await, 1);
        rows.forget_domain(&[8; 16]);
        assert_eq!(revision(&rows, number(1), &reads).await, 1);
        rows.forget_domain(&DOMAIN);
        assert_eq!(revision(&rows, number(1), &reads).await, 2);
    }

    #[tokio::test]
    async fn a_row_that_was_changed_while_it_was_read_is_not_kept() {
        let (rows, reads) = (Rows::within(1024), Cell::new(10));
        let read = async {
            // The change is committed after the row was read and before the reader has it.
            rows.forget([(DOMAIN, number(1))]);
            Ok(Some(row(number(1), 1)))
        };
        assert_eq!(rows.get((DOMAIN, number(1)), read).await.unwrap().unwrap().revision, 1);
        assert_eq!(revision(&rows, number(1), &reads).await, 10);
    }

    #[tokio::test]
    async fn of_several_who_ask_at_one_time_one_reads() {
        let (rows, reads, asked) = (Rows::within(1024), Cell::new(0), Notify::new());
        let slow = rows.get((DOMAIN, number(1)), async {
            asked.notified().await;
            Ok(Some(row(number(1), 5)))
        });
        let beside = async {
            asked.notify_one();
            revision(&rows, number(1), &reads).await
        };
        let (slow, beside) = tokio::join!(slow, beside);
        assert_eq!((slow.unwrap().unwrap().revision, beside, reads.get()), (5, 5, 0));
    }

    #[tokio::test]
    async fn what_is_not_there_or_fails_is_asked_for_again() {
        let (rows, reads) = (Rows::within(1024), Cell::new(0));
        assert_eq!(rows.get((DOMAIN, number(1)), async { Ok(None) }).await.unwrap(), None);
        let failed = rows.get((DOMAIN, number(1)), async { Err(StoreError::Closed) }).await;
        assert!(matches!(failed, Err(StoreError::Closed)));
        assert_eq!(revision(&rows, number(1), &reads).await, 0);
    }

    #[tokio::test]
    async fn no_more_memory_is_used_than_was_given_and_none_where_none_was() {
        let (few, none, reads) = (Rows::within(64), Rows::within(0), Cell::new(0));
        for id in 0..10_000 {
            revision(&few, number(id), &reads).await;
            revision(&none, number(id), &reads).await;
        }
        assert!(few.0.weight() <= 64 << 10 && few.0.len() > 100, "{} rows, {} bytes", few.0.len(), few.0.weight());
        assert_eq!((none.0.len(), reads.get()), (0, 20_000));
    }
}
