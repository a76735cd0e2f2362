//! Create: a symmetric key, or a secret, of the HSM's randomness. KMIP 1.4 §4.1, 2.1 §6.1.8.

use kmip::object::{KeyBlock, ManagedObject, SecretData, SymmetricKey};
use kmip::payload::{CreateRequest, CreateResponse};
use kmip::registry::{KeyFormatType, ObjectType, SecretDataType};
use policy::algorithm::MAX_SYMMETRIC_BITS;
use policy::creation::Origin;

use super::birth::{self, Birth};
use super::generator;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// The length of a secret in bits where the client names none.
const DEFAULT_SECRET_BITS: i32 = 256;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &CreateRequest,
) -> Result<CreateResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    let wanted = birth::resolve_templates(scope, &request.template_attribute).await?;
    let mut birth = Birth::begin(scope, Origin::Created, request.object_type);
    let policy = policy_of(&scope.domain.row.policy);
    let (object, generator) = match request.object_type {
        ObjectType::SymmetricKey => {
            birth.set_attributes(scope, wanted)?;
            let (algorithm, length, bytes) = birth.decide_key_parameters(scope)?;
            let (material, generator) = generator::key_bytes(scope.node, policy, bytes).await?;
            let key_block = KeyBlock::raw(material, algorithm, length);
            (ManagedObject::SymmetricKey(SymmetricKey { key_block }), generator)
        }
        // The first standard that says so is 2.0; clients of 1.4 ask for it already.
        ObjectType::SecretData => {
            birth.set_attributes(scope, wanted)?;
            let bytes = secret_bytes(birth.row().length.unwrap_or(DEFAULT_SECRET_BITS))?;
            let (material, generator) = generator::key_bytes(scope.node, policy, bytes).await?;
            let key_block = KeyBlock::without_algorithm(KeyFormatType::Opaque, material);
            let secret_data_type = SecretDataType::Password;
            (ManagedObject::SecretData(SecretData { secret_data_type, key_block }), generator)
        }
        _ => return Err(Failure::InvalidField("only symmetric keys and secret data can be created")),
    };
    birth.made_by_server(generator);
    let id = birth.complete(scope, Some(&object)).await?;
    Ok(CreateResponse {
        object_type: request.object_type,
        unique_identifier: identifier_text(id),
        template_attribute: None,
    })
}

/// The bytes of a secret of so many bits.
///
/// # Errors
/// [`Failure::InvalidField`] for a length that is none of whole bytes, or too long.
pub(super) fn secret_bytes(bits: i32) -> Result<usize, Failure> {
    let refused = Failure::InvalidField("cryptographic length is not allowed for secret data");
    match usize::try_from(bits) {
        Ok(length) if length > 0 && length.is_multiple_of(8) && bits <= MAX_SYMMETRIC_BITS => Ok(length / 8),
        _ => Err(refused),
    }
}
