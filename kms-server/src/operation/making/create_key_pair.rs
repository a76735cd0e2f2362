//! Create Key Pair: a private key and its public key. KMIP 1.4 §4.2, 2.1 §6.1.9.
//!
//! A usage mask may be absent: some clients give none, and a key without uses is theirs to fetch and nothing else.

use kmip::attribute::{Attribute, TemplateAttribute};
use kmip::payload::{CreateKeyPairRequest, CreateKeyPairResponse};
use kmip::registry::ObjectType;
use policy::creation::Origin;

use super::birth::{self, Birth};
use super::pair;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &CreateKeyPairRequest,
) -> Result<CreateKeyPairResponse, Failure> {
    for masks in [
        &request.common_protection_storage_masks,
        &request.private_protection_storage_masks,
        &request.public_protection_storage_masks,
    ] {
        birth::may_be_kept(masks.as_deref())?;
    }
    let common = given(scope, request.common_attributes.as_ref()).await?;
    let of_private = given(scope, request.private_key_attributes.as_ref()).await?;
    let of_public = given(scope, request.public_key_attributes.as_ref()).await?;
    let mut private = Birth::begin(scope, Origin::Created, ObjectType::PrivateKey);
    private.set_attributes(scope, birth::merged(common.clone(), of_private))?;
    let mut public = Birth::begin(scope, Origin::Created, ObjectType::PublicKey);
    public.set_attributes(scope, birth::merged(common, of_public))?;
    let (private, public) = pair::bear(scope, private, public).await?;
    Ok(CreateKeyPairResponse {
        private_key_unique_identifier: identifier_text(private),
        public_key_unique_identifier: identifier_text(public),
        private_key_template_attribute: None,
        public_key_template_attribute: None,
    })
}

/// The attributes of one of the three lists.
pub(super) async fn given(scope: &mut Scope<'_>, list: Option<&TemplateAttribute>) -> Result<Vec<Attribute>, Failure> {
    match list {
        Some(list) => birth::resolve_templates(scope, list).await,
        None => Ok(Vec::new()),
    }
}
