//! An object on its way to a client, for Get and Export alike: may it leave, in clear or wrapped, and in which format?
//! KMIP 1.4 §4.11, §3.48, §3.50; 2.1 §6.1.18, §6.1.19.

use keystore::ObjectRow;
use kmip::attribute::AttributeValue;
use kmip::object::{KeyValue, KeyWrappingSpecification, ManagedObject};
use kmip::registry::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};

use super::{conversion, pkcs12, wrapping};
use crate::failure::Failure;
use crate::node::sealing;
use crate::scope::Scope;

/// In what form the object is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'r> {
    pub format: Option<KeyFormatType>,
    pub wrap_type: Option<KeyWrapType>,
    pub compression: Option<KeyCompressionType>,
    pub wrapping: Option<&'r KeyWrappingSpecification>,
}

/// The object of `row`, which is not destroyed, as it is wanted.
///
/// # Errors
/// [`Failure::NotExtractable`], [`Failure::Sensitive`], [`Failure::KeyFormat`], [`Failure::KeyCompression`], and those of
/// [`conversion::tellable`], [`wrapping::wrap`] and [`wrapping::unwrap`].
pub(super) async fn object(
    scope: &mut Scope<'_>,
    row: &ObjectRow,
    wanted: Wanted<'_>,
) -> Result<ManagedObject, Failure> {
    let object = as_wanted(scope, row, wanted).await?;
    conversion::tellable(object, scope.version)
}

async fn as_wanted(scope: &mut Scope<'_>, row: &ObjectRow, wanted: Wanted<'_>) -> Result<ManagedObject, Failure> {
    if row.object_type == ObjectType::Template {
        if wanted.wrapping.is_some() {
            return Err(Failure::IllegalOperation("a template is not wrapped"));
        }
        return sealing::open(&scope.node.hsm, &scope.domain.key, row).await;
    }
    let Protection { sensitive, extractable } = protection(row);
    if !extractable {
        return Err(Failure::NotExtractable);
    }
    if wanted.format == Some(KeyFormatType::Pkcs12) {
        // The password protects a container less than a wrapping key would.
        if sensitive || wanted.wrapping.is_some() {
            return Err(if sensitive { Failure::Sensitive } else { Failure::KeyFormat });
        }
        return pkcs12::write(scope, row).await;
    }

    let stored = sealing::open(&scope.node.hsm, &scope.domain.key, row).await?;
    let came_wrapped = wrapping::is_wrapped(&stored);
    if came_wrapped && wanted.wrapping.is_none() && wanted.wrap_type != Some(KeyWrapType::NotWrapped) {
        // As registered. Nothing of a wrapped key can be converted.
        return match wanted {
            Wanted { compression: Some(_), .. } => Err(Failure::KeyCompression),
            Wanted { format: Some(format), .. } if stored.format() != Some(format) => Err(Failure::KeyFormat),
            _ => Ok(stored),
        };
    }
    if sensitive && wanted.wrapping.is_none() {
        return Err(Failure::Sensitive);
    }
    let as_structure = came_wrapped
        && matches!(stored.key_block().and_then(|block| block.value.as_ref()), Some(KeyValue::Plain { .. }));
    let plain = if came_wrapped { in_clear(scope, stored).await? } else { stored };
    let converted =
        conversion::convert(plain, conversion::hint_of(row), wanted.format, wanted.compression, scope.version)?;
    match wanted.wrapping {
        Some(specification) => wrapping::wrap(scope, row, converted, specification, as_structure).await,
        None => Ok(converted),
    }
}

/// The object with its key in clear, if it came wrapped and the wrapping key is here.
///
/// # Errors
/// As [`wrapping::unwrap`].
pub(in crate::operation) async fn in_clear(
    scope: &mut Scope<'_>,
    mut object: ManagedObject,
) -> Result<ManagedObject, Failure> {
    if let Some(place) = object.key_block_mut() {
        let block = kmip::object::KeyBlock {
            format: place.format,
            compression: place.compression,
            value: place.value.take(),
            algorithm: place.algorithm,
            length: place.length,
            wrapping: place.wrapping.take(),
        };
        *place = wrapping::unwrap(scope, block).await?;
    }
    Ok(object)
}

/// What Sensitive and Extractable say.
pub(super) struct Protection {
    pub sensitive: bool,
    pub extractable: bool,
}

/// Sensitive forbids handing the bytes out in clear, Extractable (when false) handing them out at all.
pub(super) fn protection(row: &ObjectRow) -> Protection {
    let mut protection = Protection { sensitive: false, extractable: true };
    for attribute in &row.attributes {
        match attribute.value {
            AttributeValue::Sensitive(value) => protection.sensitive |= value,
            AttributeValue::Extractable(value) => protection.extractable &= value,
            _ => {}
        }
    }
    protection
}
