//! Register: an object that somebody else made. KMIP 1.4 §4.3.
//!
//! Whether a library or the HSM could use the key does not matter: what is registered is kept as it came.

use kmip::attribute::AttributeKind;
use kmip::object::{KeyBlock, KeyValue, ManagedObject};
use kmip::payload::{RegisterRequest, RegisterResponse};
use kmip::registry::ObjectType;
use policy::creation::Origin;
use secret::Secret;

use super::birth::{self, Birth};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RegisterRequest,
) -> Result<RegisterResponse, Failure> {
    let RegisterRequest { object_type, template_attribute, object, protection_storage_masks: _ } = request;
    if object.object_type() != *object_type {
        return Err(Failure::InvalidField("object type and object do not match"));
    }
    let mut wanted = birth::resolve_templates(scope, template_attribute).await?;
    let mut birth = Birth::begin(scope, Origin::Registered, *object_type);
    let kept = match object {
        ManagedObject::Template(template) => {
            // The Name of a template is given beside the template or within it; everything else stands within.
            wanted.extend(template.attributes.iter().cloned());
            if !wanted.iter().any(|one| one.value.kind() == AttributeKind::Name) {
                return Err(Failure::InvalidField("a template needs a name"));
            }
            None
        }
        other => Some(other),
    };
    if let Some(block) = kept.and_then(ManagedObject::key_block) {
        take_over_key_block(&mut birth, block)?;
    }
    birth.set_attributes(scope, wanted)?;
    if *object_type == ObjectType::SymmetricKey {
        birth.require_key_parameters(scope)?;
    }
    let id = birth.complete(scope, kept).await?;
    Ok(RegisterResponse { unique_identifier: identifier_text(id), template_attribute: None })
}

/// Algorithm and length may be in the Key Block, in the attributes, or in both and then equal. KMIP 1.4 table 171.
fn take_over_key_block(birth: &mut Birth, block: &KeyBlock) -> Result<(), Failure> {
    if block.wrapping.is_some() || matches!(block.value, Some(KeyValue::Wrapped(_))) {
        return Err(Failure::UnsupportedFeature("registering a wrapped key"));
    }
    let Some(KeyValue::Plain { material, attributes }) = &block.value else {
        return Err(Failure::MissingData("key value"));
    };
    if !attributes.is_empty() {
        return Err(Failure::UnsupportedFeature("attributes inside a key value"));
    }
    // What is typed has its numbers; only bytes can be none.
    let len = material.secret().map_or(1, Secret::len);
    birth.take_from_key_block(block.algorithm, block.length, len)
}
