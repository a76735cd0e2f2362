//! Create Split Key: a key, held already or made for it, in parts that are objects of their own. KMIP 1.4 §4.38,
//! 2.1 §6.1.10.

use crypto::split::{SplitSpec, usual_prime};
use kmip::attribute::AttributeValue;
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, SplitKey};
use kmip::payload::{CreateSplitKeyRequest, CreateSplitKeyResponse};
use kmip::registry::{CryptographicAlgorithm, KeyFormatType, ObjectType, SplitKeyMethod};
use kmip::ttlv::BigInteger;
use policy::creation::Origin;
use secret::Secret;

use super::birth::{self, Birth};
use super::{generator, source};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// What is split.
struct Whole {
    bytes: Secret,
    format: KeyFormatType,
    algorithm: Option<CryptographicAlgorithm>,
    length: Option<i32>,
}

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &CreateSplitKeyRequest,
) -> Result<CreateSplitKeyResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    if request.object_type != ObjectType::SplitKey {
        return Err(Failure::InvalidField("what is made are split keys"));
    }
    let wanted = birth::resolve_templates(scope, &request.template_attribute).await?;
    let held = match &request.unique_identifier {
        Some(id) => Some(source::find(scope, Some(id)).await?),
        None => None,
    };
    let mut model = Birth::begin(scope, Origin::Created, ObjectType::SplitKey);
    model.set_attributes(scope, wanted.clone())?;
    let (whole, generator) = match &held {
        Some(row) => {
            let object = source::open(scope, row).await?;
            let (block, _) = source::material(&object)?;
            let bytes = Secret::copy_from(source::bytes(&object)?.expose());
            (Whole { bytes, format: block.format, algorithm: row.algorithm, length: row.length }, None)
        }
        None => {
            let (algorithm, length, len) = model.decide_key_parameters(scope)?;
            let policy = policy_of(&scope.domain.row.policy);
            let (bytes, generator) = generator::key_bytes(scope.node, policy, len).await?;
            let whole = Whole { bytes, format: KeyFormatType::Raw, algorithm: Some(algorithm), length: Some(length) };
            (whole, Some(generator))
        }
    };

    let prime = prime_of(request, whole.bytes.len())?;
    let spec = SplitSpec {
        method: request.split_key_method,
        parts: count(request.split_key_parts)?,
        threshold: count(request.split_key_threshold)?,
        prime: prime.as_deref(),
    };
    let random = scope.node.hsm.random(spec.random_len(whole.bytes.len()).map_err(refused)?).await?;
    let parts = spec.split(&whole.bytes, &random).map_err(refused)?;

    let mut identifiers = Vec::with_capacity(parts.len());
    // The first part comes last, so that the ID Placeholder names it.
    for part in parts.into_iter().rev() {
        let mut birth = Birth::begin(scope, Origin::Created, ObjectType::SplitKey);
        birth.set_attributes(scope, wanted.clone())?;
        if let Some(row) = &held {
            // Where the attributes contradict those of the key, those of the key take precedence.
            birth.give_if_absent(AttributeValue::CryptographicUsageMask(row.usage_mask));
            birth.is_as_protected_as(row);
        }
        for value in [
            whole.algorithm.map(AttributeValue::CryptographicAlgorithm),
            whole.length.map(AttributeValue::CryptographicLength),
        ] {
            value.into_iter().for_each(|value| birth.give(value));
        }
        if let Some(generator) = &generator {
            birth.made_by_server(generator.clone());
        }
        let key_block = KeyBlock::new(whole.format, KeyMaterial::Bytes(part.material), whole.algorithm, whole.length);
        let object = ManagedObject::SplitKey(Box::new(SplitKey {
            parts: request.split_key_parts,
            part_identifier: i32::try_from(part.identifier).map_err(|_| Failure::Internal("part of a split key"))?,
            threshold: request.split_key_threshold,
            method: request.split_key_method,
            prime_field_size: prime.as_deref().map(BigInteger::from_unsigned),
            key_block,
        }));
        identifiers.push(identifier_text(birth.complete(scope, Some(&object)).await?));
    }
    identifiers.reverse();
    Ok(CreateSplitKeyResponse { object_type: None, unique_identifiers: identifiers, template_attribute: None })
}

fn count(number: i32) -> Result<usize, Failure> {
    usize::try_from(number).map_err(|_| Failure::InvalidField("a number of parts below zero"))
}

/// The prime of the method that has one: the client's, or the next Mersenne prime above the key.
fn prime_of(request: &CreateSplitKeyRequest, len: usize) -> Result<Option<Vec<u8>>, Failure> {
    if request.split_key_method != SplitKeyMethod::PolynomialSharingPrimeField {
        return Ok(None);
    }
    match &request.prime_field_size {
        Some(prime) => {
            prime.unsigned().map(|digits| Some(digits.to_vec())).ok_or(Failure::InvalidField("a prime below zero"))
        }
        None => usual_prime(len.saturating_mul(8)).map(Some).map_err(refused),
    }
}

/// What is wrong with the numbers is the request's fault. KMIP 1.4 §11.39.
fn refused(error: crypto::CryptoError) -> Failure {
    match error {
        crypto::CryptoError::InvalidInput(why) => Failure::InvalidField(why),
        other => other.into(),
    }
}
