//! Create: a symmetric key of the HSM's randomness. KMIP 1.4 §4.1.

use kmip::object::{KeyBlock, KeyMaterial, KeyValue, ManagedObject, SymmetricKey};
use kmip::payload::{CreateRequest, CreateResponse};
use kmip::registry::{KeyFormatType, ObjectType};

use policy::creation::Origin;

use super::birth::{self, Birth};
use super::generator;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &CreateRequest,
) -> Result<CreateResponse, Failure> {
    if request.object_type != ObjectType::SymmetricKey {
        return Err(Failure::InvalidField("only symmetric keys can be created"));
    }
    let wanted = birth::resolve_templates(scope, &request.template_attribute).await?;
    let mut birth = Birth::begin(scope, Origin::Created, ObjectType::SymmetricKey);
    birth.set_attributes(scope, wanted)?;
    let (algorithm, length, bytes) = birth.decide_key_parameters(scope)?;
    let policy = policy_of(&scope.domain.row.policy);
    let (material, generator) = generator::key_bytes(&scope.node.hsm, policy, bytes).await?;
    let object = ManagedObject::SymmetricKey(SymmetricKey {
        key_block: KeyBlock {
            format: KeyFormatType::Raw,
            compression: None,
            value: Some(KeyValue::Plain { material: KeyMaterial::Bytes(material), attributes: Vec::new() }),
            algorithm: Some(algorithm),
            length: Some(length),
            wrapping: None,
        },
    });
    birth.made_by_server(generator);
    let id = birth.complete(scope, Some(&object)).await?;
    Ok(CreateResponse {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: identifier_text(id),
        template_attribute: None,
    })
}
