//! Register of a PKCS#12 file: the private key inside, its certificate and their chain become objects with links.
//! KMIP 1.4 §2.1.7 and §3.35 (PKCS#12 Certificate Link, PKCS#12 Password Link).

use crypto::pkcs12::{Pkcs12Contents, read_pkcs12};
use keystore::ObjectId;
use kmip::attribute::{Attribute, AttributeValue};
use kmip::object::{Certificate, KeyBlock, KeyMaterial, KeyValue, ManagedObject, PrivateKey};
use kmip::registry::{CertificateType, KeyFormatType, LinkType, ObjectType, State};
use policy::creation::Origin;
use secret::Secret;

use super::birth::Birth;
use super::{implied, judging, links, source};
use crate::failure::Failure;
use crate::scope::Scope;

/// Registers what is in the file; gives the identifier of the private key, which the ID Placeholder names afterwards.
pub(super) async fn register(
    scope: &mut Scope<'_>,
    object: &ManagedObject,
    wanted: Vec<Attribute>,
) -> Result<ObjectId, Failure> {
    if object.object_type() != ObjectType::PrivateKey {
        return Err(Failure::KeyFormat);
    }
    let file = match object.key_block().and_then(|block| block.value.as_ref()) {
        Some(KeyValue::Wrapped(file) | KeyValue::Plain { material: KeyMaterial::Bytes(file), .. }) => file,
        _ => return Err(Failure::MissingData("key value")),
    };
    let contents = read(file, &password(scope, &wanted).await?)?;
    let name = contents.friendly_name.clone().map(AttributeValue::Pkcs12FriendlyName);

    // From the end of the chain to its beginning, so that each certificate can name the one that signed it.
    let mut issuer: Option<ObjectId> = None;
    let certificates: Vec<&Vec<u8>> = contents.certificate.iter().chain(&contents.chain).collect();
    for (place, value) in certificates.into_iter().enumerate().rev() {
        let certificate = Certificate { certificate_type: CertificateType::X509, value: value.clone() };
        let mut birth = Birth::begin(scope, Origin::Registered, ObjectType::Certificate);
        implied::of_certificate(&mut birth, &certificate);
        // The friendly name is the key's and its own certificate's.
        if place == 0
            && let Some(name) = &name
        {
            birth.give_if_absent(name.clone());
        }
        if let Some(issuer) = issuer {
            birth.give(links::to(LinkType::Pkcs12CertificateLink, issuer));
        }
        let certificate = ManagedObject::Certificate(certificate);
        judging::judge(scope, birth.row(), &certificate)?;
        issuer = Some(birth.complete(scope, Some(&certificate)).await?);
    }

    let facts = contents.key.facts();
    let mut birth = Birth::begin(scope, Origin::Registered, ObjectType::PrivateKey);
    birth.take_from_key_block(Some(facts.algorithm), Some(facts.length_bits), None)?;
    birth.set_attributes(scope, wanted)?;
    if let Some(name) = name {
        birth.give_if_absent(name);
    }
    if let Some(certificate) = issuer {
        birth.give(links::to(LinkType::Pkcs12CertificateLink, certificate));
    }
    let material = KeyMaterial::Bytes(contents.key.to_encoded(KeyFormatType::Pkcs8)?);
    let key_block = KeyBlock::new(KeyFormatType::Pkcs8, material, Some(facts.algorithm), Some(facts.length_bits));
    let key = ManagedObject::PrivateKey(PrivateKey { key_block });
    judging::judge(scope, birth.row(), &key)?;
    birth.complete(scope, Some(&key)).await
}

fn read(file: &Secret, password: &Secret) -> Result<Pkcs12Contents, Failure> {
    read_pkcs12(file, password).map_err(|error| match error {
        crypto::CryptoError::Authentication => Failure::BadPassword("it does not open the file"),
        other => other.into(),
    })
}

/// The password: a secret of the domain that the request links to, Active.
async fn password(scope: &mut Scope<'_>, wanted: &[Attribute]) -> Result<Secret, Failure> {
    let link = wanted.iter().find_map(|one| match &one.value {
        AttributeValue::Link(link) if link.link_type == LinkType::Pkcs12PasswordLink => {
            Some(link.linked_object_identifier.clone())
        }
        _ => None,
    });
    let link = link.ok_or(Failure::MissingData("link to the password"))?;
    let row = source::find_typed(scope, Some(&link), ObjectType::SecretData).await?;
    if row.state != State::Active {
        // The cases insist on this reason in every version.
        return Err(Failure::Denied("the password is not active"));
    }
    let object = source::open(scope, &row).await?;
    source::bytes(&object).map(|bytes| Secret::copy_from(bytes.expose()))
}
