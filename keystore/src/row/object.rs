//! A managed object: everything about it but its key bytes in clear.

use kmip::attribute::{Attribute, AttributeValue};
use kmip::registry::{CryptographicAlgorithm, ObjectType, RevocationReasonCode, State, UsageMask};
use secret::{DomainId, Sealed};

/// Identifies an object: the 16 bytes of a UUID. Time-ordered ones (version 7) keep the store's index growing at one
/// end; knowing one gives nothing.
pub type ObjectId = [u8; 16];

/// A managed object. What KMIP calls its attributes are the typed fields and [`ObjectRow::attributes`] together.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRow {
    /// Its identifier.
    pub id: ObjectId,
    /// The domain it belongs to, for ever.
    pub domain: DomainId,
    /// Counts the changes; guards each of them.
    pub revision: u64,
    /// KMIP 1.4 §3.3.
    pub object_type: ObjectType,
    /// The state as stored. A date may have passed since; `policy` says which state that makes. KMIP 1.4 §3.22.
    pub state: State,
    /// KMIP 1.4 §3.4.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// In bits. KMIP 1.4 §3.5.
    pub length: Option<i32>,
    /// KMIP 1.4 §3.19.
    pub usage_mask: UsageMask,
    /// The dates of its life.
    pub dates: Dates,
    /// KMIP 1.4 §3.31.
    pub revocation: Option<Revocation>,
    /// Fingerprint of the identity that made it.
    pub owner: [u8; 32],
    /// Whether nobody has got the key yet. KMIP 1.4 §3.37.
    pub fresh: bool,
    /// All other attributes, in the order in which they are shown.
    pub attributes: Vec<Attribute>,
    /// Counts the sealings of the key bytes; part of what is sealed with them.
    pub seal_number: u32,
    /// The TTLV encoding of the whole managed object, sealed. Absent once destroyed.
    pub sealed: Option<Sealed>,
}

/// Seconds since 1970-01-01T00:00:00Z. KMIP 1.4 §3.23 to §3.32, §3.38.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// When it was made here.
    pub initial: i64,
    /// From when it may be used.
    pub activation: Option<i64>,
    /// From when it may process.
    pub process_start: Option<i64>,
    /// Until when it may protect.
    pub protect_stop: Option<i64>,
    /// Until when it may be used.
    pub deactivation: Option<i64>,
    /// When it was destroyed.
    pub destroy: Option<i64>,
    /// When it is thought to have been compromised.
    pub compromise_occurrence: Option<i64>,
    /// When it was reported compromised.
    pub compromise: Option<i64>,
    /// When it was archived.
    pub archive: Option<i64>,
    /// When it was last changed.
    pub last_change: i64,
}

/// Why an object was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The reason.
    pub code: RevocationReasonCode,
    /// The client's words. At most [`crate::limits::MAX_REVOCATION_MESSAGE_LEN`] bytes.
    pub message: Option<String>,
}

impl ObjectRow {
    /// Whether the key bytes are gone for good.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        matches!(self.state, State::Destroyed | State::DestroyedCompromised)
    }

    /// The values of its Name attributes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter_map(|attribute| match &attribute.value {
            AttributeValue::Name(name) => Some(name.value.as_str()),
            _ => None,
        })
    }
}
