//! Re-key: a successor to a symmetric key. KMIP 1.4 §4.4, 2.1 §6.1.46.

use kmip::object::{KeyBlock, ManagedObject, SymmetricKey};
use kmip::payload::{ReKeyRequest, ReKeyResponse};
use kmip::registry::{LinkType, ObjectType};

use super::birth::{self, Birth};
use super::{create_key_pair, generator, links, renewal, source};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(scope: &mut Scope<'_>, request: &ReKeyRequest) -> Result<ReKeyResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut old = source::find_typed(scope, request.unique_identifier.as_ref(), ObjectType::SymmetricKey).await?;
    source::require_value(&old)?;
    let given = create_key_pair::given(scope, request.template_attribute.as_ref()).await?;
    let mut birth = Birth::renew(scope, &old, request.offset, given)?;
    let (algorithm, length, bytes) = birth.decide_key_parameters(scope)?;
    let policy = policy_of(&scope.domain.row.policy);
    let (material, generator) = generator::key_bytes(scope.node, policy, bytes).await?;
    let key_block = KeyBlock::raw(material, algorithm, length);
    birth.made_by_server(generator);
    // The old key gives up its names before the new one takes them.
    renewal::retire(&mut old, scope.now_s);
    links::add(scope, &mut old, LinkType::ReplacementObjectLink, birth.id())?;
    birth.give(links::to(LinkType::ReplacedObjectLink, old.id));
    scope.draft.update(old);
    let id = birth.complete(scope, Some(&ManagedObject::SymmetricKey(SymmetricKey { key_block }))).await?;
    Ok(ReKeyResponse { unique_identifier: identifier_text(id), template_attribute: None })
}
