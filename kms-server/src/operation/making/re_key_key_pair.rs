//! Re-key Key Pair: a successor to a private key and its public key. KMIP 1.4 §4.5, 2.1 §6.1.47.

use kmip::payload::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
use kmip::registry::{LinkType, ObjectType};

use super::birth::{self, Birth};
use super::{create_key_pair::given, links, pair, renewal, source};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &ReKeyKeyPairRequest,
) -> Result<ReKeyKeyPairResponse, Failure> {
    for masks in [
        &request.common_protection_storage_masks,
        &request.private_protection_storage_masks,
        &request.public_protection_storage_masks,
    ] {
        birth::may_be_kept(masks.as_deref())?;
    }
    let named = request.private_key_unique_identifier.as_ref();
    let mut old_private = source::find_typed(scope, named, ObjectType::PrivateKey).await?;
    source::require_value(&old_private)?;
    let public_key = links::linked(&old_private, LinkType::PublicKeyLink)
        .ok_or(Failure::Denied("the private key has no link to its public key"))?;
    let mut old_public = source::find_typed(scope, Some(&public_key), ObjectType::PublicKey).await?;

    let common = given(scope, request.common_attributes.as_ref()).await?;
    let of_private = given(scope, request.private_key_attributes.as_ref()).await?;
    let of_public = given(scope, request.public_key_attributes.as_ref()).await?;
    let mut private = Birth::renew(scope, &old_private, request.offset, birth::merged(common.clone(), of_private))?;
    let mut public = Birth::renew(scope, &old_public, request.offset, birth::merged(common, of_public))?;
    for (old, new) in [(&mut old_private, &private), (&mut old_public, &public)] {
        // The old keys give up their names before the new ones take them.
        renewal::retire(old, scope.now_s);
        links::add(scope, old, LinkType::ReplacementObjectLink, new.id())?;
    }
    let (replaced_private, replaced_public) = (old_private.id, old_public.id);
    scope.draft.update(old_private);
    scope.draft.update(old_public);
    private.replaces(replaced_private);
    public.replaces(replaced_public);
    let (private, public) = pair::bear(scope, private, public).await?;
    Ok(ReKeyKeyPairResponse {
        private_key_unique_identifier: identifier_text(private),
        public_key_unique_identifier: identifier_text(public),
        private_key_template_attribute: None,
        public_key_template_attribute: None,
    })
}
