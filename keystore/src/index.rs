//! What objects can be looked up by: terms, derived from an object's row and from nothing else.
//!
//! A term is stored as the first 16 bytes of a SHA-256. It only finds candidates: each candidate's row is verified,
//! and must really have the term, before it is answered.

use kmip::attribute::{AttributeKind, AttributeValue};
use ring::digest;

use crate::row::ObjectRow;

/// An attribute with a value, to look objects up by.
///
/// Object Type, Cryptographic Algorithm, Cryptographic Length and what [`ObjectRow::attributes`] holds are indexed. Not
/// so what is compared otherwise than by equality (state, dates, usage mask, limits), and what says how an object is
/// kept: nearly all objects are alike in that, so that an index finds nothing and costs every Create its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexTerm {
    /// The attribute's name on the wire, such as `Name` or `x-site`.
    pub attribute: String,
    /// The value's canonical bytes, see [`AttributeValue::canonical_bytes`].
    pub value: Vec<u8>,
}

/// A term as stored.
pub(crate) type TermHash = [u8; 16];

impl IndexTerm {
    /// The term that finds objects with this attribute value; none where objects are not indexed by it.
    #[must_use]
    pub fn of(value: &AttributeValue) -> Option<Self> {
        let is_indexed = !matches!(value, AttributeValue::Partial { .. }) && is_indexed(value.kind());
        is_indexed.then(|| Self { attribute: value.name().to_owned(), value: value.canonical_bytes() })
    }

    pub(crate) fn hash(&self) -> TermHash {
        let mut context = digest::Context::new(&digest::SHA256);
        // The length keeps a name and a value from running into each other.
        context.update(&u64::try_from(self.attribute.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(self.attribute.as_bytes());
        context.update(&self.value);
        let mut hash = TermHash::default();
        let len = hash.len();
        if let Some(start) = context.finish().as_ref().get(..len) {
            hash.copy_from_slice(start);
        }
        hash
    }

    /// How many objects the term is likely to leave: the lower, the fewer. The search begins at the lowest.
    pub(crate) fn rank(&self) -> u8 {
        match self.attribute.as_str() {
            "Name" => 0,
            "Digest" | "Link" | "Alternative Name" | "Key Value Location" => 1,
            "Cryptographic Length" => 8,
            "Cryptographic Algorithm" => 9,
            "Object Type" => 10,
            _ => 5,
        }
    }
}

fn is_indexed(kind: AttributeKind) -> bool {
    use AttributeKind as K;
    !matches!(
        kind,
        // Compared otherwise than by equality.
        K::UniqueIdentifier
            | K::ShortUniqueIdentifier
            | K::CryptographicUsageMask
            | K::LeaseTime
            | K::State
            | K::Fresh
            | K::InitialDate
            | K::ActivationDate
            | K::ProcessStartDate
            | K::ProtectStopDate
            | K::DeactivationDate
            | K::DestroyDate
            | K::CompromiseOccurrenceDate
            | K::CompromiseDate
            | K::RevocationReason
            | K::ArchiveDate
            | K::LastChangeDate
            | K::OriginalCreationDate
            | K::RotateDate
            | K::UsageLimits
            | K::OperationPolicyName
            // How it is kept.
            | K::RandomNumberGenerator
            | K::KeyFormatType
            | K::ProtectionLevel
            | K::ProtectionStorageMask
            | K::Sensitive
            | K::AlwaysSensitive
            | K::Extractable
            | K::NeverExtractable
    )
}

/// A name that a living object holds, as table `object_name` has it.
pub(crate) fn name_hash(name: &str) -> TermHash {
    IndexTerm { attribute: "Name Value".to_owned(), value: name.as_bytes().to_vec() }.hash()
}

impl ObjectRow {
    /// Every term the object can be found by; none once it is destroyed, so that what is gone costs no search anything.
    #[must_use]
    pub fn terms(&self) -> Vec<IndexTerm> {
        if self.is_destroyed() {
            return Vec::new();
        }
        let columns = [
            Some(AttributeValue::ObjectType(self.object_type)),
            self.algorithm.map(AttributeValue::CryptographicAlgorithm),
            self.length.map(AttributeValue::CryptographicLength),
        ];
        let of_columns = columns.iter().flatten().filter_map(IndexTerm::of);
        of_columns.chain(self.attributes.iter().filter_map(|attribute| IndexTerm::of(&attribute.value))).collect()
    }

    /// The same as stored: sorted, each once.
    pub(crate) fn term_hashes(&self) -> Vec<TermHash> {
        let mut hashes: Vec<TermHash> = self.terms().iter().map(IndexTerm::hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    /// The names the object holds: sorted, each once; none once it is destroyed.
    pub(crate) fn held_names(&self) -> Vec<String> {
        if self.is_destroyed() {
            return Vec::new();
        }
        let mut names: Vec<String> = self.names().map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
