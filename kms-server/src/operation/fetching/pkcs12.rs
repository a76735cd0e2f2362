//! A private key with its certificates as a PKCS#12 file, under the password that it is linked with. KMIP 1.4 §4.11,
//! 2.1 §4.37, §6.1.19.

use crypto::CryptoError;
use crypto::key::PrivateKey;
use crypto::pkcs12::{Pkcs12Contents, write_pkcs12};
use keystore::ObjectRow;
use kmip::attribute::{AttributeValue, Identifier};
use kmip::object::{self, KeyBlock, KeyMaterial, KeyValue, ManagedObject};
use kmip::registry::{KeyFormatType, LinkType, ObjectType, State};
use secret::Secret;

use super::conversion::hint_of;
use super::handing_out::protection;
use crate::failure::Failure;
use crate::node::sealing;
use crate::scope::Scope;

/// Certificates between the key's own and the root.
const MAX_CHAIN: usize = 8;
/// The friendly name where the object has none. KMIP 2.1 §4.37.
const USUAL_NAME: &str = "alias";

/// The file for the private key of `row`.
///
/// # Errors
/// [`Failure::BadPassword`] where the password is not exactly one active Secret Data object, [`Failure::KeyFormat`] for
/// what is no private key that the library understands.
pub(super) async fn write(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<ManagedObject, Failure> {
    if row.object_type != ObjectType::PrivateKey {
        return Err(Failure::KeyFormat);
    }
    let about = scope.object;
    let written = contents(scope, row).await;
    scope.object = about;
    let (contents, password) = written?;
    let file = write_pkcs12(&contents, &password).map_err(|error| match error {
        CryptoError::Library(what) => Failure::Internal(what),
        _ => Failure::KeyFormat,
    })?;
    let key_block = KeyBlock {
        format: KeyFormatType::Pkcs12,
        compression: None,
        value: Some(KeyValue::Wrapped(file)),
        algorithm: None,
        length: None,
        wrapping: None,
    };
    Ok(ManagedObject::PrivateKey(object::PrivateKey { key_block }))
}

async fn contents(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<(Pkcs12Contents, Secret), Failure> {
    let password = password(scope, row).await?;
    let stored = sealing::open(&scope.node.hsm, &scope.domain.key, row).await?;
    let block = stored.key_block().ok_or(Failure::KeyFormat)?;
    if block.is_wrapped() {
        return Err(Failure::KeyFormat);
    }
    let material = block.material().ok_or(Failure::KeyValueAbsent)?;
    let key = PrivateKey::from_material(block.format, material, hint_of(row)).map_err(|_| Failure::KeyFormat)?;
    let mut certificates = chain(scope, row).await?.into_iter();
    let friendly_name = row.attributes.iter().find_map(|one| match &one.value {
        AttributeValue::Pkcs12FriendlyName(name) => Some(name.clone()),
        _ => None,
    });
    let contents = Pkcs12Contents {
        key,
        certificate: certificates.next(),
        chain: certificates.collect(),
        friendly_name: Some(friendly_name.unwrap_or_else(|| USUAL_NAME.to_owned())),
    };
    Ok((contents, password))
}

/// The bytes of the one Secret Data object that the key is linked with.
async fn password(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<Secret, Failure> {
    let mut links = linked(row, LinkType::Pkcs12PasswordLink);
    let (Some(id), None) = (links.next(), links.next()) else {
        return Err(Failure::BadPassword("not exactly one link to it"));
    };
    let found = scope.object(Some(&id.clone())).await.map_err(|failure| match failure {
        Failure::NotFound => Failure::BadPassword("absent"),
        other => other,
    })?;
    if found.object_type != ObjectType::SecretData || found.state != State::Active {
        return Err(Failure::BadPassword("not an active secret"));
    }
    // The file gives whoever opens it nothing of the password, so that it is Sensitive does not matter.
    let secret = sealing::open(&scope.node.hsm, &scope.domain.key, &found).await?;
    match secret.key_block().filter(|block| !block.is_wrapped()).and_then(KeyBlock::material) {
        Some(KeyMaterial::Bytes(bytes)) => Ok(Secret::copy_from(bytes.expose())),
        _ => Err(Failure::BadPassword("no bytes")),
    }
}

/// The certificate of the key and those above it, as links lead to them: by way of the public key, or directly.
async fn chain(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<Vec<Vec<u8>>, Failure> {
    let mut at = row.clone();
    let public_key = linked(&at, LinkType::PublicKeyLink).next().cloned();
    let has_own = linked(&at, LinkType::Pkcs12CertificateLink).next().is_some();
    if let (Some(id), false) = (public_key, has_own)
        && let Ok(public) = scope.object(Some(&id)).await
    {
        at = public;
    }
    let mut certificates = Vec::new();
    while certificates.len() < MAX_CHAIN {
        let by_type = |link_type| linked(&at, link_type).cloned().collect::<Vec<_>>();
        let mut next = by_type(LinkType::Pkcs12CertificateLink);
        if next.is_empty() {
            next = by_type(LinkType::CertificateLink);
        }
        let id = match next.as_slice() {
            [] => return Ok(certificates),
            [only] => only.clone(),
            // Two ways up are two chains, of which nobody says which is meant.
            _ => return Err(Failure::Contradiction("more than one certificate chain")),
        };
        at = match scope.object(Some(&id)).await {
            Ok(found) if found.object_type == ObjectType::Certificate && found.dates.destroy.is_none() => found,
            // A link to what is not here any more ends the chain.
            Ok(_) | Err(Failure::NotFound) => return Ok(certificates),
            Err(other) => return Err(other),
        };
        if !protection(&at).extractable {
            return Err(Failure::NotExtractable);
        }
        let ManagedObject::Certificate(certificate) = sealing::open(&scope.node.hsm, &scope.domain.key, &at).await?
        else {
            return Ok(certificates);
        };
        if certificates.contains(&certificate.value) {
            return Ok(certificates);
        }
        certificates.push(certificate.value);
    }
    Err(Failure::OverLimit("certificates in a chain"))
}

fn linked(row: &ObjectRow, wanted: LinkType) -> impl Iterator<Item = &Identifier> {
    row.attributes.iter().filter_map(move |one| match &one.value {
        AttributeValue::Link(link) if link.link_type == wanted => Some(&link.linked_object_identifier),
        _ => None,
    })
}
