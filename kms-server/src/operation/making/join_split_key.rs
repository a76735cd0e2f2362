//! Join Split Key: a key from its parts. KMIP 1.4 §4.39, 2.1 §6.1.27.

use crypto::split::SplitSpec;
use keystore::ObjectRow;
use kmip::attribute::AttributeValue;
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, SecretData, SplitKey};
use kmip::payload::{JoinSplitKeyRequest, JoinSplitKeyResponse};
use kmip::registry::{KeyFormatType, ObjectType, SecretDataType};
use policy::creation::Origin;
use secret::Secret;

use super::birth::{self, Birth};
use super::{create_key_pair, judging, source};
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// Parts that one request may name: as many as a key can have.
const MAX_PARTS: usize = crypto::limits::MAX_SPLIT_PARTS;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &JoinSplitKeyRequest,
) -> Result<JoinSplitKeyResponse, Failure> {
    birth::may_be_kept(request.protection_storage_masks.as_ref())?;
    let named = scope.each_of(&request.unique_identifiers);
    if named.len() > MAX_PARTS {
        return Err(Failure::OverLimit("more parts than a key can have"));
    }
    let mut parts: Vec<(ObjectRow, Box<SplitKey>)> = Vec::with_capacity(named.len());
    for id in &named {
        let row = source::find_typed(scope, Some(id), ObjectType::SplitKey).await?;
        match source::open(scope, &row).await? {
            ManagedObject::SplitKey(part) => parts.push((row, part)),
            _ => return Err(Failure::Internal("a split key that is none")),
        }
    }
    let joined = join(&parts)?;
    let given = create_key_pair::given(scope, request.template_attribute.as_ref()).await?;
    let mut birth = Birth::begin(scope, Origin::Created, request.object_type);
    birth.take_from_key_block(None, None, Some(joined.len()))?;
    birth.set_attributes(scope, given)?;
    let Some((row, first)) = parts.first() else { return Err(Failure::MissingData("split keys")) };
    for value in [
        row.algorithm.map(AttributeValue::CryptographicAlgorithm),
        row.length.map(AttributeValue::CryptographicLength),
        Some(AttributeValue::CryptographicUsageMask(row.usage_mask)),
    ] {
        value.into_iter().for_each(|value| birth.give_if_absent(value));
    }
    for (row, _) in &parts {
        birth.is_as_protected_as(row);
    }
    let (algorithm, length) = (birth.row().algorithm, birth.row().length);
    let format = first.key_block.format;
    let object = match request.object_type {
        ObjectType::SymmetricKey => {
            let block = KeyBlock::new(KeyFormatType::Raw, KeyMaterial::Bytes(joined), algorithm, length);
            ManagedObject::from_key_block(ObjectType::SymmetricKey, block)
        }
        ObjectType::PrivateKey => {
            let block = KeyBlock::new(format, KeyMaterial::Bytes(joined), algorithm, length);
            ManagedObject::from_key_block(ObjectType::PrivateKey, block)
        }
        ObjectType::SecretData => Ok(ManagedObject::SecretData(SecretData {
            secret_data_type: request.secret_data_type.unwrap_or(SecretDataType::Password),
            key_block: KeyBlock::without_algorithm(KeyFormatType::Opaque, joined),
        })),
        _ => return Err(Failure::InvalidField("split keys do not make an object of this type")),
    };
    let object = object.map_err(|_| Failure::Internal("an object that is not all key block"))?;
    // The whole is in sight only now; what its parts were registered as proves nothing.
    judging::judge(scope, birth.row(), &object)?;
    let id = birth.complete(scope, Some(&object)).await?;
    Ok(JoinSplitKeyResponse { object_type: None, unique_identifier: identifier_text(id), template_attribute: None })
}

/// The key of which these are the parts.
fn join(parts: &[(ObjectRow, Box<SplitKey>)]) -> Result<Secret, Failure> {
    const OTHERS: Failure = Failure::Cryptographic("parts of different keys");
    let Some((row, first)) = parts.first() else { return Err(Failure::MissingData("split keys")) };
    let mut shares: Vec<(usize, &Secret)> = Vec::with_capacity(parts.len());
    for (_, part) in parts {
        let is_alike = (part.parts, part.threshold, part.method, &part.prime_field_size)
            == (first.parts, first.threshold, first.method, &first.prime_field_size);
        if !is_alike {
            return Err(OTHERS);
        }
        let bytes = part.key_block.material().and_then(KeyMaterial::secret).ok_or(OTHERS)?;
        shares.push((usize::try_from(part.part_identifier).map_err(|_| OTHERS)?, bytes));
    }
    let prime = first.prime_field_size.as_ref().and_then(|prime| prime.unsigned());
    let spec = SplitSpec {
        method: first.method,
        parts: usize::try_from(first.parts).map_err(|_| OTHERS)?,
        threshold: usize::try_from(first.threshold).map_err(|_| OTHERS)?,
        prime,
    };
    // Only a prime field needs the length: its numbers have lost their zeros in front.
    let len = row.length.and_then(|bits| usize::try_from(bits).ok()).map(|bits| bits.div_ceil(8));
    let len = len.or_else(|| shares.first().map(|(_, share)| share.len())).unwrap_or(0);
    // Too few parts, and parts that do not belong together, are one failure (KMIP 1.4 §11.40).
    spec.join(&shares, len).map_err(|_| Failure::Cryptographic("the parts do not make a key"))
}
