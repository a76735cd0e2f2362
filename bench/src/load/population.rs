//! The keys that a server holds before it is measured.

use kmip::attribute::{AttributeValue, Name};
use kmip::payload::CreateRequest;
use kmip::registry::{CryptographicAlgorithm, UsageMask};

use super::{LoadError, Target};
use crate::measurement::text_of;

/// Bits of every key.
pub(super) const KEY_BITS: i32 = 256;

/// One of the keys.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
}

/// Keys with their names, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Population {
    keys: Vec<Key>,
}

impl Population {
    /// Has `count` keys made, one after the other, under names that no other run uses.
    ///
    /// # Errors
    /// [`LoadError::Population`] with the first refusal.
    pub async fn make(target: &Target, count: usize) -> Result<Self, LoadError> {
        let failed =
            |error: kmip_client::Error| LoadError::Population { server: target.name.clone(), why: text_of(&error) };
        let run = uuid::Uuid::now_v7().simple();
        let mut client = target.connect().await.map_err(failed)?;
        let mut keys = Vec::with_capacity(count);
        for number in 0..count {
            let name = format!("bench-{run}-{number}");
            let answer = client.request(target.version, create(&name)).await.map_err(failed)?;
            keys.push(Key { id: answer.unique_identifier, name });
        }
        client.close().await.map_err(failed)?;
        Ok(Self { keys })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key that `number` falls on.
    pub(super) fn pick(&self, number: u64) -> Option<&Key> {
        let count = u64::try_from(self.keys.len()).ok()?;
        self.keys.get(usize::try_from(number.checked_rem(count)?).ok()?)
    }
}

/// The request for a named key.
pub(super) fn create(name: &str) -> CreateRequest {
    CreateRequest::symmetric_key(vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(KEY_BITS),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)),
        AttributeValue::Name(Name::text(name)),
    ])
}
