//! Get: the object itself, opened in the HSM for this one answer. KMIP 1.4 §4.11.

use keystore::ObjectRow;
use kmip::attribute::AttributeValue;
use kmip::object::{KeyBlock, KeyMaterial, KeyValue, ManagedObject, SymmetricKey, Template};
use kmip::payload::{GetRequest, GetResponse};
use kmip::registry::{KeyFormatType, ObjectType};

use crate::attributes;
use crate::failure::Failure;
use crate::node::sealing::{self, identifier_text};
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &GetRequest) -> Result<GetResponse, Failure> {
    let mut row = scope.object(request.unique_identifier.as_ref()).await?;
    if row.dates.destroy.is_some() {
        return Err(Failure::Destroyed);
    }
    if request.key_wrapping_specification.is_some() {
        return Err(Failure::UnsupportedFeature("key wrapping specification"));
    }
    let object = if row.object_type == ObjectType::Template {
        let own = row.attributes.iter().cloned().map(attributes::answered).collect();
        ManagedObject::Template(Template { attributes: own })
    } else {
        refuse_if_kept_inside(&row)?;
        convert(sealing::open(&scope.node.hsm, &scope.domain.key, &row).await?, request)?
    };
    // "Fresh" says that nobody has had the object yet. KMIP 1.4 §3.34.
    if row.fresh && attributes::is_cryptographic(row.object_type) {
        row.fresh = false;
        scope.draft.update(row.clone());
    }
    Ok(GetResponse { object_type: row.object_type, unique_identifier: identifier_text(row.id), object })
}

/// Sensitive and Extractable forbid handing the bytes out unwrapped. KMIP 1.4 §3.48, §3.50.
fn refuse_if_kept_inside(row: &ObjectRow) -> Result<(), Failure> {
    for attribute in &row.attributes {
        match attribute.value {
            AttributeValue::Sensitive(true) => return Err(Failure::Sensitive),
            AttributeValue::Extractable(false) => return Err(Failure::NotExtractable),
            _ => {}
        }
    }
    Ok(())
}

/// Brings the key into the format that was asked for, where there is a way.
fn convert(object: ManagedObject, request: &GetRequest) -> Result<ManagedObject, Failure> {
    // Compression is a property of elliptic-curve points; none of the objects here has one.
    if request.key_compression_type.is_some() {
        return Err(Failure::KeyCompression);
    }
    let Some(wanted) = request.key_format_type else { return Ok(object) };
    match object {
        ManagedObject::SymmetricKey(SymmetricKey { key_block }) => {
            recast(key_block, wanted).map(|key_block| ManagedObject::SymmetricKey(SymmetricKey { key_block }))
        }
        other if other.key_block().is_some_and(|block| block.format == wanted) => Ok(other),
        _ => Err(Failure::KeyFormat),
    }
}

/// Between Raw and Transparent Symmetric Key only the framing differs.
fn recast(block: KeyBlock, wanted: KeyFormatType) -> Result<KeyBlock, Failure> {
    const SYMMETRIC: [KeyFormatType; 2] = [KeyFormatType::Raw, KeyFormatType::TransparentSymmetricKey];
    if block.format == wanted {
        return Ok(block);
    }
    let (true, true, Some(KeyValue::Plain { material, attributes })) =
        (SYMMETRIC.contains(&block.format), SYMMETRIC.contains(&wanted), block.value)
    else {
        return Err(Failure::KeyFormat);
    };
    let bytes = material.into_secret().map_err(|_| Failure::KeyFormat)?;
    let material = match wanted {
        KeyFormatType::TransparentSymmetricKey => KeyMaterial::TransparentSymmetric(bytes),
        _ => KeyMaterial::Bytes(bytes),
    };
    Ok(KeyBlock { format: wanted, value: Some(KeyValue::Plain { material, attributes }), ..block })
}
