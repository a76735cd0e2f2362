//! Derive Key: a key or secret from others that the server holds. KMIP 1.4 §4.6, 2.1 §6.1.14.

use crypto::CryptoError;
use crypto::derive::{DerivationParameters, agree, derive};
use keystore::ObjectRow;
use kmip::attribute::{Attribute, AttributeValue, CryptographicParameters};
use kmip::object::{KeyBlock, KeyMaterial, ManagedObject, SecretData, SymmetricKey};
use kmip::payload::{DeriveKeyRequest, DeriveKeyResponse};
use kmip::registry::{CryptographicAlgorithm, DerivationMethod, KeyFormatType, LinkType, ObjectType, SecretDataType};
use policy::creation::{Origin, symmetric_key_bytes};
use policy::derivation::{Derivation, may_derive};
use secret::Secret;

use super::birth::{self, Birth};
use super::{create, judging, links, source};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::node::sealing::identifier_text;
use crate::scope::Scope;

/// Objects that one derivation takes: a key, or a key and the secret that is its data, or a private and a public key.
const MAX_SOURCES: usize = 2;

pub(in crate::operation) async fn run(
    scope: &mut Scope<'_>,
    request: &DeriveKeyRequest,
) -> Result<DeriveKeyResponse, Failure> {
    let sources = sources(scope, request).await?;
    let wanted = birth::resolve_templates(scope, &request.template_attribute).await?;
    let len = derived_len(&wanted)?;
    let parameters = parameters(request, &sources);
    judge(scope, request, &parameters)?;
    let derived = compute(request, parameters, &sources, len).await?;

    let mut birth = Birth::begin(scope, Origin::Created, request.object_type);
    birth.take_from_key_block(None, None, Some(derived.len()))?;
    birth.set_attributes(scope, wanted)?;
    let object = match request.object_type {
        ObjectType::SymmetricKey => {
            let (algorithm, length) = (birth.row().algorithm, birth.row().length);
            let key_block = KeyBlock::new(KeyFormatType::Raw, KeyMaterial::Bytes(derived), algorithm, length);
            ManagedObject::SymmetricKey(SymmetricKey { key_block })
        }
        _ => ManagedObject::SecretData(SecretData {
            secret_data_type: SecretDataType::Seed,
            key_block: KeyBlock::without_algorithm(KeyFormatType::Opaque, derived),
        }),
    };
    judging::judge(scope, birth.row(), &object)?;
    for (mut row, _) in sources {
        birth.give(links::to(LinkType::DerivationBaseObjectLink, row.id));
        links::add(scope, &mut row, LinkType::DerivedKeyLink, birth.id())?;
        scope.draft.update(row);
    }
    let id = birth.complete(scope, Some(&object)).await?;
    Ok(DeriveKeyResponse { unique_identifier: identifier_text(id), template_attribute: None })
}

/// The objects to derive from, each once, opened.
async fn sources(
    scope: &mut Scope<'_>,
    request: &DeriveKeyRequest,
) -> Result<Vec<(ObjectRow, ManagedObject)>, Failure> {
    if !matches!(request.object_type, ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(Failure::InvalidField("only symmetric keys and secret data are derived"));
    }
    let named = scope.each_of(&request.unique_identifiers);
    if named.len() > MAX_SOURCES {
        return Err(Failure::InvalidField("more objects to derive from than the method takes"));
    }
    let mut sources: Vec<(ObjectRow, ManagedObject)> = Vec::with_capacity(MAX_SOURCES);
    for id in &named {
        let row = source::find(scope, Some(id)).await?;
        let is_source = matches!(
            row.object_type,
            ObjectType::SymmetricKey | ObjectType::SecretData | ObjectType::PrivateKey | ObjectType::PublicKey
        );
        if !is_source || sources.iter().any(|(other, _)| other.id == row.id) {
            return Err(Failure::InvalidField("an object that nothing is derived from"));
        }
        source::may_derive(scope, &row)?;
        let object = source::open(scope, &row).await?;
        sources.push((row, object));
    }
    Ok(sources)
}

/// The length that the client has to give, in bytes.
fn derived_len(wanted: &[Attribute]) -> Result<usize, Failure> {
    let bits = wanted.iter().find_map(|one| match one.value {
        AttributeValue::CryptographicLength(bits) => Some(bits),
        _ => None,
    });
    let bits = bits.ok_or(Failure::InvalidField("cryptographic length is missing"))?;
    let algorithm = wanted.iter().find_map(|one| match one.value {
        AttributeValue::CryptographicAlgorithm(algorithm) => Some(algorithm),
        _ => None,
    });
    // 3DES keys are counted without their parity bits.
    match algorithm.and_then(|algorithm| symmetric_key_bytes(algorithm, bits).ok()) {
        Some(len) => Ok(len),
        None => create::secret_bytes(bits),
    }
}

