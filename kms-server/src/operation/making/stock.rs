//! The object group that fills itself: where nothing fresh is left in it, who asks for a fresh member gets one made.
//! KMIP 1.1 §4.9, 1.4 §4.9.
//!
//! It is made in the request that asks, so it has its record there, is undone with its batch, and there is never a stock
//! of keys that nobody wanted. Each Locate makes one at most.

use keystore::{ObjectRow, Permissions};
use kmip::attribute::{Attribute, AttributeValue};
use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::registry::{CryptographicAlgorithm, ObjectType, Operation, UsageMask};
use policy::creation::Origin;

use super::birth::Birth;
use super::generator;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::tickets::Permit;
use crate::scope::Scope;

/// The group.
pub(in crate::operation) const GROUP: &str = "default";
/// Bits of its AES keys.
const BITS: i32 = 256;

/// Makes a fresh member of the group, if the domain has it, the client may create, and `is_wanted` says that the new key
/// is one that was asked for.
///
/// # Errors
/// As Create.
pub(in crate::operation) async fn refill(
    scope: &mut Scope<'_>,
    is_wanted: impl FnOnce(&Scope<'_>, &ObjectRow) -> bool,
) -> Result<(), Failure> {
    let may_create = scope.login.permits(Operation::Create) && scope.permit == Permit::Full;
    if !scope.domain.row.permissions.allow(Permissions::DEFAULT_GROUP) || !may_create {
        return Ok(());
    }
    let mut birth = Birth::begin(scope, Origin::Created, ObjectType::SymmetricKey);
    let attributes = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(BITS),
        AttributeValue::CryptographicUsageMask(UsageMask::ENCRYPT.union(UsageMask::DECRYPT)),
        AttributeValue::ObjectGroup(GROUP.to_owned()),
    ];
    birth.set_attributes(scope, attributes.into_iter().map(Attribute::new).collect())?;
    if !is_wanted(scope, birth.row()) {
        return Ok(());
    }
    let (algorithm, length, bytes) = birth.decide_key_parameters(scope)?;
    let policy = policy_of(&scope.domain.row.policy);
    let (material, generator) = generator::key_bytes(scope.node, policy, bytes).await?;
    birth.made_by_server(generator);
    let key_block = KeyBlock::raw(material, algorithm, length);
    birth.complete(scope, Some(&ManagedObject::SymmetricKey(SymmetricKey { key_block }))).await?;
    Ok(())
}
