//! What objects can be looked up by: terms, derived from an object's row and from nothing else.
//!
//! A term is stored as the first 16 bytes of a SHA-256. It only finds candidates: each candidate's row is verified,
//! and must really have the term, before it is answered.

use kmip::attribute::AttributeValue;
use ring::digest;

use crate::row::ObjectRow;

/// An attribute with a value, to look objects up by.
///
/// Object Type, Cryptographic Algorithm, Cryptographic Length and everything in [`ObjectRow::attributes`] are
/// indexed. State, dates and usage mask are not: they are compared otherwise than by equality.
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
    /// The term that finds objects with this attribute value.
    #[must_use]
    pub fn of(value: &AttributeValue) -> Self {
        Self { attribute: value.name().to_owned(), value: value.canonical_bytes() }
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

/// A name that a living object holds, as table `object_name` has it.
pub(crate) fn name_hash(name: &str) -> TermHash {
    IndexTerm { attribute: "Name Value".to_owned(), value: name.as_bytes().to_vec() }.hash()
}

impl ObjectRow {
    /// Every term the object can be found by.
    #[must_use]
    pub fn terms(&self) -> Vec<IndexTerm> {
        let mut terms = vec![IndexTerm::of(&AttributeValue::ObjectType(self.object_type))];
        terms.extend(self.algorithm.map(|one| IndexTerm::of(&AttributeValue::CryptographicAlgorithm(one))));
        terms.extend(self.length.map(|one| IndexTerm::of(&AttributeValue::CryptographicLength(one))));
        terms.extend(self.attributes.iter().map(|attribute| IndexTerm::of(&attribute.value)));
        terms
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
