//! Managed objects going to rest and coming back: the facts a seal is bound to, and the two conversions.
//!
//! What is sealed is the TTLV encoding of the whole managed object, so that every kind of object, with every key
//! format, goes through the same two functions.

use keystore::{ObjectId, ObjectRow};
use kmip::object::ManagedObject;
use secret::{DomainId, Sealed, Secret};

use crate::failure::Failure;
use crate::node::domain_keys::DomainKeys;

/// Leads the additional data, so that facts of one kind can never be read as facts of another.
const OBJECT_FACTS: &[u8; 20] = b"clavis/object-facts\x01";
const DOMAIN_SECRET_FACTS: &[u8; 20] = b"clavis/domain-mac\x00\x00\x01";
const AUTHORITY_FACTS: &[u8; 20] = b"clavis/domain-ca\x00\x00\x00\x01";

/// The facts about an object that never change; they are part of the additional data of its seal.
///
/// An envelope moved to another row, domain, type, algorithm or length does not open. Layout in `docs/formats.md`.
#[must_use]
pub fn object_facts(row: &ObjectRow) -> Vec<u8> {
    let mut facts = Vec::with_capacity(72);
    facts.extend_from_slice(OBJECT_FACTS);
    facts.extend_from_slice(&row.domain);
    facts.extend_from_slice(&row.id);
    facts.extend_from_slice(&row.object_type.value().to_be_bytes());
    facts.extend_from_slice(&row.algorithm.map_or(0, |algorithm| algorithm.value()).to_be_bytes());
    facts.extend_from_slice(&row.length.unwrap_or(0).to_be_bytes());
    facts.extend_from_slice(&row.seal_number.to_be_bytes());
    facts
}

/// The facts of a domain's MAC secret.
#[must_use]
pub fn domain_secret_facts(domain: DomainId) -> Vec<u8> {
    [DOMAIN_SECRET_FACTS.as_slice(), &domain].concat()
}

/// The facts of a domain's certificate authority.
#[must_use]
pub fn authority_facts(domain: DomainId) -> Vec<u8> {
    [AUTHORITY_FACTS.as_slice(), &domain].concat()
}

/// The setting that holds a domain's certificate authority, sealed.
#[must_use]
pub fn authority_setting(domain: DomainId) -> String {
    format!("domain-ca/{}", identifier_text(domain))
}

/// Seals `object` under the domain's current key for the row it belongs to.
///
/// # Errors
/// [`Failure::Hsm`].
pub async fn seal(
    hsm: &hsm::Group,
    keys: &DomainKeys,
    row: &ObjectRow,
    object: &ManagedObject,
) -> Result<Sealed, Failure> {
    Ok(hsm.seal(&keys.current, &object_facts(row), &object.to_canonical()).await?)
}

/// Opens what [`seal`] sealed. It must fit the row, or the HSM refuses.
///
/// # Errors
/// [`Failure::Hsm`]; [`Failure::Internal`] where the opened bytes are no managed object of the row's type.
pub async fn open(hsm: &hsm::Group, keys: &DomainKeys, row: &ObjectRow) -> Result<ManagedObject, Failure> {
    let sealed = row.sealed.as_ref().ok_or(Failure::Destroyed)?;
    let plain = hsm.open_sealed(keys.of_version(sealed.version()), &object_facts(row), sealed).await?;
    decode(&plain, row).ok_or(Failure::Internal("sealed bytes are no managed object"))
}

fn decode(plain: &Secret, row: &ObjectRow) -> Option<ManagedObject> {
    let object = ManagedObject::from_canonical(plain.expose()).ok()?;
    (object.object_type() == row.object_type).then_some(object)
}

/// Seals the object of `row` under the current key, bytes and all; `row` has the new envelope and its number then. What
/// is inside is not looked at.
///
/// # Errors
/// [`Failure::Hsm`].
pub async fn reseal(hsm: &hsm::Group, keys: &DomainKeys, row: &mut ObjectRow) -> Result<(), Failure> {
    let Some(sealed) = &row.sealed else { return Ok(()) };
    let plain = hsm.open_sealed(keys.of_version(sealed.version()), &object_facts(row), sealed).await?;
    row.seal_number = row.seal_number.checked_add(1).ok_or(Failure::Internal("seal number"))?;
    row.sealed = Some(hsm.seal(&keys.current, &object_facts(row), &plain).await?);
    Ok(())
}

/// Text form of an object's or a domain's identifier: a lower-case UUID.
#[must_use]
pub fn identifier_text(id: ObjectId) -> String {
    uuid::Uuid::from_bytes(id).hyphenated().to_string()
}

/// The object a Unique Identifier names, or `None` for text that this server never hands out.
#[must_use]
pub fn parse_identifier(text: &str) -> Option<ObjectId> {
    // Exactly one spelling is accepted: two spellings of one identifier would be two names of one object.
    let id = uuid::Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then(|| id.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_has_one_spelling() {
        let id = [0xAB; 16];
        let text = identifier_text(id);
        assert_eq!(parse_identifier(&text), Some(id));
        assert_eq!(parse_identifier(&text.to_uppercase()), None);
        assert_eq!(parse_identifier(&text.replace('-', "")), None);
        assert_eq!(parse_identifier("1"), None);
    }
}
