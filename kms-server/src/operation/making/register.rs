//! Register: an object that somebody else made. KMIP 1.4 §4.3, 2.1 §6.1.43.
//!
//! Whether a library or the HSM could use the key does not matter: what is registered is kept as it came. A PKCS#12
//! file alone is taken apart, because the specification registers what is inside it.

use kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use kmip::object::{KeyBlock, KeyValue, ManagedObject, Template};
use kmip::payload::{RegisterRequest, RegisterResponse};
use kmip::registry::KeyFormatType;
use policy::creation::{Origin, may_set};
use secret::Secret;

use super::birth::{self, Birth};
use super::{implied, judging, pkcs12};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &RegisterRequest,
) -> Result<RegisterResponse, Failure> {
    let RegisterRequest { object_type, template_attribute, object, protection_storage_masks } = request;
    if object.object_type() != *object_type {
        return Err(Failure::InvalidField("object type and object do not match"));
    }
    birth::may_be_kept(protection_storage_masks.as_ref())?;
    let mut wanted = birth::resolve_templates(scope, template_attribute).await?;
    let is_file = |block: &KeyBlock| block.format == KeyFormatType::Pkcs12 && !block.is_wrapped();
    if object.key_block().is_some_and(is_file) {
        let id = pkcs12::register(scope, object, wanted).await?;
        return Ok(RegisterResponse { unique_identifier: identifier_text(id), template_attribute: None });
    }
    let mut birth = Birth::begin(scope, Origin::Registered, *object_type);
    if let ManagedObject::Template(template) = object {
        return register_template(scope, birth, template, wanted).await;
    }
    if let Some(block) = object.key_block() {
        take_over_key_block(scope, &mut birth, block, &mut wanted)?;
    }
    birth.set_attributes(scope, wanted)?;
    describe(&mut birth, object);
    judging::judge(scope, birth.row(), object)?;
    let id = birth.complete(scope, Some(object)).await?;
    Ok(RegisterResponse { unique_identifier: identifier_text(id), template_attribute: None })
}

/// A template: what is given beside it describes the template itself; what stands in it, the objects made from it, and
/// it is kept whole. KMIP 1.4 §2.2.6.
async fn register_template(
    scope: &mut Scope<'_>,
    mut birth: Birth,
    template: &Template,
    mut wanted: Vec<Attribute>,
) -> Result<RegisterResponse, Failure> {
    let is_name = |one: &Attribute| one.value.kind() == AttributeKind::Name;
    if !wanted.iter().any(is_name) {
        // Some clients give the Name of the template in it.
        wanted.extend(template.attributes.iter().filter(|one| is_name(one)).cloned());
    }
    if !wanted.iter().any(is_name) {
        return Err(Failure::InvalidField("a template needs a name"));
    }
    birth.may_give(scope, &template.attributes)?;
    birth.set_attributes(scope, wanted)?;
    let kept = ManagedObject::Template(Template { attributes: template.attributes.clone() });
    let id = birth.complete(scope, Some(&kept)).await?;
    Ok(RegisterResponse { unique_identifier: identifier_text(id), template_attribute: None })
}

/// Algorithm and length may be in the Key Block, in the attributes, or in both and then equal (KMIP 1.4 table 171).
/// Attributes inside the Key Value count where none is given beside it.
fn take_over_key_block(
    scope: &Scope<'_>,
    birth: &mut Birth,
    block: &KeyBlock,
    wanted: &mut Vec<Attribute>,
) -> Result<(), Failure> {
    let len = match &block.value {
        Some(KeyValue::Plain { material, attributes }) => {
            let further = attributes.iter().filter(|one| {
                may_set(Origin::Registered, birth.row().object_type, scope.version, &one.value).is_ok()
                    && !wanted.iter().any(|other| other.value.name() == one.value.name())
            });
            let further: Vec<Attribute> = further.cloned().collect();
            wanted.extend(further);
            material.secret().map(Secret::len).filter(|_| !block.is_wrapped())
        }
        Some(KeyValue::Wrapped(_)) => None,
        // The value is elsewhere; then somebody has to know where.
        None if wanted.iter().any(|one| one.kind() == AttributeKind::KeyValueLocation) => {
            birth.give(AttributeValue::KeyValuePresent(false));
            None
        }
        None => return Err(Failure::MissingData("key value")),
    };
    birth.take_from_key_block(block.algorithm, block.length, len)
}

/// What the object says of itself and nobody has said beside it.
fn describe(birth: &mut Birth, object: &ManagedObject) {
    if let ManagedObject::Certificate(certificate) = object {
        implied::of_certificate(birth, certificate);
    }
    if let ManagedObject::OpaqueObject(opaque) = object {
        birth.give_if_absent(AttributeValue::OpaqueDataType(opaque.opaque_data_type));
    }
    if let Some(facts) = judging::key_facts(object, birth.row()) {
        birth.give_if_absent(AttributeValue::CryptographicAlgorithm(facts.algorithm));
        birth.give_if_absent(AttributeValue::CryptographicLength(facts.length_bits));
    }
}