/// The request's Cryptographic Parameters, else those of the key, else none.
fn parameters(request: &DeriveKeyRequest, sources: &[(ObjectRow, ManagedObject)]) -> CryptographicParameters {
    let of_request = request.derivation_parameters.cryptographic_parameters.as_deref();
    let of_key = || sources.first().and_then(|(row, _)| source::parameters(row));
    of_request.or_else(of_key).cloned().unwrap_or_default()
}

/// What the domain's policy says of the method.
fn judge(scope: &Scope<'_>, request: &DeriveKeyRequest, parameters: &CryptographicParameters) -> Result<(), Failure> {
    let derivation = Derivation {
        method: request.derivation_method,
        hash: parameters.hashing_algorithm,
        mode: parameters.block_cipher_mode,
        iterations: request.derivation_parameters.iteration_count,
    };
    may_derive(policy_of(&scope.domain.row.policy), &derivation).map_err(|why| Failure::Weak(why.0))
}

async fn compute(
    request: &DeriveKeyRequest,
    cryptographic: CryptographicParameters,
    sources: &[(ObjectRow, ManagedObject)],
    len: usize,
) -> Result<Secret, Failure> {
    let method = request.derivation_method;
    if method == DerivationMethod::AsymmetricKey {
        return agreed(sources, len);
    }
    let (first, rest) = sources.split_first().ok_or(Failure::MissingData("an object to derive from"))?;
    let base = Secret::copy_from(source::bytes(&first.1)?.expose());
    let copy = |bytes: &Secret| Secret::copy_from(bytes.expose());
    let mut data: Vec<Secret> = request.derivation_parameters.derivation_data.iter().map(copy).collect();
    for (row, object) in rest {
        // A second object is the data, if the client has given none.
        if row.object_type != ObjectType::SecretData || !data.is_empty() {
            return Err(Failure::Contradiction("derivation data and an object that would be the data"));
        }
        data.push(copy(source::bytes(object)?));
    }
    let algorithm = prf_algorithm(method, first.0.algorithm, &cryptographic);
    let given = &request.derivation_parameters;
    let (vector, salt, iterations) = (given.initialization_vector.clone(), given.salt.clone(), given.iteration_count);
    // PBKDF2 takes a core for up to a second.
    let computed = tokio::task::spawn_blocking(move || {
        let data: Vec<&[u8]> = data.iter().map(Secret::expose).collect();
        let parameters = DerivationParameters {
            cryptographic: &cryptographic,
            initialization_vector: vector.as_deref(),
            data: &data,
            salt: salt.as_deref(),
            iterations,
        };
        derive(method, algorithm, &base, &parameters, len)
    });
    computed.await.map_err(|_| Failure::Internal("the derivation ended early"))?.map_err(refused)
}

/// The algorithm that says what the pseudorandom function is. A hash that is named makes it an HMAC, whatever cipher
/// the key was made for; the key of an HMAC says so itself.
fn prf_algorithm(
    method: DerivationMethod,
    of_key: Option<CryptographicAlgorithm>,
    parameters: &CryptographicParameters,
) -> Option<CryptographicAlgorithm> {
    use CryptographicAlgorithm as A;
    let is_hmac = matches!(
        of_key,
        Some(
            A::HmacMd5
                | A::HmacSha1
                | A::HmacSha224
                | A::HmacSha256
                | A::HmacSha384
                | A::HmacSha512
                | A::HmacSha3_224
                | A::HmacSha3_256
                | A::HmacSha3_384
                | A::HmacSha3_512
        )
    );
    let by_hash = parameters.hashing_algorithm.is_some() && method != DerivationMethod::Encrypt;
    if by_hash && !is_hmac { None } else { of_key }
}

/// The secret that a private and a public key agree on.
fn agreed(sources: &[(ObjectRow, ManagedObject)], len: usize) -> Result<Secret, Failure> {
    let of = |wanted| sources.iter().find(|(row, _)| row.object_type == wanted);
    let (Some((private_row, private)), Some((public_row, public)), 2) =
        (of(ObjectType::PrivateKey), of(ObjectType::PublicKey), sources.len())
    else {
        return Err(Failure::InvalidField("the method takes a private key and a public key"));
    };
    let private = source::private_key(private, private_row)?;
    let public = source::public_key(public, public_row)?;
    agree(&private, &public, len).map_err(refused)
}

/// KMIP 1.4 §11.7: parameters that do not fit are an invalid field, too long a key is a cryptographic failure.
fn refused(error: CryptoError) -> Failure {
    match error {
        CryptoError::Missing(what) | CryptoError::Unsupported(what) => Failure::InvalidField(what),
        other => other.into(),
    }
}
