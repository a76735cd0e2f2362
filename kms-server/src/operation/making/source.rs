//! Objects from which others are made: found, judged, opened for one use.

use crypto::key::{PrivateKey, PublicKey};
use keystore::ObjectRow;
use kmip::attribute::{AttributeValue, CryptographicParameters, Identifier};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject};
use kmip::registry::{ObjectType, UsageMask};
use policy::usage::{Usable, UsageRefusal, may_protect};
use secret::Secret;

use super::judging;
use crate::failure::Failure;
use crate::lifecycle;
use crate::node::sealing;
use crate::operation::fetching::conversion::hint_of;
use crate::operation::fetching::handing_out;
use crate::scope::Scope;

/// The object named, not destroyed.
///
/// # Errors
/// As [`Scope::object`]; [`Failure::Destroyed`].
pub(super) async fn find(scope: &mut Scope<'_>, id: Option<&Identifier>) -> Result<ObjectRow, Failure> {
    let row = scope.object(id).await?;
    if row.dates.destroy.is_some() { Err(Failure::Destroyed) } else { Ok(row) }
}

/// As [`find`], for an object of this type.
///
/// # Errors
/// As [`find`]; [`Failure::UnusableObject`].
pub(super) async fn find_typed(
    scope: &mut Scope<'_>,
    id: Option<&Identifier>,
    wanted: ObjectType,
) -> Result<ObjectRow, Failure> {
    let row = find(scope, id).await?;
    if row.object_type == wanted { Ok(row) } else { Err(Failure::UnusableObject("another object type is needed")) }
}

/// May something be derived from the object? KMIP 1.4 §4.6.
///
/// # Errors
/// [`Failure::WrongState`], [`Failure::InvalidField`] for a mask that does not say so.
pub(super) fn may_derive(scope: &Scope<'_>, row: &ObjectRow) -> Result<(), Failure> {
    let dates = lifecycle::dates(row);
    let usable = Usable { state: row.state, dates: &dates, mask: row.usage_mask };
    may_protect(&usable, UsageMask::DERIVE_KEY, scope.now_s).map_err(|refusal| match refusal {
        UsageRefusal::Mask(_) => Failure::InvalidField("an object that is not made for derivation"),
        _ => Failure::WrongState,
    })
}

/// The object in clear, for one use.
///
/// # Errors
/// [`Failure::KeyValueAbsent`] where the server has its attributes only; what opening and unwrapping fail with; as
/// [`judging::judge`] for what came wrapped.
pub(super) async fn open(scope: &mut Scope<'_>, row: &ObjectRow) -> Result<ManagedObject, Failure> {
    let object = sealing::open(&scope.node.hsm, &scope.domain.key, row).await?;
    if object.key_block().is_some_and(|block| block.value.is_none()) {
        return Err(Failure::KeyValueAbsent);
    }
    let was_wrapped = object.key_block().is_some_and(KeyBlock::is_wrapped);
    let object = handing_out::in_clear(scope, object).await?;
    if was_wrapped {
        // Nobody could look when it came.
        judging::judge(scope, row, &object)?;
    }
    Ok(object)
}

/// The private key of an object, in the library's form.
///
/// # Errors
/// As [`material`]; [`Failure::Cryptographic`] and its kin for what the library does not understand.
pub(super) fn private_key(object: &ManagedObject, row: &ObjectRow) -> Result<PrivateKey, Failure> {
    let (block, material) = material(object)?;
    Ok(PrivateKey::from_material(block.format, material, hint_of(row))?)
}

/// The public key of an object, in the library's form.
///
/// # Errors
/// As [`private_key`].
pub(super) fn public_key(object: &ManagedObject, row: &ObjectRow) -> Result<PublicKey, Failure> {
    let (block, material) = material(object)?;
    Ok(PublicKey::from_material(block.format, material, hint_of(row))?)
}

/// The key block and its material.
///
/// # Errors
/// [`Failure::UnusableObject`] for objects without.
pub(super) fn material(object: &ManagedObject) -> Result<(&KeyBlock, &KeyMaterial), Failure> {
    let block = object.key_block().ok_or(Failure::UnusableObject("an object without a key"))?;
    let material = block.material().ok_or(Failure::UnusableObject("an object without key material"))?;
    Ok((block, material))
}

/// The key bytes, where they are one string.
///
/// # Errors
/// [`Failure::UnusableObject`] for objects without, and for the numbers of asymmetric keys.
pub(super) fn bytes(object: &ManagedObject) -> Result<&Secret, Failure> {
    let (_, material) = material(object)?;
    material.secret().ok_or(Failure::UnusableObject("a key that is not one string of bytes"))
}

/// The object's own Cryptographic Parameters, those with the lowest index.
pub(super) fn parameters(row: &ObjectRow) -> Option<&CryptographicParameters> {
    let first = row.attributes.iter().filter(|one| matches!(one.value, AttributeValue::CryptographicParameters(_)));
    match &first.min_by_key(|one| one.index.unwrap_or(0))?.value {
        AttributeValue::CryptographicParameters(parameters) => Some(parameters),
        _ => None,
    }
}

/// Whether the server has more of the object than its attributes.
///
/// # Errors
/// [`Failure::KeyValueAbsent`].
pub(super) fn require_value(row: &ObjectRow) -> Result<(), Failure> {
    let absent = row.attributes.iter().any(|one| one.value == AttributeValue::KeyValuePresent(false));
    if absent { Err(Failure::KeyValueAbsent) } else { Ok(()) }
}
